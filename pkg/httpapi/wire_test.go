package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/httpapi"
)

// dial opens a connection of bytes to a server; reads end after a while, so that a bug cannot hang the test.
func dial(t *testing.T, url string) *net.TCPConn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

func post(key, length, body string) string {
	return "POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer " + key + "\r\n" + length + "\r\n\r\n" + body
}

// say writes raw bytes and reads the answer to them.
func say(t *testing.T, conn net.Conn, text string) reply {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return readReply(t, conn)
}

func readReply(t *testing.T, conn net.Conn) reply {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.Close {
		res.Header.Set("Connection", "close") // which ReadResponse takes out
	}
	return reply{res.StatusCode, res.Header, string(body)}
}

// The cap of the operation is 1,000 bytes.
func TestSizes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, tc := range []struct {
		size, status int
	}{{2, 202}, {999, 202}, {1000, 202}, {1001, 413}, {70_000, 413}} {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprint(tc.size, chunked), func(t *testing.T) {
				t.Parallel()
				body := "{}" + strings.Repeat(" ", tc.size-2)
				length := fmt.Sprintf("Content-Length: %d", len(body))
				if chunked {
					length = "Transfer-Encoding: chunked"
					half := len(body) / 2
					body = fmt.Sprintf("%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", half, body[:half], len(body)-half, body[half:])
				}
				got := say(t, dial(t, b.url), post(b.send, length, body))
				if got.status != tc.status {
					t.Errorf("got %d %s", got.status, got.body)
				}
				if cut := got.header.Get("Connection") == "close"; cut != (tc.status == 413) {
					t.Errorf("connection closes: %v", cut)
				}
			})
		}
	}
}

