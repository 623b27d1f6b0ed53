package smtp_test

import (
	"bufio"
	"crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"sync"
	"testing"
)

// The things that a script can do instead of answering.
const (
	cut   = "cut"   // end the connection
	stall = "stall" // call stalled and say nothing
)

// mail is what arrived.
type mail struct {
	hello, auth, from, to string
	data                  []byte
	encrypted             bool
}

// server is an SMTP server that follows a script: a verb's answer, once for every time it is used, the
// last one for ever. "DOT" is the answer to a mail, "GREET" the greeting.
type server struct {
	listener net.Listener
	tls      *tls.Config
	ca       string
	implicit bool
	ehlo     []string // what it offers
	stalled  func()

	mu     sync.Mutex
	script map[string][]string
	mails  []mail
	conns  int
}

func newServer(t testing.TB, script map[string][]string, change func(*server)) *server {
	t.Helper()
	https := httptest.NewUnstartedServer(nil) // only for its certificate, which is for 127.0.0.1
	https.StartTLS()
	https.Close()
	s := &server{
		script: script, tls: &tls.Config{Certificates: https.TLS.Certificates},
		ca:   string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: https.Certificate().Raw})),
		ehlo: []string{"STARTTLS", "AUTH PLAIN LOGIN", "ENHANCEDSTATUSCODES", "SIZE 100000"},
	}
	if s.script == nil {
		s.script = map[string][]string{}
	}
	if change != nil {
		change(s)
	}
	var err error
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.listener.Close() })
	go s.accept()
	return s
}

func (s *server) port() string {
	_, port, _ := net.SplitHostPort(s.listener.Addr().String())
	return port
}

func (s *server) received() ([]mail, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mails, s.conns
}

func (s *server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns++
		s.mu.Unlock()
		if s.implicit {
			conn = tls.Server(conn, s.tls)
		}
		go s.talk(conn)
	}
}

// answer is the scripted one, or the usual.
func (s *server) answer(verb, usual string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.script[verb]
	if len(list) == 0 {
		return usual
	}
	if len(list) > 1 {
		s.script[verb] = list[1:]
	}
	return list[0]
}

func (s *server) scripted(verb string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.script[verb] != nil
}

func (s *server) talk(conn net.Conn) {
	defer func() { conn.Close() }()
	r := textproto.NewReader(bufio.NewReader(conn))
	m := mail{encrypted: s.implicit}
	say := func(verb, usual string) bool {
		switch a := s.answer(verb, usual); a {
		case cut:
			return false
		case stall:
			s.stalled()
			_, _ = io.Copy(io.Discard, conn)
			return false
		default:
			_, err := io.WriteString(conn, strings.ReplaceAll(a, "\n", "\r\n")+"\r\n")
			return err == nil
		}
	}
	for ok := say("GREET", "220 test ready"); ok; {
		line, err := r.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch verb = strings.ToUpper(verb); verb {
		case "EHLO":
			m.hello = rest
			ok = say(verb, "250-test\n250-"+strings.Join(s.ehlo, "\n250-")+"\n250 8BITMIME")
		case "STARTTLS":
			if ok = say(verb, "220 go on"); ok {
				conn = tls.Server(conn, s.tls)
				r, m.encrypted = textproto.NewReader(bufio.NewReader(conn)), true
			}
		case "AUTH":
			m.auth = rest
			ok = say(verb, "235 2.7.0 welcome")
		case "MAIL":
			m.from, _, _ = strings.Cut(strings.TrimPrefix(rest, "FROM:"), " ")
			ok = say(verb, "250 2.1.0 ok")
		case "RCPT":
			m.to = strings.TrimPrefix(rest, "TO:")
			ok = say(verb, "250 2.1.5 ok")
		case "DATA":
			if ok = say(verb, "354 go on"); !ok || s.scripted(verb) {
				continue
			}
			if m.data, err = r.ReadDotBytes(); err != nil {
				return
			}
			s.mu.Lock()
			s.mails = append(s.mails, m)
			s.mu.Unlock()
			ok = say("DOT", "250 2.0.0 Ok: queued as 4F2A")
		case "QUIT":
			say(verb, "221 bye")
			return
		default:
			ok = say(verb, "250 ok")
		}
	}
}
