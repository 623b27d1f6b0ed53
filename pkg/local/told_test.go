package local_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/client"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider/sign"
)

// courierKey is with what the vendor of testdata/courier signs.
const courierKey = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// TestTold goes the whole way: accepted, sent over a vendor, its signed receipt at the account's address, delivered,
// and the tenant's own server is told of both, signed. What is forged on the way changes nothing.
func TestTold(t *testing.T) {
	t.Parallel()
	s := run(t, t.TempDir())
	asked := make(chan string, 4)
	vendor := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m struct{ To, Text, Ref string }
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil || m.To != "anna" || m.Text != "Your parcel is here" {
			t.Errorf("%+v %v", m, err)
		}
		asked <- m.Ref
	}))
	t.Cleanup(vendor.Close)
	type request struct {
		header http.Header
		body   []byte
	}
	told := make(chan request, 8)
	tenant := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		told <- request{r.Header.Clone(), body}
	}))
	t.Cleanup(tenant.Close)
	do := func(status int, method, path, body string, header ...string) string {
		t.Helper()
		code, got := s.do(method, path, body, header...)
		if code != status {
			t.Fatalf("%s %s: %d %s", method, path, code, got)
		}
		return got
	}
	recipe, err := os.ReadFile("testdata/courier/recipe.yaml")
	if err != nil {
		t.Fatal(err)
	}
	do(422, "POST", "/v1/messages/search", `{"channel":"courier"}`)
	do(201, "PUT", "/v1/recipes/courier", text(map[string]any{"recipe": string(recipe)}))
	do(200, "POST", "/v1/messages/search", `{"channel":"courier"}`) // though nobody has an account there yet
	do(200, "POST", "/v1/dlq/redrive", `{"dry_run":true,"filter":{"channel":"courier"}}`)
	var made struct {
		CallbackPath string `json:"callback_path"`
		Secret       client.Key
	}
	read(t, do(201, "PUT", "/v1/accounts/courier", text(map[string]any{"provider": "courier", "config": map[string]string{"server": vendor.URL}, "secrets": map[string]string{"key": courierKey}})), &made)
	read(t, do(201, "PUT", "/v1/endpoints/demo/told", text(map[string]any{"url": tenant.URL, "events": []string{"sent", "delivered", "undelivered"}})), &made)
	var sent struct{ ID message.ID }
	read(t, do(202, "POST", "/v1/messages", text(map[string]any{"to": "anna", "channel": "courier", "content": map[string]string{"text": "Your parcel is here"}})), &sent)
	ref := <-asked
	s.until(sent.ID, message.Sent)

	receipt := func(key, state string) (body string, header []string) {
		body = fmt.Sprintf(`{"ref":%q,"state":%q}`, ref, state)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		scheme, _ := sign.Lookup("standard-webhooks")
		if err := scheme.Apply(sign.Params{"key": key, "id": "evt_" + state}, sign.Moment{Now: time.Now()}, r, []byte(body)); err != nil {
			t.Fatal(err)
		}
		for name := range r.Header {
			header = append(header, name, r.Header.Get(name))
		}
		return body, header
	}
	forged, headers := receipt("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "returned")
	refused := do(404, "POST", made.CallbackPath, forged, headers...)
	nowhere := do(404, "POST", "/v1/receipts/nobody/secret", forged, headers...)
	if without(refused) != without(nowhere) {
		t.Errorf("a forgery and an address that is not there differ: %s %s", refused, nowhere)
	}
	genuine, headers := receipt(courierKey, "handed_over")
	for range 2 {
		if got := do(200, "POST", made.CallbackPath, genuine, headers...); got != `{"heard":true}` {
			t.Errorf("the vendor hears %s", got)
		}
	}
	s.until(sent.ID, message.Delivered)
	heard := map[client.Status]int{}
	for len(heard) < 2 {
		select {
		case r := <-told:
			e, err := client.VerifyWebhook(r.header, r.body, made.Secret)
			if err != nil || e.Data.ID != string(sent.ID) {
				t.Fatalf("%v: %s", err, r.body)
			}
			heard[e.Data.Status]++
		case <-time.After(patience):
			t.Fatalf("the tenant heard %v", heard)
		}
	}
	if heard["sent"] != 1 || heard["delivered"] != 1 {
		t.Errorf("the tenant heard %v", heard)
	}
}

func read(t *testing.T, body string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), into); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
}

// without is a problem without the request's own id.
func without(problem string) string {
	var m map[string]any
	_ = json.Unmarshal([]byte(problem), &m)
	delete(m, "request_id")
	return strings.TrimSpace(text(m))
}
