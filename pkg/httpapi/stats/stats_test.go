package stats_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/refused"
	mount "github.com/opennotify/notify/pkg/httpapi/stats"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	sealfile "github.com/opennotify/notify/pkg/seal/file"
	"github.com/opennotify/notify/pkg/stats"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/sqlite/sqlitetest"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
)

// auth knows keys by their scope, all but "operate-all" of the tenant shop.
type auth struct{}

func (auth) Authenticate(_ context.Context, bearer string) (tenant.Principal, error) {
	if !tenant.ValidScope(tenant.Scope(bearer)) {
		return tenant.Principal{}, problem.New(problem.Unauthorized, "no")
	}
	return tenant.Of(tenant.Key{ID: bearer, Tenant: "shop", Live: true, Scopes: []tenant.Scope{tenant.Scope(bearer)}}), nil
}

func setup(t *testing.T, more ...func(*stats.Counters)) http.Handler {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 1, 2, 10, 30, 7, 0, time.UTC) }
	keeper, err := sealfile.Open(filepath.Join(t.TempDir(), "master.key"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), sqlitetest.Open(t), keeper, message.At(now()), store.Options{DueShards: 1, ListShards: 1, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	use, err := stats.New(stats.Ports{Store: st, Now: now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	counters, refusals := stats.NewCounters(now, 0), stats.NewRefusals(st)
	counters.KeepIn(st)
	for _, name := range []string{"shop", "bank"} {
		counters.Count("sent", 3, telemetry.Labels{Tenant: name, Channel: "sms"})
	}
	for _, count := range more {
		count(counters)
	}
	requests := 0
	h := httpapi.New(httpapi.Config{Auth: auth{}, Now: now, NewRequestID: func() string { requests++; return fmt.Sprint("req_", requests) }, Log: slog.New(slog.DiscardHandler),
		Refused: refused.Watch(counters, refusals)}, mount.Endpoints(use)...)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r)
		if counters.Flush(r.Context()) != nil || refusals.Flush(r.Context(), message.At(now())) != nil {
			t.Error("not kept")
		}
	})
}

