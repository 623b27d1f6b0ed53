package httpapi

import (
	"bytes"
	stdjson "encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/problem"
)

type base struct {
	Reference string `json:"reference"`
}

type sample struct {
	base
	To       to             `json:"to"`
	Template string         `json:"template"`
	Count    int            `json:"count"`
	Small    int8           `json:"small"`
	Ratio    float64        `json:"ratio"`
	Live     bool           `json:"live"`
	Tags     []string       `json:"tags"`
	Vars     map[string]any `json:"vars"`
	At       time.Time      `json:"at"`
	Note     *string        `json:"note"`
	Exact    stdjson.Number `json:"exact"`
	Parts    []part         `json:"parts"`
	Hidden   string         `json:"-"`
}

type part struct {
	Name string `json:"name"`
}

// to is a type with a form of its own, as an address or a list of them.
type to []string

func (v *to) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case jsontext.KindString:
		var s string
		if err := json.UnmarshalDecode(dec, &s); err != nil {
			return err
		}
		*v = to{s}
		return nil
	case jsontext.KindBeginArray:
		return json.UnmarshalDecode(dec, (*[]string)(v))
	}
	return problem.New(problem.BadJSON, "expected an address or a list of addresses")
}

const canary = "CANARY-13800138000"

type badBody struct {
	name, body, pointer string
	code                problem.Code // of the field; "" where the body has none
	detail              string       // must be in it
}

// notStrict are bodies that a laxer decoder takes, or that are no JSON.
func notStrict() []badBody {
	deep := strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)
	return []badBody{
		{"empty", "", "", "", "empty"},
		{"blank", " \r\n\t", "", "", "empty"},
		{"invalid UTF-8", `{"template":"` + canary + "\xff" + `"}`, "/template", problem.BadValue, "UTF-8"},
		{"overlong", `{"template":"` + "\xc0\xaf" + `"}`, "/template", problem.BadValue, "UTF-8"},
		{"raw surrogate", `{"template":"` + "\xed\xa0\x80" + `"}`, "/template", problem.BadValue, "UTF-8"},
		{"lone surrogate", `{"template":"` + canary + `\ud800"}`, "/template", problem.BadValue, "not valid JSON"},
		{"swapped surrogates", `{"template":"\udc00\ud800"}`, "/template", problem.BadValue, "not valid JSON"},
		{"byte order mark", "\xef\xbb\xbf{}", "", problem.BadValue, "byte order mark"},
		{"UTF-16", "\xff\xfe{\x00}\x00", "", problem.BadValue, "UTF-8"},
		{"escaped NUL", `{"template":"a\u0000"}`, "/template", problem.BadValue, "U+0000"},
		{"escaped NUL in a name", `{"vars":{"a\u0000":1}}`, "/vars", problem.BadValue, "U+0000"},
		{"escaped NUL in an untyped value", `{"vars":{"a":["\u0000"]}}`, "/vars/a/0", problem.BadValue, "U+0000"},
		{"NUL", "{\"template\":\"\x00\"}", "/template", problem.BadValue, "not valid JSON"},
		{"control character", "{\"template\":\"\x1f\"}", "/template", problem.BadValue, "not valid JSON"},
		{"duplicate", `{"template":"a","template":"` + canary + `"}`, "/template", problem.BadValue, "twice"},
		{"duplicate by escape", `{"template":"a","t\u0065mplate":"b"}`, "/template", problem.BadValue, "twice"},
		{"duplicate variable", `{"vars":{"a":1,"a":2}}`, "/vars/a", problem.BadValue, "twice"},
		{"duplicate variable of a caller's name", `{"vars":{"+8613800138000":1,"+8613800138000":2}}`, "/vars", problem.BadValue, "twice"},
		{"duplicate in a list", `{"parts":[{"name":"a","name":"b"}]}`, "/parts/0/name", problem.BadValue, "twice"},
		{"wrong case", `{"Template":"a"}`, "/Template", problem.UnknownField, `did you mean "template"?`},
		{"misspelt", `{"tempalte":"a"}`, "/tempalte", problem.UnknownField, `did you mean "template"?`},
		{"unknown within", `{"parts":[{"name":"a"},{"nmae":"b"}]}`, "/parts/1/nmae", problem.UnknownField, `did you mean "name"?`},
		{"embedded, misspelt", `{"refrence":"a"}`, "/refrence", problem.UnknownField, `did you mean "reference"?`},
		{"hidden", `{"Hidden":"a"}`, "/Hidden", problem.UnknownField, "no field"},
		{"unknown, a secret", `{"nfy_live_0123456789_abcdefghjkmnpqrstvwxyzabcdefghjkmn":1}`, "", problem.UnknownField, "does not have"},
		{"unknown, an address", `{"+8613800138000":1}`, "", problem.UnknownField, "does not have"},
		{"unknown, digits", `{"13800138000":1}`, "", problem.UnknownField, "does not have"},
		{"unknown, empty", `{"":1}`, "", problem.UnknownField, "does not have"},
		{"trailing data", `{} {"a":"` + canary + `"}`, "", problem.BadValue, "not valid JSON"},
		{"trailing garbage", `{}x`, "", problem.BadValue, "not valid JSON"},
		{"truncated", `{"template":"` + canary, "/template", problem.BadValue, "ends before"},
		{"truncated after a name", `{"template"`, "/template", problem.BadValue, "ends before"},
		{"too deep", deep, "", "", "32 deep"},
		{"too deep, unknown", `{"vars":` + strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40) + "}", "", "", "32 deep"},
		{"comment", `{/* */}`, "", problem.BadValue, "not valid JSON"},
		{"single quotes", `{'template':1}`, "", problem.BadValue, "not valid JSON"},
		{"not a number", `{"ratio":NaN}`, "/ratio", problem.BadValue, "not valid JSON"},
		{"leading zero", `{"count":01}`, "", problem.BadValue, "not valid JSON"},
	}
}

