package campaign

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/timer"
)

// lateDefault is how late a run may begin where its schedule says nothing.
const lateDefault = time.Hour

// patienceWithTimers is how long a timer has, before what it should have started is started without it.
const patienceWithTimers = 90 * time.Second

// Reconcile makes the timers what the documents say, and starts what no timer started: a crash between a
// document and its timer, or a timer that was lost, costs nobody a run. Back is how far it looks for such
// runs at least, and as far as a schedule lets them be late; one that is later than that is recorded as missed.
func (c *Campaigns) Reconcile(ctx context.Context, back time.Duration) error {
	docs, bad, err := c.Store.Docs(ctx, store.Schedules)
	if err != nil {
		return err
	}
	for _, err := range bad {
		c.Log.ErrorContext(ctx, "document unreadable", "kind", store.Schedules, "error", err)
	}
	have, err := c.Timer.List(ctx, "")
	if err != nil {
		return err
	}
	var faults []error
	want := map[string]bool{}
	for _, d := range docs {
		s, err := readSchedule(d)
		if err != nil {
			c.Log.ErrorContext(ctx, "document unreadable", "kind", store.Schedules, "error", err)
			continue
		}
		if s.External || s.Paused {
			continue
		}
		name, err := c.settle(ctx, d, &s, have, back)
		want[name] = true
		faults = append(faults, err)
	}
	for _, name := range have {
		if want[name] {
			continue
		}
		if err := c.Timer.Delete(ctx, name); err != nil && !errors.Is(err, timer.ErrNotFound) {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// settle sees to one schedule's timer and to its last run; it gives the name of the timer that there is to
// be, "" when it is never due again.
func (c *Campaigns) settle(ctx context.Context, d store.Doc, s *Schedule, have []string, back time.Duration) (string, error) {
	t, err := s.timer(d.Version)
	if err != nil {
		return "", err
	}
	plan, err := t.Plan()
	if err != nil {
		return "", fmt.Errorf("campaign: schedule %s: %w", d.Name, err)
	}
	now := c.Now()
	if err := c.catchUp(ctx, d, s, plan, now, back); err != nil {
		return t.Name, err
	}
	if plan.Next(now).IsZero() {
		return "", nil
	}
	if _, found := slices.BinarySearch(have, t.Name); found {
		return t.Name, nil
	}
	return t.Name, c.Timer.Put(ctx, t)
}

// catchUp starts the run that should have begun last, if nobody did.
func (c *Campaigns) catchUp(ctx context.Context, d store.Doc, s *Schedule, plan timer.Plan, now time.Time, back time.Duration) error {
	from := now.Add(-max(back, s.late()))
	if d.At.Std().After(from) { // before, something else was in force, whose timer had its time if it was not replaced
		from = d.At.Std().Add(-patienceWithTimers)
	}
	due := latest(plan, now.Add(-patienceWithTimers), from)
	if due.IsZero() {
		return nil
	}
	if !due.After(d.At.Std()) {
		if was, err := c.wasDue(ctx, d, due); err != nil || !was {
			return err
		}
	}
	_, err := c.Store.Job(ctx, c.as, runID("schedule", d.Tenant, s.Name, message.At(due).String()))
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	spec := s.spec(plan, due)
	spec.Late = "its timer did not fire"
	if now.Sub(due) <= s.late() {
		_, err = c.begin(ctx, d, spec)
		return err
	}
	return c.missed(ctx, d, spec, s.late())
}

// wasDue tells whether a schedule was due at an instant before it was changed: no version since that of the instant may have
// been paused, or be of another schedule of that name. A timer may take a minute, and a change takes it away.
func (c *Campaigns) wasDue(ctx context.Context, d store.Doc, due time.Time) (bool, error) {
	versions, err := c.Store.History(ctx, store.Schedules, d.Name) // the newest first
	if err != nil {
		return false, err
	}
	for _, v := range versions {
		s, err := readSchedule(v)
		if err != nil || v.Deleted || s.Paused || s.External {
			return false, err
		}
		if v.At < message.At(due) {
			plan, err := s.When.timer().Plan()
			return err == nil && plan.Next(due.Add(-1)).Equal(due), err
		}
	}
	return false, nil
}

func (s *Schedule) late() time.Duration {
	if s.LateMinutes > 0 {
		return time.Duration(s.LateMinutes) * time.Minute
	}
	return lateDefault
}

// missed records a run that is not made up for.
func (c *Campaigns) missed(ctx context.Context, d store.Doc, spec Spec, late time.Duration) error {
	_, err := c.start(ctx, store.Job{ID: runID("schedule", d.Tenant, spec.Schedule, spec.Due.String()), Tenant: d.Tenant, Topic: topic(spec.Schedule),
		Author: d.Author, State: store.JobFailed, Finished: c.now(), Fault: "missed: nothing ran within " + late.String() + " of its time"}, spec)
	return err
}
