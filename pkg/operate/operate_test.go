package operate_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/address"
	"github.com/opennotify/notify/pkg/address/phone"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/route"
	sealfile "github.com/opennotify/notify/pkg/seal/file"
	"github.com/opennotify/notify/pkg/secret"
	secretfile "github.com/opennotify/notify/pkg/secret/file"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/sqlite/sqlitetest"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

var (
	clock = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	admin = tenant.Of(tenant.Key{ID: "root", Scopes: []tenant.Scope{tenant.Admin}})
	ops   = tenant.Of(tenant.Key{ID: "ops", Scopes: []tenant.Scope{tenant.Operate}})
)

// faulty is the documents of a store, with something that happens before a write of a kind, once.
type faulty struct {
	*store.Store
	kind   store.Kind
	before func() error
}

func (f *faulty) PutDoc(ctx context.Context, p tenant.Principal, now message.Time, d store.Doc) (store.Doc, error) {
	if before := f.before; before != nil && d.Kind == f.kind {
		f.before = nil
		if err := before(); err != nil {
			return d, err
		}
	}
	return f.Store.PutDoc(ctx, p, now, d)
}

// brokenVault fails to write.
type brokenVault struct{ secret.Vault }

func (brokenVault) Put(context.Context, string, map[string]message.Secret) error {
	return errors.New("the vault is closed")
}

type noQueue struct{}

func (noQueue) Send(context.Context, queue.Name, ...queue.Item) error { return nil }

type world struct {
	docs  *faulty
	vault secret.Vault
	log   *bytes.Buffer
	ports operate.Ports
	*operate.Operate
}

func setup(t *testing.T) *world {
	t.Helper()
	keeper, err := sealfile.Open(filepath.Join(t.TempDir(), "master.key"), rand.Reader)
	ok(t, err)
	st, err := store.Open(t.Context(), sqlitetest.Open(t), keeper, message.At(clock), store.Options{DueShards: 1, ListShards: 1, Random: rand.Reader})
	ok(t, err)
	vault, err := secretfile.Open(t.Context(), filepath.Join(t.TempDir(), "secrets.json"), keeper, rand.Reader)
	ok(t, err)
	cat, err := catalog.Load(provider.Descriptors())
	ok(t, err)
	w := &world{docs: &faulty{Store: st}, vault: vault, log: new(bytes.Buffer)}
	now := func() time.Time { return clock }
	log := slog.New(slog.NewJSONHandler(w.log, nil))
	w.ports = operate.Ports{Documents: w.docs, Suppressions: st, Messages: st, Accounting: st, Deeds: st, Vault: vault, Config: config.New(st, now, log), Catalog: cat, Queue: noQueue{},
		Addresses: address.Reader{Phone: phone.Normalise}, Now: now, Random: rand.Reader, Log: log}
	w.Operate, err = operate.New(w.ports)
	ok(t, err)
	_, err = w.PutTenant(t.Context(), admin, tenant.Tenant{Name: "shop", Owner: tenant.Owner{Name: "Li Lei", Email: "li@example.com"}}, operate.Change{})
	ok(t, err)
	return w
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func code(err error) problem.Code {
	if err == nil {
		return ""
	}
	return problem.From(err).Code
}

func draft(text string) template.Template {
	return template.Template{Tenant: "shop", Name: "t", Class: message.OTP, Variants: []template.Variant{{Channel: message.SMS, Locale: "en", Text: text}}}
}

// TestEveryMethodAsks: no method does anything for a principal that has no scope, whatever it is given.
func TestEveryMethodAsks(t *testing.T) {
	t.Parallel()
	w := setup(t)
	methods := 0
	for i := range reflect.TypeOf(w.Operate).NumMethod() {
		m := reflect.TypeOf(w.Operate).Method(i)
		if m.Type.NumIn() < 3 || m.Type.In(2) != reflect.TypeFor[tenant.Principal]() {
			continue
		}
		methods++
		for _, p := range []tenant.Principal{{}, tenant.Of(tenant.Key{Tenant: "shop"}), tenant.Of(tenant.Key{Tenant: "shop", Scopes: []tenant.Scope{tenant.Send}})} {
			in := []reflect.Value{reflect.ValueOf(w.Operate), reflect.ValueOf(t.Context()), reflect.ValueOf(p)}
			for j := 3; j < m.Type.NumIn(); j++ {
				in = append(in, reflect.Zero(m.Type.In(j)))
			}
			out := m.Func.Call(in)
			err, _ := out[len(out)-1].Interface().(error)
			if code(err) != problem.Forbidden {
				t.Errorf("%s: %v", m.Name, err)
			}
		}
	}
	if methods < 35 {
		t.Errorf("only %d methods", methods)
	}
}

func TestNewNeedsEverything(t *testing.T) {
	t.Parallel()
	w := setup(t)
	v := reflect.ValueOf(w.ports)
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if name == "Check" || name == "Approval" || name == "Compile" || name == "Try" || name == "CallbackSecret" || name == "PublicURL" || name == "Egress" || name == "Deployed" {
			continue
		}
		p := w.ports
		reflect.ValueOf(&p).Elem().Field(i).SetZero()
		if _, err := operate.New(p); err == nil {
			t.Errorf("without %s", name)
		}
	}
}

