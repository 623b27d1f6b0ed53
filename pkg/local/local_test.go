package local_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/local"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider/devinbox"
)

// server is a running notify.
type server struct {
	*local.Local
	t    *testing.T
	logs *logs
	stop func() error // ends it and waits; once
}

type logs struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(b)
}

func run(t *testing.T, dir string) *server {
	t.Helper()
	return runWith(t, local.Options{Data: dir})
}

func runWith(t *testing.T, o local.Options) *server {
	t.Helper()
	s := &server{t: t, logs: &logs{}}
	ctx, cancel := context.WithCancel(t.Context())
	var err error
	o.Addr, o.Log = "127.0.0.1:0", slog.New(slog.NewTextHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s.Local, err = local.Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	s.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// do makes a request as the demo tenant and gives the answer's status and body.
func (s *server) do(method, path, body string, header ...string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+string(s.Key))
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// send accepts a message and waits for it in the inbox.
func (s *server) send(body string) devinbox.Entry {
	s.t.Helper()
	code, answer := s.do("POST", "/v1/messages", body)
	var sent struct{ ID message.ID }
	if err := json.Unmarshal([]byte(answer), &sent); err != nil || code != http.StatusAccepted {
		s.t.Fatalf("%d %s", code, answer)
	}
	found, err := s.Inbox.Wait(s.t.Context(), devinbox.Filter{ID: sent.ID}, 1)
	if err != nil {
		s.t.Fatal(err)
	}
	return found[0]
}

// until asks for a message until it has a status.
func (s *server) until(id message.ID, status message.Status) {
	s.t.Helper()
	var answer string
	if !waitUntil(s.t, func() bool {
		_, answer = s.do("GET", "/v1/messages/"+string(id), "")
		return strings.Contains(answer, fmt.Sprintf(`"status":%q`, status))
	}) {
		s.t.Fatalf("not %s: %s", status, answer)
	}
}

func (s *server) list(query string) (out []devinbox.Entry) {
	s.t.Helper()
	code, body := s.do("GET", "/dev/inbox"+query, "")
	var answer struct{ Messages []devinbox.Entry }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || code != http.StatusOK || answer.Messages == nil {
		s.t.Fatalf("%d %s %v", code, body, err)
	}
	return answer.Messages
}

func order(name, to string) string {
	b, _ := json.Marshal(map[string]any{"to": to, "channel": "email", "template": "order-shipped", "vars": map[string]any{"name": name, "order": "A-1"}})
	return string(b)
}

func TestInboxPage(t *testing.T) {
	t.Parallel()
	s := run(t, t.TempDir())
	if got := s.list(""); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	e := s.send(order("<script>alert(1)</script>", "someone@example.com"))
	s.send(`{"to":"+8613800138000","template":"login-code","vars":{"code":"482913"}}`)
	if got := s.list(""); len(got) != 2 || got[1].To != "someone@example.com" || !strings.Contains(got[1].Content.Subject, "A-1") || !strings.Contains(got[1].Content.Text, "<script>") {
		t.Errorf("%+v", got)
	}
	for query, want := range map[string]int{"?channel=sms": 1, "?to=someone@example.com": 1, "?id=" + string(e.ID): 1, "?channel=push": 0, "?format=json": 2} {
		if got := s.list(query); len(got) != want {
			t.Errorf("%s: %d", query, len(got))
		}
	}
	code, page := s.do("GET", "/dev/inbox", "", "Accept", "text/html,*/*")
	if code != 200 || strings.Contains(page, "<script>") || !strings.Contains(page, "&lt;script&gt;") || !strings.Contains(page, string(e.ID)) || !strings.HasPrefix(page, "<!doctype html>") {
		t.Errorf("%d %s", code, page)
	}
	if _, body := s.do("GET", "/dev/inbox?format=json", "", "Accept", "text/html"); !strings.HasPrefix(body, "{") {
		t.Error(body)
	}
	button := "/dev/inbox/" + string(e.ID)
	for _, tt := range []struct {
		method, path string
		header       []string
		want         int
	}{
		{"GET", "/dev/inbox", []string{"Host", "evil.example:8080"}, 421},
		{"GET", "/dev/inbox", []string{"Host", "localhost.evil.example"}, 421},
		{"GET", "/dev/inbox", []string{"Host", "localhost:8080"}, 200},
		{"GET", "/dev/inbox", []string{"Host", "shop.localhost"}, 200},
		{"GET", "/dev/inbox", []string{"Host", "[::1]:8080"}, 200},
		{"GET", "/dev/inbox", []string{"Host", "[::1]"}, 200},
		{"POST", "/dev/inbox", nil, 405},
		{"DELETE", "/dev/inbox", nil, 405},
		{"GET", button + "/delivered", nil, 405},
		{"GET", "/dev/inbox/", nil, 404},
		{"GET", "/dev/inbox/x", nil, 404},
		{"POST", button, nil, 404},
		{"POST", button + "/none", nil, 404},
		{"POST", button + "/read", nil, 404},
		{"POST", "/dev/inbox/msg_x/delivered", nil, 404},
		{"POST", button + "/bounced", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"POST", button + "/bounced", []string{"Origin", "https://evil.example"}, 403},
		{"POST", button + "/delivered?after=601", nil, 422},
		{"POST", button + "/delivered?after=soon", nil, 422},
		{"POST", button + "/reply", nil, 422},
		{"POST", "/dev/inbox/msg_x/reply", nil, 404},
		{"POST", button + "/reply", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"POST", button + "/delivered", []string{"Accept", "text/html"}, 303},
		{"POST", button + "/delivered", nil, 202},
	} {
		if code, body := s.do(tt.method, tt.path, "", tt.header...); code != tt.want {
			t.Errorf("%s %s %v: %d, want %d: %s", tt.method, tt.path, tt.header, code, tt.want, body)
		}
	}
	s.until(e.ID, message.Delivered)
	if err := s.stop(); err != nil || s.logs.Len() != 0 {
		t.Error(err, s.logs.String())
	}
}

// What a recipient writes back does what it would with a real provider; a receipt may be late.
func TestInboxReply(t *testing.T) {
	t.Parallel()
	s := run(t, t.TempDir())
	e := s.send(`{"to":"+8613800138000","template":"order-shipped","channel":"sms","vars":{"name":"Li","order":"A-1"}}`)
	s.until(e.ID, message.Delivered)
	if code, body := s.do("POST", "/dev/inbox/"+string(e.ID)+"/reply", `{"text":" stop "}`); code != http.StatusAccepted {
		t.Fatal(code, body)
	}
	waitUntil(t, func() bool {
		_, body := s.do("POST", "/v1/suppressions/check", `{"address":"+8613800138000","channel":"sms"}`)
		return strings.Contains(body, `"reason":"opt_out"`)
	})
	late := s.send(order("Li", "accept+late@example.com"))
	s.until(late.ID, message.Sent)
	if code, body := s.do("POST", "/dev/inbox/"+string(late.ID)+"/bounced?after=1", ""); code != http.StatusAccepted {
		t.Fatal(code, body)
	}
	s.until(late.ID, message.Bounced)
}

// After a restart the inbox shows the newest of what had arrived, and the buttons still work.
func TestInboxAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := run(t, dir)
	code := s.send(`{"to":"+8613800138000","template":"login-code","vars":{"code":"482913"}}`)
	s.do("POST", "/dev/inbox/"+string(code.ID)+"/delivered", "")
	s.until(code.ID, message.Delivered) // and its variables are gone
	free := s.send(`{"to":"accept+me@example.com","channel":"email","content":{"subject":"Hi","text":"there"}}`)
	s.until(free.ID, message.Sent)
	failed := s.send(order("x", "timeout@example.com"))
	s.until(failed.ID, message.InDoubt)
	before := s.list("")
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	key := s.Key
	s = run(t, dir)
	if s.Key != key {
		t.Error("another key")
	}
	after := s.list("")
	for i := range before {
		if i < len(after) {
			before[i].Time, after[i].Time = 0, 0 // of the call and of its end
		}
	}
	if len(before) == 3 {
		before[0].ProviderID = "" // of a call without an answer
		before[2].Content = message.Content{Text: after[2].Content.Text}
	}
	if diff := cmp.Diff(before, after); diff != "" || !strings.Contains(after[2].Content.Text, "erased") {
		t.Error(diff)
	}
	s.do("POST", "/dev/inbox/"+string(free.ID)+"/bounced", "")
	s.until(free.ID, message.Bounced)
	var batch []string
	for i := range 230 {
		batch = append(batch, order(fmt.Sprint(i), fmt.Sprintf("p%d@example.com", i)))
	}
	if code, body := s.do("POST", "/v1/messages/batch", `{"messages":[`+strings.Join(batch, ",")+`]}`); code != http.StatusAccepted {
		t.Fatalf("%d %s", code, body)
	}
	if _, err := s.Inbox.Wait(t.Context(), devinbox.Filter{}, 233); err != nil {
		t.Fatal(err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s = run(t, dir)
	if got := s.list(""); len(got) != 200 || slices.ContainsFunc(got, func(e devinbox.Entry) bool { return e.ID == code.ID }) {
		t.Errorf("%d entries", len(got))
	}
}

// Nothing that was started goes on after the end.
func TestNothingIsLeftRunning(t *testing.T) {
	t.Parallel()
	label := pprof.Labels("test", t.Name())
	pprof.Do(t.Context(), label, func(context.Context) {
		s := run(t, t.TempDir())
		s.send(order("x", "someone@example.com"))
		if err := s.stop(); err != nil {
			t.Error(err)
		}
		if _, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://")); err == nil {
			t.Error("it listens still")
		}
	})
	http.DefaultClient.CloseIdleConnections()
	var left string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); { // ending takes a moment
		var profile bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
			t.Fatal(err)
		}
		left = ""
		for _, g := range strings.Split(profile.String(), "\n\n") {
			if strings.Contains(g, fmt.Sprintf("%q:%q", "test", t.Name())) && strings.Contains(g, "opennotify") && !strings.Contains(g, "local_test.TestNothing") {
				left += g + "\n\n"
			}
		}
		if left == "" {
			return
		}
	}
	t.Error(left)
}

