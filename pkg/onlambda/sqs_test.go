package onlambda_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/onlambda"
	"github.com/opennotify/notify/pkg/queue"
)

func handled(t *testing.T, h queue.HandlerFunc, payload []byte) string {
	t.Helper()
	out, err := onlambda.SQS(h, &flushes{}, slog.New(slog.DiscardHandler))(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestBatch(t *testing.T) {
	t.Parallel()
	var saw []queue.Item
	got := handled(t, func(_ context.Context, batch []queue.Item) []string {
		saw = batch
		return []string{"two"}
	}, file(t, "sqs.json"))
	want := []queue.Item{
		{ID: "one", Body: []byte(`{"id":"msg_1"}`), Group: "shop", Receives: 3},
		{ID: "two", Body: []byte("poison"), Receives: 1},
	}
	if diff := cmp.Diff(want, saw); diff != "" {
		t.Error("items (-want +got):", diff)
	}
	if got != `{"batchItemFailures":[{"itemIdentifier":"two"}]}` {
		t.Error(got)
	}
}

// Null instead of a list is a fault to some; and to AWS an unknown id fails the whole batch.
func TestAllDone(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{string(file(t, "sqs.json")), `{"Records":[]}`, `{"Records":null}`} {
		if got := handled(t, func(context.Context, []queue.Item) []string { return nil }, []byte(payload)); got != `{"batchItemFailures":[]}` {
			t.Error(got)
		}
	}
}

// A handler that panics fails its batch, not the process: what was done is done again, safely.
func TestPanic(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := queue.HandlerFunc(func(context.Context, []queue.Item) []string { panic("boom") })
	out, err := onlambda.SQS(h, &flushes{}, slog.New(slog.NewJSONHandler(&log, nil)))(t.Context(), file(t, "sqs.json"))
	if err != nil || len(out.BatchItemFailures) != 2 || !strings.Contains(log.String(), "TestPanic") || strings.Contains(log.String(), "boom") {
		t.Errorf("%v, %v; the log: %s", out, err, &log)
	}
}

// The handler has to stop before Lambda stops it, so that the answer still goes out.
func TestDeadline(t *testing.T) {
	t.Parallel()
	end := time.Now().Add(time.Hour)
	ctx, cancel := context.WithDeadline(t.Context(), end)
	defer cancel()
	h := queue.HandlerFunc(func(ctx context.Context, _ []queue.Item) []string {
		if d, ok := ctx.Deadline(); !ok || end.Sub(d) < time.Second || end.Sub(d) > 3*time.Second {
			t.Errorf("the handler's deadline is %v before the function's", end.Sub(d))
		}
		return nil
	})
	if _, err := onlambda.SQS(h, &flushes{}, slog.New(slog.DiscardHandler))(ctx, file(t, "sqs.json")); err != nil {
		t.Fatal(err)
	}
}

// An event that is none fails whole, which brings it back, and says so in the log.
func TestMalformedBatch(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := queue.HandlerFunc(func(context.Context, []queue.Item) []string {
		t.Error("the handler was called")
		return nil
	})
	for _, payload := range []string{``, `7`, `{"Records":"+8613800138000"}`} {
		_, err := onlambda.SQS(h, &flushes{}, slog.New(slog.NewJSONHandler(&log, nil)))(t.Context(), []byte(payload))
		if err == nil || strings.Contains(err.Error(), "13800138000") {
			t.Errorf("%q: %v", payload, err)
		}
	}
}

func TestBatchWithoutMetrics(t *testing.T) {
	t.Parallel()
	h := queue.HandlerFunc(func(context.Context, []queue.Item) []string { return nil })
	if _, err := onlambda.SQS(h, &flushes{err: errors.New("disk full")}, slog.New(slog.DiscardHandler))(t.Context(), file(t, "sqs.json")); err != nil {
		t.Error("a metric is no reason to send again:", err)
	}
}

// One function takes both, told apart by the event's form, wherever its keys stand.
func TestEither(t *testing.T) {
	t.Parallel()
	calls := map[string]int{}
	web := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls["http"]++ })
	batch := queue.HandlerFunc(func(context.Context, []queue.Item) []string { calls["sqs"]++; return nil })
	f := onlambda.Either(onlambda.HTTP(web, &flushes{}, slog.New(slog.DiscardHandler)), onlambda.SQS(batch, &flushes{}, slog.New(slog.DiscardHandler)))
	for _, payload := range [][]byte{file(t, "v2.json"), file(t, "v1.json"), file(t, "sqs.json"),
		[]byte(`{"note":"` + strings.Repeat("x", 100) + `","Records":[]}`),
		[]byte(`{"body":"\"Records\"","version":"2.0","rawPath":"/","requestContext":{"http":{"method":"GET"}}}`)} {
		if _, err := f(t.Context(), payload); err != nil {
			t.Errorf("%.60s: %v", payload, err)
		}
	}
	if calls["http"] != 3 || calls["sqs"] != 2 {
		t.Error(calls)
	}
}
