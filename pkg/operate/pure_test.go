package operate

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

// TestLines: whatever the texts, what is kept and removed is the one, what is kept and added the other.
func TestLines(t *testing.T) {
	t.Parallel()
	text := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "", "a b"}), 0, 12).Draw(t, "lines"), "\n")
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		var before, after []string
		changed := 0
		for _, l := range lines(a, b) {
			if l.Op != '+' {
				before = append(before, l.Text)
			}
			if l.Op != '-' {
				after = append(after, l.Text)
			}
			if l.Op != ' ' {
				changed++
			}
		}
		if !cmp.Equal(before, split(a)) || !cmp.Equal(after, split(b)) {
			t.Fatalf("%q to %q: %q and %q", a, b, before, after)
		}
		if (a == b) != (changed == 0) {
			t.Fatalf("%q to %q: %d lines change", a, b, changed)
		}
	})
}

func TestLinesKeepTheMost(t *testing.T) {
	t.Parallel()
	show := func(ls []Line) string {
		var b strings.Builder
		for _, l := range ls {
			b.WriteByte(l.Op)
			b.WriteString(l.Text + "\n")
		}
		return b.String()
	}
	if d := cmp.Diff(" head\n-one\n two\n+2.5\n three\n-four\n tail\n", show(lines("head\none\ntwo\nthree\nfour\ntail", "head\ntwo\n2.5\nthree\ntail"))); d != "" {
		t.Error(d)
	}
	// Beyond the bound everything in between is replaced, at once.
	a, b := strings.Repeat("x\n", 5000)+"end", strings.Repeat("y\n", 5000)+"end"
	ls := lines(a, b)
	if len(ls) != 10001 || ls[0].Op != '-' || ls[9999].Op != '+' || ls[10000] != (Line{' ', "end"}) {
		t.Errorf("%d lines", len(ls))
	}
}

func TestDiffOfTemplates(t *testing.T) {
	t.Parallel()
	v := func(name string, secret bool) template.Variable {
		return template.Variable{Name: name, Secret: secret}
	}
	a := template.Template{Version: 1, Class: message.OTP, Variables: []template.Variable{v("gone", false), v("code", false), v("same", true)},
		Variants: []template.Variant{{Channel: "sms", Locale: "ZH", Text: "a"}, {Channel: "sms", Locale: "en", Text: "b"}}}
	b := template.Template{Version: 3, Class: message.OTP, Variables: []template.Variable{v("same", true), v("new", false), v("code", true)},
		Variants: []template.Variant{{Channel: "sms", Locale: "zh", Text: "A"}, {Channel: "push", Locale: "en", Title: "t", Text: "b"}}, DedupExclude: []string{"code"}}
	got := diff(a, b)
	want := TemplateDiff{From: 1, To: 3, DedupExclude: [2][]string{nil, {"code"}},
		Variables: []VariableDiff{{"gone", Removed, &a.Variables[0], nil}, {"code", Changed, &a.Variables[1], &b.Variables[2]}, {"new", Added, nil, &b.Variables[1]}},
		Variants: []VariantDiff{
			{"sms", "zh", Changed, []FieldDiff{{"text", []Line{{'-', "a"}, {'+', "A"}}}}},
			{"sms", "en", Removed, []FieldDiff{{"text", []Line{{'-', "b"}}}}},
			{"push", "en", Added, []FieldDiff{{"title", []Line{{'+', "t"}}}, {"text", []Line{{'+', "b"}}}}},
		}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := diff(b, b); len(d.Variables)+len(d.Variants) > 0 || d.Class[0] != "" || d.DedupExclude[0] != nil {
		t.Errorf("%+v", d)
	}
}

// FuzzPreview: whatever is typed, the preview shows something and fails for nothing; and it has problems
// exactly where there are some.
func FuzzPreview(f *testing.F) {
	f.Add("Hi {{name}}", "<p>{{name}}</p>", "name", "string", "Li", "email", "en")
	f.Add("{{#a}}{{b}}", "<a href={{x}}>", "a", "list", `[{"b":1}]`, "sms", "zh")
	f.Add("{{", "</", "", "date", "x", "No Channel", "")
	f.Add(`{"a":"{{x}}"}`, "", "x", "number", "1e400", "webhook", "en")
	f.Add("{{x}}{{^x}}n{{/x}}", "\x00", "x", "boolean", "yes", "feishu", "en")
	o := &Operate{Ports: Ports{Catalog: catalog.Open()}}
	p := tenant.Of(tenant.Key{Tenant: "shop", Scopes: []tenant.Scope{tenant.Read}})
	f.Fuzz(func(t *testing.T, text, html, name, typ, example, channel, locale string) {
		v := template.Variant{Channel: message.Channel(channel), Locale: locale, Subject: text, Text: text, HTML: html, Data: text}
		tmpl := template.Template{Name: "x", Class: message.OTP, Variants: []template.Variant{v},
			Variables: []template.Variable{{Name: name, Type: typ, Example: example, Pattern: example}, {Name: "name"}}}
		got, err := o.Preview(t.Context(), p, PreviewRequest{Template: &tmpl, Vars: map[string]any{"name": 1.5, "more": text}})
		if err != nil {
			t.Fatal(err)
		}
		if text != "" && got.Content.Text+string(got.Content.Data)+got.Content.Subject == "" && !strings.Contains(text, "{{") {
			t.Fatalf("nothing is shown of %q: %+v", text, got)
		}
		for _, p := range got.Problems {
			if p.Detail == "" || p.Code == "" || !strings.HasPrefix(p.Pointer, "/template") && !strings.HasPrefix(p.Pointer, "/vars") && p.Pointer != "/channel" {
				t.Fatalf("%+v", p)
			}
		}
		_, faults := template.Compile(tmpl)
		told := 0
		for _, p := range got.Problems {
			if strings.HasPrefix(p.Pointer, "/template") {
				told++
			}
		}
		if told != len(faults) {
			t.Fatalf("%d faults, %d told", len(faults), told)
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add(cursor("x"))
	f.Add("")
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		var place string
		if err := openCursor(text, &place); err != nil && problem.From(err).Code != problem.InvalidRequest {
			t.Fatal(err)
		}
		if !utf8.ValidString(text) {
			return // no driver's place
		}
		var again string
		if err := openCursor(cursor(text), &again); err != nil || again != text {
			t.Fatalf("%q comes back as %q: %v", text, again, err)
		}
		if bad := cursor(text); openCursor(bad[:len(bad)-1], &again) == nil {
			t.Fatalf("%q opens though it is cut", bad)
		}
	})
}

func TestRegions(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{"CN": true, "AD": true, "ZW": true, "XK": true, "cn": false, "XX": false, "": false, "D A": false, "AE": true, "E ": false} {
		if isRegion(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}
