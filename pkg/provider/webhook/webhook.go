package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

// headerMessageID is where a receiver may tell us its own id of the webhook.
const headerMessageID = "X-Message-Id"

type sender struct {
	client  *http.Client
	now     func() time.Time
	account provider.Account
	keys    [][]byte
	extra   http.Header
}

// Open is the provider's OpenFunc. The URL is the recipient's, so the guarded client is used.
func Open(a provider.Account, e provider.Env) (provider.Sender, error) {
	s := &sender{client: e.Guarded, now: e.Now, account: a}
	for _, name := range []string{"secret", "previous_secret"} {
		secret := a.Secrets[name]
		if secret == "" && name != "secret" {
			continue
		}
		key, err := decodeSecret(secret)
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", name, err)
		}
		s.keys = append(s.keys, key)
	}
	var err error
	if s.extra, err = parseHeaders(string(a.Secrets["headers"])); err != nil {
		return nil, fmt.Errorf("field %q: %w", "headers", err)
	}
	return s, nil
}

// Send makes one attempt.
func (s *sender) Send(ctx context.Context, c provider.Call) message.Result {
	if !plain(c.Key) || strings.Contains(c.Key, ".") { // a dot would make the signed text ambiguous
		return message.Result{Outcome: message.Permanent, Code: "bad_key", Text: "the message's key is not a valid webhook-id"}
	}
	now := s.now()
	body, err := payload(c, now)
	if err != nil {
		return message.Result{Outcome: message.Permanent, Code: "bad_content", Text: "the content is not valid JSON"}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, string(c.To), bytes.NewReader(body))
	if err != nil {
		return message.Result{Outcome: message.Permanent, Code: "bad_address", Text: "the address is not a URL"}
	}
	for name, values := range s.extra {
		req.Header[name] = values
	}
	timestamp := strconv.FormatInt(now.Unix(), 10)
	signatures := make([]string, len(s.keys))
	for i, key := range s.keys {
		signatures[i] = signature(key, c.Key, timestamp, body)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "notify/1")
	req.Header.Set(HeaderID, c.Key)
	req.Header.Set(HeaderTimestamp, timestamp)
	req.Header.Set(HeaderSignature, strings.Join(signatures, " "))
	if plain(c.Trace) {
		req.Header.Set("Traceparent", c.Trace)
	}
	answer, fault, answered := provider.Exchange(s.client, req)
	if !answered {
		return fault
	}
	return s.classify(answer, c.To)
}

// event is the body of a message that has no payload of its own.
type event struct {
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"`
	Data      struct {
		Title string `json:"title,omitempty"`
		Text  string `json:"text"`
	} `json:"data"`
}

// payload is the same on every attempt: its timestamp is the message's, not the attempt's.
func payload(c provider.Call, now time.Time) ([]byte, error) {
	if len(c.Content.Data) > 0 {
		if !json.Valid(c.Content.Data) {
			return nil, fmt.Errorf("webhook: content.data is not JSON")
		}
		return c.Content.Data, nil
	}
	at := message.At(now)
	if id, err := message.ParseID(string(c.ID)); err == nil {
		at = id.Created()
	}
	e := event{Type: c.Template, Timestamp: at.String()}
	if e.Type == "" {
		e.Type = "notification"
	}
	e.Data.Title, e.Data.Text = c.Content.Title, c.Content.Text
	return json.Marshal(e)
}

func (s *sender) classify(a provider.Answer, to message.Address) message.Result {
	r := message.Result{
		Outcome:    outcome(a.Status),
		HTTPStatus: a.Status,
		Code:       "http_" + strconv.Itoa(a.Status),
		Text:       http.StatusText(a.Status), // the body is the tenant's and stays unread
	}
	switch r.Outcome {
	case message.Accepted:
		r.Code, r.Text = "", ""
		if id := a.Header.Get(headerMessageID); plain(id) {
			r.ProviderID = provider.Clean(id, s.account, to)
		}
	case message.Retry, message.Throttled:
		r.After = provider.RetryAfter(a.Header, s.now())
	}
	if a.Status == http.StatusGone {
		r.Code = "gone"
	}
	return r
}

// outcome reads a status. A repeat is harmless, because the receiver sees the same id again; so a fault
// of the receiver's server is tried again, though it may have happened after it took the webhook. That it does not take
// our signature or headers (401, 403) is between it and us: many receivers, of several tenants, share an account, whose
// fault it would be for all of them.
func outcome(status int) message.Outcome {
	switch status {
	case http.StatusTooManyRequests:
		return message.Throttled
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusConflict, http.StatusMisdirectedRequest, http.StatusLocked, http.StatusTooEarly:
		return message.Retry
	}
	switch {
	case status >= 200 && status < 300:
		return message.Accepted
	case status >= 300 && status < 500: // a redirect is not followed: it would lead the signature elsewhere
		return message.Permanent
	case status >= 500 && status < 600:
		return message.Retry
	}
	return message.Unknown
}

// plain tells whether s may be a header's value or an id: printable ASCII, not empty, not long.
func plain(s string) bool {
	return s != "" && len(s) <= 255 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
