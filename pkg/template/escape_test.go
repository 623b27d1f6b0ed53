package template_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/template"
)

// nasty values: what ends a text, an attribute, a comment, a script, a URL, a string.
var nasty = []string{"", "x", "<", ">", "\"", "'", "`", "&", "&lt;", "&#60;", "<b>", "</p>", "</title>", "</textarea>", "</td></tr></table>", "<script>alert(1)</script>", "<!--", "-->", "--!>",
	"<![CDATA[", "]]>", "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:x", "java\tscript:x", "data:text/html,x", "vbscript:x", "//evil.example", "\\\\evil.example", "https://example.com/?a=1&b=2",
	"https://example.com/\"onmouseover=x", "mailto:a@example.com?subject=\"'>", "=", "/", "/>", " ", "\n", "\t", "{{a}}", "{{#a}}", "\\", "\u2028", "\u00a0", "中文", "\x00", "\x1b", "\xff", "\ufeff", "onclick=x", " onclick=x "}

func value() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		if rapid.Bool().Draw(t, "any") {
			return rapid.String().Draw(t, "value")
		}
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(nasty), 1, 4).Draw(t, "pieces"), "")
	})
}

var htmlSources = []string{
	`<p>{{a}}{{b}}</p><p title="{{a}} {{b}}" class='{{b}}'>x</p>`,
	`<html><head><title>{{a}}</title></head><body><a href="{{a}}">{{b}}</a><a href='{{a}}{{b}}'>x</a></body></html>`,
	`<a href="https://example.com/{{a}}?q={{b}}#{{a}}">x</a><img alt="{{a}}" src="{{b}}"><br/>{{a}}`,
	`<table><tr><td>{{a}}</td><td bgcolor="{{b}}">{{b}}</td></tr></table><textarea>{{a}}</textarea>`,
	`<!doctype html><!-- c --><!--> <div data-url="{{a}}" data-x="{{b}}"><a href="/{{a}}">{{b}}</a></div>`,
	`a < b {{a}} <<i>{{b}}</i><a href="mailto:{{a}}">{{b}}</a><p title=fixed>{{a}}<p>{{b}}`,
	`<ul>{{#l}}<li title="{{a}}">{{f}}</li>{{/l}}</ul>`,
}

var runs = regexp.MustCompile(`(?i)^\s*(javascript|data|vbscript):`)

// elements are the names and attributes of a document in order, and whether a link runs something.
func elements(t *rapid.T, source string) string {
	root, err := html.Parse(strings.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode || n.Type == html.CommentNode {
			fmt.Fprintf(&b, "(%d %s", n.Type, n.Data)
			for _, a := range n.Attr {
				fmt.Fprintf(&b, " %s", a.Key)
				if (a.Key == "href" || a.Key == "src") && runs.MatchString(strings.NewReplacer("\t", "", "\n", "").Replace(a.Val)) {
					t.Fatalf("a link runs something: %q", a.Val)
				}
			}
			defer b.WriteString(")")
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
	return b.String()
}

// No value changes the elements, the attributes or the comments of a mail.
func TestHTMLKeepsItsStructure(t *testing.T) {
	t.Parallel()
	var compiled []*template.Compiled
	for _, source := range htmlSources {
		compiled = append(compiled, compile(t, one(template.Variant{Channel: message.Email, Subject: "s", HTML: source},
			template.Variable{Name: "a"}, template.Variable{Name: "b"}, template.Variable{Name: "l", Type: "list"})))
	}
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(compiled).Draw(t, "template")
		a, b, f := value().Draw(t, "a"), value().Draw(t, "b"), value().Draw(t, "f")
		list := func(f string) []any { return []any{map[string]any{"f": f}, map[string]any{"f": f, "a": f}} }
		got, _, err := c.Render(message.Email, "en", map[string]any{"a": a, "b": b, "l": list(f)})
		if err != nil {
			t.Fatal(err)
		}
		plain, _, _ := c.Render(message.Email, "en", map[string]any{"a": "x", "b": "y", "l": list("z")})
		if diff := cmp.Diff(elements(t, plain.HTML), elements(t, got.HTML)); diff != "" {
			t.Fatalf("%s\n%s", got.HTML, diff)
		}
	})
}

// Text in HTML reads back as the value.
func TestHTMLKeepsItsText(t *testing.T) {
	t.Parallel()
	c := compile(t, one(template.Variant{Channel: message.Email, Subject: "s", HTML: `<p title="{{a}}">{{a}}</p>`}, template.Variable{Name: "a"}))
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.StringOf(rapid.RuneFrom([]rune("<>&\"'`ab ;#x3\n中"))).Draw(t, "a")
		got, _, _ := c.Render(message.Email, "en", map[string]any{"a": a})
		root, _ := html.Parse(strings.NewReader(got.HTML))
		p := root.FirstChild.LastChild.FirstChild
		text := ""
		if p.FirstChild != nil {
			text = p.FirstChild.Data
		}
		if p.Attr[0].Val != a || text != a {
			t.Fatalf("%q became %q and %q", a, p.Attr[0].Val, text)
		}
	})
}

