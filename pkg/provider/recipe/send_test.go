package recipe_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/providertest"
	"github.com/opennotify/notify/pkg/provider/recipe"
)

// pager is Acme's server. It hands out tokens t1, t2, … and takes the newest.
type pager struct {
	*httptest.Server
	mu       sync.Mutex
	tokens   int
	requests []*http.Request
	bodies   []string
	answer   func(w http.ResponseWriter, path string) bool // true if it answered
}

func newPager(t testing.TB) *pager {
	p := &pager{}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *pager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.answer != nil && p.answer(w, r.URL.Path) {
		return
	}
	if r.URL.Path == "/token" {
		p.tokens++
		fmt.Fprintf(w, `{"token": "t%d", "life": 3600}`, p.tokens)
		return
	}
	p.requests, p.bodies = append(p.requests, r), append(p.bodies, string(body))
	if strings.Contains(string(body), fmt.Sprintf(`"t%d"`, p.tokens)) {
		fmt.Fprintf(w, `{"id": %d}`, len(p.requests))
		return
	}
	w.WriteHeader(http.StatusUnauthorized)
	fmt.Fprint(w, `{"code": "stale", "text": "get a new one"}`)
}

func (p *pager) host() string { return strings.TrimPrefix(p.URL, "http://") }

func account(host string) provider.Account {
	return provider.Account{
		Name: "pager", Provider: "acme", Channel: "acme-pager",
		Config: map[string]string{"host": host}, Secrets: map[string]message.Secret{"key": "canary-key"},
	}
}

func open(t testing.TB, host string) (provider.Sender, provider.Env) {
	t.Helper()
	e, _ := providertest.Env(t)
	s, err := parse(t, acme).Open(account(host), e)
	if err != nil {
		t.Fatal(err)
	}
	return s, e
}

func call() provider.Call {
	return provider.Call{
		ID: "msg_0123456789abcdefghjkmnpq001kdyajy800000000000000000", Epoch: 2, Key: "k", Channel: "acme-pager", To: "12345", Template: "alarm", Locale: "en",
		Content: message.Content{Title: "T", Text: "fire"}, Vars: map[string]any{"n": 2, "a": "x"}, Binding: map[string]string{"params": "a,n"},
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	p := newPager(t)
	s, _ := open(t, p.host())
	r := s.Send(t.Context(), call())
	if diff := cmp.Diff(message.Result{Outcome: message.Accepted, ProviderID: "1", HTTPStatus: 200}, r); diff != "" {
		t.Fatal(diff)
	}
	want := `{"also":{"yes":true},"list":[{"v":"x"},{"v":"2"}],"mixed":"<fire>","n":2,"plain":[1,2.5,true,null,"x"],"text":"fire","token":"t1"}`
	if diff := cmp.Diff(want, p.bodies[0]); diff != "" {
		t.Error(diff)
	}
	req := p.requests[0]
	if req.URL.String() != "/pagers/12345/alarm?q=en" || req.Header.Get("X-Title") != "T" || len(req.Header.Get("X-Sig")) != 64 {
		t.Errorf("%s %v", req.URL, req.Header)
	}
}

// TestNothingInjects: whatever the values are, they stay values.
func TestNothingInjects(t *testing.T) {
	t.Parallel()
	p := newPager(t)
	s, _ := open(t, p.host())
	rapid.Check(t, func(t *rapid.T) {
		nasty := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{`","x":"`, "a&b=c", "../..", "..", "a/../b", "?x=y", "#", "\r\nX-Evil: 1", "${secret.key}", "%2e%2e", "@evil.example", "\x00", "中文"}))
		c := call()
		c.To, c.Template, c.Locale = message.Address(nasty.Draw(t, "to")), nasty.Draw(t, "template"), nasty.Draw(t, "locale")
		c.Content = message.Content{Title: nasty.Draw(t, "title"), Text: nasty.Draw(t, "text")}
		c.Vars["a"] = nasty.Draw(t, "a")
		before := len(p.requests)
		r := s.Send(t.Context(), c)
		if r.Outcome == message.Permanent && r.Code == "unfit" {
			if len(p.requests) != before {
				t.Fatal("sent, and said it was not")
			}
			return
		}
		if c.Content.Text == "quiet" {
			return
		}
		if len(p.requests) != before+1 {
			t.Fatalf("%+v", r)
		}
		req, body := p.requests[before], p.bodies[before]
		segments := strings.Split(req.URL.EscapedPath(), "/")
		if len(segments) != 4 || req.URL.Path != "/pagers/"+string(c.To)+"/"+c.Template {
			t.Fatalf("path %q of %q and %q", req.URL.EscapedPath(), c.To, c.Template)
		}
		q := req.URL.Query()
		if len(q) > 1 || q.Get("q") != c.Locale {
			t.Fatalf("query %v of %q", q, c.Locale)
		}
		if req.Header.Get("X-Evil") != "" {
			t.Fatal("a header of its own")
		}
		var got struct {
			Text  string
			Token string
			List  []struct{ V string }
			X     *string
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || got.X != nil || len(got.List) != 2 || got.Token != "t1" {
			t.Fatalf("%v %s", err, body)
		}
		if want := strings.ToValidUTF8(c.Content.Text, "\ufffd"); got.Text != want && strings.ToValidUTF8(c.Content.Text, "") == c.Content.Text {
			t.Fatalf("text %q of %q", got.Text, want)
		}
	})
}

