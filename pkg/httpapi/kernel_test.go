package httpapi_test

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

const canary = "CANARY-13800138000"

// keys is a KeySource; err is what it fails with.
type keys struct {
	byID map[string]tenant.Key
	err  error
}

func (k keys) Key(_ context.Context, id string) (tenant.Key, bool, error) {
	key, ok := k.byID[id]
	return key, ok, k.err
}

// newKey makes a key of the seed's bytes and puts it into the source.
func (k keys) newKey(seed byte, key tenant.Key) string {
	var random [27]byte
	for i := range random {
		random[i] = seed
	}
	key, text := tenant.NewKey(random, key, message.At(now))
	k.byID[key.ID] = key
	return string(text)
}

type bench struct {
	url, send, read, revoked, expired string
	log                               *lockedBuffer
	refused                           chan httpapi.Refusal
	handler                           http.Handler
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type sendIn struct {
	To   string         `json:"to"`
	Vars map[string]any `json:"vars"`
}

type sendOut struct {
	ID    string         `json:"id"`
	Text  string         `json:"text"`
	Bytes int            `json:"bytes"`
	Vars  map[string]any `json:"vars,omitempty"`
	List  []string       `json:"list"`
	Zero  int            `json:"zero,omitempty"`
}

// setup serves some operations over real HTTP.
func setup(t *testing.T, more ...httpapi.Endpoint) *bench {
	t.Helper()
	source := keys{byID: map[string]tenant.Key{}}
	b := &bench{log: new(lockedBuffer), refused: make(chan httpapi.Refusal, 100)}
	b.send = source.newKey(1, tenant.Key{Tenant: "shop", Live: true, Scopes: []tenant.Scope{tenant.Send}})
	b.read = source.newKey(2, tenant.Key{Tenant: "shop", Live: true, Scopes: []tenant.Scope{tenant.Read}})
	b.revoked = source.newKey(3, tenant.Key{Tenant: "shop", Live: true, Scopes: []tenant.Scope{tenant.Send}, Revoked: true})
	b.expired = source.newKey(4, tenant.Key{Tenant: "shop", Live: true, Scopes: []tenant.Scope{tenant.Send}, Expires: message.At(now)})
	b.handler = httpapi.New(config(b, source), append(operations(), more...)...)
	srv := httptest.NewServer(b.handler)
	t.Cleanup(srv.Close)
	b.url = srv.URL
	return b
}

func config(b *bench, source keys) httpapi.Config {
	return httpapi.Config{
		Auth:         httpapi.KeyAuth(source, func() time.Time { return now }),
		Now:          func() time.Time { return now },
		NewRequestID: func() string { return "req_1" },
		Log:          slog.New(telemetry.Traced(slog.NewJSONHandler(b.log, nil))),
		Refused:      func(_ context.Context, r httpapi.Refusal) { b.refused <- r },
	}
}

func operations() []httpapi.Endpoint {
	op := func(method, path string, scope tenant.Scope) httpapi.Op {
		return httpapi.Op{Method: method, Path: path, ID: method + path, Scope: scope}
	}
	send := op("POST", "/v1/messages", tenant.Send)
	send.Status, send.Instead, send.MaxBody = 202, 200, 1000
	get := op("GET", "/v1/messages/{id}", tenant.Send)
	get.Query = []httpapi.Param{{Name: "view", Enum: []string{"short", "full"}}}
	get.Headers = []httpapi.Param{{Name: "X-Day", Required: true, Description: "the day"}}
	return []httpapi.Endpoint{
		httpapi.Route(send, func(_ context.Context, c *httpapi.Call, in *sendIn) (*sendOut, error) {
			c.SetHeader("Idempotency-Replay", "true")
			switch in.To {
			case "again":
				c.Instead()
			case "too fast":
				return nil, problem.New(problem.RateLimited, "slow down").After(1500 * time.Millisecond)
			}
			return &sendOut{ID: "m1", Text: "<a>&\xff", Bytes: len(c.Body()), Vars: in.Vars}, nil
		}),
		httpapi.Route(get, func(_ context.Context, c *httpapi.Call, _ *struct{}) (*sendOut, error) {
			return &sendOut{ID: c.Path("id"), Text: c.Query("view")}, nil
		}),
		httpapi.Route(op("DELETE", "/v1/messages/{id}", tenant.Send), func(_ context.Context, _ *httpapi.Call, _ *struct{}) (*struct{}, error) {
			return nil, nil
		}),
		httpapi.Route(op("POST", "/v1/broken", ""), func(_ context.Context, _ *httpapi.Call, in *sendIn) (*sendOut, error) {
			switch in.To {
			case "panic":
				panic(canary)
			case "index":
				return &sendOut{ID: string(in.To[len(in.Vars)+9])}, nil
			case "unlisted":
				return nil, problem.New("no_such_code", "%s", canary)
			case "encode":
				return &sendOut{Vars: map[string]any{"f": func() {}}}, nil
			}
			return nil, fmt.Errorf("read the store: %w", errors.New("connection to "+in.To+" lost"))
		}),
		httpapi.Raw(op("POST", "/v1/receipts/{provider}/{secret}", ""), func(_ context.Context, c *httpapi.Call, w http.ResponseWriter, r *http.Request) error {
			body, err := io.ReadAll(r.Body)
			if err != nil || !bytes.Equal(body, c.Body()) {
				return fmt.Errorf("read again: %w", err)
			}
			if string(body) == "fail" {
				return problem.New(problem.NotFound, "no such callback")
			}
			_, err = fmt.Fprintf(w, "%s %s %d", c.Path("provider"), c.Query("any"), len(body))
			if string(body) == "half" {
				return errors.New("half way")
			}
			return err
		}),
	}
}

type reply struct {
	status int
	header http.Header
	body   string
}

func (b *bench) do(t *testing.T, method, path, body string, header ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Authorization", "Bearer "+b.send)
	for i := 0; i < len(header); i += 2 {
		if header[i+1] == "" {
			req.Header.Del(header[i])
		} else {
			req.Header.Set(header[i], header[i+1])
		}
	}
	return roundTrip(t, req)
}

func roundTrip(t *testing.T, req *http.Request) reply {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, string(got)}
}

