package sweep_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opennotify/notify/pkg/breaker"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/seal"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/memory"
	"github.com/opennotify/notify/pkg/store/storetest"
	"github.com/opennotify/notify/pkg/sweep"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
)

var (
	start  = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	system = tenant.System("test")
)

type keeper struct{}

func (keeper) Generate(context.Context, string) (key, wrapped []byte, err error) {
	key = make([]byte, seal.KeySize)
	_, err = rand.Read(key)
	return key, key, err
}
func (keeper) Unwrap(_ context.Context, wrapped []byte, _ string) ([]byte, error) {
	return wrapped, nil
}

// world is a sweep over a real store, and a queue that is a list.
type world struct {
	t     *testing.T
	db    store.Driver
	store *store.Store
	sweep *sweep.Sweep
	fault func(call string) storetest.Fault
	logs  bytes.Buffer
	telemetry.Nop

	mu    sync.Mutex
	clock time.Time
	items map[queue.Name][]queue.Item
	full  error
	ids   int
	stuck []time.Duration // when something was counted, since the start
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: start, items: map[queue.Name][]queue.Item{}, db: memory.New()}
	d := storetest.Faults(w.db, func(call string) storetest.Fault {
		if w.fault == nil {
			return storetest.Fault{}
		}
		return w.fault(call)
	})
	var err error
	if w.store, err = store.Open(t.Context(), d, keeper{}, message.At(start), store.Options{DueShards: 3, ListShards: 1, Random: rand.Reader}); err != nil {
		t.Fatal(err)
	}
	if w.sweep, err = sweep.New(sweep.Ports{Store: w.store, Queue: w, Now: w.Now, Metrics: w, Log: slog.New(telemetry.Traced(slog.NewTextHandler(&w.logs, nil)))}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) Send(ctx context.Context, to queue.Name, items ...queue.Item) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.full == nil {
		w.items[to] = append(w.items[to], items...)
	}
	return w.full
}

func (w *world) Count(name string, n int64, l telemetry.Labels) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if name != telemetry.Stuck || n != 1 || l.Channel != "sms" || l.Tenant != "shop" {
		w.t.Errorf("counted %s %d of %+v", name, n, l)
	}
	w.stuck = append(w.stuck, w.clock.Sub(start))
}

// take empties the queues and counts the hints of each message.
func (w *world) take() map[message.ID]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[message.ID]int{}
	for _, items := range w.items {
		for _, it := range items {
			h, err := store.ReadHint(it.Body)
			if err != nil {
				w.t.Error(err)
			}
			out[h.ID]++
		}
	}
	clear(w.items)
	return out
}

func (w *world) accept(n int, change ...func(*message.Message)) []message.ID {
	w.t.Helper()
	drafts, ids := make([]*store.Draft, n), make([]message.ID, n)
	now := message.At(w.Now())
	for i := range drafts {
		w.ids++
		m := message.Message{ID: message.NewID(w.store.Partition(message.Phone, "+1", 1, ""), message.ULIDFloor(now)[:20]+fmt.Sprintf("%06d", w.ids)),
			Tenant: "shop", Channel: message.SMS, Class: message.Marketing, Template: message.Ref{Name: "x", Version: 1}, Created: now, Expires: now.Add(72 * time.Hour)}
		for _, f := range change {
			f(&m)
		}
		drafts[i], ids[i] = &store.Draft{Message: message.New(m, now), To: "+1", Vars: []byte(`{}`)}, m.ID
	}
	if _, err := w.store.Accept(w.t.Context(), system, now, drafts...); err != nil {
		w.t.Fatal(err)
	}
	return ids
}

