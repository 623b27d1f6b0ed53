package store

import (
	"context"
	"fmt"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// Erase blanks to whom a message went and what it said: the sealed address and variables, and the content beside the
// record. What stays says that something was sent, when and with what end, and to nobody: its key is a hash. It
// gives *Stale like Save. Erasing again writes the same.
func (s *Store) Erase(ctx context.Context, p tenant.Principal, now message.Time, r *Record) (*Record, error) {
	if !p.Steers(r.Tenant) {
		return nil, ErrNotFound
	}
	erased := &Record{r.Message, nil, nil, r.rev + 1}
	it, err := s.item(erased)
	if err != nil {
		return nil, err
	}
	res, err := s.driver.Write(ctx, now, []Op{{Cond: AtRev, At: r.rev, Item: it}, {Delete: true, Cond: Always, Item: Item{Key: contentKey(r.ID)}}})
	switch {
	case err != nil:
		return nil, fmt.Errorf("store: erase %s: %w", r.ID, err)
	case res[0].Applied > 0:
		return erased, nil
	}
	return nil, overtaken(res[0].Holder)
}

// Erased tells whether nobody knows any more to whom the message went.
func (r *Record) Erased() bool { return r.to == nil }