func TestSuccess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, tc := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
		want                     string
	}{
		{"send", "POST", "/v1/messages", `{"to":"x","vars":{"b":1.50,"a":"é"}}`, nil, 202,
			`{"id":"m1","text":"<a>&` + "\ufffd" + `","bytes":37,"vars":{"a":"é","b":1.50},"list":[]}` + "\n"},
		{"other status", "POST", "/v1/messages", `{"to":"again"}`, nil, 200, `{"id":"m1","text":"<a>&` + "\ufffd" + `","bytes":14,"list":[]}` + "\n"},
		{"content type, spelt otherwise", "POST", "/v1/messages", `{}`, []string{"Content-Type", `Application/JSON;Charset="UTF-8"`}, 202, `{"id":"m1","text":"<a>&` + "\ufffd" + `","bytes":2,"list":[]}` + "\n"},
		{"identity", "POST", "/v1/messages", `{}`, []string{"Content-Encoding", "identity"}, 202, `{"id":"m1","text":"<a>&` + "\ufffd" + `","bytes":2,"list":[]}` + "\n"},
		{"get", "GET", "/v1/messages/m%2F7?view=full", "", []string{"X-Day", "1"}, 200, `{"id":"m/7","text":"full","bytes":0,"list":[]}` + "\n"},
		{"head", "HEAD", "/v1/messages/m7", "", []string{"X-Day", "1"}, 200, ""},
		{"nothing to answer", "DELETE", "/v1/messages/m7", "", nil, 204, ""},
		{"an empty object where no body is needed", "DELETE", "/v1/messages/m7", "{}", nil, 204, ""},
		{"scheme in lower case", "DELETE", "/v1/messages/m7", "", []string{"Authorization", "bearer " + b.send}, 204, ""},
		{"raw", "POST", "/v1/receipts/ses/s3cret?any=thing", "<x>", []string{"Authorization", "", "Content-Type", "text/xml", "Content-Encoding", "gzip"}, 200, "ses thing 3"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := b.do(t, tc.method, tc.path, tc.body, tc.header...)
			if got.status != tc.status || got.body != tc.want {
				t.Errorf("got %d %q, want %d %q", got.status, got.body, tc.status, tc.want)
			}
			for name, want := range map[string]string{"X-Request-Id": "req_1", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
				if got.header.Get(name) != want {
					t.Errorf("%s: %q, want %q", name, got.header.Get(name), want)
				}
			}
			if tc.method == "POST" && tc.path == "/v1/messages" && got.header.Get("Idempotency-Replay") != "true" {
				t.Error("the function's header is missing")
			}
		})
	}
}

type refusal struct {
	name, method, path, body string
	header                   []string
	code                     problem.Code
	detail                   string
	fields                   []problem.Field
}

const path, ok = "/v1/messages", `{"to":"x"}`

