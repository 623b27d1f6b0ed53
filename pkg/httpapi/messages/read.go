package messages

import (
	"context"
	"net/http"
	"time"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/refused"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
	"github.com/opennotify/notify/pkg/trace"
)

// Trace is what reading needs of the use case.
type Trace interface {
	Get(ctx context.Context, p tenant.Principal, id string) (*trace.View, error)
	Group(ctx context.Context, p tenant.Principal, id string) (*trace.GroupView, error)
	Search(ctx context.Context, p tenant.Principal, f trace.Filter) (*trace.Page, error)
	Who(ctx context.Context, p tenant.Principal, text, recipient string) (*trace.WhoAnswer, error)
}

// SearchRequest says what to look for. It is a body, so that no recipient stands in a URL.
type SearchRequest struct {
	Recipient string          `json:"recipient,omitzero" doc:"As typed: any spelling of a number, an address, an alias."`
	Tenant    string          `json:"tenant,omitzero"`
	Channel   message.Channel `json:"channel,omitzero"`
	Status    message.Status  `json:"status,omitzero"`
	Class     message.Class   `json:"class,omitzero"`
	Template  string          `json:"template,omitzero" doc:"Name, or tenant/name."`
	Reference string          `json:"reference,omitzero" doc:"Your own id."`
	Run       string          `json:"run,omitzero" doc:"Id of a campaign, or of a schedule's run: its messages."`
	From      *time.Time      `json:"from,omitzero" doc:"Inclusive; 7 days ago without it, but for a recipient or a reference."`
	To        *time.Time      `json:"to,omitzero" doc:"Exclusive; now without it."`
	Limit     int             `json:"limit,omitzero" doc:"1 to 200; 50 without it." minimum:"1" maximum:"200"`
	Cursor    string          `json:"cursor,omitzero" doc:"next of the page before, with the same filter."`
}

// SearchAnswer is a page, the newest messages first.
type SearchAnswer struct {
	Messages   []Message         `json:"messages"`
	Index      trace.Index       `json:"index" enum:"recipient,reference,trouble,tenant" doc:"What was read: each filter has an index, and the rest is compared."`
	Searched   int               `json:"searched" doc:"Records that this call looked at."`
	From       *time.Time        `json:"from"`
	To         *time.Time        `json:"to"`
	Next       string            `json:"next,omitzero" doc:"Goes on; a page may be short, or empty, and have a next."`
	Unreadable []message.ID      `json:"unreadable,omitzero" doc:"Ids of damaged records."`
	Refused    []refused.Refused `json:"refused,omitzero" doc:"Requests for the recipient, or with the reference, that were refused in the last 7 days, the newest first: of a search for nothing else, on its first page."`
	None       *Verdict          `json:"none,omitzero" doc:"What it means that nothing was found."`
}

// WhoRequest is a text that somebody received.
type WhoRequest struct {
	Text      string `json:"text" doc:"The text of the message, as it was received."`
	Recipient string `json:"recipient,omitzero" doc:"Who received it: finds the message itself."`
}

// Reading mounts what reads messages.
func Reading(t Trace) []httpapi.Endpoint {
	tags := []string{"messages"}
	return []httpapi.Endpoint{
		httpapi.Route(httpapi.Op{Method: http.MethodGet, Path: "/v1/messages/{id}", ID: "getMessage", Tags: tags, Scope: tenant.Read,
			Summary: "Read a message with its timeline", Codes: []problem.Code{problem.NotFound}},
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*Message, error) {
				v, err := t.Get(ctx, c.Principal, c.Path("id"))
				if err != nil {
					return nil, err
				}
				return viewOf(v), nil
			}),
		httpapi.Route(httpapi.Op{Method: http.MethodGet, Path: "/v1/messages/{id}/verdict", ID: "getVerdict", Tags: tags, Scope: tenant.Read,
			Summary: "Say in words what became of a message", Codes: []problem.Code{problem.NotFound}},
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*Verdict, error) {
				v, err := t.Get(ctx, c.Principal, c.Path("id"))
				if err != nil {
					return nil, err
				}
				out := verdictOf(v.Verdict)
				return &out, nil
			}),
		httpapi.Route(httpapi.Op{Method: http.MethodPost, Path: "/v1/messages/search", ID: "searchMessages", Tags: tags, Scope: tenant.Read,
			Summary: "Search messages by recipient, reference, status, time and more"},
			func(ctx context.Context, c *httpapi.Call, r *SearchRequest) (*SearchAnswer, error) {
				page, err := t.Search(ctx, c.Principal, r.filter())
				if err != nil {
					return nil, err
				}
				return pageOf(page), nil
			}),
		httpapi.Route(httpapi.Op{Method: http.MethodPost, Path: "/v1/messages/who", ID: "whoSentThis", Tags: tags, Scope: tenant.Read,
			Summary: "Tell from its text who sent a message, or that nobody here did"},
			func(ctx context.Context, c *httpapi.Call, r *WhoRequest) (*WhoAnswer, error) {
				w, err := t.Who(ctx, c.Principal, r.Text, r.Recipient)
				if err != nil {
					return nil, err
				}
				return whoOf(w), nil
			}),
		httpapi.Route(httpapi.Op{Method: http.MethodGet, Path: "/v1/groups/{id}", ID: "getGroup", Tags: tags, Scope: tenant.Read,
			Summary: "Read the messages of one request", Codes: []problem.Code{problem.NotFound}},
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*GroupMessages, error) {
				g, err := t.Group(ctx, c.Principal, c.Path("id"))
				if err != nil {
					return nil, err
				}
				return groupMessages(g), nil
			}),
	}
}

func (r *SearchRequest) filter() trace.Filter {
	f := trace.Filter{Tenant: r.Tenant, Recipient: r.Recipient, Channel: r.Channel, Status: r.Status, Class: r.Class,
		Template: r.Template, Reference: r.Reference, Run: r.Run, Limit: r.Limit, Cursor: r.Cursor}
	if r.From != nil {
		f.From = *r.From
	}
	if r.To != nil {
		f.To = *r.To
	}
	return f
}

func pageOf(p *trace.Page) *SearchAnswer {
	out := &SearchAnswer{Messages: []Message{}, Index: p.Index, Searched: p.Searched, From: at(p.From), To: at(p.To), Next: p.Next, Unreadable: p.Unreadable}
	if len(p.Refused) > 0 {
		out.Refused = refused.Of(p.Refused)
	}
	for i := range p.Records {
		out.Messages = append(out.Messages, messageOf(&p.Records[i]))
	}
	if p.None != nil {
		v := verdictOf(*p.None)
		out.None = &v
	}
	return out
}

func whoOf(w *trace.WhoAnswer) *WhoAnswer {
	out := &WhoAnswer{Verdict: verdictOf(w.Verdict), Candidates: []Candidate{}, Since: at(w.Since)}
	for _, c := range w.Candidates {
		out.Candidates = append(out.Candidates, Candidate(c))
	}
	for i := range w.Messages {
		out.Messages = append(out.Messages, Sighting{messageOf(&w.Messages[i].Summary), w.Messages[i].Exact})
	}
	return out
}

func groupMessages(g *trace.GroupView) *GroupMessages {
	out := &GroupMessages{ID: g.ID, Tenant: g.Tenant, Kind: g.Kind, CreatedAt: at(g.Created), Counts: g.Counts, Missing: g.Missing, Messages: []*Message{}}
	for _, m := range g.Members {
		var v *Message
		if m.Message != nil {
			x := messageOf(m.Message)
			v = &x
		}
		out.Messages = append(out.Messages, v)
	}
	return out
}
