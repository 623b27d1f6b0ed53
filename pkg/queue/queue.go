package queue

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

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

// DLQ is the dead-letter queue of a queue: <channel>-dlq for a lane, control-dlq and receipts-dlq for the
// others. A dead-letter queue has none: its DLQ is "".
func (n Name) DLQ() Name {
	s := string(n)
	if strings.HasSuffix(s, "-dlq") {
		return ""
	}
	if i := strings.LastIndexByte(s, '-'); i > 0 {
		s = s[:i]
	}
	return Name(s + "-dlq")
}

// MaxDelay is the longest delay of an item; a longer wait lives on the record's due time.
const MaxDelay = 15 * time.Minute

// MaxBody is the size of the largest body, in bytes (an SQS message may have 1 MiB; a batch too).
const MaxBody = 200 << 10

// MaxReceives is how often an item is handed out before it moves to the dead-letter queue.
const MaxReceives = 10

// MaxGroup is the length of the longest group, in bytes.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
const MaxGroup = 128

// Item is one entry. Its ID is the queue's own and tells copies apart; it is no identity of a message.
type Item struct {
	ID       string
	Body     []byte        // 1 byte to MaxBody of UTF-8 text; see Check
	Group    string        // the tenant, for fairness; may be empty; letters, digits and punctuation of ASCII
	Delay    time.Duration // 0 to MaxDelay, whole seconds, rounded up; on sending only
	Receives int           // how often it was handed out, from 1; on handling only
}

// Queue sends. It is safe for concurrent use.
type Queue interface {
	// Send puts items into a queue. Items that were refused are named by their index in a *SendError;
	// the others are kept. After any other error nothing is known to be kept.
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

// Why an item is refused.
var (
	ErrTooLarge = errors.New("the body is over 200 KiB: put the content into the store and send its key")
	ErrBody     = errors.New("the body is not text: it must be UTF-8, not empty, without control characters but tab and line ends")
	ErrDelay    = errors.New("the delay is not within 0 to 15 min: a longer wait belongs on the record's due time")
	ErrGroup    = errors.New("the group is over 128 bytes or has characters other than visible ASCII")
	ErrFull     = errors.New("the queue is full")
)

// Check tells why every queue refuses the item, or nil. The body's characters are those that SQS takes:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func (i Item) Check() error {
	switch {
	case len(i.Body) > MaxBody:
		return ErrTooLarge
	case !isText(i.Body):
		return ErrBody
	case i.Delay < 0 || i.Delay > MaxDelay:
		return ErrDelay
	case !isGroup(i.Group):
		return ErrGroup
	}
	return nil
}

// Text makes a body of JSON: two characters that JSON holds as they are, and no queue takes, are escaped.
func Text(json []byte) []byte {
	if bytes.Contains(json, []byte("\uFFFE")) || bytes.Contains(json, []byte("\uFFFF")) {
		json = bytes.ReplaceAll(json, []byte("\uFFFE"), []byte(`\ufffe`))
		json = bytes.ReplaceAll(json, []byte("\uFFFF"), []byte(`\uffff`))
	}
	return json
}

func isText(b []byte) bool {
	ascii := true
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	if ascii {
		return len(b) > 0
	}
	return utf8.Valid(b) && !bytes.Contains(b, []byte("\uFFFE")) && !bytes.Contains(b, []byte("\uFFFF"))
}

func isGroup(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return len(s) <= MaxGroup
}
