package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// GroupKind says what the messages of a group are to each other.
type GroupKind string

// The kinds.
const (
	GroupList     GroupKind = "list"     // many recipients
	GroupFallback GroupKind = "fallback" // one person, one channel after the other
	GroupAll      GroupKind = "all"      // one person, all channels
	GroupBatch    GroupKind = "batch"    // different messages in one request
)

// Group is the messages of one request.
type Group struct {
	ID      string       `json:"id"` // "grp_" and a ULID
	Tenant  string       `json:"t"`
	Kind    GroupKind    `json:"k"`
	Created message.Time `json:"at"`
	Hash    []byte       `json:"h,omitzero"` // of the request
	// IDs are in the order of the request. A duplicate stands under the id of the message that was there
	// first. An item of a batch that was refused is "".
	IDs []message.ID `json:"ids"`
	rev int64
}

// GroupPrefix is what a group's id begins with.
const GroupPrefix = "grp_"

const groupULID = 26 // characters

func groupKey(id string) Key { return Key{"g#" + id, "g"} }

// ErrKeyReused: the idempotency key was used with another request.
var ErrKeyReused = errors.New("store: the idempotency key was used with another request")

// OpenGroup keeps a group before its messages. With a key that was used before for the same request it
// gives the group of that time and true; its messages may be missing then, if a crash came between.
func (s *Store) OpenGroup(ctx context.Context, p tenant.Principal, now message.Time, g Group, k *KeyClaim, keep time.Duration) (Group, bool, error) {
	if !p.Steers(g.Tenant) {
		return g, false, ErrNotFound
	}
	for range 4 {
		item, err := groupItem(g, 1, now.Add(keep))
		if err != nil {
			return g, false, err
		}
		ops := []Op{{Cond: Absent, Item: item}}
		if k != nil {
			data, err := json.Marshal(claim{Group: g.ID, Hash: k.Hash})
			if err != nil {
				return g, false, fmt.Errorf("store: claim: %w", err)
			}
			ops = slices.Insert(ops, 0, Op{Cond: AbsentOrExpired, Item: Item{Key: s.keyClaim(g.Tenant, k),
				Rev: int64(now), Data: data, Expires: seconds(now.Add(k.Keep))}})
		}
		res, err := s.driver.Write(ctx, now, ops)
		if err != nil {
			return g, false, fmt.Errorf("store: group: %w", err)
		}
		if res[0].Applied == len(ops) {
			g.rev = 1
			return g, false, nil
		}
		holder := res[0].Holder
		if holder == nil {
			continue
		}
		if holder.Key == item.Key {
			have, err := readGroup(holder)
			return have, true, err
		}
		var c claim
		if err := json.Unmarshal(holder.Data, &c); err != nil {
			return g, false, fmt.Errorf("store: claim: %w", err)
		}
		if c.Group == "" || !slices.Equal(c.Hash, k.Hash) {
			return g, false, ErrKeyReused
		}
		// Ours: take the promised id over. If its group exists already, the next round finds it.
		g.ID, k = c.Group, nil
	}
	return g, false, errContended
}

func groupItem(g Group, rev int64, until message.Time) (Item, error) {
	data, err := json.Marshal(g)
	if err != nil {
		return Item{}, fmt.Errorf("store: group: %w", err)
	}
	return Item{Key: groupKey(g.ID), Rev: rev, Data: data, Expires: seconds(until)}, nil
}

func readGroup(it *Item) (Group, error) {
	var g Group
	if err := json.Unmarshal(it.Data, &g); err != nil {
		return g, fmt.Errorf("store: group %s: %w", it.PK, err)
	}
	g.rev = it.Rev
	return g, nil
}

// SaveGroup writes the ids that intake found out, and gives the group as it is then; ErrConflict when somebody else
// did since it was read.
func (s *Store) SaveGroup(ctx context.Context, p tenant.Principal, now message.Time, g Group, keep time.Duration) (Group, error) {
	if !p.Steers(g.Tenant) {
		return g, ErrNotFound
	}
	item, err := groupItem(g, g.rev+1, now.Add(keep))
	if err != nil {
		return g, err
	}
	res, err := s.driver.Write(ctx, now, []Op{{Cond: AtRev, At: g.rev, Item: item}})
	if err != nil {
		return g, fmt.Errorf("store: group: %w", err)
	}
	if res[0].Applied == 0 {
		return g, ErrConflict
	}
	g.rev++
	return g, nil
}

// Group reads a group.
func (s *Store) Group(ctx context.Context, p tenant.Principal, id string) (Group, error) {
	if ulid, ok := strings.CutPrefix(id, GroupPrefix); !ok || len(ulid) != groupULID || strings.Trim(ulid, alphabet) != "" {
		return Group{}, ErrNotFound // no key either
	}
	items, err := s.driver.Get(ctx, groupKey(id))
	if err != nil {
		return Group{}, fmt.Errorf("store: group: %w", err)
	}
	if items[0] == nil {
		return Group{}, ErrNotFound
	}
	g, err := readGroup(items[0])
	if err == nil && !p.Sees(g.Tenant) {
		return Group{}, ErrNotFound
	}
	return g, err
}

// GoesOtherwise tells whether to try a message again that had ended would reach its recipient twice: since, another way of
// its fallback, or a message of equal content inside the window, was taken up, and not in vain.
func (s *Store) GoesOtherwise(ctx context.Context, p tenant.Principal, now message.Time, r *Record) (bool, error) {
	if r.Fallback {
		g, err := s.Group(ctx, p, r.Group)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return false, err
		}
		ways, _, err := s.Messages(ctx, p, g.IDs...)
		if err != nil || slices.ContainsFunc(ways, func(way *Record) bool { return way != nil && way.Group == r.Group && way.replaces(r) }) {
			return err == nil, err
		}
	}
	at := Key{cmp.Or(r.Claim, r.Freed), "c"}
	if at.PK == "" {
		return false, nil
	}
	items, err := s.driver.Get(ctx, at)
	if err != nil {
		return false, fmt.Errorf("store: claim: %w", err)
	}
	if items[0] == nil || items[0].Expires <= seconds(now) {
		return false, nil
	}
	var c claim
	if err := json.Unmarshal(items[0].Data, &c); err != nil {
		return false, fmt.Errorf("store: claim: %w", err)
	}
	other, err := s.get(ctx, c.ID)
	if errors.Is(err, ErrNotFound) { // a crash left it
		return false, nil
	}
	return err == nil && other.replaces(r), err
}

// replaces tells whether a message goes, or went, in place of another.
func (r *Record) replaces(other *Record) bool {
	return r.ID != other.ID && !r.Hold && !r.Status.ReleasesContent()
}
