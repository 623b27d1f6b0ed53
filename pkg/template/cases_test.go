package template_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/template"
)

var update = flag.Bool("update", false, "write what is rendered into the case files")

// want is what a case expects: the faults of Compile or Check, or the content of every variant.
type want struct {
	Faults   []problem.Field `json:"faults,omitempty"`
	Warnings []string        `json:"warnings,omitempty"`
	Content  []rendered      `json:"content,omitempty"`
	Error    string          `json:"error,omitempty"`
}

type rendered struct {
	Channel message.Channel `json:"channel"`
	Locale  string          `json:"locale"`
	message.Content
}

// TestCases runs every file of testdata: template.json, vars.json, and want.json or errors.json.
func TestCases(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := map[string][]byte{}
			for _, f := range archive.Files {
				parts[f.Name] = f.Data
			}
			got := run(t, parts["template.json"], parts["vars.json"])
			name := "want.json"
			if got.Faults != nil || got.Error != "" {
				name = "errors.json"
			}
			text := indent(t, got)
			if *update {
				archive.Files = []txtar.File{{Name: "template.json", Data: parts["template.json"]}, {Name: "vars.json", Data: parts["vars.json"]}, {Name: name, Data: text}}
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(parts[name]), string(text)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		})
	}
}

func run(t *testing.T, source, varsJSON []byte) want {
	t.Helper()
	var tpl template.Template
	strict(t, source, &tpl)
	c, faults := template.Compile(tpl)
	if len(faults) > 0 {
		return want{Faults: faults}
	}
	vars := map[string]any{}
	strict(t, varsJSON, &vars)
	if faults := c.Check(vars); len(faults) > 0 {
		return want{Faults: faults}
	}
	got := want{Warnings: c.Warnings()}
	for _, v := range tpl.Variants {
		content, locale, err := c.Render(v.Channel, v.Locale, vars)
		if err != nil {
			got.Error = err.Error()
			return got
		}
		got.Content = append(got.Content, rendered{v.Channel, locale, content})
	}
	return got
}

func strict(t *testing.T, data []byte, to any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	d.UseNumber()
	if err := d.Decode(to); err != nil {
		t.Fatal(err)
	}
}

