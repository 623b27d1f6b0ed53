package webhook

import (
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

// reserved are the headers that HTTP or this package sets: hop-by-hop ones
// (https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1) and ours.
var reserved = []string{"Connection", "Proxy-Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
	"Proxy-Authenticate", "Proxy-Authorization", "Host", "Expect", "User-Agent", "Traceparent", "Tracestate",
	"Accept-Encoding", "Idempotency-Key", "X-Idempotency-Key"} // the last two make net/http repeat a request by itself

// parseHeaders reads "Name: value" lines. Its errors name the line, never the value.
func parseHeaders(text string) (http.Header, error) {
	out := http.Header{}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		name, value, found := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		if !found || !token(name) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			return nil, fmt.Errorf("line %d is not a header in the form Name: value", i+1)
		}
		name = textproto.CanonicalMIMEHeaderKey(name)
		if slices.Contains(reserved, name) || strings.HasPrefix(name, "Content-") || strings.HasPrefix(name, "Webhook-") {
			return nil, fmt.Errorf("line %d sets a header that is reserved", i+1)
		}
		out.Add(name, value)
	}
	return out, nil
}

// token is a header's name: https://www.rfc-editor.org/rfc/rfc9110#name-tokens
func token(s string) bool {
	const marks = "!#$%&'*+-.^_`|~"
	outside := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(marks, r)
	}
	return s != "" && !strings.ContainsFunc(s, outside)
}
