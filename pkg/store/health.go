package store

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// Health is how an endpoint has answered of late. It is written seldom, not with every callback: what it
// counts is at least so many, and a success may be an hour newer than it says.
type Health struct {
	Succeeded message.Time `json:"ok,omitzero"`  // last
	Failing   message.Time `json:"f,omitzero"`   // since when nothing but failures was seen; 0: it is well
	Failures  int          `json:"n,omitzero"`   // since then
	Failed    message.Time `json:"bad,omitzero"` // last
	Status    int          `json:"h,omitzero"`   // HTTP's, of that failure
	Code      string       `json:"c,omitzero"`
	rev       int64
}

func healthKey(owner, name string) Key { return Key{"e#" + owner + "/" + name, "health"} }

// Health reads an endpoint's health; the zero Health when nothing is known.
func (s *Store) Health(ctx context.Context, p tenant.Principal, owner, name string) (Health, error) {
	var h Health
	if !p.Sees(owner) {
		return h, ErrNotFound
	}
	items, err := s.driver.Get(ctx, healthKey(owner, name))
	if err != nil {
		return h, fmt.Errorf("store: health of endpoint %s/%s: %w", owner, name, err)
	}
	if items[0] == nil {
		return h, nil
	}
	if err := json.Unmarshal(items[0].Data, &h); err != nil {
		return h, fmt.Errorf("store: health of endpoint %s/%s: %w", owner, name, err)
	}
	h.rev = items[0].Rev
	return h, nil
}

// PutHealth replaces the health that was read; ErrConflict when somebody else did.
func (s *Store) PutHealth(ctx context.Context, p tenant.Principal, now message.Time, owner, name string, h Health) (Health, error) {
	if !p.Steers(owner) {
		return h, ErrNotFound
	}
	data, err := json.Marshal(h)
	if err != nil {
		return h, fmt.Errorf("store: health of endpoint %s/%s: %w", owner, name, err)
	}
	op := Op{Cond: Absent, Item: Item{Key: healthKey(owner, name), Rev: h.rev + 1, Data: data}}
	if h.rev > 0 {
		op.Cond, op.At = AtRev, h.rev
	}
	res, err := s.driver.Write(ctx, now, []Op{op})
	switch {
	case err != nil:
		return h, fmt.Errorf("store: health of endpoint %s/%s: %w", owner, name, err)
	case res[0].Applied == 0:
		return h, ErrConflict
	}
	h.rev++
	return h, nil
}
