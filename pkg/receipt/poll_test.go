package receipt_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/memory"
	"github.com/opennotify/notify/pkg/sweep"
	"github.com/opennotify/notify/pkg/telemetry"
)

// vendor answers questions.
type vendor struct {
	provider.Sender
	asked []provider.Question
	news  provider.News
	fault error
}

func (v *vendor) Poll(_ context.Context, q provider.Question) (provider.News, error) {
	v.asked = append(v.asked, q)
	return v.news, v.fault
}

// polled makes account a one that is asked every minute.
func (w *world) polled() *vendor {
	v := &vendor{}
	w.accounts["a"] = provider.Descriptor{Receipts: true, ReceiptsByID: true, Polls: &provider.Polls{Of: provider.OfAccount, Every: 60},
		Suppresses: map[string]string{"gone": "bounce"}}
	w.sender = v
	return v
}

// Accounts and Get are what the sweep asks.
func (w *world) Accounts(context.Context, message.Channel) ([]config.Account, error) {
	var out []config.Account
	for name := range w.accounts {
		out = append(out, config.Account{Name: name, Provider: name, Channel: message.SMS})
	}
	return out, nil
}

func (w *world) Get(_ context.Context, name string) (provider.Descriptor, bool, error) {
	d, ok := w.accounts[name]
	return d, ok, nil
}

// sweep makes one pass and gives what it put into the queue of receipts.
func (w *world) sweep() []queue.Item {
	w.t.Helper()
	w.hints, w.lanes = nil, nil
	sw, err := sweep.New(sweep.Ports{Store: w.store, Queue: w, Now: func() time.Time { return w.now.Std() }, Metrics: telemetry.Nop{}, Log: slog.New(slog.DiscardHandler), Config: w, Providers: w})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := sw.Pass(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if err := sw.Polls(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return w.take()
}

// take empties the queue of receipts.
func (w *world) take() (out []queue.Item) {
	for i, it := range w.hints {
		if w.lanes[i] == queue.Receipts {
			it.ID = fmt.Sprint(i)
			out = append(out, it)
		}
	}
	w.hints, w.lanes = nil, nil
	return out
}

// work works on items until the queue of receipts is empty.
func (w *world) work(items []queue.Item) {
	w.t.Helper()
	for len(items) > 0 {
		w.hints, w.lanes = nil, nil
		if again := w.receipts.Handle(w.t.Context(), items); len(again) > 0 {
			w.t.Errorf("%v come again: %s", again, w.logs.String())
		}
		items = w.take()
	}
}

// What a provider says when it is asked is applied as if it had posted it; each account is asked once for each
// time, however many sweep and however often the queue hands the entry out.
func TestPoll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.polled()
	w.accounts["quiet"] = provider.Descriptor{Receipts: true}
	r := w.finishNamed(w.send("a"), message.Accepted, "p")
	v.news = provider.News{Receipts: []provider.Receipt{{ProviderID: "p", State: message.ReceiptUndelivered, At: start, Code: "gone"}, {ProviderID: "early", State: message.ReceiptDelivered, At: start}}}
	items := w.sweep()
	if again := w.sweep(); len(items) != 1 || len(again) != 1 {
		t.Fatalf("%d and %d entries", len(items), len(again))
	}
	w.work(slices.Concat(items, items))
	w.work(items)
	if len(v.asked) != 1 || w.counts["receipt_polled"] != 1 || w.counts["receipt_parked"] != 1 {
		t.Errorf("asked %d times, %v", len(v.asked), w.counts)
	}
	if now := w.record(r.ID); now.Status != message.Undelivered || now.Todo&message.SuppressAddress == 0 {
		t.Errorf("%+v", now.Message)
	}
	if late := w.finishNamed(w.send("a"), message.Accepted, "early"); late.Status != message.Delivered {
		t.Errorf("the early one was not kept: %s", late.Status)
	}
	if items := w.sweep(); len(items) != 0 {
		t.Errorf("it is asked again at once: %v", items)
	}
	w.now = w.now.Add(time.Minute)
	w.work(w.sweep())
	if len(v.asked) != 2 {
		t.Errorf("asked %d times", len(v.asked))
	}
}

// A cursor goes on where the last answer ended, at once while there is more. A question in vain moves nothing,
// keeps what was heard, and lets the provider rest for longer and longer.
func TestPollPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.polled()
	r := w.finishNamed(w.send("a"), message.Accepted, "p")
	v.news = provider.News{Cursor: "2", More: true}
	w.hints, w.lanes = nil, nil
	items := w.sweep()
	if again := w.receipts.Handle(t.Context(), items); len(again) > 0 {
		t.Error(again)
	}
	next := w.take()
	v.news, v.fault = provider.News{Cursor: "2", Receipts: []provider.Receipt{{ProviderID: "p", State: message.ReceiptDelivered}}}, errors.New("half of it")
	w.work(next)
	if len(v.asked) != 2 || v.asked[0].Cursor != "" || v.asked[1].Cursor != "2" {
		t.Fatalf("%+v", v.asked)
	}
	if now := w.record(r.ID); now.Status != message.Delivered {
		t.Errorf("what was heard is lost: %s", now.Status)
	}
	var rests []time.Duration
	for last := w.now; len(rests) < 8; w.now = w.now.Add(time.Minute) {
		if before := len(v.asked); true {
			w.work(w.sweep())
			if len(v.asked) > before {
				rests, last = append(rests, w.now.Sub(last)), w.now
			}
		}
	}
	want := []time.Duration{2, 4, 8, 16, 32, 60, 60, 60}
	for i := range want {
		want[i] *= time.Minute
	}
	if !slices.Equal(rests, want) || w.counts["receipt_poll_failed"] != 9 {
		t.Errorf("%v, %v", rests, w.counts)
	}
	v.fault = nil
	w.now = w.now.Add(time.Hour)
	w.work(w.sweep())
	w.now = w.now.Add(time.Minute)
	w.work(w.sweep())
	if n := len(v.asked); v.asked[n-1].Cursor != "2" || n != 2+8+2 {
		t.Errorf("%d questions, the last from %q", n, v.asked[n-1].Cursor)
	}
}