func TestBodiesThatDoNotMatchTheirHeaders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, tc := range []struct {
		name, length, body string
		status             int
		detail             string
	}{
		{"shorter than announced", "Content-Length: 50", `{"to":"` + canary, 400, "announced length"},
		{"announced too large", "Content-Length: 99999999999", "", 413, "1000 bytes"},
		{"longer than announced", "Content-Length: 1", `{}`, 400, "ends before"},
		{"broken chunk", "Transfer-Encoding: chunked", "zz\r\n{}\r\n", 400, "chunks cannot be read"},
		{"cut within the chunks", "Transfer-Encoding: chunked", "2\r\n{}\r\n", 400, "chunks cannot be read"},
		{"empty chunks", "Transfer-Encoding: chunked", "0\r\n\r\n", 400, "empty"},
		{"two lengths", "Content-Length: 2\r\nContent-Length: 3", `{}`, 400, ""},
		{"two content types", "Content-Length: 2\r\nContent-Type: application/json", `{}`, 415, "application/json"},
		{"two keys", "Content-Length: 2\r\nAuthorization: Bearer x", `{}`, 401, "one Authorization header"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, b.url)
			if _, err := io.WriteString(conn, post(b.send, tc.length, tc.body)); err != nil {
				t.Fatal(err)
			}
			if err := conn.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			got := readReply(t, conn)
			if got.status != tc.status || !strings.Contains(got.body, tc.detail) || strings.Contains(got.body, "CANARY") {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
}

// A body of many parts must cost time in proportion, and be answered.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var names, list strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&names, `"n%d":0,`, i)
		fmt.Fprintf(&list, `"a%d",`, i)
	}
	for name, body := range map[string]string{
		"names, unknown":     "{" + names.String() + `"z":0}`,
		"names, of a map":    `{"vars":{` + names.String() + `"z":0}}`,
		"elements":           `{"vars":{"a":[` + list.String() + `0]}}`,
		"too deep":           strings.Repeat("[", 1_000_000),
		"one long string":    `{"to":"` + strings.Repeat("x", 1_900_000) + `"}`,
		"one long name":      `{"` + strings.Repeat("x", 1_900_000) + `":1}`,
		"one long number":    `{"vars":{"a":` + strings.Repeat("9", 1_900_000) + `}}`,
		"one long backslash": `{"to":"` + strings.Repeat(`\`, 1_900_000) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := b.do(t, "POST", "/v1/broken", body)
			if got.status != 400 && got.status != 500 || len(got.body) > 1000 {
				t.Errorf("got %d, %d bytes", got.status, len(got.body))
			}
		})
	}
}

// limited serves with the limits of Server, one of them made short.
func limited(t *testing.T, h http.Handler, shorten func(*http.Server)) string {
	t.Helper()
	srv := httpapi.Server("127.0.0.1:0", h)
	shorten(srv)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", srv.Addr)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() {
		_ = srv.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

func TestSlowClientsAreCut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	t.Run("headers", func(t *testing.T) {
		t.Parallel()
		url := limited(t, b.handler, func(s *http.Server) { s.ReadHeaderTimeout = 50 * time.Millisecond })
		conn := dial(t, url)
		if _, err := io.WriteString(conn, "POST /v1/messages HTTP/1.1\r\nHost: x\r\nX-Slow: "); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(conn); !ended(err) || strings.Contains(string(got), "200 OK") {
			t.Errorf("%q, %v", got, err) // the end of the stream, not our deadline
		}
	})
	t.Run("body", func(t *testing.T) {
		t.Parallel()
		url := limited(t, b.handler, func(s *http.Server) { s.ReadTimeout = time.Second }) // its headers come in time on a slow machine too
		conn := dial(t, url)
		got := say(t, conn, post(b.send, "Content-Length: 100", `{"to":`))
		if got.status != 400 || !strings.Contains(got.body, "did not come in time") || got.header.Get("Connection") != "close" {
			t.Errorf("got %d %s", got.status, got.body)
		}
		if _, err := conn.Read(make([]byte, 1)); err == nil || !ended(err) {
			t.Errorf("the connection lives on: %v", err)
		}
	})
	t.Run("huge headers", func(t *testing.T) {
		t.Parallel()
		url := limited(t, b.handler, func(s *http.Server) { s.MaxHeaderBytes = 1 << 10 })
		conn := dial(t, url)
		got := say(t, conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Large: "+strings.Repeat("x", 8<<10)+"\r\n\r\n")
		if got.status != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("got %d", got.status)
		}
	})
}

// ended: the server closed the connection, perhaps before it read what the client wrote. Not our deadline.
func ended(err error) bool {
	return err == nil || err == io.EOF || errors.Is(err, syscall.ECONNRESET)
}

// A client that closes its sending half still reads: what it is told must be true.
func TestHalfOpen(t *testing.T) {
	t.Parallel()
	gaveUp := httpapi.Route(httpapi.Op{Method: "POST", Path: "/v1/wait", ID: "wait"}, func(ctx context.Context, _ *httpapi.Call, _ *struct{}) (*sendOut, error) {
		<-ctx.Done()
		return nil, fmt.Errorf("write the record: %w", ctx.Err())
	})
	done := httpapi.Route(httpapi.Op{Method: "POST", Path: "/v1/done", ID: "done"}, func(ctx context.Context, _ *httpapi.Call, _ *struct{}) (*sendOut, error) {
		<-ctx.Done()
		return &sendOut{ID: "kept"}, nil
	})
	b := setup(t, gaveUp, done)
	for path, want := range map[string]int{"/v1/wait": 503, "/v1/done": 200} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, b.url)
			if _, err := io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			if err := conn.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			got := readReply(t, conn)
			if got.status != want {
				t.Errorf("got %d %s", got.status, got.body)
			}
			if want == 503 && (!strings.Contains(b.log.String(), `"status":499`) || got.header.Get("Retry-After") == "") {
				t.Errorf("header %v, log %s", got.header, b.log)
			}
		})
	}
}

// An answer that failed half way must not look like a whole one.
func TestHalfAnAnswerIsCut(t *testing.T) {
	t.Parallel()
	b := setup(t, httpapi.Raw(httpapi.Op{Method: "GET", Path: "/file", ID: "file"}, func(_ context.Context, _ *httpapi.Call, w http.ResponseWriter, _ *http.Request) error {
		_, _ = io.WriteString(w, strings.Repeat("x", 8192))
		panic(canary)
	}))
	for _, req := range []string{"GET /file HTTP/1.1\r\nHost: x\r\n\r\n", "POST /v1/receipts/a/b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nhalf"} {
		conn := dial(t, b.url)
		if _, err := io.WriteString(conn, req); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil {
			_, err = io.ReadAll(res.Body)
			_ = res.Body.Close()
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) && err != io.EOF {
			t.Errorf("%q: %v", req, err)
		}
	}
}
