package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/opennotify/notify/pkg/message"
	sealfile "github.com/opennotify/notify/pkg/seal/file"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/sqlite"
	"github.com/opennotify/notify/pkg/store/sqlite/sqlitetest"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/tenant"
)

var (
	t0   = message.At(time.Date(2026, 7, 1, 12, 0, 0, 400e6, time.UTC))
	shop = tenant.Of(tenant.Key{Tenant: "shop", ID: "k1", Live: true, Scopes: []tenant.Scope{tenant.Send, tenant.Read}})
	sys  = tenant.System("test")
)

const (
	window = 5 * time.Minute
	anna   = "+8613800138000"
)

// world is a store over a real file.
type world struct {
	testing.TB
	*store.Store
	db   store.Driver
	sql  *sqlite.DB // nil for a disk in memory
	file *sealfile.Keeper
}

func newWorld(t testing.TB) *world {
	db := sqlitetest.Open(t)
	w := worldOver(t, db)
	w.sql = db
	return w
}

func worldOver(t testing.TB, db store.Driver) *world {
	t.Helper()
	keeper, err := sealfile.Open(filepath.Join(t.TempDir(), "master.key"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{TB: t, db: db, file: keeper}
	w.Store = w.over(db)
	return w
}

// over opens another Store on the same records, as another process does.
func (w *world) over(d store.Driver) *store.Store {
	w.Helper()
	s, err := store.Open(w.Context(), d, w.file, t0, store.Options{DueShards: 2, ListShards: 2, Random: rand.Reader})
	if err != nil {
		w.Fatal(err)
	}
	return s
}

func newULID(at message.Time) string {
	return strings.ToLower(ulid.MustNew(uint64(at), rand.Reader).String())
}

// draft is a message to one address, always with the same content.
func (w *world) draft(to string, now message.Time, change ...func(*store.Draft)) *store.Draft {
	m := message.Message{
		ID: message.NewID(w.Partition(message.Phone, to, 1, ""), newULID(now)), Tenant: "shop", Channel: message.SMS, Class: message.Transactional,
		Template: message.Ref{Tenant: "shop", Name: "hello", Version: 1, Locale: "en"}, Created: now, Expires: now.Add(24 * time.Hour),
	}
	d := &store.Draft{Message: message.New(m, now), To: message.Address(to), Vars: []byte(`{"name":"Anna"}`), Window: window, Same: []byte("hello"), Guarded: true}
	for _, f := range change {
		f(d)
	}
	return d
}

func key(k, hash string) func(*store.Draft) {
	return func(d *store.Draft) { d.Key = &store.KeyClaim{Key: k, Hash: []byte(hash), Keep: 24 * time.Hour} }
}

// suppress holds back an address that messages go to: everybody's, or those of one tenant.
func (w *world) suppress(to, tenant string) {
	w.Helper()
	if err := w.PutSuppression(w.Context(), sys, t0, message.Phone, to, suppress.Entry{Tenant: tenant, Reason: suppress.Bounce, Masked: "x", At: t0}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) lift(to string) {
	w.Helper()
	if err := w.LiftSuppression(w.Context(), sys, t0, message.Phone, to, suppress.Entry{}, suppress.Lift{At: t0, By: "test"}); err != nil {
		w.Fatal(err)
	}
}

// accept keeps one draft with a store.
func accept(t testing.TB, s *store.Store, now message.Time, d *store.Draft) store.Verdict {
	t.Helper()
	v, err := s.Accept(t.Context(), shop, now, d)
	if err != nil {
		t.Fatal(err)
	}
	return v[0]
}

// records are all messages to an address.
func (w *world) records(to string) []*store.Record {
	w.Helper()
	f, err := w.ByRecipient(w.Context(), sys, w.Partition(message.Phone, to, 1, ""), store.Range{}, 1000, "")
	if err != nil || len(f.Bad) > 0 {
		w.Fatal(err, f.Bad)
	}
	return f.Records
}

// apply moves a message on.
func (w *world) apply(now message.Time, r *store.Record, events ...message.Event) *store.Record {
	w.Helper()
	for _, e := range events {
		var err error
		if r, err = w.Update(w.Context(), sys, now, r, e); err != nil {
			w.Fatal(err)
		}
	}
	return r
}

var errCrash = errors.New("the process is gone")

// stepwise writes as a store without transactions does: element by element, with others in between. After
// left elements, if that is not negative, every call fails: the process died there.
type stepwise struct {
	store.Driver
	mu   sync.Mutex
	left int
}

func (s *stepwise) step() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == 0 {
		return false
	}
	s.left--
	return true
}

func (s *stepwise) dead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left == 0
}

func (s *stepwise) Get(ctx context.Context, keys ...store.Key) ([]*store.Item, error) {
	if s.dead() {
		return nil, errCrash
	}
	return s.Driver.Get(ctx, keys...)
}

func (s *stepwise) Query(ctx context.Context, q store.Query) (store.Page, error) {
	if s.dead() {
		return store.Page{}, errCrash
	}
	return s.Driver.Query(ctx, q)
}

func (s *stepwise) Write(ctx context.Context, now message.Time, sequences ...[]store.Op) ([]store.Result, error) {
	out := make([]store.Result, len(sequences))
	for i, ops := range sequences {
		for j := range ops {
			if !s.step() {
				return nil, errCrash
			}
			res, err := s.Driver.Write(ctx, now, ops[j:j+1])
			if err != nil {
				return nil, err
			}
			if res[0].Applied == 0 {
				out[i].Holder = res[0].Holder
				break
			}
			out[i].Applied++
		}
	}
	if s.dead() {
		return nil, errCrash
	}
	return out, nil
}
