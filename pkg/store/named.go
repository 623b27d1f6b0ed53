package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// Some providers name a message by their own id only. One item under that id is all that delivery and
// receipts share: it holds the attempt, or what was said before anybody knew the attempt. Both write it on
// the condition that it is as they saw it, so of the two the later one finds what the other left.

// name is that item.
type name struct {
	ID    message.ID `json:"id,omitzero"` // "" until the attempt is known
	Epoch int        `json:"e,omitzero"`
	Early []byte     `json:"r,omitzero"` // sealed: receipts that came before
	Looks int        `json:"n,omitzero"` // by the sweep
	Ask   Ask        `json:"q,omitzero"` // it is due while the provider is asked, too
}

// Ask is when a provider is asked about one message; the zero Ask is never.
type Ask struct {
	Next  message.Time `json:"t,omitzero"`
	Every int          `json:"s,omitzero"` // seconds to the second question; they double, up to an hour
	Until message.Time `json:"u,omitzero"`
}

const (
	// keepNames is how long a provider's id finds its attempt: no receipt comes later.
	keepNames = 7 * 24 * time.Hour
	// keepEarly is how long a receipt waits for its attempt: longer than a message waits in doubt.
	keepEarly = message.AwaitReceipt + 24*time.Hour
	// maxEarly bounds what anybody can make us keep under one id.
	maxEarly = 64

	namePrefix = "p#"
	nameSort   = "id"
)

func (s *Store) nameKey(account, id string) Key {
	return Key{namePrefix + s.digest("provider-id", account, id), nameSort}
}

func readName(it *Item) (name, error) {
	var n name
	if err := json.Unmarshal(it.Data, &n); err != nil {
		return n, fmt.Errorf("store: provider's id %s: %w", it.PK, err)
	}
	return n, nil
}

// nameOp writes n over what is there, which may be nothing.
func nameOp(key Key, there *Item, n name, now message.Time, keep time.Duration) (Op, error) {
	data, err := json.Marshal(n)
	if err != nil {
		return Op{}, fmt.Errorf("store: provider's id: %w", err)
	}
	op := Op{Cond: AbsentOrExpired, Item: Item{Key: key, Rev: int64(now), Data: data, Expires: seconds(now.Add(keep))}}
	if there != nil {
		op.Cond, op.At, op.Item.Rev = AtRev, there.Rev, max(int64(now), there.Rev+1)
	}
	return op, nil
}

// earlyBox seals receipts that wait: a provider's words may quote the recipient's.
const earlyBox = "receipts"

func (s *Store) sealEarly(ctx context.Context, now message.Time, key Key, all []message.Reported) ([]byte, error) {
	plain, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("store: early receipts: %w", err)
	}
	box, err := s.Box(ctx, now, earlyBox)
	if err != nil {
		return nil, err
	}
	return box.Seal(s.opts.Random, plain, key.PK)
}

func (s *Store) openEarly(ctx context.Context, now message.Time, key Key, sealed []byte) (all []message.Reported, err error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	box, err := s.Box(ctx, now, earlyBox)
	if err != nil {
		return nil, err
	}
	plain, err := box.Open(sealed, key.PK)
	if err == nil {
		err = json.Unmarshal(plain, &all)
	}
	if err != nil {
		return nil, fmt.Errorf("store: early receipts: %w", err)
	}
	return all, nil
}

// naming is what the writing of a name adds to that of a record: before it, so that whoever finds the name
// finds the attempt; after it, when early receipts are in the record; and those.
type naming struct {
	before, after []Op
	early         []message.Reported
}

// due puts a name into the index of what is due: early receipts soon, questions when their time comes.
func (s *Store) due(op *Op, n name, now message.Time) {
	switch {
	case len(n.Early) > 0:
		op.Item.DueShard, op.Item.DueAt = s.dueShard(n.ID), now.Add(message.Grace)
	case n.Ask.Next > 0:
		op.Item.DueShard, op.Item.DueAt = s.dueShard(n.ID), n.Ask.Next
	}
}

