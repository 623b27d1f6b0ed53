package otlp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/telemetry"
)

// collector is one that keeps what it is sent.
type collector struct {
	*httptest.Server
	bodies []string
	header http.Header
	path   string
	status int
}

func collect(t *testing.T) *collector {
	c := &collector{status: http.StatusOK}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		c.bodies, c.header, c.path = append(c.bodies, string(b)), r.Header, r.URL.Path
		w.WriteHeader(c.status)
	}))
	t.Cleanup(c.Close)
	return c
}

func open(t *testing.T, env map[string]string) *Exporter {
	t.Helper()
	e, err := Open(func(name string) string { return env[name] }, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

func in(traceparent string) context.Context {
	return telemetry.InTrace(context.Background(), telemetry.ParseTrace(traceparent))
}

func TestStagesAreSpans(t *testing.T) {
	t.Parallel()
	c := collect(t)
	e := open(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL + "/", "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20abc, x-team=a"})
	var lines strings.Builder
	h := e.Handler(telemetry.NewLogger(&lines, slog.LevelWarn).Handler())
	log := slog.New(h).With("stack", "notify-dev")

	log.InfoContext(in(caller), "request", "status", 202, "ms", 1.5, "gone", false)
	log.WarnContext(in(caller), "attempt", "message", "msg_1", "ms", int64(40), "error", errors.New("no answer from +8613812345678"))
	log.InfoContext(in(caller), "hint without a record")                                // no stage
	log.InfoContext(in(strings.TrimSuffix(caller, "1")+"0"), "request", "ms", 1.0)      // not sampled
	log.InfoContext(in("00-xyz"), "request", "ms", 1.0)                                 // no trace
	log.InfoContext(context.Background(), "request", "ms", 1.0)                         // none either
	log.WarnContext(in(strings.TrimSuffix(caller, "1")+"0"), "attempt", "ms", int64(1)) // logged, no span

	if err := e.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(lines.String(), "\n"); n != 2 {
		t.Errorf("%d lines were logged at warn, want 2:\n%s", n, lines.String())
	}
	if c.path != "/v1/traces" || c.header.Get("Authorization") != "Bearer abc" || c.header.Get("X-Team") != "a" || c.header.Get("Content-Type") != "application/json" {
		t.Errorf("POST %s with %v", c.path, c.header)
	}
	if len(c.bodies) != 1 {
		t.Fatalf("%d requests, want 1", len(c.bodies))
	}
	var got export
	if err := json.Unmarshal([]byte(c.bodies[0]), &got); err != nil {
		t.Fatal(err)
	}
	spans := got.Resources[0].Scopes[0].Spans
	ids := map[string]bool{}
	for i := range spans {
		took := nano(t, spans[i].End).Sub(nano(t, spans[i].Start))
		if want := []time.Duration{1500 * time.Microsecond, 40 * time.Millisecond}[min(i, 1)]; took != want {
			t.Errorf("span %d took %v, want %v", i, took, want)
		}
		if len(spans[i].SpanID) != 16 {
			t.Errorf("span id %q", spans[i].SpanID)
		}
		ids[spans[i].SpanID] = true
		spans[i].SpanID, spans[i].Start, spans[i].End = "", "", ""
	}
	if len(ids) != len(spans) {
		t.Error("two spans have one id")
	}
	text := func(s string) value { return value{Text: &s} }
	number, no := "202", false
	want := request("notify", []span{
		{TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", ParentID: "00f067aa0ba902b7", Name: "request", Kind: kindServer,
			Attributes: []attribute{{"stack", text("notify-dev")}, {"status", value{Int: &number}}, {"gone", value{Bool: &no}}}},
		{TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", ParentID: "00f067aa0ba902b7", Name: "attempt", Kind: kindClient, Status: &status{statusError},
			Attributes: []attribute{{"stack", text("notify-dev")}, {"message", text("msg_1")}, {"error", text("no answer from +86138****5678")}}},
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func nano(t *testing.T, s string) time.Time {
	t.Helper()
	var n json.Number = json.Number(s)
	i, err := n.Int64()
	if err != nil {
		t.Fatal(err)
	}
	return time.Unix(0, i)
}

func TestCollectorThatFails(t *testing.T) {
	t.Parallel()
	c := collect(t)
	e := open(t, map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": c.URL + "/to?token=secret"})
	now := time.Now()
	e.now = func() time.Time { return now }
	log := slog.New(e.Handler(slog.DiscardHandler))
	tell := func() { log.InfoContext(in(caller), "request", "ms", 1.0) }

	c.status = http.StatusServiceUnavailable
	tell()
	if err := e.Flush(t.Context()); err == nil || err.Error() != "1 spans were not taken by the collector: it answered 503" {
		t.Errorf("got %v", err)
	}
	for range room + 2 {
		tell()
	}
	if err := e.Flush(t.Context()); err != nil || len(c.bodies) != 1 {
		t.Errorf("it was asked again at once: %v, %d requests", err, len(c.bodies))
	}
	now, c.status = now.Add(pause), http.StatusOK
	if err := e.Flush(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "2 spans were dropped") {
		t.Errorf("got %v", err)
	}
	if len(c.bodies) != 2 || strings.Count(c.bodies[1], `"spanId"`) != room {
		t.Errorf("%d requests", len(c.bodies))
	}
	c.Close()
	tell()
	if err := e.Flush(t.Context()); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	if e := open(t, nil); e != nil || e.Handler(slog.DiscardHandler) != slog.DiscardHandler || e.Flush(t.Context()) != nil {
		t.Error("without a collector there is to be nothing")
	}
	for name, bad := range map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "127.0.0.1:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "grpc://127.0.0.1:4317", "OTEL_EXPORTER_OTLP_HEADERS": "Authorization"} {
		_, err := Open(func(n string) string {
			return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", name: bad}[n]
		}, time.Now)
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s: %v", name, bad, err)
		}
	}
}
