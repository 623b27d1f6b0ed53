package store_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

func TestKeyAndContent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := accept(t, w.Store, t0, w.draft(anna, t0, key("order-1", "h1")))
	if !first.New || first.Replay || first.Duplicate || first.Record.Status != message.Queued {
		t.Fatalf("first: %+v", first)
	}
	id := first.Record.ID
	later := t0.Add(time.Minute)
	w.apply(later, first.Record, message.Lease{Account: "a", Until: later.Add(time.Second)})
	if v := accept(t, w.Store, later, w.draft(anna, later, key("order-1", "h1"))); v.New || !v.Replay || v.Record.ID != id || v.Record.Status != message.Sending {
		t.Errorf("replay: %+v", v)
	}
	if v := accept(t, w.Store, later, w.draft(anna, later, key("order-1", "other"))); !v.Mismatch || v.Record != nil {
		t.Errorf("another body: %+v", v)
	}
	v := accept(t, w.Store, later, w.draft(anna, later, key("order-2", "h1")))
	if v.New || v.Replay || !v.Duplicate || v.Record.ID != id || v.WindowEnds < t0.Add(window) || v.WindowEnds >= t0.Add(window+time.Second) {
		t.Errorf("equal content: %+v, window ends %s", v, v.WindowEnds)
	}
	// The second key was pointed at the holder: it finds it when the window is long over.
	hours := t0.Add(5 * time.Hour)
	if v := accept(t, w.Store, hours, w.draft(anna, hours, key("order-2", "h1"))); !v.Replay || v.Record.ID != id {
		t.Errorf("a retry of the duplicate: %+v", v)
	}
	if v := accept(t, w.Store, hours, w.draft(anna, hours, key("order-3", "h1"))); !v.New || v.Record.ID == id {
		t.Errorf("after the window: %+v", v)
	}
	days := t0.Add(25 * time.Hour)
	if v := accept(t, w.Store, days, w.draft(anna, days, key("order-1", "h9"))); !v.New {
		t.Errorf("a key is free after its time: %+v", v)
	}
	if n := len(w.records(anna)); n != 3 {
		t.Errorf("%d records, want 3", n)
	}
}

// The window ends at the instant that was told, to the millisecond.
func TestWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		to := fmt.Sprintf("+86138%08d", n)
		now := t0.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms")) * time.Millisecond)
		long := time.Duration(rapid.IntRange(1, 3600).Draw(t, "window")) * time.Second
		put := func(at message.Time) store.Verdict {
			v, err := w.Accept(w.Context(), shop, at, w.draft(to, at, func(d *store.Draft) { d.Window = long }))
			if err != nil {
				t.Fatal(err)
			}
			return v[0]
		}
		first := put(now)
		v := put(now.Add(long))
		if !v.Duplicate && v.Record.ID == first.Record.ID || v.Duplicate && v.WindowEnds <= now.Add(long) {
			t.Fatalf("%+v", v)
		}
		if v := put(now.Add(long - time.Millisecond)); !v.Duplicate && !v.New || v.New && v.Record.Created > now.Add(long) {
			t.Fatalf("%+v", v)
		}
	})
}

// A row of a run that is sent again when its window is over makes no message, and opens no window for the one that is
// there.
func TestWindowOfARowSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	row := w.draft(anna, t0, func(d *store.Draft) { d.Window, d.Fixed = time.Minute, true })
	if v, err := w.Accept(w.Context(), shop, t0, row); err != nil || !v[0].New {
		t.Fatal(v, err)
	}
	late := t0.Add(2 * time.Minute)
	if v, err := w.Accept(w.Context(), shop, late, row); err != nil || v[0].New {
		t.Fatal(v, err)
	}
	v, err := w.Accept(w.Context(), shop, late.Add(time.Second), w.draft(anna, late.Add(time.Second), func(d *store.Draft) { d.Window = time.Minute }))
	if err != nil || !v[0].New {
		t.Errorf("%+v %v", v, err)
	}
}

