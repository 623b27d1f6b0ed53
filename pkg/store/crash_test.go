package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/memory"
	"github.com/opennotify/notify/pkg/store/storetest"
)

// A process that dies after any element of the sequence leaves claims whose record is missing. Whoever
// comes next (the same key, or the same content) ends with exactly one record, reachable through both.
func TestCrashAtEveryElement(t *testing.T) {
	t.Parallel()
	full := []func(*store.Draft){key("k", "h"), func(d *store.Draft) {
		d.Message.Reference, d.Message.Free, d.Message.Template = "order-1", true, message.Ref{}
		d.Vars, d.Content = nil, &message.Content{Text: "hi"}
	}}
	shapes := map[string][]func(*store.Draft){
		"all":         full,
		"key only":    {key("k", "h"), func(d *store.Draft) { d.Window = 0 }},
		"content":     {},
		"key+content": {key("k", "h")},
	}
	nexts := map[string]func(d *store.Draft){
		"same key":    key("k", "h"),
		"another key": key("k2", "h2"),
		"no key":      func(d *store.Draft) { d.Key = nil },
	}
	for shape, change := range shapes {
		for next, with := range nexts {
			for _, suppressed := range []string{"", "bank"} { // by nobody, or by another tenant
				for crash, done := 0, false; !done && crash < 20; crash++ {
					name := fmt.Sprintf("%s/%s/suppressed by %q/after %d", shape, next, suppressed, crash)
					w := worldOver(t, memory.New())
					accept(t, w.Store, t0, w.draft("+8613800138999", t0)) // the data keys are there
					if suppressed != "" {
						w.suppress(anna, suppressed)
					}
					done = crashOnce(t, w, name, crash, change, with, next == "same key")
				}
			}
		}
	}
}

// crashOnce tells whether the sequence was over before the crash.
func crashOnce(t *testing.T, w *world, name string, crash int, change []func(*store.Draft), with func(*store.Draft), sameKey bool) bool {
	t.Helper()
	dying := &stepwise{Driver: w.db, left: -1}
	s := w.over(dying)
	first := w.draft(anna, t0, change...)
	dying.left = crash
	_, err := s.Accept(t.Context(), shop, t0, first)
	if err != nil && !errors.Is(err, errCrash) {
		t.Fatal(name, err)
	}
	over := err == nil
	if first.Window == 0 && !sameKey {
		return over // nothing connects the two
	}
	later := t0.Add(time.Second)
	second := w.draft(anna, later, append(change, with)...)
	v := accept(t, w.Store, later, second)
	all := w.records(anna)
	if len(all) != 1 || v.Record == nil || v.Record.ID != all[0].ID {
		t.Errorf("%s: %d records, answer %+v", name, len(all), v)
		return over
	}
	claimed := crash > 1 || crash == 1 && (sameKey || first.Key == nil)
	if claimed && v.Record.ID != first.Message.ID {
		t.Errorf("%s: the promised id was not kept: %+v", name, v)
	}
	reachable(t, w, name, all[0], first, second)
	return over
}

func reachable(t *testing.T, w *world, name string, r *store.Record, drafts ...*store.Draft) {
	t.Helper()
	later := t0.Add(2 * time.Second)
	for _, d := range drafts {
		again := *d
		again.Message = w.draft(anna, later).Message
		again.Message.Free, again.Message.Reference, again.Message.Template = d.Message.Free, d.Message.Reference, d.Message.Template
		if v := accept(t, w.Store, later, &again); v.New || v.Mismatch || v.Record.ID != r.ID {
			t.Errorf("%s: a retry gives %+v", name, v)
		}
		again.Key = nil
		if v := accept(t, w.Store, later, &again); d.Window > 0 && (!v.Duplicate || v.Record.ID != r.ID) {
			t.Errorf("%s: equal content gives %+v", name, v)
		}
	}
	if to, err := w.Address(t.Context(), r); err != nil || string(to) != anna {
		t.Errorf("%s: address %q, %v", name, string(to), err)
	}
	if r.Free {
		if c, err := w.Content(t.Context(), r); err != nil || c.Text != "hi" {
			t.Errorf("%s: content %+v, %v", name, c, err)
		}
	} else if vars, err := w.Vars(t.Context(), r); err != nil || vars["name"] != "Anna" {
		t.Errorf("%s: variables %v, %v", name, vars, err)
	}
	if r.Reference != "" {
		f, err := w.ByReference(t.Context(), shop, "shop", r.Reference, store.Range{}, 10, "")
		if err != nil || len(f.Records) != 1 || f.Records[0].ID != r.ID {
			t.Errorf("%s: by reference %+v, %v", name, f, err)
		}
	}
}