// A vendor may say a thing once: what the queue refuses is worked on at once.
func TestPollWithoutQueue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.polled()
	r := w.finishNamed(w.send("a"), message.Accepted, "p")
	v.news = provider.News{Receipts: []provider.Receipt{{ProviderID: "p", State: message.ReceiptDelivered}}}
	items := w.sweep()
	w.full = errors.New("no queue")
	w.receipts.Handle(t.Context(), items)
	if now := w.record(r.ID); now.Status != message.Delivered {
		t.Error(now.Status)
	}
}

// forgetful tells the world of each question, before it answers.
type forgetful struct {
	*vendor
	asked func()
}

func (v forgetful) Poll(ctx context.Context, q provider.Question) (provider.News, error) {
	v.asked()
	return v.vendor.Poll(ctx, q)
}

// What can neither be queued nor worked on is asked for again, from where it was.
func TestPollThatCannotBeKept(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]func(*world){
		"no queue, no store": func(w *world) { w.full, w.unread = errors.New("no queue"), errors.New("away") },
		"no key to seal":     func(w *world) { w.unread = errors.New("away") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			v := w.polled()
			r := w.finishNamed(w.send("a"), message.Accepted, "p")
			v.news = provider.News{Cursor: "2", Receipts: []provider.Receipt{{ProviderID: "p", State: message.ReceiptDelivered, At: start}},
				Replies: []provider.Reply{{From: "+8613800138000", Channel: message.SMS, Text: "STOP", At: start}}}
			w.sender = forgetful{v, func() { cut(w) }}
			items := w.sweep()
			w.receipts.Handle(t.Context(), items)
			w.full, w.unread, w.sender = nil, nil, v
			w.now = w.now.Add(time.Hour)
			w.work(w.sweep())
			if len(v.asked) != 2 || v.asked[1].Cursor != "" || w.counts["receipt_poll_failed"] != 1 {
				t.Fatalf("%+v, %v", v.asked, w.counts)
			}
			if now := w.record(r.ID); now.Status != message.Delivered {
				t.Error(now.Status)
			}
			if e, err := w.store.Suppressions(t.Context(), message.Phone, "+8613800138000"); err != nil || len(e) != 1 {
				t.Errorf("%+v, %v", e, err)
			}
			w.now = w.now.Add(time.Minute)
			w.work(w.sweep())
			if v.asked[2].Cursor != "2" {
				t.Errorf("%+v", v.asked)
			}
		})
	}
}

