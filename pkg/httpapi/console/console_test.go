package console_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/console"
	"github.com/opennotify/notify/pkg/httpapi/session"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/seal"
	"github.com/opennotify/notify/pkg/tenant"
)

// world is the console in front of an API of one operation, which tells who called.
type world struct {
	*testing.T
	handler http.Handler
	now     time.Time
	links   links
	keys    map[string]tenant.Key
	users   map[string]tenant.User
}

// links keeps one-time links in memory.
type links map[string]link

type link struct {
	key  message.Secret
	ends message.Time
}

func (l links) PutLink(_ context.Context, _ tenant.Principal, _, until message.Time, token string, key message.Secret) error {
	l[token] = link{key, until}
	return nil
}

func (l links) TakeLink(_ context.Context, now message.Time, token string) (message.Secret, bool, error) {
	found, ok := l[token]
	delete(l, token)
	return found.key, ok && now < found.ends, nil
}

func (w *world) User(_ context.Context, name string) (tenant.User, bool, error) {
	u, ok := w.users[name]
	return u, ok, nil
}

func (w *world) Key(_ context.Context, id string) (tenant.Key, bool, error) {
	k, ok := w.keys[id]
	return k, ok, nil
}

func (w *world) key(scopes ...tenant.Scope) string {
	w.Helper()
	var random [27]byte
	if _, err := io.ReadFull(rand.Reader, random[:]); err != nil {
		w.Fatal(err)
	}
	k, secret := tenant.NewKey(random, tenant.Key{Tenant: "shop", Live: true, Scopes: scopes}, message.At(w.now))
	w.keys[k.ID] = k
	return string(secret)
}

func packed(t *testing.T, text string) *fstest.MapFile {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: b.Bytes()}
}

func newWorld(t *testing.T, secure bool) *world { return worldWith(t, secure, nil) }

func worldWith(t *testing.T, secure bool, identity *console.Identity) *world {
	t.Helper()
	w := &world{T: t, now: time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC), keys: map[string]tenant.Key{}, users: map[string]tenant.User{}, links: links{}}
	box, err := seal.NewBox(make([]byte, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return w.now }
	sessions := session.New(session.Config{Keys: httpapi.KeyAuth(w, clock), Users: w, Now: clock, Random: rand.Reader, Secure: secure,
		Box: func(context.Context) (*seal.Box, error) { return box, nil }})
	c, err := console.New(console.Config{Sessions: sessions, Now: clock, Random: rand.Reader, Links: w.links, Inbox: "/dev/inbox", Uploads: func(context.Context) (string, error) { return "https://bucket.example.com", nil }, Identity: identity, Log: slog.New(slog.DiscardHandler),
		Files: fstest.MapFS{"index.html.gz": packed(t, "<page>"), "app.0123456789ab.js.gz": packed(t, "script()"), "placeholder.html": {Data: []byte("placeholder")}}})
	if err != nil {
		t.Fatal(err)
	}
	who := httpapi.Route(httpapi.Op{Method: http.MethodPost, Path: "/v1/who", Scope: tenant.Read}, func(_ context.Context, c *httpapi.Call, _ *struct{}) (*map[string]string, error) {
		return &map[string]string{"key": c.Principal.KeyID}, nil
	})
	w.handler = sessions.Handler(httpapi.New(httpapi.Config{Auth: sessions, Now: clock, Log: slog.New(slog.DiscardHandler), NewRequestID: func() string { return "req_1" }},
		append(c.Endpoints(), who)...))
	return w
}

