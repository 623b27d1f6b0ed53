package receipt_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/memory"
	"github.com/opennotify/notify/pkg/sweep"
	"github.com/opennotify/notify/pkg/telemetry"
)

// named makes account a one whose provider knows its own ids only.
func (w *world) named() *world {
	w.accounts["a"] = provider.Descriptor{Receipts: true, ReceiptsByID: true}
	return w
}

// finishNamed writes an outcome as delivery does.
func (w *world) finishNamed(r *store.Record, o message.Outcome, id string) *store.Record {
	w.t.Helper()
	r, err := w.store.Finish(w.t.Context(), system, start, r, message.Finish{Epoch: r.Epoch, Result: message.Result{Outcome: o, ProviderID: id}, Next: start, Doubt: message.Await},
		store.Trail{Account: r.Last().Account, ProviderID: id, Epoch: r.Epoch})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// A provider's own id finds the attempt, whichever comes first, once or more often.
func TestByProviderID(t *testing.T) {
	t.Parallel()
	says := []provider.Receipt{{ProviderID: "p", State: message.ReceiptDelivered, At: start}, {ProviderID: "p", State: message.ReceiptSent, At: start + 1},
		{ProviderID: "p", Part: 1, State: message.ReceiptDelivered, At: start + 2, Text: canary}}
	for split := range len(says) + 1 { // so many come before the answer
		w := newWorld(t).named()
		r := w.send("a")
		for range 2 {
			if again := w.handle("a", says[:split]...); len(again) != 0 {
				t.Error(again)
			}
		}
		if now := w.record(r.ID); now.Status != message.Sending {
			t.Errorf("%d early: %s before its answer", split, now.Status)
		}
		early := w.counts["receipt_parked"]
		r = w.finishNamed(r, message.Accepted, "p")
		if got := len(r.Last().Receipts); got != split || early != int64(2*split) || split > 0 != (r.Status != message.Sent) {
			t.Errorf("%d early: %d in the record, %d counted, %s", split, got, early, r.Status)
		}
		w.handle("a", says[split:]...)
		if now := w.record(r.ID); now.Status != message.Delivered || len(now.Last().Receipts) != len(says) {
			t.Errorf("%d early: %+v", split, now.Message)
		}
	}
}

// An id belongs to its account: another's receipts touch nothing, and look the same to who sends them.
func TestProviderIDIsOfItsAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t).named()
	w.accounts["b"] = w.accounts["a"]
	w.accounts["c"] = provider.Descriptor{Receipts: true}
	r := w.finishNamed(w.send("a"), message.Accepted, "p")
	for _, account := range []string{"b", "c", "gone"} {
		if again := w.handle(account, provider.Receipt{ProviderID: "p", State: message.ReceiptBounced}); len(again) != 0 {
			t.Errorf("%s: %v come again", account, again)
		}
	}
	if now := w.record(r.ID); now.Status != message.Sent || w.counts["receipt_parked"] != 1 || w.counts["receipt_unknown"] != 2 {
		t.Errorf("%s, %v", now.Status, w.counts)
	}
}

// What anybody may make us keep under one id is bounded, and goes by itself.
func TestEarlyIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t).named()
	for i := range 200 {
		w.handle("a", provider.Receipt{ProviderID: "p", Part: i, State: message.ReceiptDelivered, At: start})
	}
	r := w.finishNamed(w.send("a"), message.Accepted, "p")
	if n := len(r.Last().Receipts); n == 0 || n > 64 {
		t.Errorf("%d receipts", n)
	}
}

// A provider may give one id twice: to two attempts that it took for one, or, for lack of a better one, to two
// messages. The second never fails for that, and the first keeps its receipts.
func TestProviderIDTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t).named()
	r := w.finishNamed(w.send("a"), message.Retry, "p")
	r = w.finishNamed(w.update(r, message.Lease{Account: "a", Until: start.Add(time.Minute)}), message.Accepted, "p")
	other := w.finishNamed(w.send("a"), message.Accepted, "p")
	w.handle("a", provider.Receipt{ProviderID: "p", State: message.ReceiptDelivered})
	if a, b := w.record(r.ID).Status, w.record(other.ID).Status; a != message.Delivered || b != message.Sent {
		t.Error(a, b)
	}
}

// What waits for a record or an attempt that is gone, or cannot be joined for any other reason, is not looked at for
// ever.
func TestEarlyEnds(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		epoch   int
		gone    bool
		away    bool // is whoever works on what waits
		unknown int64
	}{"the record is gone": {1, true, false, 1}, "the attempt is gone": {7, false, false, 1}, "it is never joined": {1, true, true, 0}} {
		disk := memory.New()
		w := worldOver(t, disk).named()
		r := w.send("a")
		w.handle("a", provider.Receipt{ProviderID: "p", State: message.ReceiptDelivered, At: start})
		if row.gone {
			if _, err := disk.Write(t.Context(), start, []store.Op{{Item: store.Item{Key: store.Key{PK: "m#" + r.ID.Partition(), SK: r.ID.ULID()}}, Delete: true}}); err != nil {
				t.Fatal(err)
			}
		} else {
			w.finish(r, message.Accepted, "p") // whoever comes with the same is too late
		}
		_, err := w.store.Finish(t.Context(), system, start, r, message.Finish{Epoch: 1, Result: message.Result{Outcome: message.Accepted, ProviderID: "p"}},
			store.Trail{Account: "a", ProviderID: "p", Epoch: row.epoch})
		if err == nil {
			t.Fatal(name, "nothing was left waiting")
		}
		looks := 0
		for range 20 {
			w.now = w.now.Add(12 * time.Hour)
			items := w.sweep()
			looks += len(items)
			if !row.away {
				w.work(items)
			}
		}
		if !row.away && looks != 1 || looks > 14 || looks == 0 {
			t.Errorf("%s: looked at %d times in ten days", name, looks)
		}
		if w.counts["receipt_unknown"] != row.unknown {
			t.Errorf("%s: %v", name, w.counts)
		}
	}
}

// sweeps lets the sweep look for what is due, minutes later, and works on what it finds.
func (w *world) sweeps() {
	w.t.Helper()
	at := start.Add(10 * time.Minute).Std()
	sw, err := sweep.New(sweep.Ports{Store: w.store, Queue: w, Now: func() time.Time { return at }, Metrics: telemetry.Nop{}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := sw.Pass(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	for i, it := range w.hints {
		if w.lanes[i] == queue.Receipts {
			it.ID = fmt.Sprint(i)
			if again := w.receipts.Handle(w.t.Context(), []queue.Item{it}); len(again) > 0 {
				w.t.Error("not joined")
			}
		}
	}
}