// notTheType are good JSON of another type than the sample's.
func notTheType() []badBody {
	return []badBody{
		{"array for object", `["` + canary + `"]`, "", problem.BadType, "expected an object, got an array"},
		{"string for object", `"` + canary + `"`, "", problem.BadType, "expected an object, got a string"},
		{"number for string", `{"template":13800138000}`, "/template", problem.BadType, "expected a string, got a number"},
		{"string for int", `{"count":"` + canary + `"}`, "/count", problem.BadType, "expected a whole number, got a string"},
		{"fraction for int", `{"count":1.5}`, "/count", problem.BadType, "expected a whole number, got one with a point or an exponent"},
		{"exponent for int", `{"count":1e3}`, "/count", problem.BadType, "expected a whole number, got one with a point or an exponent"},
		{"2^63", `{"count":9223372036854775808}`, "/count", problem.BadType, "expected a whole number, got one that is too large or too small"},
		{"small int", `{"small":128}`, "/small", problem.BadType, "from -128 to 127"},
		{"huge float", `{"ratio":1e400}`, "/ratio", problem.BadType, "expected a number"},
		{"huge untyped number", `{"vars":{"a":1e400}}`, "/vars/a", problem.BadValue, "range"},
		{"string for a number", `{"exact":"1"}`, "/exact", problem.BadType, "expected a number"},
		{"string for bool", `{"live":"true"}`, "/live", problem.BadType, "expected true or false, got a string"},
		{"string for list", `{"tags":"` + canary + `"}`, "/tags", problem.BadType, "expected an array, got a string"},
		{"number in a list", `{"tags":["a",1]}`, "/tags/1", problem.BadType, "expected a string, got a number"},
		{"no time", `{"at":"` + canary + `"}`, "/at", problem.BadType, "RFC 3339"},
		{"a time without zone", `{"at":"2026-01-02T15:04:05"}`, "/at", problem.BadType, "RFC 3339"},
		{"own form", `{"to":{"sms":"` + canary + `"}}`, "/to", problem.BadType, "an address or a list of addresses"},
		{"within an own form", `{"to":["a",13800138000]}`, "/to/1", problem.BadType, "expected a string"},
		{"null", `null`, "", problem.BadType, "null"},
		{"null for string", `{"template":null}`, "/template", problem.BadType, "null is not allowed here: expected a string"},
		{"null for list", `{"tags":null}`, "/tags", problem.BadType, "expected an array"},
		{"null for map", `{"vars":null}`, "/vars", problem.BadType, "expected an object"},
		{"null for time", `{"at":null}`, "/at", problem.BadType, "RFC 3339"},
		{"null for embedded", `{"reference":null}`, "/reference", problem.BadType, "expected a string"},
		{"null in a list", `{"parts":[{"name":"a"},null]}`, "/parts/1", problem.BadType, "expected an object"},
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range append(notStrict(), notTheType()...) {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := Decode([]byte(tc.body), new(sample))
			if p == nil {
				t.Fatal("accepted")
			}
			if p.Code != problem.BadJSON || p.Status() != 400 {
				t.Errorf("code %s, status %d", p.Code, p.Status())
			}
			if !strings.Contains(p.Detail, tc.detail) {
				t.Errorf("detail %q has no %q", p.Detail, tc.detail)
			}
			var want []problem.Field
			if tc.code != "" {
				want = []problem.Field{{Pointer: tc.pointer, Code: tc.code, Detail: p.Detail}}
			}
			if diff := cmp.Diff(want, p.Fields); diff != "" {
				t.Error(diff)
			}
			if text := p.Error() + fmt.Sprint(p.Fields); strings.Contains(text, "CANARY") || strings.Contains(text, "138001") || strings.Contains(text, "nfy_live") {
				t.Errorf("repeats the body: %s", text)
			}
		})
	}
}

