package webhook_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/provider/guard"
	"github.com/opennotify/notify/pkg/provider/providertest"
	"github.com/opennotify/notify/pkg/provider/webhook"
)

const (
	secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	other  = "whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw"
)

func descriptor(t *testing.T) provider.Descriptor {
	t.Helper()
	c, err := catalog.Load(provider.Descriptors())
	if err != nil {
		t.Fatal(err)
	}
	d, _ := c.Shipped("webhook")
	return d
}

func TestSuite(t *testing.T) {
	t.Parallel()
	providertest.Run(t, webhook.Open, descriptor(t), os.DirFS("."))
}

func open(t *testing.T, e provider.Env) provider.Sender {
	t.Helper()
	a := provider.Account{Name: "hooks", Channel: message.Webhook, Secrets: map[string]message.Secret{"secret": secret}}
	s, err := webhook.Open(a, e)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestVerified sends to a receiver that verifies as a user of Verify would.
func TestVerified(t *testing.T) {
	t.Parallel()
	e, _ := providertest.Env(t)
	got := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- webhook.Verify([]message.Secret{other, secret}, r.Header, body, providertest.Now())
	}))
	defer server.Close()
	r := open(t, e).Send(t.Context(), provider.Call{Key: "k1", To: message.Address(server.URL), Content: message.Content{Text: "你好"}})
	if err := <-got; err != nil || r.Outcome != message.Accepted {
		t.Errorf("verify: %v, result %+v", err, r)
	}
}

func TestRefusedAddresses(t *testing.T) {
	t.Parallel()
	e, _ := providertest.Env(t)
	e.Guarded = guard.Client(guard.Options{Public: true})
	s := open(t, e)
	for _, to := range []string{"http://example.com/", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest/meta-data/",
		"https://8.8.8.8:22/", "https://user:pass@8.8.8.8/", "ftp://8.8.8.8/", "hooks.example.com/in", "", "https://[::ffff:10.0.0.1]/", "https://[fe80::1%25lo]/"} {
		r := s.Send(t.Context(), provider.Call{Key: "k1", To: message.Address(to), Content: message.Content{Text: "x"}})
		if r.Outcome != message.Permanent || r.Code != provider.CodeRefused {
			t.Errorf("%s: %+v", to, r)
		}
	}
}

