package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// answers plays one answer a try, and keeps what was asked.
type answers struct {
	play  []func() (*http.Response, error)
	asked []*http.Request
	sent  []string
	at    []time.Time
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	a.asked, a.sent, a.at = append(a.asked, r), append(a.sent, string(body)), append(a.at, time.Now())
	return a.play[min(len(a.asked), len(a.play))-1]()
}

func status(code int, body string, headers ...string) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		h := http.Header{"Content-Type": {"application/problem+json"}}
		for i := 0; i < len(headers); i += 2 {
			h.Set(headers[i], headers[i+1])
		}
		return &http.Response{StatusCode: code, Header: h, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
}

func broken() (*http.Response, error) { return nil, errors.New("connection reset") }

func cut() (*http.Response, error) {
	return &http.Response{StatusCode: 202, Body: io.NopCloser(io.MultiReader(strings.NewReader(`{"id":`), badReader{}))}, nil
}

type badReader struct{}

func (badReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

const (
	accepted    = `{"id":"msg_1","status":"queued"}`
	unavailable = `{"code":"unavailable","detail":"not now","request_id":"req_1"}`
	limited     = `{"code":"rate_limited"}`
	testKey     = "nfy_test_0123456789_0123456789abcdef"
)

func withAnswers(t *testing.T, play ...func() (*http.Response, error)) (*Client, *answers) {
	t.Helper()
	a := &answers{play: play}
	c, err := New(Options{URL: "https://notify.example.com/", Key: testKey, HTTP: &http.Client{Transport: a}})
	if err != nil {
		t.Fatal(err)
	}
	return c, a
}

func TestRetries(t *testing.T) {
	t.Parallel()
	send := func(ctx context.Context, c *Client) error {
		_, err := c.Send(ctx, SendRequest{To: Address("+8613800138000"), Template: "login-code"})
		return err
	}
	cancel := func(ctx context.Context, c *Client) error { _, err := c.Cancel(ctx, "msg_1", ""); return err }
	read := func(ctx context.Context, c *Client) error { _, err := c.Get(ctx, "msg_1"); return err }
	type play = []func() (*http.Response, error)
	for _, tt := range []struct {
		name  string
		do    func(context.Context, *Client) error
		play  play
		tries int
		ok    bool
		least time.Duration // between the first two tries
	}{
		{"accepted at once", send, play{status(202, accepted)}, 1, true, 0},
		{"busy, then accepted", send, play{status(503, unavailable, "Retry-After", "3"), status(202, accepted)}, 2, true, 3 * time.Second},
		{"too fast, then accepted", send, play{status(429, limited, "Retry-After", "1"), status(429, limited), status(202, accepted)}, 3, true, time.Second},
		{"connection broken", send, play{broken, broken, status(202, accepted)}, 3, true, 0},
		{"answer cut off", send, play{cut, status(200, accepted)}, 2, true, 0},
		{"a gateway's fault", send, play{status(502, "<html>", "Content-Type", "text/html"), status(202, accepted)}, 2, true, 0},
		{"never better", send, play{status(503, unavailable)}, 4, false, 0},
		{"a day's limit is not waited for", send, play{status(429, `{"code":"daily_limit"}`, "Retry-After", "7200")}, 1, false, 0},
		{"refused for good", send, play{status(422, `{"code":"invalid_request"}`)}, 1, false, 0},
		{"our fault is no reason to send again", send, play{status(500, `{"code":"internal"}`)}, 1, false, 0},
		{"a change may be refused for the moment", cancel, play{status(503, unavailable), status(200, accepted)}, 2, true, 0},
		{"a change whose answer is lost is not repeated", cancel, play{broken, status(200, accepted)}, 1, false, 0},
		{"a change behind a silent gateway neither", cancel, play{status(504, ""), status(200, accepted)}, 1, false, 0},
		{"reading is repeated", read, play{broken, status(504, ""), status(200, accepted)}, 3, true, 0},
		{"an answer of somebody else's", read, play{status(200, "<html>")}, 1, false, 0},
		{"a redirect", read, play{status(301, "", "Location", "https://elsewhere.example.com")}, 1, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, a := withAnswers(t, tt.play...)
				err := tt.do(t.Context(), c)
				if (err == nil) != tt.ok || len(a.asked) != tt.tries {
					t.Errorf("%d tries, error %v; want %d", len(a.asked), err, tt.tries)
				}
				if len(a.at) > 1 && a.at[1].Sub(a.at[0]) < tt.least {
					t.Errorf("waited %v, want at least %v", a.at[1].Sub(a.at[0]), tt.least)
				}
				for i, r := range a.asked {
					if r.Header.Get("Idempotency-Key") != a.asked[0].Header.Get("Idempotency-Key") || a.sent[i] != a.sent[0] {
						t.Error("a repeated request differs from the first")
					}
				}
			})
		})
	}
}

