package recipe

import (
	"strings"
	"testing"

	"github.com/expr-lang/expr/types"
	"github.com/google/go-cmp/cmp"
)

func eval(t *testing.T, text string, vars map[string]any) (any, error) {
	t.Helper()
	p, err := compile(text, scope{"vars": scope{types.Extra: types.Any}, "x": types.Any})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p.run(map[string]any{"vars": vars, "x": vars["x"]})
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	vars := map[string]any{"a": "x y", "n": 7, "f": 2.5, "b": true, "x": nil, "list": []any{map[string]any{"k": "1", "v": "one"}, map[string]any{"k": "2", "v": "two"}}}
	for text, want := range map[string]any{
		`string(x)`:                                       "",
		`string(vars.n) + string(vars.f)`:                 "72.5",
		`string(vars.b)`:                                  "true",
		`int("12") + int(2.9)`:                            14,
		`int("9007199254740993")`:                         9007199254740993,
		`round(2.5)`:                                      3,
		`len("中文") * 10 + chars("中文")`:                    62,
		`len(vars.list)`:                                  2,
		`lower("Ab") + upper("Ab")`:                       "abAB",
		`trim(" a ")`:                                     "a",
		`base64("a") + hex("a")`:                          "YQ==61",
		`json({a: "<&>", b: [1]})`:                        `{"a":"<&>","b":[1]}`,
		`split("a,b", ",")`:                               []any{"a", "b"},
		`join(["a", 1], "-")`:                             "a-1",
		`substr("中文字", 1)`:                                "文字",
		`substr("abc", -5, 99)`:                           "abc",
		`substr("abc", 2, 1)`:                             "",
		`last("abc", 2) + last("a", 9)`:                   "bca",
		`last("abc", -1)`:                                 "",
		`replace("a b", " ", "")`:                         "ab",
		`replace("ab", "", "x")`:                          "ab",
		`opt("")`:                                         nil,
		`opt("a")`:                                        "a",
		`values(vars, "n, a")`:                            []any{"7", "x y"},
		`values(vars, "")`:                                []any{},
		`only(vars, "thing1=a,n")`:                        map[string]any{"thing1": "x y", "n": "7"},
		`find(vars.list, "k", "2").v`:                     "two",
		`find(vars.list, "k", "3")?.v`:                    nil,
		`find(x, "k", "3")`:                               nil,
		`date(0, "2006-01-02 15:04", 8)`:                  "1970-01-01 08:00",
		`time("1970-01-01 08:00", "2006-01-02 15:04", 8)`: 0,
	} {
		got, err := eval(t, text, vars)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", text, err, diff)
		}
	}
}

func TestFunctionFaults(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", maxOutput/2)
	for _, text := range []string{
		`string(vars.m)`, `int("x")`, `int(1e300)`, `round("")`, `values(vars, "none")`, `values(vars, "m")`, `join([vars.m], "")`,
		`time("x", "2006", 0)`, `upper(vars.m)`, `split(vars.m, ",")`, `last(vars.m, 1)`, `len(vars.m.x.y)`,
		// What would grow beyond all bounds.
		`hex(vars.big) + "x"`, `replace(vars.big, "x", "yyy")`, `join([vars.big, vars.big, vars.big], ",")`,
		`json(json(json(json(json(json(json(json(json(json(json(vars.quotes)))))))))))`,
		`hex(hex(hex(hex(hex(hex(hex(hex(hex(hex(hex(hex(hex(hex(hex(hex(hex("0123456789")))))))))))))))))`,
	} {
		vars := map[string]any{"m": map[string]any{"a": 1}, "big": big + "x", "quotes": strings.Repeat(`"`, 1000)}
		if got, err := eval(t, text, vars); err == nil {
			t.Errorf("%s: %.40v", text, got)
		}
	}
}

func TestPath(t *testing.T) {
	t.Parallel()
	doc := decodeJSON([]byte(`{"entry":[{"changes":[{"v":1},{"v":2}]},{"changes":{"v":9}},{},3,{"changes":[{"v":3}]}],"one":{"v":4}}`))
	list := decodeJSON([]byte(`[1,2]`))
	for text, want := range map[string][]any{
		"entry[].changes[].v": {1, 2, 3},
		"one.v":               {4},
		"one":                 {map[string]any{"v": 4}},
		"none.v":              nil,
		"one[]":               nil,
	} {
		c := &compiler{}
		p := c.path(source{text: text}, "each")
		if diff := cmp.Diff(want, p.find(doc)); diff != "" || len(c.errs) > 0 {
			t.Errorf("%s: %v\n%s", text, c.errs, diff)
		}
	}
	c := &compiler{}
	if diff := cmp.Diff([]any{1, 2}, c.path(source{text: "[]"}, "each").find(list)); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"a..b", "a[0]", ".", "a.[]", "a b"} {
		c := &compiler{}
		if c.path(source{text: bad}, "each"); len(c.errs) == 0 {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestXML(t *testing.T) {
	t.Parallel()
	got := decodeXML([]byte("<xml><A><![CDATA[ a&b ]]></A><B>1</B><C><D>x</D></C><B>2</B></xml>"))
	if diff := cmp.Diff(map[string]any{"A": "a&b", "B": "2"}, got); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{"", "<", "<xml/>", "x"} {
		if got := decodeXML([]byte(text)); got != nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	f.Add(`a ${x} b`)
	f.Add("${'}'}${`{`}")
	f.Fuzz(func(t *testing.T, text string) {
		tm, err := parseTemplate(text, scope{"x": types.Any})
		if err != nil {
			return
		}
		if _, err := tm.value(map[string]any{"x": "v"}); err == nil && !strings.Contains(text, "${") {
			if got, _ := tm.constant(); got != text {
				t.Errorf("%q became %q", text, got)
			}
		}
	})
}
