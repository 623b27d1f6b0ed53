package telemetry

import (
	"context"
	"log/slog"
	"strings"
)

// Trace is the caller's trace that something is a part of; zero without one.
type Trace struct {
	ID      string // 32 hexadecimal digits, or the root of an X-Amzn-Trace-Id
	Span    string // the caller's span in it, 16 hexadecimal digits; "" where it is not known
	Sampled bool   // the caller records it
}

// ParseTrace reads a traceparent (https://www.w3.org/TR/trace-context/#traceparent-header); what is none is zero.
func ParseTrace(traceparent string) Trace {
	t := traceparent
	if len(t) < 55 || t[2] != '-' || t[35] != '-' || t[52] != '-' || !isHex(t[:2]) || !isHex(t[3:35]) || !isHex(t[36:52]) || !isHex(t[53:55]) || strings.Trim(t[3:35], "0") == "" {
		return Trace{}
	}
	return Trace{ID: t[3:35], Span: t[36:52], Sampled: strings.IndexByte("13579bdf", t[54]) >= 0}
}

// ParseAmazonTrace reads an X-Amzn-Trace-Id, of which it keeps the root alone; what is none is zero.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
func ParseAmazonTrace(header string) Trace {
	for part := range strings.SplitSeq(header, ";") {
		root, ok := strings.CutPrefix(part, "Root=")
		if ok && len(root) == 35 && root[:2] == "1-" && root[10] == '-' && isHex(root[2:10]) && isHex(root[11:]) {
			return Trace{ID: root}
		}
	}
	return Trace{}
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

type traceKey struct{}

// InTrace makes what is logged with the context a part of the trace.
func InTrace(ctx context.Context, t Trace) context.Context {
	if t == (Trace{}) {
		return ctx
	}
	return context.WithValue(ctx, traceKey{}, t)
}

// TraceOf is what InTrace was told; zero without it.
func TraceOf(ctx context.Context) Trace {
	t, _ := ctx.Value(traceKey{}).(Trace)
	return t
}

// Traced is a handler that adds the id of the context's trace to each line.
func Traced(h slog.Handler) slog.Handler { return traced{h} }

type traced struct{ slog.Handler }

func (h traced) Handle(ctx context.Context, r slog.Record) error {
	if t := TraceOf(ctx); t.ID != "" {
		r.AddAttrs(slog.String("trace", t.ID))
	}
	return h.Handler.Handle(ctx, r)
}

func (h traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{h.Handler.WithAttrs(attrs)} }
func (h traced) WithGroup(name string) slog.Handler       { return traced{h.Handler.WithGroup(name)} }