func indent(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func compile(t testing.TB, tpl template.Template) *template.Compiled {
	t.Helper()
	c, faults := template.Compile(tpl)
	if len(faults) > 0 {
		t.Fatalf("%+v", faults)
	}
	return c
}

// one is a template with one variant.
func one(v template.Variant, vars ...template.Variable) template.Template {
	if v.Locale == "" {
		v.Locale = "en"
	}
	return template.Template{Name: "t", Tenant: "shop", Version: 1, Class: message.Transactional, Variables: vars, Variants: []template.Variant{v}}
}

func TestPick(t *testing.T) {
	t.Parallel()
	tpl := one(template.Variant{Channel: message.SMS, Locale: "en", Text: "en"})
	for _, l := range []string{"zh", "zh-Hant", "pt-BR"} {
		tpl.Variants = append(tpl.Variants, template.Variant{Channel: message.SMS, Locale: l, Text: l})
	}
	tpl.Variants = append(tpl.Variants, template.Variant{Channel: message.Feishu, Locale: "de", Text: "de"})
	c := compile(t, tpl)
	for asked, want := range map[string]string{"zh": "zh", "zh-Hant": "zh-Hant", "zh_hant": "zh-Hant", "zh-Hant-TW": "zh-Hant", "zh-CN": "zh",
		"EN-us": "en", "pt": "pt-BR", "pt-PT": "pt-BR", "fr": "en", "": "en"} {
		content, got, err := c.Render(message.SMS, asked, nil)
		if err != nil || got != want || content.Text != want {
			t.Errorf("%q: %q, %v; want %q", asked, got, err, want)
		}
	}
	if _, _, err := c.Render(message.Email, "en", nil); !errors.Is(err, template.ErrNoVariant) {
		t.Error(err)
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	c := compile(t, one(template.Variant{Channel: message.SMS, Text: "{{n}}{{#n}}+{{/n}}{{^n}}0{{/n}}"}, template.Variable{Name: "n", Type: "number"}))
	for _, tc := range []struct {
		n    any
		want string // "": refused
	}{
		{0.0, "00"}, {1.0, "1+"}, {1.5, "1.5+"}, {1e20, "100000000000000000000+"}, {-1e-7, "-0.0000001+"}, {0.1, "0.1+"},
		{json.Number("1e3"), "1000+"}, {json.Number("12345678901234567890"), "12345678901234567890+"}, {json.Number("-0"), "00"}, {json.Number("1.50"), "1.5+"},
		{json.Number("0.0"), "00"}, {7, "7+"}, {int64(-7), "-7+"},
		{json.Number("1e999"), ""}, {json.Number("0x10"), ""}, {json.Number("Inf"), ""}, {json.Number(""), ""}, {json.Number("1_0"), ""}, {1e21, ""}, {"1", ""}, {true, ""}, {nil, ""},
		{json.Number(strings.Repeat("1", 41)), ""},
	} {
		vars := map[string]any{"n": tc.n}
		if faults := c.Check(vars); (len(faults) > 0) != (tc.want == "") {
			t.Errorf("Check(%v): %v", tc.n, faults)
			continue
		}
		if got, _, err := c.Render(message.SMS, "en", vars); tc.want != "" && (err != nil || got.Text != tc.want) {
			t.Errorf("%v renders as %q, %v; want %q", tc.n, got.Text, err, tc.want)
		}
	}
}

// Lists within lists are bounded, whether they print or not.
func TestBounded(t *testing.T) {
	t.Parallel()
	list := template.Variable{Name: "l", Type: "list"}
	entries := make([]any, 1000)
	for i := range entries {
		entries[i] = map[string]any{"a": "b"}
	}
	for _, text := range []string{"{{#l}}{{#l}}{{#l}}{{#l}}{{^l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}", "{{#l}}{{#l}}{{#l}}{{#l}}{{/l}}{{/l}}{{/l}}{{/l}}", "{{#l}}{{#l}}xxxxxx{{/l}}{{/l}}"} {
		c, faults := template.Compile(one(template.Variant{Channel: message.SMS, Text: text}, list))
		if len(faults) > 0 {
			continue // nested too deeply
		}
		vars := map[string]any{"l": entries}
		if faults := c.Check(vars); len(faults) > 0 {
			t.Fatal(faults)
		}
		if _, _, err := c.Render(message.SMS, "en", vars); !errors.Is(err, template.ErrTooLarge) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestVarsOfCompiled(t *testing.T) {
	t.Parallel()
	tpl := one(template.Variant{Channel: message.SMS, Text: "{{code}} {{name}}"}, template.Variable{Name: "code", Secret: true}, template.Variable{Name: "name"})
	tpl.DedupExclude = []string{"code"}
	c := compile(t, tpl)
	vars := map[string]any{"code": "123456", "name": "Wang", "other": "x"}
	if diff := cmp.Diff(map[string]any{"name": "Wang", "other": "x"}, c.DedupVars(vars)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{"code": "•••", "name": "Wang", "other": "•••"}, c.Redact(vars)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"code"}, c.SecretVars()); diff != "" {
		t.Error(diff)
	}
	if len(vars) != 3 || vars["code"] != "123456" {
		t.Error("the caller's variables were changed")
	}
}

// TestOwnKind: a variant for a recipe's channel holds and escapes what its kind says; of a built-in channel the
// table says it, whatever the kind.
func TestOwnKind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		variant template.Variant
		want    string // "" is a fault
	}{
		"text":        {template.Variant{Channel: "flare", Kind: message.PlainText, Text: "{{x}}"}, "*a*"},
		"chat":        {template.Variant{Channel: "flare", Kind: message.ChatText, Text: "{{x}}"}, "∗a∗"},
		"unsaid":      {template.Variant{Channel: "flare", Text: "{{x}}"}, "∗a∗"},
		"data":        {template.Variant{Channel: "flare", Kind: message.DataBody, Data: `{"a":"{{x}}"}`}, `{"a":"*a*"}`},
		"no data":     {template.Variant{Channel: "flare", Kind: message.DataBody, Text: "{{x}}"}, ""},
		"title":       {template.Variant{Channel: "flare", Kind: message.PlainText, Title: "x", Text: "{{x}}"}, ""},
		"no kind":     {template.Variant{Channel: "flare", Kind: "smoke", Text: "{{x}}"}, ""},
		"sms as chat": {template.Variant{Channel: message.SMS, Kind: message.ChatText, Text: "{{x}}"}, "*a*"},
	} {
		c.variant.Locale = "en"
		compiled, faults := template.Compile(template.Template{Name: "t", Class: message.Transactional, Variables: []template.Variable{{Name: "x"}}, Variants: []template.Variant{c.variant}})
		if c.want == "" {
			if len(faults) == 0 {
				t.Errorf("%s: taken", name)
			}
			continue
		}
		if len(faults) > 0 {
			t.Errorf("%s: %+v", name, faults)
			continue
		}
		content, _, err := compiled.Render(c.variant.Channel, "en", map[string]any{"x": "*a*"})
		if got := content.Text + string(content.Data); err != nil || got != c.want {
			t.Errorf("%s: %s %v", name, got, err)
		}
	}
}
