package config_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
)

var errDown = errors.New("the store is down")

// docs is a store of documents that may fail, and counts how often it is read.
type docs struct {
	mu    sync.Mutex
	docs  map[store.Kind][]store.Doc
	bad   []error
	err   error
	reads int
	hold  func() // called in the middle of a reading
}

func (d *docs) set(k store.Kind, bodies ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.docs[k] = nil
	for _, b := range bodies {
		name, body, _ := strings.Cut(b, " ")
		d.docs[k] = append(d.docs[k], store.Doc{Kind: k, Name: name, Version: 7, Body: []byte(body)})
	}
}

func (d *docs) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

func (d *docs) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reads
}

func (d *docs) Docs(_ context.Context, k store.Kind) ([]store.Doc, []error, error) {
	d.mu.Lock()
	out, err, hold := d.docs[k], d.err, d.hold
	d.reads++
	d.hold = nil
	d.mu.Unlock()
	if hold != nil {
		hold()
	}
	if err != nil {
		return nil, nil, err
	}
	return out, d.bad, nil
}

func (d *docs) Doc(_ context.Context, k store.Kind, name string) (store.Doc, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads++
	for _, doc := range d.docs[k] {
		if doc.Name == name {
			return doc, d.err
		}
	}
	return store.Doc{}, errors.Join(store.ErrNotFound, d.err)
}

// bench is a source with a clock.
type bench struct {
	*config.Source
	docs *docs
	log  *bytes.Buffer
	mu   sync.Mutex
	now  time.Time
}

func newBench() *bench {
	b := &bench{docs: &docs{docs: map[store.Kind][]store.Doc{}}, log: new(bytes.Buffer), now: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)}
	b.Source = config.New(b.docs, b.time, slog.New(slog.NewJSONHandler(b.log, nil)))
	return b
}