// No value changes the structure of a document, and every string reads back as the value.
func TestDataKeepsItsStructure(t *testing.T) {
	t.Parallel()
	c := compile(t, one(template.Variant{Channel: message.Webhook, Data: `{"a":"{{a}}","n":{"b":["{{b}}",1,"x{{a}}y"]},"c":"{{#c}}{{f}}{{/c}}"}`},
		template.Variable{Name: "a"}, template.Variable{Name: "b"}, template.Variable{Name: "c", Type: "list"}))
	rapid.Check(t, func(t *rapid.T) {
		a, b := value().Draw(t, "a"), value().Draw(t, "b")
		got, _, err := c.Render(message.Webhook, "en", map[string]any{"a": a, "b": b, "c": []any{map[string]any{"f": a}, map[string]any{"f": b}}})
		if err != nil {
			t.Fatal(err)
		}
		clean := func(s string) string { return string([]rune(s)) } // broken bytes are U+FFFD
		want := map[string]any{"a": clean(a), "n": map[string]any{"b": []any{clean(b), 1.0, "x" + clean(a) + "y"}}, "c": clean(a) + clean(b)}
		var read any
		if err := json.Unmarshal(got.Data, &read); err != nil {
			t.Fatalf("%v: %s", err, got.Data)
		}
		if diff := cmp.Diff(any(want), read); diff != "" {
			t.Fatal(diff)
		}
	})
}

var (
	chatPing  = regexp.MustCompile(`(?i)@(all|everyone|here|channel|所有人)|＠所有人|<[@!#a-z/]`)
	chatLinks = regexp.MustCompile("(?i)]\\(|://|[a-z]\\.[a-z]|`")
)

// No values, alone or side by side, mention a group or make a link.
func TestChatValuesAreHarmless(t *testing.T) {
	t.Parallel()
	c := compile(t, one(template.Variant{Channel: message.Feishu, Text: "{{a}}{{b}}\n@{{a}}{{b}}"}, template.Variable{Name: "a"}, template.Variable{Name: "b"}))
	pieces := []string{"@", "＠", "a", "ll", "all", "everyone", "here", "所有", "人", "<", ">", "at user_id=\"", "!channel", "[", "](", ")", "https", ":", "/", "//", "evil", ".", "com", "`", "&", "lt;", "#60;", "\\", " ", "ALL", "\n"}
	joined := rapid.Map(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 6), func(p []string) string { return strings.Join(p, "") })
	rapid.Check(t, func(t *rapid.T) {
		got, _, err := c.Render(message.Feishu, "en", map[string]any{"a": joined.Draw(t, "a"), "b": joined.Draw(t, "b")})
		if err != nil {
			t.Fatal(err)
		}
		if chatPing.MatchString(got.Text) || chatLinks.MatchString(got.Text) {
			t.Fatalf("%q", got.Text)
		}
	})
}

func FuzzCompile(f *testing.F) {
	for _, s := range append(htmlSources, nasty...) {
		f.Add(s, "x")
	}
	for _, s := range []string{"{{a}}", "{{#l}}{{a}}{{/l}}", "{{^a}}\n{{/a}}\n", "{{{{", "{{#l}}\n{{#l}}\n{{/l}}\n{{/l}}\n", "[x](https://a/{{a}})", `{"a":["{{a}}",{"b":"{{#l}}{{f}}{{/l}}"}]}`, "{{ # a }}", "}}", "{{/a}}"} {
		f.Add(s, "</p>\"")
	}
	f.Fuzz(func(t *testing.T, source, value string) {
		vars := map[string]any{"a": value, "u": value, "l": []any{map[string]any{"f": value}, map[string]any{"a": value}}}
		for _, v := range []template.Variant{{Channel: message.SMS, Text: source}, {Channel: message.Email, Subject: "s", HTML: source}, {Channel: message.Slack, Text: source}, {Channel: message.Webhook, Data: source}} {
			v.Locale = "en"
			c, faults := template.Compile(one(v, template.Variable{Name: "a"}, template.Variable{Name: "u", Type: "url"}, template.Variable{Name: "l", Type: "list"}))
			if len(faults) > 0 {
				continue
			}
			c.Check(vars)
			got, _, err := c.Render(v.Channel, "en", vars)
			if err != nil {
				continue
			}
			if len(got.Text)+len(got.HTML)+len(got.Data) > template.MaxOutput {
				t.Fatal("the output is not bounded")
			}
			if got.Data != nil && !json.Valid(got.Data) {
				t.Fatalf("not JSON: %s", got.Data)
			}
			template.NewMatcher([]*template.Compiled{c}).Match(got.Text)
		}
	})
}

func BenchmarkRenderSMS(b *testing.B) {
	c := compile(b, one(template.Variant{Channel: message.SMS, Text: "【商城】{{name}}，您的验证码是{{code}}，{{minutes}}分钟内有效。"},
		template.Variable{Name: "name"}, template.Variable{Name: "code"}, template.Variable{Name: "minutes", Type: "number"}))
	vars := map[string]any{"name": "王伟", "code": "042137", "minutes": 5.0}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := c.Render(message.SMS, "zh", vars); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRenderHTML(b *testing.B) {
	c := compile(b, one(template.Variant{Channel: message.Email, Subject: "Order {{id}}", HTML: `<p>Dear {{name}},</p><table>{{#items}}<tr><td>{{title}}</td><td>{{n}}</td></tr>{{/items}}</table><a href="{{url}}">see</a>`},
		template.Variable{Name: "id"}, template.Variable{Name: "name"}, template.Variable{Name: "items", Type: "list"}, template.Variable{Name: "url", Type: "url"}))
	items := make([]any, 20)
	for i := range items {
		items[i] = map[string]any{"title": "Tea & cup", "n": float64(i)}
	}
	vars := map[string]any{"id": "A-1", "name": "O'Brien", "items": items, "url": "https://example.com/a?b=1&c=2"}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := c.Render(message.Email, "en", vars); err != nil {
			b.Fatal(err)
		}
	}
}
