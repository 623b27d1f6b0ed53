package storetest

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"slices"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// model is what a driver is, in a map.
type model map[store.Key]store.Item

func (m model) write(now message.Time, seq []store.Op) store.Result {
	for i, op := range seq {
		old, exists := m[op.Item.Key]
		holds := true
		switch op.Cond {
		case store.Absent:
			holds = !exists
		case store.AbsentOrExpired:
			holds = !exists || old.Expires != 0 && old.Expires*1000 <= int64(now)
		case store.AtRev:
			holds = exists && old.Rev == op.At
		case store.Vacant:
			if in := m.query(store.Query{Value: op.Item.PK}); len(in) > 0 {
				old, exists, holds = in[0], true, false
			}
		}
		switch {
		case !holds && exists:
			return store.Result{Applied: i, Holder: &old}
		case !holds:
			return store.Result{Applied: i}
		case op.Cond == store.Vacant:
		case op.Delete:
			delete(m, op.Item.Key)
		default:
			m[op.Item.Key] = op.Item
		}
	}
	return store.Result{Applied: len(seq)}
}

func (m model) query(q store.Query) (found []store.Item) {
	place := func(it store.Item) (value, sort string) {
		switch q.Index {
		case store.ByList:
			return it.List, it.ListSort
		case store.ByDue:
			return it.DueShard, store.DueSort(it.DueAt)
		case store.ByTrouble:
			return it.Trouble, it.SK
		}
		return it.PK, it.SK
	}
	for _, it := range m {
		value, sort := place(it)
		if value == q.Value && sort >= q.From && (q.To == "" || sort < q.To) {
			found = append(found, it)
		}
	}
	slices.SortFunc(found, func(a, b store.Item) int {
		_, x := place(a)
		_, y := place(b)
		if q.Desc {
			x, y = y, x
		}
		return cmp.Or(cmp.Compare(x, y), byKey(a, b))
	})
	return found
}

func byKey(a, b store.Item) int { return cmp.Or(cmp.Compare(a.PK, b.PK), cmp.Compare(a.SK, b.SK)) }

// model makes the same random calls to the driver and to a map, and compares every answer.
func (s *suite) model() {
	steps := 25
	if s.f.Remote {
		steps = 8
	}
	rapid.Check(s, func(t *rapid.T) {
		p := &property{T: t, s: s, prefix: rand.Text()[:12], m: model{}}
		for range rapid.IntRange(1, steps).Draw(t, "steps") {
			if rapid.IntRange(0, 2).Draw(t, "step") > 0 {
				p.write()
			} else {
				p.query()
			}
		}
		p.get()
	})
}

type property struct {
	*rapid.T
	s      *suite
	prefix string
	m      model
}

func (p *property) pick(what string, n int) int { return rapid.IntRange(0, n-1).Draw(p.T, what) }

func (p *property) key() store.Key {
	return store.Key{PK: fmt.Sprint(p.prefix, p.pick("pk", 2)), SK: fmt.Sprint("s", p.pick("sk", 4))}
}

// some is a value, or none.
func (p *property) some(what string) string {
	if n := p.pick(what, 3); n > 0 {
		return fmt.Sprint(p.prefix, n)
	}
	return ""
}

func (p *property) op() store.Op {
	if p.pick("vacant?", 6) == 0 {
		return store.Op{Item: store.Item{Key: store.Key{PK: p.key().PK}}, Cond: store.Vacant}
	}
	it := store.Item{Key: p.key(), Rev: int64(1 + p.pick("rev", 3)), Data: []byte{byte(p.pick("data", 256))},
		List: p.some("list"), DueShard: p.some("due"), Trouble: p.some("trouble")}
	if it.List != "" {
		it.ListSort = fmt.Sprint("l", p.pick("sort", 3))
	}
	if it.DueShard != "" {
		it.DueAt = now + message.Time(p.pick("due at", 3))
	}
	if p.pick("expires?", 2) > 0 {
		it.Expires = nowSeconds + int64(p.pick("expires", 3))
	}
	return store.Op{Item: it, Cond: store.Cond(p.pick("cond", 4)), At: int64(1 + p.pick("at", 3)), Delete: p.pick("delete", 4) == 0}
}