// beforeTheBody are the requests that are refused whatever their body is.
func beforeTheBody(b *bench) []refusal {
	const nothing = "there is nothing at this path; see the API's reference"
	unauthorized := "the key is unknown, revoked or expired"
	typo := b.send[:len(b.send)-1] + "!"
	other := keys{byID: map[string]tenant.Key{}}
	unknown := other.newKey(9, tenant.Key{Live: true, Scopes: []tenant.Scope{tenant.Send}})
	testKey := other.newKey(1, tenant.Key{Scopes: []tenant.Scope{tenant.Send}}) // the id of b.send, but nfy_test_
	return []refusal{
		{"no such path", "GET", "/v1/nothing/" + canary, "", nil, problem.NotFound, nothing, nil},
		{"trailing slash", "POST", "/v1/messages/", ok, nil, problem.NotFound, nothing, nil},
		{"unclean path", "POST", "/v1//messages", ok, nil, problem.NotFound, nothing, nil},
		{"dots", "POST", "/v1/x/../messages", ok, nil, problem.NotFound, nothing, nil},
		{"NUL in the path", "DELETE", "/v1/messages/a%00", "", nil, problem.NotFound, nothing, nil},
		{"bad UTF-8 in the path", "DELETE", "/v1/messages/a%ff", "", nil, problem.NotFound, nothing, nil},
		{"method", "PATCH", "/v1/messages/m7", ok, nil, problem.MethodNotAllowed, "this path allows DELETE, GET, HEAD", nil},
		{"options", "OPTIONS", path, "", nil, problem.MethodNotAllowed, "this path allows POST", nil},
		{"no key", "POST", path, ok, []string{"Authorization", ""}, problem.Unauthorized, "send the API key as Authorization: Bearer nfy_live_…", nil},
		{"basic", "POST", path, ok, []string{"Authorization", "Basic " + canary}, problem.Unauthorized, "send one Authorization header, of the form: Bearer nfy_live_…", nil},
		{"garbage", "POST", path, ok, []string{"Authorization", "Bearer " + canary}, problem.Unauthorized, unauthorized, nil},
		{"typing error", "POST", path, ok, []string{"Authorization", "Bearer " + typo}, problem.Unauthorized, unauthorized, nil},
		{"unknown key", "POST", path, ok, []string{"Authorization", "Bearer " + unknown}, problem.Unauthorized, unauthorized, nil},
		{"test for live", "POST", path, ok, []string{"Authorization", "Bearer " + testKey}, problem.Unauthorized, unauthorized, nil},
		{"revoked", "POST", path, ok, []string{"Authorization", "Bearer " + b.revoked}, problem.Unauthorized, unauthorized, nil},
		{"expired", "POST", path, ok, []string{"Authorization", "Bearer " + b.expired}, problem.Unauthorized, unauthorized, nil},
		{"scope", "POST", path, ok, []string{"Authorization", "Bearer " + b.read}, problem.Forbidden, `this needs a key with the scope "send"`, nil},
	}
}

