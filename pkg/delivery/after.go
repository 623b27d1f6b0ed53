package delivery

import (
	"context"
	"errors"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
)

// after does the work that a change of status left behind, then says so in the record. Each piece can be
// done twice without harm, because a crash may come between the work and the word. The word is good for
// the record that the work was done for and no other: a *store.Stale says to look again.
func (d *Delivery) after(ctx context.Context, r *store.Record) error {
	now := d.now()
	var done message.Todo
	if r.Todo&message.ReleaseClaim != 0 {
		if err := d.Store.Release(ctx, d.as, now, r); err != nil {
			return err
		}
		done |= message.ReleaseClaim
	}
	if r.Todo&message.BlankVars != 0 {
		if err := d.Store.Blank(ctx, d.as, now, r); err != nil {
			return err
		}
		done |= message.BlankVars
	}
	if r.Todo&message.CopyToDLQ != 0 {
		if err := d.Queue.Send(ctx, queue.DLQ(r.Channel), queue.Item{Body: store.DeadHint(&r.Message), Group: r.Tenant}); err != nil {
			return err
		}
		done |= message.CopyToDLQ
	}
	if r.Todo&message.SuppressAddress != 0 {
		if err := d.suppress(ctx, r, now); err != nil {
			return err
		}
		done |= message.SuppressAddress
	}
	if r.Todo&message.TellSiblings != 0 {
		if wait := d.watching(r, now); wait > 0 {
			if err := d.later(ctx, r, wait); err != nil {
				return err
			}
		} else {
			if err := d.siblings(ctx, r, now); err != nil {
				return err
			}
			done |= message.TellSiblings
		}
	}
	var untold error // holds nothing else up
	if r.Todo&message.TellTenant != 0 {
		if untold = d.Callbacks.Tell(ctx, r); untold == nil {
			done |= message.TellTenant
		}
	}
	if done == 0 {
		return untold
	}
	_, err := d.save(ctx, r, message.Settle{Done: done}, now)
	return errors.Join(err, untold)
}

// watching is how long the receipt of a sent or doubtful message is still waited for.
func (d *Delivery) watching(r *store.Record, now message.Time) time.Duration {
	watch := time.Duration(r.Watch) * time.Second
	switch r.Status {
	case message.InDoubt:
		watch = max(watch, message.Grace)
	case message.Sent:
		if watch == 0 {
			return 0
		}
	default:
		return 0
	}
	last := r.Last()
	return max(last.At, last.End).Add(watch).Sub(now)
}

// siblings starts the next way of a fallback when this one failed or was not confirmed in time, and
// cancels those that are not needed.
func (d *Delivery) siblings(ctx context.Context, r *store.Record, now message.Time) error {
	g, err := d.Store.Group(ctx, d.as, r.Group)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	records, bad, err := d.Store.Messages(ctx, d.as, g.IDs...)
	if err != nil {
		return err
	}
	for _, u := range bad { // the others go on without it
		d.Log.ErrorContext(ctx, "record unreadable", "message", u.ID, "error", u.Err)
	}
	goOn := true
	switch r.Status {
	case message.Delivered, message.Complained, message.Cancelled, message.Simulated:
		goOn = false
	case message.Sent:
		goOn = r.Watch > 0
	}
	for _, s := range records {
		switch {
		case s == nil, s.Group != r.Group, s.Place <= r.Place: // of another group: a duplicate stands for its first
		case !goOn:
			if err := d.tell(ctx, s, message.Cancel{By: "fallback", Code: "not_needed"}, now); err != nil {
				return err
			}
		case s.Status == message.Scheduled && s.Hold:
			return d.tell(ctx, s, message.Activate{}, now)
		case !s.Status.ReleasesContent():
			return nil // its turn has come already, and is not over
		}
	}
	return nil
}

func (d *Delivery) tell(ctx context.Context, s *store.Record, e message.Event, now message.Time) error {
	saved, err := d.Store.Update(ctx, d.as, now, s, e)
	if refused := (*message.Refused)(nil); errors.As(err, &refused) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.later(ctx, saved, 0)
}
