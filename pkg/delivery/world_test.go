package delivery_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/delivery"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/seal"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/memory"
	"github.com/opennotify/notify/pkg/sweep"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

var (
	start  = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	system = tenant.System("test")
)

const canary = "canary-482913"

// keeper wraps nothing.
type keeper struct{}

func (keeper) Generate(context.Context, string) (key, wrapped []byte, err error) {
	key = make([]byte, seal.KeySize)
	_, err = rand.Read(key)
	return key, key, err
}
func (keeper) Unwrap(_ context.Context, wrapped []byte, _ string) ([]byte, error) {
	return wrapped, nil
}

// ports are what every call to the outside passes: the test sees it before and after, and may fail it, or
// end the worker's goroutine there.
type ports struct {
	store.Driver
	step func(port string, do func() error) error
}

func (p *ports) Get(ctx context.Context, keys ...store.Key) (out []*store.Item, err error) {
	err = p.step("Get", func() (err error) { out, err = p.Driver.Get(ctx, keys...); return err })
	return out, err
}

func (p *ports) Write(ctx context.Context, now message.Time, seq ...[]store.Op) (out []store.Result, err error) {
	err = p.step("Write", func() (err error) { out, err = p.Driver.Write(ctx, now, seq...); return err })
	return out, err
}

func (p *ports) Query(ctx context.Context, q store.Query) (out store.Page, err error) {
	err = p.step("Query", func() (err error) { out, err = p.Driver.Query(ctx, q); return err })
	return out, err
}

// held is an item in the fake queue.
type held struct {
	to       queue.Name
	item     queue.Item
	at       time.Time
	receives int
}

// world is one delivery over a real store, a queue that is a list, and providers that are functions.
type world struct {
	unsound func(delivery.Store) delivery.Store // a fault that is planted in what workers see
	t       testing.TB
	store   *store.Store
	raw     *store.Store // the same records, without faults

	mu       sync.Mutex
	clock    time.Time
	live     bool // the clock is synctest's
	items    []held
	drop     bool // every hint is lost but the sweep's
	reads    int
	writes   int
	fault    func(port string, do func() error) error
	calls    []call
	ids      int
	logs     *bytes.Buffer
	accounts []config.Account
	routes   []route.Route
	compiled *template.Compiled
	bindings config.Bindings
	unbound  error // that they are read with
	dedup    bool
	receipts bool // the provider sends some
	named    bool // receipts have the provider's id only
	suppress map[string]string
	public   string // URL
	limits   provider.Limits
	unopened map[string]error
	endpoint *config.Endpoint
	tenant   tenant.Tenant
	counts   counts
	told     []message.Message
	heard    []message.Result
	poison   message.Channel // whose accounts make the worker panic
	send     func(ctx context.Context, c provider.Call) message.Result
	random   *mathrand.Rand
	into     queue.Queue // where hints go
	delivery *delivery.Delivery
	sweep    *sweep.Sweep
}

// call is what the provider saw.
type call struct {
	provider.Call
	account string
	at      message.Time
}

// newWorld opens a store of its own. Its default: one account, everything accepted.
func newWorld(t testing.TB) *world { return worldOver(t, memory.New()) }

func worldOver(t testing.TB, d store.Driver) *world {
	t.Helper()
	w := &world{t: t, clock: start, logs: &bytes.Buffer{}, random: mathrand.New(mathrand.NewPCG(1, 2)), unopened: map[string]error{}}
	w.accounts = []config.Account{{Name: "a1", Provider: "fake", Channel: message.SMS}}
	w.send = func(context.Context, provider.Call) message.Result {
		return message.Result{Outcome: message.Accepted, ProviderID: "p"}
	}
	w.compiled = compile(t, message.SMS, message.WhatsApp, "carrier-pigeon")
	open := func(d store.Driver) *store.Store {
		s, err := store.Open(t.Context(), d, keeper{}, message.At(start), store.Options{DueShards: 2, ListShards: 1, Random: rand.Reader})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	w.raw = open(d)
	w.store = open(&ports{d, w.step})
	w.into = w
	w.restart()
	return w
}

// restart makes new workers, as after a crash.
func (w *world) restart() {
	w.t.Helper()
	log := slog.New(telemetry.Traced(slog.NewTextHandler(locked{w}, nil)))
	var err error
	st := delivery.Store(w.store)
	if w.unsound != nil {
		st = w.unsound(st)
	}
	if w.delivery, err = delivery.New(delivery.Ports{Store: st, Config: w, Providers: w, Senders: w, Callbacks: w, Queue: w.into, Now: w.Now, Random: w.chance, Metrics: &w.counts, PublicURL: w.public, Log: log}); err != nil {
		w.t.Fatal(err)
	}
	if w.sweep, err = sweep.New(sweep.Ports{Store: w.store, Queue: w.into, Now: w.Now, Metrics: telemetry.Nop{}, Log: log}); err != nil {
		w.t.Fatal(err)
	}
}

// step counts, and lets the test's fault happen.
func (w *world) step(port string, do func() error) error {
	w.mu.Lock()
	switch port {
	case "Get", "Query":
		w.reads++
	case "Write":
		w.writes++
	}
	fault := w.fault
	w.mu.Unlock()
	if fault == nil {
		return do()
	}
	return fault(port, do)
}

type locked struct{ w *world }

func (l locked) Write(b []byte) (int, error) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	return l.w.logs.Write(b)
}

