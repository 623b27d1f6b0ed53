package callbacks_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/httpapi"
	mount "github.com/opennotify/notify/pkg/httpapi/callbacks"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
	"github.com/opennotify/notify/pkg/wire"
	"github.com/opennotify/notify/pkg/wire/callback"
)

// bench is the mount over everything real but clock and queue.
type bench struct {
	*intaketest.World
	handler   http.Handler
	endpoints []httpapi.Endpoint
	keys      map[string]string
}

func setup(t *testing.T) *bench {
	t.Helper()
	b := &bench{World: intaketest.New(t), keys: map[string]string{}}
	log := slog.New(slog.NewJSONHandler(b.Log, nil))
	told, err := callback.New(&wire.Backend{Store: b.Store, Config: b.Config, Queue: b.Queue, Catalog: &catalog.Catalog{}, Metrics: telemetry.Nop{},
		Now: b.Now, NewULID: b.NewULID, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	b.endpoints = mount.Endpoints(told)
	b.handler = httpapi.New(httpapi.Config{Auth: httpapi.KeyAuth(b.Config, b.Now), Now: b.Now, Log: log, NewRequestID: func() string { return "req" }}, b.endpoints...)
	for name, scopes := range map[string][]tenant.Scope{"send": {tenant.Send}, "read": {tenant.Read}, "both": {tenant.Send, tenant.Read}, "operate": {tenant.Operate}, "admin": {tenant.Admin}, "none": nil} {
		b.key(name, "shop", scopes...)
	}
	b.key("bank", "bank", tenant.Send, tenant.Read)
	b.Put(store.Endpoints, "shop/orders", "shop", config.Endpoint{Tenant: "shop", Name: "orders", URL: "https://hooks.example.com/"})
	return b
}

func (b *bench) key(name, owner string, scopes ...tenant.Scope) {
	var random [27]byte
	copy(random[:], strings.Repeat(name, 27))
	k, text := tenant.NewKey(random, tenant.Key{Tenant: owner, Title: name, Live: true, Scopes: scopes}, b.Time())
	b.Put(store.APIKeys, k.ID, owner, k)
	b.keys[name] = string(text)
}

func (b *bench) do(key, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body == "" {
		r = httptest.NewRequest(method, path, nil)
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

// TestAccess: every operation with every scope. What makes callbacks takes two.
func TestAccess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	may := map[string]string{"getEndpointHealth": "read both operate admin", "listCallbacks": "read both operate admin",
		"testEndpoint": "both operate admin", "resendCallbacks": "both operate admin"}
	for _, e := range b.endpoints {
		path := strings.NewReplacer("{tenant}", "shop", "{name}", "orders").Replace(e.Op.Path)
		body := ""
		if e.In != nil {
			body = `{"from":"2026-07-01T00:00:00Z"}`
		}
		for _, key := range []string{"", "none", "send", "read", "both", "operate", "admin"} {
			w := b.do(key, e.Op.Method, path, body)
			if want := slices.Contains(strings.Fields(may[e.Op.ID]), key); want != (w.Code < 300) || !want && w.Code != 401 && w.Code != 403 {
				t.Errorf("%s with the key %q: %d %s", e.Op.ID, key, w.Code, w.Body)
			}
		}
		if w := b.do("bank", e.Op.Method, path, body); w.Code != 404 {
			t.Errorf("%s by another tenant: %d %s", e.Op.ID, w.Code, w.Body)
		}
	}
	if len(b.endpoints) != len(may) {
		t.Errorf("%d operations, %d rows", len(b.endpoints), len(may))
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const path = "/v1/endpoints/shop/orders/"
	for _, row := range []struct{ method, path, body, says string }{
		{"GET", "attempts?limit=0", "", "limit must be a whole number from 1 to 100"},
		{"GET", "attempts?from=yesterday", "", "query:from"},
		{"GET", "attempts?to=0001-01-01T00:00:00Z", "", "query:to"},
		{"GET", "attempts?after=msg_x", "", "query:after"},
		{"POST", "resend", `{}`, "/from"},
		{"POST", "resend", `{"id":"msg_x"}`, "/id"},
		{"POST", "resend", fmt.Sprintf(`{"id":%q,"all":true}`, message.NewID(strings.Repeat("0", 25), message.ULIDFloor(1))), "not both"},
		{"POST", "resend", `{"from":"0001-01-01T00:00:00Z"}`, "/from"},
		{"POST", "resend", `{"from":"2026-07-01T00:00:00Z","after":"x"}`, "/after"},
	} {
		if w := b.do("both", row.method, path+row.path, row.body); w.Code != 422 || !strings.Contains(w.Body.String(), row.says) {
			t.Errorf("%s %s: %d %s", row.path, row.body, w.Code, w.Body)
		}
	}
}

// From the test to the list, and once more.
func TestRound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const path = "/v1/endpoints/shop/orders/"
	var made mount.Callback
	read := func(w *httptest.ResponseRecorder, status int, into any) {
		t.Helper()
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil || w.Code != status {
			t.Fatalf("%d %s: %v", w.Code, w.Body, err)
		}
	}
	read(b.do("both", "POST", path+"test", ""), 202, &made)
	r, err := b.Store.Message(t.Context(), tenant.System("test"), made.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []message.Event{message.Lease{Account: "endpoint/shop/orders", Until: b.Time().Add(time.Minute)},
		message.Finish{Epoch: 1, Result: message.Result{Outcome: message.Retry, HTTPStatus: 503, Code: "http_503"}, Next: b.Time().Add(time.Hour)}} {
		if r, err = b.Store.Update(t.Context(), tenant.System("test"), b.Time(), r, e); err != nil {
			t.Fatal(err)
		}
	}
	b.Advance(time.Second)
	var again mount.Resent
	read(b.do("both", "POST", path+"resend", fmt.Sprintf(`{"id":%q}`, made.ID)), 202, &again)
	if c := again.Callback; c == nil || c.ResendOf != made.ID || c.WebhookID != made.ID || c.ID == made.ID {
		t.Errorf("%+v", again.Callback)
	}
	var page mount.CallbackList
	read(b.do("read", "GET", path+"attempts?limit=1", ""), 200, &page)
	if len(page.Items) != 1 || page.Items[0].ID != again.Callback.ID || page.Next != page.Items[0].ID {
		t.Errorf("%+v", page)
	}
	read(b.do("read", "GET", path+"attempts?limit=1&after="+string(page.Next), ""), 200, &page)
	c := page.Items[0]
	if len(page.Items) != 1 || c.Status != message.Queued || c.Reason != "http_503" || c.NextTryAt == nil || c.Calls != 1 || c.Attempts[0].HTTPStatus != 503 || c.Attempts[0].Outcome != "retry" ||
		!strings.Contains(string(c.Event), `"type":"endpoint.test"`) {
		t.Errorf("%+v", c)
	}
	read(b.do("both", "POST", path+"resend", `{"from":"2026-07-01T00:00:00Z"}`), 202, &again)
	if again.Made != 0 { // both are still on their way
		t.Errorf("%+v", again)
	}
	var h mount.EndpointHealth
	read(b.do("read", "GET", path+"health", ""), 200, &h)
}
