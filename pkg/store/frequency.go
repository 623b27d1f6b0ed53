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

// TakePlace takes a place of a cap on what one recipient gets, for a message: of most within the time. With
// none free it says how long until there is one. A message that asks again has its place already. Who takes
// it is a worker: the cap is the operators', over all tenants that its route is for.
func (s *Store) TakePlace(ctx context.Context, p tenant.Principal, now message.Time, route string, id message.ID, most int, within time.Duration) (time.Duration, error) {
	if !p.IsSystem() {
		return 0, ErrNotFound
	}
	at := Key{"cap#" + route, id.Partition()[:message.PartitionLen-1]}
	for range 16 {
		items, err := s.driver.Get(ctx, at)
		if err != nil {
			return 0, fmt.Errorf("store: cap of %s: %w", id, err)
		}
		var have limit.Frequency
		op := Op{Cond: Absent, Item: Item{Key: at, Rev: 1, Expires: seconds(now.Add(within)) + 1}}
		if it := items[0]; it != nil {
			if err := json.Unmarshal(it.Data, &have); err != nil {
				return 0, fmt.Errorf("store: cap of %s: %w", id, err)
			}
			op.Cond, op.At, op.Item.Rev = AtRev, it.Rev, it.Rev+1
		}
		next, wait, changed := have.Take(id.ULID(), most, within, now)
		if !changed {
			return wait, nil
		}
		if op.Item.Data, err = json.Marshal(next); err != nil {
			return 0, fmt.Errorf("store: cap of %s: %w", id, err)
		}
		res, err := s.driver.Write(ctx, now, []Op{op})
		if err != nil {
			return 0, fmt.Errorf("store: cap of %s: %w", id, err)
		}
		if res[0].Applied == 1 {
			return 0, nil
		}
	}
	return 0, errContended
}
