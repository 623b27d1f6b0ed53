package client

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// WebhookEvent is what an endpoint is sent.
type WebhookEvent struct {
	// ID is the same on all tries and copies of one event: drop one that you have.
	ID        string      `json:"-"`
	Type      string      `json:"type"`      // message.delivered, …; endpoint.test
	Timestamp time.Time   `json:"timestamp"` // grows with each event of one message: drop what is older than what you have
	Data      WebhookData `json:"data"`
}

// WebhookData is a message as it stands.
type WebhookData struct {
	ID        string          `json:"id,omitzero"`
	Status    Status          `json:"status,omitzero"`
	Reason    string          `json:"reason,omitzero"`
	Outcome   Status          `json:"simulated_outcome,omitzero"`
	Tenant    string          `json:"tenant"`
	Channel   Channel         `json:"channel,omitzero"`
	Class     Class           `json:"class,omitzero"`
	To        string          `json:"to,omitzero"`       // masked
	Template  string          `json:"template,omitzero"` // tenant/name
	Version   int             `json:"version,omitzero"`
	Reference string          `json:"reference,omitzero"` // your own
	Group     string          `json:"group,omitzero"`
	ResendOf  string          `json:"resend_of,omitzero"`
	CreatedAt time.Time       `json:"created_at,omitzero"`
	Calls     int             `json:"calls,omitzero"`
	Attempt   *WebhookAttempt `json:"attempt,omitzero"`  // the last call of a provider
	Receipt   *WebhookReceipt `json:"receipt,omitzero"`  // the last that was heard
	Endpoint  string          `json:"endpoint,omitzero"` // of a test
}

// WebhookAttempt is a call of a provider.
type WebhookAttempt struct {
	At         time.Time `json:"at"`
	Provider   string    `json:"provider,omitzero"`
	Account    string    `json:"account"`
	ProviderID string    `json:"provider_id,omitzero"`
	HTTPStatus int       `json:"http_status,omitzero"`
	Code       string    `json:"code,omitzero"`
}

// WebhookReceipt is what a provider said later.
type WebhookReceipt struct {
	At    time.Time `json:"at"`
	State string    `json:"state"`
	Code  string    `json:"code,omitzero"`
}

// What VerifyWebhook refuses; answer all of it with 401.
var (
	ErrWebhookHeaders   = errors.New("notify: a webhook-* header is missing or malformed")
	ErrWebhookTime      = errors.New("notify: the webhook's timestamp is more than 5 minutes from now")
	ErrWebhookSignature = errors.New("notify: the webhook is not signed with a secret of this endpoint")
)

// webhookTolerance is how far a webhook's time may be from now, on either side.
const webhookTolerance = 5 * time.Minute

// VerifyWebhook checks that a request comes from notify, and reads its event: the request's headers, its body
// byte by byte as it came, and the endpoint's secret; while it is rotated, both.
func VerifyWebhook(h http.Header, body []byte, secrets ...Key) (*WebhookEvent, error) {
	return verifyWebhook(time.Now(), h, body, secrets...)
}

func verifyWebhook(now time.Time, h http.Header, body []byte, secrets ...Key) (*WebhookEvent, error) {
	id, timestamp, signatures := h.Get("Webhook-Id"), h.Get("Webhook-Timestamp"), strings.Fields(h.Get("Webhook-Signature"))
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || id == "" || len(signatures) == 0 {
		return nil, ErrWebhookHeaders
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > webhookTolerance || age < -webhookTolerance {
		return nil, ErrWebhookTime
	}
	for _, secret := range secrets {
		want, err := signature(secret, id, timestamp, body)
		if err != nil {
			return nil, err
		}
		for _, given := range signatures {
			if hmac.Equal([]byte(given), []byte(want)) {
				e := &WebhookEvent{ID: id}
				if err := json.Unmarshal(body, e); err != nil {
					return nil, fmt.Errorf("notify: the webhook's body: %w", err)
				}
				return e, nil
			}
		}
	}
	return nil, ErrWebhookSignature
}

// SignWebhook sets the headers of a webhook, as notify does: for tests of a receiver.
func SignWebhook(h http.Header, secret Key, id string, at time.Time, body []byte) error {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	s, err := signature(secret, id, timestamp, body)
	if err != nil {
		return err
	}
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", timestamp)
	h.Set("Webhook-Signature", s)
	return nil
}

// signature is https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
func signature(secret Key, id, timestamp string, body []byte) (string, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(secret), "whsec_"))
	if err != nil || len(key) == 0 {
		return "", errors.New("notify: a secret is whsec_ and base64")
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.", id, timestamp)
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}
