package smtp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

// The modes of encryption.
const (
	startTLS    = "starttls"
	implicitTLS = "implicit"
	noTLS       = "none"
)

// config is an account, read.
type config struct {
	account  provider.Account
	host     string
	address  string // host and port
	mode     string
	tls      *tls.Config
	username string
	password string
	from     mail.Address
	replyTo  string
	envelope string
	domain   string // of from, for Message-IDs
	hello    string
}

type sender struct {
	config
	now  func() time.Time
	pool *pool
}

// Open is the provider's OpenFunc. It does not connect.
func Open(a provider.Account, e provider.Env) (provider.Sender, error) {
	c, err := read(a)
	if err != nil {
		return nil, err
	}
	return &sender{config: c, now: e.Now, pool: &pool{now: e.Now}}, nil
}

func read(a provider.Account) (config, error) {
	c := config{
		account: a, host: a.Config["host"], mode: a.Config["tls"],
		username: a.Config["username"], password: string(a.Secrets["password"]),
		from:    mail.Address{Name: a.Config["from_name"], Address: a.Config["from"]},
		replyTo: a.Config["reply_to"], envelope: a.Config["envelope"], hello: a.Config["hello"],
	}
	port := a.Config["port"]
	switch c.mode {
	case startTLS, "":
		c.mode, port = startTLS, orElse(port, "587")
	case implicitTLS:
		port = orElse(port, "465")
	case noTLS:
		port = orElse(port, "25")
		if a.Config["allow_plaintext"] != "true" && !loopback(c.host) {
			return config{}, errors.New(`field "tls" is none, which needs "allow_plaintext" or a host on this machine`)
		}
	default:
		return config{}, fmt.Errorf("field %q must be starttls, implicit or none", "tls")
	}
	if c.host == "" {
		return config{}, fmt.Errorf("field %q is required", "host")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return config{}, fmt.Errorf("field %q must be a port", "port")
	}
	c.address = net.JoinHostPort(c.host, port)
	for _, name := range []string{"from", "reply_to", "envelope"} {
		if v := a.Config[name]; (v != "" || name == "from") && !plainAddress(v) {
			return config{}, fmt.Errorf("field %q must be a mail address", name)
		}
	}
	if broken(c.from.Name) || broken(c.hello) {
		return config{}, fmt.Errorf("fields %q and %q must be one line", "from_name", "hello")
	}
	c.domain = c.from.Address[strings.LastIndexByte(c.from.Address, '@')+1:]
	c.hello, c.envelope = orElse(c.hello, c.domain), orElse(c.envelope, c.from.Address)
	c.tls = &tls.Config{ServerName: c.host, MinVersion: tls.VersionTLS12}
	if ca := a.Config["ca"]; ca != "" {
		c.tls.RootCAs = x509.NewCertPool()
		if !c.tls.RootCAs.AppendCertsFromPEM([]byte(ca)) {
			return config{}, fmt.Errorf("field %q holds no certificate in PEM", "ca")
		}
	}
	return c, nil
}

// Send makes one attempt.
func (s *sender) Send(ctx context.Context, c provider.Call) message.Result {
	m, err := s.compose(c)
	if err != nil {
		return message.Result{Outcome: message.Permanent, Code: "bad_content", Text: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, provider.Timeout)
	defer cancel()
	session, err := s.session(ctx)
	if err != nil {
		return s.classify(ctx, atConnect, err, c.To)
	}
	stop := context.AfterFunc(ctx, session.kill)
	answer, at, err := session.deliver(m)
	if stop() && reusable(at, err) {
		s.pool.put(session)
	} else {
		session.kill()
	}
	if err != nil {
		return s.classify(ctx, at, err, c.To)
	}
	return message.Result{
		Outcome:    message.Accepted,
		ProviderID: m.id,
		Code:       "250",
		Text:       provider.Clean(answer, s.account, c.To), // most servers name their queue's id here
	}
}

// Check connects, encrypts and signs in.
func (s *sender) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, provider.Timeout)
	defer cancel()
	session, err := s.connect(ctx)
	if err != nil {
		r := s.classify(ctx, atConnect, err, "")
		return fmt.Errorf("smtp: connect: %s %s", r.Code, r.Text)
	}
	session.kill()
	return nil
}

// session is a kept connection that still works, or a new one.
func (s *sender) session(ctx context.Context) (*session, error) {
	for kept := s.pool.take(); kept != nil; kept = s.pool.take() {
		stop := context.AfterFunc(ctx, kept.kill)
		err := kept.client.Reset()
		if stop() && err == nil {
			return kept, nil
		}
		kept.kill()
	}
	return s.connect(ctx)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// plainAddress takes one bare address, without a display name.
func plainAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Name == "" && a.Address == s && !broken(s)
}

// broken finds what would end a header's line.
func broken(s string) bool { return strings.ContainsAny(s, "\r\n\x00") }

func orElse(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
