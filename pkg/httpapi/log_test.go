package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// lines are the log's, each without its time.
func (b *bench) lines(t *testing.T) []map[string]any {
	t.Helper()
	var out []map[string]any
	for line := range strings.Lines(b.log.String()) {
		m := map[string]any{}
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		delete(m, "time")
		out = append(out, m)
	}
	return out
}

// serve answers one request without a network, so that the log is complete when it returns.
func serve(b *bench, method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+b.send)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w
}

func TestOneLineARequest(t *testing.T) {
	t.Parallel()
	keyID := strings.Split(setup(t).send, "_")[2]
	for _, tc := range []struct {
		name, method, target, body string
		header                     []string
		want                       map[string]any
	}{
		{"success", "POST", "/v1/messages", `{"to":"` + canary + `"}`, []string{"Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}, map[string]any{
			"level": "INFO", "msg": "request", "method": "POST", "route": "/v1/messages", "status": 202.0, "ms": 0.0, "bytes": 51.0,
			"request_id": "req_1", "tenant": "shop", "key": keyID, "trace": "4bf92f3577b34da6a3ce929d0e0e4736"}},
		{"refused", "POST", "/v1/messages?" + canary + "=1", `{"to":"` + canary + `"}`, nil, map[string]any{
			"level": "INFO", "msg": "request", "method": "POST", "route": "/v1/messages", "status": 422.0, "ms": 0.0, "bytes": 384.0,
			"request_id": "req_1", "tenant": "shop", "key": keyID, "code": "invalid_request"}},
		{"not found", canary, "/" + canary, "", nil, map[string]any{
			"level": "INFO", "msg": "request", "method": "other", "route": "-", "status": 404.0, "ms": 0.0, "bytes": 220.0,
			"request_id": "req_1", "code": "not_found"}},
		{"ours", "POST", "/v1/broken", `{"to":"db"}`, []string{"X-Amzn-Trace-Id", "Self=x;Root=1-67891233-abcdef012345678912345678"}, map[string]any{
			"level": "ERROR", "msg": "request", "method": "POST", "route": "/v1/broken", "status": 500.0, "ms": 0.0, "bytes": 247.0,
			"request_id": "req_1", "code": "internal", "trace": "1-67891233-abcdef012345678912345678"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			serve(b, tc.method, tc.target, tc.body, tc.header...)
			lines := b.lines(t)
			if len(lines) != 1 {
				t.Fatalf("%d lines: %s", len(lines), b.log)
			}
			if e, ok := lines[0]["error"].(string); ok != (tc.want["status"] == 500.0) || ok && !strings.Contains(e, "read the store: connection to db lost") {
				t.Errorf("error: %q", e)
			}
			delete(lines[0], "error")
			delete(tc.want, "bytes") // depends on the words
			if n := lines[0]["bytes"].(float64); n < 10 {
				t.Errorf("bytes: %v", n)
			}
			delete(lines[0], "bytes")
			if diff := cmp.Diff(tc.want, lines[0]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPanicsAreLoggedWithoutTheirValue(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{`{"to":"panic"}`: "string", `{"to":"index"}`: "index out of range"} {
		b := setup(t)
		serve(b, "POST", "/v1/broken", body)
		lines := b.lines(t)
		if len(lines) != 2 {
			t.Fatalf("%d lines: %s", len(lines), b.log)
		}
		p := lines[0]
		if !strings.Contains(p["panic"].(string), want) || !strings.Contains(p["stack"].(string), "kernel_test.go") || p["level"] != "ERROR" {
			t.Errorf("%v", p)
		}
		if lines[1]["status"] != 500.0 {
			t.Errorf("%v", lines[1])
		}
	}
}

// Whatever is sent, and wherever, nothing of it is in the log or a problem.
func TestNothingSentIsRepeated(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const secret = "s3cr3tS3CR3T"
	texts := []string{
		serve(b, "POST", "/v1/messages", `{"to":"`+canary+`"`).Body.String(),
		serve(b, "POST", "/v1/messages", `{"to":["`+canary+`"]}`).Body.String(),
		serve(b, "POST", "/v1/messages", `{"`+canary+`+":1}`).Body.String(),
		serve(b, "POST", "/v1/messages", `{"vars":{"`+canary+`+":"\ud800"}}`).Body.String(),
		serve(b, "POST", "/v1/messages", canary).Body.String(),
		serve(b, "POST", "/v1/messages", "{}", "Content-Type", canary).Body.String(),
		serve(b, "POST", "/v1/messages", "{}", "Content-Encoding", canary).Body.String(),
		serve(b, "POST", "/v1/messages", "{}", "Authorization", "Bearer nfy_live_"+secret).Body.String(),
		serve(b, "POST", "/v1/messages", "{}", "Authorization", secret).Body.String(),
		serve(b, "POST", "/v1/messages", "{}", "X-Request-Id", canary).Body.String(),
		serve(b, "POST", "/v1/messages", "{}", "Traceparent", "00-"+canary+"xxxxxxxxxxxxxx-00f067aa0ba902b7-01").Body.String(),
		serve(b, "POST", "/v1/receipts/ses/"+secret, "fail").Body.String(),
		serve(b, "POST", "/v1/broken", `{"to":"panic","vars":{"a":"`+canary+`"}}`).Body.String(),
		serve(b, "GET", "/"+canary, "").Body.String(),
		serve(b, canary, "/v1/messages", "").Body.String(),
		serve(b, "GET", "/v1/messages/m?view="+canary, "", "X-Day", canary).Body.String(),
		serve(b, "GET", "/v1/messages/m?"+canary+"%2B=1", "", "X-Day", canary).Body.String(),
		b.log.String(),
	}
	for _, text := range texts {
		for _, bad := range []string{"CANARY", "13800138000", secret, b.send} {
			if strings.Contains(text, bad) {
				t.Errorf("%q is in %s", bad, text)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key := tenant.Of(tenant.Key{ID: strings.Split(b.send, "_")[2], Tenant: "shop", Live: true, Scopes: []tenant.Scope{tenant.Send}})
	serve(b, "GET", "/nothing", "")
	serve(b, "POST", "/v1/messages", "{}")
	serve(b, "POST", "/v1/broken", "{}")
	serve(b, "POST", "/v1/messages", "{}", "Authorization", "Bearer "+b.revoked)
	serve(b, "POST", "/v1/messages", `{"to":1}`)
	close(b.refused)
	var got []httpapi.Refusal
	for r := range b.refused {
		got = append(got, r)
	}
	const detail = "expected a string, got a number"
	base := httpapi.Refusal{At: now, Method: "POST", Route: "/v1/messages", RequestID: "req_1", IP: "192.0.2.1"}
	unauthorized, badType := base, base
	unauthorized.Status, unauthorized.Code, unauthorized.Detail = 401, problem.Unauthorized, "the key is unknown, revoked or expired"
	badType.Status, badType.Code, badType.Detail, badType.Principal = 400, problem.BadJSON, detail, key
	badType.Fields = []problem.Field{{Pointer: "/to", Code: problem.BadType, Detail: detail}}
	if diff := cmp.Diff([]httpapi.Refusal{unauthorized, badType}, got, cmp.AllowUnexported(tenant.Principal{})); diff != "" {
		t.Error(diff)
	}
}

// authFunc is an Authenticator.
type authFunc func() (tenant.Principal, error)

func (f authFunc) Authenticate(context.Context, string) (tenant.Principal, error) { return f() }

func TestAuthenticatorsThatCannotAnswer(t *testing.T) {
	t.Parallel()
	text := keys{byID: map[string]tenant.Key{}}.newKey(1, tenant.Key{})
	for name, tc := range map[string]struct {
		auth   httpapi.Authenticator
		status int
	}{
		"the source fails":   {httpapi.KeyAuth(keys{err: errors.New("throttled")}, func() time.Time { return now }), 503},
		"a worker":           {authFunc(func() (tenant.Principal, error) { return tenant.System("sweep"), nil }), 500},
		"nobody":             {authFunc(func() (tenant.Principal, error) { return tenant.Principal{}, nil }), 403},
		"an unlisted reason": {authFunc(func() (tenant.Principal, error) { return tenant.Principal{}, errors.New("x") }), 500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bench{log: new(lockedBuffer), send: text}
			cfg := config(b, keys{})
			cfg.Auth, cfg.Refused = tc.auth, nil
			b.handler = httpapi.New(cfg, operations()...)
			if w := serve(b, "POST", "/v1/messages", "{}"); w.Code != tc.status {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
		})
	}
}

func TestForwardedIP(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		proxies int
		header  []string
		want    string
	}{
		{1, nil, "192.0.2.1"},
		{1, []string{"203.0.113.9"}, "203.0.113.9"},
		{1, []string{"10.9.9.9, 203.0.113.9"}, "203.0.113.9"}, // the client's own claim is on the left
		{2, []string{"10.9.9.9, 203.0.113.9", "198.51.100.1"}, "203.0.113.9"},
		{2, []string{"203.0.113.9"}, "192.0.2.1"},
		{1, []string{"not an address"}, "192.0.2.1"},
		{1, []string{"2001:db8::1"}, "2001:db8::1"},
		{0, []string{"203.0.113.9"}, "192.0.2.1"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["X-Forwarded-For"] = tc.header
		if got := httpapi.ForwardedIP(tc.proxies)(r); got != tc.want {
			t.Errorf("%d %q: got %s, want %s", tc.proxies, tc.header, got, tc.want)
		}
	}
}

func TestNewPanicsOnMistakes(t *testing.T) {
	t.Parallel()
	auth := authFunc(func() (tenant.Principal, error) { return tenant.Principal{}, nil })
	for name, build := range map[string]func(){
		"one operation twice": func() { httpapi.New(httpapi.Config{Auth: auth}, append(operations(), operations()[0])...) },
		"no Auth":             func() { httpapi.New(httpapi.Config{}, operations()...) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("taken")
				}
			}()
			build()
		})
	}
}

func TestServerLimits(t *testing.T) {
	t.Parallel()
	s := httpapi.Server("127.0.0.1:0", http.NotFoundHandler())
	got := []any{s.ReadHeaderTimeout, s.ReadTimeout, s.WriteTimeout, s.IdleTimeout, s.MaxHeaderBytes}
	want := []any{5 * time.Second, 30 * time.Second, 30 * time.Second, 2 * time.Minute, 32 << 10}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// One authenticated POST, all but the network: goal < 15 µs and < 40 allocations.
func BenchmarkPost(b *testing.B) {
	source := keys{byID: map[string]tenant.Key{}}
	text := source.newKey(1, tenant.Key{Tenant: "shop", Live: true, Scopes: []tenant.Scope{tenant.Send}})
	h := httpapi.New(httpapi.Config{
		Auth: httpapi.KeyAuth(source, func() time.Time { return now }), Now: time.Now, Log: slog.New(slog.NewJSONHandler(discard{}, nil)),
		NewRequestID: func() string { return "req_1" },
	}, operations()...)
	const body = `{"to":"+8613800138000","vars":{"code":"123456","minutes":5}}`
	r := httptest.NewRequest(http.MethodPost, "/v1/messages", nil)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+text)
	reader := strings.NewReader(body)
	r.Body, r.ContentLength = nopCloser{reader}, int64(len(body))
	w := &sink{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		clear(w.header)
		h.ServeHTTP(w, r)
	}
	if w.status != 202 {
		b.Fatal(w.status)
	}
}

type nopCloser struct{ *strings.Reader }

func (nopCloser) Close() error { return nil }

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(status int)      { s.status = status }

// Behind an adapter there is no net/http server to drop the body.
func TestHeadHasNoBody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for target, status := range map[string]int{"/v1/messages/m": 200, "/nothing": 404} {
		w := serve(b, "HEAD", target, "", "X-Day", "1")
		if w.Code != status || w.Body.Len() > 0 || w.Header().Get("Content-Length") == "" {
			t.Errorf("%s: %d %q %v", target, w.Code, w.Body, w.Header())
		}
	}
}
