package recipe

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr"

	"github.com/opennotify/notify/pkg/provider"
)

// functions lists all that expressions may call.
func functions() []expr.Option {
	return []expr.Option{
		// string writes a number, a truth value or a text; nil is "".
		function("string", func(a []any) (any, error) { return text(a[0]) }, new(func(any) string)),
		// int reads a text or cuts a number.
		function("int", func(a []any) (any, error) { return integer(a[0]) }, new(func(any) int)),
		function("round", func(a []any) (any, error) { return rounded(a[0]) }, new(func(any) int)),
		function("len", func(a []any) (any, error) { return length(a[0]) }, new(func(any) int)),
		// chars counts characters, len bytes.
		function("chars", func(a []any) (any, error) { s, err := text(a[0]); return utf8.RuneCountInString(s), err }, new(func(any) int)),
		function("lower", texts(strings.ToLower), new(func(any) string)),
		function("upper", texts(strings.ToUpper), new(func(any) string)),
		function("trim", texts(strings.TrimSpace), new(func(any) string)),
		function("base64", texts(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }), new(func(any) string)),
		function("hex", texts(func(s string) string { return hex.EncodeToString([]byte(s)) }), new(func(any) string)),
		function("json", func(a []any) (any, error) { return encodeJSON(a[0]) }, new(func(any) string)),
		function("split", split, new(func(any, string) []any)),
		function("join", join, new(func([]any, string) string)),
		// substr is the characters from one index up to another one, or the end; last is the last n bytes.
		function("substr", substr, new(func(any, int) string), new(func(any, int, int) string)),
		function("last", last, new(func(any, int) string)),
		function("replace", replace, new(func(any, string, string) string)),
		// opt is nil for "", so that what it stands for is left out.
		function("opt", func(a []any) (any, error) { return optional(a[0]), nil }, new(func(any) any)),
		// find is the first map of a list in which a key has a value, or nil.
		function("find", find, new(func(any, string, string) any)),
		// values picks variables in the order of names, which a comma parts; only keeps the names. A name may
		// be one of the vendor's for one of ours: thing1=product.
		function("values", values, new(func(any, any) []any)),
		function("only", only, new(func(any, any) map[string]any)),
		// date writes Unix seconds; time reads a text into milliseconds. Both take Go's layout and the hours
		// east of Greenwich.
		function("date", date, new(func(int, string, int) string)),
		function("time", parseTime, new(func(any, string, int) int)),
	}
}

var errOutput = errors.New("the result is too long")

// function bounds what comes out.
func function(name string, f func([]any) (any, error), types ...any) expr.Option {
	return expr.Function(name, func(args ...any) (any, error) {
		out, err := f(args)
		if s, ok := out.(string); ok && len(s) > maxOutput {
			return nil, errOutput
		}
		return out, err
	}, types...)
}

func texts(f func(string) string) func([]any) (any, error) {
	return func(a []any) (any, error) {
		s, err := text(a[0])
		if err != nil {
			return nil, err
		}
		return f(s), nil
	}
}

// text writes a scalar; nil is "".
func text(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		if v == 0 {
			v = 0 // not -0, which no template writes either
		}
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case json.Number:
		return v.String(), nil
	}
	return "", fmt.Errorf("a %T is no text", v)
}

func number(v any) (float64, error) {
	switch v := v.(type) {
	case int:
		return float64(v), nil
	case int64:
		return float64(v), nil
	case float64:
		return v, nil
	}
	s, err := text(v)
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(s), 64)
}

func integer(v any) (any, error) {
	if s, ok := v.(string); ok { // without the detour over a float, which loses digits
		if n, err := strconv.Atoi(strings.TrimSpace(s)); err == nil {
			return n, nil
		}
	}
	if n, ok := v.(int); ok {
		return n, nil
	}
	f, err := number(v)
	if err != nil || math.Abs(f) > 1<<53 {
		return nil, errors.New("not a whole number")
	}
	return int(f), nil
}

