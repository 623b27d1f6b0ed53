package provider

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider/guard"
)

// The codes of faults that happened before an answer; all other codes are the provider's own.
const (
	CodeRefused  = "address_refused" // the guard did not let the request out
	CodeTimeout  = "timeout"
	CodeCanceled = "canceled"
	CodeDNS      = "dns"
	CodeTLS      = "tls"
	CodeConnect  = "connect"
	CodeCut      = "cut" // the connection ended without an answer
)

// MaxAfter is the longest wait that a provider may ask for.
const MaxAfter = time.Hour

// Answer is what a provider said over HTTP.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Cut    bool // Body is not all of it: it was longer than MaxAnswer, or the connection ended
}

// Exchange makes the one HTTP request of an attempt. Without an answer, answered is false and fault is
// the outcome: Retry if the request certainly did not leave, Permanent if the guard refused it, and
// Unknown for everything after a connection was had, because from then on bytes may have been written.
//
// An answer whose body was cut is an answer: the caller decides what it is worth.
func Exchange(client *http.Client, req *http.Request) (a Answer, fault message.Result, answered bool) {
	var left atomic.Bool
	trace := &httptrace.ClientTrace{
		// The transport asks for another connection only when nothing was written on the last one.
		GetConn: func(string) { left.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { left.Store(true) },
	}
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), trace))
	if req.Method == http.MethodGet || req.Method == "" {
		// The transport repeats a GET by itself when a kept connection turns out to be dead, even one that
		// sends a message. It never repeats on a fresh connection, and this one is not kept for the next.
		req.Close = true
	}
	res, err := client.Do(req)
	if err != nil {
		return Answer{}, Fault(err, left.Load()), false
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, MaxAnswer+1))
	a = Answer{Status: res.StatusCode, Header: res.Header, Body: body, Cut: err != nil}
	if len(body) > MaxAnswer {
		a.Body, a.Cut = body[:MaxAnswer], true
	}
	return a, message.Result{}, true
}

// Fault is the outcome of a call that ended without an answer; left tells whether any byte of the
// request may have been written. The error's text is not used: it holds URLs and addresses.
func Fault(err error, left bool) message.Result {
	var refused *guard.RefusedError
	if errors.As(err, &refused) {
		return message.Result{Outcome: message.Permanent, Code: CodeRefused, Text: refused.Reason}
	}
	r := message.Result{Outcome: message.Retry}
	if left {
		r.Outcome = message.Unknown
	}
	r.Code, r.Text = faultCode(err, left)
	return r
}

func faultCode(err error, left bool) (code, text string) {
	var (
		network net.Error
		dns     *net.DNSError
		cert    *tls.CertificateVerificationError
		record  tls.RecordHeaderError
		alert   tls.AlertError
	)
	switch {
	case errors.Is(err, context.Canceled):
		return CodeCanceled, "the call was cancelled"
	case errors.As(err, &dns):
		return CodeDNS, "the host's name could not be resolved"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return CodeTimeout, "no answer in time"
	case errors.As(err, &cert):
		return CodeTLS, "the server's certificate is not valid"
	case errors.As(err, &record), errors.As(err, &alert):
		return CodeTLS, "the server does not speak TLS as it should"
	case left:
		return CodeCut, "the connection ended without an answer"
	case errors.Is(err, syscall.ECONNREFUSED):
		return CodeConnect, "the connection was refused"
	}
	return CodeConnect, "no connection"
}

// RetryAfter reads the header of that name, in seconds or as a date, cut to MaxAfter; 0 if there is
// none. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseFloat(v, 64); err == nil && n >= 0 { // some vendors send fractions
		if n >= MaxAfter.Seconds() {
			return MaxAfter
		}
		return time.Duration(n * float64(time.Second))
	}
	if at, err := http.ParseTime(v); err == nil {
		return min(max(at.Sub(now), 0), MaxAfter)
	}
	return 0
}
