package memory

import (
	"container/heap"
	"context"
	"time"

	"github.com/opennotify/notify/pkg/queue"
)

// longestWait is how long Run trusts its timer. The machine may sleep and its clock may be set, both of which
// the timer does not notice.
const longestWait = time.Minute

// Back-off of what could not be put into its queue.
const (
	firstRetry   = time.Second
	longestRetry = time.Minute
)

// Run fires what is due until ctx ends. What fell due while nothing ran fires once, for the last instant of
// those it missed. One Run at a time.
func (t *Timer) Run(ctx context.Context) {
	clock := time.NewTimer(0)
	defer clock.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-clock.C:
		case <-t.changed:
		}
		clock.Stop()
		if wait, ok := t.fire(ctx); ok {
			clock.Reset(wait)
		}
	}
}

// fire puts all that is due into its queue. It returns how long to wait for the next; not ok when there is
// none.
func (t *Timer) fire(ctx context.Context) (wait time.Duration, ok bool) {
	for ctx.Err() == nil {
		e, due, wait := t.first()
		switch {
		case e == nil:
			return 0, false
		case wait > 0:
			return min(wait, longestWait), true
		}
		err := t.queue.Send(ctx, e.Queue, queue.Item{Body: e.Body(due)})
		t.fired(e, due, err)
	}
	return 0, false
}

// first is the entry that is the first to fire, for which instant, and how long to wait for it.
func (t *Timer) first() (e *entry, due time.Time, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.firing) == 0 {
		return nil, time.Time{}, 0
	}
	e = t.firing[0]
	now := t.now().Round(0) // by the wall clock, as people mean it
	if wait = e.try.Sub(now); wait > 0 {
		return e, time.Time{}, wait
	}
	for next := e.plan.Next(e.due); !next.IsZero() && !next.After(now); next = e.plan.Next(next) {
		e.due = next
	}
	return e, e.due, 0
}

// fired moves an entry on, unless it was replaced or deleted meanwhile.
func (t *Timer) fired(e *entry, due time.Time, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.entries[e.Name] != e {
		return
	}
	if err != nil {
		wait := min(firstRetry<<min(e.tries, 10), longestRetry)
		wait -= time.Duration(t.opts.Rand() * float64(wait/2))
		e.tries++
		e.try = t.now().Round(0).Add(wait)
		heap.Fix(&t.firing, e.place)
		t.opts.Log.Warn("timer: a schedule could not be fired; it is tried again",
			"schedule", e.Name, "due", due, "queue", e.Queue, "wait", wait.String(), "error", err)
		return
	}
	e.tries = 0
	e.due = e.plan.Next(due)
	if e.due.IsZero() {
		t.remove(e)
		return
	}
	e.try = e.due
	heap.Fix(&t.firing, e.place)
}
