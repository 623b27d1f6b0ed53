package template_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/template"
)

func who(t testing.TB) *template.Matcher {
	var all []*template.Compiled
	for _, x := range []struct {
		name string
		v    template.Variant
	}{
		{"code", template.Variant{Channel: message.SMS, Locale: "zh", Text: "您的验证码是{{a}}，{{b}}分钟内有效。"}},
		{"code-en", template.Variant{Channel: message.SMS, Text: "Your code is {{a}}. It expires in {{b}} minutes."}},
		{"signed", template.Variant{Channel: message.SMS, Locale: "zh", Text: "【商城】尊敬的{{a}}，您的订单{{b}}已发货"}},
		{"anything", template.Variant{Channel: message.SMS, Text: "{{a}}"}},
		{"short", template.Variant{Channel: message.SMS, Text: "Hi {{a}} x"}},
		{"list", template.Variant{Channel: message.Email, Subject: "Your order {{a}}", Text: "Thanks for the order:\n{{#l}}\n- {{f}}\n{{/l}}\nTotal {{b}}"}},
		{"alert", template.Variant{Channel: message.Slack, Title: "Alert", Text: "**Disk full** on `{{a}}`: see [the runbook](https://ops.example/r) now"}},
	} {
		tpl := one(x.v, template.Variable{Name: "a"}, template.Variable{Name: "b", Optional: true}, template.Variable{Name: "l", Type: "list", Optional: true})
		tpl.Name = x.name
		all = append(all, compile(t, tpl))
	}
	return template.NewMatcher(all)
}

func TestMatch(t *testing.T) {
	t.Parallel()
	m := who(t)
	for _, c := range []struct {
		text, name string // "": not ours
		vars       map[string]string
	}{
		{"您的验证码是042137，5分钟内有效。", "code", map[string]string{"a": "042137", "b": "5"}},
		{"【商城】您的验证码是042137，5分钟内有效。", "code", map[string]string{"a": "042137", "b": "5"}},
		{"您的验证码是042137，5分钟内有效。【商城】", "code", map[string]string{"a": "042137", "b": "5"}},
		{"  您的验证码是 042137, 5 分钟\n内有效。\n", "code", map[string]string{"a": "042137", "b": "5"}},
		{"您的验证码是０４２１３７，５分钟内有效。", "code", map[string]string{"a": "０４２１３７", "b": "５"}},
		{"您的验证码是042137，5分钟...", "code", map[string]string{"a": "042137"}},
		{"您的验证码是0421…", "code", nil},
		{"YOUR CODE", "", nil},
		{"Your code is 1 2. It  expires in 5\u00a0minutes.", "code-en", map[string]string{"a": "1 2", "b": "5"}},
		{"Your\u200b code is {{a}}. It expires in  minutes.", "code-en", map[string]string{"a": "{{a}}", "b": ""}},
		{"【商城】尊敬的王伟，您的订单A1已发货", "signed", map[string]string{"a": "王伟", "b": "A1"}},
		{"尊敬的王伟，您的订单A1已发货", "", nil},
		{"Thanks for the order:\n- Tea\n- Cup\nTotal 12.50", "list", map[string]string{"b": "12.50"}},
		{"Your order A1", "list", map[string]string{"a": "A1"}},
		{"Your order A1\n\nThanks for the order:\n- Tea\nTotal 12", "list", map[string]string{"a": "A1", "b": "12"}},
		{"Disk full on db-1: see the runbook now", "alert", map[string]string{"a": "db-1"}},
		{"**Disk full** on `db-1`: see [the runbook](https://ops.example/r) now", "alert", map[string]string{"a": "db-1"}},
		{"Alert\nDisk full on db-1: see the runbook now", "alert", map[string]string{"a": "db-1"}},
		{"Hi Wang x", "", nil},
		{"", "", nil}, {"...", "", nil}, {"【】", "", nil}, {"hello", "", nil}, {"分钟内有效。您的验证码是", "", nil},
		{"x您的验证码是042137，5分钟内有效。", "", nil}, {"您的验证码是042137，5分钟内有效。x", "", nil},
		{"\xff\xfe", "", nil},
	} {
		got := m.Match(c.text)
		switch {
		case c.name == "" && len(got) > 0:
			t.Errorf("%q is not ours, but matches %+v", c.text, got)
		case c.name != "" && (len(got) == 0 || got[0].Name != c.name):
			t.Errorf("%q matches %+v, want %s", c.text, got, c.name)
		case c.vars != nil:
			if diff := cmp.Diff(c.vars, got[0].Vars); diff != "" {
				t.Errorf("%q: %s", c.text, diff)
			}
		}
	}
}

