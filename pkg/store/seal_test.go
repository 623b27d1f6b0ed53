package store_test

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/seal"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/sqlite"
	"github.com/opennotify/notify/pkg/suppress"
)

// Nothing of a recipient, of variables, content, keys or references is in the file's bytes.
func TestNothingIsReadableInTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "notify.db")
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	w := worldOver(t, db)
	const code, text, idem, subject = "CANARYcode4711", "CANARYtext", "CANARYkey", "CANARYsubject"
	v := accept(t, w.Store, t0, w.draft(anna, t0, key(idem, "h"), func(d *store.Draft) {
		d.Vars, d.Same = []byte(`{"code":"`+code+`"}`), []byte(code)
		d.Message.Class, d.Message.Reference = message.OTP, "a-reference"
	}))
	accept(t, w.Store, t0, w.draft(anna, t0, func(d *store.Draft) {
		d.Vars, d.Content, d.Same, d.Message.Free = nil, &message.Content{Subject: subject, Text: text}, []byte(text), true
	}))
	if err := w.PutSuppression(t.Context(), sys, t0, message.Phone, anna, suppress.Entry{Reason: suppress.Bounce, Masked: message.Mask(anna), At: t0}); err != nil {
		t.Fatal(err)
	}
	w.apply(t0, v.Record, message.Lease{Account: "a", Until: t0.Add(time.Second)}, message.Finish{Epoch: 1, Result: message.Result{Outcome: message.Accepted}})
	hint, err := w.Hint(v.Record)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, b []byte) {
		for _, canary := range []string{anna, anna[1:], anna[3:], code, text, idem, subject} {
			if bytes.Contains(b, []byte(canary)) {
				t.Errorf("%s shows %s", what, canary)
			}
		}
	}
	check("the hint", hint)
	read := func() {
		files, err := filepath.Glob(path + "*")
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			check(f, b)
		}
	}
	read()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	read()
}

// tamper is a driver that changes what it reads of one item.
type tamper struct {
	store.Driver
	change func(*store.Item)
}

func (d *tamper) Get(ctx context.Context, keys ...store.Key) ([]*store.Item, error) {
	items, err := d.Driver.Get(ctx, keys...)
	for _, it := range items {
		if it != nil && d.change != nil {
			it.Data = bytes.Clone(it.Data)
			d.change(it)
		}
	}
	return items, err
}

// Sealed bytes that were changed, or lie with another message, are an error and never garbage.
func TestTampering(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := accept(t, w.Store, t0, w.draft(anna, t0)).Record
	b := accept(t, w.Store, t0, w.draft("+8613800138001", t0, func(d *store.Draft) { d.Vars = []byte(`{"name":"Berta"}`) })).Record
	free := accept(t, w.Store, t0, w.draft("+8613800138002", t0, func(d *store.Draft) {
		d.Vars, d.Message.Free, d.Content = nil, true, &message.Content{Text: "hi"}
	})).Record
	evil := &tamper{Driver: w.db}
	s := w.over(evil)
	type stored struct {
		M    stdjson.RawMessage `json:"m"`
		To   []byte             `json:"to"`
		Vars []byte             `json:"vr"`
	}
	open := func(id message.ID) (stored, *store.Record) {
		var x stored
		evil.change = func(it *store.Item) {
			if err := stdjson.Unmarshal(it.Data, &x); err != nil {
				t.Fatal(err)
			}
		}
		r, err := s.Message(t.Context(), sys, id)
		if err != nil {
			t.Fatal(err)
		}
		return x, r
	}
	mine, _ := open(a.ID)
	theirs, _ := open(b.ID)
	put := func(x stored) *store.Record {
		evil.change = func(it *store.Item) {
			if strings.HasPrefix(it.PK, "m#") {
				it.Data, _ = stdjson.Marshal(x)
			}
		}
		r, err := s.Message(t.Context(), sys, a.ID)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	rapid.Check(t, func(r *rapid.T) {
		x := stored{mine.M, bytes.Clone(mine.To), bytes.Clone(mine.Vars)}
		part := rapid.SampledFrom([][]byte{x.To, x.Vars}).Draw(r, "part")
		part[rapid.IntRange(0, len(part)-1).Draw(r, "at")] ^= byte(rapid.IntRange(1, 255).Draw(r, "bit"))
		got := put(x)
		to, err1 := s.Address(w.Context(), got)
		vars, err2 := s.Vars(w.Context(), got)
		if err1 == nil && string(to) != anna || err2 == nil && vars["name"] != "Anna" || !errors.Is(errors.Join(err1, err2), seal.ErrOpen) {
			r.Fatalf("%q %v, %v %v", string(to), err1, vars, err2)
		}
	})
	for name, x := range map[string]stored{
		"another message's": {mine.M, theirs.To, theirs.Vars}, "each other's": {mine.M, mine.Vars, mine.To}, "cut": {mine.M, mine.To[:5], mine.Vars[:len(mine.Vars)-1]},
	} {
		got := put(x)
		if _, err := s.Address(t.Context(), got); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("%s address: %v", name, err)
		}
		if _, err := s.Vars(t.Context(), got); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("%s variables: %v", name, err)
		}
	}
	evil.change = func(it *store.Item) {
		if strings.HasSuffix(it.SK, "#c") {
			it.Data[len(it.Data)-1] ^= 1
		}
	}
	if _, err := s.Content(t.Context(), free); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("content: %v", err)
	}
	// A wrapped key that was changed, too; and no message is accepted under it.
	evil.change = func(it *store.Item) { it.Data[len(it.Data)-1] ^= 1 }
	if _, err := w.openOver(evil); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("the key of the hashes: %v", err)
	}
	evil.change = nil
	s2 := w.over(evil)
	evil.change = func(it *store.Item) { it.Data[0] ^= 1 }
	if _, err := s2.Accept(t.Context(), shop, t0, w.draft(anna, t0, key("k", "h"))); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("accept: %v", err)
	}
}

