package recipe_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider/recipe"
)

// acme is a recipe that uses everything, with a channel of its own.
const acme = `name: acme
title: {zh: 甲, en: Acme pager}
docs: https://acme.example/docs
channels: [acme-pager]
channel: {name: acme-pager, title: {zh: 呼机, en: Pager}, address: "[0-9]{4,8}", example: "12345", content: text}
receipts: true
replies: true
fields:
  - {name: host, label: {zh: 主机, en: Host}, type: string, required: true}
  - {name: key, label: {zh: 密钥, en: Key}, type: string, required: true, secret: true}
binding:
  - {name: params, label: {zh: 参数, en: Parameters}, type: variables}
limits: {payload: 2000, source: "https://acme.example/limits"}
codes:
  busy: {zh: 忙, en: The pager is busy}
  quiet: {zh: 静默, en: Quiet hours}
  gone: {zh: 无此机, en: There is no such pager}
  stale: {zh: 过期, en: Our token is stale}
---
before:
  - {when: content.text == "quiet", outcome: defer, code: quiet, wait: 60 - now % 60}
token:
  request:
    url: http://${config.host}/token
    form: {key: "${secret.key}"}
  answer:
    code: json.error
    table:
      - {when: status == 200, outcome: sent}
      - {codes: [gone], outcome: account}
  token: json.token
  life: json.life
request:
  url: http://${config.host}/pagers/${to}/${template}
  query: {q: "${locale}", none: "${nil}"}
  headers: {X-Title: "${content.title}"}
  sign: {scheme: hmac-sha256, key: "${secret.key}", header: X-Sig}
  json:
    token: ${token}
    text: ${content.text}
    mixed: "<${content.text}>"
    left_out: ${opt(content.subject)}
    n: ${vars.n}
    list: {$each: "values(vars, binding.params)", $as: {v: "${item}"}}
    also: {$if: vars.n > 1, yes: true}
    plain: [1, 2.5, true, null, "x"]
answer:
  code: json.code
  text: json.text
  id: json.id
  wait: json.wait
  table:
    - {when: status == 200 && json.id != nil, outcome: sent}
    - {codes: [busy], outcome: throttled}
    - {codes: [gone], outcome: permanent}
    - {codes: [stale], outcome: refresh}
check:
  request: {method: GET, url: "http://${config.host}/check", headers: {X-Token: "${token}"}}
  answer: {code: json.code, table: [{when: status == 204, outcome: sent}]}
callback:
  verify: {scheme: hmac-sha256, key: "${secret.key}", header: X-Sig}
  parse: json
  text: thanks
receipts:
  each: events[].parts[]
  when: event.kind != "noise"
  ref: event.ref
  id: event.id
  part: event.part
  state: event.state
  states: {ok: delivered, no: undelivered}
  at: time(event.at, "2006-01-02 15:04", 8)
  code: event.code
  text: event.text
replies:
  each: replies[]
  from: event.from
  text: event.text
  at: event.at
`

