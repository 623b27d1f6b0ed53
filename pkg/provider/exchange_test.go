package provider_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/guard"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "1.5": 1500 * time.Millisecond, "-3": 0, "soon": 0,
		"3600": time.Hour, "3601": time.Hour, "1e300": time.Hour, "+Inf": time.Hour, "NaN": 0, "99999999999999999999": time.Hour,
		"Fri, 02 Jan 2026 03:05:05 GMT": time.Minute, "Fri, 02 Jan 2026 03:04:00 GMT": 0, "Sat, 03 Jan 2026 03:04:05 GMT": time.Hour,
	} {
		if got := provider.RetryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
}

func TestAnswerIsBounded(t *testing.T) {
	t.Parallel()
	for n, cut := range map[int]bool{0: false, provider.MaxAnswer: false, provider.MaxAnswer + 1: true, 10 * provider.MaxAnswer: true} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("x", n))
		}))
		defer server.Close()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		a, _, answered := provider.Exchange(guard.Client(guard.Options{}), req)
		if !answered || a.Cut != cut || len(a.Body) != min(n, provider.MaxAnswer) {
			t.Errorf("%d bytes: %v, %d bytes, cut %v", n, answered, len(a.Body), a.Cut)
		}
	}
}

// TestDeadKeptConnection: the second request on a connection finds it dead after it was written. net/http
// would repeat a GET by itself; a GET that sends a message must not be repeated.
func TestDeadKeptConnection(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		var asked atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if asked.Add(1) == 1 {
				return
			}
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				conn.Close()
			}
		}))
		defer server.Close()
		client := guard.Client(guard.Options{})
		for i, want := range []bool{true, false} {
			req, err := http.NewRequestWithContext(t.Context(), method, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, fault, answered := provider.Exchange(client, req)
			if answered != want || fault.Outcome != message.Unknown {
				t.Errorf("%s %d: %v %+v", method, i, answered, fault)
			}
		}
		if n := asked.Load(); n != 2 {
			t.Errorf("%s: the server was asked %d times", method, n)
		}
	}
}
