package template

import (
	"strings"
	"unicode/utf8"
)

// escaper appends a variable's value so that it stays a value: it cannot end the place it stands in.
type escaper func(dst []byte, value string) []byte

func asIs(dst []byte, v string) []byte { return append(dst, v...) }

// escapeHTML serves text and quoted attribute values.
func escapeHTML(dst []byte, v string) []byte {
	from := 0
	for i := range len(v) {
		var entity string
		switch v[i] {
		case '&':
			entity = "&amp;"
		case '<':
			entity = "&lt;"
		case '>':
			entity = "&gt;"
		case '"':
			entity = "&#34;"
		case '\'':
			entity = "&#39;"
		case 0:
			entity = "\uFFFD"
		default:
			continue
		}
		dst = append(append(dst, v[from:i]...), entity...)
		from = i + 1
	}
	return append(dst, v[from:]...)
}

// escapeHTMLURL serves a variable that begins a URL attribute: it may only be a link that runs nothing.
func escapeHTMLURL(dst []byte, v string) []byte {
	if !harmless(v) {
		return append(dst, '#')
	}
	for i := range len(v) {
		switch c := v[i]; {
		case c == '&':
			dst = append(dst, "&amp;"...)
		case c <= ' ' || c == 0x7f || strings.IndexByte("\"'<>\\^`{|}", c) >= 0:
			dst = percent(dst, c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func harmless(link string) bool {
	for _, scheme := range [...]string{"https://", "http://", "mailto:", "tel:"} {
		if len(link) > len(scheme) && strings.EqualFold(link[:len(scheme)], scheme) {
			return true
		}
	}
	return false
}

// escapeURLPart serves a variable within a URL: what is not unreserved (RFC 3986 §2.3) is
// percent-encoded, so it adds no path segment, no parameter and no scheme.
func escapeURLPart(dst []byte, v string) []byte {
	for i := range len(v) {
		switch c := v[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', strings.IndexByte("-._~", c) >= 0:
			dst = append(dst, c)
		default:
			dst = percent(dst, c)
		}
	}
	return dst
}

func percent(dst []byte, c byte) []byte {
	const digits = "0123456789ABCDEF"
	return append(dst, '%', digits[c>>4], digits[c&15])
}

// escapeJSON serves the inside of a JSON string.
func escapeJSON(dst []byte, v string) []byte {
	const digits = "0123456789abcdef"
	for _, r := range v {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r < ' ':
			dst = append(dst, '\\', 'u', '0', '0', digits[r>>4], digits[r&15])
		case r == '\u2028', r == '\u2029': // line ends to JavaScript, which reads much JSON
			dst = append(dst, '\\', 'u', '2', '0', '2', digits[r&15])
		default: // a broken byte comes as U+FFFD
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}