func TestDecodeAccepts(t *testing.T) {
	t.Parallel()
	note := "n"
	for _, tc := range []struct {
		name, body string
		want       sample
	}{
		{"nothing", ` {} `, sample{}},
		{"plain", `{"template":"a","count":-3,"live":true,"reference":"r"}`, sample{Template: "a", Count: -3, Live: true, base: base{"r"}}},
		{"own form", `{"to":"a"}`, sample{To: to{"a"}}},
		{"own form, list", `{"to":["a","b"]}`, sample{To: to{"a", "b"}}},
		{"pointer", `{"note":"n"}`, sample{Note: &note}},
		{"null for a pointer", `{"note":null}`, sample{}},
		{"untyped null", `{"vars":{"a":null}}`, sample{Vars: map[string]any{"a": nil}}},
		{"numbers stay as written", `{"vars":{"price":19.90,"id":1234567890123456789,"e":1E2,"zero":-0}}`, sample{Vars: map[string]any{
			"price": stdjson.Number("19.90"), "id": stdjson.Number("1234567890123456789"), "e": stdjson.Number("1E2"), "zero": stdjson.Number("-0")}}},
		{"exact", `{"exact":1.10}`, sample{Exact: "1.10"}},
		{"a backslash before u0000 is no NUL", `{"template":"\\u0000 null"}`, sample{Template: `\u0000 null`}},
		{"surrogate pair", `{"template":"\ud83d\ude00"}`, sample{Template: "😀"}},
		{"deep enough", `{"vars":{"a":` + strings.Repeat("[", 30) + strings.Repeat("]", 30) + `}}`, sample{Vars: map[string]any{"a": nested(30)}}},
		{"brackets in a string", `{"template":"` + strings.Repeat("[", 100) + `"}`, sample{Template: strings.Repeat("[", 100)}},
		{"time", `{"at":"2026-01-02T15:04:05+08:00"}`, sample{At: time.Date(2026, 1, 2, 7, 4, 5, 0, time.UTC)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var got sample
			if p := Decode([]byte(tc.body), &got); p != nil {
				t.Fatal(p)
			}
			if got.At = got.At.UTC(); !reflect.DeepEqual(tc.want, got) { // cmp takes 2^depth steps
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func nested(n int) any {
	v := []any{}
	for range n - 1 {
		v = []any{v}
	}
	return v
}

// What Decode accepts is JSON that encoding/json reads as the same, and it has no duplicate names.
func checkAgreement(t interface{ Fatalf(string, ...any) }, body []byte) {
	var got any
	if p := Decode(body, &got); p == nil {
		if !stdjson.Valid(body) {
			t.Fatalf("accepted what is not JSON: %q", body)
		}
		dec := stdjson.NewDecoder(bytes.NewReader(body))
		dec.UseNumber()
		var want any
		if err := dec.Decode(&want); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %v, encoding/json: %v %v", body, got, want, err)
		}
		if duplicates(stdjson.NewDecoder(bytes.NewReader(body))) {
			t.Fatalf("accepted a duplicate name: %q", body)
		}
	}
	var typed sample
	if p := Decode(body, &typed); p != nil && (p.Status() != 400 || p.Detail == "") {
		t.Fatalf("%q: %v", body, p)
	}
}

// duplicates walks tokens by itself, as a second opinion.
func duplicates(dec *stdjson.Decoder) bool {
	type level struct {
		names map[string]bool // nil in an array
		value bool            // the next token is a value
	}
	var stack []*level
	for {
		tok, err := dec.Token()
		if err == io.EOF || err != nil {
			return false
		}
		if d, ok := tok.(stdjson.Delim); ok && (d == '}' || d == ']') {
			stack = stack[:len(stack)-1]
			continue
		}
		if n := len(stack); n > 0 && stack[n-1].names != nil {
			top := stack[n-1]
			if !top.value {
				if top.names[tok.(string)] {
					return true
				}
				top.names[tok.(string)], top.value = true, true
				continue
			}
			top.value = false
		}
		if d, ok := tok.(stdjson.Delim); ok {
			l := &level{}
			if d == '{' {
				l.names = map[string]bool{}
			}
			stack = append(stack, l)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"", "{}", `{"to":["a"],"vars":{"a":1.50,"b":null}}`, `{"a":1,"a":2}`, `[[[]]]`, `{"template":"\ud800"}`, `{"count":1e400}`,
		`{"vars":{"\u0000":"\\u0000"}}`, "\xef\xbb\xbf{}", `{"note":null,"at":null}`, `{"at":"2026-01-02T15:04:05Z"}`, `{"parts":[null]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) { checkAgreement(t, body) })
}

// Bodies that are nearly right find more than random bytes do.
func TestDecodeAgreesWithEncodingJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := []byte(value(0).Draw(t, "value"))
		if len(body) > 0 && rapid.Bool().Draw(t, "damage") {
			i := rapid.IntRange(0, len(body)-1).Draw(t, "at")
			body[i] = rapid.Byte().Draw(t, "byte")
		}
		checkAgreement(t, body)
	})
}

func value(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		name := rapid.SampledFrom([]string{`"to"`, `"vars"`, `"template"`, `"note"`, `"at"`, `"parts"`, `"name"`, `"x"`, `"\u0000"`, `"é"`})
		leaf := rapid.SampledFrom([]string{`null`, `true`, `"a"`, `"\u0000"`, `"\\u0000"`, `1`, `1.50`, `-0`, `1e5`, `1e999`, `"2026-01-02T15:04:05Z"`, `{}`, `[]`})
		if depth > 4 || rapid.IntRange(0, 2).Draw(t, "kind") == 0 {
			return leaf.Draw(t, "leaf")
		}
		items := rapid.SliceOfN(value(depth+1), 0, 4).Draw(t, "items")
		if rapid.Bool().Draw(t, "array") {
			return "[" + strings.Join(items, ",") + "]"
		}
		for i := range items {
			items[i] = name.Draw(t, "name") + ":" + items[i]
		}
		return "{" + strings.Join(items, ",") + "}"
	})
}