func (b *bench) time() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) wait(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

// title is a tenant's title, "-" when there is no such tenant.
func (b *bench) title(t testing.TB) string {
	t.Helper()
	got, ok, err := b.Tenant(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		return "-"
	}
	return got.Title
}

func TestSnapshotsAreYoung(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.docs.set(store.Tenants, `shop {"name":"shop","title":"one"}`)
	if got := b.title(t); got != "one" {
		t.Fatal(got)
	}
	b.docs.set(store.Tenants, `shop {"name":"shop","title":"two"}`)
	b.wait(config.MaxAge - time.Millisecond)
	if got := b.title(t); got != "one" || b.docs.count() != 1 {
		t.Errorf("%s after %d readings", got, b.docs.count())
	}
	b.wait(time.Millisecond)
	if got := b.title(t); got != "two" || b.docs.count() != 2 {
		t.Errorf("%s after %d readings", got, b.docs.count())
	}
	b.docs.set(store.Tenants)
	b.Changed(store.Routes) // another kind
	if got := b.title(t); got != "two" {
		t.Error(got)
	}
	b.Changed(store.Tenants)
	if got := b.title(t); got != "-" {
		t.Error("a change is not seen at once:", got)
	}
}

// A reading that began before a change is not what readers see after it.
func TestChangedDuringAReading(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.docs.set(store.Tenants, `shop {"name":"shop","title":"one"}`)
	b.docs.hold = func() {
		b.docs.set(store.Tenants, `shop {"name":"shop","title":"two"}`)
		b.Changed(store.Tenants)
	}
	b.title(t)
	if got := b.title(t); got != "two" {
		t.Error(got)
	}
}

// A store that fails leaves the old snapshot in force, without a reading by every caller; the first
// reading must succeed.
func TestFailingRefresh(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.docs.fail(errDown)
	if _, _, err := b.Tenant(t.Context(), "shop"); !errors.Is(err, errDown) {
		t.Error(err)
	}
	b.docs.fail(nil)
	b.docs.set(store.Tenants, `shop {"name":"shop","title":"one"}`)
	if got := b.title(t); got != "one" {
		t.Error("a first reading that failed is not repeated:", got)
	}
	b.docs.fail(errDown)
	b.wait(config.MaxAge)
	before := b.docs.count()
	for range 100 {
		if got := b.title(t); got != "one" {
			t.Fatal(got)
		}
	}
	if n := b.docs.count() - before; n != 1 || !strings.Contains(b.log.String(), "not refreshed") {
		t.Errorf("%d readings of a store that is down: %s", n, b.log)
	}
	b.docs.fail(nil)
	b.docs.set(store.Tenants, `shop {"name":"shop","title":"two"}`)
	b.wait(time.Second)
	if got := b.title(t); got != "two" {
		t.Error("healed, but", got)
	}
	// A change is tried for at once even then.
	b.docs.fail(errDown)
	b.wait(config.MaxAge)
	b.title(t)
	b.docs.fail(nil)
	b.docs.set(store.Tenants, `shop {"name":"shop","title":"three"}`)
	b.Changed(store.Tenants)
	if got := b.title(t); got != "three" {
		t.Error(got)
	}
}

// A caller that leaves in the middle is no fault of the store: nothing is logged, and the next caller reads.
func TestRefreshOfWhoIsGone(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.docs.set(store.Tenants, `shop {"name":"shop","title":"one"}`)
	b.title(t)
	b.wait(config.MaxAge)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	b.docs.fail(context.Canceled)
	if x, ok, err := b.Tenant(gone, "shop"); err != nil || !ok || x.Title != "one" {
		t.Errorf("%+v %t %v", x, ok, err)
	}
	b.docs.fail(nil)
	b.docs.set(store.Tenants, `shop {"name":"shop","title":"two"}`)
	if got := b.title(t); got != "two" || b.log.Len() > 0 {
		t.Errorf("%q, and logged %q", got, b.log)
	}
}

// One document that cannot be read is reported, and the others serve.
func TestUnreadableDocument(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.docs.bad = []error{errors.New("tenant torn cannot be read")}
	b.docs.set(store.Tenants, `bank {"name":"bank"}`, `broken {"name":`, `odd {"name":5}`, `shop {"name":"shop","title":"one"}`)
	list, err := b.Tenants(t.Context())
	if err != nil || len(list) != 2 || b.title(t) != "one" {
		t.Errorf("%+v, %v", list, err)
	}
	for _, want := range []string{"broken", "odd", "torn"} {
		if !strings.Contains(b.log.String(), want) {
			t.Errorf("%s is not reported: %s", want, b.log)
		}
	}
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.docs.set(store.Accounts, `a {"name":"a","channel":"sms"}`, `b {"name":"b","channel":"email"}`, `c {"name":"c","channel":"sms","off":true}`)
	sms, err1 := b.Accounts(t.Context(), message.SMS)
	all, err2 := b.Accounts(t.Context(), "")
	one, ok, err3 := b.Account(t.Context(), "c")
	if err := errors.Join(err1, err2, err3); err != nil || len(sms) != 2 || len(all) != 3 || !ok || !one.Off || one.Version != 7 {
		t.Errorf("%+v %+v %+v, %v", sms, all, one, err)
	}
}

// A name that never was anybody's is told from one of which there is just nothing; what was deleted is known.
func TestKnown(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.docs.set(store.Tenants, `shop {"name":"shop"}`)
	b.docs.set(store.Accounts, `a {"name":"a","channel":"sms"}`, `f {"name":"f","channel":"fax"}`)
	b.docs.set(store.Endpoints, `shop/orders {"tenant":"shop","name":"orders"}`)
	for _, tc := range []struct {
		tenant  string
		channel message.Channel
		account string
		want    string
	}{
		{}, {tenant: "shop", channel: message.Discord, account: "a"}, {channel: "fax"}, {channel: "callback"}, {account: config.EndpointAccount("shop", "orders")},
		{account: config.EndpointAccount("shop", "order"), want: "query:account bad_value"},
		{tenant: "shpo", want: "query:tenant unknown_tenant"}, {channel: "smss", want: "query:channel unknown_channel"}, {account: "b", want: "query:account bad_value"},
		{tenant: "shpo", channel: "smss", account: "b", want: "query:tenant unknown_tenant, query:channel unknown_channel, query:account bad_value"},
	} {
		var got []string
		err := b.Known(t.Context(), "query:", tc.tenant, tc.channel, tc.account)
		if p := (*problem.Error)(nil); errors.As(err, &p) {
			for _, f := range p.Fields {
				got = append(got, f.Pointer+" "+string(f.Code))
			}
		}
		if text := strings.Join(got, ", "); text != tc.want || (err == nil) != (tc.want == "") {
			t.Errorf("%+v: %q, %v", tc, text, err)
		}
	}
	b.docs.fail(errDown)
	if err := b.Known(t.Context(), "query:", "shop", "", "a"); err != nil {
		t.Errorf("what cannot be read: %v", err)
	}
}

// Versions are immutable: read and compiled once. One that cannot be compiled is not remembered.
func TestVersions(t *testing.T) {
	t.Parallel()
	b := newBench()
	ref := message.Ref{Tenant: "shop", Name: "hello", Version: 1}
	if _, err := b.Version(t.Context(), ref); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	body := func(text string) string {
		return fmt.Sprintf(`%s {"name":"hello","tenant":"shop","version":1,"class":"otp","variants":[{"channel":"sms","locale":"en","text":%q}]}`, config.VersionName("shop", "hello", 1), text)
	}
	b.docs.set(store.TemplateVersions, body("Hello {{nobody}}"))
	if _, err := b.Version(t.Context(), ref); err == nil {
		t.Error("a template that does not compile")
	}
	b.docs.set(store.TemplateVersions, body("Hello"))
	first, err := b.Version(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	before := b.docs.count()
	if again, err := b.Version(t.Context(), ref); err != nil || again != first || b.docs.count() != before {
		t.Error("it was read again", err)
	}
	b.docs.set(store.TemplateVersions, body("Hello"), "x {", body("{{#}}"))
	if all, err := b.Versions(t.Context()); err != nil || len(all) != 1 || !strings.Contains(b.log.String(), "unreadable") {
		t.Errorf("%d, %v, %s", len(all), err, b.log)
	}
}

// Many readers and changes at once; the race detector looks on.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.docs.set(store.Tenants, `shop {"name":"shop","title":"one"}`)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 200 {
				if b.title(t) != "one" {
					t.Error("lost")
				}
				if i == 0 {
					b.wait(time.Second)
					b.Changed(store.Tenants)
				}
			}
		})
	}
	group.Wait()
}