func (p *property) write() {
	at := now + message.Time(p.pick("now", 3000))
	used := map[store.Key]bool{} // by other sequences of the call: they share no key
	var sequences [][]store.Op
	var want []store.Result
	for range p.pick("sequences", 4) {
		var seq []store.Op
		mine := map[store.Key]bool{}
		for range p.pick("elements", 4) {
			op := p.op()
			wanted, written := store.Key{PK: op.Item.PK}, store.Key{PK: op.Item.PK, SK: "*"}
			switch {
			case op.Cond == store.Vacant && !used[written]:
				seq, mine[wanted] = append(seq, op), true
			case op.Cond != store.Vacant && !used[wanted] && !used[op.Item.Key]:
				seq, mine[written], mine[op.Item.Key] = append(seq, op), true, true
			}
		}
		for k := range mine {
			used[k] = true
		}
		sequences, want = append(sequences, seq), append(want, p.m.write(at, seq))
	}
	got, err := p.s.d.Write(context.Background(), at, sequences...)
	if err != nil {
		p.Fatalf("Write: %v", err)
	}
	p.same("results", want, got)
}

func (p *property) get() {
	var keys []store.Key
	var want []*store.Item
	for pk := range 2 {
		for sk := range 4 {
			k := store.Key{PK: fmt.Sprint(p.prefix, pk), SK: fmt.Sprint("s", sk)}
			keys = append(keys, k)
			if it, ok := p.m[k]; ok {
				want = append(want, &it)
			} else {
				want = append(want, nil)
			}
		}
	}
	got, err := p.s.d.Get(context.Background(), keys...)
	if err != nil {
		p.Fatalf("Get: %v", err)
	}
	p.same("items", want, got)
}

func (p *property) query() {
	q := store.Query{Index: store.Index(p.pick("index", 4)), Value: fmt.Sprint(p.prefix, p.pick("value", 3)),
		Desc: p.pick("desc", 2) > 0, Limit: 1 + p.pick("limit", 5)}
	bound := func(what string) string {
		switch n := p.pick(what, 5); {
		case n == 4:
			return ""
		case q.Index == store.ByDue:
			return store.DueSort(now + message.Time(n))
		case q.Index == store.ByList:
			return fmt.Sprint("l", n)
		default:
			return fmt.Sprint("s", n)
		}
	}
	q.From, q.To = bound("from"), bound("to")
	want := p.m.query(q)
	p.s.flush()
	var got []store.Item
	for page := q; ; {
		answer, err := p.s.d.Query(context.Background(), page)
		if err != nil {
			p.Fatalf("Query: %v", err)
		}
		if len(answer.Items) > q.Limit {
			p.Fatalf("%d items, the limit is %d", len(answer.Items), q.Limit)
		}
		got = append(got, answer.Items...)
		if page.After = answer.Next; answer.Next == "" {
			break
		}
	}
	p.same("sorted", sorts(q.Index, want), sorts(q.Index, got))
	for _, items := range [][]store.Item{want, got} { // ties may come in any order
		for i := range items {
			items[i] = shown(q.Index, items[i])
		}
		slices.SortFunc(items, byKey)
	}
	p.same("found", want, got)
}

// sorts are the places of items in an index.
func sorts(index store.Index, items []store.Item) (places []string) {
	for _, it := range items {
		switch index {
		case store.ByList:
			places = append(places, it.ListSort)
		case store.ByDue:
			places = append(places, store.DueSort(it.DueAt))
		default:
			places = append(places, it.SK)
		}
	}
	return places
}

func (p *property) same(what string, want, got any) {
	if d := gocmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		p.Fatalf("%s (-want +got):\n%s", what, d)
	}
}