// The same, to somebody who must not be written to: whoever comes next is suppressed too, under the promised
// id if the key says so, and when the suppression is lifted no claim is in the way.
func TestCrashWhileSuppressed(t *testing.T) {
	t.Parallel()
	for _, sameKey := range []bool{true, false} {
		for crash, over := 0, false; !over && crash < 20; crash++ {
			name := fmt.Sprintf("same key %t/after %d", sameKey, crash)
			w := worldOver(t, memory.New())
			accept(t, w.Store, t0, w.draft("+8613800138999", t0)) // the data keys are there
			w.suppress(anna, "")
			dying := &stepwise{Driver: w.db, left: -1}
			s := w.over(dying)
			dying.left = crash
			first := w.draft(anna, t0, key("k1", "h"))
			_, err := s.Accept(t.Context(), shop, t0, first)
			if over = err == nil; !over && !errors.Is(err, errCrash) {
				t.Fatal(name, err)
			}
			later := t0.Add(time.Second)
			second := w.draft(anna, later, key("k2", "h"))
			if sameKey {
				second.Key = first.Key
			}
			v := accept(t, w.Store, later, second)
			if sameKey && crash > 0 && v.Record.ID != first.Message.ID {
				t.Errorf("%s: the promised id was not kept: %+v", name, v)
			}
			if again := accept(t, w.Store, later, w.draft(anna, later, key("k1", "h"))); sameKey && again.Record.ID != v.Record.ID {
				t.Errorf("%s: a retry gives %+v", name, again)
			}
			for _, r := range w.records(anna) {
				if r.Status != message.Suppressed || r.Claim != "" || r.Due != 0 {
					t.Errorf("%s: %+v", name, r)
				}
			}
			w.lift(anna)
			if v := accept(t, w.Store, later, w.draft(anna, later)); !v.New || v.Record.Status != message.Queued {
				t.Errorf("%s: lifted: %+v", name, v)
			}
		}
	}
}

// Two requests with keys of their own, and one content, both cut off: the third finds one id for all.
func TestTwoCrashesOnOneContent(t *testing.T) {
	t.Parallel()
	for a := range 4 {
		for b := range 5 {
			w := worldOver(t, memory.New())
			accept(t, w.Store, t0, w.draft("+8613800138999", t0))
			for i, crash := range []int{a, b} {
				dying := &stepwise{Driver: w.db, left: -1}
				s := w.over(dying)
				dying.left = crash
				if _, err := s.Accept(t.Context(), shop, t0, w.draft(anna, t0, key(fmt.Sprint("k", i), "h"))); err != nil && !errors.Is(err, errCrash) {
					t.Fatal(err)
				}
			}
			var ids []message.ID
			for i := range 2 {
				v := accept(t, w.Store, t0, w.draft(anna, t0, key(fmt.Sprint("k", i), "h")))
				ids = append(ids, v.Record.ID)
			}
			if all := w.records(anna); len(all) != 1 || ids[0] != all[0].ID || ids[1] != all[0].ID {
				t.Errorf("%d %d: %d records, answers %v", a, b, len(all), ids)
			}
		}
	}
}

// A call that was applied and answered with an error is repeated by the caller: still one record.
func TestAppliedThenError(t *testing.T) {
	t.Parallel()
	for at := range 12 {
		for _, after := range []bool{false, true} {
			w := worldOver(t, memory.New())
			if at >= 6 { // more calls
				w.suppress(anna, "bank")
			}
			n := -1 // not counting
			s := w.over(storetest.Faults(w.db, func(string) storetest.Fault {
				if n >= 0 {
					n++
				}
				if n != at%6+1 {
					return storetest.Fault{}
				}
				if after {
					return storetest.Fault{After: errCrash}
				}
				return storetest.Fault{Before: errCrash}
			}))
			n = 0
			if _, err := s.Accept(t.Context(), shop, t0, w.draft(anna, t0, key("k", "h"))); err != nil && !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			n = -1
			v := accept(t, s, t0, w.draft(anna, t0, key("k", "h")))
			if all := w.records(anna); len(all) != 1 || v.Record.ID != all[0].ID || !v.New && !v.Replay {
				t.Errorf("call %d, after %t: %d records, %+v", at, after, len(all), v)
			}
			if to, err := w.Address(t.Context(), v.Record); err != nil || string(to) != anna {
				t.Errorf("call %d, after %t: %v", at, after, err)
			}
		}
	}
}

