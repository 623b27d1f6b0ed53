//go:build !race

package receipt_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/memory"
)

var (
	errDied   = errors.New("the process died")
	errForgot = errors.New("the answer was lost")
)

// choices is one way through all that could happen: at every step, which of so many.
type choices struct {
	path, of []int
	at       int
}

func (c *choices) choose(n int) int {
	if c.at == len(c.path) {
		c.path, c.of = append(c.path, 0), append(c.of, n)
	}
	c.at++
	return c.path[c.at-1]
}

// next gives the next way, or false after the last.
func (c *choices) next() bool {
	for len(c.path) > 0 {
		last := len(c.path) - 1
		if c.path[last]++; c.path[last] < c.of[last] {
			c.path, c.of, c.at = c.path[:last+1], c.of[:last+1], 0
			return true
		}
		c.path, c.of = c.path[:last], c.of[:last]
	}
	return false
}

// thread is a process that hands over before every call to the disk. A sequence is written element by element, as
// DynamoDB does.
type thread struct {
	store.Driver
	yield func(struct{}) bool
	fate  error // of the call that it waits for
	dead  bool
}

func (d *thread) call(do func() error) error {
	if d.yield == nil {
		return do()
	}
	if !d.yield(struct{}{}) || d.fate == errDied || d.dead {
		d.dead = true
		return errDied
	}
	if err := do(); err != nil || d.fate == nil {
		return err
	}
	return d.fate
}

func (d *thread) Get(ctx context.Context, keys ...store.Key) (out []*store.Item, err error) {
	err = d.call(func() (err error) { out, err = d.Driver.Get(ctx, keys...); return err })
	return out, err
}

func (d *thread) Write(ctx context.Context, now message.Time, seq ...[]store.Op) ([]store.Result, error) {
	var out store.Result
	for _, op := range seq[0] {
		var res []store.Result
		if err := d.call(func() (err error) { res, err = d.Driver.Write(ctx, now, []store.Op{op}); return err }); err != nil {
			return nil, err
		}
		if res[0].Applied == 0 {
			out.Holder = res[0].Holder
			break
		}
		out.Applied++
	}
	return []store.Result{out}, nil
}

// Every order in which a delivery and the receipts of its message can reach the disk, with every accident at any
// step: in the end each receipt is in the record or, where the delivery died before it learned the id, kept beside
// the id.
func TestEveryInterleaving(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		receipts, accidents int
		all                 bool // of the accidents, to any thread; else the delivery may die
	}{{1, 2, true}, {2, 1, false}} {
		ways, parked := 0, 0
		for c := new(choices); ; {
			ways++
			if oneWay(t, c, row.receipts, row.accidents, row.all) {
				parked++
			}
			if t.Failed() {
				t.Fatalf("%d receipts, way %v", row.receipts, c.path)
			}
			if !c.next() {
				break
			}
		}
		t.Logf("%d receipts, up to %d accidents: %d ways, in %d of them nobody learned the id", row.receipts, row.accidents, ways, parked)
		if parked == 0 || parked == ways {
			t.Error("one kind of end was never met")
		}
	}
}

// oneWay lives through one order, and tells whether the delivery died too early to learn the id.
func oneWay(t *testing.T, c *choices, receipts, accidents int, all bool) (unknown bool) {
	disk := memory.New()
	base := worldOver(t, disk).named()
	r := base.send("a")
	says := []provider.Receipt{{ProviderID: "p", State: message.ReceiptDelivered, At: start}, {ProviderID: "p", Part: 1, State: message.ReceiptSent, At: start}}[:receipts]
	done := make([]bool, 1+receipts)
	threads := make([]*thread, 1+receipts)
	steps := make([]func() (struct{}, bool), len(threads))
	for i := range threads {
		d := &thread{Driver: disk}
		w := worldOver(t, d).named()
		if _, err := w.store.Box(t.Context(), start, "receipts"); err != nil { // warm, as after the first one
			t.Fatal(err)
		}
		var stop func()
		steps[i], stop = iter.Pull(func(yield func(struct{}) bool) {
			d.yield = yield
			if i > 0 {
				done[i] = len(w.handle("a", says[i-1])) == 0 && !d.dead
				return
			}
			e := message.Finish{Epoch: 1, Result: message.Result{Outcome: message.Accepted, ProviderID: "p"}, Doubt: message.Await}
			saved, err := r, errForgot
			for tries := 0; tries < 4 && err != nil && !d.dead; tries++ {
				saved, err = w.store.Finish(t.Context(), system, start, saved, e, store.Trail{Account: "a", ProviderID: "p", Epoch: 1})
				if refused := (*message.Refused)(nil); errors.As(err, &refused) {
					err = nil
				} else if saved == nil {
					saved = r
				}
			}
			done[0] = err == nil && !d.dead
		})
		defer stop()
		threads[i] = d
		steps[i]() // to its first call
	}
	live := []int{0, 1, 2}[:len(threads)]
	for len(live) > 0 {
		i := live[c.choose(len(live))]
		if threads[i].fate = nil; accidents > 0 && (all || i == 0) {
			fates := []error{nil, errDied, errForgot}
			if !all {
				fates = fates[:2]
			}
			if threads[i].fate = fates[c.choose(len(fates))]; threads[i].fate != nil {
				accidents--
			}
		}
		if _, more := steps[i](); !more || threads[i].dead {
			live = slices.DeleteFunc(slices.Clone(live), func(j int) bool { return j == i })
		}
	}
	return base.settled(r.ID, says, done)
}

// settled lets the queue and the sweep do the rest, and judges the end.
func (w *world) settled(id message.ID, says []provider.Receipt, done []bool) (unknown bool) {
	w.t.Helper()
	for i, rc := range says {
		if !done[i+1] {
			w.handle("a", rc)
		}
	}
	w.sweeps()
	now := w.record(id)
	want := len(says)
	k, err := w.store.Resolve(w.t.Context(), system, start, "a", "p", message.Reported{ProviderID: "p", Receipt: message.Receipt{State: message.ReceiptBounced}})
	if err != nil {
		w.t.Fatal(err)
	}
	if unknown = k.ID == ""; unknown {
		if done[0] {
			w.t.Error("the delivery is done, and its id is not known")
		}
		r := w.finishNamed(now, message.Accepted, "p") // as if it had lived: what waits is found
		now, want = w.record(r.ID), want+1
	} else if k.ID != id || len(k.Early) > 0 {
		w.t.Errorf("%+v still waits", k)
	}
	if got := len(now.Attempts[0].Receipts); got != want {
		w.t.Errorf("%d receipts are in the record, %d were sent: %+v", got, want, now.Message)
	}
	if done[0] && now.Last().End == 0 {
		w.t.Error("the outcome is lost")
	}
	return unknown
}
