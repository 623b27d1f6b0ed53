package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/opennotify/notify/client"
	"github.com/opennotify/notify/pkg/problem"
)

// The exit codes. 1 is every error, a wrong usage too.
const (
	exitOK         = 0
	exitError      = 1
	exitFailed     = 3 // failed, undelivered, bounced, complained, dead, expired
	exitInDoubt    = 4 // may have been sent
	exitSuppressed = 5 // suppressed or cancelled: not sent, on purpose
	exitUndecided  = 6 // the wait was over first
)

// exit ends the command with a code; everything was said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// report says what went wrong and gives the exit code.
func (s *session) report(err error) int {
	var code exit
	if out, ok := s.out.(*output); ok && err == nil && out.err != nil {
		err = fmt.Errorf("it is done, but what it printed is not complete: %w", out.err)
	}
	if err == nil {
		return exitOK
	}
	if errors.As(err, &code) {
		return int(code)
	}
	var refused *client.Error
	if errors.As(err, &refused) {
		s.refused(err, refused)
		return exitError
	}
	s.tell("notify: %s\n", s.reason(err))
	var unreached *net.OpError
	if errors.As(err, &unreached) && loopback(s.place.url) {
		s.tell("  fix: start the service with notify local, or name another with --url or NOTIFY_URL\n")
	}
	return exitError
}

// reason is an error in words, without the layers that it came through.
func (s *session) reason(err error) string {
	var way *url.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.As(err, &way):
		return fmt.Sprintf("cannot reach %s: %v", s.place.url, way.Err)
	}
	text := strings.TrimSpace(err.Error())
	return strings.TrimPrefix(strings.TrimPrefix(text, "notify: "), "client: ")
}

// refused prints a problem: what, each faulty value, how to mend it, and the request's id.
func (s *session) refused(err error, e *client.Error) {
	detail := e.Detail
	if detail == "" {
		detail = e.Title
	}
	var named *about
	if errors.As(err, &named) {
		detail = named.what + ": " + detail
	}
	if e.Code == "" {
		s.tell("notify: %s (HTTP %d)\n", detail, e.Status)
	} else {
		s.tell("notify: %s (%s)\n", detail, e.Code)
	}
	for _, f := range e.Errors {
		s.tell("  %s %s: %s\n", f.Pointer, f.Code, f.Detail)
	}
	if fix := fixOf(e); fix != "" {
		s.tell("  fix: %s\n", fix)
	}
	if e.Code == client.CodeUnauthorized || e.Code == client.CodeForbidden {
		s.tell("  the key is that of %s, used at %s\n", s.place.from, s.place.url)
	}
	if e.RetryAfter > 0 {
		s.tell("  try again in %s\n", e.RetryAfter.String())
	}
	if e.RequestID != "" {
		s.tell("  request %s\n", e.RequestID)
	}
}

// fixOf is what the table of problems says to the kind: of the one faulty value if there is one. Several
// say it themselves.
func fixOf(e *client.Error) string {
	code := e.Code
	switch len(e.Errors) {
	case 0:
	case 1:
		code = e.Errors[0].Code
	default:
		return ""
	}
	for _, k := range problem.Kinds() {
		if string(k.Code) == code {
			return k.Fix
		}
	}
	return ""
}

// about says what a problem was about, where one command does several things.
type about struct {
	what string
	error
}

func (a *about) Error() string { return a.what + ": " + a.error.Error() }
func (a *about) Unwrap() error { return a.error }
