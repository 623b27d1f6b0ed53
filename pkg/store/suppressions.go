package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/tenant"
)

// Suppressions of one address are one partition, found by the hash of its search form; a list holds all that
// are in force for the console. An operator's entry lies under its target, what providers and recipients said
// beside it, by reason. One that is lifted stays where it is, out of the list: so what was said before, and is
// heard again after a crash, does not bring it back.
const (
	suppressionList = "list#suppressions"
	keepLifted      = 2 * 365 * 24 * time.Hour
)

func (s *Store) suppressionKey(kind message.AddressKind, key string, e suppress.Entry) Key {
	return Key{"s#" + s.digest("recipient", string(kind), key),
		or(e.Tenant, "*") + "#" + or(string(e.Channel), "*") + "#" + or(string(e.Class), "*")}
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// suppressionPartition is that of a message's recipient: the hash is the one in the message's id.
func suppressionPartition(id message.ID) string {
	return "s#" + id.Partition()[:message.PartitionLen-1]
}

// Suppressions reads the entries of an address, whoever made them, those too that were lifted: whether one
// applies is suppress.Entry's to say.
func (s *Store) Suppressions(ctx context.Context, kind message.AddressKind, key string) ([]suppress.Entry, error) {
	return s.suppressions(ctx, s.suppressionKey(kind, key, suppress.Entry{}).PK)
}

func (s *Store) suppressions(ctx context.Context, partition string) ([]suppress.Entry, error) {
	items, err := s.suppressed(ctx, partition)
	if err != nil {
		return nil, err
	}
	return readSuppressions(items)
}

func (s *Store) suppressed(ctx context.Context, pk string) ([]Item, error) {
	items, err := s.all(ctx, Query{Index: ByPartition, Value: pk, Limit: 100})
	if err != nil {
		return nil, fmt.Errorf("store: suppressions: %w", err)
	}
	return items, nil
}

func readSuppressions(items []Item) ([]suppress.Entry, error) {
	var out []suppress.Entry
	for i := range items {
		e, err := readSuppression(&items[i])
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func readSuppression(it *Item) (e suppress.Entry, err error) {
	if err := json.Unmarshal(it.Data, &e); err != nil {
		return e, fmt.Errorf("store: suppression %s: %w", it.SK, err)
	}
	return e, nil
}

// suppressionOp writes an entry over what is there, which may be nothing.
func suppressionOp(at Key, there *Item, e suppress.Entry, now message.Time) (Op, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return Op{}, fmt.Errorf("store: suppression: %w", err)
	}
	op := Op{Cond: Absent, Item: Item{Key: at, Rev: int64(now), Data: data}}
	if there != nil {
		op.Cond, op.At, op.Item.Rev = AtRev, there.Rev, max(int64(now), there.Rev+1)
	}
	switch {
	case e.Lifted.At > 0:
		op.Item.Expires = seconds(now.Add(keepLifted))
		return op, nil
	case e.Until > 0:
		op.Item.Expires = seconds(e.Until)
	}
	op.Item.List, op.Item.ListSort = suppressionList, DueSort(now)+"#"+at.PK+"#"+at.SK
	return op, nil
}

func maySuppress(p tenant.Principal, e suppress.Entry) bool {
	return e.Tenant == "" && p.May(tenant.Operate) || e.Tenant != "" && p.Steers(e.Tenant)
}

// PutSuppression adds an operator's entry, or replaces it.
func (s *Store) PutSuppression(ctx context.Context, p tenant.Principal, now message.Time, kind message.AddressKind, key string, e suppress.Entry) error {
	_, err := s.putSuppression(ctx, p, now, s.suppressionKey(kind, key, e), e, func(suppress.Entry) bool { return true })
	return err
}

// AddSuppression adds what a provider or a recipient said, unless as much is known already. It may be told the
// same again: the answer says whether this was news.
func (s *Store) AddSuppression(ctx context.Context, p tenant.Principal, now message.Time, kind message.AddressKind, key string, e suppress.Entry) (news bool, err error) {
	at := s.suppressionKey(kind, key, e)
	at.SK += "#" + string(e.Reason)
	return s.putSuppression(ctx, p, now, at, e, func(have suppress.Entry) bool { return e.Outdoes(have, now) })
}

func (s *Store) putSuppression(ctx context.Context, p tenant.Principal, now message.Time, at Key, e suppress.Entry, replaces func(have suppress.Entry) bool) (bool, error) {
	if !maySuppress(p, e) {
		return false, ErrNotFound
	}
	items, err := s.driver.Get(ctx, at)
	if err != nil {
		return false, fmt.Errorf("store: suppression: %w", err)
	}
	there := items[0]
	for range 16 {
		next := e
		if there != nil {
			have, err := readSuppression(there)
			if err != nil {
				return false, err
			}
			if !replaces(have) {
				return false, nil
			}
			next = e.After(have)
		}
		op, err := suppressionOp(at, there, next, now)
		if err != nil {
			return false, err
		}
		res, err := s.driver.Write(ctx, now, []Op{op})
		if err != nil {
			return false, fmt.Errorf("store: suppression: %w", err)
		}
		if res[0].Applied == 1 {
			return true, nil
		}
		there = res[0].Holder
	}
	return false, errContended
}

// LiftSuppression ends what is in force for exactly the target of e and was said before the lift, of one reason
// or, where e has none, of all. ErrNotFound if there is nothing.
func (s *Store) LiftSuppression(ctx context.Context, p tenant.Principal, now message.Time, kind message.AddressKind, key string, e suppress.Entry, lift suppress.Lift) error {
	if !maySuppress(p, e) {
		return ErrNotFound
	}
	at := s.suppressionKey(kind, key, e)
	items, err := s.suppressed(ctx, at.PK)
	if err != nil {
		return err
	}
	lifted := false
	for i := range items {
		if it := &items[i]; it.SK == at.SK || strings.HasPrefix(it.SK, at.SK+"#") {
			done, err := s.lift(ctx, now, it, e.Reason, lift)
			if err != nil {
				return err
			}
			lifted = lifted || done
		}
	}
	if !lifted {
		return ErrNotFound
	}
	return nil
}

func (s *Store) lift(ctx context.Context, now message.Time, it *Item, reason suppress.Reason, lift suppress.Lift) (bool, error) {
	for range 16 {
		e, err := readSuppression(it)
		if err != nil || !e.InForce(now) || e.At > lift.At || reason != "" && e.Reason != reason {
			return false, err
		}
		e.Lifted = lift
		op, err := suppressionOp(it.Key, it, e, now)
		if err != nil {
			return false, err
		}
		res, err := s.driver.Write(ctx, now, []Op{op})
		if err != nil {
			return false, fmt.Errorf("store: suppression: %w", err)
		}
		if res[0].Applied == 1 {
			return true, nil
		}
		if it = res[0].Holder; it == nil {
			return false, nil
		}
	}
	return false, errContended
}

// ListSuppressions reads a page of all entries that the principal sees, the newest first. Those of the
// whole installation are operators' alone: they come from any tenant's recipients.
func (s *Store) ListSuppressions(ctx context.Context, p tenant.Principal, limit int, after string) ([]suppress.Entry, string, error) {
	page, err := s.driver.Query(ctx, Query{Index: ByList, Value: suppressionList, Desc: true, Limit: limit, After: after})
	if err != nil {
		return nil, "", fmt.Errorf("store: suppressions: %w", err)
	}
	keys := make([]Key, len(page.Items))
	for i, it := range page.Items {
		keys[i] = it.Key
	}
	items, err := s.driver.Get(ctx, keys...)
	if err != nil {
		return nil, "", fmt.Errorf("store: suppressions: %w", err)
	}
	var out []suppress.Entry
	for _, it := range items {
		if it == nil {
			continue
		}
		e, err := readSuppression(it)
		if err != nil {
			return nil, "", err
		}
		if p.Sees(e.Tenant) {
			out = append(out, e)
		}
	}
	return out, page.Next, nil
}
