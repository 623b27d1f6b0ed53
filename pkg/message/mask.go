package message

import "strings"

// Mask shows enough of an address to recognise it and too little to use it: +86138****5678,
// w***@example.com, https://hooks.example.com/….
func Mask(s string) string {
	if s == "" {
		return ""
	}
	if i := strings.Index(s, "://"); i >= 0 {
		host, _, _ := strings.Cut(s[i+3:], "/")
		return s[:i+3] + host + "/…"
	}
	if i := strings.LastIndexByte(s, '@'); i > 0 {
		_, size := firstRune(s)
		return s[:size] + "***" + s[i:]
	}
	r := []rune(s)
	if len(r) <= 4 {
		return strings.Repeat("*", len(r))
	}
	if r[0] == '+' && len(r) > 10 {
		return string(r[:6]) + "****" + string(r[len(r)-4:])
	}
	keep := min(4, len(r)/4)
	return string(r[:keep]) + "****" + string(r[len(r)-keep:])
}

func firstRune(s string) (rune, int) {
	for i, r := range s {
		if i > 0 {
			return r, i
		}
	}
	return 0, len(s)
}