// A piece is one of a template's own text, with whole values between and codes at its ends.
func TestFragment(t *testing.T) {
	t.Parallel()
	m := who(t)
	for _, c := range []struct {
		text, name string // "": no piece
		fixed      int
	}{
		{"您的验证码是", "code", 6},
		{"的验证码是042137，5分钟", "code", 8},
		{"验证码是042137，5分钟内有效", "code", 10},
		{"042137，5分钟内有效。", "code", 7},
		{"您的验证码是0421", "code", 6},
		{"您的验证码是0421…", "code", 6},
		{"【商城】您的验证码是0421", "code", 6},
		{"【商城】尊敬的王伟，您的订单", "signed", 12},
		{"【商城】尊敬的王伟，您的订单B-17", "signed", 12},
		{"尊敬的王伟，您的订单A1已发货", "signed", 11},
		{"code is 1 2. It expires in", "code-en", 18},
		{"disk full", "", 0},
		{"Disk full on db-1", "", 0},
		{"Disk full on db-1: see the", "alert", 14},
		{"验证码是", "", 0}, {"Your code is", "", 0}, {"分钟内有效。", "", 0}, {"，5分钟内有效。", "code", 7}, {"是042137，5分钟内有效。", "code", 8}, {"042137", "", 0}, {"", "", 0}, {"…", "", 0},
		{"您的验证码是，请点 http://a.example", "", 0}, {"请点此处，5分钟内有效。", "", 0}, {"您的验证码是王伟", "", 0},
		{"尊敬的王伟，请点 http://a.example，您的积分", "", 0},
		{"x您的验证码是042137", "", 0}, {"您的验证码是042137，5分钟内有效。退订", "", 0},
	} {
		got := m.Fragment(c.text)
		switch {
		case c.name == "" && len(got) > 0:
			t.Errorf("%q is no piece of ours, but of %+v", c.text, got)
		case c.name != "" && (len(got) == 0 || got[0].Name != c.name || got[0].Fixed != c.fixed):
			t.Errorf("%q is a piece of %+v, want %s %d", c.text, got, c.name, c.fixed)
		}
	}
}

// The template with more fixed text in common comes first.
func TestMatchRanks(t *testing.T) {
	t.Parallel()
	var all []*template.Compiled
	for _, text := range []string{"Order {{a}} is {{b}} today", "Order {{a}} is shipped", "Order {{a}} is shipped today", "Order number {{a}}"} {
		tpl := one(template.Variant{Channel: message.SMS, Text: text}, template.Variable{Name: "a"}, template.Variable{Name: "b", Optional: true})
		tpl.Name = fmt.Sprintf("t%d", len(all))
		all = append(all, compile(t, tpl))
	}
	var got []string
	for _, m := range template.NewMatcher(all).Match("Order 7 is shipped today") {
		got = append(got, fmt.Sprint(m.Name, " ", m.Fixed))
	}
	if diff := cmp.Diff([]string{"t2 19", "t0 12"}, got); diff != "" {
		t.Error(diff)
	}
}

// What a template rendered is found, whatever the values are.
func TestMatchFindsWhatWasRendered(t *testing.T) {
	t.Parallel()
	piece := rapid.OneOf(
		rapid.StringMatching(`[a-z，。【】.！ \n]{1,8}`),
		rapid.SampledFrom([]string{"{{a}}", "{{b}}", "{{#l}}x{{f}}{{/l}}", "{{#b}}y{{/b}}", "{{{{"}),
	)
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(piece, 1, 6).Draw(t, "pieces"), "") + rapid.SampledFrom([]string{"abcdef", "{{a}}abcdef{{b}}", "abc\ndef{{a}}"}).Draw(t, "end")
		c, faults := template.Compile(one(template.Variant{Channel: message.SMS, Text: text}, template.Variable{Name: "a", Optional: true},
			template.Variable{Name: "b", Optional: true}, template.Variable{Name: "l", Type: "list", Optional: true}))
		if len(faults) > 0 {
			t.Skip(faults)
		}
		v := rapid.OneOf(rapid.StringOf(rapid.RuneFrom([]rune("abcdef，。【】. …！\n"))), rapid.String())
		vars := map[string]any{"a": v.Draw(t, "a"), "b": v.Draw(t, "b"), "l": []any{map[string]any{"f": v.Draw(t, "f")}}}
		content, _, err := c.Render(message.SMS, "en", vars)
		if err != nil {
			t.Fatal(err)
		}
		if got := template.NewMatcher([]*template.Compiled{c}).Match(content.Text); len(got) != 1 || got[0].Fixed < 6 {
			t.Fatalf("%q rendered %q, which is not found: %v", text, content.Text, got)
		}
	})
}

func FuzzMatch(f *testing.F) {
	for _, s := range []string{"您的验证码是042137，5分钟内有效。", "【a】Your code is ...", "【】【】", "…", "Disk full on", "\xff【", "】"} {
		f.Add(s)
	}
	m := who(f)
	f.Fuzz(func(t *testing.T, text string) {
		for _, found := range m.Fragment(text) {
			if found.Fixed < 6 {
				t.Fatalf("%+v", found)
			}
		}
		for _, m := range m.Match(text) {
			if m.Fixed < 6 {
				t.Fatalf("%+v", m)
			}
			for _, v := range m.Vars {
				if !strings.Contains(strings.ReplaceAll(text, "\u200b", ""), strings.ReplaceAll(v, "\u200b", "")) {
					t.Fatalf("the value %q is not in the text", v)
				}
			}
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	var all []*template.Compiled
	for i := range 5000 {
		tpl := one(template.Variant{Channel: message.SMS, Text: fmt.Sprintf("【商城】尊敬的{{a}}，活动%d：您的订单{{b}}已发货，请注意查收。", i)}, template.Variable{Name: "a"}, template.Variable{Name: "b"})
		all = append(all, compile(b, tpl))
	}
	m := template.NewMatcher(all)
	b.ReportAllocs()
	for b.Loop() {
		if len(m.Match("【商城】尊敬的王伟，活动4711：您的订单A1已发货，请注意查收。")) != 1 {
			b.Fatal("not found")
		}
	}
}