// TestDraftAfterCrash: a version without a head that names it is stepped over, and stays readable.
func TestDraftAfterCrash(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := setup(t)
	put := func(text string, version int64) (int, error) {
		head, _, err := w.PutTemplate(ctx, ops, draft(text), operate.Change{Version: version})
		return head.Body.Latest, err
	}
	crash := func() {
		w.docs.kind, w.docs.before = store.Templates, func() error { return errors.New("power cut") }
	}
	crash()
	if _, err := put("one", 0); code(err) != problem.Unavailable || strings.Contains(problem.From(err).Detail, "power") {
		t.Fatal(err)
	}
	if _, err := w.Template(ctx, ops, "shop", "t"); code(err) != problem.NotFound {
		t.Fatalf("a template without a head: %v", err)
	}
	for _, step := range []struct {
		crash   bool
		text    string
		version int64
		latest  int
	}{{false, "two", 0, 2}, {true, "three", 2, 0}, {true, "four", 2, 0}, {false, "five", 2, 5}} {
		if step.crash {
			crash()
		}
		if latest, err := put(step.text, step.version); latest != step.latest || (err != nil) != step.crash {
			t.Fatalf("%s: version %d, %v", step.text, latest, err)
		}
	}
	page, next, err := w.TemplateVersions(ctx, ops, "shop", "t", 3, 0)
	ok(t, err)
	more, end, err := w.TemplateVersions(ctx, ops, "shop", "t", 3, next)
	ok(t, err)
	var got []string
	for _, v := range append(page, more...) {
		got = append(got, v.Body.Variants[0].Text)
	}
	if d := cmp.Diff([]string{"five", "four", "three", "two", "one"}, got); d != "" || end != 0 {
		t.Errorf("%d %s", end, d)
	}
	if _, _, err := w.Publish(ctx, ops, "shop", "t", 6, ""); code(err) != problem.InvalidRequest {
		t.Errorf("published a version that is not there: %v", err)
	}
}

// TestPublishAsksForAWayOut: a version of before marketing texts had to tell the way out is not put in force again.
func TestPublishAsksForAWayOut(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := setup(t)
	promo := draft("Sale today. Reply STOP to opt out")
	promo.Class = message.Marketing
	_, _, err := w.PutTemplate(ctx, ops, promo, operate.Change{})
	ok(t, err)
	promo.Version, promo.Variants[0].Text = 1, "Sale today"
	d, err := w.docs.Doc(ctx, store.TemplateVersions, config.VersionName("shop", "t", 1))
	ok(t, err)
	d.Body, err = json.Marshal(promo)
	ok(t, err)
	_, err = w.docs.PutDoc(ctx, ops, message.At(clock), d)
	ok(t, err)
	_, _, err = w.Publish(ctx, ops, "shop", "t", 1, "again")
	if code(err) != problem.InvalidRequest || !strings.Contains(problem.From(err).Fields[0].Detail, "how to get no more") {
		t.Errorf("published: %v", err)
	}
}

// TestDraftBesidePublication: what is published while a draft is written stays published.
func TestDraftBesidePublication(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := setup(t)
	_, _, err := w.PutTemplate(ctx, ops, draft("one"), operate.Change{})
	ok(t, err)
	w.docs.kind, w.docs.before = store.Templates, func() error {
		_, _, err := w.Publish(ctx, ops, "shop", "t", 1, "meanwhile")
		return err
	}
	head, _, err := w.PutTemplate(ctx, ops, draft("two"), operate.Change{Version: 1})
	ok(t, err)
	if head.Body.Published != 1 || head.Body.Latest != 2 {
		t.Errorf("%+v", head.Body)
	}
	// Another draft is another matter.
	w.docs.before = func() error {
		_, _, err := w.PutTemplate(ctx, ops, draft("theirs"), operate.Change{Version: 2})
		return err
	}
	if _, _, err := w.PutTemplate(ctx, ops, draft("mine"), operate.Change{Version: 2}); code(err) != problem.Conflict {
		t.Errorf("a lost draft: %v", err)
	}
	if got, err := w.Template(ctx, ops, "shop", "t"); err != nil || got.Body.Latest != 4 || got.Body.Published != 1 {
		t.Errorf("%v %+v", err, got.Body)
	}
}