// forWhatTheyHold are the requests that are refused for their body or parameters, and those that fail.
func forWhatTheyHold() []refusal {
	const ours = "something went wrong on our side; the request id finds it in the log"
	return []refusal{
		{"no content type", "POST", path, ok, []string{"Content-Type", ""}, problem.UnsupportedMedia, "send Content-Type: application/json, in UTF-8", nil},
		{"form", "POST", path, ok, []string{"Content-Type", "application/x-www-form-urlencoded"}, problem.UnsupportedMedia, "send Content-Type: application/json, in UTF-8", nil},
		{"charset", "POST", path, ok, []string{"Content-Type", "application/json; charset=gbk"}, problem.UnsupportedMedia, "send Content-Type: application/json, in UTF-8", nil},
		{"parameter", "POST", path, ok, []string{"Content-Type", "application/json; boundary=x"}, problem.UnsupportedMedia, "send Content-Type: application/json, in UTF-8", nil},
		{"gzip", "POST", path, "\x1f\x8b\x08\x00", []string{"Content-Encoding", "gzip"}, problem.UnsupportedMedia, "send the body without Content-Encoding: it is taken uncompressed only", nil},
		{"no body", "POST", path, "", nil, problem.BadJSON, "the body is empty: send a JSON value with Content-Type: application/json", nil},
		{"bad JSON", "POST", path, `{"To":"` + canary + `"}`, nil, problem.BadJSON, `there is no field "To"; did you mean "to"?`,
			[]problem.Field{{Pointer: "/To", Code: problem.UnknownField, Detail: `there is no field "To"; did you mean "to"?`}}},
		{"a body where none is", "DELETE", "/v1/messages/m7", `{"a":1}`, nil, problem.BadJSON, `there is no field "a"`,
			[]problem.Field{{Pointer: "/a", Code: problem.UnknownField, Detail: `there is no field "a"`}}},
		{"a million bytes", "POST", path, strings.Repeat(" ", 10<<20), nil, problem.TooLarge, "the body may have 1000 bytes", nil},
		{"raw, too large", "POST", "/v1/receipts/a/b", strings.Repeat(" ", 2<<20+1), nil, problem.TooLarge, "the body may have 2097152 bytes", nil},
		{"raw, refused", "POST", "/v1/receipts/a/b", "fail", nil, problem.NotFound, "no such callback", nil},
		{"limit", "POST", path, `{"to":"too fast"}`, nil, problem.RateLimited, "slow down", nil},
		{"unknown query", "GET", "/v1/messages/m?veiw=1&" + canary + "%00=1", "", []string{"X-Day", "1"}, problem.InvalidRequest, "2 fields are not valid; see errors", []problem.Field{
			{Pointer: "query:?", Code: problem.UnknownField, Detail: "there is no such query parameter; the known ones are view"},
			{Pointer: "query:veiw", Code: problem.UnknownField, Detail: `there is no such query parameter; did you mean "view"?`}}},
		{"broken query", "GET", "/v1/messages/m?view=%zz", "", []string{"X-Day", "1"}, problem.InvalidRequest, "the query cannot be read: use name=value&name=value, percent-encoded", []problem.Field{
			{Pointer: "query:", Code: problem.BadValue, Detail: "the query cannot be read: use name=value&name=value, percent-encoded"}}},
		{"query, header", "GET", "/v1/messages/m?view=all", "", nil, problem.InvalidRequest, "2 fields are not valid; see errors", []problem.Field{
			{Pointer: "query:view", Code: problem.BadValue, Detail: "view must be one of short, full"},
			{Pointer: "header:X-Day", Code: problem.Required, Detail: "X-Day is required: the day"}}},
		{"query twice", "GET", "/v1/messages/m?view=full&view=full", "", []string{"X-Day", "1"}, problem.InvalidRequest, "the query parameter view may be given once only", []problem.Field{
			{Pointer: "query:view", Code: problem.BadValue, Detail: "the query parameter view may be given once only"}}},
		{"panic", "POST", "/v1/broken", `{"to":"panic"}`, nil, problem.Internal, ours, nil},
		{"the runtime's panic", "POST", "/v1/broken", `{"to":"index"}`, nil, problem.Internal, ours, nil},
		{"error", "POST", "/v1/broken", `{"to":"db"}`, nil, problem.Internal, ours, nil},
		{"unlisted code", "POST", "/v1/broken", `{"to":"unlisted"}`, nil, problem.Internal, ours, nil},
		{"an answer that cannot be encoded", "POST", "/v1/broken", `{"to":"encode"}`, nil, problem.Internal, ours, nil},
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, tc := range append(beforeTheBody(b), forWhatTheyHold()...) {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := b.do(t, tc.method, tc.path, tc.body, tc.header...)
			e := problem.New(tc.code, "")
			want := httpapi.Problem{Type: "https://github.com/opennotify/notify/blob/main/docs/errors.md#" + string(tc.code), Title: e.Title(), Status: e.Status(), Detail: tc.detail,
				Code: tc.code, Errors: tc.fields, RequestID: "req_1"}
			if tc.code == problem.RateLimited {
				want.RetryAfter = 2
			}
			checkProblem(t, got, want)
		})
	}
}

// checkProblem compares all of a problem, and the headers that go with it.
func checkProblem(t *testing.T, got reply, want httpapi.Problem) {
	t.Helper()
	var p httpapi.Problem
	if err := stdjson.Unmarshal([]byte(got.body), &p); err != nil {
		t.Fatalf("%v: %q", err, got.body)
	}
	if diff := cmp.Diff(want, p); diff != "" || got.status != want.Status {
		t.Errorf("status %d %s", got.status, diff)
	}
	headers := map[string]string{"Content-Type": "application/problem+json", "X-Request-Id": "req_1", "Cache-Control": "no-store",
		"Content-Length": fmt.Sprint(len(got.body)), "Retry-After": "", "Allow": "", "WWW-Authenticate": ""}
	if want.RetryAfter > 0 {
		headers["Retry-After"] = fmt.Sprint(want.RetryAfter)
	}
	if want.Status == 405 {
		headers["Allow"] = strings.TrimPrefix(want.Detail, "this path allows ")
	}
	if want.Status == 401 {
		headers["WWW-Authenticate"] = `Bearer realm="notify", error="invalid_token"`
		if strings.HasPrefix(want.Detail, "send the") {
			headers["WWW-Authenticate"] = `Bearer realm="notify"`
		}
	}
	for name, value := range headers {
		if got.header.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, got.header.Get(name), value)
		}
	}
}
