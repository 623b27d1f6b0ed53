package intake

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/telemetry"
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
	claim := keyClaim(p, req.IdempotencyKey, req.Hash)
	pl, err := in.plan(ctx, p, req, now)
	var places *admission
	if err == nil {
		places, err = in.enter(ctx, now, pl.drafts, claim)
	}
	if err != nil {
		return in.replay(ctx, p, now, req.Tenant, claim, err)
	}
	if pl.kind != "" {
		return in.group(ctx, p, now, pl, places, claim, req)
	}
	d := pl.drafts[0]
	d.Key = claim
	verdicts, err := in.accept(ctx, p, now, []*store.Draft{&d.Draft})
	if err != nil {
		return nil, err
	}
	places.settle(ctx, verdicts)
	if verdicts[0].Mismatch {
		return in.replay(ctx, p, now, req.Tenant, claim, keyReused())
	}
	return &Answer{Verdicts: verdicts, Replay: verdicts[0].Replay}, nil
}

// keyClaim is nil without a key. A test key's claims are its own: a request that was tried out with one must
// not answer the live request.
func keyClaim(p tenant.Principal, key string, hash []byte) *store.KeyClaim {
	if key == "" {
		return nil
	}
	if !p.Live {
		key = "\x00test\x00" + key // no key from outside holds a NUL
	}
	return &store.KeyClaim{Key: key, Hash: hash, Keep: keyKept}
}

func keyReused() error {
	return problem.New(problem.KeyReused, "this Idempotency-Key was used in the last 24 hours with another body; use a new key for a new request")
}

// replay answers a repeated request that cannot be planned as it was the first time: its send_at is past
// now, its template was withdrawn, its route has other channels, its tenant's budget is used up. What was accepted is the answer all the
// same; if nothing was, the fault stands.
func (in *Intake) replay(ctx context.Context, p tenant.Principal, now message.Time, name string, claim *store.KeyClaim, fault error) (*Answer, error) {
	name = cmp.Or(name, p.Tenant)
	if claim == nil || !p.Steers(name) || problem.From(fault).Status() >= 500 {
		return nil, fault
	}
	r, g, err := in.Store.ByKey(ctx, p, now, name, claim)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, fault
	case err != nil:
		return nil, unavailable(err)
	case g == nil:
		return &Answer{Verdicts: []store.Verdict{{Record: r, Replay: true}}, Replay: true}, nil
	}
	verdicts, err := in.kept(ctx, p, g)
	if err != nil {
		return nil, err
	}
	if g.Kind != store.GroupBatch && slices.ContainsFunc(verdicts, func(v store.Verdict) bool { return v.Record == nil }) {
		return nil, fault // a crash cut it off: nobody was told that it was accepted
	}
	return &Answer{Group: g, Verdicts: verdicts, Replay: true}, nil
}

// kept is what there is of a group: a verdict for each place, without a record where there is none.
func (in *Intake) kept(ctx context.Context, p tenant.Principal, g *store.Group) ([]store.Verdict, error) {
	records, bad, err := in.Store.Messages(ctx, p, g.IDs...)
	if err != nil {
		return nil, unavailable(err)
	}
	if len(bad) > 0 {
		return nil, unavailable(bad[0])
	}
	out := make([]store.Verdict, len(records))
	for i, r := range records {
		if r != nil {
			out[i] = store.Verdict{Record: r, Replay: true, Duplicate: r.Group != g.ID}
		}
	}
	return out, nil
}

// group keeps the group first: its item names the messages, so that a retry after a crash makes the same.
func (in *Intake) group(ctx context.Context, p tenant.Principal, now message.Time, pl *plan, places *admission, claim *store.KeyClaim, req *Request) (*Answer, error) {
	g := store.Group{ID: store.GroupPrefix + in.NewULID(now), Tenant: pl.drafts[0].Message.Tenant, Kind: pl.kind, Created: now, Hash: req.Hash}
	for _, d := range pl.drafts {
		g.IDs = append(g.IDs, d.Message.ID)
	}
	a, err := in.keep(ctx, p, now, g, pl.drafts, claim)
	if err != nil {
		if problem.From(err).Status() < 500 {
			places.settle(ctx, nil)
		}
		return in.replay(ctx, p, now, req.Tenant, claim, err)
	}
	places.settleGroup(ctx, a.Verdicts)
	if slices.ContainsFunc(a.Verdicts, func(v store.Verdict) bool { return v.Record == nil }) {
		return nil, problem.New(problem.NotAllowedNow, "the first request with this key was cut off, and its route has other channels now; use a new key")
	}
	return a, nil
}

