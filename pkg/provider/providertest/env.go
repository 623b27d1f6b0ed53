package providertest

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/guard"
	"github.com/opennotify/notify/pkg/provider/token"
)

// What a test's Env says unless a case has an env.json.
const (
	Nonce = "000102030405060708090a0b0c0d0e0f"
	clock = "2026-01-02T03:04:05Z"
)

// Now is the clock of a test's Env.
func Now() time.Time { return at(clock) }

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

// Log keeps what was logged.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write takes a line.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String is all of it.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Env makes an Env with a standing clock and a fixed nonce. Its clients are the real ones; the guarded
// one lets the loopback interface through.
func Env(t testing.TB) (provider.Env, *Log) {
	t.Helper()
	log := &Log{}
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	e := provider.Env{
		Client:  guard.Client(guard.Options{}),
		Guarded: guard.Client(guard.Options{Public: true, Allow: loopback}),
		Now:     Now,
		Nonce:   func() string { return Nonce },
		Tokens:  token.New(Now),
		Log:     slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	t.Cleanup(e.Client.CloseIdleConnections)
	t.Cleanup(e.Guarded.CloseIdleConnections)
	return e, log
}

// through sends all that e's clients do to the round tripper in front of the real one.
func through(e provider.Env, wrap func(http.RoundTripper) http.RoundTripper) provider.Env {
	for _, c := range []**http.Client{&e.Client, &e.Guarded} {
		client := **c
		client.Transport = wrap(client.Transport)
		*c = &client
	}
	return e
}

// Leaks fails the test if a text shows one of the account's secrets or the recipient's address.
func Leaks(t testing.TB, a provider.Account, to message.Address, where string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		for name, secret := range a.Secrets {
			for _, word := range append(strings.Fields(string(secret)), string(secret)) {
				if len(word) >= 6 && strings.Contains(text, word) {
					t.Errorf("%s shows the secret %q: %s", where, name, text)
				}
			}
		}
		address := strings.ToLower(string(to))
		if len(address) < 4 {
			continue
		}
		if strings.Contains(strings.ToLower(text), address) || strings.Contains(text, strings.TrimPrefix(address, "+")) {
			t.Errorf("%s shows the recipient's address: %s", where, text)
		}
	}
}
