package local_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/opennotify/notify/pkg/message"
)

// TestStranger: a recipe for a vendor that notify does not ship, with a channel of its own, is uploaded to a
// running notify: it sends, takes the vendor's receipt, and the message is delivered. No line of Go was touched.
func TestStranger(t *testing.T) {
	t.Parallel()
	recipe, err := os.ReadFile("testdata/vonage-viber/recipe.yaml")
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan map[string]any, 1)
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var m map[string]any
		if strings.Count(r.Header.Get("Authorization"), ".") != 2 || r.URL.Path != "/v1/messages" || json.Unmarshal(body, &m) != nil {
			t.Errorf("%s %s %s", r.URL, r.Header, body)
		}
		asked <- m
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab"}`)
	}))
	t.Cleanup(vendor.Close)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	s := run(t, t.TempDir())
	do := func(status int, method, path, body string) string {
		t.Helper()
		code, got := s.do(method, path, body)
		if code != status {
			t.Fatalf("%s %s: %d %s", method, path, code, got)
		}
		return got
	}
	do(201, "PUT", "/v1/recipes/vonage-viber", text(map[string]any{"recipe": string(recipe)}))
	made := do(201, "PUT", "/v1/accounts/viber", text(map[string]any{"provider": "vonage-viber",
		"config":  map[string]string{"application_id": "app-1", "from": "16273", "server": vendor.URL},
		"secrets": map[string]string{"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))}}))
	var account struct {
		CallbackPath string `json:"callback_path"`
	}
	if err := json.Unmarshal([]byte(made), &account); err != nil || account.CallbackPath == "" {
		t.Fatalf("%v %s", err, made)
	}
	var sent struct{ ID string }
	answer := do(202, "POST", "/v1/messages", text(map[string]any{"to": "447700900000", "channel": "viber", "content": map[string]string{"text": "Your parcel is here"}}))
	if err := json.Unmarshal([]byte(answer), &sent); err != nil {
		t.Fatal(err)
	}
	m := <-asked
	if m["text"] != "Your parcel is here" || m["to"] != "447700900000" || m["channel"] != "viber_service" {
		t.Errorf("%v", m)
	}
	receipt := text(map[string]any{"message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab", "client_ref": m["client_ref"], "status": "delivered", "channel": "viber_service"})
	if code, _ := s.do("POST", account.CallbackPath[:len(account.CallbackPath)-1]+"_", receipt); code != 404 {
		t.Errorf("a forged address: %d", code)
	}
	do(200, "POST", account.CallbackPath, receipt)
	s.until(message.ID(sent.ID), message.Delivered)
}
