package httpapi

import (
	"strings"

	"github.com/opennotify/notify/pkg/problem"
)

// KeyHeader is the header that makes a request the same when it is made again.
const KeyHeader = "Idempotency-Key"

// maxKey is how long a key may be, in bytes.
const maxKey = 255

// IdempotencyKey reads the header, bare or as the quoted string of the IETF's draft
// (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/); "" without one. An empty one, as of
// a variable that is not set, is refused: who sent it trusts that the request is made once.
func (c *Call) IdempotencyKey() (string, error) {
	given := c.r.Header.Values(KeyHeader)
	if len(given) == 0 {
		return "", nil
	}
	k := strings.TrimSpace(given[0])
	if len(k) >= 2 && k[0] == '"' && k[len(k)-1] == '"' {
		k = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(k[1 : len(k)-1])
	}
	switch {
	case len(given) > 1:
		return "", badIdempotencyKey(problem.BadValue, "there are several keys")
	case k == "":
		return "", badIdempotencyKey(problem.BadValue, "the key is empty")
	case strings.ContainsFunc(k, func(r rune) bool { return r < 0x20 || r > 0x7e }):
		return "", badIdempotencyKey(problem.BadValue, "the key may hold printable ASCII only")
	case len(k) > maxKey:
		return "", badIdempotencyKey(problem.TooLong, "the key is too long")
	}
	return k, nil
}

func badIdempotencyKey(code problem.Code, detail string) error {
	return problem.Invalid(problem.At("header:"+KeyHeader, code, "%s; send one of 1 to %d characters, bare or in double quotes", detail, maxKey))
}
