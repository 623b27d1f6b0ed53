package trace

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// A search reads legs, from the newest to the oldest: ranges of time that do not overlap. A leg has
// strands, each an index that is read newest first: the shards of a list, the partitions of a recipient,
// one or more for every tenant. The walk merges the strands of a leg by time, looks at what comes out, and
// can stop behind every message.

// leg is a range and the strands that cover it.
type leg struct {
	in      store.Range
	strands []reader
}

// reader reads a page of one strand.
type reader func(ctx context.Context, in store.Range, limit int, after string) (store.Found, error)

// entry is a message as an index gives it; without a record it cannot be read.
type entry struct {
	id     message.ID
	record *store.Record
}

// newer is the order of all indexes: by ULID, then by partition.
func newer(a, b message.ID) int {
	return cmp.Or(cmp.Compare(b.ULID(), a.ULID()), cmp.Compare(b.Partition(), a.Partition()))
}

// walk is one search under way.
type walk struct {
	p      tenant.Principal
	filter *Filter
	at     position                                  // everything newer was looked at
	legs   func(to message.Time) (next leg, ok bool) // the newest leg with something before to
	limit  int
	budget int

	out     []*store.Record
	bad     []message.ID
	seen    int // looked at, of what the principal may know of
	looked  int // looked at in all
	queries int
	more    bool // there may be more behind at
}

// run walks until the page is full, the budget is used up, or there is nothing more.
func (w *walk) run(ctx context.Context) error {
	for n := 0; ; n++ {
		next, ok := w.legs(w.at.to)
		if !ok {
			return nil
		}
		if n >= maxDays || n > 0 && w.looked+w.queries >= w.budget {
			w.more = true
			return nil
		}
		if over, err := w.leg(ctx, next); err != nil || over {
			return err
		}
		w.at = position{to: next.in.From}
	}
}

// leg looks at a leg's messages; over tells that the walk ends in it.
func (w *walk) leg(ctx context.Context, l leg) (over bool, err error) {
	m, err := w.open(ctx, l)
	if err != nil {
		return false, err
	}
	known := true // that the message at which the walk stands may be named
	for {
		e, ok, err := m.peek(ctx)
		if err != nil || !ok {
			w.queries += m.queries()
			return false, err
		}
		if len(w.out) == w.limit || w.looked >= w.budget && known {
			w.more = true
			return true, nil
		}
		// Behind a message that the principal must not know of only a time can be named, so the walk goes on
		// to where the time changes.
		if w.looked >= w.budget && e.id.Created() < w.at.to-1 {
			w.at, w.more = position{to: w.at.to - 1}, true
			return true, nil
		}
		m.pop()
		known = w.look(e)
		w.at = after(e.id)
	}
}

// look judges one message, and tells whether the principal may know of it. This is the only place that
// does for messages found by recipient: their partitions hold every tenant's. Whose a damaged record is
// cannot be told, so only operators hear of it.
func (w *walk) look(e entry) (known bool) {
	w.looked++
	if e.record == nil {
		if known = w.filter.Recipient == "" || w.p.May(tenant.Operate); known {
			w.seen++
			w.bad = append(w.bad, e.id)
		}
		return known
	}
	if !w.p.Sees(e.record.Tenant) {
		return false
	}
	w.seen++
	if w.filter.matches(&e.record.Message) {
		w.out = append(w.out, e.record)
	}
	return true
}

// merge gives the messages of several strands in one order.
type merge struct {
	strands []*strand
	next    *strand
}

// strand is what was read of one index.
type strand struct {
	read    reader
	in      store.Range
	before  message.ID
	heads   []entry // read and not yet taken, the newest first
	after   string
	done    bool
	size    int // of the next page
	queries int
}

const (
	maxSize = 200
	minSize = 4
	// abreast is how many strands are opened at once: an operator's search over all tenants has hundreds.
	abreast = 16
)

// open reads the first page of every strand.
func (w *walk) open(ctx context.Context, l leg) (*merge, error) {
	m := &merge{}
	size := min(max(2*w.limit/max(len(l.strands), 1), minSize), maxSize)
	errs := make([]error, len(l.strands))
	places := make(chan struct{}, abreast)
	var all sync.WaitGroup
	for i, read := range l.strands {
		s := &strand{read: read, in: l.in, before: w.at.before, size: size}
		m.strands = append(m.strands, s)
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			errs[i] = s.fill(ctx)
		})
	}
	all.Wait()
	return m, errors.Join(errs...)
}

// fill makes sure that the strand has a head, or is done.
func (s *strand) fill(ctx context.Context) error {
	for len(s.heads) == 0 && !s.done {
		found, err := s.read(ctx, s.in, s.size, s.after)
		if err != nil {
			return err
		}
		s.queries++
		for _, r := range found.Records {
			s.heads = append(s.heads, entry{r.ID, r})
		}
		for _, u := range found.Bad {
			s.heads = append(s.heads, entry{id: u.ID})
		}
		slices.SortFunc(s.heads, func(a, b entry) int { return newer(a.id, b.id) })
		if s.before != "" { // of the millisecond where the last page ended
			s.heads = slices.DeleteFunc(s.heads, func(e entry) bool { return newer(e.id, s.before) <= 0 })
		}
		s.after, s.done, s.size = found.Next, found.Next == "", min(2*s.size, maxSize)
	}
	return nil
}

// peek is the newest message that was not taken.
func (m *merge) peek(ctx context.Context) (entry, bool, error) {
	m.next = nil
	for _, s := range m.strands {
		if err := s.fill(ctx); err != nil {
			return entry{}, false, err
		}
		if len(s.heads) > 0 && (m.next == nil || newer(s.heads[0].id, m.next.heads[0].id) < 0) {
			m.next = s
		}
	}
	if m.next == nil {
		return entry{}, false, nil
	}
	return m.next.heads[0], true, nil
}

// pop takes what peek showed.
func (m *merge) pop() { m.next.heads = m.next.heads[1:] }

func (m *merge) queries() (n int) {
	for _, s := range m.strands {
		n += s.queries
	}
	return n
}
