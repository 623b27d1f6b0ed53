package messages

import (
	"context"
	"net/http"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Steering is what changes the way of a message that exists.
type Steering interface {
	Cancel(ctx context.Context, p tenant.Principal, id message.ID, why string) (*store.Record, error)
	Resend(ctx context.Context, p tenant.Principal, id message.ID, req *intake.Request) (*intake.Answer, error)
	Stop(ctx context.Context, p tenant.Principal, f intake.StopFilter, dry bool, why string) (intake.Stopped, error)
}

// Why is a reason for the record.
type Why struct {
	Reason string `json:"reason,omitzero" doc:"Kept in the timeline, with the key." maxLength:"200"`
}

const maxReason = 200

func (w Why) check() error {
	if len(w.Reason) > maxReason {
		return problem.Invalid(problem.At("/reason", problem.TooLong, "reason may have %d bytes", maxReason))
	}
	return nil
}

// StopRequest names what to stop; what is left out does not narrow.
type StopRequest struct {
	Tenant   string `json:"tenant,omitzero" doc:"The key's tenant without it."`
	Template string `json:"template,omitzero" doc:"Name, or tenant/name."`
	Version  int    `json:"version,omitzero" doc:"Of the template."`
	Group    string `json:"group,omitzero"`
	After    string `json:"after,omitzero" doc:"The next of an earlier answer: goes on where that call stopped." maxLength:"2000"`
	DryRun   *bool  `json:"dry_run" doc:"true counts only. It must be said: there is no default."`
	Reason   string `json:"reason,omitzero" maxLength:"200"`
}

// StopAnswer counts.
type StopAnswer struct {
	DryRun    bool   `json:"dry_run"`
	Matched   int    `json:"matched" doc:"Waiting messages that match."`
	Cancelled int    `json:"cancelled"`
	TooLate   int    `json:"too_late" doc:"Those that a worker took in the meantime."`
	More      bool   `json:"more,omitzero" doc:"One call's bound was reached, and it stopped: call again with next, though nothing matched. The counts are of this call."`
	Next      string `json:"next,omitzero" doc:"Where to go on, with more."`
}

func pathID(c *httpapi.Call) (message.ID, error) {
	id, err := message.ParseID(c.Path("id"))
	if err != nil {
		return "", problem.New(problem.NotFound, "there is no such message; an id begins with msg_ and has 55 characters")
	}
	return id, nil
}

func steering(in Steering) []httpapi.Endpoint {
	tags := []string{"messages"}
	return []httpapi.Endpoint{
		httpapi.Route(httpapi.Op{Method: http.MethodPost, Path: "/v1/messages/{id}/cancel", ID: "cancelMessage", Tags: tags, Scope: tenant.Send, BodyOptional: true,
			Summary: "Cancel a message that is not with a provider yet", Codes: []problem.Code{problem.NotFound, problem.NotAllowedNow}},
			func(ctx context.Context, c *httpapi.Call, w *Why) (*Sent, error) {
				id, err := pathID(c)
				if err == nil {
					err = w.check()
				}
				if err != nil {
					return nil, err
				}
				r, err := in.Cancel(ctx, c.Principal, id, w.Reason)
				if err != nil {
					return nil, err
				}
				out := sent(&store.Verdict{Record: r})
				return &out, nil
			}),
		httpapi.Route(httpapi.Op{Method: http.MethodPost, Path: "/v1/messages/{id}/resend", ID: "resendMessage", Tags: tags, Scope: tenant.Send, BodyOptional: true,
			Status: http.StatusAccepted, Instead: http.StatusOK, Headers: []httpapi.Param{keyHeader},
			Summary: "Send it again as a new message, exempt from the content window", Codes: []problem.Code{problem.NotFound, problem.NotAllowedNow}},
			func(ctx context.Context, c *httpapi.Call, w *Why) (*Sent, error) {
				id, err := pathID(c)
				if err == nil {
					err = w.check()
				}
				if err != nil {
					return nil, err
				}
				req := &intake.Request{Hash: append(hash(c), id...), Origin: origin(c)}
				if req.IdempotencyKey, err = c.IdempotencyKey(); err != nil {
					return nil, err
				}
				req.Origin.Why = w.Reason
				a, err := in.Resend(ctx, c.Principal, id, req)
				if err != nil {
					return nil, err
				}
				out, isNew := answer(a)
				mark(c, isNew, a.Replay)
				return &out, nil
			}),
		httpapi.Route(httpapi.Op{Method: http.MethodPost, Path: "/v1/messages/stop", ID: "stopMessages", Tags: tags, Scope: tenant.Send,
			Summary: "Cancel everything waiting that matches; count it first", Codes: []problem.Code{problem.NotFound}},
			func(ctx context.Context, c *httpapi.Call, r *StopRequest) (*StopAnswer, error) {
				if r.DryRun == nil {
					return nil, problem.Invalid(problem.At("/dry_run", problem.Required, "say dry_run: true to count, false to cancel"))
				}
				if err := (Why{r.Reason}).check(); err != nil {
					return nil, err
				}
				n, err := in.Stop(ctx, c.Principal, intake.StopFilter{Tenant: r.Tenant, Template: r.Template, Version: r.Version, Group: r.Group, After: r.After}, *r.DryRun, r.Reason)
				if err != nil {
					return nil, err
				}
				return &StopAnswer{*r.DryRun, n.Matched, n.Cancelled, n.TooLate, n.More, n.Next}, nil
			}),
	}
}
