package store

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// CodesCap is the cap on the one-time codes that a tenant's recipients are sent. No route has such a name.
func CodesCap(tenant string) string { return "codes/" + tenant }

func capKey(of string, id message.ID) Key {
	return Key{"cap#" + of, id.Partition()[:message.PartitionLen-1]}
}

// TakePlace takes a place of a cap on what one recipient gets, for a message: of most within the time. With
// none free it says how long until there is one. A message that asks again has its place already. Who takes
// it is a worker: the cap is the operators', of a route or of codes.
func (s *Store) TakePlace(ctx context.Context, p tenant.Principal, now message.Time, of string, id message.ID, most int, within time.Duration) (wait time.Duration, err error) {
	err = s.place(ctx, p, now, of, id, within, func(have limit.Frequency) (next limit.Frequency, changed bool) {
		next, wait, changed = have.Take(id.ULID(), most, within, now)
		return next, changed
	})
	return wait, err
}

// GivePlace gives a message's place back.
func (s *Store) GivePlace(ctx context.Context, p tenant.Principal, now message.Time, of string, id message.ID, within time.Duration) error {
	return s.place(ctx, p, now, of, id, within, func(have limit.Frequency) (limit.Frequency, bool) { return have.Drop(id.ULID()) })
}

// PlaceIn tells how long a message would wait for a place, and takes none.
func (s *Store) PlaceIn(ctx context.Context, p tenant.Principal, now message.Time, of string, id message.ID, most int, within time.Duration) (wait time.Duration, err error) {
	err = s.place(ctx, p, now, of, id, within, func(have limit.Frequency) (limit.Frequency, bool) {
		_, wait, _ = have.Take(id.ULID(), most, within, now)
		return have, false
	})
	return wait, err
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
