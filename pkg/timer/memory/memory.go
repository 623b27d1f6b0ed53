package memory

import (
	"container/heap"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/timer"
)

// Options are what a Timer may have.
type Options struct {
	Rand func() float64 // spreads retries, 0 <= x < 1; they are not spread when nil
	Log  *slog.Logger   // where failures to fire go; nowhere when nil
}

// Timer is a timer.Timer in memory; it fires while Run runs. It is safe for concurrent use.
type Timer struct {
	now   func() time.Time
	queue queue.Queue
	opts  Options

	changed chan struct{} // holds one: the first to fire may be another

	mu      sync.Mutex
	entries map[string]*entry
	firing  upcoming
}

var _ timer.Timer = (*Timer)(nil)

// New makes an empty timer that puts what fires into q.
func New(now func() time.Time, q queue.Queue, opts Options) *Timer {
	if opts.Rand == nil {
		opts.Rand = func() float64 { return 0 }
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	return &Timer{now: now, queue: q, opts: opts, changed: make(chan struct{}, 1), entries: map[string]*entry{}}
}

// Put makes or replaces a schedule. One that would never fire is refused, too, with a *timer.FieldError.
func (t *Timer) Put(ctx context.Context, s timer.Schedule) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("timer: put %q: %w", s.Name, err)
	}
	plan, err := s.Plan()
	if err != nil {
		return err
	}
	s.Payload = slices.Clone(s.Payload)
	e := &entry{Schedule: s, plan: plan, due: s.At.Round(0), place: -1}
	if s.At.IsZero() {
		if e.due = plan.Next(t.now()); e.due.IsZero() {
			return never(s)
		}
	}
	e.try = e.due
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(t.entries[s.Name])
	t.entries[s.Name] = e
	if !s.Paused {
		heap.Push(&t.firing, e)
		t.wake()
	}
	return nil
}

func never(s timer.Schedule) error {
	if !s.End.IsZero() {
		return &timer.FieldError{Field: "end", Problem: "it would never fire until then"}
	}
	return &timer.FieldError{Field: "cron", Problem: fmt.Sprintf("%q never fires again: no such day is to come", s.Cron)}
}

// Delete removes a schedule.
func (t *Timer) Delete(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("timer: delete %q: %w", name, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[name]
	if e == nil {
		return timer.ErrNotFound
	}
	t.remove(e)
	return nil
}

// List gives the names with a prefix, in order.
func (t *Timer) List(ctx context.Context, prefix string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("timer: list: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	names := []string{}
	for name := range t.entries {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// remove forgets an entry, or nil; the lock is held.
func (t *Timer) remove(e *entry) {
	if e == nil {
		return
	}
	delete(t.entries, e.Name)
	if e.place >= 0 {
		heap.Remove(&t.firing, e.place)
	}
}

// wake has Run look again.
func (t *Timer) wake() {
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

// entry is a schedule and the next thing it does. Nothing in it but try, tries, due and place changes.
type entry struct {
	timer.Schedule
	plan  timer.Plan
	due   time.Time // what it fires for next
	try   time.Time // when: due, or later after a failure
	tries int       // failures in a row
	place int       // in the heap; -1: not there
}

// upcoming is a heap, the first to fire first.
type upcoming []*entry

func (u upcoming) Len() int           { return len(u) }
func (u upcoming) Less(i, j int) bool { return u[i].try.Before(u[j].try) }
func (u upcoming) Swap(i, j int) {
	u[i], u[j] = u[j], u[i]
	u[i].place, u[j].place = i, j
}
func (u *upcoming) Push(x any) {
	e := x.(*entry)
	e.place = len(*u)
	*u = append(*u, e)
}
func (u *upcoming) Pop() any {
	last := len(*u) - 1
	e := (*u)[last]
	(*u)[last] = nil
	*u = (*u)[:last]
	e.place = -1
	return e
}
