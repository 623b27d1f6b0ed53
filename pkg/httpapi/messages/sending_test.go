package messages_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/httpapi/messages"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

const good = `{"to":"+8613800138000","template":"hello","vars":{"name":"Anna"}}`

func TestSend(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := s.post("/v1/messages", s.shop, good, header{"Idempotency-Key": "order-1"})
	if a.status != 202 || a.sent.Status != message.Queued || a.sent.URL != "/v1/messages/"+string(a.sent.ID) || a.header.Get("Idempotency-Replay") != "" || a.sent.Template.Version != 1 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for _, form := range []string{"order-1", `"order-1"`, ` order-1 `} {
		b := s.post("/v1/messages", s.shop, good, header{"Idempotency-Key": form})
		if b.status != 200 || b.header.Get("Idempotency-Replay") != "true" || b.sent.ID != a.sent.ID {
			t.Errorf("%s: %d %s", form, b.status, b.body)
		}
	}
	if b := s.post("/v1/messages", s.shop, good+" ", header{"Idempotency-Key": "order-1"}); b.status != 422 || b.Code != problem.KeyReused {
		t.Errorf("other bytes: %d %s", b.status, b.body)
	}
	if b := s.post("/v1/messages", s.shop, good); b.status != 200 || b.header.Get("Idempotency-Replay") != "" || b.sent.DuplicateOf != a.sent.ID || b.sent.WindowEndsAt == nil {
		t.Errorf("equal content: %d %s", b.status, b.body)
	}
	bank := strings.Replace(good, "hello", "notice", 1)
	if b := s.post("/v1/messages", s.bank, bank, header{"Idempotency-Key": "order-1"}); b.status != 202 || b.sent.ID == a.sent.ID {
		t.Errorf("another tenant's key: %d %s", b.status, b.body)
	}
	list := `{"to":["+8613800138000","+8613800138001"],"template":"hello","vars":{"name":"Berta"}}`
	b := s.post("/v1/messages", s.shop, list, header{"Idempotency-Key": "l"})
	if b.status != 202 || b.sent.Group == nil || b.sent.Group.Kind != store.GroupList || len(b.sent.Messages) != 2 {
		t.Errorf("%d %s", b.status, b.body)
	}
	if c := s.post("/v1/messages", s.shop, list, header{"Idempotency-Key": "l"}); c.status != 200 || c.header.Get("Idempotency-Replay") != "true" || c.sent.Group.ID != b.sent.Group.ID {
		t.Errorf("%d %s", c.status, c.body)
	}
	if b := s.post("/v1/messages", s.test, good); b.status != 202 || b.sent.Status != message.Simulated || b.sent.Outcome != message.Delivered {
		t.Errorf("%d %s", b.status, b.body)
	}
	if b := s.post("/v1/messages", s.read, good); b.status != 403 {
		t.Errorf("%d %s", b.status, b.body)
	}
}

func TestIdempotencyKeyForms(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	k255 := strings.Repeat("k", 255)
	for name, c := range map[string]struct {
		key    string
		status int
	}{
		"255": {k255, 202}, "255, quoted": {`"` + strings.Repeat("q", 255) + `"`, 202}, "255 with escapes": {`"` + strings.Repeat("k", 254) + `\""`, 202}, "256": {k255 + "k", 422},
		"256, quoted": {`"` + k255 + `k"`, 422}, "quoted, empty": {`""`, 422}, "empty": {"", 422}, "blank": {" ", 422}, "spaces within": {"a b", 202}, "tab": {"a\tb", 422}, "not ASCII": {"clé", 422}, "high bytes": {"a\xff", 422},
	} {
		body := strings.Replace(good, "Anna", name, 1)
		a := s.post("/v1/messages", s.shop, body, header{"Idempotency-Key": c.key})
		if a.status != c.status || c.status == 422 && len(a.Fields) > 0 && a.Fields[0].Pointer != "header:Idempotency-Key" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if c.status == 202 {
			if b := s.post("/v1/messages", s.shop, body, header{"Idempotency-Key": c.key}); b.sent.ID != a.sent.ID || b.header.Get("Idempotency-Replay") != "true" {
				t.Errorf("%s, again: %d %s", name, b.status, b.body)
			}
		}
	}
	// Escaped and plain are one key.
	body := strings.Replace(good, "Anna", "escapes", 1)
	a := s.post("/v1/messages", s.shop, body, header{"Idempotency-Key": `"a\"b\\c"`})
	if b := s.post("/v1/messages", s.shop, body, header{"Idempotency-Key": `a"b\c`}); b.sent.ID != a.sent.ID || b.header.Get("Idempotency-Replay") != "true" {
		t.Errorf("%d %s", b.status, b.body)
	}
}

