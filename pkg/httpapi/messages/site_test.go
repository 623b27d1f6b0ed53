package messages_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/messages"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// site is the API over a world, through real HTTP.
type site struct {
	*intaketest.World
	url        string
	shop, bank string // keys
	test, read string

	mu      sync.Mutex
	refused []httpapi.Refusal
}

func newSite(t testing.TB) *site {
	s := &site{World: intaketest.New(t)}
	s.shop = s.key("shop", true, tenant.Send, tenant.Read)
	s.bank = s.key("bank", true, tenant.Send)
	s.test = s.key("shop", false, tenant.Send)
	s.read = s.key("shop", true, tenant.Read)
	srv := httptest.NewServer(httpapi.New(httpapi.Config{
		Auth: httpapi.KeyAuth(s.Config, s.Now), Now: s.Now, NewRequestID: func() string { return "req_" + s.NewULID(s.Time()) },
		Log: slog.New(slog.NewJSONHandler(s.Log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Refused: func(_ context.Context, r httpapi.Refusal) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.refused = append(s.refused, r)
		},
	}, messages.Sending(s.Intake)...))
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

func (s *site) key(name string, live bool, scopes ...tenant.Scope) string {
	var random [27]byte
	_, _ = rand.Read(random[:]) // it never fails
	k, secret := tenant.NewKey(random, tenant.Key{Tenant: name, Live: live, Scopes: scopes}, s.Time())
	s.Put(store.APIKeys, k.ID, name, k)
	return string(secret)
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	problem.Error
	sent messages.Sent
}

type header map[string]string

// post sends a body; errors of the transport are the test's.
func (s *site) post(path, key, body string, headers ...header) answer {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		for k, v := range h {
			req.Header.Set(k, v)
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.Fatal(err)
	}
	a := answer{status: res.StatusCode, header: res.Header, body: string(b)}
	if res.StatusCode >= 300 {
		var p struct {
			Code      problem.Code
			Detail    string
			Errors    []problem.Field
			RequestID string `json:"request_id"`
		}
		if err := json.Unmarshal(b, &p); err != nil || p.RequestID == "" || res.Header.Get("Content-Type") != "application/problem+json" {
			s.Errorf("%d is no problem: %s", res.StatusCode, b)
		}
		a.Code, a.Detail, a.Fields = p.Code, p.Detail, p.Errors
	} else if path == "/v1/messages" {
		if err := json.Unmarshal(b, &a.sent); err != nil {
			s.Errorf("%s: %v", b, err)
		}
	}
	return a
}

// has tells whether a problem names a field and a code.
func (a answer) has(pointer string, code problem.Code) bool {
	if pointer == "" && a.Code == code {
		return true
	}
	for _, f := range a.Fields {
		if f.Pointer == pointer && f.Code == code {
			return true
		}
	}
	return false
}
