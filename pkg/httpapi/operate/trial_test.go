package operate_test

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// TestTrialAnswers: what an operator is shown of each end that a trial may have.
func TestTrialAnswers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.must(t, "admin", "PUT", "/v1/recipes/flare", upload(flare, 0), nil)
	b.must(t, "admin", "PUT", "/v1/accounts/flare-1", `{"provider":"flare","secrets":{"key":"k"}}`, nil)
	attempt := func(r message.Result) message.Attempt {
		return message.Attempt{Epoch: 1, Account: "flare-1", Provider: "flare", At: 1000, End: 1042, Outcome: r.Outcome, HTTPStatus: r.HTTPStatus, Code: r.Code, Text: r.Text, ProviderID: r.ProviderID}
	}
	for name, c := range map[string]struct {
		m    message.Message
		want string // parts of the answer
	}{
		"sent":       {message.Message{Status: message.Sent, Attempts: []message.Attempt{attempt(message.Result{Outcome: message.Accepted, HTTPStatus: 200, ProviderID: "p-1"})}}, `"ok":true,"sent":{"id":"msg_1","status":"sent","outcome":"sent","http_status":200,"provider_id":"p-1","ms":42}`},
		"refused":    {message.Message{Status: message.Failed, Attempts: []message.Attempt{attempt(message.Result{Outcome: message.Permanent, HTTPStatus: 400, Code: "gone", Text: "no such number"})}}, `"ok":false,"detail":"the provider says gone no such number","sent":{"id":"msg_1","status":"failed","outcome":"permanent","http_status":400,"code":"gone","text":"no such number","says":{"zh":"无此人","en":"There is nobody of that number"},"ms":42}`},
		"waiting":    {message.Message{Status: message.Queued, Reason: "limit", Expires: 1000}, `"detail":"nothing was sent yet: it waits (limit)`},
		"unusable":   {message.Message{Status: message.Queued, Reason: "account_unusable", Expires: 1000}, `it waits (account_unusable); it expires at 1970-01-01T00:00:01.000Z: cannot be used here"`},
		"on its way": {message.Message{Status: message.Sending, Attempts: []message.Attempt{{Epoch: 1, At: 1000}}}, `"detail":"there is no answer yet; see the message","sent":{"id":"msg_1","status":"sending"}`},
		"suppressed": {message.Message{Status: message.Suppressed, Reason: "opt_out"}, `"detail":"nothing was sent: the address is suppressed (opt_out)"`},
		"test key":   {message.Message{Status: message.Simulated, Reason: "test_key"}, `this is a test key`},
		"stage":      {message.Message{Status: message.Simulated, Reason: "stage"}, `allow-list`},
	} {
		var asked operate.Trial
		var content *message.Content
		b.use.Try = func(_ context.Context, _ tenant.Principal, a config.Account, r operate.Trial, free *message.Content) (*store.Record, error) {
			asked, content = r, free
			c.m.ID = "msg_1"
			return &store.Record{Message: c.m}, nil
		}
		w := b.do("operate", "POST", "/v1/accounts/flare-1/test", `{"to":"07-1234","text":"hello","tenant":"shop","reason":"new key"}`)
		if w.Code != 200 || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if asked.To != "07-1234" || asked.Reason != "new key" || asked.Tenant != "shop" || asked.RequestID == "" || !reflect.DeepEqual(content, &message.Content{Text: "hello"}) {
			t.Errorf("%s: asked for %+v, %+v", name, asked, content)
		}
	}
}

// TestTrialRequests: what can be asked for, and what a text becomes on channels of each kind.
func TestTrialRequests(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.must(t, "admin", "PUT", "/v1/accounts/acme-1", `{"provider":"acme","channel":"sms","secrets":{"api_key":"k"}}`, nil)
	var content *message.Content
	var asked int
	b.use.Try = func(_ context.Context, _ tenant.Principal, a config.Account, r operate.Trial, free *message.Content) (*store.Record, error) {
		asked++
		if content = free; free != nil && a.Channel == message.SMS {
			return nil, problem.Invalid(problem.At("/content", problem.ContentRefused, "templates only"))
		}
		return &store.Record{Message: message.Message{ID: "msg_1", Status: message.Sent}}, nil
	}
	for body, want := range map[string]string{
		`{"text":"x"}`:                                           `[/to required`,
		`{"to":"x","text":"x","template":"t"}`:                   `[/text bad_value`,
		`{"to":"x","vars":{"a":"b"}}`:                            `[/vars bad_value`,
		`{"to":"x","reason":"` + strings.Repeat("x", 201) + `"}`: `[/reason too_long`,
		`{"to":"x","text":"y"}`:                                  `[/text content_refused templates only]`,
		`{"to":"x","tex":"y"}`:                                   `unknown_field`,
	} {
		if got := read(t, b.do("operate", "POST", "/v1/accounts/acme-1/test", body)).String(); !strings.Contains(got, want) {
			t.Errorf("%s: %s\nwant %s", body, got, want)
		}
	}
	// Without a body only the credentials are tried.
	before := asked
	for _, body := range []string{"", "{}"} {
		if w := b.do("operate", "POST", "/v1/accounts/acme-1/test", body); w.Code != 200 || strings.Contains(w.Body.String(), "sent") || asked != before {
			t.Errorf("%q: %d %s", body, w.Code, w.Body)
		}
	}
	for ch, want := range map[string]string{
		"email": `{"subject":"notify: test 测试","text":"hi"}`, "push": `{"title":"notify: test 测试","text":"hi"}`, "feishu": `{"text":"hi"}`,
	} {
		b.must(t, "admin", "PUT", "/v1/accounts/dev-"+ch, `{"provider":"devinbox","channel":"`+ch+`"}`, nil)
		b.must(t, "operate", "POST", "/v1/accounts/dev-"+ch+"/test", `{"to":"x","text":"hi"}`, nil)
		if got, err := json.Marshal(content); err != nil || string(got) != want {
			t.Errorf("%s: %s %v", ch, got, err)
		}
	}
	b.must(t, "operate", "POST", "/v1/accounts/dev-feishu/test", `{"to":"ops"}`, nil)
	if content == nil || !strings.Contains(content.Text, "account dev-feishu") {
		t.Errorf("without a text: %+v", content)
	}
	if w := b.do("read", "POST", "/v1/accounts/acme-1/test", `{"to":"x"}`); w.Code != 403 {
		t.Errorf("%d", w.Code)
	}
	if w := b.do("operate", "POST", "/v1/accounts/nothing/test", `{"to":"x"}`); w.Code != 404 {
		t.Errorf("%d", w.Code)
	}
}