// keep writes a group and its messages. Of a group that was there before, only what is missing is made.
func (in *Intake) keep(ctx context.Context, p tenant.Principal, now message.Time, g store.Group, planned []*planned, claim *store.KeyClaim) (*Answer, error) {
	life := time.Duration(0)
	for _, d := range planned {
		life = max(life, d.Message.Class.Defaults().KeepRecord+max(d.Message.SendAt.Sub(now), 0))
	}
	g, replay, err := in.Store.OpenGroup(ctx, p, now, g, claim, life)
	if errors.Is(err, store.ErrKeyReused) {
		return nil, keyReused()
	}
	if err != nil {
		return nil, unavailable(err)
	}
	a := &Answer{Group: &g, Verdicts: make([]store.Verdict, len(g.IDs)), Replay: replay}
	if replay {
		if a.Verdicts, err = in.kept(ctx, p, &g); err != nil {
			return nil, err
		}
	}
	var waiting, drafts []*store.Draft
	for _, d := range planned {
		switch {
		case !a.wants(&d.Message):
			continue
		case d.Message.Hold:
			waiting = append(waiting, &d.Draft)
		default:
			drafts = append(drafts, &d.Draft)
		}
		// The group names its messages before they are made: none of them becomes what a crash left promised elsewhere, or
		// whoever dies before he has written that leaves a sibling that nobody finds.
		d.Message.Group, d.Message.ID, d.Fixed = g.ID, g.IDs[d.Message.Place], true
	}
	// What waits for a sibling is written before it: one that ends tells those that there are, once.
	kept, err := in.accept(ctx, p, now, waiting)
	if err != nil {
		return nil, err
	}
	rest, err := in.accept(ctx, p, now, drafts)
	if err != nil {
		return nil, err
	}
	kept, drafts = append(kept, rest...), append(waiting, drafts...)
	changed := false
	for i, d := range drafts {
		place := d.Message.Place
		a.Verdicts[place] = kept[i]
		changed = changed || replay && kept[i].New
		if id := kept[i].Record.ID; g.IDs[place] != id {
			if replay && kept[i].Record.Group != g.ID && now.Sub(g.Created) < underway {
				return nil, atWork()
			}
			g.IDs[place], changed = id, true
		}
	}
	if changed {
		if err := in.settle(ctx, p, now, g, a, life); err != nil {
			return nil, err
		}
	}
	return a, in.unneeded(ctx, p, a)
}

// underway is how long the first try of a group may be at work: no request lasts longer than half a minute, and two
// clocks may differ by minutes. Two tries at once may disagree whether a recipient had equal content, when the
// message that says so ends badly between them. So a group's item decides, by its revision: a later try writes it when
// it makes a message or points at a duplicate, and does the latter only when the first one, which writes it for
// duplicates only, is over.
const underway = 5 * time.Minute

func atWork() error {
	return problem.New(problem.Unavailable, "an earlier try with this Idempotency-Key may still be at work; try again in a few minutes")
}