// TestHost: a field of the account that is a host can be nothing else.
func TestHost(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"", "evil.example/x", "a@b", "a b", "a#b", "a?b", "a\\b", "[::1]", "-a", "a:99999999"} {
		s, _ := open(t, host)
		if r := s.Send(t.Context(), call()); r.Outcome != message.Retry && r.Outcome != message.AccountFault && r.Outcome != message.Permanent || r.HTTPStatus != 0 {
			t.Errorf("%q: %+v", host, r)
		}
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*provider.Call)
		status int
		body   string
		header string
		want   message.Result
	}{
		"row":            {status: 400, body: `{"code":"gone","text":"no such pager 12345"}`, want: message.Result{Outcome: message.Permanent, HTTPStatus: 400, Code: "gone", Text: "no such pager ***"}},
		"wait":           {status: 400, body: `{"code":"busy","wait":2.5}`, want: message.Result{Outcome: message.Throttled, HTTPStatus: 400, Code: "busy", After: 2500e6}},
		"longer header":  {status: 400, body: `{"code":"busy","wait":2.5}`, header: "7", want: message.Result{Outcome: message.Throttled, HTTPStatus: 400, Code: "busy", After: 7e9}},
		"endless wait":   {status: 400, body: `{"code":"busy","wait":1e300}`, want: message.Result{Outcome: message.Throttled, HTTPStatus: 400, Code: "busy", After: provider.MaxAfter}},
		"negative wait":  {status: 400, body: `{"code":"busy","wait":-1}`, want: message.Result{Outcome: message.Throttled, HTTPStatus: 400, Code: "busy"}},
		"unmapped":       {status: 400, body: `{"code":"new"}`, want: message.Result{Outcome: message.Unknown, HTTPStatus: 400, Code: "new"}},
		"not JSON":       {status: 502, body: `<html>`, want: message.Result{Outcome: message.Unknown, HTTPStatus: 502, Code: "http_502"}},
		"429 of a proxy": {status: 429, body: `<html>`, header: "3", want: message.Result{Outcome: message.Throttled, HTTPStatus: 429, Code: "http_429", After: 3e9}},
		"odd code":       {status: 400, body: `{"code":{"a":1},"text":["x"]}`, want: message.Result{Outcome: message.Unknown, HTTPStatus: 400, Code: "http_400"}},
		"big id":         {status: 200, body: `{"id":9007199254740993}`, want: message.Result{Outcome: message.Accepted, HTTPStatus: 200, ProviderID: "9007199254740993"}},
		"secret in text": {status: 400, body: `{"code":"gone","text":"key canary-key, token tok-1234"}`, want: message.Result{Outcome: message.Permanent, HTTPStatus: 400, Code: "gone", Text: "key ***, token ***"}},
		"put off":        {change: func(c *provider.Call) { c.Content.Text = "quiet" }, want: message.Result{Outcome: message.Defer, Code: "quiet", After: 55e9}},
		"too large": {change: func(c *provider.Call) { c.Content.Text = strings.Repeat("x", 3000) },
			want: message.Result{Outcome: message.Permanent, Code: "too_large", Text: "the request has 6128 bytes; the provider takes 2000"}},
		"no variable": {change: func(c *provider.Call) { c.Binding = map[string]string{"params": "zz"} },
			want: message.Result{Outcome: message.Permanent, Code: "unfit", Text: "the message does not fit request.json.list"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPager(t)
			p.answer = func(w http.ResponseWriter, path string) bool {
				if path == "/token" {
					fmt.Fprint(w, `{"token":"tok-1234","life":60}`)
					return true
				}
				if c.header != "" {
					w.Header().Set("Retry-After", c.header)
				}
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
				return true
			}
			s, _ := open(t, p.host())
			x := call()
			if c.change != nil {
				c.change(&x)
			}
			if diff := cmp.Diff(c.want, s.Send(t.Context(), x)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestStaleToken: the provider forgets the token; however many are refused with it, one new one is fetched.
func TestStaleToken(t *testing.T) {
	t.Parallel()
	p := newPager(t)
	s, _ := open(t, p.host())
	if r := s.Send(t.Context(), call()); r.Outcome != message.Accepted {
		t.Fatalf("%+v", r)
	}
	p.mu.Lock()
	p.tokens = 7
	p.mu.Unlock()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			r := s.Send(t.Context(), call())
			if r.Outcome == message.Refresh {
				r = s.Send(t.Context(), call())
			}
			if r.Outcome != message.Accepted {
				t.Errorf("%+v", r)
			}
		})
	}
	wg.Wait()
	if p.tokens != 8 {
		t.Errorf("%d tokens were fetched, not one", p.tokens-7)
	}
}

func TestNoToken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		want   message.Outcome
	}{
		"account":       {403, `{"error":"gone"}`, message.AccountFault},
		"unmapped":      {500, `<html>`, message.Retry},
		"without token": {200, `{}`, message.Retry},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPager(t)
			p.answer = func(w http.ResponseWriter, _ string) bool {
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
				return true
			}
			s, _ := open(t, p.host())
			if r := s.Send(t.Context(), call()); r.Outcome != c.want || r.HTTPStatus != 0 || len(p.requests) != 0 {
				t.Errorf("%+v after %d requests", r, len(p.requests))
			}
		})
	}
	e, _ := providertest.Env(t)
	e.Tokens = nil
	if _, err := parse(t, acme).Open(account("x"), e); err == nil {
		t.Error("opened without a place for tokens")
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	p := newPager(t)
	status := 204
	p.answer = func(w http.ResponseWriter, path string) bool {
		if path == "/check" {
			w.WriteHeader(status)
			if status != 204 {
				fmt.Fprint(w, `{"code":"no canary-key"}`)
			}
		}
		return path == "/check"
	}
	s, _ := open(t, p.host())
	if err := s.(provider.Checker).Check(t.Context()); err != nil {
		t.Error(err)
	}
	status = 401
	if err := s.(provider.Checker).Check(t.Context()); err == nil || err.Error() != "the provider says no ***" {
		t.Error(err)
	}
}

