package storetest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// indexes are all of them, each with how to place an item at position i of it, and that position's sort
// key. Every item has a partition of its own, except by partition.
func (s *suite) indexes() map[string]placed {
	pk := s.prefix + "#partition"
	base := func(i int) store.Item {
		return store.Item{Key: s.key(fmt.Sprint("item", i), fmt.Sprintf("s%04d", i)), Rev: int64(i + 1), Data: []byte("data")}
	}
	sk := func(i int) string { return fmt.Sprintf("s%04d", i) }
	return map[string]placed{
		"partition": {store.ByPartition, pk, sk, func(i int) store.Item {
			it := base(i)
			it.PK = pk
			return it
		}},
		"list": {store.ByList, s.prefix + "#list", sk, func(i int) store.Item {
			it := base(i)
			it.PK += "#list"
			it.List, it.ListSort = s.prefix+"#list", sk(i)
			return it
		}},
		"due": {store.ByDue, s.prefix + "#due", func(i int) string { return store.DueSort(now + message.Time(i)) }, func(i int) store.Item {
			it := base(i)
			it.PK += "#due"
			it.DueShard, it.DueAt = s.prefix+"#due", now+message.Time(i)
			return it
		}},
		"trouble": {store.ByTrouble, s.prefix + "#trouble", sk, func(i int) store.Item {
			it := base(i)
			it.PK += "#trouble"
			it.Trouble = s.prefix + "#trouble"
			return it
		}},
	}
}

type placed struct {
	index store.Index
	value string
	sort  func(i int) string
	item  func(i int) store.Item
}

// ranges reads each index from, to, forwards, backwards and in pages.
func (s *suite) ranges() {
	const n = 25
	indexes := s.indexes()
	var items []store.Item
	for _, p := range indexes {
		for i := range n {
			items = append(items, p.item((i*7)%n)) // not written in order
		}
	}
	s.put(items...)
	s.flush()
	for name, p := range indexes {
		for _, r := range []struct{ from, to int }{{-1, -1}, {5, -1}, {-1, 20}, {5, 20}, {7, 8}, {8, 8}, {9, 8}, {0, n}, {n, -1}, {-1, 0}} {
			for _, limit := range []int{1, 4, 5, 1000} {
				for _, desc := range []bool{false, true} {
					q := store.Query{Index: p.index, Value: p.value, Desc: desc, Limit: limit}
					lo, hi := 0, n
					if r.from >= 0 {
						q.From, lo = p.sort(r.from), r.from
					}
					if r.to >= 0 {
						q.To, hi = p.sort(r.to), r.to
					}
					if limit == 1 && hi-lo > 3 {
						continue // as many calls as items: the short ranges suffice
					}
					var want []store.Item
					for i := lo; i < hi; i++ {
						want = append(want, shown(p.index, p.item(i)))
					}
					if desc {
						slices.Reverse(want)
					}
					got := s.all(q)
					for i := range got {
						got[i] = shown(p.index, got[i])
					}
					s.same(fmt.Sprintf("%s %+v", name, q), want, got)
				}
			}
		}
		if got := s.all(store.Query{Index: p.index, Value: p.value + "x", Limit: 10}); len(got) != 0 {
			s.Errorf("%s: another value has %d items", name, len(got))
		}
		for _, got := range s.all(store.Query{Index: p.index, Value: p.value, Limit: 10}) {
			if whole := p.index == store.ByPartition; whole != (len(got.Data) > 0) {
				s.Errorf("%s: data %q", name, got.Data)
			}
		}
	}
}

// shown keeps of an item what a page of the index must tell.
func shown(index store.Index, it store.Item) store.Item {
	switch index {
	case store.ByPartition:
		return it
	case store.ByList:
		return store.Item{Key: it.Key, ListSort: it.ListSort}
	case store.ByDue:
		return store.Item{Key: it.Key, DueAt: it.DueAt}
	}
	return store.Item{Key: it.Key}
}

// byteOrder: sort keys compare as bytes, not as letters or numbers.
func (s *suite) byteOrder() {
	order := []string{" ", "!", "0", "10", "9", "A", "Z", "Zz", "_", "a", "aa", "b", "z", "~"}
	var items []store.Item
	for i, sk := range order {
		it := store.Item{Key: s.key("bytes", sk), Rev: int64(i + 1), List: s.prefix + "#bytes", ListSort: sk}
		items = append(items, it)
	}
	slices.Reverse(items)
	s.put(items...)
	s.flush()
	for _, q := range []store.Query{
		{Index: store.ByPartition, Value: s.prefix + "#bytes", Limit: 3},
		{Index: store.ByList, Value: s.prefix + "#bytes", Limit: 3},
	} {
		var got []string
		for _, it := range s.all(q) {
			got = append(got, it.SK)
		}
		s.same(fmt.Sprintf("index %d", q.Index), order, got)
	}
}