func TestWhoHoldsContent(t *testing.T) {
	t.Parallel()
	lease := message.Lease{Account: "a", Until: t0.Add(time.Second)}
	finish := func(o message.Outcome) message.Event {
		return message.Finish{Epoch: 1, Result: message.Result{Outcome: o}}
	}
	receipt := func(s message.ReceiptState) message.Event {
		return message.Reported{Epoch: 1, Receipt: message.Receipt{State: s}}
	}
	for name, c := range map[string]struct {
		events []message.Event
		holds  bool
	}{
		"queued":      {nil, true},
		"sending":     {[]message.Event{lease}, true},
		"sent":        {[]message.Event{lease, finish(message.Accepted)}, true},
		"in doubt":    {[]message.Event{lease, message.Finish{Epoch: 1, Doubt: message.Await}}, true},
		"delivered":   {[]message.Event{lease, finish(message.Accepted), receipt(message.ReceiptDelivered)}, true},
		"complained":  {[]message.Event{lease, finish(message.Accepted), receipt(message.ReceiptComplained)}, true},
		"failed":      {[]message.Event{lease, finish(message.Permanent)}, false},
		"undelivered": {[]message.Event{lease, finish(message.Accepted), receipt(message.ReceiptUndelivered)}, false},
		"bounced":     {[]message.Event{lease, finish(message.Accepted), receipt(message.ReceiptBounced)}, false},
		"cancelled":   {[]message.Event{message.Cancel{}}, false},
		"suppressed":  {[]message.Event{message.Suppress{Why: "bounce"}}, false},
		"expired":     {[]message.Event{message.Wait{Until: t0.Add(48 * time.Hour)}}, false},
		"dead":        {[]message.Event{message.Poison{}}, false},
	} {
		for _, released := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%t", name, released), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				first := accept(t, w.Store, t0, w.draft(anna, t0)).Record
				r := w.apply(t0, first, c.events...)
				if got := r.Status.ReleasesContent(); got == c.holds {
					t.Fatalf("%s releases: %t", r.Status, got)
				}
				if released && !c.holds {
					if err := w.Release(t.Context(), sys, t0, r); err != nil {
						t.Fatal(err)
					}
				}
				v := accept(t, w.Store, t0.Add(time.Second), w.draft(anna, t0.Add(time.Second), key("k", "h")))
				if v.Duplicate != c.holds || v.New == c.holds || c.holds && v.Record.ID != first.ID {
					t.Fatalf("%+v", v)
				}
				if c.holds {
					return
				}
				// The old message's release does not touch the new holder.
				if err := w.Release(t.Context(), sys, t0, r); err != nil {
					t.Fatal(err)
				}
				if again := accept(t, w.Store, t0.Add(2*time.Second), w.draft(anna, t0.Add(2*time.Second))); again.Record.ID != v.Record.ID {
					t.Errorf("the new holder lost its claim: %+v", again)
				}
			})
		}
	}
}

func TestEndedAtOnceTakesNoClaim(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, s := range []message.Status{message.Suppressed, message.Simulated} {
		ended := func(d *store.Draft) { d.Message.Base, d.Message.Status, d.Message.Due = s, s, 0 }
		for range 2 {
			if v := accept(t, w.Store, t0, w.draft(anna, t0, ended)); !v.New || v.Record.Claim != "" {
				t.Errorf("%s: %+v", s, v)
			}
		}
		if v, err := w.Peek(t.Context(), shop, t0, w.draft(anna, t0, ended)); err != nil || v.Record != nil {
			t.Errorf("%s: %+v, %v", s, v, err)
		}
	}
	live := accept(t, w.Store, t0, w.draft(anna, t0))
	if !live.New {
		t.Errorf("%+v", live)
	}
	if v, err := w.Peek(t.Context(), shop, t0, w.draft(anna, t0)); err != nil || v.Record == nil || v.Record.ID != live.Record.ID || !v.Duplicate {
		t.Errorf("peek: %+v, %v", v, err)
	}
	// A test message does not even look at the live one's claim.
	simulated := w.draft(anna, t0, func(d *store.Draft) { d.Message.Base, d.Message.Status = message.Simulated, message.Simulated })
	if v, err := w.Peek(t.Context(), shop, t0, simulated); err != nil || v.Record != nil {
		t.Errorf("peek: %+v, %v", v, err)
	}
}

