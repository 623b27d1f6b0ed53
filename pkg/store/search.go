package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// Range bounds a search in time: From inclusive, To exclusive; the newest come first.
type Range struct{ From, To message.Time }

// Found is a page of a search.
type Found struct {
	Records []*Record
	// Bad are records that cannot be read.
	Bad []*Unreadable
	// Next continues; "" when there is no more in the range.
	Next string
	// Read counts records that were looked at.
	Read int
}

func (s *Store) references(tenant, reference string) string {
	return "r#" + s.digest("reference", tenant, reference)
}

func (s *Store) referenceKey(tenant, reference string, id message.ID) Key {
	return Key{s.references(tenant, reference), id.ULID() + id.Partition()}
}

// ByRecipient reads one partition of a recipient, newest first.
func (s *Store) ByRecipient(ctx context.Context, p tenant.Principal, partition string, in Range, limit int, after string) (Found, error) {
	q := Query{Index: ByPartition, Value: "m#" + partition, Desc: true, Limit: limit, After: after,
		From: message.ULIDFloor(in.From)}
	if in.To > 0 {
		q.To = message.ULIDFloor(in.To)
	}
	page, err := s.driver.Query(ctx, q)
	if err != nil {
		return Found{}, fmt.Errorf("store: by recipient: %w", err)
	}
	out := Found{Next: page.Next}
	for i := range page.Items {
		it := &page.Items[i]
		if strings.Contains(it.SK, "#") { // what lies beside a record
			continue
		}
		out.Read++
		r, err := decode(it)
		if u, ok := err.(*Unreadable); ok {
			if p.May(tenant.Operate) { // whose it is cannot be read either
				out.Bad = append(out.Bad, u)
			}
		} else if err == nil && p.Sees(r.Tenant) {
			out.Records = append(out.Records, r)
		}
	}
	return out, nil
}

// ByReference reads the messages that carry a caller's reference, newest first, within a range of time: a
// search can then go on where it stopped without a driver's cursor.
func (s *Store) ByReference(ctx context.Context, p tenant.Principal, tenant, reference string, in Range, limit int, after string) (Found, error) {
	if !p.Sees(tenant) {
		return Found{}, nil
	}
	q := Query{Index: ByPartition, Value: s.references(tenant, reference), Desc: true, Limit: limit, After: after,
		From: message.ULIDFloor(in.From)}
	if in.To > 0 {
		q.To = message.ULIDFloor(in.To)
	}
	page, err := s.driver.Query(ctx, q)
	if err != nil {
		return Found{}, fmt.Errorf("store: by reference: %w", err)
	}
	ids := make([]message.ID, 0, len(page.Items))
	for _, it := range page.Items {
		if id, err := message.ParseID(strings.Trim(string(it.Data), `"`)); err == nil {
			ids = append(ids, id)
		}
	}
	return s.found(ctx, p, ids, page.Next)
}

// ByTenant reads one shard of a tenant's list of one UTC day, newest first.
func (s *Store) ByTenant(ctx context.Context, p tenant.Principal, tenant, day string, shard int, in Range, limit int, after string) (Found, error) {
	return s.index(ctx, p, tenant, Query{Index: ByList, Value: s.list(tenant, day, shard), Limit: limit, After: after}, in)
}

func (s *Store) index(ctx context.Context, p tenant.Principal, tenant string, q Query, in Range) (Found, error) {
	if !p.Sees(tenant) {
		return Found{}, nil
	}
	q.Desc = true
	q.From = message.ULIDFloor(in.From)
	if in.To > 0 {
		q.To = message.ULIDFloor(in.To)
	}
	page, err := s.driver.Query(ctx, q)
	if err != nil {
		return Found{}, fmt.Errorf("store: search: %w", err)
	}
	ids := make([]message.ID, 0, len(page.Items))
	for _, it := range page.Items {
		if id, ok := idOf(it.Key); ok {
			ids = append(ids, id)
		}
	}
	return s.found(ctx, p, ids, page.Next)
}

func (s *Store) found(ctx context.Context, p tenant.Principal, ids []message.ID, next string) (Found, error) {
	out := Found{Next: next, Read: len(ids)}
	if len(ids) == 0 {
		return out, nil
	}
	records, bad, err := s.Messages(ctx, p, ids...)
	if err != nil {
		return Found{}, err
	}
	out.Bad = bad
	for _, r := range records {
		if r != nil {
			out.Records = append(out.Records, r)
		}
	}
	return out, nil
}

// ListShards is how many shards ByTenant has.
func (s *Store) ListShards() int { return s.opts.ListShards }

// Days lists the UTC days of a range, newest first, at most n.
func Days(in Range, n int) []string {
	var out []string
	for t := in.To.Std().Add(-time.Millisecond).Truncate(24 * time.Hour); len(out) < n && !t.Before(in.From.Std().Truncate(24*time.Hour)); t = t.AddDate(0, 0, -1) {
		out = append(out, t.Format("20060102"))
	}
	return out
}