func (w *world) pass() sweep.Count {
	w.t.Helper()
	n, err := w.sweep.Pass(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func TestNewWantsEveryPort(t *testing.T) {
	t.Parallel()
	if _, err := sweep.New(sweep.Ports{}); err == nil {
		t.Error("no ports, no error")
	}
}

// A message whose every hint is lost gets one after half a minute, then 1, 2, 4 … minutes later, at most an
// hour apart: never two for one gap, and never none.
func TestSpacing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.accept(1)[0]
	var at []time.Duration
	for w.clock.Before(start.Add(5 * time.Hour)) {
		for range 2 { // the second finds nothing
			if n := w.take()[id]; n > 1 {
				t.Fatalf("%d hints at once", n)
			} else if n == 1 {
				at = append(at, w.clock.Sub(start))
			}
			w.pass()
		}
		w.clock = w.clock.Add(10 * time.Second)
	}
	want := []time.Duration{30 * time.Second, 90 * time.Second, 210 * time.Second, 450 * time.Second, 930 * time.Second}
	for i, d := range want {
		if len(at) <= i || at[i] != d {
			t.Fatalf("hints after %s, want %s …", at, want)
		}
	}
	if last := len(at) - 1; at[last]-at[last-1] != time.Hour {
		t.Errorf("hints after %s", at)
	}
	if !slices.Equal(w.stuck, at[3:]) { // the fourth in vain, after seven minutes
		t.Errorf("it counts as stuck after %s", w.stuck)
	}
}

// Many pages, swept by several at once: every message gets its hint, and one.
func TestManyPagesManySweeps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const n = 800 // 267 in a shard
	ids := w.accept(n)
	w.clock = w.clock.Add(time.Minute)
	var all sync.WaitGroup
	var queued [4]int
	for i := range queued {
		all.Go(func() {
			c, err := w.sweep.Pass(t.Context())
			if err != nil {
				t.Error(err)
			}
			queued[i] = c.Queued
		})
	}
	all.Wait()
	got := w.take()
	for _, id := range ids {
		if got[id] != 1 {
			t.Fatalf("%d hints for %s", got[id], id)
		}
	}
	if sum := queued[0] + queued[1] + queued[2] + queued[3]; sum != n {
		t.Errorf("%v: %d", queued, sum)
	}
}

