package smtp_test

import (
	"context"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/provider/providertest"
	"github.com/opennotify/notify/pkg/provider/smtp"
)

const password = "canary-pa55word"

var call = provider.Call{
	ID: "msg_0123456789abcdefghjkmnpq001kdyajy800000000000000000", Epoch: 3, Key: "k", Channel: message.Email,
	To:      "wang@example.org",
	Content: message.Content{Subject: "您的订单 №42 已发货", Text: "你好\n.\n..dots\n", HTML: "<p>你好</p>"},
}

func account(t testing.TB, s *server, config map[string]string) provider.Account {
	t.Helper()
	a := provider.Account{
		Name: "mail", Provider: "smtp", Channel: message.Email,
		Config: map[string]string{
			"host": "127.0.0.1", "port": s.port(), "from": "noreply@shop.example", "username": "shop", "ca": s.ca,
		},
		Secrets: map[string]message.Secret{"password": password},
	}
	maps.Copy(a.Config, config)
	catalogue, err := catalog.Load(provider.Descriptors())
	if err != nil {
		t.Fatal(err)
	}
	d, _ := catalogue.Shipped("smtp")
	if err := d.Check(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

func open(t *testing.T, s *server, config map[string]string) provider.Sender {
	t.Helper()
	e, _ := providertest.Env(t)
	sender, err := smtp.Open(account(t, s, config), e)
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

func TestMail(t *testing.T) {
	t.Parallel()
	for mode, change := range map[string]func(*server){
		"starttls": nil,
		"implicit": func(s *server) { s.implicit = true },
		"none":     func(s *server) { s.ehlo = []string{"AUTH LOGIN PLAIN"} },
	} {
		s := newServer(t, nil, change)
		sender := open(t, s, map[string]string{
			"tls": mode, "from_name": "小店", "reply_to": "help@shop.example", "envelope": "bounces@shop.example",
		})
		c := call
		c.Binding = map[string]string{provider.BindingUnsubscribe: "https://shop.example/u?x=1"}
		c.Content.Attachments = []message.Attachment{{Name: "发票.pdf", Type: "application/pdf", Data: []byte("%PDF")}}
		r := sender.Send(t.Context(), c)
		want := message.Result{
			Outcome: message.Accepted, Code: "250", Text: "2.0.0 Ok: queued as 4F2A", ProviderID: string(call.ID) + ".3@shop.example",
		}
		if r != want {
			t.Fatalf("%s: %+v", mode, r)
		}
		mails, _ := s.received()
		m := mails[0]
		if m.from != "<bounces@shop.example>" || m.to != "<wang@example.org>" || m.hello != "shop.example" || m.encrypted != (mode != "none") {
			t.Errorf("%s: envelope %+v", mode, m)
		}
		if m.auth != "PLAIN AHNob3AAY2FuYXJ5LXBhNTV3b3Jk" {
			t.Errorf("%s: AUTH %s", mode, m.auth)
		}
		checkMail(t, string(m.data), r.ProviderID)
	}
}

func checkMail(t *testing.T, data, id string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Subject": "您的订单 №42 已发货", "From": "小店 <noreply@shop.example>", "To": "<wang@example.org>", "Reply-To": "<help@shop.example>",
		"Date": "Fri, 02 Jan 2026 03:04:05 +0000", "Message-Id": "<" + id + ">", "X-Notify-Id": string(call.ID),
		"List-Unsubscribe": "<https://shop.example/u?x=1>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
		"X-Mailer": "", "User-Agent": "",
	} {
		got, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get(name))
		if err != nil || got != want {
			t.Errorf("%s: %q (%v), want %q", name, got, err, want)
		}
	}
	for i, c := range data {
		if c > 127 {
			t.Fatalf("byte %d is not ASCII", i)
		}
	}
	parts := map[string]string{}
	walk(t, m.Header.Get("Content-Type"), "", m.Body, parts)
	for kind, want := range map[string]string{"text/plain": "你好\n.\n..dots\n", "text/html": "<p>你好</p>", "application/pdf": "JVBERg=="} {
		if got := strings.TrimSpace(strings.ReplaceAll(parts[kind], "\r\n", "\n")); got != strings.TrimSpace(want) {
			t.Errorf("%s: %q", kind, got)
		}
	}
}

func walk(t *testing.T, contentType, encoding string, r io.Reader, out map[string]string) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		if encoding == "quoted-printable" {
			r = quotedprintable.NewReader(r)
		}
		body, _ := io.ReadAll(r)
		out[kind] = string(body)
		return
	}
	parts := multipart.NewReader(r, params["boundary"])
	for p, err := parts.NextRawPart(); err == nil; p, err = parts.NextRawPart() {
		walk(t, p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p, out)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		verb, answer string
		want         message.Outcome
		code         string
	}{
		{"GREET", "554 5.7.1 go away", message.AccountFault, "554 5.7.1"},
		{"GREET", "421 4.3.2 too busy", message.Retry, "421 4.3.2"},
		{"GREET", cut, message.Retry, "connect"},
		{"STARTTLS", "454 4.7.0 TLS not available due to temporary reason", message.Retry, "454 4.7.0"},
		{"AUTH", "535 5.7.8 bad credentials", message.AccountFault, "535 5.7.8"},
		{"AUTH", "454 4.7.0 Temporary authentication failure", message.Retry, "454 4.7.0"},
		{"AUTH", "454 Throttling failure: Maximum sending rate exceeded.", message.Throttled, "454"},
		{"MAIL", "530 5.7.0 authentication required", message.AccountFault, "530 5.7.0"},
		{"MAIL", "550 5.1.8 sender refused", message.AccountFault, "550 5.1.8"},
		{"MAIL", "552 5.3.4 message too big", message.Permanent, "552 5.3.4"},
		{"MAIL", "451 4.3.0 try later", message.Retry, "451 4.3.0"},
		{"MAIL", cut, message.Retry, "cut"},
		{"RCPT", "550 5.1.1 <wang@example.org>: no such user", message.Permanent, "550 5.1.1"},
		{"RCPT", "554 5.7.1 <wang@example.org>: Relay access denied", message.AccountFault, "554 5.7.1"},
		{"RCPT", "450 4.7.1 <wang@example.org>: Greylisted", message.Retry, "450 4.7.1"},
		{"RCPT", "450 4.7.1 rate policy", message.Throttled, "450 4.7.1"},
		{"RCPT", "452 4.5.3 Too many recipients", message.Throttled, "452 4.5.3"},
		{"RCPT", "452 4.2.2 mailbox full", message.Retry, "452 4.2.2"},
		{"RCPT", "552 5.2.2 mailbox full", message.Permanent, "552 5.2.2"},
		{"RCPT", cut, message.Retry, "cut"},
		{"DATA", "554 5.5.1 no valid recipients", message.Permanent, "554 5.5.1"},
		{"DATA", cut, message.Retry, "cut"},
		{"DOT", "550 5.7.26 unauthenticated email is not accepted", message.AccountFault, "550 5.7.26"},
		{"DOT", "554 5.6.0 looks like spam", message.Permanent, "554 5.6.0"},
		{"DOT", "451 4.3.0 queue full", message.Retry, "451 4.3.0"},
		{"DOT", "552 5.3.4 too big", message.Permanent, "552 5.3.4"},
		{"DOT", "299 what", message.Unknown, "299"},
		{"DOT", "not an answer", message.Unknown, "cut"},
		{"DOT", cut, message.Unknown, "cut"},
	} {
		s := newServer(t, map[string][]string{c.verb: {c.answer}}, nil)
		r := open(t, s, nil).Send(t.Context(), call)
		if r.Outcome != c.want || r.Code != c.code {
			t.Errorf("%s %s: %s %q %q, want %s %q", c.verb, c.answer, r.Outcome, r.Code, r.Text, c.want, c.code)
		}
		providertest.Leaks(t, account(t, s, nil), call.To, c.verb, r.Text, r.Code)
	}
}

