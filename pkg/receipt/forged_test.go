package receipt_test

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/receipts"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/recipe"
	"github.com/opennotify/notify/pkg/provider/sign"
)

// signing is a recipe whose vendor signs what it says, and when.
const signing = `name: acme
title: {zh: 某短信, en: Acme}
docs: https://acme.example/docs
channels: [sms]
receipts: true
fields: [{name: key, label: {zh: 密钥, en: Key}, type: string, required: true, secret: true}]
codes: {"1": {zh: 坏, en: Bad}}
---
request: {url: "https://acme.example/sms", json: {to: "${to}"}}
answer: {id: json.id, code: json.code, table: [{when: status == 200, outcome: sent}, {codes: ["1"], outcome: permanent}]}
callback: {verify: {scheme: standard-webhooks, key: "${secret.key}"}, parse: json, text: taken}
receipts: {ref: event.ref, state: event.state, states: {done: delivered}}
`

// acme is a world where accounts a and b are the vendor's, c a provider's that says nothing later; and its API.
func acme(t *testing.T) (w *world, api http.Handler, key string) {
	w = newWorld(t)
	r, err := recipe.Parse("acme", []byte(signing))
	if err != nil {
		t.Fatal(err)
	}
	key = "whsec_" + base64.StdEncoding.EncodeToString([]byte("canary-of-the-signing-key"))
	if w.sender, err = r.Open(provider.Account{Name: "a", Provider: "acme", Channel: message.SMS, Secrets: map[string]message.Secret{"key": message.Secret(key)}},
		provider.Env{Now: func() time.Time { return start.Std() }, Nonce: func() string { return "" }}); err != nil {
		t.Fatal(err)
	}
	w.accounts["a"], w.accounts["b"] = r.Descriptor, r.Descriptor
	return w, httpapi.New(httpapi.Config{Now: time.Now, NewRequestID: func() string { return "req" }, Log: slog.New(slog.DiscardHandler)}, receipts.Endpoints(w.receipts)...), key
}

// post is a callback to an account's address, signed with a key at a time.
type post struct {
	account, secret, key string
	at                   message.Time
	body, signs          string // signs is what was signed, where it is not the body
	spoil                func(http.Header)
}

func (p post) to(t *testing.T, api http.Handler) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/receipts/"+url.PathEscape(p.account)+"/"+url.PathEscape(p.secret), strings.NewReader(p.body))
	scheme, _ := sign.Lookup("standard-webhooks")
	if err := scheme.Apply(sign.Params{"key": p.key, "id": "evt_1"}, sign.Moment{Now: p.at.Std()}, r, []byte(cmp.Or(p.signs, p.body))); err != nil {
		t.Fatal(err)
	}
	if p.spoil != nil {
		p.spoil(r.Header)
	}
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)
	return w
}

// What is forged, replayed, or of an account that is not there or takes nothing is answered in the same words,
// leaves nothing in the queue, and is counted. What is genuine, of a message that nobody knows too, is taken.
func TestForgeriesLookAlike(t *testing.T) {
	t.Parallel()
	w, api, key := acme(t)
	sent := w.finish(w.send("a"), message.Accepted, "p")
	good := post{account: "a", secret: w.CallbackSecret("a"), key: key, at: start, body: fmt.Sprintf(`{"ref":"%s.1","state":"done"}`, sent.ID)}
	unknown := good
	unknown.body = strings.Replace(good.body, string(sent.ID), string(message.NewID(sent.ID.Partition(), message.ULIDFloor(0))), 1)
	for _, p := range []post{good, good, unknown} { // a repetition is harmless
		if got := p.to(t, api); got.Code != http.StatusOK || got.Body.String() != "taken" || got.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Fatalf("genuine: %d %s %s", got.Code, got.Header(), got.Body)
		}
	}
	if len(w.hints) != 3 {
		t.Fatalf("%d in the queue", len(w.hints))
	}
	var first *httptest.ResponseRecorder
	for name, change := range map[string]func(*post){
		"another secret":          func(p *post) { p.secret = w.CallbackSecret("b") },
		"no such account":         func(p *post) { p.account = "nobody" },
		"an account that is gone": func(p *post) { p.account, p.secret = "gone", w.CallbackSecret("gone") },
		"another key": func(p *post) {
			p.key = "whsec_" + base64.StdEncoding.EncodeToString([]byte("another-key-of-24-bytes!"))
		},
		"no signature":    func(p *post) { p.spoil = func(h http.Header) { h.Del("Webhook-Signature") } },
		"another event":   func(p *post) { p.spoil = func(h http.Header) { h.Set("Webhook-Id", "evt_2") } },
		"another body":    func(p *post) { p.body, p.signs = p.body+" ", p.body },
		"replayed":        func(p *post) { p.at = start.Add(-time.Hour) },
		"from the future": func(p *post) { p.at = start.Add(time.Hour) },
		"not of the form": func(p *post) { p.body = "state=done" },
	} {
		p := good
		change(&p)
		got := p.to(t, api)
		if first == nil {
			first = got
		}
		if diff := gocmp.Diff([]any{first.Code, first.Header(), first.Body.String()}, []any{got.Code, got.Header(), got.Body.String()}); got.Code != http.StatusNotFound || diff != "" {
			t.Errorf("%s: %d differs:\n%s", name, got.Code, diff)
		}
	}
	if len(w.hints) != 3 || w.counts["receipt_forged"] != 9 || w.counts["receipt_unknown"] != 1 {
		t.Errorf("%d in the queue, %v", len(w.hints), w.counts)
	}
	if text := w.logs.String(); strings.Contains(text, "canary") || strings.Contains(text, good.secret) {
		t.Error(text)
	}
	w.sender = silent{}
	if got := good.to(t, api); got.Code != http.StatusNotFound || got.Body.String() != first.Body.String() || w.counts["receipt_unknown"] != 2 {
		t.Errorf("an account that takes no callbacks: %d %s", got.Code, got.Body)
	}
}

