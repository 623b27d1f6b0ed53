package messages_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/messages"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// site is the API over a world, through real HTTP.
type site struct {
	*intaketest.World
	url        string
	shop, bank string // keys
	test, read string

	mu      sync.Mutex
	refused []httpapi.Refusal
}

func newSite(t testing.TB) *site {
	s := &site{World: intaketest.New(t)}
	s.shop = s.key("shop", true, tenant.Send, tenant.Read)
	s.bank = s.key("bank", true, tenant.Send)
	s.test = s.key("shop", false, tenant.Send)
	s.read = s.key("shop", true, tenant.Read)
	srv := httptest.NewServer(httpapi.New(httpapi.Config{
		Auth: httpapi.KeyAuth(s.Config, s.Now), Now: s.Now, NewRequestID: func() string { return "req_" + s.NewULID(s.Time()) },
		Log: slog.New(slog.NewJSONHandler(s.Log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Refused: func(_ context.Context, r httpapi.Refusal) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.refused = append(s.refused, r)
		},
	}, messages.Sending(s.Intake)...))
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

func (s *site) key(name string, live bool, scopes ...tenant.Scope) string {
	var random [27]byte
	_, _ = rand.Read(random[:]) // it never fails
	k, secret := tenant.NewKey(random, tenant.Key{Tenant: name, Live: live, Scopes: scopes}, s.Time())
	s.Put(store.APIKeys, k.ID, name, k)
	return string(secret)
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	problem.Error
	sent messages.Sent
}

type header map[string]string

// post sends a body; errors of the transport are the test's.
func (s *site) post(path, key, body string, headers ...header) answer {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		for k, v := range h {
			req.Header.Set(k, v)
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.Fatal(err)
	}
	a := answer{status: res.StatusCode, header: res.Header, body: string(b)}
	if res.StatusCode >= 300 {
		var p struct {
			Code      problem.Code
			Detail    string
			Errors    []problem.Field
			RequestID string `json:"request_id"`
		}
		if err := json.Unmarshal(b, &p); err != nil || p.RequestID == "" || res.Header.Get("Content-Type") != "application/problem+json" {
			s.Errorf("%d is no problem: %s", res.StatusCode, b)
		}
		a.Code, a.Detail, a.Fields = p.Code, p.Detail, p.Errors
	} else if path == "/v1/messages" {
		if err := json.Unmarshal(b, &a.sent); err != nil {
			s.Errorf("%s: %v", b, err)
		}
	}
	return a
}

// has tells whether a problem names a field and a code.
func (a answer) has(pointer string, code problem.Code) bool {
	if pointer == "" && a.Code == code {
		return true
	}
	for _, f := range a.Fields {
		if f.Pointer == pointer && f.Code == code {
			return true
		}
	}
	return false
}

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
		"256, quoted": {`"` + k255 + `k"`, 422}, "quoted, empty": {`""`, 422}, "spaces within": {"a b", 202}, "tab": {"a\tb", 422}, "not ASCII": {"clé", 422}, "high bytes": {"a\xff", 422},
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

// with replaces the good request's fields by others, written as JSON.
func with(fields string) string { return `{"to":"+8613800138000","template":"hello",` + fields + `}` }

// The corpus of bad inputs: each is a problem with its pointer, and writes nothing.
func TestBadInputs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	deep := strings.Repeat("[", 10000) + strings.Repeat("]", 10000)
	many := `"x"` + strings.Repeat(`,"x"`, 100_000)
	members := make([]string, 100_000)
	for i := range members {
		members[i] = fmt.Sprintf(`"k%d":1`, i)
	}
	vars := func(v string) string { return with(`"vars":{"name":` + v + `}`) }
	when := func(v string) string { return with(`"vars":{"name":"Anna"},"send_at":` + v) }
	for name, c := range map[string]struct {
		body    string
		status  int
		pointer string
		code    problem.Code
	}{
		"empty":                {"", 400, "", problem.BadJSON},
		"no object":            {"[]", 400, "", problem.BadType},
		"null":                 {"null", 400, "", problem.BadType},
		"cut off":              {good[:30], 400, "", problem.BadJSON},
		"byte order mark":      {"\xef\xbb\xbf" + good, 400, "", problem.BadJSON},
		"trailing data":        {good + good, 400, "", problem.BadJSON},
		"trailing bracket":     {good + "]", 400, "", problem.BadJSON},
		"invalid UTF-8":        {vars("\"a\xffb\""), 400, "", problem.BadJSON},
		"overlong UTF-8":       {vars("\"\xc0\xaf\""), 400, "", problem.BadJSON},
		"lone surrogate":       {vars(`"\ud800"`), 400, "", problem.BadJSON},
		"turned surrogates":    {vars(`"\udc00\ud800"`), 400, "", problem.BadJSON},
		"NUL":                  {vars(`"a\u0000b"`), 400, "/vars/name", problem.BadValue},
		"raw NUL":              {vars("\"a\x00b\""), 400, "", problem.BadJSON},
		"escape":               {vars(`"a\u001b[31m"`), 422, "/vars/name", problem.BadValue},
		"C1":                   {vars(`"a\u009bb"`), 422, "/vars/name", problem.BadValue},
		"turned text":          {vars(`"a\u202eb"`), 422, "/vars/name", problem.BadValue},
		"unknown field":        {with(`"vars":{"name":"a"},"priority":1`), 400, "/priority", problem.UnknownField},
		"other case":           {with(`"Vars":{"name":"a"}`), 400, "/Vars", problem.UnknownField},
		"admin":                {with(`"vars":{"name":"a"},"ADMIN":true`), 400, "/ADMIN", problem.UnknownField},
		"duplicate field":      {with(`"vars":{"name":"a"},"to":"+8613800138001"`), 400, "/to", problem.BadValue},
		"duplicate variable":   {with(`"vars":{"name":"a","name":"b"}`), 400, "/vars/name", problem.BadValue},
		"duplicate way":        {`{"to":{"sms":"a","sms":"b"},"template":"hello"}`, 400, "/to/sms", problem.BadValue},
		"depth":                {with(`"vars":` + deep), 400, "", problem.BadJSON},
		"depth 10^4 of to":     {`{"to":` + deep + `}`, 400, "", problem.BadJSON},
		"10^5 recipients":      {`{"to":[` + many + `],"template":"hello"}`, 422, "/to", problem.TooMany},
		"10^5 ways":            {`{"to":{` + strings.ReplaceAll(strings.Join(members, ","), ":1", `:"x"`) + `},"template":"hello"}`, 422, "/to", problem.TooMany},
		"10^5 variables":       {with(`"vars":{` + strings.Join(members, ",") + `}`), 422, "/vars/k0", problem.UnknownVariable},
		"over 2 MiB":           {vars(`"` + strings.Repeat("x", 2<<20) + `"`), 413, "", problem.TooLarge},
		"number as to":         {`{"to":13800138000,"template":"hello"}`, 400, "/to", problem.BadType},
		"null as to":           {`{"to":null,"template":"hello"}`, 400, "/to", problem.BadType},
		"list of null":         {`{"to":[null],"template":"hello","vars":{"name":"a"}}`, 422, "/to/0", problem.UnknownChannel},
		"list of lists":        {`{"to":[["x"]],"template":"hello"}`, 400, "/to/0", problem.BadType},
		"way of a number":      {`{"to":{"sms":1},"template":"hello"}`, 400, "/to/sms", problem.BadType},
		"empty list":           {`{"to":[],"template":"hello"}`, 422, "/to", problem.Required},
		"empty object":         {`{"to":{},"template":"hello"}`, 422, "/to", problem.Required},
		"exponent":             {with(`"vars":{"name":"a"},"version":1e3`), 400, "/version", problem.BadType},
		"fraction":             {with(`"vars":{"name":"a"},"ttl_seconds":1.5`), 400, "/ttl_seconds", problem.BadType},
		"2^63":                 {with(`"vars":{"name":"a"},"ttl_seconds":9223372036854775808`), 400, "/ttl_seconds", problem.BadType},
		"2^63-1 seconds":       {with(`"vars":{"name":"a"},"ttl_seconds":9223372036854775807`), 422, "/ttl_seconds", problem.BadValue},
		"-2^63 seconds":        {with(`"vars":{"name":"a"},"ttl_seconds":-9223372036854775808`), 422, "/ttl_seconds", problem.BadValue},
		"seconds wrap around":  {with(`"vars":{"name":"a"},"ttl_seconds":18446744074`), 422, "/ttl_seconds", problem.BadValue},
		"window wraps around":  {with(`"vars":{"name":"a"},"dedup_seconds":18446744074`), 422, "/dedup_seconds", problem.BadValue},
		"negative version":     {with(`"vars":{"name":"a"},"version":-1`), 422, "/version", problem.BadValue},
		"huge number":          {`{"to":"+8613800138000","template":"bill","vars":{"amount":1e999}}`, 400, "/vars/amount", problem.BadValue},
		"quoted number":        {`{"to":"+8613800138000","template":"bill","vars":{"amount":"1"}}`, 422, "/vars/amount", problem.BadType},
		"NaN":                  {`{"to":"+8613800138000","template":"bill","vars":{"amount":NaN}}`, 400, "", problem.BadJSON},
		"no zone":              {when(`"2026-07-01T12:00:00"`), 400, "/send_at", problem.BadType},
		"date only":            {when(`"2026-07-02"`), 400, "/send_at", problem.BadType},
		"zone by name":         {when(`"2026-10-25T02:30:00+01:00[Europe/Berlin]"`), 400, "/send_at", problem.BadType},
		"DST gap, no zone":     {when(`"2027-03-28T02:30:00"`), 400, "/send_at", problem.BadType},
		"Unix time":            {when(`1782907200`), 400, "/send_at", problem.BadType},
		"leap second":          {when(`"2026-12-31T23:59:60Z"`), 400, "/send_at", problem.BadType},
		"hour 24":              {when(`"2026-12-31T24:00:00Z"`), 400, "/send_at", problem.BadType},
		"past":                 {when(`"2026-07-01T11:00:00Z"`), 422, "/send_at", problem.BadTime},
		"past by its zone":     {when(`"2026-07-01T20:00:00+14:00"`), 422, "/send_at", problem.BadTime},
		"year 0":               {when(`"0000-01-01T00:00:00Z"`), 422, "/send_at", problem.BadTime},
		"year 1":               {when(`"0001-01-01T00:00:00Z"`), 422, "/send_at", problem.BadTime},
		"year 1, end":          {with(`"vars":{"name":"a"},"expires_at":"0001-01-01T00:00:00Z"`), 422, "/expires_at", problem.BadTime},
		"year 2400":            {when(`"2400-01-01T00:00:00Z"`), 422, "/send_at", problem.BadTime},
		"year 9999":            {when(`"9999-12-31T23:59:59Z"`), 422, "/send_at", problem.BadTime},
		"year 9999, end":       {with(`"vars":{"name":"a"},"expires_at":"9999-12-31T23:59:59Z"`), 422, "/expires_at", problem.BadTime},
		"366 days":             {when(`"2027-07-02T12:00:00Z"`), 422, "/send_at", problem.BadTime},
		"braces in a variable": {vars(`"{{name}}"`), 202, "", ""}, // shown as they are
		"content, not JSON":    {`{"to":"https://example.com/","content":{"data":{]}}`, 400, "", problem.BadJSON},
	} {
		before := s.DB.Stats().Commits
		a := s.post("/v1/messages", s.shop, c.body)
		if a.status != c.status || c.code != "" && !a.has(c.pointer, c.code) && !(c.pointer == "" && a.status == 400 && a.Code == problem.BadJSON) {
			t.Errorf("%s: %d %.300s", name, a.status, a.body)
		}
		if n := s.DB.Stats().Commits - before; c.status >= 400 && n != 0 {
			t.Errorf("%s: %d commits", name, n)
		}
	}
	for name, h := range map[string]header{
		"form": {"Content-Type": "application/x-www-form-urlencoded"}, "latin": {"Content-Type": "application/json; charset=latin1"}, "gzip": {"Content-Encoding": "gzip"},
	} {
		if a := s.post("/v1/messages", s.shop, good, h); a.status != 415 {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	for _, key := range []string{"", "nfy_live_x", s.shop[:len(s.shop)-1], strings.Replace(s.shop, "nfy_live", "nfy_test", 1), s.shop + "0"} {
		if a := s.post("/v1/messages", key, good); a.status != 401 {
			t.Errorf("a wrong key: %d", a.status)
		}
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
