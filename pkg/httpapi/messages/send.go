package messages

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// Intake is what sending needs of the use case.
type Intake interface {
	Send(ctx context.Context, p tenant.Principal, req *intake.Request) (*intake.Answer, error)
	Batch(ctx context.Context, p tenant.Principal, key string, hash []byte, reqs []*intake.Request) (*intake.BatchAnswer, error)
	Explain(ctx context.Context, p tenant.Principal, req *intake.Request) ([]intake.Explanation, error)
	Marks(ctx context.Context, p tenant.Principal, all ...intake.About) []string
	Steering
}

var keyHeader = httpapi.Param{Name: httpapi.KeyHeader, Example: "order-4711-shipped",
	Description: "1 to 255 printable characters, bare or quoted, kept for 24 hours. The same key with the same body is answered with the live message."}

var sendCodes = []problem.Code{problem.KeyReused, problem.UnknownTemplate, problem.NotPublished, problem.NoVariant, problem.MissingVariable,
	problem.UnknownVariable, problem.BadAddress, problem.ChannelOff, problem.NotBound, problem.ContentRefused, problem.BadTime,
	problem.RateLimited, problem.DailyLimit, problem.RecipientLimit}

// Sending mounts what makes messages.
func Sending(in Intake) []httpapi.Endpoint {
	return append([]httpapi.Endpoint{
		httpapi.Route(httpapi.Op{Method: http.MethodPost, Path: "/v1/messages", ID: "sendMessage", Tags: []string{"messages"}, Scope: tenant.Send,
			Summary: "Send a message to one person, to many, or over several channels",
			Description: "202 means kept: the record is in the store. A repeated Idempotency-Key and equal content inside the window are no errors: " +
				"they are answered 200 with the live message.",
			Status: http.StatusAccepted, Instead: http.StatusOK, Headers: []httpapi.Param{keyHeader}, Codes: sendCodes, Marks: marks(in)},
			func(ctx context.Context, c *httpapi.Call, r *SendRequest) (*Sent, error) {
				req, err := r.request(c)
				if err != nil {
					return nil, err
				}
				a, err := in.Send(ctx, c.Principal, req)
				if err != nil {
					return nil, err
				}
				out, isNew := answer(a)
				mark(c, isNew, a.Replay)
				return &out, nil
			}),
		httpapi.Route(httpapi.Op{Method: http.MethodPost, Path: "/v1/messages/batch", ID: "sendBatch", Tags: []string{"messages"}, Scope: tenant.Send,
			Summary:     "Send up to 500 different messages",
			Description: "Every item has a result of its own; one item's fault does not touch the others. The Idempotency-Key covers the whole request.",
			Status:      http.StatusAccepted, Instead: http.StatusOK, Headers: []httpapi.Param{keyHeader}, Codes: sendCodes, Marks: marks(in)},
			func(ctx context.Context, c *httpapi.Call, r *BatchRequest) (*BatchAnswer, error) {
				return batch(ctx, in, c, r)
			}),
		httpapi.Route(httpapi.Op{Method: http.MethodPost, Path: "/v1/messages/explain", ID: "explainMessage", Tags: []string{"messages"}, Scope: tenant.Send,
			Summary: "Say what sending would do, without sending", Codes: sendCodes,
			Description: "The rendered content, segments and cost, the account that would carry it and why, and what would hold it back."},
			func(ctx context.Context, c *httpapi.Call, r *SendRequest) (*Explained, error) {
				req, err := r.request(c)
				if err != nil {
					return nil, err
				}
				list, err := in.Explain(ctx, c.Principal, req)
				if err != nil {
					return nil, err
				}
				return explained(list), nil
			}),
	}, steering(in)...)
}

// mark sets what tells a repeated request from a new one.
func mark(c *httpapi.Call, isNew, replay bool) {
	if replay {
		c.SetHeader("Idempotency-Replay", "true")
	}
	if !isNew {
		c.Instead()
	}
}

// BatchRequest is many different messages.
type BatchRequest struct {
	Messages []SendRequest `json:"messages" doc:"1 to 500. Each goes to one address."`
}

// BatchAnswer has a result for every item, in the order of the request.
type BatchAnswer struct {
	Group    *Group      `json:"group,omitzero"`
	Results  []BatchItem `json:"results"`
	Accepted int         `json:"accepted" doc:"How many items were accepted, duplicates included."`
	Refused  int         `json:"refused"`
}

// BatchItem is a message or a problem.
type BatchItem struct {
	Message *Sent      `json:"message,omitzero"`
	Problem *ItemFault `json:"problem,omitzero"`
}

// ItemFault is why an item was refused.
type ItemFault struct {
	Status int             `json:"status"`
	Code   problem.Code    `json:"code"`
	Detail string          `json:"detail"`
	Errors []problem.Field `json:"errors,omitzero"`
}

