package delivery

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/telemetry"
)

// Handle works on a batch, its items side by side. An item whose work failed comes again; a panic fails
// that item only.
func (d *Delivery) Handle(ctx context.Context, batch []queue.Item) []string {
	again := []string{}
	if len(batch) == 1 {
		if !d.try(ctx, batch[0]) {
			again = append(again, batch[0].ID)
		}
		return again
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, it := range batch {
		all.Go(func() {
			if !d.try(ctx, it) {
				mu.Lock()
				defer mu.Unlock()
				again = append(again, it.ID)
			}
		})
	}
	all.Wait()
	return again
}

// try works on one item and tells whether it is done. One that fails at its last receive but one is
// parked; one that comes after that too took its worker down with it, and is parked unseen.
func (d *Delivery) try(ctx context.Context, it queue.Item) bool {
	h, err := store.ReadHint(it.Body)
	if err != nil {
		d.Log.ErrorContext(ctx, "hint unreadable", "item", it.ID, "error", err)
		return false
	}
	if h.Record != nil { // a bare hint's message is read first
		ctx = telemetry.InTrace(ctx, telemetry.ParseTrace(h.Record.Trace))
	}
	if it.Receives <= poisonAt {
		err := d.safely(ctx, h, d.attend)
		if err == nil {
			return true
		}
		d.Log.ErrorContext(ctx, "hint failed", "message", h.ID, "receives", it.Receives, "error", err)
	}
	if it.Receives < poisonAt {
		return false
	}
	err = d.safely(ctx, h, d.park)
	if err == nil {
		return true
	}
	d.Log.ErrorContext(ctx, "message not parked", "message", h.ID, "receives", it.Receives, "error", err)
	// A store that takes no writes is not the message's fault: it stays due, and the sweep begins anew. A
	// record that cannot be read is left to the dead-letter queue.
	return !errors.As(err, new(*store.Unreadable))
}

// safely makes an error of a panic.
func (d *Delivery) safely(ctx context.Context, h store.Hint, do func(context.Context, store.Hint) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			d.logPanic(ctx, "panic while delivering", v, "message", h.ID)
			err = errors.New("panic")
		}
	}()
	return do(ctx, h)
}

// logPanic logs a panic without its text where that may hold what was worked on.
func (d *Delivery) logPanic(ctx context.Context, what string, v any, about ...any) {
	text := fmt.Sprintf("%T", v)
	if e, ok := v.(runtime.Error); ok {
		text = e.Error()
	}
	d.Log.ErrorContext(ctx, what, append(about, "panic", text, "stack", string(debug.Stack()))...)
}

// park ends a message whose hint keeps failing.
func (d *Delivery) park(ctx context.Context, h store.Hint) error {
	r, err := d.Store.Message(ctx, d.as, h.ID)
	if err != nil {
		return err
	}
	r, err = d.Store.Update(ctx, d.as, d.now(), r, message.Poison{Why: "workers could not get through it"})
	if refused := (*message.Refused)(nil); errors.As(err, &refused) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.follow(ctx, r)
}

// maxSteps bounds how often one hint follows a record that others keep changing.
const maxSteps = 16

// attend does what is due for a message. The record in a hint may be old. For what only a write at its
// revision does that is no harm; but what is left to do is done outside of the record, so then it is read.
func (d *Delivery) attend(ctx context.Context, h store.Hint) error {
	r := h.Record
	if r == nil || r.Todo != 0 {
		var err error
		if r, err = d.Store.Message(ctx, d.as, h.ID); errors.Is(err, store.ErrNotFound) {
			d.Log.WarnContext(ctx, "hint without a record", "message", h.ID)
			return nil
		} else if err != nil {
			return err
		}
	}
	ctx = telemetry.InTrace(ctx, telemetry.ParseTrace(r.Trace))
	r, err := d.redrive(ctx, h, r)
	if err == nil {
		err = d.follow(ctx, r)
	}
	if errors.Is(err, store.ErrNotFound) {
		d.Log.WarnContext(ctx, "the record is gone", "message", h.ID)
		return nil
	}
	return err
}

