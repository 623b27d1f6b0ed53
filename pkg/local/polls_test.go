package local_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
)

// mute is a recipe of a vendor that never calls back: it is asked, by page or by message.
const mute = `name: $NAME
title: {zh: 哑, en: Mute}
docs: https://mute.example/docs
channels: [$NAME]
channel: {name: $NAME, title: {zh: 哑, en: Mute}, address: "[0-9]{4}", example: "1234", content: text}
receipts: true
receipts_by_id: true
polls: $POLLS
fields:
  - {name: server, label: {zh: 服务器, en: Server}, type: url, required: true}
codes: {}
---
request: {url: "${config.server}/send", json: {to: "${to}", text: "${content.text}"}}
answer: {id: json.id, table: [{when: status == 200 && json.id != nil, outcome: sent}]}
polls:
  - request: {method: GET, url: "${config.server}/$NAME", query: {q: "$QUERY"}}
    answer: {table: [{when: status == 200 && json.items != nil, outcome: sent}]}
    receipts: {each: "items[]", id: event.id, state: event.state, states: {ok: delivered}}
`

// TestPolled: a vendor that never calls back is asked, and its messages are delivered: by news of the account, and
// by the message.
func TestPolled(t *testing.T) {
	t.Parallel()
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
		recipe := strings.NewReplacer("$NAME", name, "$POLLS", of.polls, "$QUERY", of.query).Replace(mute)
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
