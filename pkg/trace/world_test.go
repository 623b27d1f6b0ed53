package trace

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	mrand "math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/address"
	"github.com/opennotify/notify/pkg/address/phone"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/seal/file"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/sqlite/sqlitetest"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

const (
	t0      = message.Time(1_767_225_600_000) // 2026-01-01
	second  = message.Time(1000)
	minute  = 60 * second
	hour    = 60 * minute
	oneDay  = 24 * hour
	mobile  = "+8613800138000"
	mailbox = "wang@example.com"
)

// world is a store on a file, the configuration in it, and a clock that tests set.
type world struct {
	testing.TB
	*Trace
	store *store.Store
	now   message.Time
	rand  *mrand.Rand
}

type providers map[string]provider.Descriptor

func (p providers) Get(_ context.Context, name string) (provider.Descriptor, bool, error) {
	d, ok := p[name]
	return d, ok, nil
}

func (p providers) Channel(ctx context.Context, name message.Channel) (provider.Channel, bool, error) {
	own, _ := p.Declared(ctx)
	for _, ch := range own {
		if ch.Channel == name {
			return ch, true, nil
		}
	}
	if ch, ok := provider.BuiltIn(name); ok {
		return ch, true, nil
	}
	return provider.Undeclared(name), false, nil
}

func (p providers) Declared(context.Context) (own []provider.Channel, err error) {
	for _, d := range p {
		if ch, ok := d.OwnChannel(); ok {
			own = append(own, ch)
		}
	}
	return own, nil
}

