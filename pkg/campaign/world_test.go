package campaign_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	blobfile "github.com/opennotify/notify/pkg/blob/file"
	"github.com/opennotify/notify/pkg/campaign"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/storetest"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
	"github.com/opennotify/notify/pkg/timer"
	"github.com/opennotify/notify/pkg/wire"
	wirecampaign "github.com/opennotify/notify/pkg/wire/campaign"
	"github.com/opennotify/notify/pkg/wire/control"
)

var (
	system = tenant.System("test")
	shop   = intaketest.Shop
)

// world is campaigns with all that they stand on, but for a queue that is a list, a timer that fires when the
// test says so, and a clock that the test moves.
type world struct {
	*intaketest.World
	t       *testing.T
	backend wire.Backend
	camp    *campaign.Campaigns
	control *control.Control
	blobs   *blobfile.Store
	timer   *timers
	fault   func(call string) storetest.Fault
	written *written

	mu    sync.Mutex
	items []entry
	sent  int
	calls int // of SQS, which takes ten entries at once
	hints int
	log   bytes.Buffer
}

type entry struct {
	queue.Item
	at time.Time
}

// timers is a timer.Timer that keeps what it was told.
type timers struct {
	mu   sync.Mutex
	kept map[string]timer.Schedule
	err  error
}

func (t *timers) Put(_ context.Context, s timer.Schedule) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.kept[s.Name] = s
	}
	return t.err
}

func (t *timers) Delete(_ context.Context, name string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.kept[name]; !ok && t.err == nil {
		return timer.ErrNotFound
	}
	if t.err == nil {
		delete(t.kept, name)
	}
	return t.err
}

func (t *timers) List(context.Context, string) ([]string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	names := []string{}
	for name := range t.kept {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, t.err
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{World: intaketest.New(t), t: t, timer: &timers{kept: map[string]timer.Schedule{}}}
	var err error
	if w.blobs, err = blobfile.Open(t.TempDir(), blobfile.Options{Now: w.Now, Key: []byte("k"), URL: func() string { return "http://local" }}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.blobs.Close() })
	known, err := catalog.Load(provider.Descriptors())
	if err != nil {
		t.Fatal(err)
	}
	w.written = &written{Driver: w.DB, puts: map[string]int{}}
	st := w.Open(storetest.Faults(w.written, func(call string) storetest.Fault {
		if w.fault == nil {
			return storetest.Fault{}
		}
		return w.fault(call)
	}))
	w.backend = wire.Backend{Store: st, Config: w.Config, Queue: w, Timer: w.timer, Blobs: w.blobs, Catalog: known, Metrics: telemetry.Nop{}, Now: w.Now, Random: rand.Reader,
		Chance: func() float64 { return 0.5 }, NewULID: w.NewULID, Log: slog.New(slog.NewJSONHandler(&w.log, nil)), Reach: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	if w.camp, err = wirecampaign.New(&w.backend); err != nil {
		t.Fatal(err)
	}
	if w.control, err = control.New(&w.backend); err != nil {
		t.Fatal(err)
	}
	return w
}

// Send is a queue.Queue: entries for control are kept, hints only counted.
func (w *world) Send(_ context.Context, to queue.Name, items ...queue.Item) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls += (len(items) + 9) / 10
	for _, it := range items {
		if err := it.Check(); err != nil {
			w.t.Error(err)
		}
		w.sent++
		it.ID = strconv.Itoa(w.sent)
		if to == queue.Control {
			w.items = append(w.items, entry{it, w.Now().Add(it.Delay)})
		} else {
			w.hints++
		}
	}
	return nil
}

// put puts an entry into the control queue, as a timer does.
func (w *world) put(body string) {
	w.t.Helper()
	if err := w.Send(w.t.Context(), queue.Control, queue.Item{Body: []byte(body)}); err != nil {
		w.t.Fatal(err)
	}
}

// step handles the entries that are due now.
func (w *world) step() (handled int) {
	w.mu.Lock()
	due := w.items
	w.items = nil
	w.mu.Unlock()
	for _, e := range due {
		if !e.at.After(w.Now()) {
			handled++
			if len(w.control.Handle(w.t.Context(), []queue.Item{e.Item})) == 0 {
				continue
			}
			e.at = w.Now().Add(time.Second)
		}
		w.mu.Lock()
		w.items = append(w.items, e)
		w.mu.Unlock()
	}
	return handled
}

// work lets time pass, with a sweep every 20 seconds; what was queued is sent at once unless hold is set.
func (w *world) work(d time.Duration) {
	w.t.Helper()
	for end := w.Now().Add(d); w.Now().Before(end); w.Advance(time.Second) {
		for n := 0; w.step() > 0; n++ {
			if n > 10000 {
				w.t.Fatal("it never ends")
			}
		}
		if w.Now().Unix()%20 == 0 {
			_, _ = w.control.Pass(w.t.Context())
		}
	}
}

// deliver brings every message of a run that is queued to an end.
func (w *world) deliver(run string, to func(m *store.Record) message.Outcome) {
	w.t.Helper()
	for _, r := range w.messages(run) {
		if r.Status != message.Queued {
			continue
		}
		outcome := message.Accepted
		if to != nil {
			outcome = to(r)
		}
		at := w.Time()
		r, err := w.Store.Update(w.t.Context(), system, at, r, message.Lease{Account: "sms-a", Provider: "devinbox", Until: at.Add(time.Minute)})
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err = w.Store.Update(w.t.Context(), system, at, r, message.Finish{Epoch: r.Epoch, Result: message.Result{Outcome: outcome, Code: "x"}}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// messages are a run's.
func (w *world) messages(run string) (out []*store.Record) {
	w.t.Helper()
	j := w.job(run)
	for shard := range w.Store.ListShards() {
		for after := ""; ; {
			f, err := w.Store.ByRun(w.t.Context(), system, j.Tenant, run, j.Created, shard, 200, after)
			if err != nil {
				w.t.Fatal(err)
			}
			out = append(out, f.Records...)
			if after = f.Next; after == "" {
				break
			}
		}
	}
	return out
}

func (w *world) job(run string) store.Job {
	w.t.Helper()
	j, err := w.Store.Job(w.t.Context(), system, run)
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

func (w *world) run(id string) campaign.Run {
	w.t.Helper()
	r, err := w.camp.Run(w.t.Context(), shop, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// upload puts a file as somebody does.
func (w *world) upload(content string) string {
	w.t.Helper()
	u, err := w.camp.Upload(w.t.Context(), shop, "shop", int64(len(content)))
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.blobs.Put(w.t.Context(), "uploads/shop/"+u.ID, []byte(content)); err != nil {
		w.t.Fatal(err)
	}
	return u.ID
}
