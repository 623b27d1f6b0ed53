package catalog_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
)

const good = `name: acme
title: {zh: 甲, en: Acme}
docs: https://acme.example/docs
channels: [sms]
fields:
  - name: api_key
    label: {zh: 密钥, en: API key}
    type: string
    required: true
    secret: true
  - name: region
    label: {zh: 区域, en: Region}
    type: select
    options: [eu, cn]
    default: eu
limits: {per_second: 5, source: "https://acme.example/limits"}
dedup: false
receipts: true
`

func all(t *testing.T, c *catalog.Catalog) []provider.Descriptor {
	t.Helper()
	out, err := c.All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestBuiltIn: what we ship is in order, and every folder on the disk is in it.
func TestBuiltIn(t *testing.T) {
	t.Parallel()
	c, err := catalog.Load(provider.Descriptors())
	if err != nil {
		t.Fatal(err)
	}
	onDisk, err := catalog.Load(os.DirFS(".."))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all(t, onDisk), all(t, c)); diff != "" {
		t.Errorf("embedded and on disk differ:\n%s", diff)
	}
	for _, d := range all(t, c) {
		if got, ok := c.Shipped(d.Name); !ok || got.Title != d.Title {
			t.Errorf("%s is listed but not found", d.Name)
		}
	}
}

func TestGood(t *testing.T) {
	t.Parallel()
	c, err := catalog.Load(fstest.MapFS{"acme/provider.yaml": {Data: []byte(good)}}, fstest.MapFS{})
	if err != nil {
		t.Fatal(err)
	}
	d, ok := c.Shipped("acme")
	if !ok || !d.Has(message.SMS) || d.Limits.PerSecond != 5 || len(d.Fields) != 2 || !d.Receipts {
		t.Errorf("%+v", d)
	}
	if _, ok := c.Shipped("other"); ok {
		t.Error("found a provider that does not exist")
	}
	a := provider.Account{Channel: message.SMS, Secrets: map[string]message.Secret{"api_key": "k"}}
	if err := d.Check(&a); err != nil || a.Config["region"] != "eu" {
		t.Errorf("%v %v", err, a.Config)
	}
}

