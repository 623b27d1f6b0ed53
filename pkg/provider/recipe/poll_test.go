package recipe_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/providertest"
	"github.com/opennotify/notify/pkg/provider/recipe"
)

// asker is a recipe that asks twice: for receipts, by pages, and for replies.
const asker = `name: asker
title: {zh: 甲, en: Asker}
docs: https://asker.example/docs
channels: [sms]
receipts: true
polls: {of: account, every_seconds: 60, switch: poll}
fields:
  - {name: server, label: {zh: 服务器, en: Server}, type: url, required: true}
  - {name: poll, label: {zh: 拉取, en: Poll}, type: boolean, default: "false"}
codes:
  gone: {zh: 无此机, en: There is no such number}
  key: {zh: 密钥错误, en: The key is not right}
---
request:
  url: ${config.server}/send
  json: {ref: "${ref}"}
answer:
  code: json.error
  table:
    - {when: status == 200 && json.id != nil, outcome: sent}
    - {codes: [gone], outcome: permanent}
polls:
  - request: {method: GET, url: "${config.server}/receipts", query: {after: "${opt(cursor)}"}}
    answer:
      code: json.error
      table:
        - {when: status == 200 && json.items != nil, outcome: sent}
        - {codes: [key], outcome: account}
    cursor: json.next
    more: json.more == true
    receipts:
      each: items[]
      ref: event.ref
      state: event.state
      states: {ok: delivered, lost: undelivered}
      at: event.at
  - request: {method: GET, url: "${config.server}/replies"}
    answer: {code: json.error, table: [{when: status == 200 && json.items != nil, outcome: sent}]}
    replies: {each: "items[]", from: event.from, text: event.text}
`

// TestPollFaults: what is wrong with polls is refused with file, line and reason.
func TestPollFaults(t *testing.T) {
	t.Parallel()
	if _, err := recipe.Upload("asker", []byte(asker)); err != nil {
		t.Fatal(err)
	}
	every := "polls: {of: account, every_seconds: 60, switch: poll}"
	byMessage := "receipts_by_id: true\npolls: {of: message, after_seconds: 10, every_seconds: 60, until_seconds: 600}"
	for name, c := range map[string]struct{ old, new, want string }{
		"too often":            {every, "polls: {of: account, every_seconds: 5}", `asker:6: polls.every_seconds is 5; it must be 10 to 86400`},
		"of what":              {every, "polls: {of: tenant, every_seconds: 60}", `asker:6: polls.of must be account or message`},
		"no such switch":       {every, "polls: {of: account, every_seconds: 60, switch: pull}", `asker:6: polls.switch is "pull": the form has no boolean field`},
		"switch of text":       {every, "polls: {of: account, every_seconds: 60, switch: server}", `asker:6: polls.switch is "server"`},
		"after of an account":  {every, "polls: {of: account, every_seconds: 60, after_seconds: 5}", `asker:6: polls.after_seconds belongs to polls of message`},
		"message without ids":  {every, "polls: {of: message, every_seconds: 60, until_seconds: 600}", `asker:6: polls.of is message: .*receipts_by_id: true`},
		"until before after":   {every, "receipts_by_id: true\npolls: {of: message, every_seconds: 60, after_seconds: 9, until_seconds: 9}", `asker:7: polls.after_seconds is 9; it must be less`},
		"unknown key":          {every, "polls: {of: account, evry_seconds: 60}", `asker:6: field evry_seconds not found`},
		"not said":             {every + "\n", "", `asker:\d+: polls: the descriptor says how often`},
		"not done":             {asker[strings.Index(asker, "polls:\n"):], "", `asker:6: polls: the descriptor says how often|asker:5: receipts: the descriptor says receipts: true`},
		"no table":             {"\n      table:\n        - {when: status == 200 && json.items != nil, outcome: sent}\n        - {codes: [key], outcome: account}", "", `asker:23: polls.answer.table: is missing`},
		"a code without words": {"{codes: [key], outcome", "{codes: [kee], outcome", `asker:28: codes: the code "kee" has no sentence`},
		"unknown name":         {"query: {after: \"${opt(cursor)}\"}", "query: {after: \"${opt(cursr)}\"}", `asker:23: polls.request.query.after: .*unknown name cursr`},
		"asked of an account":  {"query: {after: \"${opt(cursor)}\"}", "query: {id: \"${asked.provider_id}\"}", `asker:23: polls.request.query.id: .*unknown name asked`},
		"no state":             {"      state: event.state\n", "", `polls.receipts: needs state`},
		"unknown state":        {"{ok: delivered,", "{ok: arrived,", `asker:35: polls.receipts.states: "arrived" is none of`},
		"no name":              {"      ref: event.ref\n", "", `polls.receipts: needs ref or id`},
		"nothing to read":      {"    replies: {each: \"items[]\", from: event.from, text: event.text}\n", "", `asker:37: polls: there are neither receipts nor replies`},
		"a reply of nobody":    {"from: event.from, ", "", `asker:39: polls.replies: needs from and text`},
		"two of a message":     {every, byMessage, `polls: of a message there is one question`},
		"a page is an answer":  {"{when: status == 200 && json.items != nil, outcome: sent}\n        -", "{when: status == 200, outcome: sent}\n        -", `asker:26: polls.answer.table: status 200 with "<html>ok</html>" would count as an answer`},
		"an error is one":      {"{when: status == 200 && json.items != nil, outcome: sent}\n        -", "{when: status > 0, outcome: sent}\n        -", `status 503 .* would count as an answer; server error`},
	} {
		if !strings.Contains(asker, c.old) {
			t.Errorf("%s: the recipe does not have %q", name, c.old)
			continue
		}
		_, err := recipe.Upload("asker", []byte(strings.Replace(asker, c.old, c.new, 1)))
		if err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) {
			t.Errorf("%s: %v\nwant %s", name, err, c.want)
		}
	}
}