// Whatever stops it before it began leaves nothing behind, and it can be started again.
func TestStoppedBeforeItBegan(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	l, err := local.Start(ctx, local.Options{Addr: "127.0.0.1:0", Data: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := l.Run(ctx); err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(l.URL, "http://")); err == nil {
		t.Error("it listens still")
	}
	run(t, dir).send(order("x", "someone@example.com"))
}

// A start that fails says why in one line, and keeps neither the port nor the file.
func TestStartFails(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	file := filepath.Join(t.TempDir(), "file")
	write := func(name, text string) func(t *testing.T, dir string) string {
		return func(t *testing.T, dir string) string {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return dir
		}
	}
	for name, tt := range map[string]struct {
		addr    string
		prepare func(t *testing.T, dir string) string
		want    string
	}{
		"port in use":        {taken.Addr().String(), nil, "is in use by another program"},
		"no address":         {"nonsense", nil, "cannot listen on nonsense"},
		"the folder, a file": {"", func(t *testing.T, _ string) string { write("file", "")(t, filepath.Dir(file)); return file }, "data folder"},
		"no database":        {"", write("notify.db", strings.Repeat("no database ", 1000)), "damaged"},
		"no master key":      {"", write("master.key", "abc"), "master key"},
		"no vault":           {"", write("secrets.json", "{"), "secret"},
		"a torn demo key":    {"", write("demo.key", ""), "remove it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if tt.prepare != nil {
				dir = tt.prepare(t, dir)
			}
			if tt.addr == "" {
				tt.addr = "127.0.0.1:0"
			}
			for range 2 { // twice: the first left nothing behind
				l, err := local.Start(t.Context(), local.Options{Addr: tt.addr, Data: dir, Log: slog.New(slog.DiscardHandler)})
				if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%v %v", l != nil, err)
				}
			}
		})
	}
}

func TestWelcome(t *testing.T) {
	t.Parallel()
	s := run(t, t.TempDir())
	var line struct{ URL, Inbox, Key string }
	if err := json.Unmarshal([]byte(s.JSON()), &line); err != nil || line.URL != s.URL || line.Inbox != s.URL+"/dev/inbox" || line.Key != string(s.Key) {
		t.Errorf("%s %v", s.JSON(), err)
	}
	if w := s.Welcome(); !strings.Contains(w, s.URL+"/v1/messages") || !strings.Contains(w, string(s.Key)) || strings.Contains(w, "$") {
		t.Error(w)
	}
}