func (w *world) openOver(d store.Driver) (*store.Store, error) {
	return store.Open(w.Context(), d, w.file, t0, store.Options{DueShards: 1, ListShards: 1, Random: bytes.NewReader(nil)})
}

// dataKeys are the items of a tenant's data keys.
func (w *world) dataKeys() []store.Item {
	w.Helper()
	page, err := w.db.Query(w.Context(), store.Query{Index: store.ByPartition, Value: "key#shop", Limit: 100})
	if err != nil {
		w.Fatal(err)
	}
	return page.Items
}

// Dropping a data key erases what it sealed, and nothing else.
func TestDroppingAKeyErases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	day2 := t0.Add(24 * time.Hour)
	old := accept(t, w.Store, t0, w.draft(anna, t0)).Record
	next := accept(t, w.Store, day2, w.draft(anna, day2)).Record
	free := accept(t, w.Store, t0, w.draft(anna, t0, func(d *store.Draft) {
		d.Vars, d.Message.Free, d.Content, d.Same = nil, true, &message.Content{Text: "hi"}, []byte("free")
	})).Record
	drop := func(what string) {
		for _, it := range w.dataKeys() {
			if strings.HasPrefix(it.SK, store.Day(t0)) && strings.HasSuffix(it.SK, what) {
				if _, err := w.db.Write(t.Context(), t0, []store.Op{{Delete: true, Item: store.Item{Key: it.Key}}}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	drop("content")
	s := w.over(w.db)
	if _, err := s.Vars(t.Context(), old); !errors.Is(err, store.ErrErased) {
		t.Errorf("variables: %v", err)
	}
	if _, err := s.Content(t.Context(), free); !errors.Is(err, store.ErrErased) {
		t.Errorf("content: %v", err)
	}
	if to, err := s.Address(t.Context(), old); err != nil || string(to) != anna {
		t.Errorf("address: %v", err)
	}
	drop("recipient")
	s = w.over(w.db)
	if _, err := s.Address(t.Context(), old); !errors.Is(err, store.ErrErased) {
		t.Errorf("address: %v", err)
	}
	if to, err := s.Address(t.Context(), next); err != nil || string(to) != anna {
		t.Errorf("the next day's address: %v", err)
	}
	if vars, err := s.Vars(t.Context(), next); err != nil || vars["name"] != "Anna" {
		t.Errorf("the next day's variables: %v", err)
	}
}

// A key's time ends in a process that has it in memory, and where the driver has not removed it yet.
func TestKeysEndInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := accept(t, w.Store, t0, w.draft(anna, t0)).Record
	at29, at33 := t0.Add(29*24*time.Hour), t0.Add(33*24*time.Hour)
	accept(t, w.Store, at29, w.draft(anna, at29))
	if _, err := w.Vars(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	accept(t, w.Store, at33, w.draft(anna, at33))
	if _, err := w.Vars(t.Context(), r); !errors.Is(err, store.ErrErased) {
		t.Errorf("in memory: %v", err)
	}
	s := w.over(w.db)
	accept(t, s, at33, w.draft("+8613800138001", at33))
	if _, err := s.Vars(t.Context(), r); !errors.Is(err, store.ErrErased) {
		t.Errorf("still kept: %v", err)
	}
	if _, err := s.Address(t.Context(), r); err != nil {
		t.Errorf("the recipient is kept longer: %v", err)
	}
}

// Two processes that make the same keys at the same time agree, and find each other's messages.
func TestTwoProcessesAgree(t *testing.T) {
	t.Parallel()
	for round := range 20 {
		w := newWorld(t)
		var stores [4]*store.Store
		var ids [4]message.ID
		var group sync.WaitGroup
		for i := range stores {
			group.Go(func() {
				stores[i] = w.over(w.db)
				d := w.draft(anna, t0, func(d *store.Draft) { d.Window = 0 })
				d.Message.ID = message.NewID(stores[i].Partition(message.Phone, anna, 1, ""), newULID(t0))
				ids[i] = accept(t, stores[i], t0, d).Record.ID
			})
		}
		group.Wait()
		for _, s := range stores {
			for _, id := range ids {
				r, err := s.Message(t.Context(), shop, id)
				if err != nil {
					t.Fatal(round, err)
				}
				to, err1 := s.Address(t.Context(), r)
				vars, err2 := s.Vars(t.Context(), r)
				if err := errors.Join(err1, err2); err != nil || string(to) != anna || vars["name"] != "Anna" {
					t.Fatalf("round %d: %v", round, err)
				}
			}
			if got := s.Partition(message.Phone, anna, 1, ""); got != stores[0].Partition(message.Phone, anna, 1, "") {
				t.Fatal("the hashes differ")
			}
		}
	}
}

// Variables come back as they were sent, numbers to the last digit.
func TestVariablesKeepTheirForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sent := map[string]any{"n": stdjson.Number("12345678901234567890"), "f": stdjson.Number("19.90"), "s": "<é&>", "b": true, "l": []any{map[string]any{"x": stdjson.Number("1")}}}
	text, err := stdjson.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	r := accept(t, w.Store, t0, w.draft(anna, t0, func(d *store.Draft) { d.Vars = text })).Record
	got, err := w.Vars(t.Context(), r)
	if diff := cmp.Diff(sent, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

// A code is blanked by the write that ends its message, as template variables; as free content it stays to be done.
func TestBlanking(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, free := range []bool{false, true} {
		r := accept(t, w.Store, t0, w.draft(fmt.Sprintf("+861380013800%d", i), t0, func(d *store.Draft) {
			d.Message.Class = message.OTP
			if free {
				d.Vars, d.Message.Free, d.Message.Template, d.Content = nil, true, message.Ref{}, &message.Content{Text: "4711"}
			}
		})).Record
		before := w.sql.Stats().Commits
		r = w.apply(t0, r, message.Cancel{})
		if n := w.sql.Stats().Commits - before; n != 1 {
			t.Errorf("%d commits", n)
		}
		if _, err := w.Vars(t.Context(), r); !free && !errors.Is(err, store.ErrErased) {
			t.Errorf("variables: %v", err)
		}
		if free != (r.Todo&message.BlankVars != 0) || r.Due == 0 {
			t.Errorf("free content %v: %d is left to do, due at %s", free, r.Todo, r.Due)
		}
		if err := w.Blank(t.Context(), shop, t0, r); err != nil {
			t.Error(err)
		}
		if _, err := w.Content(t.Context(), r); !errors.Is(err, store.ErrErased) {
			t.Errorf("content: %v", err)
		}
	}
}
