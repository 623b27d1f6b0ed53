// Package intaketest is a small world for tests of the intake and of what stands on it: a real store in a
// file, a queue in memory, a clock that only the test moves, and two tenants with their templates.
package intaketest

import (
	"bytes"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/oklog/ulid/v2"

	"github.com/opennotify/notify/pkg/address"
	"github.com/opennotify/notify/pkg/address/phone"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/queue/memory"
	"github.com/opennotify/notify/pkg/seal"
	sealfile "github.com/opennotify/notify/pkg/seal/file"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/sqlite"
	"github.com/opennotify/notify/pkg/store/sqlite/sqlitetest"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
)

// Start is when every world begins.
var Start = time.Date(2026, 7, 1, 12, 0, 0, 400e6, time.UTC)

// World is the world. Its Intake is one process; Over makes others.
type World struct {
	testing.TB
	DB     *sqlite.DB
	Store  *store.Store
	Config *config.Source
	Queue  *memory.Queue
	Intake *intake.Intake
	Log    *Log

	keeper seal.Keeper
	mu     sync.Mutex
	now    time.Time
	ids    *ulid.MonotonicEntropy
}

// New makes a world with the tenants and templates of seed.go.
func New(t testing.TB) *World {
	t.Helper()
	keeper, err := sealfile.Open(filepath.Join(t.TempDir(), "master.key"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w := &World{TB: t, DB: sqlitetest.Open(t), Log: new(Log), keeper: keeper, now: Start, ids: ulid.Monotonic(rand.Reader, 0)}
	w.Queue = memory.New(memory.Options{Now: w.Now, Rand: func() float64 { return 0.5 }})
	w.Store = w.Open(w.DB)
	w.Config = config.New(w.Store, w.Now, slog.New(slog.NewJSONHandler(w.Log, nil)))
	w.Intake = w.Over(w.Store, w.Queue)
	w.seed()
	return w
}

// Open opens the records once more, as another process does, or through a driver with faults.
func (w *World) Open(d store.Driver) *store.Store {
	w.Helper()
	s, err := store.Open(w.Context(), d, w.keeper, message.At(Start), store.Options{DueShards: 2, ListShards: 2, Random: rand.Reader})
	if err != nil {
		w.Fatal(err)
	}
	return s
}

// Over makes an intake over a store and a queue; change may alter its other ports.
func (w *World) Over(s *store.Store, q queue.Queue, change ...func(*intake.Ports)) *intake.Intake {
	w.Helper()
	known, err := catalog.Load(provider.Descriptors())
	if err != nil {
		w.Fatal(err)
	}
	ports := intake.Ports{Store: s, Config: w.Config, Queue: q, Addresses: address.Reader{Phone: phone.Normalise}, Providers: known, Metrics: telemetry.Nop{},
		Now: w.Now, NewULID: w.NewULID, Log: slog.New(slog.NewJSONHandler(w.Log, nil))}
	for _, f := range change {
		f(&ports)
	}
	in, err := intake.New(ports)
	if err != nil {
		w.Fatal(err)
	}
	return in
}

// Now is the world's time.
func (w *World) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// Time is the world's time as records have it.
func (w *World) Time() message.Time { return message.At(w.Now()) }

// Advance moves the time on.
func (w *World) Advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// NewULID makes ULIDs that grow.
func (w *World) NewULID(at message.Time) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.ToLower(ulid.MustNew(uint64(at), w.ids).String())
}

// Put writes the next version of a document, in force at once.
func (w *World) Put(k store.Kind, name, owner string, v any) {
	w.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		w.Fatal(err)
	}
	old, err := w.Store.Doc(w.Context(), k, name)
	if err != nil {
		old = store.Doc{}
	}
	if _, err := w.Store.PutDoc(w.Context(), tenant.System("test"), w.Time(), store.Doc{Kind: k, Name: name, Tenant: owner, Version: old.Version, Body: body}); err != nil {
		w.Fatal(err)
	}
	w.Config.Changed(k)
}

// Records are all messages to an address of a kind that has one shard.
func (w *World) Records(kind message.AddressKind, key string) []*store.Record {
	w.Helper()
	f, err := w.Store.ByRecipient(w.Context(), tenant.System("test"), w.Store.Partition(kind, key, 1, ""), store.Range{}, 1000, "")
	if err != nil || len(f.Bad) > 0 {
		w.Fatal(err, f.Bad)
	}
	return f.Records
}

// Hints are what waits in a lane of a channel, in the order of sending.
func (w *World) Hints(ch message.Channel, lane message.Lane) []store.Hint {
	w.Helper()
	var out []store.Hint
	for _, it := range w.Queue.Peek(queue.Lane(ch, lane), 1000) {
		h, err := store.ReadHint(it.Body)
		if err != nil {
			w.Fatal(err)
		}
		out = append(out, h)
	}
	return out
}

// Log is a log in memory.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write adds to it.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String is all of it.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
