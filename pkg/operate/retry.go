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
	if err := o.Deeds.AddDeed(ctx, p, o.now(), store.Deed{What: "retried", Object: string(id), Tenant: r.Tenant, Reason: why}); err != nil {
		return nil, unkept(err)
	}
	saved, err := o.Messages.Update(ctx, p, o.now(), r, message.Redrive{By: p.Name, Why: why})
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