// A request is about to be told of a duplicate, when that one ends and a retry with the same key is
// accepted: both are answered with the retry's message.
func TestRetryOvertakesADuplicate(t *testing.T) {
	t.Parallel()
	w := worldOver(t, memory.New())
	holder := accept(t, w.Store, t0, w.draft(anna, t0)).Record
	var retry store.Verdict
	writes := -1 // not counting
	s := w.over(storetest.Faults(w.db, func(call string) storetest.Fault {
		if call != "Write" || writes < 0 {
			return storetest.Fault{}
		}
		if writes++; writes != 2 { // the second points the key at the holder
			return storetest.Fault{}
		}
		return storetest.Fault{Hold: func(context.Context) {
			w.apply(t0, holder, message.Cancel{})
			retry = accept(t, w.Store, t0, w.draft(anna, t0, key("k", "h")))
		}}
	}))
	accept(t, s, t0, w.draft("+8613800138001", t0)) // the data keys are in memory
	writes = 0
	v := accept(t, s, t0, w.draft(anna, t0, key("k", "h")))
	if !retry.New || v.Record.ID != retry.Record.ID || !v.Replay {
		t.Errorf("%+v, and the retry %+v", v, retry)
	}
}

// A row of a run keeps its id, whatever claim a crash left in its way: or its run would write to its recipient under
// another, and once more when it comes again.
func TestFixedID(t *testing.T) {
	t.Parallel()
	for crash, over := 0, false; !over && crash < 20; crash++ {
		w := worldOver(t, memory.New())
		accept(t, w.Store, t0, w.draft("+8613800138999", t0)) // the data keys are there
		dying := &stepwise{Driver: w.db, left: -1}
		s := w.over(dying)
		first := w.draft(anna, t0)
		dying.left = crash
		_, err := s.Accept(t.Context(), shop, t0, first)
		if err != nil && !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		over = err == nil
		row := w.draft(anna, t0, func(d *store.Draft) { d.Fixed = true })
		v := accept(t, w.Store, t0.Add(time.Minute), row) // who was cut off is not at work any more
		switch n := len(w.records(anna)); {
		case n != 1, v.New && v.Record.ID != row.Message.ID, !v.New && (!v.Duplicate || v.Record.ID != first.Message.ID):
			t.Errorf("after %d: %d records, %+v", crash, n, v)
		case !v.New:
			continue
		}
		ended := w.apply(t0, v.Record, message.Cancel{})
		if err := w.Release(t.Context(), shop, t0, ended); err != nil {
			t.Fatal(err)
		}
		if again := accept(t, w.Store, t0, row); again.New || again.Record.ID != row.Message.ID || len(w.records(anna)) != 1 {
			t.Errorf("after %d, once more: %+v", crash, again)
		}
	}
}

// Who dies while he ends a code with free content leaves the content gone, or due to be blanked.
func TestCrashWhileACodeEnds(t *testing.T) {
	t.Parallel()
	for left := range 4 {
		w := worldOver(t, memory.New())
		r := accept(t, w.Store, t0, w.draft(anna, t0, func(d *store.Draft) {
			d.Message.Class, d.Message.Free, d.Message.Template = message.OTP, true, message.Ref{}
			d.Vars, d.Content, d.Window = nil, &message.Content{Text: "4711"}, 0
		})).Record
		dying := &stepwise{Driver: w.db, left: -1}
		s := w.over(dying)
		dying.left = left
		_, _ = s.Update(t.Context(), shop, t0, r, message.Cancel{})
		now := w.records(anna)[0]
		_, err := w.Content(t.Context(), now)
		if gone := errors.Is(err, store.ErrErased); now.Status == message.Cancelled && !gone && (now.Todo&message.BlankVars == 0 || now.Due == 0) {
			t.Errorf("after %d elements its content stays for good: %+v", left, now.Message)
		}
	}
}
