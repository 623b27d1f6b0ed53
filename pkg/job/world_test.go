package job_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/opennotify/notify/pkg/job"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/seal"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/memory"
	"github.com/opennotify/notify/pkg/store/storetest"
	"github.com/opennotify/notify/pkg/tenant"
)

var (
	start    = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	operator = tenant.Of(tenant.Key{Tenant: "ops", ID: "op", Live: true, Scopes: []tenant.Scope{tenant.Operate}})
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

// world is jobs over a real store, a queue that is a list, and a clock that moves to the next entry.
type world struct {
	*testing.T
	disk  store.Driver
	store *store.Store
	logs  bytes.Buffer
	jobs  *job.Jobs
	clock time.Time
	items []entry
	sent  int
	fault func(call string) storetest.Fault

	// What the pages of kind count are to do, and did.
	takes  time.Duration
	wait   map[int]time.Duration
	fail   map[int]error
	during map[int]func()
	say    map[int]job.Step
	done   []int
	undone int
}

type entry struct {
	queue.Item
	at time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, clock: start, disk: memory.New()}
	db := storetest.Faults(w.disk, func(call string) storetest.Fault {
		if w.fault == nil {
			return storetest.Fault{}
		}
		return w.fault(call)
	})
	var err error
	if w.store, err = store.Open(t.Context(), db, keeper{}, message.At(start), store.Options{DueShards: 1, ListShards: 1, Random: rand.Reader}); err != nil {
		t.Fatal(err)
	}
	w.jobs, err = job.New(job.Ports{Store: w.store, Queue: w, Now: func() time.Time { return w.clock }, Log: slog.New(slog.NewTextHandler(&w.logs, nil))},
		map[string]job.Kind{"count": {Page: w.page, Stop: w.undo}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Send is a queue.Queue.
func (w *world) Send(_ context.Context, to queue.Name, items ...queue.Item) error {
	if to != queue.Control {
		w.Error("sent to", to)
	}
	for _, it := range items {
		if err := it.Check(); err != nil {
			w.Error(err)
		}
		w.sent++
		it.ID = strconv.Itoa(w.sent)
		w.items = append(w.items, entry{it, w.clock.Add(it.Delay)})
	}
	return nil
}

func (w *world) start(j store.Job) {
	w.Helper()
	j.Kind, j.Tenant, j.Spec = cmp.Or(j.Kind, "count"), "shop", jsontext.Value(`5`)
	if _, added, err := w.jobs.Start(w.Context(), operator, j); err != nil || !added {
		w.Fatal(added, err)
	}
}

func (w *world) steer(to store.JobState) {
	w.Helper()
	if _, err := w.jobs.Steer(w.Context(), operator, "job_1", to, "because"); err != nil {
		w.Fatal(err)
	}
}

func (w *world) job(id string) store.Job {
	w.Helper()
	w.fault = nil
	j, err := w.store.Job(w.Context(), operator, id)
	if err != nil {
		w.Fatal(err)
	}
	return j
}

// step handles the entries that are due now.
func (w *world) step() {
	due := slices.Clone(w.items)
	w.items = nil
	for _, e := range due {
		if e.at.After(w.clock) || len(w.jobs.Handle(w.Context(), []queue.Item{e.Item})) > 0 {
			e.at = maxTime(e.at, w.clock.Add(time.Second))
			w.items = append(w.items, e)
		}
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// work goes on until the queue is empty.
func (w *world) work() {
	w.Helper()
	for n := 0; len(w.items) > 0; n++ {
		if n > 1000 {
			w.Fatal("it never ends")
		}
		first := slices.MinFunc(w.items, func(a, b entry) int { return a.at.Compare(b.at) })
		w.clock = maxTime(w.clock, first.at)
		w.step()
	}
}

// workFor lets time pass, with a sweep every 20 seconds.
func (w *world) workFor(d time.Duration) {
	w.Helper()
	for end := w.clock.Add(d); w.clock.Before(end); w.clock = w.clock.Add(time.Second) {
		w.step()
		if w.clock.Unix()%20 == 0 {
			_, _ = w.jobs.Requeue(w.Context())
		}
	}
}

func (w *world) requeue(want int) {
	w.Helper()
	if n, err := w.jobs.Requeue(w.Context()); n != want || err != nil {
		w.Fatal("put again:", n, err, "want", want)
	}
}
