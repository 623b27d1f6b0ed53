package problem

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Code is a stable name of a kind of error.
type Code string

// Field is one fault in a request: where it is, and what to do about it.
type Field struct {
	// Pointer is the RFC 6901 JSON pointer of the value in the request's body, or "header:Name",
	// "query:name", "path:name", or "line:N" of the one text that the body holds.
	Pointer string `json:"pointer"`
	Code    Code   `json:"code"`
	// Detail names the field, the allowed values and the fix. It never repeats a secret or a body.
	Detail string `json:"detail"`
}

// Error is a problem as an API answer. It is made by New and the like, so that its code is in the table.
type Error struct {
	Code       Code
	Detail     string
	Fields     []Field
	RetryAfter time.Duration // sent as Retry-After when positive, in whole seconds, rounded up
	cause      error         // goes to the log, never to the caller
}

const ourFault = "something went wrong on our side; the request id finds it in the log"

// New makes a problem of the table's kind code. An unlisted code is a bug and becomes Internal.
func New(code Code, format string, args ...any) *Error {
	detail := fmt.Sprintf(format, args...)
	if _, ok := table[code]; !ok {
		return &Error{Code: Internal, Detail: ourFault, cause: fmt.Errorf("unlisted problem code %q: %s", code, detail)}
	}
	return &Error{Code: code, Detail: detail}
}

// Invalid is a 422 with one or more faulty fields.
func Invalid(fields ...Field) *Error {
	e := &Error{Code: InvalidRequest, Fields: fields}
	if len(fields) == 1 {
		e.Detail = fields[0].Detail
	} else {
		e.Detail = fmt.Sprintf("%d fields are not valid; see errors", len(fields))
	}
	return e
}

// At is a Field; it reads well in a call of Invalid.
func At(pointer string, code Code, format string, args ...any) Field {
	return Field{Pointer: pointer, Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Because keeps the cause for the log.
func (e *Error) Because(err error) *Error { e.cause = err; return e }

// After sets Retry-After.
func (e *Error) After(d time.Duration) *Error { e.RetryAfter = d; return e }

// Error is for logs: it has the cause.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code))
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	for _, f := range e.Fields {
		fmt.Fprintf(&b, " [%s %s]", f.Pointer, f.Code)
	}
	if e.cause != nil {
		b.WriteString(": " + e.cause.Error())
	}
	return b.String()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.cause }

// Status is the HTTP status of the kind.
func (e *Error) Status() int { return e.kind().Status }

// Title is the short English sentence of the kind.
func (e *Error) Title() string { return e.kind().Title }

// kind is the code's row; a code that is not listed has Internal's, as a status of 0 cannot be answered.
func (e *Error) kind() Kind {
	if k, ok := table[e.Code]; ok {
		return k
	}
	return table[Internal]
}

// From makes any error a problem: itself if it is one, else Internal with the error as its cause.
func From(err error) *Error {
	var p *Error
	if errors.As(err, &p) {
		return p
	}
	return &Error{Code: Internal, Detail: ourFault, cause: err}
}
