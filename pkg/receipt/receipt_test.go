package receipt_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/receipt"
	"github.com/opennotify/notify/pkg/seal"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/memory"
	"github.com/opennotify/notify/pkg/store/storetest"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
)

const (
	start  = message.Time(1_767_225_600_000) // 2026-01-01
	canary = "canary-482913"
)

var system = tenant.System("test")

type keeper struct{}

func (keeper) Generate(context.Context, string) (key, wrapped []byte, err error) {
	key = make([]byte, seal.KeySize)
	_, err = rand.Read(key)
	return key, key, err
}
func (keeper) Unwrap(_ context.Context, wrapped []byte, _ string) ([]byte, error) {
	return wrapped, nil
}

// world is receipts over a real store, and a queue that is a list.
type world struct {
	t        *testing.T
	store    *store.Store
	receipts *receipt.Receipts
	hints    []queue.Item
	lanes    []queue.Name
	full     error
	fault    storetest.Fault
	unread   error // of reads alone
	logs     bytes.Buffer
	ids      int
	counts   map[string]int64
	accounts map[string]provider.Descriptor // those that exist
	news     map[string]provider.Descriptor // those that exist since a moment
	renewed  int
	sender   provider.Sender // what all of them open, if anything
	now      message.Time
}

func newWorld(t *testing.T, foreign ...receipt.Foreign) *world {
	t.Helper()
	return worldOver(t, memory.New(), foreign...)
}

func worldOver(t *testing.T, db store.Driver, foreign ...receipt.Foreign) *world {
	t.Helper()
	w := &world{t: t, counts: map[string]int64{}, accounts: map[string]provider.Descriptor{}, now: start.Add(time.Minute)}
	d := storetest.Faults(db, func(call string) storetest.Fault {
		if call == "Get" && w.unread != nil {
			return storetest.Fault{Before: w.unread}
		}
		return w.fault
	})
	var err error
	if w.store, err = store.Open(t.Context(), d, keeper{}, start, store.Options{DueShards: 1, ListShards: 1, Random: rand.Reader}); err != nil {
		t.Fatal(err)
	}
	w.receipts, err = receipt.New(receipt.Ports{Store: w.store, Secrets: w, Config: w, Senders: w, Foreign: foreign, Queue: w,
		Now: func() time.Time { return w.now.Std() }, Metrics: w, Log: slog.New(telemetry.Traced(slog.NewTextHandler(&w.logs, nil)))})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) Send(_ context.Context, to queue.Name, items ...queue.Item) error {
	if w.full == nil {
		for _, it := range items {
			w.hints, w.lanes = append(w.hints, it), append(w.lanes, to)
		}
	}
	return w.full
}
func (w *world) CallbackSecret(account string) string { return w.store.CallbackSecret(account) }
func (w *world) Account(_ context.Context, name string) (config.Account, bool, error) {
	_, ok := w.accounts[name]
	return config.Account{Name: name, Channel: message.SMS}, ok, nil
}
func (w *world) RenewAccounts(message.Time) {
	w.renewed++
	maps.Copy(w.accounts, w.news)
}
func (w *world) Open(_ context.Context, a config.Account) (provider.Sender, provider.Descriptor, error) {
	if w.sender != nil {
		return w.sender, w.accounts[a.Name], nil
	}
	return nil, w.accounts[a.Name], errors.New("nothing to open")
}
func (w *world) Count(name string, n int64, _ telemetry.Labels) { w.counts[name] += n }
func (w *world) Observe(string, float64, telemetry.Unit, telemetry.Labels) {
}

// send makes a message with an attempt over each account; the last one is left without an answer.
func (w *world) send(accounts ...string) *store.Record {
	w.t.Helper()
	return w.sendTo("+1", accounts...)
}

func (w *world) sendTo(to message.Address, accounts ...string) *store.Record {
	w.t.Helper()
	return w.sendOn(message.SMS, message.Phone, to, accounts...)
}