// A provider that cannot be asked, an account that is gone or asks no more: nothing comes again and again.
func TestPollOfNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.polled()
	items := w.sweep()
	w.sender = nil // the vault is away
	w.work(items)
	w.accounts["a"] = provider.Descriptor{Receipts: true}
	w.now = w.now.Add(time.Hour)
	w.work(items)
	delete(w.accounts, "a")
	w.work(items)
	if len(v.asked) != 0 || w.counts["receipt_poll_failed"] != 1 {
		t.Errorf("%+v %v", v.asked, w.counts)
	}
}

// asking finishes an attempt over an account that is asked about each message: a minute after, every five minutes,
// for a day.
func (w *world) asking(id string) *store.Record {
	w.t.Helper()
	w.accounts["a"] = provider.Descriptor{Receipts: true, ReceiptsByID: true, Polls: &provider.Polls{Of: provider.OfMessage, After: 60, Every: 300, Until: 86400}}
	r := w.send("a")
	r, err := w.store.Finish(w.t.Context(), system, start, r, message.Finish{Epoch: 1, Result: message.Result{Outcome: message.Accepted, ProviderID: id}},
		store.Trail{Account: "a", ProviderID: id, Epoch: 1, Ask: store.Ask{Next: start.Add(time.Minute), Every: 300, Until: start.Add(24 * time.Hour)}})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// A provider is asked about a message until it says how that ended, less and less often, and not for ever.
func TestQuestions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := &vendor{}
	w.sender = v
	r, other := w.asking("p"), w.asking("q")
	w.handle("a", provider.Receipt{ProviderID: "q", State: message.ReceiptDelivered}) // pushed: nothing to ask
	var at []time.Duration
	for w.now = start; w.now < start.Add(26*time.Hour); w.now = w.now.Add(time.Minute) {
		before := len(v.asked)
		items := w.sweep()
		w.work(slices.Concat(items, w.sweep())) // two sweeps, one question
		if len(v.asked) > before {
			at = append(at, w.now.Sub(start))
		}
	}
	want := []time.Duration{1, 6, 16, 36}
	for m := time.Duration(76); m <= 24*60; m += 60 {
		want = append(want, m)
	}
	for i := range want {
		want[i] *= time.Minute
	}
	if !slices.Equal(at, want) || len(at) != len(v.asked) {
		t.Errorf("%d questions at %v\nwant %v", len(v.asked), at, want)
	}
	q := v.asked[0]
	if q.ID != r.ID || q.Epoch != 1 || q.ProviderID != "p" || q.To != "+1" || q.At != start {
		t.Errorf("%+v", q)
	}
	if now := w.record(other.ID); now.Status != message.Delivered {
		t.Error(now.Status)
	}
}

// An answer is about the message that was asked about, whatever it names.
func TestAnswerIsAboutItsQuestion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := &vendor{}
	w.sender = v
	r, other := w.asking("p"), w.finishNamed(w.send("a"), message.Accepted, "o")
	v.news = provider.News{Receipts: []provider.Receipt{{ID: other.ID, Epoch: 7, ProviderID: "o", State: message.ReceiptSent}}}
	w.work(w.sweep())
	v.news.Receipts[0].State = message.ReceiptUndelivered
	w.now = w.now.Add(time.Hour)
	w.work(w.sweep())
	if a, b := w.record(r.ID), w.record(other.ID); a.Status != message.Undelivered || b.Status != message.Sent {
		t.Errorf("%s, and the other one %s", a.Status, b.Status)
	}
	for range 10 {
		w.now = w.now.Add(time.Hour)
		w.work(w.sweep())
	}
	if len(v.asked) != 2 {
		t.Errorf("%d questions about what has ended", len(v.asked))
	}
}

