// Package callbacks mounts what is done with endpoints beside keeping them: how they answer, what they were
// sent, a test, and once more.
package callbacks

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/opennotify/notify/pkg/callback"
	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Callbacks is the use case.
type Callbacks interface {
	Health(ctx context.Context, p tenant.Principal, owner, name string) (store.Health, error)
	List(ctx context.Context, p tenant.Principal, owner, name string, f callback.Filter) ([]callback.Sent, bool, error)
	Test(ctx context.Context, p tenant.Principal, owner, name string) (callback.Sent, error)
	Resend(ctx context.Context, p tenant.Principal, owner, name string, f callback.Filter, all bool) (callback.Again, error)
	ResendOne(ctx context.Context, p tenant.Principal, owner, name string, id message.ID) (callback.Sent, error)
}

// EndpointHealth is how an endpoint has answered of late.
type EndpointHealth struct {
	LastSuccessAt *time.Time `json:"last_success_at,omitzero" doc:"To the hour, while all is well."`
	FailingSince  *time.Time `json:"failing_since,omitzero" doc:"Since when nothing but failures was seen; after 5 days it is switched off."`
	Failures      int        `json:"failures" doc:"Since then, at least."`
	LastFailureAt *time.Time `json:"last_failure_at,omitzero"`
	LastStatus    int        `json:"last_http_status,omitzero" doc:"Of that failure; absent without an answer."`
	LastCode      string     `json:"last_code,omitzero" example:"timeout"`
}

// Callback is one event on its way to one endpoint.
type Callback struct {
	ID          message.ID        `json:"id"`
	WebhookID   message.ID        `json:"webhook_id" doc:"What the receiver knows it by; copies keep that of the first."`
	URL         string            `json:"url" doc:"Where to read it, with its timeline."`
	Status      message.Status    `json:"status" doc:"sent: the receiver took it. expired: given up after 28 hours." example:"sent"`
	Reason      string            `json:"reason,omitzero" doc:"Why it waits or ended, as a code; kept: it waits to be read."`
	CreatedAt   time.Time         `json:"created_at"`
	NextTryAt   *time.Time        `json:"next_try_at,omitzero"`
	CompletedAt *time.Time        `json:"completed_at,omitzero"`
	Calls       int               `json:"calls" doc:"Attempts so far."`
	Attempts    []CallbackAttempt `json:"attempts" doc:"The newest last."`
	ResendOf    message.ID        `json:"resend_of,omitzero" doc:"The callback that this is a copy of."`
	Event       json.RawMessage   `json:"event,omitzero" doc:"What is posted; absent when it is erased."`
}

// CallbackAttempt is one call of the endpoint.
type CallbackAttempt struct {
	At         time.Time `json:"at"`
	Outcome    string    `json:"outcome,omitzero" doc:"Empty while no answer is recorded." example:"sent"`
	HTTPStatus int       `json:"http_status,omitzero"`
	Code       string    `json:"code,omitzero" example:"http_503"`
	Millis     int64     `json:"ms,omitzero"`
	Repeats    int       `json:"repeats,omitzero" doc:"Further attempts like this one."`
}

// CallbackList is a page of callbacks, the newest first.
type CallbackList struct {
	Items []Callback `json:"items"`
	Next  message.ID `json:"next,omitzero" doc:"Send it as after to go on; absent at the end."`
}

// Resend says what is sent again: one, or a range.
type Resend struct {
	ID    message.ID `json:"id,omitzero" doc:"A message, told of as it stands now; or a callback, sent once more as it was."`
	From  *time.Time `json:"from,omitzero" doc:"Without an id: callbacks that were made from then on …"`
	To    *time.Time `json:"to,omitzero" doc:"… until before then; now without it."`
	All   bool       `json:"all,omitzero" doc:"Those that arrived, too."`
	After message.ID `json:"after,omitzero" doc:"The next of the answer before."`
}

// Resent is what was done.
type Resent struct {
	Callback *Callback  `json:"callback,omitzero" doc:"The new one, where an id was named."`
	Matched  int        `json:"matched"`
	Made     int        `json:"made" doc:"What is erased cannot be sent again."`
	Next     message.ID `json:"next,omitzero" doc:"There are older ones in the range: go on with it as after."`
}

func at(t message.Time) *time.Time {
	if t == 0 {
		return nil
	}
	std := t.Std()
	return &std
}

func callbackOf(s *callback.Sent) Callback {
	m := &s.Message
	out := Callback{ID: m.ID, WebhookID: m.ID, URL: "/v1/messages/" + string(m.ID), Status: m.Status, Reason: m.Reason, CreatedAt: m.Created.Std(),
		CompletedAt: at(m.Completed()), Attempts: []CallbackAttempt{}, ResendOf: m.ResendOf, Event: s.Event}
	if m.ResendOf != "" {
		out.WebhookID = m.ResendOf
	}
	if m.Status == message.Queued {
		out.NextTryAt = at(m.Next)
	}
	for _, a := range m.Attempts {
		x := CallbackAttempt{At: a.At.Std(), HTTPStatus: a.HTTPStatus, Code: a.Code, Repeats: a.Repeats}
		if a.End > 0 {
			x.Outcome, x.Millis = a.Outcome.String(), a.End.Sub(a.At).Milliseconds()
		}
		out.Attempts = append(out.Attempts, x)
		out.Calls += 1 + a.Repeats
	}
	return out
}

