package operate

import (
	"context"
	"net/http"
	"time"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/redrive"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// DeadLetters is what trying one message again needs.
type DeadLetters interface {
	Retry(ctx context.Context, p tenant.Principal, id message.ID, why string) (*store.Record, error)
}

// DeadLetter is a message whose attempts are used up.
type DeadLetter struct {
	ID        message.ID      `json:"id"`
	URL       string          `json:"url" doc:"Where to read it, with its timeline."`
	Status    message.Status  `json:"status" example:"dead"`
	Reason    string          `json:"reason,omitzero" doc:"Why it is dead, as a code."`
	Tenant    string          `json:"tenant"`
	Owner     string          `json:"owner,omitzero" doc:"The person to call."`
	Channel   message.Channel `json:"channel"`
	Class     message.Class   `json:"class"`
	Template  string          `json:"template,omitzero" doc:"tenant/name; absent for free content."`
	Account   string          `json:"account,omitzero" doc:"Of the last attempt."`
	Provider  string          `json:"provider,omitzero"`
	Code      string          `json:"code,omitzero" doc:"What the provider answered last."`
	Text      string          `json:"text,omitzero"`
	Attempts  int             `json:"attempts"`
	CreatedAt time.Time       `json:"created_at"`
	DiedAt    *time.Time      `json:"died_at,omitzero"`
	ExpiresAt time.Time       `json:"expires_at" doc:"After this it is not sent any more, whoever asks."`
}

// DeadLetterList is a page of dead messages.
type DeadLetterList struct {
	Items []DeadLetter `json:"items"`
	Next  string       `json:"next,omitzero" doc:"Send it as after to go on; absent at the end."`
}

// Retry says why.
type Retry struct {
	Reason string `json:"reason,omitzero" doc:"Kept in the message's timeline, with the key." maxLength:"200"`
}

func deadLetterOf(r *store.Record) DeadLetter {
	m := &r.Message
	out := DeadLetter{ID: m.ID, URL: "/v1/messages/" + string(m.ID), Status: m.Status, Reason: m.Reason, Tenant: m.Tenant, Owner: m.Owner, Channel: m.Channel,
		Class: m.Class, Attempts: m.Epoch, CreatedAt: m.Created.Std(), DiedAt: at(m.Completed()), ExpiresAt: m.Expires.Std()}
	if m.Template.Name != "" {
		out.Template = m.Template.Tenant + "/" + m.Template.Name
	}
	if a := m.Last(); a != nil {
		out.Account, out.Provider, out.Code, out.Text = a.Account, a.Provider, a.Code, a.Text
	}
	return out
}

// dayOf reads a day of the query.
func dayOf(c *httpapi.Call) (time.Time, error) {
	text := c.Query("day")
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil || day.Year() < 2000 {
		return day, problem.Invalid(problem.At("query:day", problem.BadTime, "day must be a date in UTC, such as 2026-01-02"))
	}
	return day, nil
}

// filterOf reads the filter of the query.
func filterOf(c *httpapi.Call) (f redrive.Filter, err error) {
	f = redrive.Filter{Tenant: c.Query("tenant"), Channel: message.Channel(c.Query("channel")), Account: c.Query("account"), Template: c.Query("template"), Reason: c.Query("reason")}
	from, to, err := c.Span()
	f.From, f.To = message.At(from), message.At(to)
	return f, err
}

func deadLetters(o DeadLetters) []httpapi.Endpoint {
	retry := op(post, "dlq/{id}/retry", "retryDeadLetter", "Try a message again that is dead, failed or in doubt", operators(), problem.NotFound, problem.NotAllowedNow)
	retry.Description = "It goes through its lane anew and keeps its expiry. One in doubt may have been sent: it may then arrive twice."
	retry.Status, retry.BodyOptional = http.StatusAccepted, true
	return []httpapi.Endpoint{
		httpapi.Route(retry, func(ctx context.Context, c *httpapi.Call, r *Retry) (*DeadLetter, error) {
			id, err := message.ParseID(c.Path("id"))
			if err != nil {
				return nil, problem.New(problem.NotFound, "there is no such message; an id begins with msg_ and has 55 characters")
			}
			return one(deadLetterOf)(o.Retry(ctx, c.Principal, id, r.Reason))
		}),
	}
}

// listDead mounts the list: the filter is that of a redrive.
func listDead(o Redrives) httpapi.Endpoint {
	list := op(get, "dlq", "listDeadLetters", "List dead messages by day of acceptance, the newest day first", operators(), problem.UnknownTenant, problem.UnknownChannel, problem.BadTime)
	list.Description = "What a redrive with the same filter would be of. A page may be short, even empty, and not be the last: go on while there is a next."
	list.Query = []httpapi.Param{{Name: "tenant", Description: "Only this tenant's."}, {Name: "channel", Description: "Only of this channel."},
		{Name: "account", Description: "Only of this account: that of the last attempt."}, {Name: "template", Description: "Only of this template: tenant/name, or name with tenant."},
		{Name: "reason", Description: "Only those that died of this."},
		{Name: "from", Description: "Inclusive: when they died.", Example: "2026-01-02T10:30:00Z"}, {Name: "to", Description: "Exclusive: when they died.", Example: "2026-01-02T11:30:00Z"},
		{Name: "day", Description: "Only messages accepted on this day, in UTC; the last 7 days without it.", Example: "2026-01-02"}, httpapi.LimitParam(), httpapi.AfterParam()}
	return httpapi.Route(list, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*DeadLetterList, error) {
		limit, err := c.Limit()
		if err != nil {
			return nil, err
		}
		day, err := dayOf(c)
		if err != nil {
			return nil, err
		}
		f, err := filterOf(c)
		if err != nil {
			return nil, err
		}
		page, next, err := o.Dead(ctx, c.Principal, f, day, limit, c.Query("after"))
		items, err := many(deadLetterOf)(page, err)
		return &DeadLetterList{items, next}, err
	})
}