func TestReceive(t *testing.T) {
	t.Parallel()
	s, _ := open(t, "x")
	const sum = "2a6a4d8e6d2e1a2fdb5e0b4f7e2d4d5c"
	body := `{"events":[
 {"parts":[{"ref":"msg_0123456789abcdefghjkmnpq001kdyajy800000000000000000.2","id":7,"part":1,"state":"ok","at":"2026-01-02 11:04"},
           {"id":"8","state":"no","code":5,"text":"key canary-key","part":-1,"at":"soon"}]},
 {"parts":[{"id":"9","state":"ok","kind":"noise"},{"id":"10","state":"new"},{"state":"ok"},{"ref":"msg_x.1","state":"ok"},7]},
 {}, 7],
 "replies":[{"from":"12345","text":"STOP","at":1767323045000},{"text":"nobody"}]}`
	post := func(body, signature string) (provider.Callback, error) {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/receipts/pager/x", nil)
		r.Header.Set("X-Sig", signature)
		return s.(provider.Receiver).Receive(t.Context(), r, []byte(body))
	}
	got, err := post(body, hmacOf("canary-key", body))
	want := provider.Callback{
		Receipts: []provider.Receipt{
			{ID: "msg_0123456789abcdefghjkmnpq001kdyajy800000000000000000", Epoch: 2, ProviderID: "7", Part: 1, State: message.ReceiptDelivered, At: 1767323040000},
			{ProviderID: "8", State: message.ReceiptUndelivered, Code: "5", Text: "key ***"},
		},
		Replies: []provider.Reply{{From: "12345", Channel: "acme-pager", Text: "STOP", At: 1767323045000}},
		Body:    []byte("thanks"),
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, err := post(body, sum); err == nil {
		t.Error("a forged one was taken")
	}
	if _, err := post("[", hmacOf("canary-key", "[")); err == nil {
		t.Error("taken, though it is no JSON")
	}
	for _, odd := range []string{"null", "[]", "7", `{"events":{"parts":[]},"replies":"x"}`} {
		if got, err := post(odd, hmacOf("canary-key", odd)); odd != "null" && (err != nil || len(got.Receipts)+len(got.Replies) > 0) {
			t.Errorf("%s: %+v %v", odd, got, err)
		}
	}
}

func FuzzReceive(f *testing.F) {
	f.Add(`{"events":[{"parts":[{"ref":"msg_x.1","id":1,"state":"ok"}]}]}`)
	s, _ := open(f, "x")
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/receipts/pager/"+url.PathEscape("x"), nil)
		r.Header.Set("X-Sig", hmacOf("canary-key", body))
		got, err := s.(provider.Receiver).Receive(t.Context(), r, []byte(body))
		for _, rc := range got.Receipts {
			if err != nil || rc.State == message.ReceiptNone || rc.ID == "" && rc.ProviderID == "" {
				t.Errorf("%v %+v", err, rc)
			}
		}
	})
}

// resting is Tokens of a vendor that has just refused somebody.
type resting struct{ provider.Tokens }

func (resting) Token(context.Context, string, func(context.Context) (string, time.Duration, error)) (string, error) {
	return "", provider.ErrNoToken
}

// A vendor that rests is an account at fault: others carry the message meanwhile.
func TestVendorRests(t *testing.T) {
	t.Parallel()
	e, _ := providertest.Env(t)
	e.Tokens = resting{}
	s, err := parse(t, acme).Open(account("x"), e)
	if err != nil {
		t.Fatal(err)
	}
	if r := s.Send(t.Context(), call()); r.Outcome != message.AccountFault || r.Code != recipe.CodeNoToken {
		t.Errorf("%+v", r)
	}
}
