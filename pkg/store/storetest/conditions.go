package storetest

import (
	"fmt"
	"sync"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// conditions tries every condition on everything that can be there, for puts and for deletes, as the
// sequences of one call.
func (s *suite) conditions() {
	type there struct {
		name    string
		exists  bool
		expires int64
	}
	type cond struct {
		name  string
		cond  store.Cond
		at    int64
		holds func(there) bool
	}
	theres := []there{
		{name: "absent"},
		{"present for ever", true, 0},
		{"present for now", true, nowSeconds + 1},
		{"expired", true, nowSeconds - 1},
	}
	conds := []cond{
		{"always", store.Always, 0, func(there) bool { return true }},
		{"absent", store.Absent, 0, func(t there) bool { return !t.exists }},
		{"absent or expired", store.AbsentOrExpired, 0, func(t there) bool { return !t.exists || t.expires == nowSeconds-1 }},
		{"its revision", store.AtRev, 7, func(t there) bool { return t.exists }},
		{"other revision", store.AtRev, 6, func(there) bool { return false }},
	}
	var names []string
	var before []store.Item
	var sequences [][]store.Op
	var want []store.Result
	var after []*store.Item
	var keys []store.Key
	for _, t := range theres {
		for _, c := range conds {
			for _, del := range []bool{false, true} {
				k := s.key(fmt.Sprintf("%s, %s, delete=%t", t.name, c.name, del), "k")
				old, put := s.full(k, 7), s.full(k, 8)
				old.Expires = t.expires
				op := store.Op{Item: put, Cond: c.cond, At: c.at, Delete: del}
				var holder, left *store.Item
				if t.exists {
					before = append(before, old)
					holder, left = &old, &old
				}
				result := store.Result{Holder: holder}
				if c.holds(t) {
					result = store.Result{Applied: 1}
					if left = &put; del {
						left = nil
					}
				}
				names, keys = append(names, k.PK), append(keys, k)
				sequences, want, after = append(sequences, []store.Op{op}), append(want, result), append(after, left)
			}
		}
	}
	s.put(before...)
	got := s.write(sequences...)
	left := s.read(keys...)
	for i, name := range names {
		s.same(name+": result", want[i], got[i])
		s.same(name+": item afterwards", after[i], left[i])
	}
}

// expiry is a matter of the second of Expires, and 0 is never.
func (s *suite) expiry() {
	for name, tt := range map[string]struct {
		now   message.Time
		taken bool
	}{
		"a millisecond before": {now - 1, false},
		"at":                   {now, true},
		"a millisecond after":  {now + 1, true},
		"long before":          {1, false},
	} {
		for _, del := range []bool{false, true} {
			claim := s.full(s.key(fmt.Sprintf("%s %t", name, del), "claim"), 1)
			claim.Expires = nowSeconds
			s.put(claim)
			r := s.writeAt(tt.now, []store.Op{{Item: s.full(claim.Key, 2), Cond: store.AbsentOrExpired, Delete: del}})[0]
			want := store.Result{Holder: &claim}
			if tt.taken {
				want = store.Result{Applied: 1}
			}
			s.same(fmt.Sprintf("now is %s Expires, delete=%t", name, del), want, r)
		}
	}
}

// purged: once a driver has removed what expired, it is absent, and the rest is there.
func (s *suite) purged() {
	gone, kept, forever := s.full(s.key("p", "gone"), 1), s.full(s.key("p", "kept"), 1), s.full(s.key("p", "forever"), 1)
	gone.Expires, kept.Expires, forever.Expires = 1_000_000_000, nowSeconds, 0
	s.put(gone, kept, forever)
	if s.f.Purge != nil {
		s.f.Purge(s, s.d, 1_000_000_000_000)
		s.same("after the purge", []*store.Item{nil, &kept, &forever}, s.read(gone.Key, kept.Key, forever.Key))
	}
	put := s.full(gone.Key, 2)
	s.same("taking it over", store.Result{Applied: 1}, s.write([]store.Op{{Item: put, Cond: store.AbsentOrExpired}})[0])
	s.same("taken over", []*store.Item{&put, &kept, &forever}, s.read(gone.Key, kept.Key, forever.Key))
}

// stops: a sequence ends at its first refusal; what came before stays, what comes after is not tried.
func (s *suite) stops() {
	a, b, c := s.full(s.key("a", "1"), 1), s.full(s.key("b", "1"), 1), s.full(s.key("c", "1"), 1)
	s.put(b)
	other := s.full(b.Key, 2)
	absent := func(it store.Item) store.Op { return store.Op{Item: it, Cond: store.Absent} }
	s.same("refused in the middle", store.Result{Applied: 1, Holder: &b}, s.write([]store.Op{absent(a), absent(other), absent(c)})[0])
	s.same("afterwards", []*store.Item{&a, &b, nil}, s.read(a.Key, b.Key, c.Key))
	s.same("refused at once", store.Result{Applied: 0, Holder: &a}, s.write([]store.Op{absent(a), absent(c)})[0])
	s.same("refused by nothing", store.Result{}, s.write([]store.Op{{Item: c, Cond: store.AtRev, At: 1}})[0])
	s.same("refused at the end", store.Result{Applied: 1, Holder: &b}, s.write([]store.Op{absent(c), absent(other)})[0])
	s.same("an empty sequence", []store.Result{{}}, s.write(nil))
	s.same("no sequence", []store.Result{}, s.write())
}

// vacant: a partition with anything in it, whoever wrote it and though it has expired, stops the sequence,
// and shows its first item. One without lets it go on, and is not written to.
func (s *suite) vacant() {
	vacant := func(pk string) store.Op {
		return store.Op{Item: store.Item{Key: store.Key{PK: pk}}, Cond: store.Vacant}
	}
	first, second, expired := s.full(s.key("full", "1"), 1), s.full(s.key("full", "2"), 1), s.full(s.key("expired", "1"), 1)
	expired.Expires = nowSeconds - 1
	s.put(second, first, expired)
	claim, record := s.full(s.key("claim", "c"), 1), s.full(s.key("record", "r"), 1)
	seq := func(pk string) []store.Op {
		return []store.Op{{Item: claim, Cond: store.AbsentOrExpired}, vacant(pk), {Item: record, Cond: store.Absent}}
	}
	s.same("refused", store.Result{Applied: 1, Holder: &first}, s.write(seq(first.PK))[0])
	s.same("afterwards", []*store.Item{&claim, nil}, s.read(claim.Key, record.Key))
	s.same("refused by what has expired", store.Result{Holder: &expired}, s.write([]store.Op{vacant(expired.PK)})[0])
	s.same("its neighbours do not count", []store.Result{{Applied: 1}, {Applied: 1}, {Applied: 1}},
		s.write([]store.Op{vacant(first.PK[:len(first.PK)-1])}, []store.Op{vacant(first.PK + "1")}, []store.Op{vacant(s.prefix)}))

	empty := s.key("empty", "1").PK
	s.same("held", store.Result{Applied: 2}, s.write([]store.Op{vacant(empty), {Item: record, Cond: store.Absent}})[0])
	s.same("written", []*store.Item{&record}, s.read(record.Key))
	s.same("nothing written", []store.Item(nil), s.all(store.Query{Index: store.ByPartition, Value: empty, Limit: 10}))
	s.same("many at once", []store.Result{{Applied: 1}, {Holder: &first}, {Applied: 1}, {Holder: &first}},
		s.write([]store.Op{vacant(empty)}, []store.Op{vacant(first.PK)}, []store.Op{vacant(empty)}, []store.Op{vacant(first.PK)}))

	own := s.full(s.key("own", "1"), 1)
	s.same("a sequence sees itself", store.Result{Applied: 4, Holder: &own}, s.write([]store.Op{
		{Item: own, Cond: store.Absent}, {Item: own, Delete: true}, vacant(own.PK), {Item: own, Cond: store.Absent}, vacant(own.PK)})[0])
}

// seesItself: later elements meet what earlier ones wrote.
func (s *suite) seesItself() {
	k := s.key("k", "1")
	r := s.write([]store.Op{
		{Item: s.full(k, 1), Cond: store.Absent},
		{Item: s.full(k, 2), Cond: store.AtRev, At: 1},
		{Item: store.Item{Key: k}, Cond: store.AtRev, At: 2, Delete: true},
		{Item: s.full(k, 3), Cond: store.Absent},
		{Item: s.full(k, 4), Cond: store.AtRev, At: 2},
	})[0]
	third := s.full(k, 3)
	s.same("result", store.Result{Applied: 4, Holder: &third}, r)
	s.same("item", []*store.Item{&third}, s.read(k))
}

// keepOrder: the results of many sequences, some refused, come in the order of the sequences.
func (s *suite) keepOrder() {
	const n = 60
	var taken []store.Item
	var sequences [][]store.Op
	var want []store.Result
	var keys []store.Key
	var left []*store.Item
	for i := range n {
		first, second := s.full(s.key("o", fmt.Sprintf("%03d-1", i)), int64(i+1)), s.full(s.key("o", fmt.Sprintf("%03d-2", i)), int64(i+1))
		result := store.Result{Applied: 2}
		holder := first
		if i%3 == 0 {
			holder.Rev += 1000
			taken = append(taken, holder)
			result = store.Result{Holder: &holder}
		}
		sequences = append(sequences, []store.Op{{Item: first, Cond: store.Absent}, {Item: second, Cond: store.Absent}})
		want, keys = append(want, result), append(keys, first.Key, second.Key)
		if i%3 == 0 {
			left = append(left, &holder, nil)
		} else {
			left = append(left, &first, &second)
		}
	}
	s.put(taken...)
	s.same("results", want, s.write(sequences...))
	s.same("items", left, s.read(keys...))
}

// races: of many that want the same, exactly one gets it, and the others are told who.
func (s *suite) races() {
	const racers = 32
	for name, op := range map[string]store.Op{
		"absent":            {Cond: store.Absent},
		"absent or expired": {Cond: store.AbsentOrExpired},
		"at revision":       {Cond: store.AtRev, At: 1},
	} {
		k := s.key(name, "k")
		if op.Cond != store.Absent {
			old := s.full(k, 1)
			old.Expires = nowSeconds - 5
			s.put(old)
		}
		results := make([]store.Result, racers)
		items := make([]store.Item, racers)
		var wg sync.WaitGroup
		for i := range racers {
			items[i] = s.full(k, 2)
			items[i].Data = fmt.Appendf(nil, "racer %d", i)
			wg.Go(func() {
				op := op
				op.Item = items[i]
				r, err := s.d.Write(s.Context(), now, []store.Op{op})
				if err != nil {
					s.Errorf("%s: Write: %v", name, err)
					return
				}
				results[i] = r[0]
			})
		}
		wg.Wait()
		winner := -1
		for i, r := range results {
			if r.Applied == 1 && winner >= 0 {
				s.Errorf("%s: %d and %d both won", name, winner, i)
			} else if r.Applied == 1 {
				winner = i
			}
		}
		if winner < 0 {
			s.Errorf("%s: nobody won", name)
			continue
		}
		for i, r := range results {
			if i != winner {
				s.same(fmt.Sprintf("%s: loser %d", name, i), store.Result{Holder: &items[winner]}, r)
			}
		}
		s.same(name+": what is kept", []*store.Item{&items[winner]}, s.read(k))
	}
}
