package local_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// flare is a recipe of a vendor whose servers stand with its customers.
const flare = `name: flare
title: {zh: 信号弹, en: Flare}
docs: https://flare.example/docs
channels: [flare]
channel: {name: flare, title: {zh: 信号弹, en: Flare}, address: "[0-9]{2}-[0-9]{4}", example: "07-1234", content: text}
fields:
  - {name: server, label: {zh: 服务器, en: Server}, type: url, required: true}
  - {name: key, label: {zh: 密钥, en: Key}, type: string, required: true, secret: true}
codes:
  gone: {zh: 无此人, en: There is nobody of that number}
  key: {zh: 密钥无效, en: The key is not valid}
---
request:
  url: ${config.server}/fire
  sign: {scheme: bearer, token: "${secret.key}"}
  json: {to: "${to}", text: "${content.text}"}
answer:
  code: json.error
  text: json.words
  id: json.id
  table:
    - {when: status == 200 && json.id != nil, outcome: sent}
    - {codes: [gone], outcome: permanent}
    - {codes: [key], outcome: account}
`

// station takes flares of whoever has the key, and knows nobody of 00-0000.
type station struct {
	*httptest.Server
	mu    sync.Mutex
	key   string
	fired []string
}

func newStation(t *testing.T) *station {
	s := &station{key: "first-canary"}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *station) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r.Header.Get("Authorization") != "Bearer "+s.key:
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error": "key", "words": "%s is not the key"}`, r.Header.Get("Authorization"))
	case strings.Contains(string(body), "00-0000"):
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error": "gone", "words": "who is 00-0000?"}`)
	default:
		s.fired = append(s.fired, string(body))
		fmt.Fprintf(w, `{"id": "f-%d"}`, len(s.fired))
	}
}

func (s *station) lock(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = key
}

func text(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// TestAccountWhileItRuns: a provider is uploaded, an account of it is made, tested, rotated, taken out of use and
// removed, over HTTP and without a restart.
func TestAccountWhileItRuns(t *testing.T) {
	t.Parallel()
	st, s := newStation(t), run(t, t.TempDir())
	want := func(status int, method, path, body string, parts ...string) string {
		t.Helper()
		code, got := s.do(method, path, body)
		for _, part := range parts {
			if !strings.Contains(got, part) {
				t.Errorf("%s %s: no %s in %s", method, path, part, got)
			}
		}
		if code != status || strings.Contains(got, "canary") || strings.Contains(got, "00-0000") {
			t.Fatalf("%s %s: %d %s", method, path, code, got)
		}
		return got
	}
	want(201, "PUT", "/v1/recipes/flare", text(map[string]any{"recipe": flare}))
	account := func(version int, key string) string {
		return text(map[string]any{"provider": "flare", "version": version, "config": map[string]string{"server": st.URL}, "secrets": map[string]string{"key": key}})
	}
	want(422, "PUT", "/v1/accounts/flare-1", `{"provider":"flare"}`, `/config/server`, `/secrets/key`)
	want(201, "PUT", "/v1/accounts/flare-1", account(0, "first-canary"))

	// Tested: with a message, marked as a trial, found by who got it.
	test := func(to string) string {
		return text(map[string]string{"to": to, "text": "The harbour is clear: set off at dawn.", "reason": "new account"})
	}
	got := want(200, "POST", "/v1/accounts/flare-1/test", test("07-1234"), `"ok":true`, `"outcome":"sent"`, `"provider_id":"f-1"`, `"http_status":200`)
	var answer struct{ Sent struct{ ID string } }
	if err := json.Unmarshal([]byte(got), &answer); err != nil {
		t.Fatal(err)
	}
	want(200, "GET", "/v1/messages/"+answer.Sent.ID, "", `"trial":"flare-1"`, `"event":"trial"`, `"why":"new account"`, `"status":"sent"`)
	want(200, "POST", "/v1/messages/search", `{"recipient":"07-1234","channel":"flare"}`, answer.Sent.ID, `"trial":"flare-1"`)
	want(200, "POST", "/v1/messages/who", `{"text":"The harbour is clear: set off at dawn.","recipient":"07-1234"}`, answer.Sent.ID)
	want(200, "POST", "/v1/accounts/flare-1/test", test("00-0000"), `"ok":false`, `"outcome":"permanent"`, `"code":"gone"`, `"en":"There is nobody of that number"`, `"http_status":404`, `who is ***?`)
	want(422, "POST", "/v1/accounts/flare-1/test", test("7"), `such as 07-1234`)

	// Rotated: the next message uses the new key.
	st.lock("second-canary")
	want(200, "POST", "/v1/accounts/flare-1/test", test("07-1234"), `"ok":false`, `"outcome":"account"`, `"code":"key"`, `***`)
	want(200, "PUT", "/v1/accounts/flare-1", account(1, "second-canary"))
	want(200, "POST", "/v1/accounts/flare-1/test", test("07-1234"), `"ok":true`)

	// Out of use: nothing goes over it but another test; and back.
	send := text(map[string]any{"to": "07-5678", "channel": "flare", "content": map[string]string{"text": "hello"}})
	want(200, "POST", "/v1/accounts/flare-1/switch", `{"off":true,"reason":"it burns"}`)
	want(422, "POST", "/v1/messages", send, `channel_off`)
	want(200, "POST", "/v1/accounts/flare-1/test", test("07-1234"), `"ok":true`)
	want(200, "POST", "/v1/accounts/flare-1/switch", `{"off":false}`)
	want(202, "POST", "/v1/messages", send)

	// Removed, and its provider with it.
	want(409, "DELETE", "/v1/recipes/flare?version=1", "", `used by the accounts flare-1`)
	want(204, "DELETE", "/v1/accounts/flare-1?version=4", "")
	want(204, "DELETE", "/v1/recipes/flare?version=1", "")
	want(422, "POST", "/v1/messages", send, `unknown_channel`)
	if logged := s.logs.text(); strings.Contains(logged, "canary") || strings.Contains(logged, "07-1234") {
		t.Errorf("the log shows a secret or an address:\n%s", logged)
	}
}

func (l *logs) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.String()
}