func (w *world) sendOn(ch message.Channel, kind message.AddressKind, to message.Address, accounts ...string) *store.Record {
	w.t.Helper()
	w.ids++
	m := message.Message{ID: message.NewID(w.store.Partition(kind, string(to), 1, ""), message.ULIDFloor(start)[:20]+fmt.Sprintf("%06d", w.ids)),
		Trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", Tenant: "shop", Channel: ch, Class: message.OTP, Template: message.Ref{Name: "x", Version: 1}, Created: start, Expires: start.Add(5 * time.Minute)}
	v, err := w.store.Accept(w.t.Context(), system, start, &store.Draft{Message: message.New(m, start), To: to, Vars: []byte(`{}`), Window: time.Minute, Same: []byte(m.ID)})
	if err != nil {
		w.t.Fatal(err)
	}
	r := v[0].Record
	for i, a := range accounts {
		r = w.update(r, message.Lease{Account: a, Provider: "of-" + a, Until: start.Add(time.Minute)})
		if i < len(accounts)-1 {
			r = w.finish(r, message.Retry, fmt.Sprintf("p%d", i+1))
		}
	}
	return r
}

func (w *world) finish(r *store.Record, o message.Outcome, id string) *store.Record {
	return w.update(r, message.Finish{Epoch: r.Epoch, Result: message.Result{Outcome: o, ProviderID: id}, Next: start, Doubt: message.Await})
}

func (w *world) update(r *store.Record, e message.Event) *store.Record {
	w.t.Helper()
	r, err := w.store.Update(w.t.Context(), system, start, r, e)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) record(id message.ID) *store.Record {
	w.t.Helper()
	r, err := w.store.Message(w.t.Context(), system, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// handle takes receipts through the queue's form and gives those that come again.
func (w *world) handle(account string, receipts ...provider.Receipt) []string {
	w.t.Helper()
	batch := make([]queue.Item, len(receipts))
	for i, rc := range receipts {
		it, err := receipt.Encode(account, rc)
		if err != nil || it.Check() != nil {
			w.t.Fatal(err, it.Check())
		}
		it.ID = fmt.Sprint(i)
		batch[i] = it
	}
	return w.receipts.Handle(w.t.Context(), batch)
}

func TestNewWantsEveryPort(t *testing.T) {
	t.Parallel()
	if _, err := receipt.New(receipt.Ports{}); err == nil {
		t.Error("no ports, no error")
	}
}

// A receipt finds its attempt by epoch, by the provider's id, or as the newest over its account; early,
// late and twice make no difference.
func TestAttemptOfReceipt(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		accounts string
		rc       provider.Receipt
		epoch    int // 0: unknown
	}{
		"by epoch":                     {"a a a", provider.Receipt{Epoch: 2}, 2},
		"by epoch, of another account": {"a b a", provider.Receipt{Epoch: 2}, 0},
		"by an epoch that was not":     {"a a", provider.Receipt{Epoch: 3}, 0},
		"by id":                        {"a a a", provider.Receipt{ProviderID: "p1"}, 1},
		"by id, of another account":    {"b a", provider.Receipt{ProviderID: "p1"}, 2},
		"by an id that is not known":   {"a a a", provider.Receipt{ProviderID: "new"}, 3},
		"the newest":                   {"a a", provider.Receipt{}, 2},
		"the newest of the account":    {"a b", provider.Receipt{}, 1},
		"the newest of the account 2":  {"a b b", provider.Receipt{ProviderID: "p9"}, 1},
		"no attempt of the account":    {"b c", provider.Receipt{}, 0},
		"no attempt":                   {"", provider.Receipt{}, 0},
	} {
		w := newWorld(t)
		r := w.send(strings.Fields(tt.accounts)...)
		tt.rc.ID, tt.rc.State = r.ID, message.ReceiptUndelivered
		for range 3 {
			if again := w.handle("a", tt.rc, tt.rc); len(again) != 0 {
				t.Errorf("%s: %v come again", name, again)
			}
		}
		now := w.record(r.ID)
		for _, a := range now.Attempts {
			want := 0
			if a.Epoch == tt.epoch {
				want = 1
			}
			if len(a.Receipts) != want {
				t.Errorf("%s: epoch %d has %v", name, a.Epoch, a.Receipts)
			}
			if want == 1 && a.Receipts[0].At != start.Add(time.Minute) {
				t.Errorf("%s: a receipt without a time got %s", name, a.Receipts[0].At)
			}
		}
		if known := !strings.Contains(w.logs.String(), "unknown message"); known != (tt.epoch != 0) {
			t.Errorf("%s: %s", name, w.logs.String())
		}
	}
}

// The receipt comes before the outcome is written, and the outcome does not undo it.
func TestEarlyReceipt(t *testing.T) {
	t.Parallel()
	for _, o := range []message.Outcome{message.Accepted, message.Unknown, message.Retry} {
		w := newWorld(t)
		r := w.send("a")
		w.handle("a", provider.Receipt{ID: r.ID, ProviderID: "p", State: message.ReceiptDelivered})
		if s := w.record(r.ID).Status; s != message.Delivered {
			t.Error(s)
		}
		w.finish(r, o, "p")
		if now := w.record(r.ID); now.Status != message.Delivered || now.Last().End == 0 || now.Due != 0 {
			t.Errorf("%s: %+v", o, now.Message)
		}
	}
}

// logged tells that a line was logged, in its message's trace.
func (w *world) logged(what string) {
	w.t.Helper()
	for line := range strings.Lines(w.logs.String()) {
		if strings.Contains(line, what) && strings.Contains(line, "message=msg_") && strings.Contains(line, "trace=4bf92f3577b34da6a3ce929d0e0e4736") {
			return
		}
	}
	w.t.Errorf("no %q with a message's trace in %s", what, w.logs.String())
}

// What a receipt leaves to do is queued at once, and not lost with the queue.
func TestFollowUpIsQueued(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, w.full = range []error{nil, queue.ErrFull} {
		r := w.finish(w.send("a"), message.Accepted, "p")
		if again := w.handle("a", provider.Receipt{ID: r.ID, State: message.ReceiptUndelivered}); len(again) != 0 {
			t.Error(again)
		}
		if now := w.record(r.ID); now.Todo&message.ReleaseClaim == 0 || now.Due == 0 {
			t.Errorf("%+v", now.Message)
		}
	}
	w.logged("hint not queued")
	if len(w.hints) != 1 || w.lanes[0] != "sms-urgent" || w.hints[0].Group != "shop" {
		t.Errorf("%v %+v", w.lanes, w.hints)
	}
}

// Whatever comes as a receipt, the batch goes on, and only what may be better next time comes again.
func TestOddReceipts(t *testing.T) {
	t.Parallel()
	panics := func(body []byte) (string, []provider.Receipt, bool, error) {
		if bytes.Contains(body, []byte("panic")) {
			panic("of " + canary)
		}
		return "", nil, false, nil
	}
	w := newWorld(t, panics)
	good := w.finish(w.send("a"), message.Accepted, "p")
	bodies := []string{
		`{"account":"a","receipt":{}}`,
		`{"account":"a","receipt":{"ID":"x","State":3}}`,
		`{"account":"a","receipt":{"ID":"msg_","State":3}}`,
		`{"account":"a","receipt":{"ID":"` + string(message.NewID(good.ID.Partition(), message.ULIDFloor(0))) + `","State":3}}`,
		`{"account":"a","receipt":{"ID":"` + string(good.ID) + `","State":99}}`,
		`{"account":"a","receipt":{"ID":"` + string(good.ID) + `","State":0}}`,
		`{"account":"a","receipt":{"ID":"` + string(good.ID) + `","State":3,"Part":-5}}`,
		`garbage`, `panic`, ``,
	}
	batch := make([]queue.Item, len(bodies))
	for i, b := range bodies {
		batch[i] = queue.Item{ID: fmt.Sprint(i), Body: []byte(b)}
	}
	if again := w.receipts.Handle(t.Context(), batch); strings.Join(again, " ") != "7 8 9" {
		t.Errorf("%v come again", again)
	}
	if now := w.record(good.ID); now.Status != message.Delivered {
		t.Error(now.Status)
	}
	if strings.Contains(w.logs.String(), canary) {
		t.Error(w.logs.String())
	}
	if again := w.receipts.Handle(t.Context(), nil); again == nil || len(again) != 0 {
		t.Errorf("%v: an empty list, never null", again)
	}
}

// A store that is away brings the receipt again.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.finish(w.send("a"), message.Accepted, "p")
	rc := provider.Receipt{ID: r.ID, State: message.ReceiptDelivered}
	w.fault.Before = errors.New("away")
	if again := w.handle("a", rc); len(again) != 1 {
		t.Error(again)
	}
	w.fault.Before = nil
	if again := w.handle("a", rc); len(again) != 0 || w.record(r.ID).Status != message.Delivered {
		t.Error(again, w.record(r.ID).Status)
	}
}

// What a cloud service puts into the queue itself goes to any account of its provider, and of no other.
func TestForeign(t *testing.T) {
	t.Parallel()
	var says []provider.Receipt
	w := newWorld(t, func([]byte) (string, []provider.Receipt, bool, error) { return "of-a", says, true, nil })
	ours, theirs := w.finish(w.send("a"), message.Accepted, "p"), w.finish(w.send("b"), message.Accepted, "p")
	for _, id := range []message.ID{ours.ID, theirs.ID, "x"} {
		says = append(says, provider.Receipt{ID: id, State: message.ReceiptDelivered})
	}
	if again := w.receipts.Handle(t.Context(), []queue.Item{{ID: "1", Body: []byte("{}")}}); len(again) != 0 {
		t.Error(again)
	}
	if a, b := w.record(ours.ID).Status, w.record(theirs.ID).Status; a != message.Delivered || b != message.Sent {
		t.Error(a, b)
	}
}

// Whatever text a provider sends, the queue takes it.
func TestReceiptOfAnyText(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts["a"] = provider.Descriptor{Receipts: true}
	r := w.send("a")
	const text = "no\uffff\ufffe \u2028<\x00\x7f"
	if again := w.handle("a", provider.Receipt{ID: r.ID, State: message.ReceiptUndelivered, Code: "c", Text: text}); len(again) > 0 {
		t.Errorf("%v come again", again)
	}
	if now := w.record(r.ID); now.Status != message.Undelivered || now.Last().Receipts[0].Text != text {
		t.Errorf("%s: %+q", now.Status, now.Last().Receipts[0].Text)
	}
}
