package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// ByReferenceIn is ByReference within a range of time, so that a search can go on where it stopped without
// a driver's cursor.
func (s *Store) ByReferenceIn(ctx context.Context, p tenant.Principal, tenant, reference string, in Range, limit int, after string) (Found, error) {
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
