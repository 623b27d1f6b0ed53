package local_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
)

// TestPolled: a vendor that never calls back is asked, and its messages are delivered: by news of the account, and
// by the message.
func TestPolled(t *testing.T) {
	t.Parallel()
	mute, err := os.ReadFile("testdata/mute/recipe.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	asked := map[string][]string{}
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/send" {
			var m struct{ Text string }
			if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
				t.Error(err)
			}
			fmt.Fprintf(w, `{"id": "v-%s"}`, m.Text)
			return
		}
		asked[r.URL.Path] = append(asked[r.URL.Path], r.URL.Query().Get("q"))
		fmt.Fprintf(w, `{"items": [{"id": "v-%s", "state": "ok"}], "next": "n1"}`, r.URL.Path[1:])
	}))
	t.Cleanup(vendor.Close)
	s := run(t, t.TempDir())
	do := func(status int, method, path string, body any) string {
		t.Helper()
		code, got := s.do(method, path, text(body))
		if code != status {
			t.Fatalf("%s %s: %d %s", method, path, code, got)
		}
		return got
	}
	for name, of := range map[string]struct{ polls, query, want string }{
		"paged": {"{of: account, every_seconds: 600}", "${cursor}", ""},
		"named": {"{of: message, after_seconds: 0, every_seconds: 600, until_seconds: 3600}", "${asked.provider_id}", "v-named"},
	} {
		recipe := strings.NewReplacer("$NAME", name, "$POLLS", of.polls, "$QUERY", of.query).Replace(string(mute))
		do(201, "PUT", "/v1/recipes/"+name, map[string]string{"recipe": recipe})
		do(201, "PUT", "/v1/accounts/"+name, map[string]any{"provider": name, "config": map[string]string{"server": vendor.URL}})
		var sent struct{ ID message.ID }
		answer := do(202, "POST", "/v1/messages", map[string]any{"to": "1234", "channel": name, "content": map[string]string{"text": name}})
		if err := json.Unmarshal([]byte(answer), &sent); err != nil {
			t.Fatal(err)
		}
		s.until(sent.ID, message.Sent)
		for range 2 { // two passes, one question
			if err := s.Queue.Send(t.Context(), queue.Control, queue.Item{Body: []byte(`{"kind":"pass"}`)}); err != nil {
				t.Fatal(err)
			}
		}
		s.until(sent.ID, message.Delivered)
		mu.Lock()
		if got := asked["/"+name]; len(got) != 1 || got[0] != of.want {
			t.Errorf("%s was asked %q", name, got)
		}
		mu.Unlock()
	}
}
