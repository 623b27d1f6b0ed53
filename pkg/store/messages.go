package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// Stale is returned by Save when somebody else wrote the record first.
type Stale struct{ Now *Record }

// Error says so.
func (s *Stale) Error() string { return "store: the record was changed by somebody else" }

// Message reads one record. Another tenant's is ErrNotFound.
func (s *Store) Message(ctx context.Context, p tenant.Principal, id message.ID) (*Record, error) {
	r, err := s.get(ctx, id)
	if err != nil {
		return nil, err
	}
	if !p.Sees(r.Tenant) {
		return nil, ErrNotFound
	}
	return r, nil
}

func (s *Store) get(ctx context.Context, id message.ID) (*Record, error) {
	items, err := s.driver.Get(ctx, messageKey(id))
	if err != nil {
		return nil, fmt.Errorf("store: read message: %w", err)
	}
	if items[0] == nil {
		return nil, ErrNotFound
	}
	return decode(items[0])
}

// Messages reads records in the order of ids; nil for what is not there or not the principal's. What
// cannot be read is reported with its id, and the rest is given.
func (s *Store) Messages(ctx context.Context, p tenant.Principal, ids ...message.ID) ([]*Record, []*Unreadable, error) {
	// An id may be twice in a group, which a driver need not take, or "" for what was refused.
	keys := make([]Key, 0, len(ids))
	places := make(map[message.ID][]int, len(ids))
	for i, id := range ids {
		if len(places[id]) == 0 && id != "" {
			keys = append(keys, messageKey(id))
		}
		places[id] = append(places[id], i)
	}
	out := make([]*Record, len(ids))
	if len(keys) == 0 {
		return out, nil, nil
	}
	items, err := s.driver.Get(ctx, keys...)
	if err != nil {
		return nil, nil, fmt.Errorf("store: read messages: %w", err)
	}
	var bad []*Unreadable
	for _, it := range items {
		if it == nil {
			continue
		}
		r, err := decode(it)
		if u := (*Unreadable)(nil); errors.As(err, &u) {
			bad = append(bad, u)
		} else if err == nil && p.Sees(r.Tenant) {
			for _, i := range places[r.ID] {
				out[i] = r
			}
		}
	}
	return out, bad, nil
}

// Save writes what an event made of a record. It gives the record as it is now, or *Stale with what
// somebody else made of it. Blanking variables costs no write of its own: it is done by the one that ends
// the message. Free content lies beside the record, and is left to Blank.
func (s *Store) Save(ctx context.Context, p tenant.Principal, now message.Time, r *Record, next message.Message) (*Record, error) {
	return s.save(ctx, p, now, r, next, nil, nil)
}

// held says that an element before the record was refused, and by what.
type held struct{ by *Item }

func (*held) Error() string { return "store: an item beside the record was changed by somebody else" }

// save writes a record, and other items in one sequence before and after it.
func (s *Store) save(ctx context.Context, p tenant.Principal, now message.Time, r *Record, next message.Message, before, after []Op) (*Record, error) {
	if !p.Steers(r.Tenant) {
		return nil, ErrNotFound
	}
	saved := &Record{next, r.to, r.vars, r.rev + 1}
	if next.Todo&message.BlankVars != 0 && !next.Free {
		saved.vars = nil
		saved.Todo &^= message.BlankVars
		if saved.Todo == 0 {
			saved.Due = 0
		}
	}
	it, err := s.item(saved)
	if err != nil {
		return nil, err
	}
	ops := append(slices.Clone(before), Op{Cond: AtRev, At: r.rev, Item: it})
	res, err := s.driver.Write(ctx, now, append(ops, after...))
	switch {
	case err != nil:
		return nil, fmt.Errorf("store: save %s: %w", r.ID, err)
	case res[0].Applied > len(before):
		s.opts.Moved(&r.Message, &saved.Message, now)
		return saved, nil
	case res[0].Applied < len(before):
		return nil, &held{res[0].Holder}
	}
	return nil, overtaken(res[0].Holder)
}

// Blank removes the free content of a message that has ended. Until that is done the record says that it is to be: were
// both one sequence, a crash between them would leave the content for good.
func (s *Store) Blank(ctx context.Context, p tenant.Principal, now message.Time, r *Record) error {
	if !p.Steers(r.Tenant) {
		return ErrNotFound
	}
	if _, err := s.driver.Write(ctx, now, []Op{{Delete: true, Cond: Always, Item: Item{Key: contentKey(r.ID)}}}); err != nil {
		return fmt.Errorf("store: blank %s: %w", r.ID, err)
	}
	return nil
}

// overtaken is why a record was not written: *Stale with what somebody else made of it, or ErrNotFound.
func overtaken(holder *Item) error {
	if holder == nil {
		return ErrNotFound
	}
	r, err := decode(holder)
	if err != nil {
		return err
	}
	return &Stale{r}
}

// Update applies an event and saves, again on what somebody else made of it, until it is written or the
// message refuses the event.
func (s *Store) Update(ctx context.Context, p tenant.Principal, now message.Time, r *Record, e message.Event) (*Record, error) {
	for range 16 {
		next, err := r.Apply(e, now)
		if err != nil {
			return r, err
		}
		saved, err := s.Save(ctx, p, now, r, next)
		var stale *Stale
		if !errors.As(err, &stale) {
			return saved, err
		}
		r = stale.Now
	}
	return r, errContended
}

// Release gives back the content claim of a message that ended badly. Somebody else's claim stays.
func (s *Store) Release(ctx context.Context, p tenant.Principal, now message.Time, r *Record) error {
	if !p.Steers(r.Tenant) || r.Claim == "" {
		return nil
	}
	key := Key{r.Claim, "c"}
	items, err := s.driver.Get(ctx, key)
	if err != nil {
		return fmt.Errorf("store: release: %w", err)
	}
	if items[0] == nil {
		return nil
	}
	var c claim
	if err := json.Unmarshal(items[0].Data, &c); err != nil || c.ID != r.ID {
		return nil // the window was opened anew
	}
	if _, err = s.driver.Write(ctx, now, []Op{{Delete: true, Cond: AtRev, At: items[0].Rev, Item: Item{Key: key}}}); err != nil {
		return fmt.Errorf("store: release: %w", err)
	}
	return nil
}

// Due is what the sweep must look at: a message, or receipts that wait beside a provider's id.
type Due struct {
	ID    message.ID
	Early string
	At    message.Time
}

// Due reads what is due in a shard, earliest first.
func (s *Store) Due(ctx context.Context, shard string, now message.Time, limit int, after string) ([]Due, string, error) {
	page, err := s.driver.Query(ctx, Query{Index: ByDue, Value: shard, To: DueSort(now + 1), Limit: limit, After: after})
	if err != nil {
		return nil, "", fmt.Errorf("store: due: %w", err)
	}
	out := make([]Due, 0, len(page.Items))
	for _, it := range page.Items {
		if id, ok := idOf(it.Key); ok {
			out = append(out, Due{ID: id, At: it.DueAt})
		} else if at, ok := strings.CutPrefix(it.PK, namePrefix); ok {
			out = append(out, Due{Early: at, At: it.DueAt})
		}
	}
	return out, page.Next, nil
}

func idOf(k Key) (message.ID, bool) {
	if len(k.PK) < 2 || k.PK[:2] != "m#" {
		return "", false
	}
	id, err := message.ParseID(string(message.NewID(k.PK[2:], k.SK)))
	return id, err == nil
}
