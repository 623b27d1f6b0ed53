package local_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// Dead messages are counted, tried again as a job in the running service, and arrive.
func TestRedrive(t *testing.T) {
	t.Parallel()
	s := run(t, t.TempDir())
	later := time.Now().Add(15 * time.Second).UTC().Format(time.RFC3339)
	var ids []message.ID
	for i := range 7 {
		code, answer := s.do("POST", "/v1/messages", strings.TrimSuffix(order("Li", fmt.Sprintf("deliver+%d@example.com", i)), "}")+`,"send_at":"`+later+`"}`)
		var sent struct{ ID message.ID }
		if err := json.Unmarshal([]byte(answer), &sent); err != nil || code != http.StatusAccepted {
			t.Fatal(code, answer)
		}
		r, err := s.Store.Message(t.Context(), tenant.System("test"), sent.ID)
		if err == nil {
			_, err = s.Store.Update(t.Context(), tenant.System("test"), message.At(time.Now()), r, message.Poison{Why: "test"})
		}
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, sent.ID)
	}
	code, body := s.do("POST", "/v1/dlq/redrive", `{"dry_run":true,"filter":{"tenant":"demo","reason":"poison"}}`)
	if want := `{"dry_run":{"matched":7,"expired":0,"reasons":[{"reason":"poison","matched":7,"expired":0}]}}`; code != http.StatusOK || strings.TrimSpace(body) != want {
		t.Fatal(code, body)
	}
	for pointer, bad := range map[string]string{"/reason": `{}`, "/rate": `{"rate":501,"reason":"x"}`, "/filter/tenant": `{"filter":{"tenant":"A B"},"reason":"x"}`, "/filter/what": `{"filter":{"what":"x"}}`} {
		if code, body := s.do("POST", "/v1/dlq/redrive", bad); code < 400 || code >= 500 || !strings.Contains(body, `"`+pointer+`"`) {
			t.Errorf("%s: %d %s", bad, code, body)
		}
	}
	code, body = s.do("POST", "/v1/dlq/redrive", `{"rate":5,"reason":"test is over","filter":{"tenant":"demo","template":"order-shipped"}}`)
	var started struct {
		Redrive struct{ ID, State, URL string }
	}
	if err := json.Unmarshal([]byte(body), &started); err != nil || code != http.StatusAccepted || started.Redrive.State != "running" {
		t.Fatal(code, body)
	}
	waitUntil(t, func() bool {
		code, body = s.do("GET", started.Redrive.URL, "")
		return strings.Contains(body, `"state":"done"`)
	})
	if code != http.StatusOK || !strings.Contains(body, `"redriven":7,"expired":0,"skipped":0`) {
		t.Error(code, body)
	}
	for _, id := range ids {
		s.until(id, message.Delivered)
	}
	if code, body = s.do("GET", "/v1/messages/"+string(ids[0]), ""); !strings.Contains(body, started.Redrive.ID+": test is over") {
		t.Errorf("the timeline does not say which redrive it was: %s", body)
	}
}
