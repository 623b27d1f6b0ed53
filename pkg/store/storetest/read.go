package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/opennotify/notify/pkg/store"
)

// get keeps the order of the keys, with nil for what is missing, and repeats what is asked for twice.
func (s *suite) get() {
	a, b := s.full(s.key("g", "a"), 1), s.full(s.key("g", "b"), 2)
	plain := store.Item{Key: s.key("g", "plain"), Rev: 3}
	s.put(a, b, plain)
	missing := s.key("g", "missing")
	s.same("items", []*store.Item{&b, nil, &a, &plain, nil, &b}, s.read(b.Key, missing, a.Key, plain.Key, missing, b.Key))
	s.same("no keys", []*store.Item{}, s.read())
	s.put(s.full(a.Key, 9))
	if got := s.read(a.Key)[0]; got == nil || got.Rev != 9 {
		s.Errorf("a write that returned is not seen: %+v", got)
	}
}

// getMany reads more than any backend takes in one request.
func (s *suite) getMany() {
	const n = 230
	var items []store.Item
	var keys []store.Key
	var want []*store.Item
	for i := range n {
		it := s.full(s.key(fmt.Sprint("many", i%7), fmt.Sprint(i)), int64(i+1))
		keys = append(keys, it.Key)
		if i%5 == 0 {
			want = append(want, nil)
			continue
		}
		items, want = append(items, it), append(want, &it)
	}
	s.put(items...)
	s.same("items", want, s.read(keys...))
}

// sizes: data of 380 KB is kept, also several of them in one call and one query; more than 400 KB is
// refused by name.
func (s *suite) sizes() {
	var big []store.Item
	for i := range 5 {
		it := s.full(s.key("big", fmt.Sprint(i)), int64(i+1))
		it.Data = bytes.Repeat([]byte{byte(i), 0xff, 0}, 380<<10/3)
		big = append(big, it)
	}
	s.put(big...)
	for i, got := range s.read(big[0].Key, big[4].Key) {
		if want := big[i*4]; got == nil || !bytes.Equal(got.Data, want.Data) {
			s.Errorf("the data of %s is not what was written", want.SK)
		}
	}
	all := s.all(store.Query{Index: store.ByPartition, Value: big[0].PK, Limit: 100})
	if len(all) != len(big) {
		s.Fatalf("%d items, want %d", len(all), len(big))
	}
	for i, got := range all {
		if !bytes.Equal(got.Data, big[i].Data) {
			s.Errorf("the data of %s is not what was written", big[i].SK)
		}
	}
	over := s.full(s.key("big", "over"), 1)
	over.Data = make([]byte, 401<<10)
	_, err := s.d.Write(s.Context(), now, []store.Op{{Item: over, Cond: store.Absent}})
	s.fails("an item of 401 KB", err, store.ErrTooLarge)
	s.same("the item of 401 KB", []*store.Item{nil}, s.read(over.Key))
}

// anyByte: data is binary, keys are any printable ASCII, and long.
func (s *suite) anyByte() {
	var ascii, binary []byte
	for b := range 256 {
		binary = append(binary, byte(b))
		if b >= 0x20 && b < 0x7f {
			ascii = append(ascii, byte(b))
		}
	}
	it := s.full(s.key(string(ascii), string(ascii)), 1)
	it.Data = binary
	it.List, it.ListSort = it.PK+"L", string(ascii)
	it.DueShard, it.Trouble = it.PK+"D", it.PK+"T"
	long := s.full(store.Key{PK: s.prefix + strings.Repeat("p", 512-len(s.prefix)), SK: strings.Repeat("s", 512)}, 2)
	empty := store.Item{Key: s.key("empty", " "), Rev: 1}
	s.put(it, long, empty)
	s.same("items", []*store.Item{&it, &long, &empty}, s.read(it.Key, long.Key, empty.Key))
	s.flush()
	for index, value := range map[store.Index]string{store.ByPartition: it.PK, store.ByList: it.List, store.ByDue: it.DueShard, store.ByTrouble: it.Trouble} {
		if got := s.all(store.Query{Index: index, Value: value, Limit: 10}); len(got) != 1 || got[0].Key != it.Key {
			s.Errorf("index %d finds %+v", index, got)
		}
	}
}

// badCalls are the caller's mistakes: errors, and nothing is written.
func (s *suite) badCalls() {
	good := s.full(s.key("bad", "good"), 1)
	for name, op := range map[string]store.Op{
		"no partition key":  {Item: store.Item{Key: store.Key{SK: "s"}, Rev: 1}},
		"no sort key":       {Item: store.Item{Key: store.Key{PK: s.prefix}, Rev: 1}},
		"long key":          {Item: store.Item{Key: s.key("bad", strings.Repeat("s", 513)), Rev: 1}},
		"no revision":       {Item: store.Item{Key: s.key("bad", "rev")}},
		"unknown condition": {Item: s.full(s.key("bad", "cond"), 1), Cond: 99},
		"a vacant nothing":  {Cond: store.Vacant},
		"a vacant item":     {Item: store.Item{Key: s.key("bad", "vacant")}, Cond: store.Vacant},
		"a vacant delete":   {Item: store.Item{Key: store.Key{PK: s.prefix}}, Cond: store.Vacant, Delete: true},
	} {
		if _, err := s.d.Write(s.Context(), now, []store.Op{{Item: good}}, []store.Op{op}); err == nil {
			s.Errorf("%s: no error", name)
		}
	}
	s.same("the good sequences beside the bad ones", []*store.Item{nil}, s.read(good.Key))
	for name, q := range map[string]store.Query{
		"limit 0":       {Index: store.ByPartition, Value: s.prefix},
		"limit 1001":    {Index: store.ByPartition, Value: s.prefix, Limit: 1001},
		"unknown index": {Index: 99, Value: s.prefix, Limit: 1},
		"due range":     {Index: store.ByDue, Value: s.prefix, Limit: 1, From: "yesterday"},
	} {
		if _, err := s.d.Query(s.Context(), q); err == nil {
			s.Errorf("query with %s: no error", name)
		}
	}
	_, err := s.d.Query(s.Context(), store.Query{Index: store.ByPartition, Value: s.prefix, Limit: 1, After: "?"})
	s.fails("query with no cursor", err, store.ErrCursor)
}

// cancelled: a caller that has given up gets its own error.
func (s *suite) cancelled() {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	for call, err := range s.calls(ctx, s.key("cancelled", "k")) {
		s.fails(call, err, context.Canceled)
	}
}

func closed(s *suite) {
	k := s.key("closed", "k")
	for call, err := range s.calls(s.Context(), k) {
		if err != nil {
			s.Errorf("%s before Close: %v", call, err)
		}
	}
	if err := s.d.Close(); err != nil {
		s.Fatalf("Close: %v", err)
	}
	if err := s.d.Close(); err != nil && !errors.Is(err, store.ErrClosed) {
		s.Errorf("second Close: %v", err)
	}
	if s.f.UsableAfterClose {
		return
	}
	for call, err := range s.calls(s.Context(), k) {
		s.fails(call+" after Close", err, store.ErrClosed)
	}
}