func TestContentIsOfOneTenantChannelAndRecipient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	accept(t, w.Store, t0, w.draft(anna, t0))
	if v := accept(t, w.Store, t0, w.draft("+8613800138001", t0)); !v.New {
		t.Error("another recipient")
	}
	if v := accept(t, w.Store, t0, w.draft(anna, t0, func(d *store.Draft) { d.Message.Channel = message.WhatsApp })); !v.New {
		t.Error("another channel")
	}
	if v := accept(t, w.Store, t0, w.draft(anna, t0, func(d *store.Draft) { d.Same = []byte("bye") })); !v.New {
		t.Error("another content")
	}
	bank := tenant.Of(tenant.Key{Tenant: "bank", Live: true, Scopes: []tenant.Scope{tenant.Send}})
	v, err := w.Accept(t.Context(), bank, t0, w.draft(anna, t0, key("k", "h"), func(d *store.Draft) { d.Message.Tenant = "bank" }))
	if err != nil || !v[0].New {
		t.Errorf("another tenant: %+v, %v", v, err)
	}
	if v := accept(t, w.Store, t0, w.draft(anna, t0, key("k", "other"), func(d *store.Draft) { d.Window = 0 })); !v.New {
		t.Errorf("another tenant's key: %+v", v)
	}
}

// One key, or one content, asked for by many at once is one message; with a store that writes element by
// element too.
func TestRaces(t *testing.T) {
	t.Parallel()
	for _, n := range []int{32, 1000} {
		for name, change := range map[string]func(i int) []func(*store.Draft){
			"one key": func(int) []func(*store.Draft) { return []func(*store.Draft){key("k", "h")} },
			"one key, no window": func(int) []func(*store.Draft) {
				return []func(*store.Draft){key("k", "h"), func(d *store.Draft) { d.Window = 0 }}
			},
			"one content":         func(int) []func(*store.Draft) { return nil },
			"content, other keys": func(i int) []func(*store.Draft) { return []func(*store.Draft){key(fmt.Sprint(i), "h")} },
		} {
			for _, steps := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%d/%t", name, n, steps), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t)
					s := w.Store
					if steps {
						s = w.over(&stepwise{Driver: w.db, left: -1})
					}
					accept(t, s, t0, w.draft("+8613800138999", t0)) // the data keys are there
					verdicts := make([]store.Verdict, n)
					errs := make([]error, n)
					var group sync.WaitGroup
					start := make(chan struct{})
					for i := range n {
						group.Go(func() {
							<-start
							v, err := s.Accept(t.Context(), shop, t0, w.draft(anna, t0, change(i)...))
							if errs[i] = err; err == nil {
								verdicts[i] = v[0]
							}
						})
					}
					close(start)
					group.Wait()
					all := w.records(anna)
					if len(all) != 1 {
						t.Fatalf("%d records", len(all))
					}
					fresh := 0
					for i, v := range verdicts {
						if errs[i] != nil {
							t.Fatal(errs[i])
						}
						if v.Mismatch || v.Record.ID != all[0].ID || !v.New && !v.Replay && !v.Duplicate {
							t.Fatalf("%d: %+v", i, v)
						}
						if v.New {
							fresh++
						}
						if name == "one content" && v.Replay || strings.HasPrefix(name, "one key") && v.Duplicate {
							t.Errorf("%d: %+v", i, v)
						}
					}
					if fresh != 1 {
						t.Errorf("%d were told that theirs is new", fresh)
					}
					for i := range min(n, 50) { // every key finds it later
						if v := accept(t, s, t0.Add(time.Hour), w.draft(anna, t0.Add(time.Hour), change(i)...)); name != "one content" && v.Record.ID != all[0].ID {
							t.Fatalf("key %d finds %s", i, v.Record.ID)
						}
						if name == "one content" {
							break
						}
					}
				})
			}
		}
	}
}