func parse(t testing.TB, text string) *recipe.Recipe {
	t.Helper()
	r, err := recipe.Parse("acme/recipe.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestParse(t *testing.T) {
	t.Parallel()
	d := parse(t, acme).Descriptor
	if d.Name != "acme" || d.Own == nil || d.Own.Content != message.PlainText || !d.Has("acme-pager") {
		t.Errorf("%+v", d)
	}
}

// TestFaults: a bad recipe is refused with file, line and reason.
func TestFaults(t *testing.T) {
	t.Parallel()
	part := acme[strings.Index(acme, "receipts: true"):strings.Index(acme, "  state: event.state")]
	for name, c := range map[string]struct{ old, new, want string }{
		"descriptor":            {"receipts: true", "recepits: true", `^acme/recipe.yaml:6: field recepits not found`},
		"one document":          {"---\nbefore", "#\nbefore", `mapping key "receipts" already defined`},
		"no second document":    {acme[strings.Index(acme, "---"):], "---\n", `second one is missing|nothing would ever count|is missing`},
		"unknown key":           {"answer:\n  code: json.code\n  text", "answer:\n  kode: json.code\n  text", `recipe.yaml:\d+: field kode not found`},
		"outcome":               {"outcome: throttled", "outcome: throttle", `:54: answer.table\[1\]: outcome "throttle" is none of sent`},
		"expression":            {"id: json.id\n  wait", "id: json.id +\n  wait", `:50: answer.id: expression, column \d+: `},
		"unknown name":          {"text: ${content.text}\n    mixed", "text: ${contents.text}\n    mixed", `:40: request.json.text: expression, column 1: unknown name contents`},
		"unknown field":         {"key: \"${secret.key}\", header: X-Sig}\n  json", "key: \"${secret.kee}\", header: X-Sig}\n  json", `:37: request.sign.key: .*kee`},
		"a secret as config":    {"header: X-Sig}\n  json", "header: \"${config.key}\"}\n  json", `request.sign.header: .*key`},
		"binding undeclared":    {"values(vars, binding.params)", "values(vars, binding.parms)", `:44: request.json.list.\$each: .*parms`},
		"config in a function":  {"left_out: ${opt(content.subject)}", "left_out: ${opt(config.hots)}", `request.json.left_out: .*unknown field.*hots`},
		"approval unsaid":       {"check:\n", "approval:\n  request: {url: \"https://acme.example/\"}\n  state: json.s\ncheck:\n", `approval: the descriptor says approvals: false`},
		"approval missing":      {"receipts: true", "receipts: true\napprovals: true", `approval: the descriptor says approvals: true`},
		"token before it is":    {"form: {key: \"${secret.key}\"}", "form: {key: \"${token}\"}", `token.request.form.key: .*unknown name token`},
		"message in a token":    {"form: {key: \"${secret.key}\"}", "form: {key: \"${to}\"}", `unknown name to`},
		"no end":                {"<${content.text}>", "<${content.text", `request.json.mixed: a \$\{ has no \}`},
		"loop":                  {"id: json.id\n  wait", "id: map(json.ids, #)\n  wait", `answer.id: `},
		"variable":              {"id: json.id\n  wait", "id: let x = 1; x + x\n  wait", `loops, variables`},
		"range":                 {"n: ${vars.n}", "n: ${1..1000000}", `operator \.\. is not allowed`},
		"power":                 {"n: ${vars.n}", "n: ${9**9}", `operator \*\* is not allowed`},
		"function":              {"n: ${vars.n}", "n: ${fromBase64(to)}", `unknown name fromBase64`},
		"too many nodes":        {"n: ${vars.n}", "n: ${now" + strings.Repeat("+1", 100) + "}", `exceeds maximum allowed nodes`},
		"too long":              {"n: ${vars.n}", "n: ${'" + strings.Repeat("x", 1000) + "'}", `longer than 1000`},
		"twice in a tree":       {"    n: ${vars.n}", "    token: x\n    n: ${vars.n}", `"token" stands twice|already defined`},
		"alias":                 {"    plain: [1, 2.5, true, null, \"x\"]", "    a: &a [1]\n    plain: *a", `no aliases`},
		"loop in a loop":        {"$as: {v: \"${item}\"}", "$as: {$each: item, $as: x}", `a loop in a loop`},
		"half a loop":           {", $as: {v: \"${item}\"}", "", `go together`},
		"item outside":          {"n: ${vars.n}", "n: ${item}", `unknown name item`},
		"plain http":            {"url: http://${config.host}/pagers/${to}/${template}", "url: http://acme.example/x", `must begin with https`},
		"no scheme":             {"url: http://${config.host}/pagers/${to}/${template}", "url: ${config.host}/x", `must begin with https`},
		"query in the URL":      {"url: http://${config.host}/pagers/${to}/${template}", "url: https://acme.example/x?y=${to}", `parameters stand in query`},
		"user in the URL":       {"url: http://${config.host}/pagers/${to}/${template}", "url: https://u@${config.host}/", `begin with https`},
		"method":                {"method: GET", "method: FETCH", `check.request.method: must be GET`},
		"header":                {"X-Title:", "Host:", `"Host" is no header that a recipe may set`},
		"two bodies":            {"  json:\n    token", "  form: {a: b}\n  json:\n    token", `has json and form`},
		"sign scheme":           {"scheme: hmac-sha256, key: \"${secret.key}\", header: X-Sig}\n  json", "scheme: md5}\n  json", `request.sign: scheme must be one of \[bearer`},
		"sign parameter":        {", header: X-Sig}\n  json", "}\n  json", `needs the parameter "header"`},
		"foreign parameter":     {"header: X-Sig}\n  json", "header: X-Sig, salt: x}\n  json", `no parameter "salt"`},
		"verify scheme":         {"verify: {scheme: hmac-sha256,", "verify: {scheme: trust,", `callback.verify: scheme must be one of \[none`},
		"parse":                 {"parse: json", "parse: csv", `callback.parse: must be`},
		"state":                 {"ok: delivered", "ok: delievered", `receipts.states: "delievered" is none of`},
		"path":                  {"each: events[].parts[]", "each: events[0].parts", `is no path`},
		"no state":              {"  state: event.state\n", "", `needs state`},
		"no ref, no flag":       {"  ref: event.ref\n", "", `receipts_by_id: false; it must be true`},
		"a flag, no id":         {part, "receipts_by_id: true\n" + strings.Replace(part, "  id: event.id\n", "", 1), `receipts_by_id: true; it must be true`},
		"receipts unsaid":       {"receipts: true", "receipts: false", `the descriptor says receipts: false`},
		"code without words":    {"  busy: {zh: 忙, en: The pager is busy}\n", "", `the code "busy" has no sentence`},
		"a receipt's, no words": {"  states: {ok:", "  codes: [lost]\n  states: {ok:", `the code "lost" has no sentence`},
		"words without code":    {"    - {codes: [busy], outcome: throttled}\n", "", `the code "busy" is in no table`},
		"row without condition": {"{codes: [busy], outcome: throttled}", "{outcome: throttled}", `has neither codes nor when`},
		"before without code":   {"outcome: defer, code: quiet,", "outcome: defer,", `before\[0\]: needs when, a code`},
		"no life":               {"  life: json.life\n", "", `token.life: is missing`},
		"no token":              {"  token: json.token\n", "", `token.token: is missing`},
		"three documents":       {"replies:\n", "---\nreplies:\n", `more than two documents`},
		"channel in the table":  {"channel: {name: acme-pager,", "channel: {name: sms,", `the table of channels has it already`},
		"channel's example":     {`example: "12345"`, `example: "x"`, `the example does not match`},
		"channel undeclared":    {"channels: [acme-pager]", "channels: [acme-fax]", `channel "acme-fax" is not`},
	} {
		text := strings.Replace(acme, c.old, c.new, 1)
		if text == acme {
			t.Errorf("%s: nothing to replace", name)
			continue
		}
		_, err := recipe.Parse("acme/recipe.yaml", []byte(text))
		if err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) {
			t.Errorf("%s: %v\nwant %s", name, err, c.want)
			continue
		}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			if !strings.HasPrefix(line, "acme/recipe.yaml:") {
				t.Errorf("%s: without the file: %s", name, line)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(acme))
	shipped, err := os.ReadFile("../../../recipes/feishu-app/recipe.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(shipped)
	f.Add([]byte("a: &a [*a]\n---\nrequest: {json: &b {x: *b}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := recipe.Parse("x", data); err == nil && r.Descriptor.Name == "" {
			t.Error("taken without a name")
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		parse(b, acme)
	}
}