// What was held for one moment is due at once: its records are written side by side, and one that fails, or a table that
// is away, is told as ever.
func TestManyDueAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fails          func(write int64) bool
		queued, failed int
		within         time.Duration
	}{
		"all":           {func(int64) bool { return false }, 600, 0, time.Second},
		"one fails":     {func(n int64) bool { return n == 100 }, 599, 1, time.Second},
		"one panics":    {func(n int64) bool { return n == -100 }, 599, 1, time.Second},
		"table is away": {func(n int64) bool { return n > 100 }, 100, 10, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.accept(600)
				w.clock = w.clock.Add(time.Minute)
				var writes atomic.Int64
				w.fault = func(call string) (f storetest.Fault) {
					if call != "Write" {
						return f
					}
					n := writes.Add(1)
					if c.fails(n) {
						f.Before = errors.New("away")
					}
					f.Hold = func(context.Context) { // as a table takes
						time.Sleep(10 * time.Millisecond)
						if c.fails(-n) {
							panic("what nobody thought of")
						}
					}
					return f
				}
				began := time.Now()
				n, err := w.sweep.Pass(t.Context())
				if got := len(w.take()); n.Queued != got || n.Queued < c.queued-16 || n.Queued > c.queued || n.Failed < c.failed || n.Failed > c.failed+16 || (err != nil) != (c.failed >= 10) {
					t.Errorf("%+v, %d hints, %v", n, got, err)
				}
				if took := time.Since(began); took > c.within { // one after the other: six
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

// A hint that the sweep makes carries the record as it is after the requeue, into the lane of its class.
func TestHintIsCurrent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.accept(1)[0]
	w.clock = w.clock.Add(time.Minute)
	w.pass()
	items := w.items["sms-bulk"]
	if len(items) != 1 || items[0].Group != "shop" {
		t.Fatalf("%+v", w.items)
	}
	h, err := store.ReadHint(items[0].Body)
	if err != nil || h.Record == nil || h.Record.Requeues != 1 {
		t.Fatalf("%+v %v", h, err)
	}
	if _, err := w.store.Update(t.Context(), system, message.At(w.clock), h.Record, message.Cancel{}); err != nil {
		t.Error(err)
	}
	if n := w.pass(); n.Queued != 0 || id != h.ID {
		t.Errorf("%+v", n)
	}
}

// The index may show what is no longer so.
func TestIndexLags(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := w.accept(3)
	lagging := &lagging{w.store, nil}
	s, err := sweep.New(sweep.Ports{Store: lagging, Queue: w, Now: w.Now, Metrics: w, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range append(ids, message.NewID(w.store.Partition(message.Phone, "+2", 1, ""), message.ULIDFloor(message.At(start)))) {
		lagging.due = append(lagging.due, store.Due{ID: id, At: message.At(start)})
	}
	r, err := w.store.Message(t.Context(), system, ids[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Update(t.Context(), system, message.At(start), r, message.Cancel{}); err != nil {
		t.Fatal(err)
	}
	n, err := s.Pass(t.Context()) // one cancelled, two not due yet, one that does not exist
	if err != nil || n.Queued != 0 || len(w.take()) != 0 {
		t.Errorf("%+v %v", n, err)
	}
	w.clock = w.clock.Add(time.Minute)
	if n, err = s.Pass(t.Context()); err != nil || n.Queued != 2 {
		t.Errorf("%+v %v", n, err)
	}
}

type lagging struct {
	*store.Store
	due []store.Due
}

func (*lagging) DueShards() []string { return []string{"due#0"} }
func (l *lagging) Due(context.Context, string, message.Time, int, string) ([]store.Due, string, error) {
	return l.due, "", nil
}

// A queue that takes nothing loses nothing.
func TestQueueRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.accept(1)[0]
	w.full = queue.ErrFull
	w.clock = w.clock.Add(time.Minute)
	w.pass()
	w.full = nil
	w.clock = w.clock.Add(time.Minute)
	w.pass()
	if w.take()[id] != 1 {
		t.Error("no hint")
	}
}

// A record that cannot be written does not hold up those behind it, and what was requeued before a fault
// has its hint.
func TestFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := w.accept(30, func(m *message.Message) { m.Trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" })
	w.clock = w.clock.Add(time.Minute)
	writes, away := 0, errors.New("away")
	w.fault = func(call string) storetest.Fault {
		if call == "Write" {
			if writes++; writes == 3 {
				return storetest.Fault{Before: away}
			}
		}
		return storetest.Fault{}
	}
	if n := w.pass(); n.Queued != 29 || n.Failed != 1 || len(w.take()) != 29 || !strings.Contains(w.logs.String(), "msg_") || !strings.Contains(w.logs.String(), "trace=4bf92f3577b34da6a3ce929d0e0e4736") {
		t.Errorf("%+v, and in the log: %s", n, w.logs.String())
	}
	w.clock = w.clock.Add(3 * time.Minute)
	w.fault = func(call string) storetest.Fault {
		if call == "Write" {
			if writes++; writes > 40 {
				return storetest.Fault{Before: away}
			}
		}
		return storetest.Fault{}
	}
	n, err := w.sweep.Pass(t.Context())
	if got := w.take(); !errors.Is(err, away) || n.Queued == 0 || len(got) != n.Queued || n.Failed != 10 {
		t.Errorf("%+v %v, %d hints", n, err, len(got))
	}
	w.fault = nil
	if n := w.pass(); n.Queued == 0 || len(ids) != 30 {
		t.Errorf("%+v", n)
	}
}

// Queues in memory are filled with what is due soon; records are not touched, and a lease is waited for.
func TestRebuild(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := message.At(start)
	queued := w.accept(450)
	soon := w.accept(1, func(m *message.Message) { m.SendAt = now.Add(10 * time.Minute) })[0]
	late := w.accept(1, func(m *message.Message) { m.SendAt = now.Add(time.Hour) })[0]
	held := w.accept(1)[0]
	r, err := w.store.Message(t.Context(), system, held)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Update(t.Context(), system, now, r, message.Lease{Account: "a", Until: now.Add(35 * time.Second)}); err != nil {
		t.Fatal(err)
	}
	n, err := w.sweep.Rebuild(t.Context())
	if err != nil || n != 452 {
		t.Fatalf("%d %v", n, err)
	}
	for _, it := range w.items["sms-bulk"] {
		if wait := map[bool]time.Duration{true: 35 * time.Second}[strings.Contains(string(it.Body), string(held))]; it.Delay != wait {
			t.Errorf("delay %s, want %s", it.Delay, wait)
		}
	}
	got := w.take()
	for _, id := range append(queued, soon, held) {
		if got[id] != 1 {
			t.Errorf("%d hints for %s", got[id], id)
		}
	}
	after, err := w.store.Message(t.Context(), system, queued[0])
	if err != nil || after.Requeues != 0 || len(after.Notes) != 0 || got[late] != 0 {
		t.Errorf("%+v %v", after, err)
	}
	w.full = queue.ErrFull
	if n, err := w.sweep.Rebuild(t.Context()); n != 0 || err != nil {
		t.Errorf("a full queue: %d %v", n, err)
	}
}

// An account that works again is paid when its dead are taken over, and not before.
func TestOwed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, seen := range []breaker.Seen{{Bad: 30}, {Good: 9}, {Good: 9}, {Good: 9}, {Good: 9}, {Good: 9}, {Good: 9}, {Good: 9}} {
		if _, _, err := w.store.Observe(t.Context(), message.At(w.Now()), "a", seen); err != nil {
			t.Fatal(err)
		}
		w.mu.Lock()
		w.clock = w.clock.Add(20 * time.Second)
		w.mu.Unlock()
	}
	w.full = errors.New("not now")
	for _, want := range []int{0, 1, 1} {
		if err := w.sweep.Owed(t.Context()); err != nil || len(w.items[queue.Control]) != want {
			t.Errorf("%v, asked %d times, want %d", err, len(w.items[queue.Control]), want)
		}
		w.full = nil
	}
	body := fmt.Sprintf(`{"kind":"redrive","account":"a","since":%d,"reason":"breaker_closed","rate":10}`, start.Add(-30*time.Second).UnixMilli())
	if got := string(w.items[queue.Control][0].Body); got != body {
		t.Errorf("%s, want %s", got, body)
	}
}

// silences are the channels that are said to have sent nothing.
type silences struct {
	telemetry.Nop
	of []string
}

func (s *silences) Observe(name string, v float64, _ telemetry.Unit, _ telemetry.Labels) {
	s.of = append(s.of, fmt.Sprint(name, v))
}

func (s *silences) Count(name string, n int64, l telemetry.Labels) {
	s.of = append(s.of, fmt.Sprint(name, n, l.Channel))
}

// Each tick, and no pass between, says of every channel that nothing was sent: silence is a value, not the lack of one.
func TestTickSaysNothingWasSent(t *testing.T) {
	t.Parallel()
	w, told := newWorld(t), &silences{}
	s, err := sweep.New(sweep.Ports{Store: w.store, Queue: w, Now: w.Now, Metrics: told, Log: slog.New(slog.DiscardHandler), Channels: []message.Channel{message.SMS, message.Email}})
	if err != nil {
		t.Fatal(err)
	}
	if again := s.Handle(t.Context(), []queue.Item{{ID: "1", Body: []byte(`{"kind":"tick"}`)}, {ID: "2", Body: []byte(`{"kind":"pass"}`)}}); len(again) > 0 {
		t.Error(again)
	}
	if !slices.Equal(told.of, []string{"sent0sms", "sent0email", "swept1"}) {
		t.Errorf("%v", told.of)
	}
}

// A sweep that fails is told by the lack of the metric: its entries come again, and the function runs on.
func TestSweepThatFailsIsNotSwept(t *testing.T) {
	t.Parallel()
	w, told := newWorld(t), &silences{}
	s, err := sweep.New(sweep.Ports{Store: w.store, Queue: w, Now: w.Now, Metrics: told, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	w.fault = func(string) storetest.Fault { return storetest.Fault{Before: errors.New("no table")} }
	if again := s.Handle(t.Context(), []queue.Item{{ID: "1", Body: []byte(`{"kind":"tick"}`)}}); len(again) != 1 || len(told.of) > 0 {
		t.Error(again, told.of)
	}
}

// A pass that is cut off by its time is no failure: what it wrote is queued, and its entry does not come again, as the
// next one goes on.
func TestCutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accept(20)
	w.clock = w.clock.Add(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	writes := 0
	w.fault = func(call string) (f storetest.Fault) {
		if call == "Write" {
			if writes++; writes == 4 {
				cancel()
				f.Before = ctx.Err()
			}
		}
		return f
	}
	if again := w.sweep.Handle(ctx, []queue.Item{{ID: "1", Body: []byte(`{"kind":"pass"}`)}}); len(again) > 0 {
		t.Error("comes again:", again)
	}
	if got := len(w.take()); got != 3 || strings.Contains(w.logs.String(), "level=ERROR") {
		t.Errorf("%d of 3 are queued: %s", got, w.logs.String())
	}
}

// A pass leaves half of the time to what else the control queue is for, however much is due.
func TestShareOfTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.clock = time.Now()
		w.fault = func(string) storetest.Fault { return storetest.Fault{Hold: func(ctx context.Context) { <-ctx.Done() }} }
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if again := w.sweep.Handle(ctx, []queue.Item{{ID: "1", Body: []byte(`{"kind":"pass"}`)}}); len(again) > 0 || ctx.Err() != nil {
			t.Error(again, ctx.Err())
		}
	})
}

// Passes that never come to the end of a shard come to all of them.
func TestEachShardIsFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	order := &ordered{Store: w.store}
	s, err := sweep.New(sweep.Ports{Store: order, Queue: w, Now: w.Now, Metrics: w, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	first := map[string]bool{}
	for range 3 {
		order.seen = nil
		if _, err := s.Pass(t.Context()); err != nil || len(order.seen) != 3 {
			t.Fatal(order.seen, err)
		}
		first[order.seen[0]] = true
		w.clock = w.clock.Add(20 * time.Second)
	}
	if len(first) != 3 {
		t.Error("first are only", first)
	}
}

// ordered remembers which shards were looked at.
type ordered struct {
	sweep.Store
	seen []string
}

func (o *ordered) Due(ctx context.Context, shard string, now message.Time, limit int, after string) ([]store.Due, string, error) {
	o.seen = append(o.seen, shard)
	return o.Store.Due(ctx, shard, now, limit, after)
}