// TestPoll: pages are turned by the cursor, each question has its own, and what one heard is given though the
// other heard nothing.
func TestPoll(t *testing.T) {
	t.Parallel()
	const ours = "msg_0123456789abcdefghjkmnpq001kdyajy800000000000000000"
	answers := map[string]string{
		"/receipts":          `{"items": [{"ref": "` + ours + `.2", "state": "ok", "at": 5}, {"ref": "` + ours + `.1", "state": "news"}, {"ref": "who", "state": "ok"}], "next": "p2", "more": true}`,
		"/receipts?after=p2": `{"items": [], "next": "p3"}`,
		"/receipts?after=p3": `{"error": "key"}`,
		"/replies":           `{"items": [{"from": "+8613800138000", "text": "TD"}]}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, answers[r.URL.RequestURI()]) }))
	t.Cleanup(server.Close)
	r, err := recipe.Parse("asker", []byte(asker))
	if err != nil {
		t.Fatal(err)
	}
	env, _ := providertest.Env(t)
	s, err := r.Open(provider.Account{Name: "a", Channel: message.SMS, Config: map[string]string{"server": server.URL}}, env)
	if err != nil {
		t.Fatal(err)
	}
	replies := []provider.Reply{{From: "+8613800138000", Channel: message.SMS, Text: "TD"}}
	cursor := ""
	for i, want := range []struct {
		provider.News
		fault bool
	}{
		{provider.News{Receipts: []provider.Receipt{{ID: ours, Epoch: 2, State: message.ReceiptDelivered, At: 5}}, Replies: replies, Cursor: `["p2",""]`, More: true}, false},
		{provider.News{Replies: replies, Cursor: `["p3",""]`}, false},
		{provider.News{Replies: replies, Cursor: `["p3",""]`}, true},
	} {
		got, err := s.(provider.Poller).Poll(t.Context(), provider.Question{Cursor: cursor})
		if diff := cmp.Diff(want.News, got); diff != "" || (err != nil) != want.fault {
			t.Errorf("question %d: %v\n%s", i, err, diff)
		}
		cursor = got.Cursor
	}
}
