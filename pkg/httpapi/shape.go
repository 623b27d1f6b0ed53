package httpapi

import (
	"encoding"
	stdjson "encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// place is the Go type that belongs at a pointer; not known below a type that decodes itself.
type place struct {
	t     reflect.Type
	known bool
}

// typeAt follows a pointer through a type. It runs only for bodies that are faulty or hold a null.
func typeAt(t reflect.Type, at jsontext.Pointer) place {
	if t == nil {
		return place{}
	}
	for token := range at.Tokens() {
		t = deref(t)
		if decodesItself(t) {
			return place{}
		}
		switch t.Kind() {
		case reflect.Struct:
			if t = member(t, token); t == nil {
				return place{}
			}
		case reflect.Map, reflect.Slice, reflect.Array:
			t = t.Elem()
		default: // an untyped value: anything goes
			return place{}
		}
	}
	if at == "" {
		t = deref(t) // what Decode was given is always a pointer
	}
	return place{t: t, known: true}
}

func deref(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

var timeType = reflect.TypeFor[time.Time]()

// implements tells whether a value or its address has a method set.
func implements[I any](t reflect.Type) bool {
	i := reflect.TypeFor[I]()
	return t.Implements(i) || reflect.PointerTo(t).Implements(i)
}

func decodesItself(t reflect.Type) bool {
	return t != timeType && (implements[json.UnmarshalerFrom](t) || implements[json.Unmarshaler](t))
}

func nullable(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface || decodesItself(t)
}

// member is the type of a struct's JSON member, nil without one.
func member(t reflect.Type, name string) reflect.Type {
	var found reflect.Type
	eachMember(t, func(n string, ft reflect.Type) {
		if n == name && found == nil {
			found = ft
		}
	})
	return found
}

func memberNames(t reflect.Type) []string {
	var names []string
	eachMember(t, func(n string, _ reflect.Type) { names = append(names, n) })
	return names
}

// eachMember lists a struct's JSON members, those of embedded structs after its own.
func eachMember(t reflect.Type, yield func(name string, t reflect.Type)) {
	var embedded []reflect.Type
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("json")
		name, _, _ := strings.Cut(tag, ",")
		switch {
		case tag == "-":
		case f.Anonymous && name == "":
			if e := deref(f.Type); e.Kind() == reflect.Struct {
				embedded = append(embedded, e)
			}
		case !f.IsExported():
		case tagged && name != "":
			yield(name, f.Type)
		default:
			yield(f.Name, f.Type)
		}
	}
	for _, e := range embedded {
		eachMember(e, yield)
	}
}

// expected says in a caller's words what a type takes.
func expected(t reflect.Type) string {
	if t == nil {
		return "another type"
	}
	t = deref(t)
	switch {
	case t == timeType:
		return "a time in RFC 3339, as 2026-01-02T15:04:05Z"
	case t == reflect.TypeFor[stdjson.Number]():
		return "a number"
	case decodesItself(t):
		return "another type"
	case implements[encoding.TextUnmarshaler](t):
		return "a string of the documented form"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Int8, reflect.Int16, reflect.Int32:
		return fmt.Sprintf("a whole number from %d to %d", -(int64(1) << (t.Bits() - 1)), int64(1)<<(t.Bits()-1)-1)
	case reflect.Uint, reflect.Uint64:
		return "a whole number from 0"
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return fmt.Sprintf("a whole number from 0 to %d", uint64(1)<<t.Bits()-1)
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return "a string in base 64"
		}
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "another type"
}
