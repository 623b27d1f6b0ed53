package client

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Error is what the service answered instead of doing it: RFC 9457, application/problem+json.
type Error struct {
	Status    int          `json:"status"`
	Code      string       `json:"code"`   // stable: what programs compare
	Title     string       `json:"title"`  // what kind of error it is
	Detail    string       `json:"detail"` // what is wrong with this request, and how to mend it
	Errors    []FieldError `json:"errors"`
	RequestID string       `json:"request_id"` // finds the request in the service's log
	// RetryAfter is how long to wait before another try; 0 when the service said nothing.
	RetryAfter time.Duration `json:"-"`
	// Type is where the kind of error is explained.
	Type string `json:"type"`
}

// FieldError is one faulty value.
type FieldError struct {
	Pointer string `json:"pointer"` // JSON pointer into the body, or header:Name, query:name, path:name, line:N of a text
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

// The codes of whole requests; docs/errors.md has all, those of fields too.
const (
	CodeBadJSON        = "bad_json"
	CodeTooLarge       = "too_large"
	CodeUnauthorized   = "unauthorized"
	CodeForbidden      = "forbidden"
	CodeNotFound       = "not_found"
	CodeInvalidRequest = "invalid_request"
	CodeKeyReused      = "idempotency_key_reused"
	CodeConflict       = "conflict"
	CodeNotAllowedNow  = "not_allowed_now"
	CodeRateLimited    = "rate_limited"
	CodeDailyLimit     = "daily_limit"
	CodeRecipientLimit = "recipient_limit"
	CodeUnavailable    = "unavailable"
	CodeInternal       = "internal"
)

// Error has everything but the faulty fields' texts.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "notify: %d", e.Status)
	if e.Code != "" {
		b.WriteString(" " + e.Code)
	}
	for _, text := range []string{e.Detail, e.Title, http.StatusText(e.Status)} {
		if text != "" {
			b.WriteString(": " + text)
			break
		}
	}
	for _, f := range e.Errors {
		fmt.Fprintf(&b, " [%s %s]", f.Pointer, f.Code)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " (request %s)", e.RequestID)
	}
	return b.String()
}