// TestBindings: they are read of a version, in a snapshot like all, and only if a provider needs one.
func TestBindings(t *testing.T) {
	t.Parallel()
	bound := provider.Descriptor{Binding: []provider.Field{{Name: "template_id", Required: true}}}
	describe := func(_ context.Context, name string) (provider.Descriptor, bool, error) {
		if name == "bound" {
			return bound, true, nil
		}
		return provider.Descriptor{}, name == "text", nil
	}
	reads := 0
	read := func(context.Context, message.Ref) (config.Bindings, error) {
		reads++
		return config.Bindings{"a": {State: provider.Approved}, "b": {State: provider.Rejected}}, nil
	}
	account := func(name, of string) config.Account { return config.Account{Name: name, Provider: of} }
	version := message.Ref{Tenant: "shop", Name: "n", Version: 1}
	for _, c := range []struct {
		accounts []config.Account
		version  message.Ref
		want     map[string]config.Bar
		reads    int
	}{
		{[]config.Account{account("a", "text"), account("x", "unknown")}, version, nil, 0},
		{[]config.Account{account("a", "bound"), account("t", "text")}, version, nil, 1},
		{[]config.Account{account("a", "bound"), account("b", "bound"), account("c", "bound")}, version, map[string]config.Bar{"b": config.Rejected, "c": config.NoBinding}, 1},
		{[]config.Account{account("a", "bound"), account("t", "text")}, message.Ref{}, map[string]config.Bar{"a": config.TemplatesOnly}, 0},
	} {
		reads = 0
		got, err := config.Bars(t.Context(), c.accounts, describe, c.version, read)
		if err != nil || !maps.Equal(got, c.want) || reads != c.reads {
			t.Errorf("%v: %v %v after %d reads", c.accounts, got, err, reads)
		}
	}
	away := errors.New("away")
	if _, err := config.Bars(t.Context(), []config.Account{account("a", "bound")}, describe, version, func(context.Context, message.Ref) (config.Bindings, error) { return nil, away }); !errors.Is(err, away) {
		t.Error(err)
	}
}
