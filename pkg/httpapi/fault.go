package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/opennotify/notify/pkg/problem"
)

// fault makes a decoder's error a problem. The error's own text is never shown: it repeats what was sent.
func fault(body []byte, t reflect.Type, err error) *problem.Error {
	var own *problem.Error
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	pointer := jsontext.Pointer("")
	if errors.As(err, &semantic) {
		pointer = semantic.JSONPointer
	}
	switch {
	case errors.As(err, &own):
		return ownFault(pointer, own)
	case errors.Is(err, jsontext.ErrDuplicateName):
		if errors.As(err, &syntax) {
			pointer = syntax.JSONPointer
		}
		return badAt(pointer, problem.BadValue, "the name occurs twice in its object")
	case errors.As(err, &syntax):
		hint := syntaxHint(body, err)
		if hint == "" {
			hint = fmt.Sprintf("the body is not valid JSON: see byte %d", syntax.ByteOffset)
		}
		return badAt(syntax.JSONPointer, problem.BadValue, "%s", hint)
	case semantic == nil:
		hint := syntaxHint(body, err)
		if hint == "" {
			hint = "the body cannot be read as JSON"
		}
		return problem.New(problem.BadJSON, "%s", hint)
	case errors.Is(err, json.ErrUnknownName):
		return unknownName(t, pointer)
	}
	place := typeAt(t, pointer)
	if !place.known && semantic.GoType != nil {
		place.t = semantic.GoType
	}
	return badAt(pointer, problem.BadType, "expected %s%s", expected(place.t), gotFor(place.t, semantic))
}

// ownFault is a problem that a type's own decoding returned: its fields are relative to the value.
func ownFault(at jsontext.Pointer, own *problem.Error) *problem.Error {
	if len(own.Fields) == 0 {
		return badAt(at, problem.BadType, "%s", own.Detail)
	}
	p := problem.New(problem.BadJSON, "%s", own.Detail)
	for _, f := range own.Fields {
		f.Pointer = showPointer(at) + f.Pointer
		p.Fields = append(p.Fields, f)
	}
	return p
}

func unknownName(t reflect.Type, pointer jsontext.Pointer) *problem.Error {
	name := pointer.LastToken()
	hint := ""
	if place := typeAt(t, pointer.Parent()); place.known && place.t.Kind() == reflect.Struct {
		hint = suggest(name, memberNames(place.t))
	}
	if showable(name) {
		return badAt(pointer, problem.UnknownField, "there is no field %q%s", name, hint)
	}
	return badAt(pointer, problem.UnknownField, "there is a field that this object does not have%s", hint)
}

func badAt(at jsontext.Pointer, code problem.Code, format string, args ...any) *problem.Error {
	f := problem.At(showPointer(at), code, format, args...)
	p := problem.New(problem.BadJSON, "%s", f.Detail)
	p.Fields = []problem.Field{f}
	return p
}

// gotFor is what came in the place of a type: of a number for a whole number, why it is none.
func gotFor(t reflect.Type, err *json.SemanticError) string {
	switch whole := strings.HasPrefix(expected(t), "a whole number"); {
	case !whole || err.JSONKind != '0' || len(err.JSONValue) == 0:
		return got(err.JSONKind)
	case bytes.ContainsAny(err.JSONValue, ".eE"):
		return ", got one with a point or an exponent"
	}
	return ", got one that is too large or too small"
}

func got(k jsontext.Kind) string {
	switch k {
	case 'n':
		return ", got null"
	case 't', 'f':
		return ", got a boolean"
	case '"':
		return ", got a string"
	case '0':
		return ", got a number"
	case '{', '}':
		return ", got an object"
	case '[', ']':
		return ", got an array"
	}
	return ""
}

// maxShown is the length up to which a name that a caller sent is repeated to them: longer than any field,
// shorter than a key.
const maxShown = 40

// showable tells whether a name that a caller sent may stand in an answer, which may end in a log: it looks
// like a name, and so like neither an address nor a secret.
func showable(name string) bool {
	if name == "" || len(name) > maxShown || name[0] >= '0' && name[0] <= '9' {
		return false
	}
	for _, c := range []byte(name) {
		if c != '_' && c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return true
}

// showPointer cuts a pointer before the first name that may not be shown.
func showPointer(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		if !showable(token) && !isIndex(token) {
			break
		}
		b.WriteByte('/')
		b.WriteString(token)
	}
	return b.String()
}

// isIndex tells an array's index from a number that could be somebody's.
func isIndex(token string) bool {
	return len(token) <= 6 && token != "" && strings.Trim(token, "0123456789") == ""
}

// suggest is the end of a sentence about an unknown name.
func suggest(name string, known []string) string {
	best, bestDistance := "", 3
	for _, k := range known {
		d := problem.Distance(strings.ToLower(name), k, bestDistance)
		if d < bestDistance && d < len(k) {
			best, bestDistance = k, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf("; did you mean %q?", best)
	case len(known) > 0 && len(known) <= 20:
		return "; the known ones are " + strings.Join(known, ", ")
	}
	return ""
}
