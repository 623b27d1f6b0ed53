package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// CodesCap is the cap on the one-time codes that a tenant's recipients are sent. No route has such a name.
func CodesCap(tenant string) string { return "codes/" + tenant }

// capKey is in a partition of its own for each recipient: many recipients at once are under one cap.
func capKey(of string, id message.ID) Key {
	return Key{"cap#" + of + "#" + id.Partition()[:message.PartitionLen-1], "cap"}
}

// TakePlace takes a place of a cap on what one recipient gets, for a message: of most within the time. With
// none free it says how long until there is one. A message that asks again has its place already, and takes
// none: taken is false. Who takes it is a worker: the cap is the operators', of a route or of codes.
func (s *Store) TakePlace(ctx context.Context, p tenant.Principal, now message.Time, of string, id message.ID, most int, within time.Duration) (taken bool, wait time.Duration, err error) {
	err = s.place(ctx, p, now, of, id, within, func(have limit.Frequency) (next limit.Frequency, changed bool) {
		next, wait, taken = have.Take(id.ULID(), most, within, now)
		return next, taken
	})
	return taken, wait, err
}

// Asked is in whose name a message of a request with an idempotency key takes its place of a cap: the same for each
// try of the request, while a message has an id of its own in each until one is kept.
func (s *Store) Asked(m *message.Message, k *KeyClaim) message.ID {
	if k == nil {
		return m.ID
	}
	return message.NewID(m.ID.Partition(), s.digest("asked", m.Tenant, k.Key, string(k.Hash), strconv.Itoa(m.Place)))
}

// GivePlace gives a message's place back.
func (s *Store) GivePlace(ctx context.Context, p tenant.Principal, now message.Time, of string, id message.ID, within time.Duration) error {
	return s.place(ctx, p, now, of, id, within, func(have limit.Frequency) (limit.Frequency, bool) { return have.Drop(id.ULID()) })
}

// PlaceIn tells whether a message has its place, or how long it would wait for one, and takes none.
func (s *Store) PlaceIn(ctx context.Context, p tenant.Principal, now message.Time, of string, id message.ID, most int, within time.Duration) (has bool, wait time.Duration, err error) {
	err = s.place(ctx, p, now, of, id, within, func(have limit.Frequency) (limit.Frequency, bool) {
		var takes bool
		_, wait, takes = have.Take(id.ULID(), most, within, now)
		has = !takes && wait == 0
		return have, false
	})
	return has, wait, err
}

// place changes what was taken of a cap by a recipient.
func (s *Store) place(ctx context.Context, p tenant.Principal, now message.Time, of string, id message.ID, within time.Duration, change func(limit.Frequency) (limit.Frequency, bool)) error {
	if !p.IsSystem() {
		return ErrNotFound
	}
	at := capKey(of, id)
	for range 16 {
		items, err := s.driver.Get(ctx, at)
		if err != nil {
			return fmt.Errorf("store: cap of %s: %w", id, err)
		}
		var have limit.Frequency
		op := Op{Cond: Absent, Item: Item{Key: at, Rev: 1, Expires: seconds(now.Add(within)) + 1}}
		if it := items[0]; it != nil {
			if err := json.Unmarshal(it.Data, &have); err != nil {
				return fmt.Errorf("store: cap of %s: %w", id, err)
			}
			op.Cond, op.At, op.Item.Rev = AtRev, it.Rev, it.Rev+1
			op.Item.Expires = max(op.Item.Expires, it.Expires) // whose clock is behind does not end the others' places
		}
		next, changed := change(have)
		if !changed {
			return nil
		}
		if op.Item.Data, err = json.Marshal(next); err != nil {
			return fmt.Errorf("store: cap of %s: %w", id, err)
		}
		res, err := s.driver.Write(ctx, now, []Op{op})
		if err != nil {
			return fmt.Errorf("store: cap of %s: %w", id, err)
		}
		if res[0].Applied == 1 {
			return nil
		}
	}
	return errContended
}
