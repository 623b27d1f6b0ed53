package campaign

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/tenant"
)

// KindSend is the control queue's kind of a timed send.
const KindSend = "send"

// Entry is the payload of a timed send.
type Entry struct {
	Kind string `json:"kind"` // send
	// Schedule names it; with Due it identifies the run, so that firing twice sends once.
	Schedule string `json:"schedule"`
	Due      string `json:"due,omitzero"`

	Tenant    string          `json:"tenant"`
	Template  string          `json:"template"`
	Channel   message.Channel `json:"channel,omitzero"`
	Locale    string          `json:"locale,omitzero"`
	Vars      map[string]any  `json:"vars,omitzero"`
	To        []string        `json:"to"` // at most 100
	Reference string          `json:"reference,omitzero"`
}

// Order is what a run asks of the intake, which alone makes messages.
type Order struct {
	Entry
	// Key is the same for every firing of one run; Hash is of the payload.
	Key  string
	Hash []byte
}

// Ports is everything that runs need.
type Ports struct {
	// Send hands an order to the intake. Its errors are *problem.Error.
	Send func(ctx context.Context, p tenant.Principal, o Order) error
	Log  *slog.Logger
}

// Campaign runs timed sends.
type Campaign struct {
	Ports
	as tenant.Principal
}

// New checks that nothing is missing.
func New(p Ports) (*Campaign, error) {
	if p.Send == nil || p.Log == nil {
		return nil, errors.New("campaign: a port is missing")
	}
	return &Campaign{p, tenant.System("schedule")}, nil
}

// Handle runs a batch of entries. One that can never work is reported and dropped; one that failed by a
// passing fault comes again.
func (c *Campaign) Handle(ctx context.Context, batch []queue.Item) []string {
	again := []string{}
	for _, it := range batch {
		err := c.try(ctx, it)
		var p *problem.Error
		switch {
		case err == nil:
		case errors.As(err, &p) && p.Status() < 500 && p.Status() != http.StatusTooManyRequests:
			c.Log.ErrorContext(ctx, "timed send refused", "item", it.ID, "code", p.Code, "detail", p.Detail, "errors", p.Fields)
		default:
			c.Log.ErrorContext(ctx, "timed send failed; it comes again", "item", it.ID, "error", err)
			again = append(again, it.ID)
		}
	}
	return again
}

// try runs one entry; a panic fails that entry only.
func (c *Campaign) try(ctx context.Context, it queue.Item) (err error) {
	defer func() {
		if v := recover(); v != nil { // its text may hold what was worked on
			err = fmt.Errorf("panic (%T): %s", v, debug.Stack())
		}
	}()
	return c.run(ctx, it)
}

func (c *Campaign) run(ctx context.Context, it queue.Item) error {
	var e Entry
	if err := json.Unmarshal(it.Body, &e, json.RejectUnknownMembers(true)); err != nil {
		return problem.New(problem.BadJSON, "the payload of a timed send cannot be read").Because(err)
	}
	if e.Schedule == "" {
		return problem.Invalid(problem.At("/schedule", problem.Required, "name the schedule: with the due time it keeps a run from being sent twice"))
	}
	due := e.Due
	if due == "" || due[0] == '<' { // an emulator does not fill in the time: the queue's id tells runs apart
		due = it.ID
	}
	hash := sha256.Sum256(it.Body)
	return c.Send(ctx, c.as, Order{Entry: e, Key: fmt.Sprintf("run/%s/%s", e.Schedule, due), Hash: hash[:16]})
}
