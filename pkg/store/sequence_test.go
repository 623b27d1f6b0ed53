package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/storetest"
	"github.com/opennotify/notify/pkg/suppress"
)

// What suppressions of the recipient do to a draft: the one that stops it leaves a record without claim and,
// of a code, without content; others are looked at once and leave no trace.
func TestGuarded(t *testing.T) {
	t.Parallel()
	otp := func(d *store.Draft) { d.Message.Class = message.OTP }
	free := func(d *store.Draft) {
		d.Message.Free, d.Message.Template, d.Vars, d.Content = true, message.Ref{}, nil, &message.Content{Text: "code"}
	}
	tomorrow := func(d *store.Draft) { d.Message.SendAt = t0.Add(24 * time.Hour) }
	unguarded := func(d *store.Draft) { d.Guarded = false }
	all := suppress.Entry{Reason: suppress.Manual}
	for name, c := range map[string]struct {
		entries []suppress.Entry
		shape   []func(*store.Draft)
		stopped bool
		erased  bool
	}{
		"none":                        {nil, nil, false, false},
		"all":                         {[]suppress.Entry{all}, nil, true, false},
		"all, with a key":             {[]suppress.Entry{all}, []func(*store.Draft){key("k", "h")}, true, false},
		"all, free content":           {[]suppress.Entry{all}, []func(*store.Draft){free}, true, false},
		"all, a code":                 {[]suppress.Entry{all}, []func(*store.Draft){otp}, true, true},
		"all, a code in free content": {[]suppress.Entry{all}, []func(*store.Draft){otp, free}, true, true},
		"all, unguarded":              {[]suppress.Entry{all}, []func(*store.Draft){unguarded}, false, false},
		"of another tenant":           {[]suppress.Entry{{Tenant: "bank", Reason: suppress.Bounce}}, []func(*store.Draft){key("k", "h")}, false, false},
		"of another and ours":         {[]suppress.Entry{{Tenant: "bank", Reason: suppress.Bounce}, {Tenant: "shop", Reason: suppress.Bounce}}, nil, true, false},
		"over":                        {[]suppress.Entry{{Reason: suppress.Bounce, Until: t0}}, nil, false, false},
		"over when it is sent":        {[]suppress.Entry{{Reason: suppress.Bounce, Until: t0.Add(time.Hour)}}, []func(*store.Draft){tomorrow}, false, false},
		"an opt-out and a code":       {[]suppress.Entry{{Reason: suppress.OptOut}}, []func(*store.Draft){otp}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for _, e := range c.entries {
				if err := w.PutSuppression(t.Context(), sys, t0, message.Phone, anna, e); err != nil {
					t.Fatal(err)
				}
			}
			v := accept(t, w.Store, t0, w.draft(anna, t0, c.shape...))
			r := v.Record
			if !v.New || (r.Status == message.Suppressed) != c.stopped || (r.Claim == "") != c.stopped || (r.Due == 0) != c.stopped || c.stopped != (r.Reason != "") {
				t.Errorf("%+v of %+v", v, r)
			}
			var err error
			if r.Free {
				_, err = w.Content(t.Context(), r)
			} else {
				_, err = w.Vars(t.Context(), r)
			}
			if errors.Is(err, store.ErrErased) != c.erased || !c.erased && err != nil {
				t.Errorf("the content: %v", err)
			}
			// Without its claim it is no duplicate of what comes next.
			if next := accept(t, w.Store, t0.Add(time.Second), w.draft(anna, t0.Add(time.Second), c.shape...)); next.New && !c.stopped || next.Duplicate && c.stopped {
				t.Errorf("the same again: %+v", next)
			}
		})
	}
}

// A duplicate is answered before anybody asks for suppressions, by key and by content.
func TestDuplicateOfASuppressedAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	queries := 0
	s := w.over(storetest.Faults(w.db, func(call string) storetest.Fault {
		if call == "Query" {
			queries++
		}
		return storetest.Fault{}
	}))
	id := accept(t, s, t0, w.draft(anna, t0, key("k", "h"))).Record.ID
	w.suppress(anna, "")
	for name, change := range map[string]func(*store.Draft){"key": key("k", "h"), "content": func(*store.Draft) {}, "content, another key": key("k2", "h")} {
		if v := accept(t, s, t0, w.draft(anna, t0, change)); v.New || v.Record.ID != id {
			t.Errorf("%s: %+v", name, v)
		}
	}
	if queries != 0 {
		t.Errorf("%d queries", queries)
	}
}

// Many at once to a suppressed address, with a store that writes element by element, while the suppression
// comes: every key has one message for good, and what was asked for afterwards is suppressed.
func TestRacesWithASuppression(t *testing.T) {
	t.Parallel()
	for _, n := range []int{2, 8, 32} {
		for round := range 5 {
			w := newWorld(t)
			steps := &stepwise{Driver: w.db, left: -1}
			s := w.over(steps)
			accept(t, s, t0, w.draft("+8613800138999", t0)) // the data keys are there
			ids := make([]message.ID, n)
			var group sync.WaitGroup
			for i := range n {
				group.Go(func() {
					v, err := s.Accept(context.WithoutCancel(t.Context()), shop, t0, w.draft(anna, t0, key(fmt.Sprint(i), "h")))
					if err != nil {
						t.Error(err)
						return
					}
					ids[i] = v[0].Record.ID
				})
				if i == n/2 {
					group.Go(func() { w.suppress(anna, "") })
				}
			}
			group.Wait()
			live := 0
			for _, r := range w.records(anna) {
				if r.Status != message.Suppressed {
					live++
				} else if r.Claim != "" {
					t.Errorf("%d/%d: suppressed, with a claim: %+v", n, round, r)
				}
			}
			if live > 1 {
				t.Errorf("%d/%d: %d messages of one content", n, round, live)
			}
			for i, id := range ids {
				if v := accept(t, s, t0, w.draft(anna, t0, key(fmt.Sprint(i), "h"))); v.Record.ID != id || !v.Replay {
					t.Errorf("%d/%d: key %d was answered %s, then %+v", n, round, i, id, v)
				}
			}
		}
	}
}
