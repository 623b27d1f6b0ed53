package storetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/opennotify/notify/pkg/store"
)

// counters: what many add at once is summed, and none is lost; each is told a sum of its own.
func (s *suite) counters() {
	const adders = 64
	a, b := s.key("count", "a"), s.key("count", "b")
	var wg sync.WaitGroup
	var places [adders]int64
	for i := range adders {
		wg.Go(func() {
			sums, err := s.d.Add(s.Context(),
				store.Delta{Key: a, Field: "sent", N: 1, Expires: nowSeconds},
				store.Delta{Key: a, Field: fmt.Sprint("s", i%4), N: int64(i), Expires: nowSeconds},
				store.Delta{Key: b, Field: "sent", N: -2},
				store.Delta{Key: b, Field: "sent", N: 1})
			if err != nil {
				s.Errorf("Add: %v", err)
				return
			}
			if len(sums) != 4 || sums[1] < int64(i) || sums[2] >= 0 || sums[2] != sums[3] {
				s.Errorf("sums %v", sums)
				return
			}
			places[i] = sums[0]
		})
	}
	wg.Wait()
	slices.Sort(places[:])
	for i, n := range places {
		if n != int64(i+1) {
			s.Errorf("the places are %v", places)
			break
		}
	}
	want := []map[string]int64{{"sent": adders, "s0": 480, "s1": 496, "s2": 512, "s3": 528}, {"sent": -adders}}
	got := s.read(a, b)
	for i, it := range got {
		if it == nil {
			s.Fatalf("counter %d is missing", i)
		}
		s.same(fmt.Sprintf("counter %d", i), want[i], s.sums(it.Data))
	}
	if got[0].Expires != nowSeconds || got[1].Expires != 0 {
		s.Errorf("expires %d and %d", got[0].Expires, got[1].Expires)
	}
	page := s.all(store.Query{Index: store.ByPartition, Value: a.PK, Limit: 10})
	if len(page) != 2 {
		s.Fatalf("%d counters in the partition", len(page))
	}
	for i, it := range page {
		s.same(fmt.Sprintf("counter %d of the partition", i), want[i], s.sums(it.Data))
	}
	if _, err := s.d.Add(s.Context()); err != nil {
		s.Errorf("adding nothing: %v", err)
	}
}

// countersAreItems: they are listed among others, and deleted like others.
func (s *suite) countersAreItems() {
	k := s.key("mixed", "b")
	s.put(store.Item{Key: s.key("mixed", "a"), Rev: 1}, store.Item{Key: s.key("mixed", "c"), Rev: 1})
	for _, d := range []store.Delta{
		{Key: k, Field: `"odd" field`, N: 1 << 40, Expires: nowSeconds},
		{Key: k, Field: `"odd" field`, N: 1}, // leaves the expiry as it is
	} {
		if _, err := s.d.Add(s.Context(), d); err != nil {
			s.Fatalf("Add: %v", err)
		}
	}
	var order string
	for _, it := range s.all(store.Query{Index: store.ByPartition, Value: k.PK, Limit: 2}) {
		order += it.SK
	}
	s.same("order", "abc", order)
	if it := s.read(k)[0]; it == nil {
		s.Error("the counter is missing")
	} else {
		s.same("sums", map[string]int64{`"odd" field`: 1<<40 + 1}, s.sums(it.Data))
		s.same("expires", int64(nowSeconds), it.Expires)
	}
	s.write([]store.Op{{Item: store.Item{Key: k}, Delete: true}})
	s.same("deleted", []*store.Item{nil}, s.read(k))
	if sums, err := s.d.Add(s.Context(), store.Delta{Key: k, Field: "n", N: 3}); err != nil || len(sums) != 1 || sums[0] != 3 {
		s.Fatalf("Add: %v %v", sums, err)
	}
	if it := s.read(k)[0]; it == nil {
		s.Error("the new counter is missing")
	} else {
		s.same("begun anew", map[string]int64{"n": 3}, s.sums(it.Data))
	}
}

func (s *suite) sums(data []byte) (sums map[string]int64) {
	s.Helper()
	if err := json.Unmarshal(data, &sums); err != nil {
		s.Errorf("counters %q: %v", data, err)
	}
	return sums
}