// TestLostInTheWrite: a change that another process makes between reading and writing is never overwritten.
func TestLostInTheWrite(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := setup(t)
	account := operate.AccountRequest{Account: config.Account{Name: "hook", Provider: "webhook"},
		Secrets: map[string]message.Secret{"secret": "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"}}
	_, err := w.PutAccount(ctx, admin, account, operate.Change{})
	ok(t, err)
	rt := route.Route{Name: "r", DedupSeconds: 1}
	_, err = w.PutRoute(ctx, ops, rt, operate.Change{})
	ok(t, err)
	behind := func(k store.Kind, name string) {
		w.docs.kind, w.docs.before = k, func() error {
			d, err := w.docs.Doc(ctx, k, name)
			if err != nil {
				return err
			}
			d.Reason = "behind your back"
			_, err = w.docs.PutDoc(ctx, admin, message.At(clock), d)
			return err
		}
	}
	for _, c := range []struct {
		k      store.Kind
		name   string
		change func() error
		want   string
	}{
		{store.Routes, "r", func() error { _, err := w.PutRoute(ctx, ops, rt, operate.Change{Version: 1}); return err }, "route r has version 2, by key:root"},
		{store.Routes, "r", func() error { return w.DeleteRoute(ctx, ops, "r", operate.Change{Version: 2}) }, "has version 3"},
		{store.Routes, "r", func() error { _, err := w.UndoRoute(ctx, ops, "r", operate.Change{Version: 3}); return err }, "has version 4"},
		{store.Tenants, "shop", func() error { return w.DeleteTenant(ctx, admin, "shop", operate.Change{Version: 1}) }, "has version 2"},
		{store.Accounts, "hook", func() error { _, err := w.PutAccount(ctx, admin, account, operate.Change{Version: 1}); return err }, "has version 2"},
		{store.Accounts, "hook", func() error {
			account.Secrets["secret"] = "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXph"
			_, err := w.PutAccount(ctx, admin, account, operate.Change{Version: 2})
			return err
		}, "the secrets that you sent are kept already: send them again"},
	} {
		behind(c.k, c.name)
		if err := c.change(); code(err) != problem.Conflict || !strings.Contains(problem.From(err).Detail, c.want) {
			t.Errorf("%s: %v", c.want, err)
		}
	}
	// What names no version goes on top of the other's change.
	behind(store.Accounts, "hook")
	if a, err := w.SwitchAccount(ctx, ops, "hook", true, "burning"); err != nil || !a.Body.Off || a.Version != 5 {
		t.Errorf("%v %+v", err, a)
	}
}

func TestVaultFails(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := setup(t)
	w.Operate.Vault = brokenVault{w.vault}
	a := operate.AccountRequest{Account: config.Account{Name: "hook", Provider: "webhook"}, Secrets: map[string]message.Secret{"secret": "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"}}
	if _, err := w.PutAccount(ctx, admin, a, operate.Change{}); code(err) != problem.Unavailable {
		t.Errorf("%v", err)
	}
	if _, err := w.Account(ctx, ops, "hook"); code(err) != problem.NotFound {
		t.Errorf("an account whose secrets are not kept: %v", err)
	}
	w.Operate.Vault = w.vault
	_, err := w.PutAccount(ctx, admin, a, operate.Change{})
	ok(t, err)
	w.Operate.Vault = brokenVault{w.vault}
	if err := w.DeleteAccount(ctx, admin, "hook", operate.Change{Version: 1}); err != nil {
		t.Errorf("deleted, though the vault keeps what nobody will read: %v", err)
	}
	if !strings.Contains(w.log.String(), "secrets of a deleted account not removed") || strings.Contains(w.log.String(), "whsec") {
		t.Errorf("log: %s", w.log)
	}
}

