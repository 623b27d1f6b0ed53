package httpapi

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"github.com/opennotify/notify/pkg/problem"
)

// errorsPage explains each kind of error under its code.
const errorsPage = "https://github.com/opennotify/notify/blob/main/docs/errors.md#"

// Problem is the body of every error: RFC 9457, application/problem+json.
type Problem struct {
	Type       string          `json:"type" doc:"Where the kind of error is explained." example:"https://github.com/opennotify/notify/blob/main/docs/errors.md#invalid_request"`
	Title      string          `json:"title" doc:"What kind of error it is, in one sentence."`
	Status     int             `json:"status" doc:"The HTTP status."`
	Detail     string          `json:"detail,omitempty" doc:"What is wrong with this request, and how to mend it."`
	Code       problem.Code    `json:"code" doc:"The stable name of the kind of error. Programs act on this."`
	Errors     []problem.Field `json:"errors,omitempty" doc:"The faulty values, where there are such."`
	RequestID  string          `json:"request_id" doc:"Finds this request in the service's log."`
	RetryAfter int64           `json:"retry_after,omitempty" doc:"How many seconds to wait before another try, as in the Retry-After header."`
}

// answers is how everything is written: the order of fields is that of the struct, of a map its keys'.
// Text that came from elsewhere may be broken UTF-8; it is mended, since an answer must not fail for it.
var answers = json.JoinOptions(
	json.Deterministic(true),
	jsontext.AllowInvalidUTF8(true),
	jsonv1.OmitEmptyWithLegacySemantics(true), // omitempty means what everybody knows: zero is empty
	json.WithMarshalers(json.MarshalToFunc(func(e *jsontext.Encoder, n stdjson.Number) error {
		return e.WriteValue(jsontext.Value(n))
	})),
)

// answer counts what is written, and carries the Call through ServeMux.
type answer struct {
	http.ResponseWriter
	call     *Call
	problem  *problem.Error // that was answered
	status   int            // 0: nothing written yet
	bytes    int64
	head     bool
	complete bool // written in one piece by the kernel
	gone     bool // the client gave up
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.head {
		return len(b), nil
	}
	n, err := a.ResponseWriter.Write(b)
	a.bytes += int64(n)
	return n, err
}

// Unwrap serves http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) route() string {
	if a.call.op == nil {
		return "-"
	}
	return a.call.op.Path
}

func newBuffer() any { return new(bytes.Buffer) }

func (k *kernel) success(a *answer, e *Endpoint, out any) error {
	status := e.Op.Status
	if a.call.status != 0 {
		status = a.call.status
	}
	if out == nil {
		if status == 0 {
			status = http.StatusNoContent
		}
		a.WriteHeader(status)
		a.complete = true
		return nil
	}
	if status == 0 {
		status = http.StatusOK
	}
	return k.write(a, status, "application/json", out)
}

const ourFault = "something went wrong on our side; the request id finds it in the log"

// problem writes an error; the cause stays here, for the log.
func (k *kernel) problem(a *answer, p *problem.Error) {
	if p.Status() == http.StatusInternalServerError {
		p = problem.New(problem.Internal, "%s", ourFault).Because(p) // whatever it says is for the log
	}
	a.problem = p
	body := Problem{
		Type: errorsPage + string(p.Code), Title: p.Title(), Status: p.Status(), Detail: p.Detail,
		Code: p.Code, Errors: p.Fields, RequestID: a.call.RequestID,
	}
	after := p.RetryAfter
	if after <= 0 && (body.Status == http.StatusTooManyRequests || body.Status == http.StatusServiceUnavailable) {
		after = time.Second
	}
	if after > 0 {
		body.RetryAfter = int64((after + time.Second - 1) / time.Second)
		a.Header().Set("Retry-After", strconv.FormatInt(body.RetryAfter, 10))
	}
	a.Header().Set("Cache-Control", "no-store")
	if p.Code == problem.Unauthorized && a.Header().Get("WWW-Authenticate") == "" {
		a.Header().Set("WWW-Authenticate", challenge(a.call.r.Header))
	}
	if err := k.write(a, body.Status, "application/problem+json", &body); err != nil {
		a.WriteHeader(http.StatusInternalServerError) // cannot happen: the body is of plain types
	}
}

// keepBuffer is the size up to which a buffer is used again: one long list must not stay in memory.
const keepBuffer = 64 << 10

// write encodes before it sends, so that an error of the encoder can still become a problem.
func (k *kernel) write(a *answer, status int, contentType string, v any) error {
	buf := k.buffers.Get().(*bytes.Buffer)
	buf.Reset()
	defer func() {
		if buf.Cap() <= keepBuffer {
			k.buffers.Put(buf)
		}
	}()
	if err := json.MarshalWrite(buf, v, answers); err != nil {
		return problem.New(problem.Internal, "").Because(err)
	}
	buf.WriteByte('\n')
	h := a.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(buf.Len()))
	a.WriteHeader(status)
	a.complete = true
	_, _ = a.Write(buf.Bytes()) // fails when the client has gone; there is nobody to tell
	return nil
}

// statusGone is what the log says when the client gave up; nginx made the number common.
const statusGone = 499

// log writes the one line of a request: the pattern, not the path; no query, no body, no key's text.
func (k *kernel) log(ctx context.Context, a *answer, start time.Time) {
	c, status, level := a.call, a.status, slog.LevelInfo
	if status == 0 {
		status = http.StatusOK // as net/http does
	}
	if a.gone {
		status = statusGone
	}
	attrs := make([]slog.Attr, 0, 12)
	attrs = append(attrs,
		slog.String("method", methodName(c.r.Method)), slog.String("route", a.route()), slog.Int("status", status),
		slog.Float64("ms", float64(k.Now().Sub(start).Microseconds())/1000), slog.Int64("bytes", a.bytes),
		slog.String("request_id", c.RequestID))
	if c.Principal.KeyID != "" {
		attrs = append(attrs, slog.String("tenant", c.Principal.Tenant), slog.String("key", c.Principal.KeyID))
	}
	if a.problem != nil {
		attrs = append(attrs, slog.String("code", string(a.problem.Code)))
	}
	if status >= 500 {
		level = slog.LevelError
		if a.problem != nil {
			attrs = append(attrs, slog.String("error", a.problem.Error()))
		}
	}
	k.Log.LogAttrs(ctx, level, "request", attrs...)
}

// methodName keeps what a caller invents as a method out of the log.
func methodName(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}