func rounded(v any) (any, error) {
	f, err := number(v)
	if err != nil || math.Abs(f) > 1<<53 {
		return nil, errors.New("not a number")
	}
	return int(math.Round(f)), nil
}

func length(v any) (any, error) {
	switch v := v.(type) {
	case []any:
		return len(v), nil
	case map[string]any:
		return len(v), nil
	}
	s, err := text(v)
	return len(s), err
}

// encodeJSON leaves <, > and & as they are, as vendors' examples do. Keys are sorted.
func encodeJSON(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

func split(a []any) (any, error) {
	s, err := text(a[0])
	if err != nil {
		return nil, err
	}
	var out []any
	for _, part := range strings.Split(s, a[1].(string)) {
		out = append(out, part)
	}
	return out, nil
}

func join(a []any) (any, error) {
	var b strings.Builder
	for i, v := range a[0].([]any) {
		s, err := text(v)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteString(a[1].(string))
		}
		if b.WriteString(s); b.Len() > maxOutput {
			return nil, errOutput
		}
	}
	return b.String(), nil
}

func substr(a []any) (any, error) {
	s, err := text(a[0])
	if err != nil {
		return nil, err
	}
	runes := []rune(s)
	from, to := a[1].(int), len(runes)
	if len(a) == 3 {
		to = a[2].(int)
	}
	from = min(max(from, 0), len(runes))
	return string(runes[from:min(max(to, from), len(runes))]), nil
}

func last(a []any) (any, error) {
	s, err := text(a[0])
	return s[max(len(s)-max(a[1].(int), 0), 0):], err
}

func replace(a []any) (any, error) {
	s, err := text(a[0])
	old, with := a[1].(string), a[2].(string)
	if err != nil || old == "" {
		return s, err
	}
	if len(s)+strings.Count(s, old)*len(with) > 2*maxOutput {
		return nil, errOutput
	}
	return strings.ReplaceAll(s, old, with), nil
}

func optional(v any) any {
	if v == "" {
		return nil
	}
	return v
}

// pick gives variables in the order of a list of names, see provider.ParseVariables.
func pick(a []any) ([]provider.Named, []string, error) {
	words, err := text(a[1])
	if err != nil {
		return nil, nil, err
	}
	list, ok := provider.ParseVariables(words)
	if !ok {
		return nil, nil, errors.New("not a list of variables")
	}
	from, _ := a[0].(map[string]any)
	out := make([]string, len(list))
	for i, n := range list {
		v, ok := from[n.Ours]
		if !ok {
			return nil, nil, errors.New("there is no such variable")
		}
		if out[i], err = text(v); err != nil {
			return nil, nil, err
		}
	}
	return list, out, nil
}

func values(a []any) (any, error) {
	_, picked, err := pick(a)
	out := make([]any, len(picked))
	for i, v := range picked {
		out[i] = v
	}
	return out, err
}

func only(a []any) (any, error) {
	list, picked, err := pick(a)
	out := make(map[string]any, len(list))
	for i, n := range list {
		out[n.Theirs] = picked[i]
	}
	return out, err
}

func find(a []any) (any, error) {
	all, _ := a[0].([]any)
	for _, v := range all {
		if m, ok := v.(map[string]any); ok && m[a[1].(string)] == a[2] {
			return m, nil
		}
	}
	return nil, nil
}

func zone(hours int) *time.Location { return time.FixedZone("", hours*3600) }

func date(a []any) (any, error) {
	return time.Unix(int64(a[0].(int)), 0).In(zone(a[2].(int))).Format(a[1].(string)), nil
}

func parseTime(a []any) (any, error) {
	s, err := text(a[0])
	if err != nil {
		return nil, err
	}
	t, err := time.ParseInLocation(a[1].(string), s, zone(a[2].(int)))
	if err != nil {
		return nil, errors.New("not a time of that layout")
	}
	return int(t.UnixMilli()), nil
}
