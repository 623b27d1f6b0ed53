package campaign

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
	"github.com/opennotify/notify/pkg/timer"
)

// Meta says which version of a schedule it is, and who made it when and why.
type Meta struct {
	Version int64
	Author  string
	Reason  string
	At      message.Time
	Deleted bool
}

// Versioned is a schedule with its version, and when it is due next.
type Versioned struct {
	Schedule
	Meta
	Next []time.Time
}

// Change is what every change carries: the version that the caller read, 0 for a new schedule.
type Change struct {
	Version int64
	Reason  string
}

// The bounds of what people write.
const (
	maxReason = 200 // characters
	maxTitle  = 100
	maxLate   = 24 * 60 // minutes
)

// showRuns is how many runs a preview shows.
const showRuns = 5

func (c Change) check() error {
	if utf8.RuneCountInString(c.Reason) > maxReason {
		return problem.Invalid(problem.At("/reason", problem.TooLong, "reason may have %d characters", maxReason))
	}
	return nil
}

// Preview says when a schedule would be due next, before it is saved.
func (c *Campaigns) Preview(_ context.Context, p tenant.Principal, w When) ([]time.Time, error) {
	if err := may(p, tenant.Send, tenant.Read, tenant.Operate); err != nil {
		return nil, err
	}
	plan, err := w.plan(c.Now())
	if err != nil {
		return nil, err
	}
	return upcoming(plan, c.Now(), showRuns), nil
}

// plan checks when, for people.
func (w *When) plan(now time.Time) (timer.Plan, error) {
	plan, err := w.timer().Plan()
	if err != nil {
		return plan, problem.Invalid(whenFaults(err)...)
	}
	switch {
	case w.At > 0 && w.At <= message.At(now):
		return plan, problem.Invalid(problem.At("/at", problem.BadTime, "at is in the past; to send now, make a campaign"))
	case plan.Next(now).IsZero():
		return plan, problem.Invalid(problem.At("/end", problem.BadTime, "it would never be due"))
	}
	return plan, nil
}

// whenFaults makes the timer's faults the caller's.
func whenFaults(err error) []problem.Field {
	var out []problem.Field
	add := func(err error) {
		var f *timer.FieldError
		if !errors.As(err, &f) {
			return
		}
		at := "/" + f.Field
		if f.Field == "every" {
			at = "/every_minutes"
		}
		out = append(out, problem.At(at, problem.BadTime, "%s", f.Problem))
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range many.Unwrap() {
			add(one)
		}
	} else {
		add(err)
	}
	if len(out) == 0 {
		out = append(out, problem.At("", problem.BadTime, "it cannot be due so"))
	}
	return out
}

func upcoming(plan timer.Plan, now time.Time, n int) []time.Time {
	out := []time.Time{}
	for at := plan.Next(now); !at.IsZero() && len(out) < n; at = plan.Next(at) {
		out = append(out, at)
	}
	return out
}

// view is a version as people see it, with so many of its next times.
func (c *Campaigns) view(d store.Doc, next int) (Versioned, error) {
	s, err := readSchedule(d)
	if err != nil {
		return Versioned{}, unavailable(err)
	}
	v := Versioned{Schedule: s, Meta: Meta{d.Version, d.Author, d.Reason, d.At, d.Deleted}, Next: []time.Time{}}
	if plan, err := s.When.timer().Plan(); err == nil && !s.External && !s.Paused && !d.Deleted {
		v.Next = upcoming(plan, c.Now(), next)
	}
	return v, nil
}

// Schedules lists those that the principal may know of, by tenant and name; of one tenant if one is named.
// Of each it says so many of its next times.
func (c *Campaigns) Schedules(ctx context.Context, p tenant.Principal, of string, next int) ([]Versioned, error) {
	if err := reads(p); err != nil {
		return nil, err
	}
	return c.schedules(ctx, p, of, next)
}

func (c *Campaigns) schedules(ctx context.Context, p tenant.Principal, of string, next int) ([]Versioned, error) {
	docs, bad, err := c.Store.Docs(ctx, store.Schedules)
	if err != nil {
		return nil, unavailable(err)
	}
	out := []Versioned{}
	for _, d := range docs {
		if !p.Sees(d.Tenant) || of != "" && of != d.Tenant {
			continue
		}
		v, err := c.view(d, next)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		out = append(out, v)
	}
	for _, err := range bad {
		c.Log.ErrorContext(ctx, "document unreadable", "kind", store.Schedules, "error", err)
	}
	return out, nil
}

// doc reads a schedule that the principal may know of.
func (c *Campaigns) doc(ctx context.Context, p tenant.Principal, of, name string) (store.Doc, error) {
	none := problem.New(problem.NotFound, "there is no such schedule")
	if !tenant.ValidName(of) || !p.Sees(of) || name == "" || len(name) > maxExternal || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return store.Doc{}, none
	}
	d, err := c.Store.Doc(ctx, store.Schedules, docName(of, name))
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && !p.Sees(d.Tenant):
		return d, none
	case err != nil:
		return d, unavailable(err)
	}
	return d, nil
}

// live reads one that was not deleted.
func (c *Campaigns) live(ctx context.Context, p tenant.Principal, of, name string) (store.Doc, error) {
	d, err := c.doc(ctx, p, of, name)
	if err == nil && d.Deleted {
		err = problem.New(problem.NotFound, "there is no such schedule")
	}
	return d, err
}

// Schedule reads one.
func (c *Campaigns) Schedule(ctx context.Context, p tenant.Principal, of, name string) (Versioned, error) {
	if err := reads(p); err != nil {
		return Versioned{}, err
	}
	d, err := c.live(ctx, p, of, name)
	if err != nil {
		return Versioned{}, err
	}
	return c.view(d, showRuns)
}

// ScheduleHistory lists the versions of one, the newest first, of a deleted one too.
func (c *Campaigns) ScheduleHistory(ctx context.Context, p tenant.Principal, of, name string) ([]Versioned, error) {
	if err := reads(p); err != nil {
		return nil, err
	}
	if _, err := c.doc(ctx, p, of, name); err != nil {
		return nil, err
	}
	docs, err := c.Store.History(ctx, store.Schedules, docName(of, name))
	if err != nil {
		return nil, unavailable(err)
	}
	out := make([]Versioned, len(docs))
	for i, d := range docs {
		if out[i], err = c.view(d, showRuns); err != nil {
			return nil, err
		}
		if i > 0 {
			out[i].Next = []time.Time{}
		}
	}
	return out, nil
}
