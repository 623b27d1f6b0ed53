package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
)

// The headers of Standard Webhooks.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp" // Unix seconds
	HeaderSignature = "Webhook-Signature" // "v1,<base64>", several separated by spaces
)

// Tolerance is how far the timestamp may be from now, on either side.
const Tolerance = 5 * time.Minute

const (
	secretPrefix = "whsec_"
	minKey       = 24 // bytes
	maxKey       = 64
	version      = "v1,"
)

// What Verify refuses. All of them are answered alike, 401.
var (
	ErrHeaders   = errors.New("webhook: a webhook-* header is missing or malformed")
	ErrTimestamp = errors.New("webhook: the timestamp is too old or too new")
	ErrSignature = errors.New("webhook: no signature matches")
)

// Sign is one signature of a webhook: "v1,<base64>". The secret is "whsec_" and 24 to 64 bytes in base64.
func Sign(secret message.Secret, id string, at time.Time, body []byte) (string, error) {
	key, err := decodeSecret(secret)
	if err != nil {
		return "", err
	}
	return signature(key, id, strconv.FormatInt(at.Unix(), 10), body), nil
}

// Verify checks a received webhook against the secrets that are live: the current one, and during a
// rotation the previous one. It takes constant time per pair of secret and signature. Repeats within the
// tolerance verify too: drop them by their id.
func Verify(secrets []message.Secret, h http.Header, body []byte, now time.Time) error {
	id, timestamp := h.Get(HeaderID), h.Get(HeaderTimestamp)
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || id == "" || h.Get(HeaderSignature) == "" {
		return ErrHeaders
	}
	if age := now.Unix() - seconds; age > int64(Tolerance.Seconds()) || age < -int64(Tolerance.Seconds()) {
		return ErrTimestamp
	}
	given := strings.Fields(h.Get(HeaderSignature))
	for _, secret := range secrets {
		key, err := decodeSecret(secret)
		if err != nil {
			return err
		}
		want := signature(key, id, timestamp, body)
		for _, s := range given {
			if hmac.Equal([]byte(s), []byte(want)) {
				return nil
			}
		}
	}
	return ErrSignature
}

func signature(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return version + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func decodeSecret(secret message.Secret) ([]byte, error) {
	text, ok := strings.CutPrefix(string(secret), secretPrefix)
	if !ok {
		return nil, fmt.Errorf("webhook: a signing secret must start with %s", secretPrefix)
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("webhook: a signing secret must be base64 after its prefix")
	}
	if len(key) < minKey || len(key) > maxKey {
		return nil, fmt.Errorf("webhook: a signing secret must have %d to %d bytes, not %d", minKey, maxKey, len(key))
	}
	return key, nil
}