// naming learns what is to be written over what is there. Early receipts stay beside the id until the record
// has them, and are due meanwhile: after a crash the sweep finds them.
func (s *Store) naming(ctx context.Context, now message.Time, r *Record, t Trail, there *Item) (n naming, err error) {
	key := s.nameKey(t.Account, t.ProviderID)
	ours, have := name{ID: r.ID, Epoch: t.Epoch, Ask: t.Ask}, name{}
	if there != nil && there.Expires > seconds(now) {
		if have, err = readName(there); err != nil {
			return n, err
		}
		if have.ID != "" && have.ID != r.ID { // a provider that gives one id twice names the first by it
			return n, nil
		}
		if n.early, err = s.openEarly(ctx, now, key, have.Early); err != nil {
			return n, err
		}
	}
	if have.ID == "" {
		learned := name{ID: ours.ID, Epoch: ours.Epoch, Early: have.Early, Ask: ours.Ask}
		op, err := nameOp(key, there, learned, now, keepNames)
		if err != nil {
			return n, err
		}
		s.due(&op, learned, now)
		n.before, there = []Op{op}, &op.Item
	}
	if len(n.early) > 0 {
		op, err := nameOp(key, there, ours, now, keepNames)
		if err != nil {
			return n, err
		}
		s.due(&op, ours, now)
		n.after = []Op{op}
	}
	return n, nil
}

// join adds the early receipts to a message.
func (n *naming) join(m message.Message, epoch int, now message.Time) message.Message {
	for _, e := range n.early {
		e.Epoch = epoch
		if next, err := m.Apply(e, now); err == nil { // what is refused says nothing
			m = next
		}
	}
	return m
}

// Trail is how what a provider says later finds an attempt, where our id does not come back with it.
type Trail struct {
	Account, ProviderID string
	Epoch               int
	Ask                 Ask
}

// Finish is Update for the outcome of an attempt that leaves a trail.
func (s *Store) Finish(ctx context.Context, p tenant.Principal, now message.Time, r *Record, e message.Event, t Trail) (*Record, error) {
	n, err := s.naming(ctx, now, r, t, nil)
	for range 16 {
		if err != nil {
			return nil, err
		}
		next, refused := r.Apply(e, now)
		if refused != nil {
			return r, refused
		}
		saved, err2 := s.save(ctx, p, now, r, n.join(next, t.Epoch, now), n.before, n.after)
		if stale := (*Stale)(nil); errors.As(err2, &stale) {
			r = stale.Now
		} else if held := (*held)(nil); errors.As(err2, &held) {
			n, err = s.naming(ctx, now, r, t, held.by)
		} else {
			return saved, err2
		}
	}
	return r, errContended
}

// Known is the attempt behind a provider's id.
type Known struct {
	ID    message.ID // "" when nobody knows the attempt yet
	Epoch int
	Early []message.Reported // what waits to be joined
	Ask   Ask
	item  *Item
}

func (s *Store) known(ctx context.Context, now message.Time, it *Item) (Known, error) {
	n, err := readName(it)
	if err != nil {
		return Known{}, err
	}
	k := Known{ID: n.ID, Epoch: n.Epoch, Ask: n.Ask, item: it}
	k.Early, err = s.openEarly(ctx, now, it.Key, n.Early)
	return k, err
}

// Resolve finds the attempt that a provider's id names. Where nobody knows it yet, what is said is kept beside
// the id, and whoever learns the attempt joins it.
func (s *Store) Resolve(ctx context.Context, p tenant.Principal, now message.Time, account, id string, said message.Reported) (Known, error) {
	if !p.IsSystem() {
		return Known{}, ErrNotFound
	}
	key := s.nameKey(account, id)
	items, err := s.driver.Get(ctx, key)
	if err != nil {
		return Known{}, fmt.Errorf("store: provider's id: %w", err)
	}
	there := items[0]
	for range 16 {
		var early []message.Reported
		if there != nil && there.Expires > seconds(now) {
			k, err := s.known(ctx, now, there)
			if err != nil || k.ID != "" {
				return k, err
			}
			if early = k.Early; slices.Contains(early, said) || len(early) >= maxEarly {
				return k, nil
			}
		}
		sealed, err := s.sealEarly(ctx, now, key, append(early, said))
		if err != nil {
			return Known{}, err
		}
		op, err := nameOp(key, there, name{Early: sealed}, now, keepEarly)
		if err != nil {
			return Known{}, err
		}
		res, err := s.driver.Write(ctx, now, []Op{op})
		if err != nil {
			return Known{}, fmt.Errorf("store: early receipt: %w", err)
		}
		if res[0].Applied == 1 {
			return Known{}, nil
		}
		there = res[0].Holder
	}
	return Known{}, errContended
}

