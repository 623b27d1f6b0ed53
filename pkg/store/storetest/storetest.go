package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// Features names what drivers may differ in. The zero value is a driver that is exact in everything.
type Features struct {
	// Flush returns when "keys only" pages show every write that returned before. nil: they always do.
	Flush func(t testing.TB)
	// Purge removes what has expired by now. nil: it cannot be told to.
	Purge func(t testing.TB, d store.Driver, now message.Time)
	// Remote makes the random cases shorter, for a driver with a network below it.
	Remote bool
	// UsableAfterClose: Close does nothing that the other methods would notice.
	UsableAfterClose bool
}

// Run runs the suite. open is called a few times; what it returns may hold anything already, and is
// closed by open's own cleanup.
func Run(t *testing.T, open func(t *testing.T) store.Driver, f Features) {
	d := open(t)
	for name, run := range map[string]func(*suite){
		"conditions":               (*suite).conditions,
		"expiry":                   (*suite).expiry,
		"purged":                   (*suite).purged,
		"a sequence stops":         (*suite).stops,
		"vacant":                   (*suite).vacant,
		"a sequence sees itself":   (*suite).seesItself,
		"sequences keep order":     (*suite).keepOrder,
		"races":                    (*suite).races,
		"get":                      (*suite).get,
		"get many":                 (*suite).getMany,
		"ranges":                   (*suite).ranges,
		"order of bytes":           (*suite).byteOrder,
		"ties":                     (*suite).ties,
		"paging beside writers":    (*suite).pagingBesideWriters,
		"leaving an index":         (*suite).leavingAnIndex,
		"sizes":                    (*suite).sizes,
		"any byte":                 (*suite).anyByte,
		"bad calls":                (*suite).badCalls,
		"counters":                 (*suite).counters,
		"counters are items":       (*suite).countersAreItems,
		"a cancelled call":         (*suite).cancelled,
		"random calls and a model": (*suite).model,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(&suite{T: t, d: d, f: f, prefix: rand.Text()[:12]})
		})
	}
	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		closed(&suite{T: t, d: open(t), f: f, prefix: rand.Text()[:12]})
	})
}

// suite is one case: a driver that others use too, and a prefix that is this case's own.
type suite struct {
	*testing.T
	d      store.Driver
	f      Features
	prefix string
}

// now is far ahead, so that no driver's own clock finds the suite's items expired.
const (
	nowSeconds              = 4_000_000_000
	now        message.Time = nowSeconds * 1000
)

func (s *suite) key(pk, sk string) store.Key { return store.Key{PK: s.prefix + "#" + pk, SK: sk} }

// full is an item that uses every attribute.
func (s *suite) full(k store.Key, rev int64) store.Item {
	return store.Item{Key: k, Rev: rev, Data: fmt.Appendf(nil, "data %d", rev),
		List: s.prefix + "#list", ListSort: fmt.Sprintf("sort%03d", rev), DueShard: s.prefix + "#due", DueAt: now + message.Time(rev),
		Trouble: s.prefix + "#trouble", Expires: nowSeconds + 1000 + rev}
}

func (s *suite) write(sequences ...[]store.Op) []store.Result {
	s.Helper()
	return s.writeAt(now, sequences...)
}

func (s *suite) writeAt(now message.Time, sequences ...[]store.Op) []store.Result {
	s.Helper()
	r, err := s.d.Write(s.Context(), now, sequences...)
	if err != nil {
		s.Fatalf("Write: %v", err)
	}
	if len(r) != len(sequences) {
		s.Fatalf("Write of %d sequences has %d results", len(sequences), len(r))
	}
	return r
}

// put writes items whatever is there.
func (s *suite) put(items ...store.Item) {
	s.Helper()
	sequences := make([][]store.Op, len(items))
	for i, it := range items {
		sequences[i] = []store.Op{{Item: it}}
	}
	for i, r := range s.write(sequences...) {
		if r.Applied != 1 {
			s.Fatalf("unconditional put %d was refused by %+v", i, r.Holder)
		}
	}
}

func (s *suite) read(keys ...store.Key) []*store.Item {
	s.Helper()
	items, err := s.d.Get(s.Context(), keys...)
	if err != nil {
		s.Fatalf("Get: %v", err)
	}
	if len(items) != len(keys) {
		s.Fatalf("Get of %d keys has %d items", len(keys), len(items))
	}
	return items
}

func (s *suite) query(q store.Query) store.Page {
	s.Helper()
	page, err := s.d.Query(s.Context(), q)
	if err != nil {
		s.Fatalf("Query %+v: %v", q, err)
	}
	if len(page.Items) > q.Limit {
		s.Fatalf("Query %+v has %d items", q, len(page.Items))
	}
	return page
}

// all reads every page of a query.
func (s *suite) all(q store.Query) (items []store.Item) {
	s.Helper()
	for range 1000 {
		page := s.query(q)
		items = append(items, page.Items...)
		if page.Next == "" {
			return items
		}
		q.After = page.Next
	}
	s.Fatalf("Query %+v never ends", q)
	return nil
}

// flush waits for the indexes.
func (s *suite) flush() {
	s.Helper()
	if s.f.Flush != nil {
		s.f.Flush(s)
	}
}

// same compares items; no data and empty data are the same.
func (s *suite) same(what string, want, got any) {
	s.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		s.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func (s *suite) fails(what string, err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("%s: error is %v, want %v", what, err, want)
	}
}

// calls are all methods on a key, for cases in which they all must fail.
func (s *suite) calls(ctx context.Context, k store.Key) map[string]error {
	_, get := s.d.Get(ctx, k)
	_, write := s.d.Write(ctx, now, []store.Op{{Item: s.full(k, 1)}})
	_, query := s.d.Query(ctx, store.Query{Index: store.ByPartition, Value: k.PK, Limit: 1})
	_, add := s.d.Add(ctx, store.Delta{Key: store.Key{PK: k.PK, SK: k.SK + "#counters"}, Field: "n", N: 1})
	return map[string]error{"Get": get, "Write": write, "Query": query, "Add": add}
}
