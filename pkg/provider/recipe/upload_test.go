package recipe_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/providertest"
	"github.com/opennotify/notify/pkg/provider/recipe"
)

// beeper is a recipe that could be uploaded.
const beeper = `name: pager
title: {zh: 呼机, en: Pager}
docs: https://pager.example/docs
channels: [pager]
channel: {name: pager, title: {zh: 呼机, en: Pager}, address: "[0-9]{4}", example: "1234", content: text}
fields:
  - {name: server, label: {zh: 服务器, en: Server}, type: url, required: true}
  - {name: key, label: {zh: 密钥, en: Key}, type: string, required: true, secret: true}
codes:
  gone: {zh: 无此机, en: There is no such pager}
---
request:
  url: ${config.server}/pages/${to}
  json: {text: "${content.text}"}
answer:
  code: json.error
  table:
    - {when: status == 200 && json.id != nil, outcome: sent}
    - {codes: [gone], outcome: permanent}
`

// TestUpload: what was not reviewed is held to more.
func TestUpload(t *testing.T) {
	t.Parallel()
	if _, err := recipe.Upload("pager", []byte(beeper)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, new, want string }{
		"too long":                  {"---\n", "#" + strings.Repeat("x", recipe.MaxUpload) + "\n---\n", `^pager: the recipe has \d+ bytes; at most 65536`},
		"no text":                   {"Pager", "\xff", `^pager: the recipe is not valid UTF-8`},
		"too many values":           {"{text: \"${content.text}\"}", "[" + strings.Repeat("1,", 4000) + "]", `^pager:14: the recipe has more than 4000 values`},
		"too deep":                  {"{text: \"${content.text}\"}", strings.Repeat("[", 70) + strings.Repeat("]", 70), `^pager:14: more than 64 levels`},
		"alias":                     {"{text: \"${content.text}\"}", "{a: &a x, b: *a}", `^pager:14: no anchors`},
		"no YAML":                   {"answer:", "answer: {", `^pager:\d+: did not find`},
		"what Parse finds":          {"outcome: permanent", "outcome: perm", `^pager:19: answer.table\[1\]: outcome "perm" is none of`},
		"http":                      {"url: ${config.server}/pages", "url: http://${config.key}.pager.example/pages", `pager:13: request.url: must begin with https`},
		"a host that is no field":   {"url: ${config.server}/pages", "url: ${to}/pages", `pager:13: request.url: must begin with https:// or with a field of type url`},
		"a host that is a secret":   {"url: ${config.server}/pages", "url: ${secret.key}/pages", `pager:13: request.url: must begin`},
		"no path after the field":   {"url: ${config.server}/pages", "url: ${config.server}.evil.example/pages", `pager:13: request.url: after the field comes a path`},
		"a query after the field":   {"url: ${config.server}/pages", "url: ${config.server}/pages?a=", `pager:13: request.url: after the field comes a path`},
		"nothing is sent":           {"outcome: sent", "outcome: retry", `pager:17: answer.table: no row says sent`},
		"a page means refused":      {"when: status == 200 && json.id != nil, outcome: sent}", "when: json.id != nil, outcome: sent}\n    - {when: status == 200, code: gone, outcome: permanent}", `pager:17: answer.table: status 200 with "<html>ok</html>" would mean permanent`},
		"a broken server is final":  {"codes: [gone]", "when: status >= 500, code: gone", `pager:17: answer.table: status 503 .* would mean permanent; server error is not final`},
		"a redirect means sent":     {"status == 200 && json.id != nil", "status < 400", `pager:17: answer.table: status 307 .* would mean sent`},
		"a code without a sentence": {"codes: [gone]", "codes: [gone, lost]", `pager:19: codes: the code "lost" has no sentence`},
	} {
		text := strings.Replace(beeper, c.old, c.new, 1)
		if text == beeper {
			t.Errorf("%s: nothing to replace", name)
			continue
		}
		if _, err := recipe.Upload("pager", []byte(text)); err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) {
			t.Errorf("%s: %v\nwant %s", name, err, c.want)
		}
	}
}

// TestServerField: a field of type url says where to ask: scheme, host and the beginning of the path, no more.
func TestServerField(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		fmt.Fprint(w, `{"id": 1}`)
	}))
	t.Cleanup(server.Close)
	r, err := recipe.Upload("pager", []byte(beeper))
	if err != nil {
		t.Fatal(err)
	}
	e, _ := providertest.Env(t)
	for path, want := range map[string]string{"": "/pages/1234", "/": "/pages/1234", "/a/b/": "/a/b/pages/1234", "/a?b=c": "", "/a#b": "", "/../a": ""} {
		s, err := r.Open(provider.Account{Name: "p", Channel: "pager", Config: map[string]string{"server": server.URL + path}, Secrets: map[string]message.Secret{"key": "k"}}, e)
		if err != nil {
			t.Fatal(err)
		}
		got := s.Send(t.Context(), provider.Call{To: "1234"})
		if want == "" {
			if got.Outcome != message.Permanent || got.Code != recipe.CodeUnfit {
				t.Errorf("%q: %+v", path, got)
			}
			continue
		}
		if at := <-asked; got.Outcome != message.Accepted || at != want {
			t.Errorf("%q: asked %s: %+v", path, at, got)
		}
	}
	for _, url := range []string{"", "ftp://a.example", "https://", "https://u@a.example", "//a.example", "https://a.example:99999999"} {
		s, err := r.Open(provider.Account{Name: "p", Channel: "pager", Config: map[string]string{"server": url}, Secrets: map[string]message.Secret{"key": "k"}}, e)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Send(t.Context(), provider.Call{To: "1234"}); got.Outcome != message.Permanent || got.Code != recipe.CodeUnfit {
			t.Errorf("%q: %+v", url, got)
		}
	}
}

func FuzzUpload(f *testing.F) {
	f.Add([]byte(beeper))
	f.Add([]byte(acme))
	f.Add([]byte("a: &a [*a]\n---\n- {<<: *a}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := recipe.Upload("x", data); err == nil && r.Descriptor.Name == "" {
			t.Error("taken without a name")
		}
	})
}
