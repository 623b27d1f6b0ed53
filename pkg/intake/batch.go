package intake

import (
	"context"
	"errors"

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
	out := &BatchAnswer{Verdicts: make([]*store.Verdict, len(reqs)), Problems: make([]*problem.Error, len(reqs))}
	var drafts []*planned
	for i, r := range reqs {
		r.IdempotencyKey = ""
		d, err := in.item(ctx, p, r, i)
		if pr := (*problem.Error)(nil); errors.As(err, &pr) && pr.Status() < 500 {
			out.Problems[i] = pr
			continue
		}
		if err != nil {
			return nil, unavailable(err)
		}
		d.Message.Place = i
		drafts = append(drafts, d)
	}
	if len(drafts) == 0 {
		return out, nil
	}
	g := store.Group{ID: store.GroupPrefix + in.NewULID(now), Tenant: drafts[0].Message.Tenant, Kind: store.GroupBatch, Created: now, Hash: hash,
		IDs: make([]message.ID, len(reqs))}
	for _, d := range drafts {
		g.IDs[d.Message.Place] = d.Message.ID
	}
	a, err := in.keep(ctx, p, now, g, drafts, keyClaim(&Request{IdempotencyKey: key, Hash: hash}))
	if err != nil {
		return nil, err
	}
	out.Group, out.Replay = a.Group, a.Replay
	for i := range a.Verdicts {
		if place := drafts[i].Message.Place; a.Verdicts[i].Record != nil {
			out.Verdicts[place] = &a.Verdicts[i]
		} else {
			out.Problems[place] = problem.New(problem.NotAllowedNow, "this item was refused when the key was first used; send it again with a new key")
		}
	}
	return out, nil
}

func (in *Intake) item(ctx context.Context, p tenant.Principal, r *Request, i int) (*planned, error) {
	r.Pointer = index("/messages", i)
	if r.Tenant != "" && r.Tenant != p.Tenant && p.Tenant != "" {
		return nil, problem.Invalid(problem.At(r.Pointer+"/tenant", problem.BadValue, "a batch is of one tenant: %s", p.Tenant))
	}
	pl, err := in.plan(ctx, p, r, in.now())
	if err != nil {
		return nil, err
	}
	if pl.kind != "" {
		return nil, problem.Invalid(problem.At(r.Pointer+"/to", problem.BadValue, "an item of a batch is one message: send one address"))
	}
	return pl.drafts[0], nil
}
