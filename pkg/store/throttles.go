package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// Throttles is the ledger of one account's minute: the seconds in which its messages were put off.
type Throttles struct {
	Account string
	Minute  message.Time // its beginning
	Data    []byte
}

// KeepThrottles is how long the ledger is kept.
const KeepThrottles = 30 * 24 * time.Hour

// Those of a day are one partition: there are only those of accounts that were at their limit.
func throttlesKey(at message.Time, account string) Key {
	return Key{"w#" + at.Std().Format("20060102"), at.Std().Format("1504") + "#" + account}
}

// PutThrottles keeps ledgers, in place of those that were there.
func (s *Store) PutThrottles(ctx context.Context, p tenant.Principal, now message.Time, ledgers ...Throttles) error {
	if !p.Sees("") {
		return ErrNotFound
	}
	sequences := make([][]Op, len(ledgers))
	for i, l := range ledgers {
		sequences[i] = []Op{{Cond: Always, Item: Item{Key: throttlesKey(l.Minute, l.Account), Rev: int64(now), Data: l.Data, Expires: seconds(l.Minute.Add(KeepThrottles))}}}
	}
	if len(sequences) == 0 {
		return nil
	}
	if _, err := s.driver.Write(ctx, now, sequences...); err != nil {
		return fmt.Errorf("store: throttles: %w", err)
	}
	return nil
}

// ThrottlesOf reads the ledgers of the minutes from From to To, in the order of time.
func (s *Store) ThrottlesOf(ctx context.Context, p tenant.Principal, in Range) ([]Throttles, error) {
	if !p.Sees("") {
		return nil, ErrNotFound
	}
	var out []Throttles
	for day := in.From.Std().Truncate(24 * time.Hour); message.At(day) < in.To; day = day.Add(24 * time.Hour) {
		q := Query{Index: ByPartition, Value: throttlesKey(message.At(day), "").PK, Limit: 1000}
		if message.At(day) < in.From {
			q.From = in.From.Std().Format("1504")
		}
		if end := message.At(day.Add(24 * time.Hour)); end > in.To {
			q.To = in.To.Std().Format("1504")
		}
		items, err := s.all(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("store: throttles: %w", err)
		}
		for _, it := range items {
			clock, account, ok := strings.Cut(it.SK, "#")
			at, err := time.Parse("200601021504", day.Format("20060102")+clock)
			if err != nil || !ok {
				return nil, fmt.Errorf("store: throttles %s %s: not one", it.PK, it.SK)
			}
			out = append(out, Throttles{account, message.At(at), it.Data})
		}
	}
	return out, nil
}
