package operate_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/audit"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/httpapi"
	mount "github.com/opennotify/notify/pkg/httpapi/operate"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/redrive"
	sealfile "github.com/opennotify/notify/pkg/seal/file"
	secretfile "github.com/opennotify/notify/pkg/secret/file"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/sqlite/sqlitetest"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
	"github.com/opennotify/notify/pkg/wire"
	wireaudit "github.com/opennotify/notify/pkg/wire/audit"
	wireoperate "github.com/opennotify/notify/pkg/wire/operate"
	wireredrive "github.com/opennotify/notify/pkg/wire/redrive"
)

// acme is a provider with every kind of field.
const acme = `name: acme
title: {zh: 甲, en: Acme}
docs: https://acme.example/docs
channels: [sms, whatsapp]
fields:
  - {name: api_key, label: {zh: 密钥, en: API key}, type: string, pattern: "[A-Za-z0-9-]+", required: true, secret: true}
  - {name: pin, label: {zh: 口令, en: PIN}, type: number, secret: true}
  - {name: region, label: {zh: 区域, en: Region}, type: select, options: [eu, cn], default: eu}
  - {name: url, label: {zh: 地址, en: URL}, type: url}
limits: {per_second: 5, source: "https://acme.example/limits"}
`

// bolt is a provider whose vendor sends templates of its own.
const bolt = `name: bolt
title: {zh: 乙, en: Bolt}
docs: https://bolt.example/docs
channels: [sms]
approvals: true
fields:
  - {name: api_key, label: {zh: 密钥, en: API key}, type: string, secret: true}
binding:
  - {name: template_id, label: {zh: 模板, en: Template}, type: string, pattern: "[0-9]+", required: true}
  - {name: params, label: {zh: 参数, en: Parameters}, type: variables}
  - {name: kind, label: {zh: 类型, en: Kind}, type: select, options: [a, b], default: a}
`

// bench is the whole, with everything real but the clock, the queue and the providers' senders.
type bench struct {
	*wire.Backend
	handler http.Handler
	keys    map[string]string // text by name
	log     *syncBuffer
	queue   *sentQueue
	senders *senders
	use     *operate.Operate
	redrive *redrive.Redrive
	audit   *audit.Audit

	mu    sync.Mutex
	clock time.Time
}

type syncBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

// sentQueue remembers what was sent.
type sentQueue struct {
	mu   sync.Mutex
	sent []string
	err  error
}

func (q *sentQueue) Send(_ context.Context, to queue.Name, items ...queue.Item) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, it := range items {
		q.sent = append(q.sent, string(to)+" "+it.Group+" "+string(it.Body))
	}
	return q.err
}

// senders opens accounts whose check answers check, and whose vendor says approval and note.
type senders struct {
	check    error
	approval provider.Approval
	note     string
	meantime func() // what happens while the vendor is asked
}

type sender struct{ provider.Sender }

type checker struct {
	provider.Sender
	err error
}

func (c checker) Check(context.Context) error { return c.err }

type approver struct {
	provider.Sender
	s *senders
}

func (a approver) Approval(_ context.Context, binding map[string]string) (provider.Approval, string, error) {
	if a.s.meantime != nil {
		a.s.meantime()
	}
	return a.s.approval, a.s.note + binding["template_id"], a.s.check
}

func (s *senders) Open(_ context.Context, a config.Account) (provider.Sender, provider.Descriptor, error) {
	switch a.Provider {
	case "acme":
		return checker{err: s.check}, provider.Descriptor{}, nil
	case "bolt":
		return approver{s: s}, provider.Descriptor{}, nil
	case "devinbox":
		return sender{}, provider.Descriptor{}, nil
	}
	return nil, provider.Descriptor{}, errors.New("cannot be used here")
}

// counter is randomness that is the same in every run.
type counter struct {
	mu sync.Mutex
	n  uint64
}

func (c *counter) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := 0; i < len(p); i += sha256.Size {
		c.n++
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, c.n))
		copy(p[i:], sum[:])
	}
	return len(p), nil
}