// parse reads the id of a message; "" is none.
func parse(pointer, text string) (message.ID, error) {
	if text == "" {
		return "", nil
	}
	id, err := message.ParseID(text)
	if err != nil {
		return "", problem.Invalid(problem.At(pointer, problem.BadValue, "an id begins with msg_ and has 55 characters"))
	}
	return id, nil
}

// filter reads a page of the query.
func filter(c *httpapi.Call) (f callback.Filter, err error) {
	if f.Limit, err = c.Limit(); err != nil {
		return f, err
	}
	if f.From, f.To, err = c.Span(); err != nil {
		return f, err
	}
	f.Before, err = parse("query:after", c.Query("after"))
	return f, err
}

// filter reads what is sent again in a range.
func (r *Resend) filter() (f callback.Filter, err error) {
	f.Limit = callback.MaxPage
	if r.From == nil {
		return f, problem.Invalid(problem.At("/from", problem.Required, "say what is sent again: an id, or a range that begins at from"))
	}
	for _, t := range []struct {
		pointer string
		at      *time.Time
		into    *time.Time
	}{{"/from", r.From, &f.From}, {"/to", r.To, &f.To}} {
		if t.at == nil {
			continue
		}
		if t.at.Year() < 2000 || t.at.Year() > 2999 {
			return f, problem.Invalid(problem.At(t.pointer, problem.BadTime, "%s must be a time of this century, in RFC 3339", t.pointer[1:]))
		}
		*t.into = *t.at
	}
	f.Before, err = parse("/after", string(r.After))
	return f, err
}

// op describes an operation.
func op(method, verb, id, summary string, codes ...problem.Code) httpapi.Op {
	return httpapi.Op{Method: method, Path: "/v1/endpoints/{tenant}/{name}/" + verb, ID: id, Summary: summary, Tags: []string{"endpoints"},
		Scope: tenant.Read, OrScope: tenant.Operate, Codes: append([]problem.Code{problem.NotFound}, codes...)}
}

// Endpoints mounts all of it.
func Endpoints(u Callbacks) []httpapi.Endpoint {
	const theirs = "A key with the scopes send and read does this for its own tenant; one that operates for all."
	list := op(http.MethodGet, "attempts", "listCallbacks", "List what an endpoint was sent, or is being sent, the newest first", problem.BadTime)
	list.Query = []httpapi.Param{{Name: "from", Description: "Made from then on, RFC 3339.", Example: "2026-01-02T15:04:05Z"}, {Name: "to", Description: "Made before then."},
		httpapi.LimitParam(), httpapi.AfterParam()}
	test := op(http.MethodPost, "test", "testEndpoint", "Send an event of type endpoint.test", problem.NotAllowedNow)
	test.Status, test.Description = http.StatusAccepted, theirs
	resend := op(http.MethodPost, "resend", "resendCallbacks", "Send the callback of a message again, or those of a time that did not arrive", problem.NotAllowedNow, problem.BadTime)
	resend.Status = http.StatusAccepted
	resend.Description = "A copy of a callback keeps its webhook-id, so that a receiver that had it knows. At most 100 are looked at in one call. " + theirs
	return []httpapi.Endpoint{
		httpapi.Route(op(http.MethodGet, "health", "getEndpointHealth", "Read how an endpoint has answered of late"),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*EndpointHealth, error) {
				h, err := u.Health(ctx, c.Principal, c.Path("tenant"), c.Path("name"))
				return &EndpointHealth{at(h.Succeeded), at(h.Failing), h.Failures, at(h.Failed), h.Status, h.Code}, err
			}),
		httpapi.Route(list, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*CallbackList, error) {
			f, err := filter(c)
			if err != nil {
				return nil, err
			}
			page, more, err := u.List(ctx, c.Principal, c.Path("tenant"), c.Path("name"), f)
			out := &CallbackList{Items: []Callback{}}
			for i := range page {
				out.Items = append(out.Items, callbackOf(&page[i]))
			}
			if more {
				out.Next = page[len(page)-1].ID
			}
			return out, err
		}),
		httpapi.Route(test, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*Callback, error) {
			s, err := u.Test(ctx, c.Principal, c.Path("tenant"), c.Path("name"))
			if err != nil {
				return nil, err
			}
			out := callbackOf(&s)
			return &out, nil
		}),
		httpapi.Route(resend, func(ctx context.Context, c *httpapi.Call, r *Resend) (*Resent, error) {
			return again(ctx, u, c, r)
		}),
	}
}

func again(ctx context.Context, u Callbacks, c *httpapi.Call, r *Resend) (*Resent, error) {
	id, err := parse("/id", string(r.ID))
	switch {
	case err != nil:
		return nil, err
	case id != "" && (r.From != nil || r.To != nil || r.All || r.After != ""):
		return nil, problem.Invalid(problem.At("/id", problem.BadValue, "send an id or a range, not both"))
	case id != "":
		s, err := u.ResendOne(ctx, c.Principal, c.Path("tenant"), c.Path("name"), id)
		if err != nil {
			return nil, err
		}
		made := callbackOf(&s)
		return &Resent{Callback: &made, Matched: 1, Made: 1}, nil
	}
	f, err := r.filter()
	if err != nil {
		return nil, err
	}
	a, err := u.Resend(ctx, c.Principal, c.Path("tenant"), c.Path("name"), f, r.All)
	return &Resent{Matched: a.Matched, Made: a.Made, Next: a.Before}, err
}
