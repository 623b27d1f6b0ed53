package delivery_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/memory"
)

// fallback keeps a group of n ways to one person, of which the first goes.
func (w *world) fallback(n, watch int, change ...func(*message.Message)) []*store.Record {
	w.t.Helper()
	w.mu.Lock()
	w.ids++
	g := store.Group{ID: fmt.Sprintf("%s%s%06d", store.GroupPrefix, message.ULIDFloor(message.At(w.clock))[:20], w.ids), Tenant: "shop", Kind: store.GroupFallback}
	w.mu.Unlock()
	var out []*store.Record
	for i := range n {
		r := w.accept(message.Transactional, append(change, func(m *message.Message) {
			m.Group, m.Place, m.Fallback, m.Hold, m.Watch = g.ID, i, true, i > 0, watch
		})...)
		out = append(out, r)
		g.IDs = append(g.IDs, r.ID)
	}
	if _, _, err := w.raw.OpenGroup(w.t.Context(), system, w.now(), g, nil, time.Hour); err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) statuses(records []*store.Record) string {
	var out []string
	for _, r := range records {
		out = append(out, string(w.record(r.ID).Status))
	}
	return strings.Join(out, " ")
}

func (w *world) receipt(id message.ID, s message.ReceiptState) {
	w.t.Helper()
	r := w.apply(id, message.Reported{Receipt: message.Receipt{State: s, At: w.now()}})
	w.items = append(w.items, held{"sms-normal", items(store.BareHint(r.ID))[0], w.clock, 0})
}

// says answers the calls for the ways of a group by place.
func (w *world) says(outcomes ...message.Outcome) {
	w.send = func(_ context.Context, c provider.Call) message.Result {
		return answer(outcomes[w.record(c.ID).Place])
	}
}

func TestFallback(t *testing.T) {
	t.Parallel()
	const sent, fails = message.Accepted, message.Permanent
	const minute = 60
	tests := []struct {
		name  string
		watch int
		says  []message.Outcome
		do    func(w *world, g []*store.Record)
		want  string
	}{
		{"the first is enough", 0, []message.Outcome{sent, sent, sent}, nil, "sent cancelled cancelled"},
		{"the next goes", 0, []message.Outcome{fails, sent, sent}, nil, "failed sent cancelled"},
		{"the last goes", 0, []message.Outcome{fails, fails, sent}, nil, "failed failed sent"},
		{"none", 0, []message.Outcome{fails, fails, fails}, nil, "failed failed failed"},
		{"dead", 0, []message.Outcome{message.Retry, sent, sent}, nil, "dead sent cancelled"},
		{"in doubt, the next goes meanwhile", 0, []message.Outcome{message.Unknown, sent, sent}, nil, "failed sent cancelled"},
		{"no receipt in time", minute, []message.Outcome{sent, sent, sent}, nil, "sent sent sent"},
		{"no receipt in a long time", 60 * minute, []message.Outcome{sent, sent, sent}, nil, "sent sent sent"},
		{"delivered", minute, []message.Outcome{sent, sent, sent}, func(w *world, g []*store.Record) {
			w.deliver()
			w.receipt(g[0].ID, message.ReceiptDelivered)
		}, "delivered cancelled cancelled"},
		{"delivered while the watch's hint waits", minute, []message.Outcome{sent, sent, sent}, func(w *world, g []*store.Record) {
			w.deliver()
			w.apply(g[0].ID, message.Reported{Receipt: message.Receipt{State: message.ReceiptDelivered}}) // its hint is lost
			w.advance(61 * time.Second)
		}, "delivered cancelled cancelled"},
		{"undelivered", minute, []message.Outcome{sent, sent, sent}, func(w *world, g []*store.Record) {
			w.deliver()
			w.receipt(g[0].ID, message.ReceiptUndelivered)
			w.settleUntil(g[1].ID, message.Sent)
			w.receipt(g[1].ID, message.ReceiptDelivered)
		}, "undelivered delivered cancelled"},
		{"delivered late", minute, []message.Outcome{sent, sent, sent}, func(w *world, g []*store.Record) {
			w.deliver()
			w.settleUntil(g[1].ID, message.Sent)
			w.receipt(g[0].ID, message.ReceiptDelivered)
		}, "delivered sent cancelled"},
		{"suppressed", 0, []message.Outcome{sent, sent, sent}, func(w *world, g []*store.Record) {
			w.apply(g[0].ID, message.Suppress{Why: "bounce"})
		}, "suppressed sent cancelled"},
		{"a suppressed one in between", 0, []message.Outcome{fails, sent, sent}, func(w *world, g []*store.Record) {
			w.apply(g[1].ID, message.Suppress{Why: "bounce"})
		}, "failed suppressed sent"},
		{"cancelled", 0, []message.Outcome{sent, sent, sent}, func(w *world, g []*store.Record) {
			w.apply(g[0].ID, message.Cancel{By: "op"})
		}, "cancelled cancelled cancelled"},
		{"expired", 0, []message.Outcome{sent, sent, sent}, func(w *world, _ []*store.Record) {
			w.advance(25 * time.Hour)
		}, "expired expired expired"},
	}
	for _, tt := range tests {
		for _, drop := range []bool{false, true} {
			t.Run(fmt.Sprint(tt.name, drop), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.says(tt.says...)
				g := w.fallback(3, tt.watch)
				w.hint(g[0])
				if w.drop = drop; tt.do != nil {
					tt.do(w, g)
				}
				w.settle(80 * time.Hour)
				if got := w.statuses(g); got != tt.want {
					t.Errorf("%s, want %s", got, tt.want)
				}
			})
		}
	}
}