func setup(t *testing.T) *bench {
	t.Helper()
	b := &bench{keys: map[string]string{}, log: new(syncBuffer), queue: new(sentQueue), senders: new(senders), clock: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	dir := t.TempDir()
	keeper, err := sealfile.Open(filepath.Join(dir, "master.key"), rand.Reader)
	ok(t, err)
	st, err := store.Open(t.Context(), sqlitetest.Open(t), keeper, message.At(b.now()), store.Options{DueShards: 1, ListShards: 1, Random: rand.Reader})
	ok(t, err)
	vault, err := secretfile.Open(t.Context(), filepath.Join(dir, "secrets.json"), keeper, rand.Reader)
	ok(t, err)
	cat, err := catalog.Load(provider.Descriptors(), fstest.MapFS{"acme/provider.yaml": {Data: []byte(acme)}, "bolt/provider.yaml": {Data: []byte(bolt)}})
	ok(t, err)
	log := slog.New(slog.NewJSONHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	conf := config.New(st, b.now, log)
	b.Backend = &wire.Backend{Store: st, Config: conf, Queue: b.queue, Vault: vault, Catalog: cat.With(conf), Metrics: telemetry.Nop{}, Now: b.now, Random: new(counter), NewULID: wire.ULIDs(rand.Reader), Log: log}
	b.use, err = wireoperate.New(b.Backend, b.senders)
	ok(t, err)
	b.NewULID = wire.ULIDs(rand.Reader)
	b.redrive, err = wireredrive.New(b.Backend)
	ok(t, err)
	b.audit, err = wireaudit.New(b.Backend)
	ok(t, err)
	var n atomic.Int64
	b.handler = httpapi.New(httpapi.Config{Auth: httpapi.KeyAuth(b.Config, b.now), Now: b.now, Log: log,
		NewRequestID: func() string { return fmt.Sprint("req_", n.Add(1)) }}, b.endpoints()...)
	for _, name := range []string{"shop", "bank"} {
		b.seed(t, store.Tenants, name, name, tenant.Tenant{Name: name, Owner: tenant.Owner{Name: "Li Lei", Phone: "+8613900139000"}, Region: "CN", Locale: "zh"})
	}
	b.key(t, "none", "shop")
	b.key(t, "send", "shop", tenant.Send)
	b.key(t, "read", "shop", tenant.Read)
	b.key(t, "other", "bank", tenant.Read)
	b.key(t, "both", "shop", tenant.Send, tenant.Read)
	b.key(t, "operate", "", tenant.Operate)
	b.key(t, "admin", "", tenant.Admin)
	return b
}

func (b *bench) endpoints() []httpapi.Endpoint {
	return slices.Concat(mount.Endpoints(b.use), mount.Redriving(b.redrive), mount.Auditing(b.audit))
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bench) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.clock
}

func (b *bench) sleep(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock = b.clock.Add(d)
}

// seed writes a document behind the use case's back.
func (b *bench) seed(t *testing.T, k store.Kind, name, owner string, v any) {
	t.Helper()
	body, err := json.Marshal(v)
	ok(t, err)
	_, err = b.Store.PutDoc(t.Context(), tenant.System("seed"), message.At(b.now()), store.Doc{Kind: k, Name: name, Tenant: owner, Reason: "first start", Body: body})
	ok(t, err)
	b.Config.Changed(k)
}

func (b *bench) key(t *testing.T, name, owner string, scopes ...tenant.Scope) {
	t.Helper()
	random := [27]byte(bytes.Repeat([]byte(name), 27))
	k, text := tenant.NewKey(random, tenant.Key{Tenant: owner, Title: name, Live: true, Scopes: scopes}, message.At(b.now()))
	b.seed(t, store.APIKeys, k.ID, owner, k)
	b.keys[name] = string(text)
}

// do makes a request in the name of a key; "" is no key.
func (b *bench) do(key, method, path, body string) *httptest.ResponseRecorder {
	b.sleep(time.Second)
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "notify.example.com"
	if body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+b.keys[key])
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w
}

// must makes a request that succeeds, and reads its answer.
func (b *bench) must(t *testing.T, key, method, path, body string, into any) {
	t.Helper()
	w := b.do(key, method, path, body)
	if w.Code >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	if into != nil {
		ok(t, stdjson.Unmarshal(w.Body.Bytes(), into))
	}
}
