package message

import (
	"strings"
	"unicode/utf8"
)

// Mask shows enough of an address to recognise it and too little to use it: +86138****5678,
// w***@example.com, https://hooks.example.com/…. Of a URL only the scheme and the host are shown; of a
// phone number at least four digits are hidden, of anything else at least half.
func Mask(s string) string {
	if scheme, rest, ok := strings.Cut(s, "://"); ok && (strings.EqualFold(scheme, "https") || strings.EqualFold(scheme, "http")) {
		if i := strings.IndexAny(rest, `/?#\`); i >= 0 {
			rest = rest[:i]
		}
		return scheme + "://" + rest[strings.LastIndexByte(rest, '@')+1:] + "/…"
	}
	if i := strings.LastIndexByte(s, '@'); i > 0 {
		_, size := utf8.DecodeRuneInString(s)
		return s[:size] + "***" + s[i:]
	}
	r := []rune(s)
	if len(r) <= 4 {
		return strings.Repeat("*", len(r))
	}
	if r[0] == '+' && len(r) > 10 {
		return string(r[:min(6, len(r)-8)]) + "****" + string(r[len(r)-4:])
	}
	keep := min(4, len(r)/4)
	return string(r[:keep]) + "****" + string(r[len(r)-keep:])
}
