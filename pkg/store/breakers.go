package store

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/breaker"
	"github.com/opennotify/notify/pkg/message"
)

// Breaker is what is known of an account, at a revision.
type Breaker struct {
	Account string
	breaker.Breaker
	rev int64 // 0: there was none
}

// The breakers of all accounts are one partition: there are few, and only of accounts that do not work.
const breakers = "breaker"

// keepBreaker is how long nobody needs to look at an account that does not work.
const keepBreaker = 7 * 24 * time.Hour

// Breakers reads those of all accounts that are not simply healthy.
func (s *Store) Breakers(ctx context.Context) ([]Breaker, error) {
	items, err := s.all(ctx, Query{Index: ByPartition, Value: breakers, Limit: 1000})
	if err != nil {
		return nil, fmt.Errorf("store: breakers: %w", err)
	}
	out := make([]Breaker, len(items))
	for i := range items {
		if out[i], err = readBreaker(&items[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func readBreaker(it *Item) (Breaker, error) {
	b := Breaker{Account: it.SK, rev: it.Rev}
	if err := json.Unmarshal(it.Data, &b.Breaker); err != nil {
		return b, fmt.Errorf("store: breaker of %s: %w", it.SK, err)
	}
	return b, nil
}

// Observe applies what a process saw to an account's breaker, again on what others made of it meanwhile.
// Of a healthy account nothing is kept. It gives the breaker before and after.
func (s *Store) Observe(ctx context.Context, now message.Time, account string, seen breaker.Seen) (before, after Breaker, err error) {
	return s.changeBreaker(ctx, now, account, func(b breaker.Breaker) breaker.Breaker { return b.Observe(seen, now) })
}

// Pay says that what an account was owed when it worked again was given.
func (s *Store) Pay(ctx context.Context, now message.Time, account string, owed message.Time) error {
	_, _, err := s.changeBreaker(ctx, now, account, func(b breaker.Breaker) breaker.Breaker {
		if b.Owed == owed {
			b.Owed = 0
		}
		return b
	})
	return err
}

func (s *Store) changeBreaker(ctx context.Context, now message.Time, account string, change func(breaker.Breaker) breaker.Breaker) (before, after Breaker, err error) {
	key := Key{breakers, account}
	items, err := s.driver.Get(ctx, key)
	if err != nil {
		return before, after, fmt.Errorf("store: breaker of %s: %w", account, err)
	}
	have := items[0]
	for range 8 {
		before = Breaker{Account: account}
		if have != nil {
			if before, err = readBreaker(have); err != nil {
				return before, after, err
			}
		}
		after = Breaker{Account: account, Breaker: change(before.Breaker), rev: before.rev + 1}
		op := Op{Cond: Absent, Item: Item{Key: key, Rev: after.rev, Expires: seconds(now.Add(keepBreaker))}}
		if have != nil {
			op.Cond, op.At = AtRev, before.rev
		}
		if after.Healthy(now) {
			if have == nil {
				return before, after, nil
			}
			op.Delete = true
		} else if op.Item.Data, err = json.Marshal(after.Breaker); err != nil {
			return before, after, fmt.Errorf("store: breaker of %s: %w", account, err)
		}
		res, err := s.driver.Write(ctx, now, []Op{op})
		if err != nil {
			return before, after, fmt.Errorf("store: breaker of %s: %w", account, err)
		}
		if res[0].Applied == 1 {
			return before, after, nil
		}
		have = res[0].Holder
	}
	return before, after, errContended
}
