package local_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// A recipient is forgotten: what waits is cancelled, nobody can be told any more to whom what was sent went nor what
// it said, and the others' messages are untouched.
func TestErase(t *testing.T) {
	t.Parallel()
	s := run(t, t.TempDir())
	ask := func(name, extra, to string) message.ID {
		t.Helper()
		code, answer := s.do("POST", "/v1/messages", strings.TrimSuffix(order(name, to), "}")+extra+"}")
		var sent struct{ ID message.ID }
		if err := json.Unmarshal([]byte(answer), &sent); err != nil || code != http.StatusAccepted {
			t.Fatal(code, answer)
		}
		return sent.ID
	}
	arrived, other := ask("Li", "", "li+deliver@example.com"), ask("Zhao", "", "zhao+deliver@example.com")
	waiting := ask("Li again", `,"send_at":"`+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+`","reference":"order-1"`, "li+deliver@example.com")
	s.until(arrived, message.Delivered)
	s.until(other, message.Delivered)
	for _, want := range []string{`"messages":2,"cancelled":1,"left":0`, `"messages":0,"cancelled":0,"left":0`} {
		if code, body := s.do("POST", "/v1/erasures", `{"address":"LI+deliver@example.com","reason":"request 17"}`); code != http.StatusCreated || !strings.Contains(body, want) || strings.Contains(body, "li+deliver") {
			t.Fatal(code, body)
		}
	}
	for id, status := range map[message.ID]message.Status{arrived: message.Delivered, waiting: message.Cancelled} {
		code, body := s.do("GET", "/v1/messages/"+string(id), "")
		if code != http.StatusOK || !strings.Contains(body, `"status":"`+string(status)+`"`) || strings.Contains(body, "example.com") || strings.Contains(body, "A-1") {
			t.Error(code, body)
		}
		if code, body := s.do("POST", "/v1/messages/"+string(id)+"/resend", `{}`); code != http.StatusConflict || !strings.Contains(body, "erased") {
			t.Error(code, body)
		}
	}
	if _, body := s.do("GET", "/v1/messages/"+string(other), ""); !strings.Contains(body, "z***@example.com") {
		t.Error("another's was erased too:", body)
	}
	// A hint that still lies in a queue finds nobody to send to.
	r, err := s.Store.Message(t.Context(), tenant.System("test"), arrived)
	if err != nil || !r.Erased() {
		t.Fatalf("%v %v", r, err)
	}
	if code, body := s.do("GET", "/v1/erasures", ""); code != http.StatusOK || !strings.Contains(body, `"reason":"request 17"`) || !strings.Contains(body, `"version":2`) {
		t.Error(code, body)
	}
}

// Several who ask for the same recipient at once have each done it, and each is in the proof.
func TestEraseAtOnce(t *testing.T) {
	t.Parallel()
	s := run(t, t.TempDir())
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if code, body := s.do("POST", "/v1/erasures", `{"address":"li@example.com","reason":"request 18"}`); code != http.StatusCreated {
				t.Error(code, body)
			}
		})
	}
	all.Wait()
	if _, body := s.do("GET", "/v1/erasures", ""); !strings.Contains(body, `"version":4`) {
		t.Error(body)
	}
}
