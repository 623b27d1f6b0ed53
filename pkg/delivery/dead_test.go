package delivery_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/memory"
)

// kill uses a message's attempts up and gives its copy in the dead-letter queue.
func (w *world) kill(class message.Class) (*store.Record, []byte) {
	w.t.Helper()
	w.send = func(context.Context, provider.Call) message.Result { return answer(message.Retry) }
	r := w.accept(class)
	w.hint(r)
	w.settle(time.Hour * 20)
	r = w.want(r.ID, message.Dead, class.Defaults().Attempts)
	copies := w.dead()
	if len(copies) != 1 {
		w.t.Fatalf("copies: %s", copies)
	}
	if h, err := store.ReadHint(copies[0]); err != nil || h.ID != r.ID || h.Redrive != r.Epoch || h.Record != nil {
		w.t.Fatalf("%s %v", copies[0], err)
	}
	w.send = func(context.Context, provider.Call) message.Result { return message.Result{Outcome: message.Accepted} }
	return r, copies[0]
}

// A copy that comes back to its lane means: try again. Once; more copies, and hints that are none, mean
// nothing.
func TestRedriveByTheQueue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r, dead := w.kill(message.Transactional)
	n := len(w.callsOf(r.ID))
	old := w.hint(r)
	w.handle(old, store.BareHint(r.ID))
	w.want(r.ID, message.Dead, n)
	w.send = func(context.Context, provider.Call) message.Result { return answer(message.Retry) }
	w.handle(dead, dead, dead)
	w.settle(20 * time.Hour)
	again := w.want(r.ID, message.Dead, 2*n)
	newer := w.dead()
	w.handle(dead, dead) // of the first death
	w.want(r.ID, message.Dead, 2*n)
	w.send = func(context.Context, provider.Call) message.Result { return message.Result{Outcome: message.Accepted} }
	w.handle(newer...)
	w.handle(append(newer, dead, newer[0])...)
	w.settle(time.Hour)
	if r := w.want(r.ID, message.Sent, 2*n+1); r.Epoch <= again.Epoch || len(newer) != 1 {
		t.Errorf("%+v", r.Message)
	}
}

func TestRedriveOfTheExpired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r, dead := w.kill(message.OTP)
	n := len(w.callsOf(r.ID))
	w.advance(6 * time.Minute)
	if again := w.handle(dead, dead); again != 0 {
		t.Errorf("%d come again", again)
	}
	w.settle(time.Hour)
	w.want(r.ID, message.Dead, n)
}

// The copy is tried until the queue takes it.
func TestCopyToTheDLQIsNotLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refused := 0
	w.fault = func(port string, do func() error) error {
		if port == "DLQ" && refused < 5 {
			refused++
			return queue.ErrFull
		}
		return do()
	}
	w.kill(message.OTP)
	if refused == 0 {
		t.Error("never refused")
	}
}

// A hint that fails nine times parks its message; its batch mates do not notice.
func TestPoison(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bad := w.accept(message.Transactional, func(m *message.Message) {
		m.Channel, m.Trace = message.WhatsApp, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	})
	good := []*store.Record{w.accept(message.OTP), w.accept(message.Transactional)}
	w.poison = bad.Channel
	body := w.hint(bad)
	batch := items(w.hint(good[0]), body, w.hint(good[1]))
	for n := 1; n <= 9; n++ {
		for i := range batch {
			batch[i].Receives = n
		}
		again := w.delivery.Handle(t.Context(), batch)
		if n < 9 && (len(again) != 1 || again[0] != "1") || n == 9 && len(again) != 0 {
			t.Fatalf("receive %d: %v again", n, again)
		}
	}
	for _, r := range good {
		w.want(r.ID, message.Sent, 1)
	}
	if r := w.want(bad.ID, message.Dead, 0); r.Reason != "poison" || r.Todo != 0 || len(w.dead()) != 1 {
		t.Errorf("%+v", r.Message)
	}
	if logs := w.logs.String(); strings.Contains(logs, canary) || !strings.Contains(logs, string(bad.ID)) {
		t.Error(logs)
	}
	for line := range strings.Lines(w.logs.String()) {
		if strings.Contains(line, string(bad.ID)) && !strings.Contains(line, "trace=4bf92f3577b34da6a3ce929d0e0e4736") {
			t.Error("without its trace:", line)
		}
	}
}

