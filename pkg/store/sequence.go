package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/suppress"
)

// sequence builds the writes of one draft. Its order matters: whoever finds a claim must be able to
// finish what its writer began.
func (s *Store) sequence(ctx context.Context, a *acceptance, now message.Time) ([]Op, error) {
	d, r := a.draft, a.record
	ops, err := s.claims(a, now)
	if err != nil {
		return nil, err
	}
	if d.Guarded && !a.asked && !r.Status.Terminal() {
		ops = append(ops, Op{Cond: Vacant, Item: Item{Key: Key{PK: suppressionPartition(r.ID)}}})
	}
	vars, content := d.Vars, d.Content
	if r.Status.Terminal() && r.Class.Defaults().BlankVars {
		vars, content = nil, nil // it ended before it began: a code is kept no longer than its message lives
	}
	if err := s.seal(ctx, r, d.To, vars, now); err != nil {
		return nil, err
	}
	if content != nil {
		op, err := s.contentOp(ctx, r, content, now)
		if err != nil {
			return nil, err
		}
		ops = append(ops, op)
	}
	if r.Reference != "" {
		ops = append(ops, Op{Cond: Always, Item: Item{Key: s.referenceKey(r.Tenant, r.Reference, r.ID), Rev: 1,
			Data: []byte(`"` + r.ID + `"`), Expires: seconds(max(now, r.SendAt).Add(r.Class.Defaults().KeepRecord))}})
	}
	it, err := s.item(r)
	if err != nil {
		return nil, err
	}
	ops = append(ops, Op{Cond: Absent, Item: it})
	for _, op := range a.written {
		if op.Item.SK == "c" && r.Status.Terminal() { // last: until the record is there, the claim names it
			ops = append(ops, Op{Delete: true, Cond: AtRev, At: op.Item.Rev, Item: Item{Key: op.Item.Key}})
		}
	}
	return ops, nil
}

// claims builds the writes of the idempotency key and the content, behind those that are made.
func (s *Store) claims(a *acceptance, now message.Time) ([]Op, error) {
	d, r := a.draft, a.record
	ops := append(make([]Op, 0, 6), a.written...)
	put := func(key Key, c claim, until message.Time, rev int64) error {
		data, err := json.Marshal(c)
		if err != nil {
			return fmt.Errorf("store: claim: %w", err)
		}
		op := Op{Cond: AbsentOrExpired, Item: Item{Key: key, Rev: int64(now), Data: data, Expires: seconds(until)}}
		if rev != 0 {
			op.Cond, op.At, op.Item.Rev = AtRev, rev, max(int64(now), rev+1)
		}
		ops = append(ops, op)
		return nil
	}
	if d.Key != nil && len(ops) == 0 {
		if err := put(s.keyClaim(r.Tenant, d.Key), claim{ID: r.ID, Hash: d.Key.Hash}, now.Add(d.Key.Keep), a.keyRev); err != nil {
			return nil, err
		}
	}
	taken := len(ops) > 0 && ops[len(ops)-1].Item.SK == "c"
	if d.Window > 0 && !r.Status.Terminal() && !taken {
		key := s.contentClaim(d)
		// A fraction of a second longer, because Expires counts whole ones.
		if err := put(key, claim{ID: r.ID}, now.Add(d.Window+999*time.Millisecond), a.contentRev); err != nil {
			return nil, err
		}
		r.Claim = key.PK
	}
	return ops, nil
}

func (s *Store) contentOp(ctx context.Context, r *Record, c *message.Content, now message.Time) (Op, error) {
	plain, err := json.Marshal(c)
	if err != nil {
		return Op{}, fmt.Errorf("store: content: %w", err)
	}
	key, expires := sealKey(&r.Message, sealContent)
	box, err := s.keys.box(ctx, key, now, expires, true)
	if err != nil {
		return Op{}, err
	}
	sealed, err := box.Seal(s.opts.Random, plain, string(r.ID)+"/content")
	if err != nil {
		return Op{}, err
	}
	return Op{Cond: Always, Item: Item{Key: contentKey(r.ID), Rev: 1, Data: sealed, Expires: expires}}, nil
}

// weigh looks at the suppressions of the recipient, when the elements before i are written, and ends the
// message if one stops it: what is left of the sequence is then its record.
func (s *Store) weigh(ctx context.Context, a *acceptance, i int, now message.Time) error {
	r := a.record
	entries, err := s.suppressions(ctx, suppressionPartition(r.ID))
	if err != nil {
		return err
	}
	e, stops := suppress.Find(entries, r.Tenant, r.Channel, r.Class, max(now, r.SendAt))
	if stops {
		r.End(message.Suppressed, string(e.Reason), now)
		r.Claim, r.vars = "", nil
	}
	if stops || a.ops[i].Cond == Vacant {
		a.written, a.asked = slices.Clip(a.ops[:i]), true
	}
	return nil
}