func TestEveryCallHasItsOwnKey(t *testing.T) {
	t.Parallel()
	c, a := withAnswers(t, status(202, accepted))
	seen := map[string]bool{}
	for range 3 {
		if _, err := c.Send(t.Context(), SendRequest{To: Address("a@example.com")}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Resend(t.Context(), "msg_1", ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range a.asked {
		seen[r.Header.Get("Idempotency-Key")] = true
	}
	if len(seen) != 6 || seen[""] {
		t.Errorf("keys: %v", seen)
	}
	for _, key := range []string{"a\nb", "订单"} {
		if _, err := c.Send(t.Context(), SendRequest{To: Address("a@example.com"), IdempotencyKey: key}); err == nil || !strings.Contains(err.Error(), "IdempotencyKey") {
			t.Errorf("%q: %v", key, err)
		}
	}
	if _, err := c.Send(t.Context(), SendRequest{To: Address("a@example.com"), IdempotencyKey: `order "7"`}); err != nil {
		t.Fatal(err)
	}
	if got := a.asked[6].Header.Get("Idempotency-Key"); got != `"order \"7\""` || strings.Contains(a.sent[6], "order") {
		t.Errorf("own key sent as %s, body %s", got, a.sent[6])
	}
}

func TestContextEndsTheWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, a := withAnswers(t, status(503, unavailable, "Retry-After", "20"))
		start := time.Now()
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
		defer stop()
		_, err := c.Send(ctx, SendRequest{To: Address("a@example.com")})
		var refused *Error
		if !errors.As(err, &refused) || refused.Code != CodeUnavailable || refused.RetryAfter != 20*time.Second || len(a.asked) != 1 || time.Since(start) != 0 {
			t.Errorf("want the refusal at once, as no try fits in; got %v after %v, %d tries", err, time.Since(start), len(a.asked))
		}
		ctx, stop = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, stop)
		if _, err = c.Send(ctx, SendRequest{To: Address("a@example.com")}); !errors.As(err, &refused) || !errors.Is(err, context.Canceled) {
			t.Errorf("want the refusal and the cancellation, got %v", err)
		}
	})
}

func TestWait(t *testing.T) {
	t.Parallel()
	state := func(status_, code string) func() (*http.Response, error) {
		return status(200, fmt.Sprintf(`{"id":"msg_1","status":%q,"verdict":{"code":%q}}`, status_, code))
	}
	synctest.Test(t, func(t *testing.T) {
		c, a := withAnswers(t, state("queued", "queued"), broken, state("sending", "sending"), state("sent", "sent"), state("sent", "sent_final"))
		m, err := c.Wait(t.Context(), "msg_1")
		if err != nil || m.Verdict.Code != "sent_final" || len(a.asked) != 5 {
			t.Errorf("%+v, %v after %d looks", m, err, len(a.asked))
		}
		c, _ = withAnswers(t, state("in_doubt", "in_doubt"))
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		if m, err = c.Wait(ctx, "msg_1"); m == nil || m.Status != StatusInDoubt || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("want the message as it was last seen and the deadline, got %+v, %v", m, err)
		}
	})
}

func TestKeyAndRecipientsStayHidden(t *testing.T) {
	t.Parallel()
	c, _ := withAnswers(t, broken)
	_, err := c.Send(t.Context(), SendRequest{To: Address("+8613800138000")})
	shown := fmt.Sprintf("%v %+v %#v %s %+v %x", Key(testKey), Options{Key: testKey}, Options{Key: testKey}, Key(testKey), NewKey{Text: testKey}, Key(testKey)) +
		fmt.Sprintf("%v %+v %#v", err, SendRequest{To: Addresses("+8613800138000")}, Address("+8613800138000")) +
		fmt.Sprintf("%v %+v %#v %+v", c, c, c, *c)
	text, err := json.Marshal(NewKey{Text: testKey, Curl: "curl " + testKey})
	if err != nil {
		t.Fatal(err)
	}
	shown += string(text)
	for _, secret := range []string{testKey, "6e66795f", "13800138000"} {
		if strings.Contains(shown, secret) {
			t.Errorf("%q is shown in %s", secret, shown)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"no address":       {},
		"no scheme":        {URL: "notify.example.com"},
		"another scheme":   {URL: "ftp://notify.example.com"},
		"a key in the URL": {URL: "https://" + testKey + "@notify.example.com"},
		"a query":          {URL: "https://notify.example.com?key=" + testKey},
		"a broken key":     {URL: "https://notify.example.com", Key: testKey + "\n"},
		"negative tries":   {URL: "https://notify.example.com", Tries: -1},
	} {
		if c, err := New(o); err == nil || c != nil || strings.Contains(err.Error(), testKey) {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
	for _, u := range []string{"https://n.example.com", "https://n.example.com/", "https://n.example.com/v1", "https://n.example.com/v1/"} {
		if c, err := New(Options{URL: u}); err != nil || c.base != "https://n.example.com" {
			t.Errorf("%s: base %v, %v", u, c, err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "Fri, 02 Jan 2026 00:00:09 GMT": 9 * time.Second, "Thu, 01 Jan 2026 00:00:00 GMT": 0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {in}, "Date": {"Fri, 02 Jan 2026 00:00:00 GMT"}}); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

// TestNotUTF8: what is not UTF-8 is not sent with the wrong characters in its place, and what looks alike goes as it is.
func TestNotUTF8(t *testing.T) {
	t.Parallel()
	for text, sent := range map[string]bool{"\xc0\xee\xc0\xd7": false, "李\xff": false, "李雷": true, "\ufffd": true, `\ufffd`: true, `\\ufffd`: true, "\u2028": true} {
		c, a := withAnswers(t, status(202, accepted))
		_, err := c.Send(t.Context(), SendRequest{To: Address("+8613800138000"), Template: "hello", Vars: map[string]any{"name": text}})
		if (err == nil) != sent || (len(a.asked) == 1) != sent {
			t.Errorf("%q: %v after %d requests", text, err, len(a.asked))
		}
	}
}
