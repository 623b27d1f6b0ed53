package store

import (
	"context"
	"fmt"

	"github.com/opennotify/notify/pkg/message"
)

func (s *Store) sealedKey(purpose, name string) Key {
	return Key{"t#" + s.digest(purpose, name), purpose}
}

// Sealed reads a small secret that processes share, and the revision that a writer must name. Revision 0 is
// none.
func (s *Store) Sealed(ctx context.Context, now message.Time, purpose, name string) (value []byte, rev int64, err error) {
	key := s.sealedKey(purpose, name)
	items, err := s.driver.Get(ctx, key)
	if err != nil {
		return nil, 0, fmt.Errorf("store: %s: %w", purpose, err)
	}
	if items[0] == nil {
		return nil, 0, nil
	}
	box, err := s.Box(ctx, now, purpose)
	if err != nil {
		return nil, 0, err
	}
	if value, err = box.Open(items[0].Data, key.PK); err != nil {
		return nil, 0, fmt.Errorf("store: %s: %w", purpose, err)
	}
	return value, items[0].Rev, nil
}

// PutSealed writes one over the revision that was read, and gives its own; 0 when somebody else wrote since.
// It may be removed after expires.
func (s *Store) PutSealed(ctx context.Context, now message.Time, purpose, name string, value []byte, read int64, expires message.Time) (rev int64, err error) {
	box, err := s.Box(ctx, now, purpose)
	if err != nil {
		return 0, err
	}
	key := s.sealedKey(purpose, name)
	data, err := box.Seal(s.opts.Random, value, key.PK)
	if err != nil {
		return 0, err
	}
	// Above any that an item had which was removed meanwhile.
	op := Op{Cond: Absent, Item: Item{Key: key, Rev: max(int64(now), read+1), Data: data, Expires: seconds(expires)}}
	if read > 0 {
		op.Cond, op.At = AtRev, read
	}
	res, err := s.driver.Write(ctx, now, []Op{op})
	if err != nil {
		return 0, fmt.Errorf("store: %s: %w", purpose, err)
	}
	if res[0].Applied == 0 {
		return 0, nil
	}
	return op.Item.Rev, nil
}
