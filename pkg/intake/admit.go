package intake

import (
	"context"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
)

// admission is what drafts have of their tenant's budgets and of the caps on codes. It is settled when it is
// known which of them are new messages; after a fault that is not known, and the places are kept.
type admission struct {
	in     *Intake
	now    message.Time
	drafts []*planned
	days   []places
}

// admit takes the places. Some codes may be refused for themselves; a budget refuses all of a request. size is
// where a request has its messages.
func (in *Intake) admit(ctx context.Context, now message.Time, drafts []*planned, key *store.KeyClaim, size string) (*admission, []*problem.Error, error) {
	refused, err := in.caps(ctx, now, drafts, key)
	if err != nil {
		return nil, nil, err
	}
	a := &admission{in: in, now: now}
	for i, d := range drafts {
		if refused[i] == nil {
			a.drafts = append(a.drafts, d)
		}
	}
	if a.days, err = in.budget(ctx, a.drafts, size); err != nil {
		in.uncap(ctx, now, a.drafts)
		return nil, nil, unavailable(err)
	}
	return a, refused, nil
}

// enter admits all drafts of a request, or none.
func (in *Intake) enter(ctx context.Context, now message.Time, drafts []*planned, key *store.KeyClaim) (*admission, error) {
	a, refused, err := in.admit(ctx, now, drafts, key, "/to")
	if err != nil {
		return nil, err
	}
	var all *problem.Error
	for _, p := range refused {
		switch {
		case p == nil:
		case all == nil:
			all = p
		default:
			all.Fields = append(all.Fields, p.Fields...)
			all.RetryAfter = max(all.RetryAfter, p.RetryAfter)
		}
	}
	if all != nil {
		a.settle(ctx, nil)
		return nil, all
	}
	return a, nil
}

// settle gives back what is not used. The verdicts are those of the drafts, in their order; without them
// nothing was made.
func (a *admission) settle(ctx context.Context, verdicts []store.Verdict) {
	a.in.giveBack(a.days, verdicts)
	var idle []*planned
	for i, d := range a.drafts {
		if i >= len(verdicts) || !a.used(d, &verdicts[i]) {
			idle = append(idle, d)
		}
	}
	a.in.uncap(ctx, a.now, idle)
}

// used tells whether a code's place is that of a message: of its own, or of the one that another try of its request
// made at the same time, having found the place taken. One that is older than a place lasts has none.
func (a *admission) used(d *planned, v *store.Verdict) bool {
	return v.New || v.Replay && !v.Duplicate && a.now.Sub(v.Record.Created) < min(underway, d.took.lasts())
}

// settleGroup settles what was admitted for a group.
func (a *admission) settleGroup(ctx context.Context, verdicts []store.Verdict) {
	own := make([]store.Verdict, len(a.drafts))
	for i, d := range a.drafts {
		if d.Message.Place < len(verdicts) {
			own[i] = verdicts[d.Message.Place]
		}
	}
	a.settle(ctx, own)
}

// foretell tells what would be refused of a draft, and takes nothing.
func (in *Intake) foretell(ctx context.Context, now message.Time, d *planned) (*problem.Error, error) {
	if coded(d) {
		settings, err := in.Config.Settings(ctx)
		if err != nil {
			return nil, err
		}
		if p, err := in.nearCap(ctx, now, settings.Codes, d); p != nil || err != nil {
			return p, err
		}
	}
	t, ok, err := in.Config.Tenant(ctx, d.Message.Tenant)
	if err != nil || !ok || !counts(&d.Message) {
		return nil, err
	}
	for _, k := range []limit.Kind{limit.Day, limit.Second} {
		windows := config.BudgetOf(t, k).Windows(now)
		levels, err := in.Store.Levels(ctx, store.Metered{Of: store.TenantLimits(t.Name, k), Windows: windows})
		if err != nil {
			return nil, err
		}
		for i, w := range windows {
			if w.Full(levels[0][i], kindOf(&d.Message) == 1) {
				return spent(t, k, w.Until.Sub(now)), nil
			}
		}
	}
	return nil, nil
}

func (in *Intake) nearCap(ctx context.Context, now message.Time, c config.Codes, d *planned) (*problem.Error, error) {
	if most := c.Recipient(); !most.None() {
		wait := most.Within()
		if most.Messages > 0 {
			var err error
			if _, wait, err = in.Store.PlaceIn(ctx, in.as, now, store.CodesCap(d.Message.Tenant), d.Message.ID, most.Messages, most.Within()); err != nil {
				return nil, err
			}
		}
		if wait > 0 {
			return flood(d, most, oneRecipient, "codes.per_recipient", wait), nil
		}
	}
	for _, s := range in.spans(c, d) {
		w := limit.SpanAt(now, s.Within(), s.Messages)
		levels, err := in.Store.Levels(ctx, store.Metered{Of: s.of, Windows: []limit.Window{w}})
		if err != nil {
			return nil, err
		}
		if w.Full(levels[0][0], false) {
			return flood(d, s.Cap, manyNumbers, s.setting, w.Until.Sub(now)), nil
		}
	}
	return nil, nil
}