// redrive tries a dead message again whose copy came back, unless its recipient would be reached twice.
func (d *Delivery) redrive(ctx context.Context, h store.Hint, r *store.Record) (*store.Record, error) {
	if h.Redrive == 0 || h.Redrive < r.Epoch || r.Status != message.Dead {
		return r, nil
	}
	why := "another message goes, or went, in its place"
	other, err := d.Store.GoesOtherwise(ctx, d.as, d.now(), r)
	if err != nil {
		return nil, err
	}
	if !other {
		next, err := d.Store.Update(ctx, d.as, d.now(), r, message.Redrive{By: "queue", Why: "redriven from the dead-letter queue"})
		refused := (*message.Refused)(nil)
		if !errors.As(err, &refused) {
			return next, err
		}
		r, why = next, refused.Why
	}
	d.Log.InfoContext(ctx, "redrive refused", "message", h.ID, "why", why)
	return r, nil
}

// follow does one step after the other, until there is none or somebody else has the message.
func (d *Delivery) follow(ctx context.Context, r *store.Record) error {
	for range maxSteps {
		next, err := d.step(ctx, r)
		if stale := (*store.Stale)(nil); errors.As(err, &stale) {
			if r = stale.Now; d.waits(r) {
				return nil // who made it wait has put a hint: one that did so too would be another copy, for as long as it waits
			}
			continue
		}
		if err != nil || next == nil {
			return err
		}
		r = next
	}
	return errors.New("delivery: the record keeps changing")
}

// waits tells whether a message is to be attended to later.
func (d *Delivery) waits(r *store.Record) bool {
	return (r.Status == message.Queued || r.Status == message.Scheduled) && max(r.SendAt, r.Next) > d.now()
}

// step does the next thing and gives the record that it made, or nil when there is nothing more to do
// now.
func (d *Delivery) step(ctx context.Context, r *store.Record) (*store.Record, error) {
	now := d.now()
	switch {
	case r.Todo != 0 && (r.Status.Terminal() || r.Status == message.Sent || r.Status == message.InDoubt):
		return nil, d.after(ctx, r)
	case r.Status == message.Sending && now >= r.Lease:
		return d.lost(ctx, r, now)
	case r.Status == message.Sending: // another worker has it; if it dies, this hint finds out
		return nil, d.later(ctx, r, r.Lease.Sub(now))
	case r.Status == message.InDoubt && overdue(r, now):
		return d.save(ctx, r, message.Resolve{}, now)
	case r.Status != message.Queued && r.Status != message.Scheduled:
		return nil, nil // ended, sent, or in doubt
	case now >= r.Expires:
		return d.save(ctx, r, message.Expire{}, now)
	case r.Hold:
		return nil, nil // an earlier sibling has its turn
	}
	if wait := max(r.SendAt, r.Next).Sub(now); wait > 0 {
		return nil, d.later(ctx, r, wait)
	}
	return d.deliver(ctx, r, now)
}

// overdue tells whether no receipt came in time for a message in doubt. Due does not tell: the sweep that
// queued the hint has moved it.
func overdue(r *store.Record, now message.Time) bool {
	last := r.Last()
	return last != nil && now >= last.At.Add(message.AwaitReceipt)
}

// save applies an event and writes it; the caller follows a *store.Stale.
func (d *Delivery) save(ctx context.Context, r *store.Record, e message.Event, now message.Time) (*store.Record, error) {
	next, err := r.Apply(e, now)
	if err != nil {
		return nil, err
	}
	return d.Store.Save(ctx, d.as, now, r, next)
}

// later puts a new hint into the queue for a wait of up to 15 minutes; a longer one lives on the record's
// due time. Nothing waits in flight.
func (d *Delivery) later(ctx context.Context, r *store.Record, wait time.Duration) error {
	if wait > queue.MaxDelay {
		return nil
	}
	body, err := d.Store.Hint(r)
	if err != nil || len(body) > queue.MaxBody {
		body = store.BareHint(r.ID)
	}
	delay := (max(wait, 0) + time.Second - 1).Truncate(time.Second)
	if err := d.Queue.Send(ctx, queue.Lane(r.Channel, r.Lane()), queue.Item{Body: body, Group: r.Tenant, Delay: delay}); err != nil {
		// The record is due soon after: the sweep queues it.
		d.Log.WarnContext(ctx, "hint not queued; the sweep will", "message", r.ID, "error", err)
	}
	return nil
}