func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.live {
		return time.Now()
	}
	return w.clock
}

func (w *world) now() message.Time { return message.At(w.Now()) }

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

func (w *world) chance() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.random.Float64()
}

// Config: one template for all, and the world's accounts and routes.

func (w *world) Version(context.Context, message.Ref) (*template.Compiled, error) {
	return w.compiled, nil
}
func (w *world) Routes(context.Context) ([]route.Route, error) { return w.routes, nil }
func (w *world) Accounts(_ context.Context, ch message.Channel) ([]config.Account, error) {
	if ch == w.poison {
		panic("of " + canary)
	}
	return slices.DeleteFunc(slices.Clone(w.accounts), func(a config.Account) bool { return a.Channel != ch }), nil
}

// Endpoint is the one that there is.
func (w *world) Endpoint(context.Context, string, string) (config.Endpoint, bool, error) {
	if w.endpoint == nil {
		return config.Endpoint{}, false, nil
	}
	return *w.endpoint, true, nil
}
func (*world) RenewEndpoints(message.Time) {}

// Tenant is the one that there is.
func (w *world) Tenant(_ context.Context, name string) (tenant.Tenant, bool, error) {
	return w.tenant, w.tenant.Name == name, nil
}

// Tell and Heard write down what callbacks are told.
func (w *world) Tell(_ context.Context, r *store.Record) error {
	return w.step("Tell", func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.told = append(w.told, r.Message)
		return nil
	})
}

func (w *world) Heard(_ context.Context, _ *store.Record, res message.Result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(w.heard, res)
}

// sender is an account's.
type sender struct {
	w       *world
	account string
}

func (w *world) Open(ctx context.Context, a config.Account) (provider.Sender, provider.Descriptor, error) {
	d, _, _ := w.Get(ctx, a.Provider)
	return sender{w, a.Name}, d, w.unopened[a.Name]
}

// Send checks what must hold at every call, and asks the test for the answer.
func (s sender) Send(ctx context.Context, c provider.Call) (res message.Result) {
	w, now := s.w, s.w.now()
	r := w.record(c.ID)
	if r.Base != message.Sending || r.Epoch != c.Epoch || now >= r.Lease || now >= r.Expires || r.Last().Account != s.account {
		w.t.Errorf("called at %s without a right to: %s, epoch %d of %d, lease %s, expires %s", now, r.Base, c.Epoch, r.Epoch, r.Lease, r.Expires)
	}
	w.mu.Lock()
	w.calls = append(w.calls, call{c, s.account, now})
	w.mu.Unlock()
	_ = w.step("Send", func() error { res = w.send(ctx, c); return nil })
	return res
}

// Send keeps hints, unless they are lost.
func (w *world) Send(_ context.Context, to queue.Name, items ...queue.Item) error {
	port := "Queue"
	if strings.HasSuffix(string(to), "-dlq") {
		port = "DLQ"
	}
	return w.step(port, func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, it := range items {
			if err := it.Check(); err != nil {
				w.t.Errorf("queue %s refuses: %v", to, err)
			}
			if !w.drop || port == "DLQ" {
				w.items = append(w.items, held{to, it, w.clock.Add(it.Delay), 0})
			}
		}
		return nil
	})
}