// TestKeyIDTaken: an id that is taken is not handed out again.
func TestKeyIDTaken(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := setup(t)
	same, other := bytes.Repeat([]byte{1}, 27), bytes.Repeat([]byte{2}, 27)
	w.Random = bytes.NewReader(bytes.Join([][]byte{same, same, other, same, same, same}, nil))
	r := operate.KeyRequest{Title: "x", Scopes: []tenant.Scope{tenant.Operate}}
	a, err := w.CreateKey(ctx, admin, r)
	ok(t, err)
	b, err := w.CreateKey(ctx, admin, r)
	ok(t, err)
	if a.Body.ID == b.Body.ID || a.Text == b.Text {
		t.Error("one id twice")
	}
	if k, err := w.CreateKey(ctx, admin, r); code(err) != problem.Unavailable || k.Text != "" {
		t.Errorf("%v", err)
	}
	w.Random = iotest.ErrReader(io.ErrUnexpectedEOF)
	if k, err := w.CreateKey(ctx, admin, r); code(err) != problem.Unavailable || k.Text != "" {
		t.Errorf("a key without randomness: %v", err)
	}
}

// TestUnreadable: one document that cannot be read does not hide the others.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := setup(t)
	_, err := w.docs.PutDoc(ctx, admin, message.At(clock), store.Doc{Kind: store.Tenants, Name: "odd", Tenant: "odd", Body: []byte(`{"name":1}`)})
	ok(t, err)
	all, err := w.Tenants(ctx, ops)
	if err != nil || len(all) != 1 || !strings.Contains(w.log.String(), "tenant odd") {
		t.Errorf("%v %d %s", err, len(all), w.log)
	}
	if _, err := w.Tenant(ctx, ops, "odd"); code(err) != problem.Unavailable {
		t.Errorf("%v", err)
	}
}

// TestTooLarge: a template that compiles, and is too large once its quotes are escaped.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, _, err := w.PutTemplate(t.Context(), ops, draft(strings.Repeat(`"`, 250_000)), operate.Change{})
	if code(err) != problem.InvalidRequest || problem.From(err).Fields[0].Code != problem.TooLong {
		t.Errorf("%v", err)
	}
}

// TestStoreDown: nothing of the fault reaches the caller.
func TestStoreDown(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.docs.kind, w.docs.before = store.Tenants, func() error { return store.ErrFull }
	_, err := w.PutTenant(t.Context(), admin, tenant.Tenant{Name: "full", Owner: tenant.Owner{Name: "Li Lei", Email: "li@example.com"}}, operate.Change{})
	if p := problem.From(err); p.Code != problem.Unavailable || p.RetryAfter != time.Minute || !errors.Is(err, store.ErrFull) {
		t.Errorf("%v", err)
	}
	if _, err := w.Tenants(ctx, ops); code(err) != problem.Unavailable || strings.Contains(problem.From(err).Detail, "cancel") {
		t.Errorf("%v", err)
	}
}

// Where the channel of callbacks is off, an endpoint can only be read.
func TestEndpointWithoutItsChannel(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.ports.Deployed = func(ch message.Channel) bool { return ch != message.Webhook }
	o, err := operate.New(w.ports)
	ok(t, err)
	_, err = o.PutEndpoint(t.Context(), admin, operate.EndpointRequest{Tenant: "shop", Name: "a", URL: "https://shop.example.com/"}, operate.Change{})
	if p := problem.From(err); code(err) != problem.InvalidRequest || p.Fields[0].Pointer != "/url" || p.Fields[0].Code != problem.ChannelOff {
		t.Errorf("%v", err)
	}
	e, err := o.PutEndpoint(t.Context(), admin, operate.EndpointRequest{Tenant: "shop", Name: "a", Until: clock.Add(time.Hour)}, operate.Change{})
	if err != nil || e.Secret != "" {
		t.Errorf("%+v, %v", e.Versioned, err)
	}
}

// Nobody learns an endpoint's secret that was not kept: it is rotated.
func TestEndpointSecretNotKept(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.ports.Vault = lockedVault{w.vault}
	o, err := operate.New(w.ports)
	ok(t, err)
	e, err := o.PutEndpoint(t.Context(), admin, operate.EndpointRequest{Tenant: "shop", Name: "a", URL: "https://shop.example.com/"}, operate.Change{})
	if code(err) != problem.Unavailable || e.Secret != "" {
		t.Errorf("%v", err)
	}
	e, err = w.RotateEndpoint(t.Context(), admin, "shop", "a", time.Hour, operate.Change{Version: 1})
	if err != nil || e.Secret == "" {
		t.Error(err)
	}
}

type lockedVault struct{ secret.Vault }

func (lockedVault) Put(context.Context, string, map[string]message.Secret) error {
	return errors.New("the vault is locked")
}