// ties: many items at the same place of an index are paged through without a gap or a repeat.
func (s *suite) ties() {
	const n = 23
	var items []store.Item
	for i := range n {
		items = append(items, store.Item{Key: s.key(fmt.Sprint("tie", i), "same"), Rev: 1,
			List: s.prefix + "#ties", ListSort: "same", DueShard: s.prefix + "#ties", DueAt: now, Trouble: s.prefix + "#ties"})
	}
	s.put(items...)
	s.flush()
	for _, index := range []store.Index{store.ByList, store.ByDue, store.ByTrouble} {
		for _, desc := range []bool{false, true} {
			seen := map[store.Key]int{}
			for _, it := range s.all(store.Query{Index: index, Value: s.prefix + "#ties", Limit: 5, Desc: desc}) {
				seen[it.Key]++
			}
			for _, it := range items {
				if seen[it.Key] != 1 {
					s.Errorf("index %d, desc=%t: %s is seen %d times", index, desc, it.PK, seen[it.Key])
				}
			}
		}
	}
}

// pagingBesideWriters: items that stay are seen exactly once, whatever others do between the pages.
func (s *suite) pagingBesideWriters() {
	const n = 40
	var wg sync.WaitGroup
	defer wg.Wait()
	for name, p := range s.indexes() {
		var stay, come []store.Item
		for i := range n {
			stay = append(stay, p.item(2*i))
			come = append(come, p.item(2*i+1))
		}
		s.put(stay...)
		s.put(come[:n/2]...)
		s.flush()
		wg.Go(func() {
			for _, desc := range []bool{false, true} {
				q := store.Query{Index: p.index, Value: p.value, Limit: 6, Desc: desc}
				var got []store.Key
				for i := 0; ; i++ {
					page, err := s.d.Query(s.Context(), q)
					if err != nil {
						s.Errorf("Query: %v", err)
						return
					}
					for _, it := range page.Items {
						if slices.ContainsFunc(stay, func(want store.Item) bool { return want.Key == it.Key }) {
							got = append(got, it.Key)
						}
					}
					if page.Next == "" || i > n {
						break
					}
					q.After = page.Next
					// One comes and one goes, before or behind the place that the cursor names.
					_, err = s.d.Write(s.Context(), now, []store.Op{{Item: come[(i*11)%n]}}, []store.Op{{Item: come[(i*17+1)%n], Delete: true}})
					if err != nil {
						s.Errorf("Write: %v", err)
						return
					}
				}
				var want []store.Key
				for _, it := range stay {
					want = append(want, it.Key)
				}
				if desc {
					slices.Reverse(want)
				}
				if d := cmp.Diff(want, got); d != "" {
					s.Errorf("%s, desc=%t (-want +got):\n%s", name, desc, d)
				}
			}
		})
	}
}

// leavingAnIndex: an item is where its present attributes put it, and nowhere else.
func (s *suite) leavingAnIndex() {
	it := s.full(s.key("leave", "k"), 1)
	counts := func(what string, list, due, trouble int) {
		s.Helper()
		s.flush()
		for index, n := range map[store.Index]int{store.ByList: list, store.ByDue: due, store.ByTrouble: trouble} {
			value := map[store.Index]string{store.ByList: s.prefix + "#list", store.ByDue: s.prefix + "#due", store.ByTrouble: s.prefix + "#trouble"}[index]
			got := s.all(store.Query{Index: index, Value: value, Limit: 10})
			if len(got) != n {
				s.Errorf("%s: index %d has %d items, want %d", what, index, len(got), n)
			} else if n == 1 {
				s.same(fmt.Sprintf("%s: index %d", what, index), shown(index, it), shown(index, got[0]))
			}
		}
	}
	next := func(change func()) {
		s.Helper()
		at := it.Rev
		it.Rev++
		change()
		if r := s.write([]store.Op{{Item: it, Cond: store.AtRev, At: at}})[0]; r.Applied != 1 {
			s.Fatalf("refused by %+v", r.Holder)
		}
	}
	s.put(it)
	counts("put", 1, 1, 1)
	next(func() { it.DueShard, it.DueAt = "", 0 })
	counts("not due", 1, 0, 1)
	next(func() { it.Trouble = "" })
	counts("no trouble", 1, 0, 0)
	next(func() { it.List, it.ListSort, it.DueShard, it.DueAt = "", "", s.prefix+"#due", now+5 })
	counts("due again, in no list", 0, 1, 0)
	next(func() { it.DueAt = now + 500 })
	counts("due later", 0, 1, 0)
	due := store.Query{Index: store.ByDue, Value: s.prefix + "#due", To: store.DueSort(now + 500), Limit: 10}
	if got := s.all(due); len(got) != 0 {
		s.Errorf("due at its old time: %+v", got)
	}
	next(func() { it.List, it.ListSort, it.Trouble = s.prefix+"#list", "z", s.prefix+"#trouble" })
	counts("everywhere", 1, 1, 1)
	s.write([]store.Op{{Item: store.Item{Key: it.Key}, Delete: true}})
	counts("deleted", 0, 0, 0)
}