// The body's and the message's sizes, one byte inside.
func TestSizes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pad := strings.Repeat(" ", 2<<20-len(good))
	if a := s.post("/v1/messages", s.shop, good+pad); a.status != 202 {
		t.Errorf("2 MiB: %d %s", a.status, a.body)
	}
	if a := s.post("/v1/messages", s.shop, good+pad+" "); a.status != 413 {
		t.Errorf("2 MiB and 1: %d", a.status)
	}
	for extra, want := range map[int]int{0: 202, 1: 422} {
		text := strings.Repeat("x", 256<<10-len(`{"subject":"s","text":""}`)+extra)
		if a := s.post("/v1/messages", s.shop, `{"to":"a@example.com","content":{"subject":"s","text":"`+text+`"}}`); a.status != want {
			t.Errorf("256 KB and %d: %d %s", extra, a.status, a.body)
		}
	}
	item := func(i int) string {
		return fmt.Sprintf(`{"to":"+861380013%04d","template":"hello","vars":{"name":"A"}}`, i)
	}
	for n, want := range map[int]int{500: 202, 501: 422} {
		items := make([]string, n)
		for i := range items {
			items[i] = item(i)
		}
		if a := s.post("/v1/messages/batch", s.shop, `{"messages":[`+strings.Join(items, ",")+`]}`); a.status != want {
			t.Errorf("%d: %d %.200s", n, a.status, a.body)
		}
	}
}

func TestBatchOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	body := `{"messages":[` + good + `,{"to":"x","template":"hello","version":-1},{"to":"+8613800138001","template":"hello","vars":{"name":"a"},"send_at":"9999-01-01T00:00:00Z"},` + good + `]}`
	var first, second messages.BatchAnswer
	a := s.post("/v1/messages/batch", s.shop, body, header{"Idempotency-Key": "b"})
	b := s.post("/v1/messages/batch", s.shop, body, header{"Idempotency-Key": "b"})
	if json.Unmarshal([]byte(a.body), &first) != nil || json.Unmarshal([]byte(b.body), &second) != nil || a.status != 202 || b.status != 200 || b.header.Get("Idempotency-Replay") != "true" {
		t.Fatalf("%d %s %d %s", a.status, a.body, b.status, b.body)
	}
	if first.Accepted != 2 || first.Refused != 2 || second.Group.ID != first.Group.ID || second.Accepted != 2 || second.Results[0].Message.ID != first.Results[0].Message.ID {
		t.Errorf("%s %s", a.body, b.body)
	}
	if first.Results[3].Message.DuplicateOf != first.Results[0].Message.ID {
		t.Errorf("%s", a.body)
	}
	pointers := map[string]bool{}
	for _, r := range first.Results {
		if r.Problem != nil {
			for _, f := range r.Problem.Errors {
				pointers[f.Pointer] = true
			}
		}
	}
	for _, want := range []string{"/messages/1/version", "/messages/2/send_at"} {
		if !pointers[want] {
			t.Errorf("no fault at %s: %v", want, pointers)
		}
	}
	if len(pointers) > 4 {
		t.Errorf("%v", pointers)
	}
}