// TestRecipe: of a recipe only the descriptor is read, and only when it is asked for.
func TestRecipe(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{
		"acme/recipe.yaml": {Data: []byte(good + "---\nrequest: {url: [not, read]}\n")},
		"bad/recipe.yaml":  {Data: []byte("name: [\n")},
	}
	c := catalog.Open(fsys)
	if d, ok := c.Shipped("acme"); !ok || d.Name != "acme" {
		t.Errorf("%v %+v", ok, d)
	}
	if _, ok := c.Shipped("bad"); ok || len(all(t, c)) != 1 {
		t.Errorf("a bad one is listed: %v", all(t, c))
	}
	if _, err := catalog.Load(fsys); err == nil || !strings.Contains(err.Error(), "bad/recipe.yaml:") {
		t.Errorf("%v", err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown key":        {"dedup: false", "dedupe: false", `^catalog: acme/provider.yaml:17: field dedupe not found`},
		"unknown field key":  {"    required: true", "    requird: true", `^catalog: acme/provider.yaml:9: field requird not found`},
		"wrong type":         {"per_second: 5", "per_second: five", `acme/provider.yaml:16: cannot unmarshal`},
		"duplicate key":      {"dedup: false", "name: b", `acme/provider.yaml:17: mapping key "name" already defined at line 1`},
		"syntax":             {"channels: [sms]", "channels: [sms", `acme/provider.yaml:\d+: did not find`},
		"two documents":      {"dedup: false", "---\nname: b", `more than one document`},
		"other folder":       {"name: acme", "name: acne", `the name is "acne" but the folder is "acme"`},
		"name":               {"name: acme", "name: Acme", `acme/provider.yaml:1: name "Acme" must be lower-case`},
		"no Chinese":         {"{zh: 甲, en: Acme}", "{en: Acme}", `acme/provider.yaml:2: title needs zh and en`},
		"no English":         {"{zh: 甲, en: Acme}", "{zh: 甲}", `title needs zh and en`},
		"label":              {"{zh: 密钥, en: API key}", "{en: API key}", `field "api_key": label needs zh and en`},
		"help":               {"    required: true", "    help: {en: x}", `provider.yaml:9: field "api_key": help needs zh and en`},
		"docs":               {"https://acme.example/docs", "acme.example", `provider.yaml:3: docs must be`},
		"no channels":        {"[sms]", "[]", `provider.yaml:4: channels is empty`},
		"unknown channel":    {"[sms]", "[smoke]", `provider.yaml:4: channel "smoke" is not`},
		"channel twice":      {"[sms]", "[sms, sms]", `listed twice`},
		"field twice":        {"name: region", "name: api_key", `provider.yaml:11: field "api_key" is listed twice`},
		"field name":         {"name: region", "name: Region", `provider.yaml:11: field "Region": the name must`},
		"field type":         {"type: string", "type: secret", `provider.yaml:8: field "api_key": type must be one of`},
		"select":             {"    options: [eu, cn]\n", "", `options belong to a select`},
		"default":            {"default: eu", "default: us", `provider.yaml:15: field "region": the default does not pass`},
		"pattern":            {"    required: true", "    pattern: '('", `not a regular expression`},
		"default of secret":  {"    required: true", "    default: x", `a secret has no default`},
		"variables":          {"type: string", "type: variables", `field "api_key": an account knows no variables`},
		"binding's secret":   {"dedup: false", "binding: [{name: n, label: {zh: 甲, en: N}, type: string, secret: true}]", `field "n": a binding holds no secrets`},
		"binding's type":     {"dedup: false", "binding: [{name: n, label: {zh: 甲, en: N}, type: list}]", `field "n": type must be one of`},
		"allow_list":         {"dedup: false", "allow_list: [nowhere]", `code "nowhere" has no sentence`},
		"approvals":          {"dedup: false", "approvals: true", `approvals belong to a binding`},
		"codes":              {"dedup: false", "codes: {x: {en: y}}", `provider.yaml:17: code "x" needs zh and en`},
		"channel of coded":   {"dedup: false", "channel: {name: x}", `the recipe does not list it`},
		"limit":              {"per_second: 5", "per_second: -5", `provider.yaml:16: a limit is negative`},
		"limit without page": {`, source: "https://acme.example/limits"`, "", `provider.yaml:16: limits.source must be`},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		if text == good {
			t.Fatalf("%s: nothing to replace", name)
		}
		_, err := catalog.Load(fstest.MapFS{"acme/provider.yaml": {Data: []byte(text)}})
		if err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	twice := fstest.MapFS{"acme/provider.yaml": {Data: []byte(good)}}
	if _, err := catalog.Load(twice, twice); err == nil || !strings.Contains(err.Error(), "two providers") {
		t.Errorf("twice: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := catalog.Parse("x", data)
		if err == nil && (d.Name == "" || len(d.Channels) == 0) {
			t.Errorf("taken: %+v", d)
		}
	})
}

// A catalog that reads on demand knows what one knows that read everything.
func TestOpenReadsOnDemand(t *testing.T) {
	t.Parallel()
	whole, err := catalog.Load(provider.Descriptors())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range all(t, whole) {
		got, ok := catalog.Open(provider.Descriptors()).Shipped(want.Name)
		if !ok || cmp.Diff(want, got) != "" {
			t.Errorf("%s: %v %s", want.Name, ok, cmp.Diff(want, got))
		}
	}
	lazy := catalog.Open(provider.Descriptors())
	for _, name := range []string{"", ".", "..", "nobody", "../webhook", "webhook/provider.yaml"} {
		if _, ok := lazy.Shipped(name); ok {
			t.Errorf("%q is known", name)
		}
	}
	if diff := cmp.Diff(all(t, whole), all(t, lazy)); diff != "" {
		t.Error(diff)
	}
}