// TestDeadline stalls every step; only the last one leaves a doubt.
func TestDeadline(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"GREET", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "DOT"} {
		ctx, cancel := context.WithCancel(t.Context())
		s := newServer(t, map[string][]string{verb: {stall}}, func(s *server) { s.stalled = cancel })
		r := open(t, s, nil).Send(ctx, call)
		want := message.Retry
		if verb == "DOT" {
			want = message.Unknown
		}
		if r.Outcome != want || r.Code != provider.CodeCanceled {
			t.Errorf("%s: %+v, want %s", verb, r, want)
		}
	}
}

func TestSetup(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*server)
		config map[string]string
		code   string
	}{
		"no starttls":         {func(s *server) { s.ehlo = []string{"AUTH PLAIN"} }, nil, "no_starttls"},
		"no way to sign in":   {func(s *server) { s.ehlo = []string{"STARTTLS", "AUTH XOAUTH2"} }, nil, "no_auth"},
		"unknown certificate": {nil, map[string]string{"ca": ""}, "tls"},
		"other name":          {nil, map[string]string{"host": "localhost"}, "tls"},
		"TLS on a plain port": {nil, map[string]string{"tls": "implicit"}, "tls"},
	} {
		s := newServer(t, nil, c.change)
		r := open(t, s, c.config).Send(t.Context(), call)
		if r.Outcome != message.AccountFault || r.Code != c.code {
			t.Errorf("%s: %+v", name, r)
		}
	}
	s := newServer(t, nil, nil)
	s.listener.Close()
	if r := open(t, s, map[string]string{"port": "1"}).Send(t.Context(), call); r.Outcome != message.Retry || r.Code != "connect" {
		t.Errorf("nobody listens: %+v", r)
	}
}

func TestContentRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*provider.Call){
		"subject":     func(c *provider.Call) { c.Content.Subject = "a\r\nBcc: x@example.org" },
		"recipient":   func(c *provider.Call) { c.To = "a@example.org\r\nRCPT TO:<b@example.org>" },
		"encoded":     func(c *provider.Call) { c.To = "=?UTF-8?q?x=0D=0ABcc:_y@example.org?= <wang@example.org>" },
		"two":         func(c *provider.Call) { c.To = "a@example.org, b@example.org" },
		"attachment":  func(c *provider.Call) { c.Content.Attachments = []message.Attachment{{Name: "a\r\nb"}} },
		"type":        func(c *provider.Call) { c.Content.Attachments = []message.Attachment{{Name: "a", Type: "b\nc"}} },
		"unsubscribe": func(c *provider.Call) { c.Binding = map[string]string{"list_unsubscribe": "https://x>\r\nBcc: y"} },
		"too large":   func(c *provider.Call) { c.Content.Text = strings.Repeat("x\n", 60000) },
	} {
		s := newServer(t, nil, nil)
		c := call
		change(&c)
		r := open(t, s, nil).Send(t.Context(), c)
		if mails, _ := s.received(); r.Outcome != message.Permanent || len(mails) != 0 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]map[string]string{
		"no host":          {"from": "a@b.example"},
		"plaintext":        {"host": "mail.example", "from": "a@b.example", "tls": "none"},
		"port":             {"host": "mail.example", "from": "a@b.example", "port": "70000"},
		"from":             {"host": "mail.example", "from": "A <a@b.example>"},
		"from is a header": {"host": "mail.example", "from": "a@b.example", "from_name": "x\r\nBcc: y"},
		"ca":               {"host": "mail.example", "from": "a@b.example", "ca": "no certificate"},
	} {
		if _, err := smtp.Open(provider.Account{Config: config}, provider.Env{Now: time.Now}); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestPool(t *testing.T) {
	t.Parallel()
	s := newServer(t, map[string][]string{
		"RCPT": {"250 ok", "550 5.1.1 no", "250 ok"}, // a refusal keeps the connection
		"RSET": {"250 ok", "250 ok", cut, "250 ok"},  // and one that has died is replaced
		"DOT":  {"250 ok", "250 ok", "250 ok", "421 4.4.2 bye", "250 ok"},
	}, nil)
	sender := open(t, s, nil)
	for i, want := range []struct {
		outcome message.Outcome
		conns   int
	}{
		{message.Accepted, 1}, {message.Permanent, 1}, {message.Accepted, 1}, {message.Accepted, 2},
		{message.Retry, 2}, {message.Accepted, 3},
	} {
		r := sender.Send(t.Context(), call)
		if _, conns := s.received(); r.Outcome != want.outcome || conns != want.conns {
			t.Errorf("mail %d: %+v over %d connections, want %s over %d", i, r, conns, want.outcome, want.conns)
		}
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil, nil)
	sender := open(t, s, nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 4 {
				if r := sender.Send(t.Context(), call); r.Outcome != message.Accepted {
					t.Errorf("%+v", r)
				}
			}
		})
	}
	wg.Wait()
	if mails, conns := s.received(); len(mails) != 32 || conns > 8 {
		t.Errorf("%d mails over %d connections", len(mails), conns)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	s := newServer(t, map[string][]string{"AUTH": {"235 ok", "535 5.7.8 bad password " + password}}, nil)
	checker := open(t, s, nil).(provider.Checker)
	if err := checker.Check(t.Context()); err != nil {
		t.Error(err)
	}
	err := checker.Check(t.Context())
	if err == nil {
		t.Fatal("a wrong password passes")
	}
	providertest.Leaks(t, account(t, s, nil), "", "the error", err.Error())
}

func BenchmarkSend(b *testing.B) {
	s := newServer(b, nil, nil)
	e, _ := providertest.Env(b)
	for name, now := range map[string]func() time.Time{
		"pooled": providertest.Now,
		"dialled": func() func() time.Time { // a clock that makes every kept connection too old
			var mu sync.Mutex
			at := providertest.Now()
			return func() time.Time { mu.Lock(); defer mu.Unlock(); at = at.Add(time.Hour); return at }
		}(),
	} {
		b.Run(name, func(b *testing.B) {
			e.Now = now
			sender, err := smtp.Open(account(b, s, nil), e)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if r := sender.Send(b.Context(), call); r.Outcome != message.Accepted {
					b.Fatalf("%+v", r)
				}
			}
		})
	}
}
