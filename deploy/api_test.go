package deploy_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/client"
)

// api is a running notify, in whichever world.
type api struct {
	url, key string
}

// answer is what it answered.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	again  bool // it was asked for more than once
}

func (a answer) text(field string) string {
	s, _ := a.body[field].(string)
	return s
}

// accepted: what was asked for again may have been accepted the first time.
func (a answer) accepted() bool {
	return a.status == http.StatusAccepted || a.again && a.status == http.StatusOK
}

// try makes a request, and makes it again, as clients do, while the gateway answers that the function had no time: a
// machine may be slow. More headers are written as "Name: value".
func (a api) try(ctx context.Context, method, path string, body any, headers ...string) (got answer, err error) {
	content, ok := body.([]byte)
	if !ok && body != nil {
		if content, err = json.Marshal(body); err != nil {
			return answer{}, err
		}
	}
	again := false
	err = look(ctx, func() (bool, error) {
		got, err = a.once(ctx, method, path, content, headers)
		got.again, again = again, true
		return got.text("errorType") != "Sandbox.Timedout", err
	})
	return got, err
}

func (a api) once(ctx context.Context, method, path string, body []byte, headers []string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, a.url+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+a.key)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, err
	}
	out := answer{status: resp.StatusCode, header: resp.Header}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &out.body); err != nil {
			return out, fmt.Errorf("%s %s answered %d: %.300s", method, path, resp.StatusCode, text)
		}
	}
	return out, nil
}

// call makes a request that must be answered with a status.
func (a api) call(t *testing.T, want int, method, path string, body any, headers ...string) answer {
	t.Helper()
	out, err := a.try(t.Context(), method, path, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	if out.status != want && !(want == http.StatusAccepted && out.accepted()) {
		t.Fatalf("%s %s answered %d, want %d: %v", method, path, out.status, want, out.body)
	}
	return out
}

// send posts a message that must be accepted, and gives its id. It has a key, so that it can be asked for again.
func (a api) send(t *testing.T, body any, headers ...string) string {
	t.Helper()
	if headers == nil {
		headers = []string{"Idempotency-Key: " + rand.Text()}
	}
	id := a.call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", body, headers...).text("id")
	if id == "" {
		t.Fatal("accepted without an id")
	}
	return id
}

// until reads a message until it has a status.
func (a api) until(t *testing.T, id, status string) answer {
	t.Helper()
	got, err := a.ends(t.Context(), id, status)
	if err != nil {
		t.Fatalf("message %s is not %s: %v; last seen: %v", id, status, err, got.body)
	}
	return got
}

// ends does the same for any goroutine.
func (a api) ends(ctx context.Context, id, status string) (got answer, err error) {
	err = look(ctx, func() (bool, error) {
		var err error
		got, err = a.try(ctx, http.MethodGet, "/v1/messages/"+id, nil)
		return got.text("status") == status, err
	})
	return got, err
}

// patience is for what another process does in its own time: the longest wait is the sweep's, which comes
// within two minutes.
const patience = 5 * time.Minute

// look asks again and again, until it is done or patience ends.
func look(ctx context.Context, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(150 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// eventually does so for what cannot fail; what it saw last is told.
func eventually(t *testing.T, what string, see func() (saw string, done bool)) {
	t.Helper()
	var saw string
	if err := look(t.Context(), func() (done bool, _ error) {
		saw, done = see()
		return done, nil
	}); err != nil {
		t.Fatalf("%s: %v; last seen: %s", what, err, saw)
	}
}

// configure makes the accounts and templates that the scenarios use, of tenant shop.
func (a api) configure(t *testing.T, s *sinks) {
	t.Helper()
	host, port, err := net.SplitHostPort(s.mail.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	a.call(t, http.StatusCreated, http.MethodPut, "/v1/accounts/mail", map[string]any{"provider": "smtp", "channel": "email",
		"config": map[string]string{"host": host, "port": port, "tls": "none", "from": "shop@example.com"}})
	a.call(t, http.StatusCreated, http.MethodPut, "/v1/accounts/hooks", map[string]any{"provider": "webhook", "channel": "webhook",
		"secrets": map[string]string{"secret": "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}})
	if s.secret == "" { // the second stack's tenant sends to the same sinks, and is not told
		made := a.call(t, http.StatusCreated, http.MethodPut, "/v1/endpoints/shop/told", map[string]any{"url": s.hook.URL + toldPath,
			"events": []string{"sent", "delivered", "failed", "dead", "expired", "simulated"}})
		s.mu.Lock()
		s.secret = client.Key(made.text("secret"))
		s.mu.Unlock()
	}
	// A route keeps other accounts, that a world may have, out of the way.
	for account, channel := range map[string]string{"mail": "email", "hooks": "webhook"} {
		a.call(t, http.StatusCreated, http.MethodPut, "/v1/routes/"+account, map[string]any{
			"match": map[string]string{"tenant": "shop", "channel": channel}, "accounts": []map[string]string{{"account": account}}})
	}
	for name, class := range map[string]string{"code": "otp", "notice": "transactional", "offer": "marketing"} {
		a.call(t, http.StatusCreated, http.MethodPut, "/v1/templates/shop/"+name, map[string]any{"class": class,
			"variables": []map[string]any{{"name": "n", "example": "1"}},
			"variants": []map[string]any{
				{"channel": "email", "locale": "en", "subject": "Number {{n}}", "text": "It is {{n}}. Unsubscribe: https://shop.example.com/u"},
				{"channel": "webhook", "locale": "en", "data": `{"type":"shop.` + name + `","n":"{{n}}"}`},
			}})
		a.call(t, http.StatusOK, http.MethodPost, "/v1/templates/shop/"+name+"/publish", map[string]any{"version": 1})
	}
}

// hook is a request for a webhook.
func hook(s *sinks, template, path string, n any) map[string]any {
	return map[string]any{"to": s.hook.URL + path, "channel": "webhook", "template": template, "locale": "en", "vars": map[string]any{"n": fmt.Sprint(n)}}
}
