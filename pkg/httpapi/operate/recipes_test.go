package operate_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/store"
)

// flare is a recipe with a channel of its own.
const flare = `name: flare
title: {zh: 信号弹, en: Flare}
docs: https://flare.example/docs
channels: [flare]
channel: {name: flare, title: {zh: 信号弹, en: Flare}, address: "[0-9]{2}-[0-9]{4}", example: "07-1234", content: text}
fields:
  - {name: key, label: {zh: 密钥, en: Key}, type: string, required: true, secret: true}
codes:
  gone: {zh: 无此人, en: There is nobody of that number}
---
request:
  url: https://flare.example/fire
  sign: {scheme: bearer, token: "${secret.key}"}
  json: {to: "${to}", text: "${content.text}"}
answer:
  code: json.error
  table:
    - {when: status == 200 && json.id != nil, outcome: sent}
    - {codes: [gone], outcome: permanent}
`

// upload is the body of an upload.
func upload(text string, version int) string {
	b, _ := json.Marshal(map[string]any{"recipe": text, "version": version, "reason": "a test"})
	return string(b)
}

type refusal struct {
	Code, Detail string
	Errors       []struct{ Pointer, Code, Detail string }
}

func (r refusal) String() string {
	out := r.Code
	for _, e := range r.Errors {
		out += fmt.Sprintf(" [%s %s %s]", e.Pointer, e.Code, e.Detail)
	}
	if len(r.Errors) == 0 {
		out += " " + r.Detail
	}
	return out
}

func read(t *testing.T, w *httptest.ResponseRecorder) (r refusal) {
	t.Helper()
	ok(t, json.Unmarshal(w.Body.Bytes(), &r))
	return r
}