// TestHTTP2Cut goes over HTTP/2, where a cut after the request is a stream error.
func TestHTTP2Cut(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("spoken: %s", r.Proto)
		}
		if r.URL.Path == "/cut" {
			panic(http.ErrAbortHandler)
		}
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	e, _ := providertest.Env(t)
	e.Guarded = guard.Client(guard.Options{
		Public: true, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		Roots: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs,
	})
	defer e.Guarded.CloseIdleConnections()
	s := open(t, e)
	for path, want := range map[string]message.Outcome{"/": message.Accepted, "/cut": message.Unknown} {
		r := s.Send(t.Context(), provider.Call{Key: "k1", To: message.Address(server.URL + path), Content: message.Content{Text: "x"}})
		if r.Outcome != want {
			t.Errorf("%s: %+v", path, r)
		}
	}
	e.Guarded = guard.Client(guard.Options{Public: true, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	r := open(t, e).Send(t.Context(), provider.Call{Key: "k1", To: message.Address(server.URL), Content: message.Content{Text: "x"}})
	if r.Outcome != message.Retry || r.Code != provider.CodeTLS {
		t.Errorf("unknown certificate: %+v", r)
	}
}

// TestRestart: a kept connection is dead and nobody listens any more. Nothing was written twice, and the
// message may be tried again.
func TestRestart(t *testing.T) {
	t.Parallel()
	e, _ := providertest.Env(t)
	served := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served++ }))
	s := open(t, e)
	call := provider.Call{Key: "k1", To: message.Address(server.URL), Content: message.Content{Text: "x"}}
	if r := s.Send(t.Context(), call); r.Outcome != message.Accepted {
		t.Fatalf("first: %+v", r)
	}
	server.Close()
	r := s.Send(t.Context(), call)
	if served != 1 || (r.Outcome != message.Retry && r.Outcome != message.Unknown) {
		t.Errorf("served %d, then %+v", served, r)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for name, secrets := range map[string]map[string]message.Secret{
		"no secret":        {},
		"no prefix":        {"secret": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
		"not base64":       {"secret": "whsec_!!!"},
		"short key":        {"secret": "whsec_c2hvcnQ="},
		"bad previous":     {"secret": secret, "previous_secret": "whsec_c2hvcnQ="},
		"host":             {"secret": secret, "headers": "Host: internal"},
		"content":          {"secret": secret, "headers": "content-length: 3"},
		"hop by hop":       {"secret": secret, "headers": "Transfer-Encoding: chunked"},
		"ours":             {"secret": secret, "headers": "webhook-id: x"},
		"no colon":         {"secret": secret, "headers": "Authorization"},
		"space in name":    {"secret": secret, "headers": "A b: c"},
		"control in value": {"secret": secret, "headers": "A: b\x01c"},
	} {
		e, _ := providertest.Env(t)
		a := provider.Account{Name: "hooks", Channel: message.Webhook, Secrets: secrets}
		_, err := webhook.Open(a, e)
		if err == nil {
			t.Errorf("%s: opened", name)
			continue
		}
		providertest.Leaks(t, a, "", name, err.Error())
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	now := time.Unix(1614265330, 0)
	body := []byte(`{"test": 2432232314}`)
	header := func(id, ts, sig string) http.Header {
		return http.Header{webhook.HeaderID: {id}, webhook.HeaderTimestamp: {ts}, webhook.HeaderSignature: {sig}}
	}
	const id, ts, sig = "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	for name, c := range map[string]struct {
		secrets []message.Secret
		header  http.Header
		body    []byte
		now     time.Time
		want    error
	}{
		"published vector":    {[]message.Secret{secret}, header(id, ts, sig), body, now, nil},
		"second secret":       {[]message.Secret{other, secret}, header(id, ts, sig), body, now, nil},
		"second signature":    {[]message.Secret{secret}, header(id, ts, "v1a,x v1,AAAA "+sig), body, now, nil},
		"five minutes late":   {[]message.Secret{secret}, header(id, ts, sig), body, now.Add(5 * time.Minute), nil},
		"later":               {[]message.Secret{secret}, header(id, ts, sig), body, now.Add(301 * time.Second), webhook.ErrTimestamp},
		"earlier":             {[]message.Secret{secret}, header(id, ts, sig), body, now.Add(-301 * time.Second), webhook.ErrTimestamp},
		"other body":          {[]message.Secret{secret}, header(id, ts, sig), []byte(`{"test": 2432232315}`), now, webhook.ErrSignature},
		"other id":            {[]message.Secret{secret}, header("msg_x", ts, sig), body, now, webhook.ErrSignature},
		"other secret":        {[]message.Secret{other}, header(id, ts, sig), body, now, webhook.ErrSignature},
		"no secrets":          {nil, header(id, ts, sig), body, now, webhook.ErrSignature},
		"without version":     {[]message.Secret{secret}, header(id, ts, strings.TrimPrefix(sig, "v1,")), body, now, webhook.ErrSignature},
		"no id":               {[]message.Secret{secret}, header("", ts, sig), body, now, webhook.ErrHeaders},
		"no signature":        {[]message.Secret{secret}, header(id, ts, ""), body, now, webhook.ErrHeaders},
		"timestamp is a word": {[]message.Secret{secret}, header(id, "now", sig), body, now, webhook.ErrHeaders},
		"timestamp overflows": {[]message.Secret{secret}, header(id, "-9223372036854775808", sig), body, now, webhook.ErrTimestamp},
	} {
		if err := webhook.Verify(c.secrets, c.header, c.body, c.now); err != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("msg_x", "1614265330", "v1,AAAA", []byte("{}"))
	f.Add("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= ", []byte(`{"test":0}`))
	f.Fuzz(func(t *testing.T, id, ts, sig string, body []byte) {
		h := http.Header{webhook.HeaderID: {id}, webhook.HeaderTimestamp: {ts}, webhook.HeaderSignature: {sig}}
		if err := webhook.Verify([]message.Secret{secret}, h, body, time.Unix(1614265330, 0)); err == nil {
			t.Errorf("accepted %q %q %q %q", id, ts, sig, body)
		}
	})
}

// TestNoConnection: a call whose time is over before a connection was had has not left.
func TestNoConnection(t *testing.T) {
	t.Parallel()
	e, _ := providertest.Env(t)
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	r := open(t, e).Send(ctx, provider.Call{Key: "k1", To: "https://127.0.0.1:1/", Content: message.Content{Text: "x"}})
	if r.Outcome != message.Retry || r.Code != provider.CodeTimeout {
		t.Errorf("%+v", r)
	}
}
