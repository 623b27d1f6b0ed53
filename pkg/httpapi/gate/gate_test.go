package gate_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/gate"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

type tenants map[string]tenant.Tenant

func (ts tenants) Tenant(_ context.Context, name string) (tenant.Tenant, bool, error) {
	t, ok := ts[name]
	return t, ok, nil
}

type keys map[string]tenant.Key

func (k keys) Key(_ context.Context, id string) (tenant.Key, bool, error) {
	key, ok := k[id]
	return key, ok, nil
}

// One tenant's rush is refused with the time to wait, and lets the other tenant and readers pass.
func TestGate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	clock := func() time.Time { return now }
	ks := keys{}
	bearer := func(name string, seed byte) string {
		k, secret := tenant.NewKey([27]byte{seed}, tenant.Key{Tenant: name, Live: true, Scopes: []tenant.Scope{tenant.Send, tenant.Read}}, message.At(now))
		ks[k.ID] = k
		return "Bearer " + string(secret)
	}
	busy, calm := bearer("busy", 1), bearer("calm", 2)
	g := gate.New(tenants{"busy": {Name: "busy", PerSecond: 3}, "calm": {Name: "calm"}}, clock)
	nothing := func(context.Context, *httpapi.Call, *struct{}) (*struct{}, error) { return nil, nil }
	h := httpapi.New(httpapi.Config{Auth: httpapi.KeyAuth(ks, clock), Now: clock, NewRequestID: func() string { return "req_1" },
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Gate: g.Enter},
		httpapi.Route(httpapi.Op{Method: http.MethodPost, Path: "/send", ID: "send", Scope: tenant.Send}, nothing),
		httpapi.Route(httpapi.Op{Method: http.MethodGet, Path: "/read", ID: "read", Scope: tenant.Read}, nothing))
	call := func(method, path, key string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		r.Header.Set("Authorization", key)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for i := range 3 {
		if w := call("POST", "/send", busy); w.Code != 204 {
			t.Fatalf("request %d inside the limit: %d %s", i, w.Code, w.Body)
		}
	}
	w := call("POST", "/send", busy)
	if w.Code != 429 || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), `"rate_limited"`) {
		t.Errorf("request over the limit: %d, Retry-After %q, %s", w.Code, w.Header().Get("Retry-After"), w.Body)
	}
	if w := call("GET", "/read", busy); w.Code != 204 {
		t.Errorf("reading is not limited: %d", w.Code)
	}
	if w := call("POST", "/send", calm); w.Code != 204 {
		t.Errorf("the other tenant: %d", w.Code)
	}
	now = now.Add(time.Second)
	if w := call("POST", "/send", busy); w.Code != 204 {
		t.Errorf("a second later: %d", w.Code)
	}
}
