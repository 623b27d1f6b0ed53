package httpapi

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"io"
	"math"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/opennotify/notify/pkg/problem"
)

// MaxDepth is how deep arrays and objects may nest in a body.
const MaxDepth = 32

// strict is how bodies are read. The library's defaults refuse duplicate names, invalid UTF-8, lone
// surrogates and trailing data, and match names by exact case.
var strict = json.JoinOptions(
	json.RejectUnknownMembers(true),
	json.WithUnmarshalers(json.JoinUnmarshalers(json.UnmarshalFromFunc(untyped), json.UnmarshalFromFunc(number))),
)

// untyped keeps numbers in untyped values as they were written, as encoding/json's Number: 19.90 stays
// 19.90, and an id of 19 digits stays itself. Every other value is the library's: string, bool, nil,
// map[string]any, []any.
func untyped(dec *jsontext.Decoder, v *any) error {
	if dec.PeekKind() != jsontext.KindNumber {
		return errors.ErrUnsupported
	}
	n, err := dec.ReadValue()
	*v = stdjson.Number(n)
	return err
}

// number is for fields of encoding/json's Number, which this library would take for text.
func number(dec *jsontext.Decoder, v *stdjson.Number) error {
	if dec.PeekKind() != jsontext.KindNumber {
		return problem.New(problem.BadJSON, "expected a number")
	}
	n, err := dec.ReadValue()
	*v = stdjson.Number(n)
	return err
}

// Decode reads a body into a value, strictly: no unknown, misspelt or duplicate names, no null where a value
// must be, no invalid UTF-8, no NUL, nothing after the value, at most MaxDepth deep, integers exactly, other
// numbers within float64's range. What is wrong is a BadJSON that never repeats a value of the body.
//
// A type with its own UnmarshalJSONFrom inherits all of it by reading through the decoder it is given, and
// may return a problem, whose detail is shown; any other error's text is not. Whether it takes null is its
// own affair.
func Decode(body []byte, into any) *problem.Error {
	if len(bytes.TrimLeft(body, " \t\r\n")) == 0 {
		return problem.New(problem.BadJSON, "the body is empty: send a JSON value with Content-Type: application/json")
	}
	found := scan(body)
	if found.depth > MaxDepth {
		return problem.New(problem.BadJSON, "the body is nested more than %d deep", MaxDepth)
	}
	if err := json.Unmarshal(body, into, strict); err != nil {
		return fault(body, reflect.TypeOf(into), err)
	}
	if !found.nul && !found.null && !found.bigNumber {
		return nil
	}
	// Rare: a second, slower look finds the place.
	return inspect(body, reflect.TypeOf(into))
}

// findings are what one cheap pass over the bytes can tell.
type findings struct {
	depth     int
	null      bool // a null outside of strings
	nul       bool // perhaps an escaped NUL
	bigNumber bool // a number with an exponent or of many digits
}

// maxDigits is the longest number that is surely within float64's range without an exponent.
const maxDigits = 300

// scan does not judge: of a body that is no JSON it tells nonsense, which the decoder then refuses.
func scan(body []byte) findings {
	var f findings
	depth := 0
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '"':
			i = scanString(body, i+1, &f)
		case c == '{' || c == '[':
			depth++
			f.depth = max(f.depth, depth)
		case c == '}' || c == ']':
			depth--
		case c == 'n':
			f.null = true
		case c >= '0' && c <= '9':
			start := i
			for i+1 < len(body) && isNumber(body[i+1]) {
				i++
				f.bigNumber = f.bigNumber || body[i]|0x20 == 'e'
			}
			f.bigNumber = f.bigNumber || i-start > maxDigits
		}
	}
	return f
}

func isNumber(c byte) bool {
	return c >= '0' && c <= '9' || c == '.' || c|0x20 == 'e' || c == '+' || c == '-'
}

// scanString returns where the string ends that begins before i.
func scanString(body []byte, i int, f *findings) int {
	for ; i < len(body) && body[i] != '"'; i++ {
		if body[i] == '\\' {
			f.nul = f.nul || bytes.HasPrefix(body[i:], []byte(`\u0000`))
			i++
		}
	}
	return i
}

// inspect finds a NUL, a number out of range, or a null that the type has no place for, in a body that is
// otherwise good.
func inspect(body []byte, t reflect.Type) *problem.Error {
	dec := jsontext.NewDecoder(bytes.NewReader(body))
	for {
		kind := dec.PeekKind()
		if kind == jsontext.KindInvalid {
			return nil // the end: the body has been decoded once already
		}
		tok, err := dec.ReadToken()
		if err != nil {
			if err == io.EOF {
				return nil
			}
			return fault(body, t, err)
		}
		at := dec.StackPointer()
		switch kind {
		case '"':
			if s := tok.String(); bytes.IndexByte([]byte(s), 0) >= 0 {
				return badAt(at, problem.BadValue, "a string may not hold the character U+0000")
			}
		case '0':
			if f, err := strconv.ParseFloat(tok.String(), 64); err != nil || math.IsInf(f, 0) {
				return badAt(at, problem.BadValue, "the number is out of the range of a float64")
			}
		case 'n':
			if place := typeAt(t, at); place.known && !nullable(place.t) {
				return badAt(at, problem.BadType, "null is not allowed here: expected %s, or leave the field out", expected(place.t))
			}
		}
	}
}

// syntaxHint says what is wrong without repeating any of it.
func syntaxHint(body []byte, err error) string {
	switch {
	case bytes.HasPrefix(body, []byte("\xef\xbb\xbf")):
		return "the body begins with a byte order mark: send UTF-8 without it"
	case !utf8.Valid(body):
		return "the body is not valid UTF-8"
	case errors.Is(err, io.ErrUnexpectedEOF), err == io.EOF:
		return "the body ends before its JSON is complete"
	}
	return ""
}
