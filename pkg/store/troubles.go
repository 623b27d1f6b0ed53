package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// Troubles reads a tenant's failed, dead, doubtful, undelivered, bounced and complained of one UTC day, newest first,
// all shards of the index together: it goes on below the last message that was given, which is one place for all of
// them.
func (s *Store) Troubles(ctx context.Context, p tenant.Principal, tenant, day string, in Range, limit int, after string) (Found, error) {
	if !p.Sees(tenant) {
		return Found{}, nil
	}
	q := Query{Index: ByTrouble, Desc: true, From: message.ULIDFloor(in.From), Limit: min(limit+1, 1000)}
	if in.To > 0 {
		q.To = message.ULIDFloor(in.To)
	}
	if after != "" {
		if len(after) != len(q.From) {
			return Found{}, fmt.Errorf("store: troubles: %w", ErrCursor)
		}
		if q.To == "" || after < q.To {
			q.To = after
		}
	}
	var keys []Key
	floor := "" // below it there may be some that were not read
	for shard := range s.opts.ListShards {
		q.Value = trouble(tenant, day, shard)
		of, more, err := s.newest(ctx, q)
		if err != nil {
			return Found{}, fmt.Errorf("store: troubles: %w", err)
		}
		if more {
			floor = max(floor, of[len(of)-1].SK)
		}
		keys = append(keys, of...)
	}
	slices.SortFunc(keys, func(a, b Key) int { return cmp.Or(cmp.Compare(b.SK, a.SK), cmp.Compare(b.PK, a.PK)) })
	n := 0
	for n < len(keys) && keys[n].SK >= floor && (n < limit || keys[n].SK == keys[n-1].SK) {
		n++
	}
	next := ""
	if n < len(keys) || floor != "" {
		next = keys[n-1].SK
	}
	ids := make([]message.ID, 0, n)
	for _, k := range keys[:n] {
		if id, ok := idOf(k); ok {
			ids = append(ids, id)
		}
	}
	return s.found(ctx, p, ids, next)
}

// newest reads the first keys of a range, and whether there are more. Those that share a place in the order come
// together, or not at all.
func (s *Store) newest(ctx context.Context, q Query) (keys []Key, more bool, err error) {
	for {
		page, err := s.driver.Query(ctx, q)
		if err != nil {
			return nil, false, err
		}
		for i := range page.Items {
			keys = append(keys, page.Items[i].Key)
		}
		if page.Next == "" {
			return keys, false, nil
		}
		whole := len(keys)
		for whole > 0 && keys[whole-1].SK == keys[len(keys)-1].SK {
			whole--
		}
		if whole > 0 {
			return keys[:whole], true, nil
		}
		q.After = page.Next // an empty page, or one of a single place
	}
}