func newWorld(t testing.TB, listShards int) *world {
	t.Helper()
	keeper, err := file.Open(filepath.Join(t.TempDir(), "key"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), sqlitetest.Open(t), keeper, t0, store.Options{DueShards: 1, ListShards: listShards, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{TB: t, store: st, now: t0, rand: mrand.New(mrand.NewPCG(1, 2))}
	clock := func() time.Time { return w.now.Std() }
	log := slog.New(slog.DiscardHandler)
	w.Trace, err = New(Ports{Store: st, Config: config.New(st, clock, log), Addresses: address.Reader{Phone: phone.Normalise}, Region: "CN", Now: clock, Log: log,
		Providers: providers{"tencent-sms": {Name: "tencent-sms", Receipts: true, AllowList: []string{"60020"}}, "smtp": {Name: "smtp"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"order", "market", "login"} {
		w.doc(store.Tenants, name, tenant.Tenant{Name: name, Owner: tenant.Owner{Name: "Owner of " + name, Phone: "010-" + name}})
	}
	return w
}

func (w *world) doc(k store.Kind, name string, body any) {
	w.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		w.Fatal(err)
	}
	if _, err := w.store.PutDoc(w.Context(), tenant.System("test"), w.now, store.Doc{Kind: k, Name: name, Body: b}); err != nil {
		w.Fatal(err)
	}
}

// template publishes a version for sms and email.
func (w *world) template(owner, name string, version int, shared bool, text string) {
	w.Helper()
	w.doc(store.TemplateVersions, config.VersionName(owner, name, version), template.Template{Name: name, Tenant: owner, Version: version,
		Class: message.Transactional, Shared: shared,
		Variables: []template.Variable{{Name: "no"}, {Name: "code", Secret: true, Optional: true}},
		Variants:  []template.Variant{{Channel: message.SMS, Locale: "zh", Text: text}, {Channel: message.Email, Locale: "en", Subject: "Your order", Text: text}}})
	head := config.Template{Name: name, Tenant: owner, Class: message.Transactional, Shared: shared, Latest: version, Published: version}
	if version > 1 {
		d, err := w.store.Doc(w.Context(), store.Templates, owner+"/"+name)
		if err != nil {
			w.Fatal(err)
		}
		d.Body, _ = json.Marshal(head)
		if _, err := w.store.PutDoc(w.Context(), tenant.System("test"), w.now, d); err != nil {
			w.Fatal(err)
		}
		return
	}
	w.doc(store.Templates, owner+"/"+name, head)
}

func (w *world) ulid(at message.Time) string {
	const digits = "0123456789abcdefghjkmnpqrstvwxyz"
	b := []byte(message.ULIDFloor(at))
	for i := 10; i < len(b); i++ {
		b[i] = digits[w.rand.IntN(32)]
	}
	return string(b)
}

// accept keeps a message; what is missing of it is filled in.
func (w *world) accept(m message.Message, to string, vars string, free *message.Content) *store.Record {
	w.Helper()
	if m.Channel == "" {
		m.Channel = message.SMS
	}
	if m.Class == "" {
		m.Class = message.Transactional
	}
	if m.Created == 0 {
		m.Created = w.now
	}
	m.Expires = max(m.Expires, m.Created+oneDay)
	info, builtIn := m.Channel.Info()
	if !builtIn { // as intake takes a recipe's
		info.Address, info.Shards = message.Account, 1
	}
	n, err := w.Addresses.Normalise(info.Address, to, "CN")
	if err != nil {
		w.Fatal(err)
	}
	ulid := w.ulid(m.Created)
	m.ID = message.NewID(w.store.Partition(info.Address, string(n.Key), info.Shards, ulid), ulid)
	if m.Status == "" {
		m = message.New(m, m.Created)
	}
	d := &store.Draft{Message: m, To: n.Send, Content: free}
	if vars != "" {
		d.Vars = []byte(vars)
	}
	d.Message.Free = free != nil
	got, err := w.store.Accept(w.Context(), tenant.System("test"), m.Created, d)
	if err != nil || !got[0].New {
		w.Fatalf("accept: %+v, %v", got, err)
	}
	return got[0].Record
}

// update applies events, each at its time.
func (w *world) update(r *store.Record, steps ...step) *store.Record {
	w.Helper()
	for _, s := range steps {
		var err error
		if r, err = w.store.Update(w.Context(), tenant.System("test"), s.at, r, s.e); err != nil {
			w.Fatalf("%T: %v", s.e, err)
		}
	}
	return r
}

func readerOf(of string) tenant.Principal {
	return tenant.Of(tenant.Key{ID: "k" + of, Tenant: of, Live: true, Scopes: []tenant.Scope{tenant.Read}})
}

func operator() tenant.Principal {
	return tenant.Of(tenant.Key{ID: "ops", Live: true, Scopes: []tenant.Scope{tenant.Operate}})
}

// step is an event at a time.
type step struct {
	at message.Time
	e  message.Event
}

func lease(at message.Time) step {
	return step{t0 + at, message.Lease{Account: "tencent-main", Provider: "tencent-sms", Until: t0 + at + 35*second}}
}

func answer(at message.Time, epoch int, o message.Outcome, code string) step {
	return step{t0 + at, message.Finish{Epoch: epoch, Next: t0 + at + 42*second, Doubt: message.Await,
		Result: message.Result{Outcome: o, Code: code, HTTPStatus: 200, ProviderID: "p1"}}}
}

func receipt(at message.Time, epoch int, s message.ReceiptState, code string) step {
	return step{t0 + at, message.Reported{Epoch: epoch, Receipt: message.Receipt{State: s, At: t0 + at, Code: code}}}
}

// play makes a message of steps.
func play(t testing.TB, m message.Message, steps ...step) message.Message {
	t.Helper()
	if m.Class == "" {
		m.Class = message.Transactional
	}
	if m.Channel == "" {
		m.Channel = message.SMS
	}
	m.ID, m.Created = message.NewID("0123456789abcdefghjkmnpq0", message.ULIDFloor(t0)), t0
	if m.Expires == 0 {
		m.Expires = t0 + oneDay
	}
	if m.Status == "" {
		m = message.New(m, t0)
	}
	for i, s := range steps {
		var err error
		if m, err = m.Apply(s.e, s.at); err != nil {
			t.Fatalf("step %d, %T: %v", i, s.e, err)
		}
	}
	return m
}
