package intake

import (
	"context"
	"errors"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Answer is what became of a request.
type Answer struct {
	// Group is set for many recipients or channels.
	Group *store.Group
	// Verdicts are in the order of the recipients.
	Verdicts []store.Verdict
	// Replay tells that the idempotency key was used before with the same request.
	Replay bool
}

// Send accepts one request. Every error is a *problem.Error; after one, nothing was accepted, or a retry
// with the same idempotency key finds what was.
func (in *Intake) Send(ctx context.Context, p tenant.Principal, req *Request) (*Answer, error) {
	if !p.May(tenant.Send) {
		return nil, problem.New(problem.Forbidden, "this key lacks the scope send")
	}
	now := in.now()
	pl, err := in.plan(ctx, p, req, now)
	if err != nil {
		return nil, err
	}
	claim := keyClaim(req)
	if pl.kind == "" {
		d := pl.drafts[0]
		d.Key = claim
		verdicts, err := in.accept(ctx, p, now, []*store.Draft{&d.Draft})
		if err != nil {
			return nil, err
		}
		if verdicts[0].Mismatch {
			return nil, keyReused()
		}
		return &Answer{Verdicts: verdicts, Replay: verdicts[0].Replay}, nil
	}
	return in.group(ctx, p, now, pl, claim, req)
}

func keyClaim(req *Request) *store.KeyClaim {
	if req.IdempotencyKey == "" {
		return nil
	}
	return &store.KeyClaim{Key: req.IdempotencyKey, Hash: req.Hash, Keep: keyKept}
}

func keyReused() error {
	return problem.New(problem.KeyReused, "this Idempotency-Key was used in the last 24 hours with another body; use a new key for a new request")
}

// group keeps the group first: its item names the messages, so that a retry after a crash makes the same.
func (in *Intake) group(ctx context.Context, p tenant.Principal, now message.Time, pl *plan, claim *store.KeyClaim, req *Request) (*Answer, error) {
	g := store.Group{ID: store.GroupPrefix + in.NewULID(now), Tenant: pl.drafts[0].Message.Tenant, Kind: pl.kind, Created: now, Hash: req.Hash}
	for _, d := range pl.drafts {
		g.IDs = append(g.IDs, d.Message.ID)
	}
	return in.keep(ctx, p, now, g, pl.drafts, claim)
}

// keep writes a group and its messages.
func (in *Intake) keep(ctx context.Context, p tenant.Principal, now message.Time, g store.Group, planned []*planned, claim *store.KeyClaim) (*Answer, error) {
	life := planned[0].Message.Class.Defaults().KeepRecord
	if at := planned[0].Message.SendAt; at > now {
		life += at.Sub(now)
	}
	g, replay, err := in.Store.OpenGroup(ctx, p, now, g, claim, life)
	if errors.Is(err, store.ErrKeyReused) {
		return nil, keyReused()
	}
	if err != nil {
		return nil, unavailable(err)
	}
	var drafts []*store.Draft
	for _, d := range planned {
		d.Message.Group = g.ID
		if replay {
			d.Message.ID = g.IDs[d.Message.Place]
		}
		if d.Message.ID != "" {
			drafts = append(drafts, &d.Draft)
		}
	}
	kept, err := in.accept(ctx, p, now, drafts)
	if err != nil {
		return nil, err
	}
	verdicts, changed := make([]store.Verdict, len(planned)), false
	for i, d := range planned {
		if d.Message.ID == "" { // refused when the key was first used
			continue
		}
		verdicts[i], kept = kept[0], kept[1:]
		if id := verdicts[i].Record.ID; g.IDs[d.Message.Place] != id {
			g.IDs[d.Message.Place], changed = id, true
		}
	}
	if changed {
		if err := in.Store.SaveGroup(ctx, p, now, g, life); err != nil {
			return nil, unavailable(err)
		}
	}
	return &Answer{Group: &g, Verdicts: verdicts, Replay: replay}, nil
}

// accept records drafts and queues the new ones.
func (in *Intake) accept(ctx context.Context, p tenant.Principal, now message.Time, drafts []*store.Draft) ([]store.Verdict, error) {
	verdicts, err := in.Store.Accept(ctx, p, now, drafts...)
	if err != nil {
		return nil, unavailable(err)
	}
	byQueue := map[queue.Name][]queue.Item{}
	for _, v := range verdicts {
		if v.New {
			in.hint(ctx, byQueue, v.Record, now)
		}
	}
	for name, items := range byQueue {
		if err := in.Queue.Send(ctx, name, items...); err != nil {
			// Kept is kept: the sweep queues it again.
			in.Log.WarnContext(ctx, "hint not queued; the sweep will", "queue", name, "messages", len(items), "error", err)
		}
	}
	return verdicts, nil
}

// hint adds the hint of a record that may be sent within the queue's longest delay.
func (in *Intake) hint(ctx context.Context, to map[queue.Name][]queue.Item, r *store.Record, now message.Time) {
	if r.Hold || r.Status != message.Queued && r.Status != message.Scheduled {
		return
	}
	var delay time.Duration
	if r.SendAt > now {
		delay = (r.SendAt.Sub(now) + time.Second - 1).Truncate(time.Second)
	}
	if delay > queue.MaxDelay {
		return // it lives on its due time
	}
	body, err := in.Store.Hint(r)
	if err != nil || len(body) > queue.MaxBody {
		body = store.BareHint(r.ID)
	}
	name := queue.Lane(r.Channel, r.Lane())
	to[name] = append(to[name], queue.Item{Body: body, Group: r.Tenant, Delay: delay})
}