// do sends a request as a browser on the console's own page does; pairs are headers.
func (w *world) do(method, path, body string, pairs ...string) *http.Response {
	w.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(pairs); i += 2 {
		r.Header.Set(pairs[i], pairs[i+1])
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec.Result()
}

func (w *world) want(res *http.Response, status int) *http.Response {
	w.Helper()
	if res.StatusCode != status {
		b, _ := io.ReadAll(res.Body)
		w.Fatalf("status %d, want %d: %s", res.StatusCode, status, b)
	}
	return res
}

func (w *world) signIn(body string) *http.Cookie {
	w.Helper()
	res := w.want(w.do("POST", "/console/login", body), http.StatusNoContent)
	if len(res.Cookies()) != 1 {
		w.Fatalf("cookies: %v", res.Cookies())
	}
	return res.Cookies()[0]
}

func text(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSessionIsTheKey(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		w := newWorld(t, secure)
		key := w.key(tenant.Read)
		cookie := w.signIn(`{"key":" ` + key + ` "}`)
		if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" || cookie.Secure != secure ||
			strings.HasPrefix(cookie.Name, "__Host-") != secure || cookie.MaxAge != 12*3600 {
			t.Errorf("cookie %+v", cookie)
		}
		if strings.Contains(cookie.Value, key[20:40]) {
			t.Error("the cookie shows the key")
		}
		sent := cookie.Name + "=" + cookie.Value
		if got := text(t, w.want(w.do("POST", "/v1/who", "", "Cookie", sent), 200)); !strings.Contains(got, key[9:19]) {
			t.Errorf("who: %s", got)
		}
		w.want(w.do("POST", "/v1/who", ""), 401)
		w.want(w.do("POST", "/v1/who", "", "Cookie", sent, "Authorization", "Bearer other"), 401)
		w.want(w.do("POST", "/v1/who", "", "Cookie", sent, "Sec-Fetch-Site", "cross-site"), 401)
		w.want(w.do("POST", "/v1/who", "", "Cookie", sent, "Sec-Fetch-Site", "", "Origin", "https://evil.example"), 401)
		for i := range cookie.Value {
			flipped := []byte(cookie.Value)
			flipped[i] ^= 1
			if res := w.do("POST", "/v1/who", "", "Cookie", cookie.Name+"="+string(flipped)); res.StatusCode != 401 && i < len(flipped)-1 {
				t.Fatalf("a cookie changed at %d opened a session", i)
			}
		}
		w.now = w.now.Add(12 * time.Hour)
		w.want(w.do("POST", "/v1/who", "", "Cookie", sent), 401)
	}
}

func TestRevokedKeyEndsSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	cookie := w.signIn(`{"key":"` + w.key(tenant.Admin) + `"}`)
	sent := cookie.Name + "=" + cookie.Value
	var s console.Session
	if err := json.Unmarshal([]byte(text(t, w.want(w.do("GET", "/console/session", "", "Cookie", sent), 200))), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Scopes) != 6 || s.Tenant != "shop" || !s.Live || s.Inbox == "" {
		t.Errorf("session %+v", s)
	}
	for id, k := range w.keys {
		k.Revoked = true
		w.keys[id] = k
	}
	w.want(w.do("POST", "/v1/who", "", "Cookie", sent), 401)
	if got := text(t, w.want(w.do("GET", "/console/session", "", "Cookie", sent), 200)); strings.Contains(got, `"key"`) {
		t.Errorf("session of a revoked key: %s", got)
	}
}

func TestLoginRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	good := w.key(tenant.Read)
	for name, tc := range map[string]struct {
		body   string
		header []string
		status int
	}{
		"another site":    {`{"key":"` + good + `"}`, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"no key":          {`{}`, nil, 401},
		"a wrong key":     {`{"key":"` + good[:50] + `"}`, nil, 401},
		"a header's end":  {`{"key":"` + good + `\r\nX: y"}`, nil, 401},
		"only may send":   {`{"key":"` + w.key(tenant.Send) + `"}`, nil, 403},
		"no such link":    {`{"token":"abc"}`, nil, 401},
		"an unknown name": {`{"password":"x"}`, nil, 400},
	} {
		res := w.want(w.do("POST", "/console/login", tc.body, tc.header...), tc.status)
		if len(res.Cookies()) != 0 {
			t.Errorf("%s: a cookie", name)
		}
		if got := text(t, res); strings.Contains(got, good[20:]) {
			t.Errorf("%s: the answer repeats the key", name)
		}
	}
	w.want(w.do("POST", "/console/logout", "", "Sec-Fetch-Site", "cross-site"), 403)
	if c := w.want(w.do("POST", "/console/logout", ""), 204).Cookies()[0]; c.MaxAge >= 0 {
		t.Errorf("signed out with %+v", c)
	}
}

func TestLinksOpenOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	make := func() string {
		path, err := console.Link(t.Context(), w.links, tenant.System("test"), rand.Reader, message.Secret(w.key(tenant.Read)), w.now)
		if err != nil {
			t.Fatal(err)
		}
		token, ok := strings.CutPrefix(path, "/console/login#")
		if !ok {
			t.Fatalf("path %s", path)
		}
		return `{"token":"` + token + `"}`
	}
	once, late := make(), make()
	w.signIn(once)
	w.want(w.do("POST", "/console/login", once), 401)
	w.now = w.now.Add(time.Hour)
	w.want(w.do("POST", "/console/login", late), 401)
}

func TestFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	for path, tc := range map[string]struct {
		status      int
		body, cache string
	}{
		"/console/":                       {200, "<page>", "no-cache"},
		"/console/messages/msg_1":         {200, "<page>", "no-cache"},
		"/console/login":                  {200, "<page>", "no-cache"},
		"/console/index.html":             {404, "", "no-store"}, // one address for the page
		"/console/app.0123456789ab.js":    {200, "script()", "public, max-age=31536000, immutable"},
		"/console/app.000000000000.js":    {404, "", "no-store"},
		"/console/app.0123456789ab.js.gz": {404, "", "no-store"},
		"/":                               {303, "", "no-store"},
		"/console":                        {303, "", "no-store"},
	} {
		res := w.want(w.do("GET", path, ""), tc.status)
		if tc.status == 200 {
			if got := text(t, res); got != tc.body {
				t.Errorf("%s: %q", path, got)
			}
			if csp := res.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; script-src 'self'; style-src 'self';") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "connect-src 'self' https://bucket.example.com;") {
				t.Errorf("%s: policy %q", path, csp)
			}
		}
		if got := res.Header.Get("Cache-Control"); got != tc.cache {
			t.Errorf("%s: Cache-Control %q", path, got)
		}
	}
	res := w.want(w.do("GET", "/console/app.0123456789ab.js", "", "Accept-Encoding", "br, gzip"), 200)
	z, err := gzip.NewReader(res.Body)
	if err != nil || res.Header.Get("Content-Encoding") != "gzip" {
		t.Fatal(err, res.Header)
	}
	if b, err := io.ReadAll(z); string(b) != "script()" {
		t.Error(string(b), err)
	}
	if enc := w.do("GET", "/console/", "", "Accept-Encoding", "gzip;q=0").Header.Get("Content-Encoding"); enc != "" {
		t.Errorf("refused gzip and got %q", enc)
	}
}

func TestPlaceholder(t *testing.T) {
	t.Parallel()
	if _, err := console.New(console.Config{Files: fstest.MapFS{}}); err == nil {
		t.Error("no page at all was accepted")
	}
	if _, err := console.New(console.Config{Files: fstest.MapFS{"placeholder.html": {Data: []byte("x")}}}); err != nil {
		t.Error(err)
	}
}

func TestPreviewMayDoNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	res := w.want(w.do("POST", "/console/preview", "html=%3Cscript%3Ealert(1)%3C/script%3E", form...), 200)
	if csp := res.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "sandbox; default-src 'none';") || strings.Contains(csp, "allow") || strings.Contains(csp, "script-src") {
		t.Errorf("policy %q", csp)
	}
	if got := text(t, res); got != "<script>alert(1)</script>" {
		t.Errorf("body %q", got)
	}
	w.want(w.do("POST", "/console/preview", "html=x", append(form, "Sec-Fetch-Site", "cross-site")...), 403)
}