func batch(ctx context.Context, in Intake, c *httpapi.Call, r *BatchRequest) (*BatchAnswer, error) {
	key, err := c.IdempotencyKey()
	if err != nil {
		return nil, err
	}
	reqs := make([]*intake.Request, len(r.Messages))
	for i := range r.Messages {
		if reqs[i], err = r.Messages[i].request(c); err != nil {
			return nil, err
		}
	}
	a, err := in.Batch(ctx, c.Principal, key, hash(c), reqs)
	if err != nil {
		return nil, err
	}
	out := &BatchAnswer{Results: make([]BatchItem, len(reqs))}
	if a.Group != nil {
		out.Group = groupOf(a.Group)
	}
	isNew := false
	for i := range reqs {
		if p := a.Problems[i]; p != nil {
			out.Results[i].Problem = &ItemFault{p.Status(), p.Code, p.Detail, p.Fields}
			out.Refused++
			continue
		}
		s := sent(a.Verdicts[i])
		out.Results[i].Message = &s
		out.Accepted++
		isNew = isNew || a.Verdicts[i].New
	}
	mark(c, isNew, a.Replay)
	if out.Refused > 0 && !a.Replay {
		refuseItems(ctx, in, c, r, out)
	}
	return out, nil
}

// Explained is what sending would do.
type Explained struct {
	Messages []Explanation `json:"messages"`
}

// Explanation is what would become of one message.
type Explanation struct {
	Channel   message.Channel `json:"channel"`
	To        string          `json:"to" doc:"Normalised and masked."`
	Region    string          `json:"region,omitzero" doc:"Country of a phone number."`
	Status    message.Status  `json:"status" doc:"The status that it would begin with."`
	Reason    string          `json:"reason,omitzero"`
	Class     message.Class   `json:"class"`
	Lane      message.Lane    `json:"lane"`
	Template  *Template       `json:"template,omitzero"`
	Content   message.Content `json:"content" doc:"Exactly what the recipient would read."`
	Segments  *Segments       `json:"segments,omitzero"`
	Accounts  []string        `json:"accounts" doc:"The accounts in the order in which they would be tried."`
	Skipped   []Skipped       `json:"skipped,omitzero" doc:"Accounts that are on but cannot carry it."`
	Route     string          `json:"route,omitzero" doc:"The route that says so; without one it is the accounts' names."`
	Cost      float64         `json:"cost,omitzero"`
	Currency  string          `json:"currency,omitzero"`
	Held      *Held           `json:"held,omitzero" doc:"A route, or the tenant's budget, would hold it back."`
	Refused   *ItemFault      `json:"refused,omitzero" doc:"Sending would be refused right now: a limit of the tenant is used up, or a cap on codes."`
	Stopped   *Stopped        `json:"suppressed_by,omitzero"`
	Duplicate *Sent           `json:"duplicate,omitzero" doc:"The message that it would be answered with."`
	Warnings  []string        `json:"warnings,omitzero"`
}

// Skipped is an account that cannot carry a message, and why.
type Skipped struct {
	Account string     `json:"account"`
	Why     config.Bar `json:"why" enum:"no_binding,binding_rejected,templates_only" doc:"The version is not bound over it; it is bound to a template that the vendor rejected; it takes bound templates only, and this is free content."`
}

// Segments is how a carrier counts an SMS.
type Segments struct {
	Encoding  string `json:"encoding" enum:"GSM-7,UCS-2"`
	Units     int    `json:"units"`
	Count     int    `json:"count"`
	Remaining int    `json:"remaining" doc:"Units left in the last segment."`
}

// Held is what a route's hours or silence, or its tenant's budget, would make of it.
type Held struct {
	Why   string     `json:"why" enum:"quiet_hours,silenced,budget"`
	Until *time.Time `json:"until,omitzero"`
	Drop  bool       `json:"drop,omitzero" doc:"It would end as suppressed."`
	Route string     `json:"route,omitzero" doc:"The route that says so; none of a budget."`
}

// Stopped is the suppression that would hold it back.
type Stopped struct {
	Reason string `json:"reason"`
	Since  string `json:"since"`
	Source string `json:"source,omitzero"`
}

func explained(list []intake.Explanation) *Explained {
	out := &Explained{Messages: []Explanation{}}
	for i := range list {
		e := &list[i]
		m := &e.Message
		x := Explanation{Channel: m.Channel, To: e.To.String(), Region: m.Region, Status: m.Status, Reason: m.Reason, Class: m.Class, Lane: m.Lane(),
			Template: templateOf(m), Content: e.Content, Accounts: e.Accounts, Route: e.Route, Cost: e.Cost, Currency: e.Currency, Warnings: e.Warnings}
		for _, name := range slices.Sorted(maps.Keys(e.Barred)) {
			x.Skipped = append(x.Skipped, Skipped{name, e.Barred[name]})
		}
		if s := e.Segments; s != nil {
			x.Segments = &Segments{s.Encoding, s.Units, s.Count, s.Remaining}
		}
		if h := e.Held; h != nil {
			x.Held = &Held{h.Why, at(h.Until), h.Drop, h.Route}
		}
		if p := e.Refused; p != nil {
			x.Refused = &ItemFault{p.Status(), p.Code, p.Detail, p.Fields}
		}
		if s := e.Stopped; s != nil {
			x.Stopped = &Stopped{string(s.Reason), s.At.String(), s.Source}
		}
		if e.Duplicate != nil {
			d := Sent{ID: e.Duplicate.ID, URL: messageURL(e.Duplicate.ID), Status: e.Duplicate.Status, DuplicateOf: e.Duplicate.ID, WindowEndsAt: at(e.WindowEnds)}
			x.Duplicate = &d
		}
		out.Messages = append(out.Messages, x)
	}
	return out
}
