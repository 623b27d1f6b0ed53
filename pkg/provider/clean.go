package provider

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/opennotify/notify/pkg/message"
)

const blank = "***"

// Clean makes a provider's words fit for a record and a log: the account's secrets and the recipient's
// address are blanked, control characters become spaces, and it is cut to message.MaxText bytes.
// Everything that a provider wrote goes through it before it becomes a Result's Code or Text.
func Clean(text string, a Account, to message.Address) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, " "))
	for _, form := range secretForms(a.Secrets) {
		text = strings.ReplaceAll(text, form, blank)
	}
	text = blankAddress(text, string(to))
	text = strings.TrimSpace(text)
	for len(text) > message.MaxText {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:max(len(text)-size, 0)]
	}
	return text
}

// secretForms lists what a secret may look like in a text, longest first, so that no part of a longer one
// is left: as it is, inside a URL, and the words of one in several lines, as headers are.
func secretForms(secrets map[string]message.Secret) []string {
	var forms []string
	for _, secret := range secrets {
		for _, form := range append(strings.Fields(string(secret)), string(secret)) {
			if len(form) >= 4 { // blanking "1" or "ok" would only make the text unreadable
				forms = append(forms, form, url.QueryEscape(form), url.PathEscape(form))
			}
		}
	}
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	return forms
}

func blankAddress(text, to string) string {
	if len(to) < 4 {
		return text
	}
	text = replaceFold(text, to)
	if u, err := url.Parse(to); err == nil && u.Host != "" {
		if path := u.RequestURI(); len(path) > 3 {
			text = strings.ReplaceAll(text, path, blank)
		}
		return text
	}
	if digits := digitsOf(to); to[0] == '+' || len(digits) == len(to) {
		return blankNumber(text, digits)
	}
	return text
}

// replaceFold ignores the case of ASCII letters only: other letters may change their length with their
// case, and offsets would no longer fit.
func replaceFold(text, old string) string {
	lower, old := lowerASCII(text), lowerASCII(old)
	var out strings.Builder
	for {
		i := strings.Index(lower, old)
		if i < 0 {
			out.WriteString(text)
			return out.String()
		}
		out.WriteString(text[:i])
		out.WriteString(blank)
		text, lower = text[i+len(old):], lower[i+len(old):]
	}
}

func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// blankNumber finds the number with and without its country code.
func blankNumber(text, number string) string {
	var out strings.Builder
	for text != "" {
		n := 0
		for n < len(text) && text[n] >= '0' && text[n] <= '9' {
			n++
		}
		if n == 0 {
			out.WriteByte(text[0])
			text = text[1:]
			continue
		}
		run := text[:n]
		if n >= 7 && (strings.HasSuffix(number, run) || strings.Contains(run, number)) {
			run = blank
		}
		out.WriteString(run)
		text = text[n:]
	}
	return out.String()
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}
