package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// call is one operation.
type call struct {
	method string
	path   string // with query, from /v1 on
	body   any    // nil: none
	// key is the Idempotency-Key; "" sends none.
	key string
	// repeat tells that a try whose answer was lost may be repeated: it changes nothing, or has a key.
	repeat bool
}

const (
	maxAnswer    = 32 << 20
	firstBackoff = 200 * time.Millisecond
	lastBackoff  = 5 * time.Second
)

// do makes the request until it is answered for good, and reads the answer into out, which may be nil; into
// a *[]byte as it is. It gives the answer's header.
func (c *Client) do(ctx context.Context, k call, out any) (http.Header, error) {
	var body []byte
	if k.body != nil {
		var buf bytes.Buffer
		e := json.NewEncoder(&buf)
		e.SetEscapeHTML(false)
		if err := e.Encode(k.body); err != nil {
			return nil, fmt.Errorf("notify: encode the request: %w", err)
		}
		if body = buf.Bytes(); garbled(body) {
			return nil, errNotUTF8
		}
	}
	if strings.ContainsFunc(k.key, func(r rune) bool { return r < ' ' || r > '~' }) { // no header takes it, so no try is another
		return nil, fmt.Errorf("notify: IdempotencyKey %q has characters that are not printable ASCII", k.key)
	}
	for try := 1; ; try++ {
		header, err := c.try(ctx, k, body, out)
		if err == nil {
			return header, nil
		}
		wait, again := c.again(k, err, try)
		if !again || ctx.Err() != nil {
			return header, err
		}
		if end, bounded := ctx.Deadline(); bounded && time.Until(end) <= wait {
			return header, err // there is no time for another try
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return header, errors.Join(err, ctx.Err())
		}
	}
}

var errNotUTF8 = errors.New("notify: a text of the request is not in UTF-8 (is it in GBK?): it would arrive garbled")

// garbled tells whether a text of the value was not in UTF-8: encoding/json then writes the escape \ufffd, which it
// does for nothing else, and the service could not tell it from what was meant.
func garbled(body []byte) bool {
	for i := 0; i < len(body); i++ {
		if body[i] == '\\' {
			if bytes.HasPrefix(body[i:], []byte(`\ufffd`)) {
				return true
			}
			i++ // what is escaped may be a backslash
		}
	}
	return false
}

// lost is a try without a readable answer: the service may have done it or not.
type lost struct{ error }

func (l lost) Unwrap() error { return l.error }

// again tells whether and when a failed try is repeated: any request that the service did not take, and
// those whose answer was lost if they may be.
func (c *Client) again(k call, err error, try int) (time.Duration, bool) {
	if try >= c.tries {
		return 0, false
	}
	var answered *Error
	var l lost
	switch {
	case errors.As(err, &answered):
		refused := answered.Status == http.StatusTooManyRequests || answered.Status == http.StatusServiceUnavailable && answered.Code == CodeUnavailable
		gateway := answered.Status == http.StatusBadGateway || answered.Status == http.StatusServiceUnavailable || answered.Status == http.StatusGatewayTimeout
		if !refused && !(gateway && k.repeat) || answered.RetryAfter > c.maxWait {
			return 0, false
		}
	case !errors.As(err, &l) || !k.repeat:
		return 0, false
	}
	// Full jitter (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/), on
	// top of what the service asks for, so that its callers do not come back together.
	wait := rand.N(min(firstBackoff<<(try-1), lastBackoff, c.maxWait))
	if answered != nil {
		wait += answered.RetryAfter
	}
	return wait, true
}

// try makes the request once.
func (c *Client) try(ctx context.Context, k call, body []byte, out any) (http.Header, error) {
	r, err := http.NewRequestWithContext(ctx, k.method, c.base+k.path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	r.Header.Set("User-Agent", c.agent)
	r.Header.Set("Accept", "application/json, application/problem+json, text/csv;q=0.9")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.key != "" {
		r.Header.Set("Authorization", "Bearer "+string(c.key))
	}
	if k.key != "" {
		r.Header.Set("Idempotency-Key", quoted(k.key))
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, lost{fmt.Errorf("notify: %w", err)}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return resp.Header, lost{fmt.Errorf("notify: %s %s: read the answer: %w", k.method, r.URL.Path, err)}
	case len(text) > maxAnswer:
		return resp.Header, fmt.Errorf("notify: %s %s: the answer is longer than %d bytes", k.method, r.URL.Path, maxAnswer)
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return resp.Header, problemOf(resp, text)
	case out == nil || resp.StatusCode == http.StatusNoContent:
		return resp.Header, nil
	}
	if file, is := out.(*[]byte); is {
		*file = text
		return resp.Header, nil
	}
	if err := c.decode(text, out); err != nil {
		return resp.Header, fmt.Errorf("notify: %s %s: the answer is not the API's (is this notify's address?): %w", k.method, r.URL.Path, err)
	}
	return resp.Header, nil
}

// quoted is the key as the string of a structured field (RFC 9651 §3.3.3).
func quoted(key string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(key) + `"`
}

func (c *Client) decode(text []byte, out any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if c.strict {
		d.DisallowUnknownFields()
	}
	return d.Decode(out)
}

// problemOf reads an error's body, or makes do without one: something between us and the service may have
// answered.
func problemOf(resp *http.Response, text []byte) *Error {
	e := &Error{}
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err == nil && strings.HasSuffix(kind, "json") {
		_ = json.Unmarshal(text, e) // what cannot be read is left out
	}
	if e.Status = resp.StatusCode; e.Code == "" && e.Detail == "" {
		switch {
		case resp.StatusCode < 400:
			e.Detail = "the service redirects; is URL the right address?"
		default:
			e.Detail = http.StatusText(resp.StatusCode) + ", not from notify itself"
		}
	}
	if e.RequestID == "" {
		e.RequestID = resp.Header.Get("X-Request-Id")
	}
	e.RetryAfter = retryAfter(resp.Header)
	return e
}

// retryAfter reads seconds, or a date by the answer's own clock.
func retryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.ParseInt(v, 10, 32); err == nil {
		return time.Duration(max(n, 0)) * time.Second
	}
	at, err := http.ParseTime(v)
	now, noDate := http.ParseTime(h.Get("Date"))
	if err != nil || noDate != nil {
		return 0
	}
	return max(at.Sub(now), 0)
}