// The hint of a failed head, again and again and at once, starts one sibling: not one each time, and not
// the next after one that is on its way, or was sent.
func TestOneSiblingForOneFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, second := range []message.Outcome{message.Accepted, message.Unknown, message.Retry} {
		w.says(message.Permanent, second, message.Accepted)
		g := w.fallback(3, 600)
		head := g[0]
		w.fault = func(port string, do func() error) error { // the word that it is done is lost each time
			if port == "Write" && w.record(head.ID).Status == message.Failed {
				return errPort
			}
			return do()
		}
		w.handle(w.hint(head))
		w.fault = nil
		stale := w.hint(w.record(head.ID))
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { w.handle(store.BareHint(head.ID), stale, stale) })
		}
		all.Wait()
		w.deliver()
		w.apply(head.ID, message.Reported{Receipt: message.Receipt{State: message.ReceiptBounced}}) // something is left to do anew
		w.handle(store.BareHint(head.ID), stale)
		w.deliver()
		if third := w.record(g[2].ID); !third.Hold || third.Status != message.Scheduled || len(w.callsOf(g[1].ID)) != 1 {
			t.Errorf("after %s: %s", second, w.statuses(g))
		}
		w.items = nil
	}
}

// What stands in a group for an earlier equal message belongs to another group, and is left alone.
func TestForeignSibling(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	theirs := w.fallback(2, 600)
	ours := w.fallback(3, 0)
	g, err := w.raw.Group(t.Context(), system, ours[0].Group)
	if err != nil {
		t.Fatal(err)
	}
	g.IDs[1] = theirs[1].ID
	if _, err := w.raw.SaveGroup(t.Context(), system, w.now(), g, time.Hour); err != nil {
		t.Fatal(err)
	}
	w.handle(w.hint(ours[0])) // sent: the others are not needed
	w.deliver()
	if r := w.record(theirs[1].ID); r.Status != message.Scheduled || w.record(ours[2].ID).Status != message.Cancelled {
		t.Errorf("%s %s", w.statuses(ours), w.statuses(theirs))
	}
}

// Work that was done for one status is no word for the next: the receipt comes between the start of the
// sibling and the note that it is done.
func TestReceiptDuringTheFollowUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.fallback(2, 60)
	w.handle(w.hint(g[0]))
	w.items = nil
	w.advance(61 * time.Second)
	w.fault = func(port string, do func() error) error {
		if port == "Queue" { // the sibling is active, its hint on its way
			w.fault = nil
			w.apply(g[0].ID, message.Reported{Receipt: message.Receipt{State: message.ReceiptDelivered}})
		}
		return do()
	}
	w.handle(store.BareHint(g[0].ID))
	w.settle(time.Hour)
	if got := w.statuses(g); got != "delivered cancelled" {
		t.Error(got)
	}
}

