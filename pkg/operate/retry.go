package operate

import (
	"context"
	"errors"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Retry tries one message again that is dead, failed or in doubt. The worker looks at its expiry, its
// suppressions and its account anew.
func (o *Operate) Retry(ctx context.Context, p tenant.Principal, id message.ID, why string) (*store.Record, error) {
	if err := may(p, tenant.Operate); err != nil {
		return nil, err
	}
	var f faults
	f.text("/reason", "reason", why, MaxReason, false)
	if err := f.err(); err != nil {
		return nil, err
	}
	r, err := o.Messages.Message(ctx, p, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, problem.New(problem.NotFound, "there is no message %s", id)
	}
	if err != nil {
		return nil, unreadable(err)
	}
	saved, err := o.retry(ctx, p, r, message.Redrive{By: p.Name, Why: why})
	var refused *message.Refused
	if errors.As(err, &refused) {
		return nil, problem.New(problem.NotAllowedNow, "message %s is %s: %s", id, refused.Status, refused.Why)
	}
	if err != nil {
		return nil, unkept(err)
	}
	if saved.Status == message.Queued {
		name := queue.Lane(saved.Channel, saved.Lane())
		if err := o.Queue.Send(ctx, name, queue.Item{Body: store.BareHint(id), Group: saved.Tenant}); err != nil {
			o.Log.WarnContext(ctx, "hint not queued; the sweep will", "queue", name, "error", err)
		}
	}
	return saved, nil
}

// retry is in the audit before it is done. What is refused is not, unless it was while that was written: then the
// audit says so.
func (o *Operate) retry(ctx context.Context, p tenant.Principal, r *store.Record, e message.Redrive) (*store.Record, error) {
	now := o.now()
	next, err := r.Apply(e, now)
	if err != nil {
		return nil, err
	}
	d := store.Deed{What: "retried", Kind: "message", Object: string(r.ID), Tenant: r.Tenant, Reason: e.Why, Changes: []store.Change{store.Moved(r.Status, next.Status)}}
	if err := o.Deeds.AddDeed(ctx, p, now, d); err != nil {
		return nil, err
	}
	saved, err := o.Messages.Update(ctx, p, now, r, e)
	if refused := (*message.Refused)(nil); errors.As(err, &refused) {
		d.Changes = []store.Change{store.Moved(r.Status, refused.Status)}
		if err := o.Deeds.AddDeed(ctx, p, now, d); err != nil {
			o.Log.WarnContext(ctx, "the audit has a retry that was refused", "message", r.ID, "error", err)
		}
	}
	return saved, err
}
