package store

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/tenant"
)

// Suppressions of one address are one partition, found by the hash of its search form; a list holds them
// all for the console.
const suppressionList = "list#suppressions"

func (s *Store) suppressionKey(kind message.AddressKind, key string, e suppress.Entry) Key {
	return Key{"s#" + s.digest("recipient", string(kind), key),
		or(e.Tenant, "*") + "#" + or(string(e.Channel), "*") + "#" + or(string(e.Class), "*")}
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// suppressionPartition is that of a message's recipient: the hash is the one in the message's id.
func suppressionPartition(id message.ID) string {
	return "s#" + id.Partition()[:message.PartitionLen-1]
}

// Suppressions reads the entries of an address, whoever made them: whether one applies is
// suppress.Entry's to say.
func (s *Store) Suppressions(ctx context.Context, kind message.AddressKind, key string) ([]suppress.Entry, error) {
	return s.suppressions(ctx, s.suppressionKey(kind, key, suppress.Entry{}).PK)
}

func (s *Store) suppressions(ctx context.Context, partition string) ([]suppress.Entry, error) {
	items, err := s.all(ctx, Query{Index: ByPartition, Value: partition, Limit: 100})
	if err != nil {
		return nil, fmt.Errorf("store: suppressions: %w", err)
	}
	return readSuppressions(items)
}

func readSuppressions(items []Item) ([]suppress.Entry, error) {
	var out []suppress.Entry
	for _, it := range items {
		var e suppress.Entry
		if err := json.Unmarshal(it.Data, &e); err != nil {
			return nil, fmt.Errorf("store: suppression %s: %w", it.SK, err)
		}
		out = append(out, e)
	}
	return out, nil
}

// PutSuppression adds or replaces an entry.
func (s *Store) PutSuppression(ctx context.Context, p tenant.Principal, now message.Time, kind message.AddressKind, key string, e suppress.Entry) error {
	if e.Tenant == "" && !p.May(tenant.Operate) || e.Tenant != "" && !p.Steers(e.Tenant) {
		return ErrNotFound
	}
	data, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("store: suppression: %w", err)
	}
	it := Item{Key: s.suppressionKey(kind, key, e), Rev: int64(now), Data: data, List: suppressionList}
	it.ListSort = DueSort(now) + "#" + it.PK + "#" + it.SK
	if e.Until > 0 {
		it.Expires = seconds(e.Until)
	}
	if _, err := s.driver.Write(ctx, now, []Op{{Cond: Always, Item: it}}); err != nil {
		return fmt.Errorf("store: suppression: %w", err)
	}
	return nil
}

// DeleteSuppression removes an entry; ErrNotFound if there is none.
func (s *Store) DeleteSuppression(ctx context.Context, p tenant.Principal, now message.Time, kind message.AddressKind, key string, e suppress.Entry) error {
	if e.Tenant == "" && !p.May(tenant.Operate) || e.Tenant != "" && !p.Steers(e.Tenant) {
		return ErrNotFound
	}
	at := s.suppressionKey(kind, key, e)
	items, err := s.driver.Get(ctx, at)
	if err != nil {
		return fmt.Errorf("store: suppression: %w", err)
	}
	if items[0] == nil {
		return ErrNotFound
	}
	if _, err := s.driver.Write(ctx, now, []Op{{Delete: true, Cond: AtRev, At: items[0].Rev, Item: Item{Key: at}}}); err != nil {
		return fmt.Errorf("store: suppression: %w", err)
	}
	return nil
}

// ListSuppressions reads a page of all entries that the principal sees, the newest first. Those of the
// whole installation are operators' alone: they come from any tenant's recipients.
func (s *Store) ListSuppressions(ctx context.Context, p tenant.Principal, limit int, after string) ([]suppress.Entry, string, error) {
	page, err := s.driver.Query(ctx, Query{Index: ByList, Value: suppressionList, Desc: true, Limit: limit, After: after})
	if err != nil {
		return nil, "", fmt.Errorf("store: suppressions: %w", err)
	}
	keys := make([]Key, len(page.Items))
	for i, it := range page.Items {
		keys[i] = it.Key
	}
	items, err := s.driver.Get(ctx, keys...)
	if err != nil {
		return nil, "", fmt.Errorf("store: suppressions: %w", err)
	}
	var whole []Item
	for _, it := range items {
		if it != nil {
			whole = append(whole, *it)
		}
	}
	all, err := readSuppressions(whole)
	if err != nil {
		return nil, "", err
	}
	out := all[:0]
	for _, e := range all {
		if p.Sees(e.Tenant) {
			out = append(out, e)
		}
	}
	return out, page.Next, nil
}