func get(h http.Handler, key, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Authorization", "Bearer "+key)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Who may see what: readers their own, operators everything, others nothing.
func TestAccess(t *testing.T) {
	t.Parallel()
	h := setup(t)
	get(h, "nobody", "/v1/stats") // is refused, and flushes
	for key, want := range map[string]struct{ own, bank, sent int }{
		"nobody": {401, 401, 0}, "send": {403, 403, 0}, "read": {200, 422, 3}, "operate": {200, 200, 6}, "admin": {200, 200, 6},
	} {
		for _, path := range []string{"/v1/stats", "/v1/refused"} {
			own, bank := get(h, key, path), get(h, key, path+"?tenant=bank")
			if own.Code != want.own || bank.Code != want.bank || bank.Code == 422 && !strings.Contains(bank.Body.String(), `"unknown_tenant"`) {
				t.Errorf("%s with the key %s: %d, of another tenant %d %s", path, key, own.Code, bank.Code, bank.Body)
			}
			var f mount.Figures
			if path == "/v1/stats" && own.Code == 200 && (json.Unmarshal(own.Body.Bytes(), &f) != nil || f.Total.Counts["sent"] != int64(want.sent)) {
				t.Errorf("%s is told of %+v", key, f.Total)
			}
		}
	}
	if w := get(h, "read", "/v1/refused"); strings.Contains(w.Body.String(), `"unauthorized"`) || !strings.Contains(w.Body.String(), `"forbidden"`) {
		t.Errorf("a reader finds %s", w.Body)
	}
	if w := get(h, "operate", "/v1/refused?code=unauthorized"); strings.Count(w.Body.String(), `"req_`) != 5 {
		t.Errorf("an operator finds %s", w.Body)
	}
}

// A request is found by the id that its answer said.
func TestRefusedByRequest(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for range 3 {
		get(h, "nobody", "/v1/stats")
	}
	for path, want := range map[string]int{"?request=req_1": 422, "?request=01kbwersrwg91ydyhc5m2hbze9": 422, "?request=req_01kbwersrwg91ydyhc5m2hbze9": 200} {
		if w := get(h, "operate", "/v1/refused"+path); w.Code != want || want == 200 && strings.Contains(w.Body.String(), `"req_`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// The ledger names tenants, so it is for operators; an answer as it is written.
func TestThrottles(t *testing.T) {
	t.Parallel()
	h := setup(t, func(c *stats.Counters) {
		c.Count(telemetry.Called, 5, telemetry.Labels{Tenant: "bank", Account: "tencent-main", Template: "bank/promo"})
		c.Count(telemetry.Throttled, 2, telemetry.Labels{Tenant: "shop", Account: "tencent-main", Template: "shop/code"})
	})
	get(h, "nobody", "/v1/stats") // is refused, and flushes
	for key, want := range map[string]int{"nobody": 401, "send": 403, "read": 403, "operate": 200, "admin": 200} {
		if w := get(h, key, "/v1/stats/throttles"); w.Code != want {
			t.Errorf("%s: %d", key, w.Code)
		}
	}
	got := get(h, "operate", "/v1/stats/throttles?account=tencent-main&from=2026-01-02T10:30:00Z").Body.String()
	want := `{"from":"2026-01-02T10:30:00Z","to":"2026-01-02T10:31:00Z","seconds":1,"put_off":2,"refused_by_provider":0,"tenants":[{"name":"bank","n":5}],"templates":[{"name":"bank/promo","n":5}],"waiting":[{"name":"shop","n":2}],` +
		`"items":[{"at":"2026-01-02T10:30:07Z","account":"tencent-main","calls":5,"put_off":2,"tenants":[{"name":"bank","n":5}],"templates":[{"name":"bank/promo","n":5}],"waiting":[{"name":"shop","n":2}]}]}` + "\n"
	if got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	if w := get(h, "operate", "/v1/stats/throttles?limit=0"); w.Code != 422 {
		t.Error(w.Code, w.Body)
	}
}

// An answer as it is written: names, times, what is left out.
func TestAnswer(t *testing.T) {
	t.Parallel()
	h := setup(t)
	get(h, "nobody", "/v1/stats")
	got := get(h, "operate", "/v1/stats?by=channel&from=2026-01-02T10:30:00Z&top=1").Body.String()
	want := `{"from":"2026-01-02T10:30:00Z","to":"2026-01-02T10:31:00Z","as_of":"2026-01-02T10:30:07Z","step":"minute","by":"channel",` +
		`"total":{"counts":{"refused":1,"sent":6},"peaks":{"sent":{"at":"2026-01-02T10:30:07Z","n":6}},"failure_rate":{"value":0,"of":6,"too_few":true},"delivery_rate":{"value":0,"of":0,"too_few":true},` +
		`"points":[{"at":"2026-01-02T10:30:00Z","counts":{"refused":1,"sent":6},"peaks":{"sent":{"at":"2026-01-02T10:30:07Z","n":6}}}]},` +
		`"groups":[{"name":"sms","counts":{"sent":6},"peaks":{"sent":{"at":"2026-01-02T10:30:07Z","n":6}},"failure_rate":{"value":0,"of":6,"too_few":true},"delivery_rate":{"value":0,"of":0,"too_few":true},` +
		`"points":[{"at":"2026-01-02T10:30:00Z","counts":{"sent":6},"peaks":{"sent":{"at":"2026-01-02T10:30:07Z","n":6}}}]}],` +
		`"other":{"counts":{"refused":1},"failure_rate":{"value":0,"of":0,"too_few":true},"delivery_rate":{"value":0,"of":0,"too_few":true},"points":[{"at":"2026-01-02T10:30:00Z","counts":{"refused":1}}]}}` + "\n"
	if got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	for query, pointer := range map[string]string{"from=yesterday": "query:from", "to=2026-01-02": "query:to", "top=x": "query:top", "top=1000": "query:top", "step=week": "query:step", "by=class": "query:by",
		"template=hello": "query:template", "status=sent": "query:status"} {
		if w := get(h, "operate", "/v1/stats?"+query); w.Code != 422 || !strings.Contains(w.Body.String(), pointer) {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}
