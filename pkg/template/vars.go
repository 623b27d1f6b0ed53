package template

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/opennotify/notify/pkg/problem"
)

// maxEntries is how many entries a list may have, and maxEntryFields how many fields an entry.
const (
	maxEntries     = 1000
	maxEntryFields = 50
)

// Check compares variables with the declarations and returns all faults, with pointers such as
// /vars/name. No detail repeats a value.
func (c *Compiled) Check(vars map[string]any) []problem.Field {
	k := checker{}
	for _, v := range c.template.Variables {
		d := c.declared[v.Name]
		at := "/vars/" + v.Name
		value, ok := vars[v.Name]
		if !ok || value == nil {
			if !d.Optional {
				k.fault(at, problem.MissingVariable, "the template needs the variable %q, a %s", v.Name, d.Type)
			}
			continue
		}
		k.value(at, d, value)
	}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if c.declared[name] == nil {
			k.fault("/vars/"+escapePointer(name), problem.UnknownVariable, "the template has no such variable%s", didYouMean(name, maps.Keys(c.declared)))
		}
	}
	return k.faults
}

// escapePointer is RFC 6901 §3; what a caller made up is cut, and shown without control characters.
func escapePointer(name string) string {
	if len(name) > 64 {
		name = strings.ToValidUTF8(name[:64], "")
	}
	name = strings.Map(func(r rune) rune {
		if forbidden(r) || r == '\n' || r == '\t' {
			return utf8.RuneError
		}
		return r
	}, name)
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// maxFaults is how many faults are told at once.
const maxFaults = 100

type checker struct{ faults []problem.Field }

func (k *checker) fault(at string, code problem.Code, format string, args ...any) {
	if len(k.faults) == maxFaults {
		return
	}
	k.faults = append(k.faults, problem.At(at, code, format, args...))
}

func (k *checker) value(at string, d *declared, value any) {
	switch d.Type {
	case typeNumber:
		k.number(at, value)
	case typeBoolean:
		if _, ok := value.(bool); !ok {
			k.fault(at, problem.BadType, "must be true or false, without quotes")
		}
	case typeList:
		k.list(at, d, value)
	default:
		s, ok := value.(string)
		if !ok {
			k.fault(at, problem.BadType, "must be a string")
			return
		}
		if !k.text(at, d, s) {
			return
		}
		if d.Type == typeURL && !webURL(s) {
			k.fault(at, problem.BadValue, "must be an absolute http or https URL without a user name, such as https://example.com/orders/1")
			return
		}
		if d.pattern != nil && !d.pattern.MatchString(s) {
			k.fault(at, problem.BadValue, "must match the pattern %s", d.Pattern)
		}
	}
}

// text checks a string's length and characters.
func (k *checker) text(at string, d *declared, s string) bool {
	if n := utf8.RuneCountInString(s); n > d.MaxLength {
		k.fault(at, problem.TooLong, "has %d characters; %d are allowed", n, d.MaxLength)
		return false
	}
	if !utf8.ValidString(s) {
		k.fault(at, problem.BadValue, "is not valid UTF-8")
		return false
	}
	for _, r := range s {
		if forbidden(r) {
			k.fault(at, problem.BadValue, "has the character U+%04X, which is a control character or turns text around; remove it", r)
			return false
		}
		if d.oneLine && (r == '\n' || r == '\t') {
			k.fault(at, problem.BadValue, "is used in a subject, so it must be one line without tabs")
			return false
		}
	}
	return true
}

// forbidden characters break lines where there are none, hide, or show text in another order than it is
// read: C0 and C1 but \n and \t, line and paragraph separators, bidi embeddings, overrides and isolates.
func forbidden(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' ||
		r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// maxNumber: beyond it a number needs an exponent.
const maxNumber = 1e21

func (k *checker) number(at string, value any) {
	switch v := value.(type) {
	case int, int64:
		return
	case float64:
		if math.Abs(v) < maxNumber { // false for NaN
			return
		}
	case json.Number:
		f, err := strconv.ParseFloat(string(v), 64)
		if err != nil || !json.Valid([]byte(v)) {
			k.fault(at, problem.BadType, "must be a number")
			return
		}
		if math.Abs(f) < maxNumber && len(v) <= 40 {
			return
		}
	default:
		k.fault(at, problem.BadType, "must be a number, without quotes")
		return
	}
	k.fault(at, problem.BadValue, "must be a number between -1e21 and 1e21 of at most 40 characters")
}

func (k *checker) list(at string, d *declared, value any) {
	entries, ok := list(value)
	if !ok {
		k.fault(at, problem.BadType, "must be a list of objects")
		return
	}
	if len(entries) > maxEntries {
		k.fault(at, problem.TooMany, "has %d entries; %d are allowed", len(entries), maxEntries)
		return
	}
	for i, e := range entries {
		place := at + "/" + strconv.Itoa(i)
		entry, ok := e.(map[string]any)
		if !ok {
			k.fault(place, problem.BadType, "must be an object")
			continue
		}
		if len(entry) > maxEntryFields {
			k.fault(place, problem.TooMany, "has %d fields; %d are allowed", len(entry), maxEntryFields)
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(d.fields)) {
			if entry[name] == nil {
				k.fault(place+"/"+name, problem.MissingVariable, "the template needs %q in every entry of this list", name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(entry)) {
			k.scalar(place+"/"+escapePointer(name), d, name, entry[name])
		}
	}
}

func (k *checker) scalar(at string, d *declared, name string, value any) {
	if !nameForm.MatchString(name) {
		k.fault(at, problem.BadValue, "a field's name has 1 to 64 letters, digits and _, and begins with no digit")
		return
	}
	switch v := value.(type) {
	case nil, bool:
	case string:
		k.text(at, d, v)
	case float64, json.Number, int, int64:
		k.number(at, v)
	default:
		k.fault(at, problem.BadType, "must be a string, a number or a boolean")
	}
}

// webURL is an absolute http or https URL without a user, which is there to look like another host.
func webURL(s string) bool {
	if strings.ContainsAny(s, " \t\n\\") {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil
}

// didYouMean is a hint with the nearest name, or "" when none is near.
func didYouMean(name string, names iter.Seq[string]) string {
	best, nearest := "", 1+min(2, len(name)/2)
	for _, candidate := range slices.Sorted(names) {
		if d := problem.Distance(strings.ToLower(name), strings.ToLower(candidate), nearest); d < nearest {
			best, nearest = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}