// An answer that echoes what was sent is no page, whatever it looks like.
func TestEcho(t *testing.T) {
	t.Parallel()
	w, api, key := acme(t)
	for body, kind := range map[string]string{"<script>alert(1)</script>": "text/plain; charset=utf-8", `{"challenge":"<b>"}`: "application/json", "": ""} {
		w.sender = answering{says: &provider.Callback{Body: []byte(body)}}
		got := post{account: "a", secret: w.CallbackSecret("a"), key: key, at: start, body: "x"}.to(t, api)
		if got.Code != http.StatusOK || got.Body.String() != body || got.Header().Get("Content-Type") != kind || got.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %s", body, got.Code, got.Header())
		}
	}
}

// silent is a provider that says nothing later.
type silent struct{ provider.Sender }

// Of 10,000 callbacks whose address, signature, time or body is not quite right, none comes through the door.
func TestMutatedCallbacks(t *testing.T) {
	t.Parallel()
	w, api, key := acme(t)
	sent := w.finish(w.send("a"), message.Accepted, "p")
	good := post{account: "a", secret: w.CallbackSecret("a"), key: key, at: start, body: fmt.Sprintf(`{"ref":"%s.1","state":"done"}`, sent.ID)}
	random := rand.New(rand.NewPCG(3, 4))
	letter := func(s string) string { // another letter or digit, somewhere
		i, c := random.IntN(len(s)), "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[random.IntN(62)]
		if s[i] == c {
			c = '_'
		}
		return s[:i] + string(c) + s[i+1:]
	}
	const mutants = 10_000
	for range mutants {
		p := good
		switch random.IntN(6) {
		case 0:
			p.secret = letter(p.secret)
		case 1:
			p.secret = []string{p.secret[1:], p.secret + "0", strings.ToUpper(p.secret), p.secret + p.secret, " " + p.secret}[random.IntN(5)]
		case 2:
			p.account = []string{"A", "b", "aa", "a ", "*"}[random.IntN(5)]
		case 3:
			p.spoil = func(h http.Header) {
				name := []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"}[random.IntN(3)]
				h.Set(name, letter(h.Get(name)))
			}
		case 4:
			p.at = start.Add(time.Duration(301+random.IntN(1e6)) * time.Second * time.Duration(1-2*random.IntN(2)))
		default:
			p.body, p.signs = letter(p.body), p.body
		}
		if got := p.to(t, api); got.Code != http.StatusNotFound || len(w.hints) > 0 {
			t.Fatalf("taken: %+v %d %s", p, got.Code, got.Body)
		}
	}
	if n := w.counts["receipt_forged"]; n != mutants {
		t.Errorf("%d counted", n)
	}
}

// A genuine callback over another account of the same vendor, with the same key, cannot touch a message: it is
// taken, and counted as unknown.
func TestAnotherAccountsReceipt(t *testing.T) {
	t.Parallel()
	w, api, key := acme(t)
	sent := w.finish(w.send("a"), message.Accepted, "p")
	for i, account := range []string{"b", "a"} {
		w.hints = nil
		p := post{account: account, secret: w.CallbackSecret(account), key: key, at: start, body: fmt.Sprintf(`{"ref":"%s.1","state":"done"}`, sent.ID)}
		if got := p.to(t, api); got.Code != http.StatusOK || len(w.hints) != 1 {
			t.Fatalf("%s: %d %s", account, got.Code, got.Body)
		}
		if again := w.receipts.Handle(t.Context(), w.hints); len(again) > 0 {
			t.Error(again)
		}
		if s := w.record(sent.ID).Status; s != []message.Status{message.Sent, message.Delivered}[i] {
			t.Errorf("after one over %s: %s", account, s)
		}
	}
	if w.counts["receipt_unknown"] != 1 {
		t.Error(w.counts)
	}
}
