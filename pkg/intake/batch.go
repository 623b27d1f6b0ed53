package intake

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// BatchAnswer is what became of a batch: item i has a verdict or a problem.
type BatchAnswer struct {
	Group    *store.Group // nil when every item was refused
	Verdicts []*store.Verdict
	Problems []*problem.Error
	Replay   bool
}

// Batch accepts different messages in one request; the key covers the whole. One item's fault does not
// touch the others. The items' own idempotency keys are not looked at.
func (in *Intake) Batch(ctx context.Context, p tenant.Principal, key string, hash []byte, reqs []*Request) (*BatchAnswer, error) {
	if !p.May(tenant.Send) {
		return nil, problem.New(problem.Forbidden, "this key lacks the scope send")
	}
	switch n := len(reqs); {
	case n == 0:
		return nil, problem.Invalid(problem.At("/messages", problem.Required, "messages is empty; send 1 to %d", MaxBatch))
	case n > MaxBatch:
		return nil, problem.Invalid(problem.At("/messages", problem.TooMany, "messages has %d items; at most %d are allowed", n, MaxBatch))
	case len(key) > MaxKey:
		return nil, problem.Invalid(problem.At("header:Idempotency-Key", problem.TooLong, "the key has %d bytes; at most %d are allowed", len(key), MaxKey))
	}
	now := in.now()
	name := cmp.Or(reqs[0].Tenant, p.Tenant)
	out := &BatchAnswer{Verdicts: make([]*store.Verdict, len(reqs)), Problems: make([]*problem.Error, len(reqs))}
	g := store.Group{ID: store.GroupPrefix + in.NewULID(now), Tenant: name, Kind: store.GroupBatch, Created: now, Hash: hash, IDs: make([]message.ID, len(reqs))}
	var drafts []*planned
	for i, r := range reqs {
		d, err := in.item(ctx, p, r, now, name, i)
		if pr := (*problem.Error)(nil); errors.As(err, &pr) && pr.Status() < 500 {
			out.Problems[i] = pr
			continue
		}
		if err != nil {
			return nil, unavailable(err)
		}
		d.Message.Place, g.IDs[i] = i, d.Message.ID
		drafts = append(drafts, d)
	}
	claim := keyClaim(p, key, hash)
	places, refused, err := in.admit(ctx, now, drafts, claim, "/messages")
	if err != nil {
		return in.replayBatch(ctx, p, now, out, g, claim, err)
	}
	for i, why := range refused {
		if place := drafts[i].Message.Place; why != nil {
			out.Problems[place], g.IDs[place] = why, ""
		}
	}
	a, err := in.keepBatch(ctx, p, now, g, places.drafts, claim)
	if a == nil || err != nil {
		return out, err
	}
	places.settleGroup(ctx, a.Verdicts)
	if err := in.abandon(ctx, p, now, a); err != nil {
		return nil, err
	}
	out.fill(a)
	return out, nil
}

// abandon gives up what an earlier try promised to make and this one may not: when that one is over, nobody makes it any
// more, so that each try is answered the same.
func (in *Intake) abandon(ctx context.Context, p tenant.Principal, now message.Time, a *Answer) error {
	g, life := *a.Group, time.Duration(0)
	g.IDs = slices.Clone(g.IDs)
	for i, v := range a.Verdicts {
		switch {
		case v.Record != nil:
			life = max(life, v.Record.Class.Defaults().KeepRecord+max(v.Record.SendAt.Sub(now), 0))
		case g.IDs[i] != "" && now.Sub(g.Created) < underway:
			return atWork()
		default:
			g.IDs[i] = ""
		}
	}
	if life == 0 || slices.Equal(g.IDs, a.Group.IDs) {
		return nil
	}
	return in.settle(ctx, p, now, g, a, life)
}

// replayBatch answers a batch that its tenant's budget refuses now with what was accepted of it once. Of one that was
// cut off, or is at work, nobody can say that yet.
func (in *Intake) replayBatch(ctx context.Context, p tenant.Principal, now message.Time, out *BatchAnswer, g store.Group, claim *store.KeyClaim, fault error) (*BatchAnswer, error) {
	a, err := in.replay(ctx, p, now, g.Tenant, claim, fault)
	if err != nil {
		return nil, err
	}
	for i, v := range a.Verdicts {
		if v.Record == nil && a.Group.IDs[i] != "" {
			return nil, fault
		}
	}
	out.fill(a)
	return out, nil
}

// fill takes what is there of a batch.
func (out *BatchAnswer) fill(a *Answer) {
	out.Group, out.Replay = a.Group, a.Replay
	for i := range a.Verdicts {
		switch v := &a.Verdicts[i]; {
		case v.Record != nil: // whatever the item would be answered now, if it was accepted once
			out.Verdicts[i], out.Problems[i] = v, nil
		case out.Problems[i] == nil:
			out.Problems[i] = problem.New(problem.NotAllowedNow, "this item was refused when the key was first used; send it again with a new key")
		}
	}
}

// keepBatch gives nil when there is nothing to keep, and was nothing when the key was first used.
func (in *Intake) keepBatch(ctx context.Context, p tenant.Principal, now message.Time, g store.Group, drafts []*planned, claim *store.KeyClaim) (*Answer, error) {
	if len(drafts) > 0 {
		return in.keep(ctx, p, now, g, drafts, claim)
	}
	nothing := problem.New(problem.NotFound, "")
	a, err := in.replay(ctx, p, now, g.Tenant, claim, nothing)
	if errors.Is(err, nothing) {
		return nil, nil
	}
	return a, err
}

func (in *Intake) item(ctx context.Context, p tenant.Principal, r *Request, now message.Time, name string, i int) (*planned, error) {
	item := *r
	item.Pointer, item.IdempotencyKey = index("/messages", i), ""
	if cmp.Or(r.Tenant, p.Tenant) != name {
		return nil, problem.Invalid(problem.At(item.Pointer+"/tenant", problem.BadValue, "a batch is of one tenant; that of its first item is another"))
	}
	pl, err := in.plan(ctx, p, &item, now)
	if err != nil {
		return nil, err
	}
	if pl.kind != "" {
		return nil, problem.Invalid(problem.At(item.Pointer+"/to", problem.BadValue, "an item of a batch is one message: send one address"))
	}
	return pl.drafts[0], nil
}