// A question outlives receipts that came before the id was known, a fault of the vendor, and the record.
func TestQuestionStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := &vendor{fault: errors.New("busy")}
	w.sender = v
	w.named()
	w.handle("a", provider.Receipt{ProviderID: "p", State: message.ReceiptSent})
	r := w.asking("p")
	if len(r.Last().Receipts) != 1 {
		t.Fatalf("%+v", r.Message)
	}
	w.work(w.sweep())
	w.logged("asked in vain")
	v.fault, v.news = nil, provider.News{Receipts: []provider.Receipt{{State: message.ReceiptDelivered}}}
	w.now = w.now.Add(time.Hour)
	w.work(w.sweep())
	if now := w.record(r.ID); now.Status != message.Delivered || len(v.asked) != 2 {
		t.Errorf("%s after %d questions", now.Status, len(v.asked))
	}
}

// Who is to ask may not know the account yet that another process has sent over: the question stays. It ends where the
// account is gone.
func TestQuestionOverANewAccount(t *testing.T) {
	t.Parallel()
	for _, gone := range []bool{false, true} {
		w := newWorld(t)
		v := &vendor{news: provider.News{Receipts: []provider.Receipt{{State: message.ReceiptDelivered}}}}
		w.sender = v
		r := w.asking("p")
		known := w.accounts["a"]
		delete(w.accounts, "a")
		w.work(w.sweep())
		if !gone {
			w.accounts["a"] = known
		}
		w.now = w.now.Add(5 * time.Minute)
		w.work(w.sweep())
		w.now = w.now.Add(time.Hour)
		left := len(w.sweep())
		if status := w.record(r.ID).Status; left > 0 || gone && (status != message.Sent || len(v.asked) > 0) || !gone && (status != message.Delivered || len(v.asked) != 1) {
			t.Errorf("gone %v: %s after %d questions, and %d more", gone, status, len(v.asked), left)
		}
	}
}

// Receipts may be pushed, be given to whoever asks, or both, once or often, before the answer or after it, in any
// order: the message ends up the same.
func TestPollsAndPushes(t *testing.T) {
	t.Parallel()
	states := []message.ReceiptState{message.ReceiptSent, message.ReceiptDelivered, message.ReceiptUndelivered, message.ReceiptBounced}
	rapid.Check(t, func(rt *rapid.T) {
		says := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) provider.Receipt {
			return provider.Receipt{ProviderID: "p", Part: rapid.IntRange(0, 1).Draw(rt, "part"), State: rapid.SampledFrom(states).Draw(rt, "state"), At: start + 5, Code: "c"}
		}), 1, 3).Draw(rt, "says")
		// Each step tells one of them, one way or the other; one of the steps is the answer itself.
		type step struct {
			which int
			poll  bool
		}
		steps := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) step {
			return step{rapid.IntRange(0, len(says)-1).Draw(rt, "which"), rapid.Bool().Draw(rt, "poll")}
		}), 0, 6).Draw(rt, "steps")
		for i := range says { // whatever else, each is told once
			steps = append(steps, step{i, rapid.Bool().Draw(rt, "last")})
		}
		answer := rapid.IntRange(0, len(steps)).Draw(rt, "answer")
		end := func(steps []step, answer int) message.Message {
			w := worldOver(t, memory.New())
			v := w.polled()
			r := w.send("a")
			for i := 0; i <= len(steps); i++ {
				if i == answer {
					w.finishNamed(r, message.Accepted, "p")
				}
				if i == len(steps) {
					break
				}
				if said := says[steps[i].which]; steps[i].poll {
					v.news = provider.News{Receipts: []provider.Receipt{said}}
					w.now = w.now.Add(time.Minute)
					w.work(w.sweep())
				} else {
					w.handle("a", said)
				}
			}
			w.now = w.now.Add(time.Hour)
			v.news = provider.News{}
			w.work(w.sweep())
			return w.record(r.ID).Message
		}
		pushed := make([]step, len(says))
		for i := range pushed {
			pushed[i].which = i
		}
		want, got := end(pushed, 0), end(steps, answer)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(message.Message{}, "ID", "Claim", "Due", "Notes", "Requeues")); diff != "" {
			rt.Errorf("pushed, then polled and pushed:\n%s", diff)
		}
	})
}