// Nothing of a body, a recipient, a secret variable or an idempotency key is in an answer to a refused
// request, in the log, or in what is told of refusals; and of an accepted one not in the log either.
func TestCanaries(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const phone, mail, code, idem = "13912349876", "canary.person@private.example", "90817263", "CANARY-idem-key"
	for _, body := range []string{
		`{"to":"+86` + phone + `","template":"login","vars":{"code":"` + code + `"}}`,
		`{"to":"+86` + phone + `","template":"login","vars":{"code":"` + code + `x"}}`,
		`{"to":"+86` + phone + `","template":"login","vars":{"` + code + `":"` + code + `","` + mail + `":1}}`,
		`{"to":"` + phone + phone + `","template":"login","vars":{"code":"` + code + `"}}`,
		`{"to":["` + mail + `","` + mail + ` x"],"channel":"email","template":"hello","vars":{"name":"` + code + `"}}`,
		`{"to":{"` + phone + `":"` + mail + `"},"template":"hello","vars":{"name":"` + code + `"}}`,
		`{"to":"` + mail + `","template":"` + mail + `","class":"` + phone + `","channel":"` + phone + `","tenant":"` + mail + `"}`,
		`{"to":"` + mail + `","content":{"subject":"` + code + `\n","text":"` + code + `","attachments":[{"name":"` + phone + `\n","type":"` + mail + `"}]}}`,
		`{"` + phone + `":"` + mail + `"}`, `{"to":"` + mail + `"`, `{"to":"` + mail + `","send_at":"` + code + `"}`, `{"to":"` + mail + `","version":"` + code + `"}`, `"` + mail + `"`, mail,
		`{"to":"https://` + code + `:` + code + `@example.com/` + code + `","template":"hello","vars":{"name":"a"}}`,
	} {
		for _, path := range []string{"/v1/messages", "/v1/messages/batch", "/v1/messages/explain", "/v1/messages/stop"} {
			sent := body
			if path == "/v1/messages/batch" {
				sent = `{"messages":[` + body + `]}`
			}
			a := s.post(path, s.shop, sent, header{"Idempotency-Key": idem + "é"})
			b := s.post(path, s.shop, sent, header{"Idempotency-Key": idem + fmt.Sprint(len(body))})
			for _, canary := range []string{phone, mail, code, idem} {
				shown := a.body
				if b.status >= 300 || path != "/v1/messages/explain" {
					shown += b.body
				}
				if strings.Contains(shown, canary) {
					t.Errorf("%s %s: the answer repeats %s: %s", path, body, canary, shown)
				}
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	told, _ := json.Marshal(s.refused)
	for _, canary := range []string{phone, mail, code, idem, s.shop, s.shop[20:]} {
		if strings.Contains(s.Log.String(), canary) {
			t.Errorf("the log shows %s", canary)
		}
		if bytes.Contains(told, []byte(canary)) {
			t.Errorf("a refusal shows %s", canary)
		}
	}
	if len(s.refused) == 0 || s.Log.String() == "" {
		t.Error("nothing was looked at")
	}
}

func TestSteering(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := string(s.post("/v1/messages", s.shop, strings.Replace(good, "}}", `},"send_at":"2026-07-01T13:00:00Z"}`, 1)).sent.ID)
	for _, c := range []struct {
		path, key, body string
		status          int
	}{
		{"/v1/messages/" + id + "/cancel", s.bank, "", 404}, {"/v1/messages/" + id + "/resend", s.bank, "", 404}, {"/v1/messages/" + id + "/cancel", s.read, "", 403},
		{"/v1/messages/msg_1/cancel", s.shop, "", 404}, {"/v1/messages/" + strings.ToUpper(id) + "/cancel", s.shop, "", 404},
		{"/v1/messages/" + id + "/cancel", s.shop, `{"reason":"` + strings.Repeat("x", 201) + `"}`, 422},
		{"/v1/messages/stop", s.shop, `{}`, 422}, {"/v1/messages/stop", s.shop, `{"dry_run":true,"tenant":"bank"}`, 422}, {"/v1/messages/stop", s.shop, `{"dry_run":true,"group":"grp_x"}`, 404},
		{"/v1/messages/stop", s.shop, `{"dry_run":true}`, 200}, {"/v1/messages/" + id + "/resend", s.shop, "", 202}, {"/v1/messages/" + id + "/resend", s.shop, `{"reason":"asked"}`, 202},
		{"/v1/messages/" + id + "/cancel", s.shop, `{"reason":"wrong"}`, 200}, {"/v1/messages/" + id + "/cancel", s.shop, "", 200},
	} {
		if a := s.post(c.path, c.key, c.body); a.status != c.status {
			t.Errorf("%s %s: %d %s, want %d", c.path, c.body, a.status, a.body, c.status)
		}
	}
	a := s.post("/v1/messages/"+id+"/resend", s.shop, "", header{"Idempotency-Key": "r"})
	b := s.post("/v1/messages/"+id+"/resend", s.shop, "", header{"Idempotency-Key": "r"})
	if a.status != 202 || b.status != 200 || b.header.Get("Idempotency-Replay") != "true" {
		t.Errorf("%d %d %s", a.status, b.status, b.body)
	}
}

// A limit that is used up is a 429 that names it and says how long to wait, on every way to send.
func TestLimits(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Put(store.Tenants, "shop", "shop", tenant.Tenant{Name: "shop", Owner: tenant.Owner{Name: "Wang"}, Region: "CN", Locale: "en", PerSecond: 2, PerDay: 4})
	to := func(n int) string {
		return fmt.Sprintf(`{"to":"+861380013%04d","template":"hello","vars":{"name":"Anna"}}`, n)
	}
	code := `{"to":"+8613800138000","template":"login","vars":{"code":"1234"},"dedup_seconds":0}`
	batch := `{"messages":[` + to(1) + `,` + to(2) + `]}`
	for i, step := range []struct {
		path, body string
		status     int
		code       problem.Code
		wait       string
		detail     string
	}{
		{"/v1/messages", to(0), 202, "", "", ""},
		{"/v1/messages/batch", batch, 429, problem.RateLimited, "1", "tenant shop may send 2 messages a second, and they are used up"},
		{"/v1/messages", `{"to":["+8613800130001","+8613800130002","+8613800130003"],"template":"hello","vars":{"name":"Anna"}}`, 422, problem.InvalidRequest, "", "3 messages are more than the 2"},
		{"", "", 0, "", "", ""},
		{"/v1/messages/batch", batch, 202, "", "", ""},
		{"", "", 0, "", "", ""},
		{"/v1/messages", code, 202, "", "", ""},
		{"/v1/messages", to(9), 429, problem.DailyLimit, "43198", "tenant shop may send 4 messages a day (of UTC)"},
		{"/v1/messages/explain", to(9), 200, "", "", `"refused":{"status":429,"code":"daily_limit"`},
	} {
		if step.path == "" {
			s.Advance(time.Second)
			continue
		}
		a := s.post(step.path, s.shop, step.body)
		if a.status != step.status || a.Code != step.code || a.header.Get("Retry-After") != step.wait || !strings.Contains(a.body, step.detail) {
			t.Errorf("%d: %d, wait %s: %s", i, a.status, a.header.Get("Retry-After"), a.body)
		}
	}
	s.Put(store.Tenants, "shop", "shop", tenant.Tenant{Name: "shop", Owner: tenant.Owner{Name: "Wang"}, Region: "CN", Locale: "en"})
	for range 2 {
		if a := s.post("/v1/messages", s.shop, code); a.status != 202 {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	a := s.post("/v1/messages", s.shop, code)
	if a.status != 429 || a.Code != problem.RecipientLimit || a.header.Get("Retry-After") != "600" || !a.has("/to", problem.RecipientLimit) || !strings.Contains(a.Detail, "3 codes in 10m0s") {
		t.Errorf("%d, wait %s: %s", a.status, a.header.Get("Retry-After"), a.body)
	}
	b := s.post("/v1/messages/batch", s.shop, `{"messages":[`+code+`,`+to(7)+`]}`)
	if b.status != 202 || !strings.Contains(b.body, `"accepted":1,"refused":1`) || !strings.Contains(b.body, `"recipient_limit"`) {
		t.Errorf("%d %s", b.status, b.body)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.refused) != 5 { // one of them is the batch, of which an item was
		t.Errorf("%d refusals are told of", len(s.refused))
	}
}
