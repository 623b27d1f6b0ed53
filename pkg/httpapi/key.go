package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// KeySource finds a key by its id; false when there is none.
type KeySource interface {
	Key(ctx context.Context, id string) (tenant.Key, bool, error)
}

// KeyAuth authenticates API keys. Unknown, wrong, revoked and expired keys are refused in the same words
// and after the same work, so that nobody learns which of them it is.
func KeyAuth(keys KeySource, now func() time.Time) Authenticator { return keyAuth{keys, now} }

type keyAuth struct {
	keys KeySource
	now  func() time.Time
}

func (a keyAuth) Authenticate(ctx context.Context, bearer string) (tenant.Principal, error) {
	id, secret, live, err := tenant.ParseKey(bearer)
	if err != nil {
		return tenant.Principal{}, badKey()
	}
	k, found, err := a.keys.Key(ctx, id)
	if err != nil {
		return tenant.Principal{}, problem.New(problem.Unavailable, "keys cannot be checked right now").Because(err)
	}
	if !found {
		k = tenant.Key{Hash: make([]byte, 32)} // compared all the same
	}
	if !k.Opens(secret, message.At(a.now())) || !found || k.Live != live {
		return tenant.Principal{}, badKey()
	}
	return tenant.Of(k), nil
}

func badKey() error {
	return problem.New(problem.Unauthorized, "the key is unknown, revoked or expired")
}

// bearer takes the token out of the one Authorization header.
func bearer(h http.Header) (string, error) {
	values := h["Authorization"]
	if len(values) == 0 {
		return "", problem.New(problem.Unauthorized, "send the API key as Authorization: Bearer nfy_live_…")
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", problem.New(problem.Unauthorized, "send one Authorization header, of the form: Bearer nfy_live_…")
	}
	return token, nil
}

// challenge is what RFC 6750 wants beside a 401.
func challenge(h http.Header) string {
	if len(h["Authorization"]) == 0 {
		return `Bearer realm="notify"`
	}
	return `Bearer realm="notify", error="invalid_token"`
}