// A hint that comes after the ninth receive took its worker down: it is parked without another look.
func TestPoisonThatKills(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.accept(message.Transactional)
	it := items(w.hint(r))
	it[0].Receives = 10
	if again := w.delivery.Handle(t.Context(), it); len(again) != 0 {
		t.Error(again)
	}
	w.want(r.ID, message.Dead, 0)
}

// A fault of the store that is over at the ninth receive was not the message's.
func TestOutageIsNoPoison(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	away := true
	w.fault = func(port string, do func() error) error {
		if away && port != "Queue" && port != "Send" {
			return store.ErrThrottled
		}
		return do()
	}
	over, still := w.accept(message.Transactional), w.accept(message.Transactional)
	it := items(w.hint(over), w.hint(still))
	w.items = nil
	for n := 1; n <= 8; n++ {
		it[0].Receives, it[1].Receives = n, n
		if again := w.delivery.Handle(t.Context(), it); len(again) != 2 {
			t.Fatal(again)
		}
	}
	it[0].Receives, it[1].Receives = 9, 9
	if again := w.delivery.Handle(t.Context(), it[1:]); len(again) != 0 {
		t.Errorf("a hint that nothing can be done for is left in the queue: %v", again)
	}
	away = false
	w.delivery.Handle(t.Context(), it[:1])
	w.want(over.ID, message.Sent, 1)
	w.settle(time.Hour)
	w.want(still.ID, message.Sent, 1)
}

// A record that cannot be read is reported with its id, and its hint goes the way to the dead-letter
// queue; the rest of the batch, and of the sweep, goes on.
func TestUnreadableRecord(t *testing.T) {
	t.Parallel()
	db := memory.New()
	w := worldOver(t, db)
	bad, good, swept := w.accept(message.Transactional), w.accept(message.Transactional), w.accept(message.Transactional)
	got, err := db.Get(t.Context(), store.Key{PK: "m#" + bad.ID.Partition(), SK: bad.ID.ULID()})
	if err != nil || got[0] == nil {
		t.Fatal(err)
	}
	broken := *got[0]
	broken.Data = []byte(`{"m":{"id":`)
	if _, err := db.Write(t.Context(), w.now(), []store.Op{{Item: broken}}); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 10; n++ {
		batch := items(store.BareHint(bad.ID), store.BareHint(good.ID), []byte("no hint"))
		for i := range batch {
			batch[i].Receives = n
		}
		if again := w.delivery.Handle(t.Context(), batch); len(again) != 2 || len(w.callsOf(good.ID)) != 1 {
			t.Fatalf("receive %d: %v again, %s", n, again, w.logs)
		}
	}
	w.advance(time.Minute)
	w.logs.Reset()
	n, err := w.sweep.Pass(t.Context())
	if err != nil || n.Unreadable != 1 || n.Queued != 1 || !strings.Contains(w.logs.String(), string(bad.ID)) {
		t.Errorf("%+v %v %s", n, err, w.logs)
	}
	w.deliver()
	w.want(swept.ID, message.Sent, 1)
}

// A hint without a record, or of one that was removed since, is nothing to do.
func TestHintAboutNothing(t *testing.T) {
	t.Parallel()
	db := memory.New()
	w := worldOver(t, db)
	r := w.accept(message.OTP)
	body := w.hint(r)
	if _, err := db.Write(t.Context(), w.now(), []store.Op{{Delete: true, Item: store.Item{Key: store.Key{PK: "m#" + r.ID.Partition(), SK: r.ID.ULID()}}}}); err != nil {
		t.Fatal(err)
	}
	if again := w.handle(body, store.BareHint(r.ID), store.DeadHint(&r.Message)); again != 0 || len(w.calls) != 0 {
		t.Errorf("%d again, %d calls", again, len(w.calls))
	}
}

// The copy of one way of a fallback, which went on to the next, brings nothing back: its person would be reached twice.
func TestRedriveOfAFallback(t *testing.T) {
	t.Parallel()
	for _, next := range []message.Outcome{message.Accepted, message.Permanent} {
		w := newWorld(t)
		w.says(message.Retry, next)
		g := w.fallback(2, 0)
		w.hint(g[0])
		w.settle(20 * time.Hour)
		copies := w.dead()
		n := len(w.callsOf(g[0].ID))
		w.says(message.Accepted, next)
		w.handle(copies...)
		w.settle(time.Hour)
		if next == message.Accepted {
			w.want(g[0].ID, message.Dead, n)
			w.want(g[1].ID, message.Sent, 1)
		} else {
			w.want(g[0].ID, message.Sent, n+1)
		}
	}
}
