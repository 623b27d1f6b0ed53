package sim

import (
	"bytes"
	"context"
	"regexp"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

// bugged is the store as the use cases see it: itself, but for the bug that is planted.
type bugged struct {
	*store.Store
	p *process
}

func (s bugged) bug() Bug { return s.p.w.Bug }

// imagined is a record that was not written.
func imagined(r *store.Record, m message.Message) *store.Record {
	c := *r
	c.Message = m
	return &c
}

// Message reads one record.
func (s bugged) Message(ctx context.Context, p tenant.Principal, id message.ID) (*store.Record, error) {
	if s.bug() == BugAnyTenant {
		p = tenant.System("anybody")
	}
	r, err := s.Store.Message(ctx, p, id)
	if err != nil || s.p.role != deliver {
		return r, err
	}
	m := r.Message
	switch {
	case s.bug() == BugNoExpiry:
		m.Expires = m.Expires.Add(1000 * time.Hour)
	case s.bug() == BugEarly:
		m.SendAt = 0
	}
	return imagined(r, m), nil
}

// Save writes what an event made of a record.
func (s bugged) Save(ctx context.Context, p tenant.Principal, now message.Time, r *store.Record, next message.Message) (*store.Record, error) {
	lease := next.Base == message.Sending && r.Base != message.Sending
	switch s.bug() {
	case BugLeaseInMind:
		if lease {
			return imagined(r, next), nil
		}
	case BugTodoLost:
		next.Todo = 0
		if next.Status.Terminal() || next.Status == message.Sent {
			next.Due = 0
		}
	case BugNotBlanked:
		if next.Todo &^= message.BlankVars; next.Todo == 0 && next.Status.Terminal() {
			next.Due = 0
		}
	case BugLostIsRetry:
		if r.Base == message.Sending && next.Reason == "lease_lost" {
			next.Base, next.Status, next.Next, next.Due, next.Todo = message.Queued, message.Queued, now, now.Add(message.Grace), 0
		}
	case BugNoExpiry, BugEarly:
		if told := s.p.w.oracle.stories[r.ID]; told != nil { // it only thinks so
			next.Expires, next.SendAt = told.m.Expires, told.m.SendAt
		}
	case BugTriesForgotten:
		next.Tries = 0
	case BugNoBackoff:
		next.Next = 0
	case BugWriteLost:
		if s.p.w.chaos && s.p.w.percent(10) {
			return imagined(r, next), nil
		}
	}
	saved, err := s.Store.Save(ctx, p, now, r, next)
	switch {
	case s.bug() == BugStaleLease && lease && err != nil && !s.p.dead:
		return imagined(r, next), nil
	case s.bug() == BugReleaseLive && err == nil && saved.Status == message.Sent:
		return saved, s.Store.Release(ctx, p, now, saved)
	}
	return saved, err
}

// Update applies an event and saves.
func (s bugged) Update(ctx context.Context, p tenant.Principal, now message.Time, r *store.Record, e message.Event) (*store.Record, error) {
	switch e := e.(type) {
	case message.Cancel:
		if s.bug() == BugCancelIgnored && s.p.role == api {
			next, err := r.Apply(e, now)
			return imagined(r, next), err
		}
	case message.Activate:
		if s.bug() == BugNotActivated {
			return r, nil
		}
	case message.Reported:
		if s.bug() == BugIDsMixed {
			e.Guess = false
			return s.Store.Update(ctx, p, now, r, e)
		}
		if s.bug() == BugReceiptReplaces {
			m := r.Message
			m.Attempts = slices.Clone(m.Attempts)
			for i := range m.Attempts {
				m.Attempts[i].Receipts = nil
			}
			r = imagined(r, m)
		}
	case message.Finish:
		if s.bug() == BugReleaseLive || s.bug() == BugNoBackoff || s.bug() == BugTriesForgotten || s.bug() == BugTodoLost || s.bug() == BugNotBlanked {
			next, err := r.Apply(e, now)
			if err != nil {
				return r, err
			}
			return s.Save(ctx, p, now, r, next)
		}
	}
	return s.Store.Update(ctx, p, now, r, e)
}

// Accept keeps drafts.
func (s bugged) Accept(ctx context.Context, p tenant.Principal, now message.Time, drafts ...*store.Draft) ([]store.Verdict, error) {
	switch s.bug() {
	case BugHashIgnored:
		for _, d := range drafts {
			if d.Key != nil {
				d.Key.Hash = nil
			}
		}
	case BugCallbackTold, BugTellForgotten:
		for _, d := range drafts {
			if m := &d.Message; s.bug() == BugTellForgotten {
				m.Tell = 0
			} else if m.Class == message.Callback {
				m.Tell = message.TellEnds() | message.TellOf(message.Sent)
			}
		}
	case BugWriteLost:
		if s.p.w.chaos && s.p.w.percent(10) {
			out := make([]store.Verdict, len(drafts))
			for i, d := range drafts {
				out[i] = store.Verdict{Record: &store.Record{Message: d.Message}, New: true}
			}
			return out, nil
		}
	}
	return s.Store.Accept(ctx, p, now, drafts...)
}

// SaveJob writes what became of a job.
func (s bugged) SaveJob(ctx context.Context, p tenant.Principal, now message.Time, j store.Job) (store.Job, error) {
	if n := len(j.Steps); s.bug() == BugPausedGoesOn && j.State == store.JobWaiting && n > 0 && j.Steps[n-1].To == store.JobPaused {
		j.State = store.JobPaused
	}
	return s.Store.SaveJob(ctx, p, now, j)
}

// PutDoc writes a document.
func (s bugged) PutDoc(ctx context.Context, p tenant.Principal, now message.Time, d store.Doc) (store.Doc, error) {
	if s.bug() == BugLivesMixed && d.Kind == store.Schedules {
		d.Body = since.ReplaceAll(d.Body, nil)
	}
	return s.Store.PutDoc(ctx, p, now, d)
}

var since = regexp.MustCompile(`,"since":[0-9]+`)

// Doc reads a document.
func (s bugged) Doc(ctx context.Context, k store.Kind, name string) (store.Doc, error) {
	d, err := s.Store.Doc(ctx, k, name)
	if s.bug() == BugFireCancelled && k == store.Schedules && s.p.role == control {
		d.Deleted = false
	}
	return d, err
}

// Hint encodes a record as a hint.
func (s bugged) Hint(r *store.Record) ([]byte, error) {
	body, err := s.Store.Hint(r)
	switch {
	case err != nil:
	case s.bug() == BugHintTells && s.p.role == api:
		body = append(bytes.TrimSuffix(body, []byte("}")), `,"code":"`+canary+`0"}`...)
	case s.bug() == BugNoExpiry || s.bug() == BugEarly: // they look at what they read
		body = store.BareHint(r.ID)
	}
	return body, err
}

// documents is the configuration as delivery sees it.
type documents struct {
	*config.Source
	p *process
}

// Version reads a version of a template.
func (c documents) Version(ctx context.Context, ref message.Ref) (*template.Compiled, error) {
	if c.p.w.Bug == BugLatestTemplate {
		ref.Version = versions
	}
	return c.Source.Version(ctx, ref)
}
