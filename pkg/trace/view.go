package trace

import (
	"cmp"
	"context"
	"errors"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Summary is a message in a list: no content, and of the recipient only a mask.
type Summary struct {
	ID        message.ID
	Tenant    string
	Owner     string // the person to call, when it was accepted
	Key       string // the API key's id
	To        string // masked; "" when the address is erased
	Channel   message.Channel
	Class     message.Class
	Template  message.Ref
	Free      bool // the caller's own content, no template's
	Reference string
	ResendOf  message.ID
	Trial     string // the account that it was sent to test
	Group     string
	Segments  int
	Region    string

	Status  message.Status
	Reason  string
	Outcome message.Status // what a simulated one would have become
	// Provider and Account are of the last attempt; Calls counts all.
	Provider, Account string
	Calls             int

	Created, SendAt, Expires message.Time
	Next                     message.Time // of the next try, while one is waited for
	Completed                message.Time // 0 while it has not ended

	Verdict Verdict
}

// View is a message with everything that may be shown of it.
type View struct {
	Summary
	Timeline []Entry
	// Content is what the recipient reads, but that secret variables are blanked. It is nil where Hidden
	// says why.
	Content *message.Content
	Hidden  string
}

// Why content is hidden.
const (
	HiddenErased      = "erased" // its time is over; a code's variables go as soon as it has ended
	HiddenTemplate    = "template_gone"
	HiddenNotRendered = "not_rendered" // the template does not take these variables
)

// Get reads a message. Another tenant's, and what is no id, is NotFound.
func (t *Trace) Get(ctx context.Context, p tenant.Principal, id string) (*View, error) {
	r, err := t.find(ctx, p, id)
	if err != nil {
		return nil, err
	}
	v := &View{Summary: t.summary(ctx, r, t.now()), Timeline: Timeline(&r.Message)}
	if v.Content, v.Hidden, err = t.content(ctx, r); err != nil {
		return nil, unread(err)
	}
	return v, nil
}

func (t *Trace) find(ctx context.Context, p tenant.Principal, id string) (*store.Record, error) {
	if err := may(p); err != nil {
		return nil, err
	}
	parsed, err := message.ParseID(id)
	if err != nil {
		return nil, problem.New(problem.NotFound, "there is no message of this id; one begins with msg_ and has 55 characters")
	}
	r, err := t.Store.Message(ctx, p, parsed)
	if errors.Is(err, store.ErrNotFound) {
		return nil, problem.New(problem.NotFound, "there is no message %s", parsed)
	}
	if err != nil {
		return nil, unread(err)
	}
	return r, nil
}

// summary never fails: a list with one unreadable address is still a list.
func (t *Trace) summary(ctx context.Context, r *store.Record, now message.Time) Summary {
	m := &r.Message
	s := Summary{
		ID: m.ID, Tenant: m.Tenant, Owner: m.Owner, Key: m.Key, Channel: m.Channel, Class: m.Class, Template: m.Template, Free: m.Free,
		Reference: m.Reference, ResendOf: m.ResendOf, Trial: m.Trial, Group: m.Group, Segments: m.Segments, Region: m.Region,
		Status: m.Status, Reason: m.Reason, Outcome: m.Outcome, Calls: calls(m),
		Created: m.Created, SendAt: m.SendAt, Expires: m.Expires, Completed: m.Completed(),
		Verdict: Judge(m, now, t.facts(ctx, m)),
	}
	if last := m.Last(); last != nil {
		s.Provider, s.Account = last.Provider, last.Account
	}
	if m.Status == message.Queued || m.Status == message.Scheduled {
		s.Next = max(m.Next, m.SendAt)
	}
	if m.Class == message.Callback { // which is no person's
		s.To = config.EndpointAccount(m.Tenant, m.Endpoint)
		return s
	}
	to, err := t.Store.Address(ctx, r)
	if err != nil {
		t.Log.WarnContext(ctx, "recipient unreadable", "message", m.ID, "error", err)
		return s
	}
	s.To = to.String()
	return s
}

// facts are what a verdict needs to know of the configuration.
func (t *Trace) facts(ctx context.Context, m *message.Message) Facts {
	if last := m.Last(); last != nil {
		d, ok, err := t.Providers.Get(ctx, last.Provider)
		if err != nil {
			t.Log.WarnContext(ctx, "provider unreadable", "provider", last.Provider, "error", err)
		}
		if ok {
			return Facts{Receipts: d.Receipts, Unlisted: d.Unlisted(last.Code), Egress: t.Egress}
		}
	}
	ch, _, err := t.Providers.Channel(ctx, m.Channel)
	if err != nil {
		t.Log.WarnContext(ctx, "channel unreadable", "channel", m.Channel, "error", err)
	}
	return Facts{Receipts: ch.Receipts}
}

// content is what the recipient reads, with secrets blanked, or why it cannot be shown.
func (t *Trace) content(ctx context.Context, r *store.Record) (*message.Content, string, error) {
	if r.Class == message.Callback {
		event, err := t.Store.Event(ctx, r)
		if errors.Is(err, store.ErrErased) {
			return nil, HiddenErased, nil
		}
		return &message.Content{Data: event}, "", err
	}
	if r.Free {
		c, err := t.Store.Content(ctx, r)
		if errors.Is(err, store.ErrErased) {
			return nil, HiddenErased, nil
		}
		if err != nil {
			return nil, "", err
		}
		return &c, "", nil
	}
	vars, err := t.Store.Vars(ctx, r)
	if errors.Is(err, store.ErrErased) {
		return nil, HiddenErased, nil
	}
	if err != nil {
		return nil, "", err
	}
	ref := r.Template
	ref.Tenant = cmp.Or(ref.Tenant, r.Tenant)
	compiled, err := t.Config.Version(ctx, ref)
	if errors.Is(err, store.ErrNotFound) {
		return nil, HiddenTemplate, nil
	}
	if err != nil {
		return nil, "", err
	}
	c, _, err := compiled.Render(r.Channel, ref.Locale, compiled.Redact(vars))
	if err != nil {
		return nil, HiddenNotRendered, nil
	}
	return &c, "", nil
}
