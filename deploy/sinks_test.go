package deploy_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/opennotify/notify/client"
)

// sinks are where messages arrive: a mail server and a receiver of webhooks.
type sinks struct {
	mail net.Listener
	hook *httptest.Server

	mu    sync.Mutex
	mails map[string]int // by recipient: mails that were taken
	calls map[string]int // by path: webhooks that came
	taken map[string]int // by path: webhooks that were answered with 200
	up    map[string]bool
	last  map[string]string // by path: the body of the last one
	// secret is that of the tenant's endpoint; told is what the endpoint took, by the message's id and status.
	secret client.Key
	told   map[string]map[string]any
}

// newSinks listens on an address of this machine.
func newSinks(t *testing.T, host string) *sinks {
	t.Helper()
	s := &sinks{mails: map[string]int{}, calls: map[string]int{}, taken: map[string]int{}, up: map[string]bool{}, last: map[string]string{}, told: map[string]map[string]any{}}
	var err error
	if s.mail, err = net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.mail.Close() })
	go s.acceptMail()
	hook, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	s.hook = httptest.NewUnstartedServer(http.HandlerFunc(s.take))
	s.hook.Listener.Close()
	s.hook.Listener = hook
	s.hook.Start()
	t.Cleanup(s.hook.Close)
	return s
}

// take answers by the path: /ok/… is well, /gone/… is refused for good, /down/… is down until repair, and
// /flaky<n>/… is down for the first n calls.
func (s *sinks) take(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[r.URL.Path]++
	s.last[r.URL.Path] = string(body)
	kind, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	status := http.StatusOK
	if n, err := strconv.Atoi(strings.TrimPrefix(kind, "flaky")); err == nil && s.calls[r.URL.Path] <= n {
		status = http.StatusServiceUnavailable
	}
	switch {
	case kind == "down" && !s.up[r.URL.Path]:
		status = http.StatusInternalServerError
	case kind == "gone":
		status = http.StatusGone
	}
	if r.URL.Path == toldPath && !s.hear(r.Header, body) {
		status = http.StatusUnauthorized
	}
	if status == http.StatusOK {
		s.taken[r.URL.Path]++
	}
	w.WriteHeader(status)
	if rest, ok := strings.CutPrefix(r.URL.Path, mutePath); ok { // the vendor that has to be asked: it says one thing to all
		name, _, _ := strings.Cut(rest, "/")
		fmt.Fprintf(w, `{"id": "v-%[1]s", "items": [{"id": "v-%[1]s", "state": "ok"}]}`, name)
	}
}

// mutePath begins what a vendor is asked that never calls back.
const mutePath = "/ok/mute/"

// toldPath is the tenant's endpoint.
const toldPath = "/ok/told"

// hear takes an event that is signed as it should be.
func (s *sinks) hear(h http.Header, body []byte) bool {
	e, err := client.VerifyWebhook(h, body, s.secret)
	if err != nil {
		return false
	}
	var event map[string]any
	if json.Unmarshal(body, &event) != nil {
		return false
	}
	s.told[e.Data.ID+" "+string(e.Data.Status)] = event
	return true
}

// event is what the endpoint was told of a message's status; nil before it was.
func (s *sinks) event(id, status string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.told[id+" "+status]
}

func (s *sinks) repair(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.up[path] = true
}

// webhooks is how often a path was called, and how often it said yes.
func (s *sinks) webhooks(path string) (calls, taken int, last string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[path], s.taken[path], s.last[path]
}

func (s *sinks) mailsTo(address string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mails[address]
}

func (s *sinks) acceptMail() {
	for {
		c, err := s.mail.Accept()
		if err != nil {
			return
		}
		go s.session(c)
	}
}

// session is as much of RFC 5321 as a client needs that sends.
func (s *sinks) session(c net.Conn) {
	defer c.Close()
	in := textproto.NewReader(bufio.NewReader(c))
	say := func(line string) { fmt.Fprintf(c, "%s\r\n", line) }
	say("220 sink")
	to := ""
	for {
		line, err := in.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO", "HELO":
			say("250 sink")
		case "RCPT":
			address, _, _ := strings.Cut(strings.TrimPrefix(rest, "TO:<"), ">")
			to = address
			say("250 ok")
		case "DATA":
			say("354 go on")
			if _, err := in.ReadDotBytes(); err != nil {
				return
			}
			s.mu.Lock()
			s.mails[to]++
			s.mu.Unlock()
			say("250 queued")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}
