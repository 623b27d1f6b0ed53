package template

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// minWeight is how much of a template's own text a fragment must have. A Chinese character weighs as much as two letters.
const minWeight = 12

// maxEdge is how long a value may be that a fragment begins or ends with, in bytes.
const maxEdge = 32

// Fragment lists the templates that a text may be a piece of, those that it has most in common with first. It is for a
// text that Match finds nowhere. A piece begins and ends in the template's own text, or in a value that is a code or
// a number: anything else at its ends could be words that a stranger put there.
func (m *Matcher) Fragment(text string) []Match {
	if len(text) > maxMatch {
		return nil
	}
	pieces := readings(text)
	var out []Match
	for _, r := range m.rows {
		best := 0
		for i := range r.shapes {
			for _, p := range pieces {
				best = max(best, r.shapes[i].piece(p.text))
			}
		}
		if best > 0 {
			t := r.compiled.template
			v := t.Variants[r.index]
			out = append(out, Match{Tenant: t.Tenant, Name: t.Name, Version: t.Version, Channel: string(v.Channel), Locale: v.Locale, Fixed: best})
		}
	}
	slices.SortFunc(out, byFixed)
	return out
}

// piece tells how many characters of the shape's own a text has that is a piece of it; 0 when it is none.
func (s *shape) piece(text string) (fixed int) {
	for i, p := range s.parts {
		if weight(text) >= minWeight && strings.Contains(p, text) {
			return runes(text)
		}
		// It begins within the part,
		for k := range p {
			if n := len(p) - k; n < len(text) && strings.HasPrefix(text, p[k:]) {
				fixed = max(fixed, s.onward(text[n:], i+1, p[k:]))
			}
		}
		// or in the value before it.
		near := text[:min(len(text), maxEdge+len(p))]
		if at := strings.Index(near, p); s.gaps[i].open && at > 0 && isValue(text[:at]) {
			fixed = max(fixed, s.onward(text[at+len(p):], i+1, p))
		}
	}
	return fixed
}

// onward goes on behind part i-1, of which had was found; 0 when the rest is nothing that may follow, or too little was
// found.
func (s *shape) onward(rest string, i int, had string) (fixed int) {
	found, weighs := runes(had), weight(had)
	enough := func(more string) {
		if weighs+weight(more) >= minWeight {
			fixed = max(fixed, found+runes(more))
		}
	}
	for ; ; i++ {
		if rest == "" || s.gaps[i].open && isValue(rest) {
			enough("")
		}
		if i == len(s.parts) || rest == "" || !s.gaps[i].open {
			return fixed
		}
		p := s.parts[i]
		for n := min(len(p), len(rest)) - 1; n > 0; n-- { // it may end within the part
			if utf8.RuneStart(p[n]) && strings.HasSuffix(rest, p[:n]) {
				enough(p[:n])
				break
			}
		}
		at := strings.Index(rest, p)
		if at < 0 {
			return fixed
		}
		found, weighs, rest = found+runes(p), weighs+weight(p), rest[at+len(p):]
	}
}

// isValue tells whether a text looks like a code, a number, or a part of one.
func isValue(s string) bool {
	return len(s) <= maxEdge && strings.IndexFunc(s, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '.' && r != '_'
	}) < 0
}

// TooShort tells whether a text has too little in it, besides a sign, to be told from any other.
func TooShort(text string) bool {
	return !slices.ContainsFunc(readings(text), func(r reading) bool {
		return weight(strings.TrimFunc(r.text, unicode.IsPunct)) >= minWeight
	})
}

func weight(s string) (n int) {
	for _, r := range s {
		n++
		if unicode.Is(unicode.Han, r) {
			n++
		}
	}
	return n
}

// byFixed puts the surest first.
func byFixed(a, b Match) int {
	return cmp.Or(cmp.Compare(b.Fixed, a.Fixed), cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Name, b.Name),
		cmp.Compare(b.Version, a.Version), cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Locale, b.Locale))
}