// accept keeps a message as intake does and gives its record; its hint is not queued.
func (w *world) accept(class message.Class, change ...func(*message.Message)) *store.Record {
	w.t.Helper()
	w.mu.Lock()
	w.ids++
	id := w.ids
	w.mu.Unlock()
	now := w.now()
	ulid := message.ULIDFloor(now)[:20] + fmt.Sprintf("%06d", id)
	m := message.Message{ID: message.NewID(w.raw.Partition(message.Phone, "+8613800138000", 1, ""), ulid),
		Tenant: "shop", Channel: message.SMS, Class: class, Template: message.Ref{Tenant: "shop", Name: "hello", Version: 1, Locale: "en"},
		Created: now, Expires: now.Add(class.Defaults().TTL)}
	for _, f := range change {
		f(&m)
	}
	v, err := w.raw.Accept(w.t.Context(), system, now, &store.Draft{Message: message.New(m, now), To: "+8613800138000", Vars: []byte(`{"code":"` + canary + `"}`)})
	if err != nil || !v[0].New {
		w.t.Fatal(v, err)
	}
	return v[0].Record
}

// hint puts a hint of a record, as it is now, into its queue.
func (w *world) hint(r *store.Record) []byte {
	w.t.Helper()
	body, err := w.raw.Hint(r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.items = append(w.items, held{queue.Lane(r.Channel, r.Lane()), queue.Item{Body: body}, w.clock, 0})
	return body
}

func (w *world) record(id message.ID) *store.Record {
	w.t.Helper()
	r, err := w.raw.Message(context.WithoutCancel(w.t.Context()), system, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) apply(id message.ID, e message.Event) *store.Record {
	w.t.Helper()
	r, err := w.raw.Update(w.t.Context(), system, w.now(), w.record(id), e)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// handle gives bodies to the worker as one batch and counts those that come again.
func (w *world) handle(bodies ...[]byte) int {
	w.t.Helper()
	return len(w.delivery.Handle(w.t.Context(), items(bodies...)))
}

// deliver hands out what is ready, earliest first, until nothing is. A worker that dies leaves its item
// for the visibility; die tells that it does.
func (w *world) deliver() {
	for {
		w.mu.Lock()
		slices.SortStableFunc(w.items, func(a, b held) int { return a.at.Compare(b.at) })
		i := slices.IndexFunc(w.items, func(h held) bool { return !h.at.After(w.clock) && !strings.HasSuffix(string(h.to), "-dlq") })
		if i < 0 {
			w.mu.Unlock()
			return
		}
		h := w.items[i]
		w.items = slices.Delete(w.items, i, i+1)
		h.receives++
		w.mu.Unlock()
		again, alive := []string{"x"}, false
		w.goroutine(func() {
			again = w.delivery.Handle(w.t.Context(), []queue.Item{{ID: "x", Body: h.item.Body, Receives: h.receives}})
			alive = true
		})
		if !alive {
			w.restart()
		}
		w.mu.Lock()
		if len(again) > 0 && h.receives < queue.MaxReceives && !w.drop {
			h.at = w.clock.Add(180 * time.Second)
			w.items = append(w.items, h)
		}
		w.mu.Unlock()
	}
}

// goroutine runs do where it may end with runtime.Goexit.
func (w *world) goroutine(do func()) {
	done := make(chan struct{})
	go func() { defer close(done); do() }()
	<-done
}

// dead takes the copies out of the dead-letter queue.
func (w *world) dead() (bodies [][]byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.items = slices.DeleteFunc(w.items, func(h held) bool {
		if !strings.HasSuffix(string(h.to), "-dlq") {
			return false
		}
		bodies = append(bodies, h.item.Body)
		return true
	})
	return bodies
}

// callsOf is what the provider saw of a message.
func (w *world) callsOf(id message.ID) []call {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := slices.DeleteFunc(slices.Clone(w.calls), func(c call) bool { return c.ID != id })
	slices.SortStableFunc(out, func(a, b call) int { return cmp.Compare(a.at, b.at) })
	return out
}

func (w *world) want(id message.ID, status message.Status, calls int) *store.Record {
	w.t.Helper()
	r := w.record(id)
	if n := len(w.callsOf(id)); r.Status != status || n != calls {
		w.t.Errorf("%s (%s) after %d calls, want %s after %d", r.Status, r.Reason, n, status, calls)
	}
	return r
}

func items(bodies ...[]byte) []queue.Item {
	out := make([]queue.Item, len(bodies))
	for i, b := range bodies {
		out[i] = queue.Item{ID: fmt.Sprint(i), Body: b, Receives: 1}
	}
	return out
}