// Early reads what waits beside a provider's id, by the name that Due gave; nothing when it is gone.
func (s *Store) Early(ctx context.Context, p tenant.Principal, now message.Time, at string) (Known, error) {
	if !p.IsSystem() || len(at) != len(s.digest()) || strings.Trim(at, alphabet) != "" {
		return Known{}, ErrNotFound
	}
	items, err := s.driver.Get(ctx, Key{namePrefix + at, nameSort})
	if err != nil {
		return Known{}, fmt.Errorf("store: early receipts: %w", err)
	}
	if items[0] == nil || items[0].DueShard == "" {
		return Known{}, nil
	}
	return s.known(ctx, now, items[0])
}

// Joined says that the record has what waited. If somebody else said so before, that is as good.
func (s *Store) Joined(ctx context.Context, p tenant.Principal, now message.Time, k Known) error {
	if !p.IsSystem() || len(k.Early) == 0 {
		return nil
	}
	n := name{ID: k.ID, Epoch: k.Epoch, Ask: k.Ask}
	op, err := nameOp(k.item.Key, k.item, n, now, keepNames)
	if err != nil {
		return err
	}
	s.due(&op, n, now)
	if _, err := s.driver.Write(ctx, now, []Op{op}); err != nil {
		return fmt.Errorf("store: early receipts: %w", err)
	}
	return nil
}

// Answered says that the provider need not be asked about it again. If somebody else wrote meanwhile, it is
// asked once more.
func (s *Store) Answered(ctx context.Context, p tenant.Principal, now message.Time, k Known) error {
	if !p.IsSystem() || k.item == nil {
		return nil
	}
	k.Ask = Ask{}
	op, err := nameOp(k.item.Key, k.item, name{ID: k.ID, Epoch: k.Epoch}, now, keepNames)
	if err != nil {
		return err
	}
	if _, err := s.driver.Write(ctx, now, []Op{op}); err != nil {
		return fmt.Errorf("store: question: %w", err)
	}
	return nil
}

// Postpone moves what is due beside a provider's id, so that the sweep comes to it less and less often. It
// tells whether anything is still due there: of several who ask, one is told so. It never outlives its time: looking
// at something does not keep it.
func (s *Store) Postpone(ctx context.Context, p tenant.Principal, now message.Time, at string) (bool, error) {
	k, err := s.Early(ctx, p, now, at)
	if err != nil || k.item == nil || k.item.DueAt > now {
		return false, err
	}
	n, err := readName(k.item)
	if err != nil {
		return false, err
	}
	first := time.Minute
	if len(n.Early) == 0 {
		first = time.Duration(n.Ask.Every) * time.Second
	}
	expired := k.item.Expires <= seconds(now)                 // and not removed yet
	over := expired || len(n.Early) == 0 && now > n.Ask.Until // nobody is asked any more
	next := now.Add(min(first<<min(n.Looks, 10), max(time.Hour, first)))
	n.Looks++
	if n.Ask.Next > 0 {
		n.Ask.Next = next
	}
	if over {
		n.Ask = Ask{}
	}
	op, err := nameOp(k.item.Key, k.item, n, now, keepNames)
	if err != nil {
		return false, err
	}
	op.Item.Expires = k.item.Expires
	if !over {
		op.Item.DueShard, op.Item.DueAt = k.item.DueShard, next
	}
	res, err := s.driver.Write(ctx, now, []Op{op})
	if err != nil {
		return false, fmt.Errorf("store: early receipts: %w", err)
	}
	return res[0].Applied == 1 && !over, nil
}
