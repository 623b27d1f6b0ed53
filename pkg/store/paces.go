package store

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// Pace is when an account's provider is asked again what became of its messages, and where its last answer
// ended. Who asks moves it first, so that two processes do not ask twice.
type Pace struct {
	Account  string       `json:"-"`
	Next     message.Time `json:"t"`
	Asked    message.Time `json:"a,omitzero"` // when it was asked last; 0 is never, or before this was kept
	Cursor   string       `json:"c,omitzero"`
	Failures int          `json:"f,omitzero"` // in a row
	rev      int64
}

// The paces of all accounts are one partition: only accounts that are asked have one.
const paces = "pace"

// keepPace is how long an account may rest and still go on where it ended.
const keepPace = 90 * 24 * time.Hour

// Paces reads those of all accounts.
func (s *Store) Paces(ctx context.Context, p tenant.Principal) ([]Pace, error) {
	if !p.May(tenant.Operate) {
		return nil, ErrNotFound
	}
	items, err := s.all(ctx, Query{Index: ByPartition, Value: paces, Limit: 1000})
	if err != nil {
		return nil, fmt.Errorf("store: paces: %w", err)
	}
	out := make([]Pace, len(items))
	for i := range items {
		if out[i], err = readPace(&items[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func readPace(it *Item) (Pace, error) {
	p := Pace{Account: it.SK, rev: it.Rev}
	if err := json.Unmarshal(it.Data, &p); err != nil {
		return p, fmt.Errorf("store: pace of %s: %w", it.SK, err)
	}
	return p, nil
}

// TakePace is asked by who wants to ask an account's provider, and moves its next time by every. It tells
// whether it is the caller's turn: of those who ask for one time, one is told so.
func (s *Store) TakePace(ctx context.Context, p tenant.Principal, now message.Time, account string, every time.Duration) (Pace, bool, error) {
	if !p.IsSystem() {
		return Pace{}, false, ErrNotFound
	}
	items, err := s.driver.Get(ctx, Key{paces, account})
	if err != nil {
		return Pace{}, false, fmt.Errorf("store: pace of %s: %w", account, err)
	}
	have := Pace{Account: account}
	if items[0] != nil {
		if have, err = readPace(items[0]); err != nil {
			return have, false, err
		}
	}
	if have.Next > now {
		return have, false, nil
	}
	have.Asked, have.Next = now, now.Add(every)
	return s.putPace(ctx, now, have)
}

// PutPace writes what came of the asking. It tells whether it was kept: not, if somebody else had his turn
// meanwhile.
func (s *Store) PutPace(ctx context.Context, p tenant.Principal, now message.Time, have Pace) (bool, error) {
	if !p.IsSystem() {
		return false, ErrNotFound
	}
	_, ok, err := s.putPace(ctx, now, have)
	return ok, err
}

func (s *Store) putPace(ctx context.Context, now message.Time, have Pace) (Pace, bool, error) {
	data, err := json.Marshal(have)
	if err != nil {
		return have, false, fmt.Errorf("store: pace of %s: %w", have.Account, err)
	}
	// Above any that an item had which was removed meanwhile.
	op := Op{Cond: Absent, Item: Item{Key: Key{paces, have.Account}, Rev: max(int64(now), have.rev+1), Data: data, Expires: seconds(now.Add(keepPace))}}
	if have.rev > 0 {
		op.Cond, op.At = AtRev, have.rev
	}
	res, err := s.driver.Write(ctx, now, []Op{op})
	if err != nil {
		return have, false, fmt.Errorf("store: pace of %s: %w", have.Account, err)
	}
	have.rev = op.Item.Rev
	return have, res[0].Applied == 1, nil
}
