// Package timer starts things at a time: a schedule fires by putting its payload into a queue, at least
// once, possibly late, possibly after it was cancelled. Timers live in folders of their own (memory,
// eventbridge) and pass the one suite in timertest.
package timer

import (
	"context"
	"errors"
	"time"

	"github.com/opennotify/notify/pkg/queue"
)

// Schedule is something to start. Exactly one of At, Every and Cron is set.
type Schedule struct {
	// Name is unique; putting the same name again replaces it. 1 to 64 of letters, digits, - _ .
	Name string
	// At fires once; the schedule is then gone. One that has passed fires at once.
	At time.Time
	// Every is a period (whole minutes), first fired at Start and counted from it; from an instant that
	// the timer chooses when Start is zero.
	Every time.Duration
	// Cron is six fields as EventBridge has them (minutes hours day-of-month month day-of-week year),
	// without the word cron. See package cron.
	Cron string
	// Zone is an IANA time zone for Cron; "" is UTC.
	Zone string
	// Start and End bound Every and Cron, both inclusive; zero is open.
	Start, End time.Time
	Paused     bool
	// Queue receives Payload when it fires. In it, each Due is replaced by the due time (RFC 3339).
	Queue   queue.Name
	Payload []byte
}

// Due stands in a payload for the instant that the schedule is fired for.
const Due = "<due>"

// ErrNotFound: there is no schedule of that name.
var ErrNotFound = errors.New("timer: no such schedule")

// Timer keeps schedules.
type Timer interface {
	// Put makes or replaces a schedule.
	Put(ctx context.Context, s Schedule) error
	// Delete removes one; ErrNotFound if there is none.
	Delete(ctx context.Context, name string) error
	// List gives the names with a prefix, in order.
	List(ctx context.Context, prefix string) ([]string, error)
}
