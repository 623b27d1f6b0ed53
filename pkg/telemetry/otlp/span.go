package otlp

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/opennotify/notify/pkg/telemetry"
)

// Took is the attribute of a line that says how long its stage took, in milliseconds.
const Took = "ms"

// Handler passes each line on, and keeps a span of the line of a stage that is in a sampled trace. Lines that
// next does not want, because of its level, make spans too. A nil Exporter is next.
func (e *Exporter) Handler(next slog.Handler) slog.Handler {
	if e == nil {
		return next
	}
	return &handler{exporter: e, next: next}
}

type handler struct {
	exporter *Exporter
	next     slog.Handler
	with     []attribute
}

func (h *handler) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelInfo && telemetry.TraceOf(ctx).Sampled || h.next.Enabled(ctx, l)
}

func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	if t := telemetry.TraceOf(ctx); t.Sampled {
		if s, ok := spanOf(t, r); ok {
			s.Attributes = append(slices.Clone(h.with), s.Attributes...)
			h.exporter.keep(s)
		}
	}
	if !h.next.Enabled(ctx, r.Level) {
		return nil
	}
	return h.next.Handle(ctx, r)
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := slices.Clip(h.with)
	for _, a := range attrs {
		with = append(with, attributeOf(a))
	}
	return &handler{h.exporter, h.next.WithAttrs(attrs), with}
}

func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{h.exporter, h.next.WithGroup(name), h.with}
}

// spanOf makes a span of a line; false if the line tells of no stage.
func spanOf(t telemetry.Trace, r slog.Record) (span, bool) {
	took := -1.0
	s := span{TraceID: t.ID, ParentID: t.Span, Name: r.Message, Kind: kindInternal}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == Took {
			switch v := a.Value; v.Kind() {
			case slog.KindInt64:
				took = float64(v.Int64())
			case slog.KindFloat64:
				took = v.Float64()
			}
			return true
		}
		s.Attributes = append(s.Attributes, attributeOf(a))
		return true
	})
	if took < 0 {
		return span{}, false
	}
	switch r.Message {
	case "request":
		s.Kind = kindServer
	case "attempt":
		s.Kind = kindClient
	}
	if r.Level >= slog.LevelWarn {
		s.Status = &status{Code: statusError}
	}
	var id [8]byte
	_, _ = rand.Read(id[:]) // it never fails: https://pkg.go.dev/crypto/rand#Read
	s.SpanID = hex.EncodeToString(id[:])
	s.Start, s.End = nanos(r.Time.Add(-time.Duration(took*float64(time.Millisecond)))), nanos(r.Time)
	return s, true
}

func nanos(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

func attributeOf(a slog.Attr) attribute {
	v := telemetry.Mask(slog.Attr{Key: a.Key, Value: a.Value.Resolve()}).Value
	switch v.Kind() {
	case slog.KindInt64:
		n := strconv.FormatInt(v.Int64(), 10)
		return attribute{a.Key, value{Int: &n}}
	case slog.KindFloat64:
		f := v.Float64()
		return attribute{a.Key, value{Double: &f}}
	case slog.KindBool:
		b := v.Bool()
		return attribute{a.Key, value{Bool: &b}}
	}
	text := fmt.Sprint(v.Any())
	return attribute{a.Key, value{Text: &text}}
}

// What follows is the request of OTLP/HTTP in JSON: ids in hexadecimal, integers of 64 bits as text.
// https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto

const (
	kindInternal = 1
	kindServer   = 2
	kindClient   = 3
	statusError  = 2
)

type span struct {
	TraceID    string      `json:"traceId"`
	SpanID     string      `json:"spanId"`
	ParentID   string      `json:"parentSpanId,omitempty"`
	Name       string      `json:"name"`
	Kind       int         `json:"kind"`
	Start      string      `json:"startTimeUnixNano"`
	End        string      `json:"endTimeUnixNano"`
	Attributes []attribute `json:"attributes,omitempty"`
	Status     *status     `json:"status,omitempty"`
}

type status struct {
	Code int `json:"code"`
}

type attribute struct {
	Key   string `json:"key"`
	Value value  `json:"value"`
}

type value struct {
	Text   *string  `json:"stringValue,omitempty"`
	Int    *string  `json:"intValue,omitempty"`
	Double *float64 `json:"doubleValue,omitempty"`
	Bool   *bool    `json:"boolValue,omitempty"`
}

type (
	export struct {
		Resources []resourceSpans `json:"resourceSpans"`
	}
	resourceSpans struct {
		Resource resource     `json:"resource"`
		Scopes   []scopeSpans `json:"scopeSpans"`
	}
	resource struct {
		Attributes []attribute `json:"attributes"`
	}
	scopeSpans struct {
		Scope scope  `json:"scope"`
		Spans []span `json:"spans"`
	}
	scope struct {
		Name string `json:"name"`
	}
)

func request(service string, spans []span) export {
	return export{[]resourceSpans{{resource{[]attribute{{"service.name", value{Text: &service}}}}, []scopeSpans{{scope{"notify"}, spans}}}}}
}
