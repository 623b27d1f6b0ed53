package onlambda_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/onlambda"
)

// flushes counts, and fails with err.
type flushes struct {
	n   int
	err error
}

func (f *flushes) Flush(context.Context) error {
	f.n++
	return f.err
}

// read is what a handler sees of a request.
type read struct {
	Method, Path, Query, Host, From, Body, Cookie, Type string
	Many                                                []string
	Length                                              int64
}

// invoke hands a payload to a handler that answers with what it saw.
func invoke(t *testing.T, payload []byte, answer http.HandlerFunc) (saw read, out map[string]any, f *flushes) {
	t.Helper()
	f = &flushes{}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		saw = read{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Host, r.RemoteAddr, string(body), r.Header.Get("Cookie"), r.Header.Get("Content-Type"),
			r.Header.Values("X-Many"), r.ContentLength}
		answer(w, r)
	})
	got, err := onlambda.HTTP(h, f, slog.New(slog.DiscardHandler))(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(got) // as the runtime sends it
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return saw, out, f
}

func file(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRequests(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]read{
		"v2.json": {"POST", "/v1/messages/msg%2Fodd/cancel", "reason=two%20words&reason=again", "abc.execute-api.eu-west-1.amazonaws.com", "[2001:db8::1]:0",
			`{"a":é}`, "a=1; b=2", "application/json", []string{"one,two"}, 8},
		"v2-stage.json": {"GET", "/v1/tenants", "", "example.com", "192.0.2.1:0", "", "", "", nil, 0},
		"v2-url.json":   {"POST", "/v1/messages", "", "xyz.lambda-url.eu-west-1.on.aws", "192.0.2.1:0", "{}", "", "application/json", nil, 2},
		"v1.json": {"POST", "/v1/messages/msg%20odd/cancel", "reason=two+words&reason=again", "abc.execute-api.eu-west-1.amazonaws.com", "192.0.2.7:0",
			`{"a":"é"}`, "a=1; b=2", "application/json", []string{"one", "two"}, 10},
		"v1-null.json": {"GET", "/v1/tenants", "", "", "192.0.2.7:0", "", "", "", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			saw, _, f := invoke(t, file(t, name), func(http.ResponseWriter, *http.Request) {})
			if diff := cmp.Diff(want, saw); diff != "" {
				t.Error("(-want +got):", diff)
			}
			if f.n != 1 {
				t.Errorf("metrics were flushed %d times", f.n)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	text := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("X-Many", "one")
		w.Header().Add("X-Many", "two")
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.WriteHeader(http.StatusAccepted)
		w.WriteHeader(http.StatusTeapot) // too late
		fmt.Fprint(w, "é")
	}
	binary := func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte{0xff, 0xfe})
	}
	zipped := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		fmt.Fprint(w, "ab")
	}
	for _, tc := range []struct {
		name, file string
		answer     http.HandlerFunc
		want       map[string]any
	}{
		{"text, 2.0", "v2.json", text, map[string]any{"statusCode": 202.0, "headers": map[string]any{"X-Many": "one, two"}, "multiValueHeaders": nil,
			"cookies": []any{"a=1", "b=2"}, "body": "é"}},
		{"text, 1.0", "v1.json", text, map[string]any{"statusCode": 202.0, "headers": nil, "body": "é",
			"multiValueHeaders": map[string]any{"X-Many": []any{"one", "two"}, "Set-Cookie": []any{"a=1", "b=2"}}}},
		{"bytes, 2.0", "v2.json", binary, map[string]any{"statusCode": 200.0, "headers": map[string]any{}, "multiValueHeaders": nil, "cookies": nil, "body": "//4=", "isBase64Encoded": true}},
		{"bytes, 1.0", "v1.json", binary, map[string]any{"statusCode": 200.0, "headers": nil, "multiValueHeaders": map[string]any{}, "body": "//4=", "isBase64Encoded": true}},
		{"zipped, 1.0", "v1.json", zipped, map[string]any{"statusCode": 200.0, "headers": nil, "multiValueHeaders": map[string]any{"Content-Encoding": []any{"gzip"}}, "body": "YWI=", "isBase64Encoded": true}},
		{"nothing, 2.0", "v2.json", func(http.ResponseWriter, *http.Request) {}, map[string]any{"statusCode": 200.0, "headers": map[string]any{}, "multiValueHeaders": nil, "cookies": nil, "body": ""}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, out, _ := invoke(t, file(t, tc.file), tc.answer)
			if diff := cmp.Diff(tc.want, out); diff != "" {
				t.Error("(-want +got):", diff)
			}
		})
	}
}

// What is no HTTP event is an error, with a reason and without the payload.
func TestMalformed(t *testing.T) {
	t.Parallel()
	never := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") })
	for name, payload := range map[string]string{
		"nothing":       ``,
		"not JSON":      `+8613800138000`,
		"a list":        `["+8613800138000"]`,
		"another event": `{"source":"aws.scheduler","detail":"+8613800138000"}`,
		"body":          `{"version":"2.0","rawPath":"/","isBase64Encoded":true,"body":"+8613800138000!","requestContext":{"http":{"method":"GET"}}}`,
		"path":          `{"version":"2.0","rawPath":"+8613800138000","requestContext":{"http":{"method":"GET"}}}`,
		"types, 2.0":    `{"version":"2.0","rawPath":7,"requestContext":{"http":{"method":"GET"}}}`,
		"types, 1.0":    `{"httpMethod":7}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := onlambda.HTTP(never, &flushes{}, slog.New(slog.DiscardHandler))(t.Context(), []byte(payload))
			if err == nil || out != nil || !strings.HasPrefix(err.Error(), "onlambda: ") || strings.Contains(err.Error(), "13800138000") {
				t.Errorf("%v, %v", out, err)
			}
		})
	}
}

// Metrics that cannot be written lose nobody's answer: the message was accepted. The log says so, in one line.
func TestMetricsNotWritten(t *testing.T) {
	t.Parallel()
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	var log bytes.Buffer
	f := &flushes{err: errors.Join(errors.New("disk full"), errors.New("the collector answered 404"))}
	out, err := onlambda.HTTP(h, f, slog.New(slog.NewJSONHandler(&log, nil)))(t.Context(), file(t, "v2.json"))
	if err != nil || out == nil {
		t.Errorf("%v, %v", out, err)
	}
	if line := log.String(); strings.Count(line, "\n") != 1 || !strings.Contains(line, "metrics not written") || !strings.Contains(line, "404") {
		t.Errorf("the log: %s", line)
	}
}

// The event's context, with its deadline, is the request's.
func TestContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "mine")
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Context().Value(key{}) != "mine" {
			t.Error("another context")
		}
	})
	if _, err := onlambda.HTTP(h, &flushes{}, slog.New(slog.DiscardHandler))(ctx, file(t, "v1.json")); err != nil {
		t.Fatal(err)
	}
}
