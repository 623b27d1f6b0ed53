package queue

import (
	"context"
	"errors"
	"time"

	"github.com/opennotify/notify/pkg/message"
)

// Name is a queue: <channel>-<lane>, <channel>-dlq, or one of Control and Receipts.
type Name string

// The queues that belong to no channel.
const (
	Control  Name = "control"  // the sweep's passes, runs of schedules
	Receipts Name = "receipts" // what providers say later
)

// Lane is the queue of a channel's lane.
func Lane(c message.Channel, l message.Lane) Name { return Name(string(c.Queue()) + "-" + string(l)) }

// DLQ is the dead-letter queue of a channel.
func DLQ(c message.Channel) Name { return Name(string(c.Queue()) + "-dlq") }

// MaxDelay is the longest delay of an item; a longer wait lives on the record's due time.
const MaxDelay = 15 * time.Minute

// MaxBody is the size of the largest body, in bytes (an SQS message may have 1 MiB; a batch too).
const MaxBody = 200 << 10

// MaxReceives is how often an item is handed out before it moves to the dead-letter queue.
const MaxReceives = 10

// Item is one entry. Its ID is the queue's own and tells copies apart; it is no identity of a message.
type Item struct {
	ID       string
	Body     []byte
	Group    string        // the tenant, for fairness; may be empty
	Delay    time.Duration // 0 to MaxDelay, whole seconds, rounded up; on sending only
	Receives int           // how often it was handed out, from 1; on handling only
}

// Queue sends. It is safe for concurrent use.
type Queue interface {
	// Send puts items into a queue. Items that were refused are named by their index in a *SendError;
	// the others are kept.
	Send(ctx context.Context, to Name, items ...Item) error
}

// Handler works on a batch. It returns the IDs of the items that must come again: an empty slice when
// all is done. It never panics for one item and never fails the others.
type Handler interface {
	Handle(ctx context.Context, batch []Item) (again []string)
}

// HandlerFunc is a function as a Handler.
type HandlerFunc func(ctx context.Context, batch []Item) []string

// Handle calls f.
func (f HandlerFunc) Handle(ctx context.Context, batch []Item) []string { return f(ctx, batch) }

// SendError names the items of a Send that were refused.
type SendError struct {
	Failed map[int]error // by index
}

// Error tells how many and one reason.
func (e *SendError) Error() string {
	for _, err := range e.Failed {
		return "queue: " + err.Error()
	}
	return "queue: nothing failed"
}

// ErrTooLarge: a body is over MaxBody.
var ErrTooLarge = errors.New("queue: the body is too large")
