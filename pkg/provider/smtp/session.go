package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	gosmtp "github.com/wneessen/go-mail/smtp"
)

// stage is how far a delivery got: it decides what a fault means.
type stage int

const (
	atConnect stage = iota // greeting, EHLO, STARTTLS, AUTH
	atMail                 // MAIL FROM
	atRcpt                 // RCPT TO
	atData                 // DATA and the text: the server does not yet have the final dot
	atDot                  // the final dot may have been sent
)

// setupError is a fault of the account's settings that shows while connecting.
type setupError struct{ code, text string }

func (e *setupError) Error() string { return e.text }

// errTooLarge says that the server announced a smaller SIZE.
var errTooLarge = errors.New("smtp: the mail is larger than the server takes")

// session is one connection, signed in.
type session struct {
	conn   net.Conn
	client *gosmtp.Client
	since  time.Time // when it became idle
}

// kill ends the connection at once; whatever waits on it returns with an error.
func (s *session) kill() { s.conn.Close() }

// connect dials, encrypts and signs in.
func (s *sender) connect(ctx context.Context) (*session, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.address)
	if err != nil {
		return nil, err
	}
	if s.mode == implicitTLS {
		secure := tls.Client(conn, s.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		conn = secure
	}
	out := &session{conn: conn}
	stop := context.AfterFunc(ctx, out.kill)
	defer stop()
	if out.client, err = s.greet(conn); err != nil {
		out.kill()
		return nil, err
	}
	return out, nil
}

func (s *sender) greet(conn net.Conn) (*gosmtp.Client, error) {
	client, err := gosmtp.NewClient(conn, s.host)
	if err != nil {
		return nil, err
	}
	if err := client.Hello(s.hello); err != nil {
		return nil, err
	}
	if s.mode == startTLS {
		if offered, _ := client.Extension("STARTTLS"); !offered {
			return nil, &setupError{"no_starttls", "the server does not offer STARTTLS"}
		}
		if err := client.StartTLS(s.tls); err != nil {
			return nil, err
		}
	}
	if s.username == "" {
		return client, nil
	}
	_, offered := client.Extension("AUTH")
	auth := s.auth(strings.Fields(strings.ToUpper(offered)))
	if auth == nil {
		return nil, &setupError{"no_auth", "the server offers no way of signing in that we know"}
	}
	return client, client.Auth(auth)
}

// auth chooses a mechanism: what hides the password first, if nothing else does.
func (s *sender) auth(offered []string) gosmtp.Auth {
	order := []string{"PLAIN", "LOGIN", "SCRAM-SHA-256", "CRAM-MD5"}
	if s.mode == noTLS {
		order = []string{"SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN"}
	}
	clear := s.mode == noTLS // read allowed it
	for _, name := range order {
		if !slices.Contains(offered, name) {
			continue
		}
		switch name {
		case "PLAIN":
			return gosmtp.PlainAuth("", s.username, s.password, s.host, clear)
		case "LOGIN":
			return gosmtp.LoginAuth(s.username, s.password, s.host, clear)
		case "SCRAM-SHA-256":
			return gosmtp.ScramSHA256Auth(s.username, s.password)
		case "CRAM-MD5":
			return gosmtp.CRAMMD5Auth(s.username, s.password)
		}
	}
	return nil
}

// deliver sends one mail and returns the server's words after the final dot, or how far it got.
func (s *session) deliver(m mailing) (answer string, at stage, err error) {
	if _, size := s.client.Extension("SIZE"); size != "" { // RFC 1870; 0 is no limit
		if limit, err := strconv.Atoi(size); err == nil && limit > 0 && len(m.body) > limit {
			return "", atMail, errTooLarge
		}
	}
	if err := s.client.Mail("<" + m.from + ">"); err != nil {
		return "", atMail, err
	}
	if err := s.client.Rcpt("<" + m.to + ">"); err != nil {
		return "", atRcpt, err
	}
	w, err := s.client.Data()
	if err != nil {
		return "", atData, err
	}
	if _, err := w.Write(m.body); err != nil {
		return "", atData, err // the dot is not written: the caller ends the connection
	}
	if err := w.Close(); err != nil {
		return "", atDot, err
	}
	if said, ok := w.(*gosmtp.DataCloser); ok {
		answer = said.ServerResponse()
	}
	return answer, atDot, nil
}

// reusable tells whether the connection is in a known state after a delivery.
func reusable(at stage, err error) bool {
	if err == nil || errors.Is(err, errTooLarge) {
		return true
	}
	var refused *textproto.Error
	return errors.As(err, &refused) && refused.Code != 421
}

const (
	poolSize = 16
	// poolIdle is well below the five minutes that a server must wait for a command
	// (https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.2.7); many wait less.
	poolIdle = 30 * time.Second
)

// pool keeps idle connections, the newest on top. Those of a sender that is no longer used end with it:
// the server closes them, or the garbage collector.
type pool struct {
	now  func() time.Time
	mu   sync.Mutex
	idle []*session
}

func (p *pool) take() *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		s := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if p.now().Sub(s.since) < poolIdle {
			return s
		}
		s.kill()
	}
	return nil
}

func (p *pool) put(s *session) {
	s.since = p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == poolSize {
		s.kill()
		return
	}
	p.idle = append(p.idle, s)
}