// TestRecipeLife: an uploaded recipe is a provider and a channel like those that are shipped, from the answer on.
func TestRecipeLife(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var kept struct {
		Name, Recipe, Author, Reason string
		Version                      int
	}
	if w := b.do("admin", "PUT", "/v1/recipes/flare", upload(flare, 0)); w.Code != 201 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	b.must(t, "operate", "GET", "/v1/recipes/flare", "", &kept)
	if kept.Name != "flare" || kept.Recipe != flare || kept.Version != 1 || kept.Reason != "a test" || !strings.HasPrefix(kept.Author, "key:") {
		t.Errorf("%+v", kept)
	}
	var d provider.Descriptor
	b.must(t, "operate", "GET", "/v1/providers/flare", "", &d)
	if d.Uploaded != 1 || d.Own == nil || d.Own.Example != "07-1234" || d.Codes["gone"].Zh != "无此人" {
		t.Errorf("%+v", d)
	}
	var all struct{ Items []provider.Descriptor }
	b.must(t, "operate", "GET", "/v1/providers", "", &all)
	if n := len(all.Items); n == 0 || all.Items[n-1].Name == "" {
		t.Errorf("%d providers", n)
	}
	b.must(t, "admin", "PUT", "/v1/accounts/flare-1", `{"provider":"flare","secrets":{"key":"CANARY"}}`, nil)
	b.must(t, "operate", "PUT", "/v1/routes/r", `{"strategy":"one","steps":[{"channel":"flare"}]}`, nil)
	b.must(t, "operate", "PUT", "/v1/templates/shop/alert", `{"class":"transactional","variables":[{"name":"x"}],"variants":[{"channel":"flare","locale":"en","text":"*{{x}}*"}]}`, nil)
	var preview struct{ Content struct{ Text string } }
	b.must(t, "operate", "POST", "/v1/templates/preview", `{"tenant":"shop","name":"alert","vars":{"x":"<@all>"}}`, &preview)
	if preview.Content.Text != "*<@all>*" {
		t.Errorf("escaped as a chat: %q", preview.Content.Text)
	}
	b.must(t, "operate", "POST", "/v1/suppressions", `{"address":"07-4711","channel":"flare"}`, nil)
	if r := read(t, b.do("operate", "POST", "/v1/suppressions", `{"address":"7","channel":"flare"}`)); len(r.Errors) != 1 || !strings.Contains(r.Errors[0].Detail, "such as 07-1234") {
		t.Errorf("%s", r)
	}
	// A change, its conflict, and its history.
	next := strings.Replace(flare, "en: There is nobody", "en: Nobody there", 1)
	b.must(t, "admin", "PUT", "/v1/recipes/flare", upload(next, 1), nil)
	b.must(t, "operate", "GET", "/v1/providers/flare", "", &d)
	if d.Uploaded != 2 || !strings.HasPrefix(d.Codes["gone"].En, "Nobody there") {
		t.Errorf("the change is not in force: %+v", d.Codes)
	}
	if r := read(t, b.do("admin", "PUT", "/v1/recipes/flare", upload(next, 1))); r.Code != "conflict" {
		t.Errorf("%s", r)
	}
	b.must(t, "operate", "GET", "/v1/recipes/flare?version=1", "", &kept)
	if kept.Recipe != flare {
		t.Error("the version before is another one")
	}
	var versions struct{ Items []struct{ Version int } }
	b.must(t, "operate", "GET", "/v1/recipes/flare/history", "", &versions)
	if len(versions.Items) != 2 || versions.Items[0].Version != 2 {
		t.Errorf("%+v", versions)
	}
	// It goes when nobody uses it.
	if r := read(t, b.do("admin", "DELETE", "/v1/recipes/flare?version=2", "")); r.Code != "not_allowed_now" || !strings.Contains(r.Detail, "used by the accounts flare-1") {
		t.Errorf("%s", r)
	}
	b.must(t, "admin", "DELETE", "/v1/accounts/flare-1?version=1", "", nil)
	b.must(t, "admin", "DELETE", "/v1/recipes/flare?version=2&reason=over", "", nil)
	for path, want := range map[string]int{"/v1/recipes/flare": 404, "/v1/providers/flare": 404, "/v1/recipes/flare?version=9": 404, "/v1/recipes/flare?version=1": 200} {
		if w := b.do("operate", "GET", path, ""); w.Code != want {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if r := read(t, b.do("operate", "PUT", "/v1/templates/shop/other", `{"class":"transactional","variants":[{"channel":"flare","locale":"en","text":"x"}]}`)); r.Errors[0].Pointer != "/variants/0/channel" || r.Errors[0].Code != "unknown_channel" {
		t.Errorf("%s", r)
	}
	if strings.Contains(b.log.String(), "CANARY") {
		t.Error("the log has a secret")
	}
}

// TestRecipeFaults: what is wrong with an upload, each with its line.
func TestRecipeFaults(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.must(t, "admin", "PUT", "/v1/recipes/flare", upload(flare, 0), nil)
	other := strings.NewReplacer("name: flare", "name: light", "channels: [flare]", "channels: [light]", "{name: flare", "{name: light").Replace(flare)
	for name, c := range map[string]struct{ path, text, want string }{
		"nothing":         {"light", "", `invalid_request [/recipe required recipe is required`},
		"too large":       {"light", strings.Repeat("#", 65<<10), `[/recipe bad_value the recipe has 66560 bytes; at most 65536`},
		"a line":          {"light", strings.Replace(other, "outcome: permanent", "outcome: perm", 1), `[line:19 bad_value answer.table[1]: outcome "perm" is none of`},
		"two lines":       {"light", strings.NewReplacer("zh: 信号弹, en: Flare}\ndocs", "en: Flare}\ndocs", "[light]\n", "[light, light]\n").Replace(other), `[line:2 bad_value title needs zh and en] [line:4 bad_value channel "light" is listed twice]`},
		"another name":    {"lights", other, `[line:1 bad_value the recipe is named "light", and uploaded as "lights"`},
		"no name":         {"Light", other, `[path:name bad_value a name has 1 to 32`},
		"a shipped name":  {"webhook", strings.Replace(other, "name: light", "name: webhook", 1), `[path:name bad_value webhook is a provider that comes with notify`},
		"others' channel": {"light", strings.NewReplacer("channels: [light]", "channels: [flare]", "{name: light", "{name: flare").Replace(other), `[line:5 bad_value channel flare is declared by recipe flare already]`},
		"http":            {"light", strings.Replace(other, "https://flare.example/fire", "http://flare.example/fire", 1), `[line:12 bad_value request.url: must begin with https`},
		"no expression":   {"light", strings.Replace(other, `"${to}"`, `"${env.HOME}"`, 1), `[line:14 bad_value request.json.to: expression, column 1: unknown name env`},
	} {
		w := b.do("admin", "PUT", "/v1/recipes/"+c.path, upload(c.text, 0))
		if got := read(t, w).String(); w.Code != http.StatusUnprocessableEntity || !strings.Contains(got, c.want) {
			t.Errorf("%s: %d %s\nwant %s", name, w.Code, got, c.want)
		}
	}
	// What accounts have must go on fitting.
	b.must(t, "admin", "PUT", "/v1/accounts/flare-1", `{"provider":"flare","secrets":{"key":"k"}}`, nil)
	for name, c := range map[string]struct{ old, new, want string }{
		"a new required field": {"fields:\n", "fields:\n  - {name: pin, label: {zh: 口令, en: PIN}, type: string, required: true}\n", `account flare-1 would not fit this version: /config/pin:`},
		"a field less":         {"  - {name: key, label: {zh: 密钥, en: Key}, type: string, required: true, secret: true}\n", "  - {name: kee, label: {zh: 密钥, en: Key}, type: string, secret: true}\n", `account flare-1 would not fit this version: /secrets:`},
		"another channel":      {"channels: [flare]\nchannel: {name: flare", "channels: [light]\nchannel: {name: light", `account flare-1 would not fit this version: /channel:`},
		"another content":      {"content: text", "content: chat", `channel flare holds text, and accounts are on it`},
	} {
		text := strings.ReplaceAll(strings.Replace(flare, c.old, c.new, 1), "secret.key}", map[bool]string{true: "secret.kee}", false: "secret.key}"}[strings.Contains(c.new, "kee")])
		w := b.do("admin", "PUT", "/v1/recipes/flare", upload(text, 1))
		if got := read(t, w).String(); w.Code != http.StatusConflict || !strings.Contains(got, c.want) {
			t.Errorf("%s: %d %s\nwant %s", name, w.Code, got, c.want)
		}
	}
	for i := range 99 {
		b.seed(t, store.Recipes, fmt.Sprintf("r%d", i), "", config.Recipe{Name: fmt.Sprintf("r%d", i), Text: "x"})
	}
	if r := read(t, b.do("admin", "PUT", "/v1/recipes/light", upload(other, 0))); r.Code != "not_allowed_now" || !strings.Contains(r.Detail, "at most 100") {
		t.Errorf("%s", r)
	}
}

// TestRecipeElsewhere: another process knows of it within 30 seconds.
func TestRecipeElsewhere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	elsewhere := catalog.Open().With(config.New(b.Store, b.now, b.Log))
	knows := func() bool {
		ch, known, err := elsewhere.Channel(t.Context(), "flare")
		ok(t, err)
		return known && ch.Content == message.PlainText
	}
	if knows() {
		t.Fatal("known before")
	}
	b.must(t, "admin", "PUT", "/v1/recipes/flare", upload(flare, 0), nil)
	b.sleep(config.MaxAge - 2*time.Second)
	if knows() {
		t.Error("the snapshot was read anew too early: every request would")
	}
	if b.sleep(2 * time.Second); !knows() {
		t.Error("not known after 30 s")
	}
}
