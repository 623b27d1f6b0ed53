package stats_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/seal"
	"github.com/opennotify/notify/pkg/stats"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/memory"
	"github.com/opennotify/notify/pkg/store/storetest"
	"github.com/opennotify/notify/pkg/tenant"
)

var start = time.Date(2026, 1, 1, 22, 58, 30, 0, time.UTC)

var (
	operator = tenant.Of(tenant.Key{ID: "op", Tenant: "ops", Live: true, Scopes: []tenant.Scope{tenant.Operate}})
	reader   = tenant.Of(tenant.Key{ID: "shop", Tenant: "shop", Live: true, Scopes: []tenant.Scope{tenant.Read}})
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

// world is figures over a store in memory, and two processes that count.
type world struct {
	clock  time.Time
	stats  *stats.Stats
	gauges *stats.Gauges
	store  *store.Store
	procs  [2]*stats.Counters
	fault  func(call string) storetest.Fault
}

func newWorld(t testing.TB) *world { return worldOver(t, memory.New()) }

func worldOver(t testing.TB, d store.Driver) *world {
	t.Helper()
	w := &world{clock: start}
	faulty := storetest.Faults(d, func(call string) storetest.Fault {
		if w.fault == nil {
			return storetest.Fault{}
		}
		return w.fault(call)
	})
	var err error
	if w.store, err = store.Open(t.Context(), faulty, keeper{}, message.At(start), store.Options{DueShards: 1, ListShards: 2, Random: rand.Reader}); err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return w.clock }
	w.gauges = stats.NewGauges(now)
	if w.stats, err = stats.New(stats.Ports{Store: w.store, Now: now, Log: slog.New(slog.DiscardHandler), Gauges: w.gauges}); err != nil {
		t.Fatal(err)
	}
	for i := range w.procs {
		w.procs[i] = stats.NewCounters(now, uint32(i))
		w.procs[i].KeepIn(w.store)
	}
	return w
}