// settle writes what a group's item is to say. Where another try was quicker its word counts: what this one made
// and that one does not know is taken back, and the caller's next try is answered with what there is.
func (in *Intake) settle(ctx context.Context, p tenant.Principal, now message.Time, g store.Group, a *Answer, life time.Duration) error {
	for range len(g.IDs) + 4 { // a try writes it once at most for each message that it made
		saved, err := in.Store.SaveGroup(ctx, p, now, g, life)
		if err == nil {
			*a.Group = saved
			return nil
		}
		if !errors.Is(err, store.ErrConflict) {
			return unavailable(err)
		}
		there, err := in.Store.Group(ctx, p, g.ID)
		if err != nil {
			return unavailable(err)
		}
		if slices.Equal(there.IDs, g.IDs) {
			g = there
			continue
		}
		for i, v := range a.Verdicts {
			if v.New && there.IDs[i] != v.Record.ID {
				if _, err := in.cancel(ctx, p, v.Record, message.Cancel{By: p.Name, Code: "duplicate"}); err != nil {
					return err
				}
			}
		}
		break
	}
	return problem.New(problem.Unavailable, "another try with this Idempotency-Key was at work; try again")
}

// wants tells whether a planned message is still to be made: its place was promised to its recipient, and
// there is nothing yet.
func (a *Answer) wants(m *message.Message) bool {
	if m.Place >= len(a.Verdicts) || a.Verdicts[m.Place].Record != nil {
		return false
	}
	id := a.Group.IDs[m.Place]
	return id != "" && recipient(id) == recipient(m.ID)
}

// recipient is the part of an id that all messages to one address share, on whichever shard.
func recipient(id message.ID) string { return id.Partition()[:message.PartitionLen-1] }

// unneeded cancels what waits for a sibling that is a duplicate: that one belongs to another request and
// tells only its own siblings, so nothing would ever let these go.
func (in *Intake) unneeded(ctx context.Context, p tenant.Principal, a *Answer) error {
	if a.Group.Kind != store.GroupFallback {
		return nil
	}
	own := func(v *store.Verdict) bool { return v.Record != nil && v.Record.Group == a.Group.ID }
	for i := range a.Verdicts {
		if v := &a.Verdicts[i]; own(v) && !v.Record.Hold && !(v.New && v.Record.Status == message.Suppressed) {
			return nil // it will tell the others
		}
	}
	for i := range a.Verdicts {
		v := &a.Verdicts[i]
		if !own(v) || !v.Record.Hold {
			continue
		}
		saved, err := in.cancel(ctx, p, v.Record, message.Cancel{By: p.Name, Code: "duplicate"})
		if err != nil {
			return err
		}
		v.Record = saved
	}
	return nil
}

// accept records drafts and queues the new ones.
func (in *Intake) accept(ctx context.Context, p tenant.Principal, now message.Time, drafts []*store.Draft) ([]store.Verdict, error) {
	if len(drafts) == 0 {
		return nil, nil
	}
	verdicts, err := in.Store.Accept(ctx, p, now, drafts...)
	if err != nil {
		return nil, unavailable(err)
	}
	byQueue := map[queue.Name][]queue.Item{}
	for i := range verdicts {
		switch v := &verdicts[i]; {
		case v.New:
			in.hint(ctx, byQueue, v.Record, now)
		case v.Record != nil:
			in.Metrics.Count(telemetry.Duplicate, 1, telemetry.Of(&v.Record.Message, ""))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byQueue)) {
		items := byQueue[name]
		if err := in.Queue.Send(ctx, name, items...); err != nil {
			// Kept is kept: the sweep queues it again.
			in.Log.WarnContext(ctx, "hint not queued; the sweep will", "queue", name, "messages", len(items), "error", err)
		}
	}
	return verdicts, nil
}

// hint adds the hint of a record that may be sent within the queue's longest delay, or that ended at once and
// somebody is to be told of.
func (in *Intake) hint(ctx context.Context, to map[queue.Name][]queue.Item, r *store.Record, now message.Time) {
	name := queue.Lane(r.Channel, r.Lane())
	if r.Todo != 0 {
		to[name] = append(to[name], queue.Item{Group: r.Tenant, Body: store.BareHint(r.ID)})
		return
	}
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
	item := queue.Item{Group: r.Tenant, Delay: delay}
	var err error
	if item.Body, err = in.Store.Hint(r); err != nil || item.Check() != nil {
		item.Body = store.BareHint(r.ID)
	}
	to[name] = append(to[name], item)
}