// Accidents everywhere on the way through a group: nobody is held for ever, and two ways are tried only
// where the first gave reason to.
func TestFallbackCrashes(t *testing.T) {
	t.Parallel()
	for name, says := range map[string][]message.Outcome{
		"fails": {message.Permanent, message.Accepted, message.Accepted},
		"sent":  {message.Accepted, message.Accepted, message.Accepted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for _, a := range accidents() {
				for n := 1; ; n++ {
					w.says(says...)
					g := w.fallback(3, 0)
					w.hint(g[0])
					missed := w.crash(n, a)
					w.settle(80 * time.Hour)
					w.fault = nil
					got := w.statuses(g)
					lost := w.record(g[0].ID).Last().Outcome == message.Unknown || w.record(g[1].ID).Epoch > 0 && w.record(g[1].ID).Last().Outcome == message.Unknown
					if want := map[string]string{"fails": "failed sent cancelled", "sent": "sent cancelled cancelled"}[name]; got != want && !lost {
						t.Fatalf("%s at call %d: %s", a.name, n, got)
					}
					if missed() || t.Failed() {
						break
					}
				}
			}
		})
	}
}

// At most one sibling is released for each failure, and a delivered message releases none, whatever comes
// in whatever order.
func TestSiblingsProperty(t *testing.T) {
	t.Parallel()
	db := memory.New()
	groups := 0
	rapid.Check(t, func(rt *rapid.T) {
		w := worldOver(t, db)
		groups += 10
		w.ids = groups
		w.accounts = append(w.accounts, config.Account{Name: "a2", Provider: "fake", Channel: message.SMS})
		w.send = func(context.Context, provider.Call) message.Result {
			return answer(rapid.SampledFrom([]message.Outcome{message.Accepted, message.Permanent, message.Unknown, message.AccountFault}).Draw(rt, "answer"))
		}
		g := w.fallback(3, rapid.SampledFrom([]int{0, 60}).Draw(rt, "watch"))
		hints := [][]byte{w.hint(g[0])}
		w.items = nil
		delivered := -1
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			i := rapid.IntRange(0, 2).Draw(rt, "which")
			switch rapid.IntRange(0, 5).Draw(rt, "step") {
			case 0:
				hints = append(hints, w.hint(w.record(g[i].ID)))
			case 1:
				w.handle(rapid.SampledFrom(hints).Draw(rt, "old"))
			case 2:
				if w.record(g[i].ID).Epoch > 0 {
					s := rapid.SampledFrom([]message.ReceiptState{message.ReceiptDelivered, message.ReceiptUndelivered}).Draw(rt, "receipt")
					w.apply(g[i].ID, message.Reported{Receipt: message.Receipt{State: s}})
				}
			case 3:
				w.advance(61 * time.Second)
			case 4:
				w.handle(store.BareHint(g[i].ID))
			case 5:
				w.items = nil // lost
			}
			released := 0
			for j, r := range g {
				now := w.record(r.ID)
				if now.Status == message.Delivered && delivered < 0 && j+1 < len(g) && w.record(g[j+1].ID).Hold {
					delivered = j
				}
				if j > 0 && !now.Hold {
					released++
					before := w.record(g[j-1].ID)
					if before.Status == message.Queued || before.Status == message.Sending || before.Status == message.InDoubt && before.Reason != "lease_lost" && before.Epoch == 0 {
						rt.Fatalf("released behind one that waits: %s", w.statuses(g))
					}
				}
			}
			if delivered >= 0 && released > delivered {
				rt.Fatalf("released behind a delivered one: %s", w.statuses(g))
			}
		}
		w.settle(200 * time.Hour)
		for _, r := range g {
			w.check(w.record(r.ID), 0)
		}
	})
}
