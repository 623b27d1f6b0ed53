package console

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// lasts is how long a session lasts, a working day; then the key is asked for again.
const lasts = 12 * time.Hour

// place binds a sealed session to what it is for.
const place = "console session"

// ticket is what the cookie holds, sealed. The key is plain text here: a message.Secret redacts itself.
type ticket struct {
	Key  string       `json:"key"`
	Ends message.Time `json:"ends"`
}

// Login has one of two ways in.
type Login struct {
	Key   message.Secret `json:"key,omitzero" doc:"An API key that may read."`
	Token message.Secret `json:"token,omitzero" doc:"What a one-time link holds."`
}

// Session is who is signed in; without a key nobody is.
type Session struct {
	Key    string         `json:"key,omitzero"`
	Tenant string         `json:"tenant,omitzero"`
	Live   bool           `json:"live"`
	Scopes []tenant.Scope `json:"scopes"`
	Inbox  string         `json:"inbox,omitzero"`
}

// cookieName: the prefix __Host- makes browsers refuse the cookie from anybody else, but they take it over
// https only.
func (c *Console) cookieName() string {
	if c.Secure {
		return "__Host-notify"
	}
	return "notify"
}

func (c *Console) cookie(value string, seconds int) *http.Cookie {
	return &http.Cookie{Name: c.cookieName(), Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, Secure: c.Secure, SameSite: http.SameSiteStrictMode}
}

// Session turns a session's cookie into the bearer that the API takes. A request with an Authorization
// header of its own goes by that; one that another site made the browser send has no session.
func (c *Console) Session(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if key, ok := c.bearer(r); ok {
			r = r.Clone(r.Context())
			r.Header.Set("Authorization", "Bearer "+key)
		}
		next.ServeHTTP(w, r)
	})
}

func (c *Console) bearer(r *http.Request) (string, bool) {
	if _, own := r.Header["Authorization"]; own {
		return "", false
	}
	cookie, err := r.Cookie(c.cookieName())
	if err != nil || c.cross.Check(r) != nil {
		return "", false
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return "", false
	}
	plain, err := c.Box.Open(sealed, place)
	if err != nil {
		return "", false
	}
	var t ticket
	if json.Unmarshal(plain, &t) != nil || message.At(c.Now()) >= t.Ends {
		return "", false
	}
	return t.Key, true
}

// ours refuses what another site made the browser send.
func (c *Console) ours(r *http.Request) error {
	if err := c.cross.Check(r); err != nil {
		return problem.New(problem.Forbidden, "this is for the console's own page").Because(err)
	}
	return nil
}

func (c *Console) login(ctx context.Context, call *httpapi.Call, w http.ResponseWriter, r *http.Request) error {
	if err := c.ours(r); err != nil {
		return err
	}
	var in Login
	if p := httpapi.Decode(call.Body(), &in); p != nil {
		return p
	}
	key := strings.TrimSpace(string(in.Key))
	if in.Token != "" {
		linked, ok := c.Links.Open(string(in.Token), c.Now())
		if !ok {
			return problem.New(problem.Unauthorized, "the link was used already, or is too old")
		}
		key = string(linked)
	}
	p, err := c.Auth.Authenticate(ctx, key)
	if err != nil {
		return err
	}
	if !p.May(tenant.Read) && !p.May(tenant.Operate) {
		return problem.New(problem.Forbidden, "this key may neither read nor operate; the console needs one that may")
	}
	plain, err := json.Marshal(ticket{key, message.At(c.Now().Add(lasts))})
	if err != nil {
		return err
	}
	sealed, err := c.Box.Seal(c.Random, plain, place)
	if err != nil {
		return err
	}
	http.SetCookie(w, c.cookie(base64.RawURLEncoding.EncodeToString(sealed), int(lasts/time.Second)))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (c *Console) logout(_ context.Context, _ *httpapi.Call, w http.ResponseWriter, r *http.Request) error {
	if err := c.ours(r); err != nil {
		return err
	}
	http.SetCookie(w, c.cookie("", -1))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// session answers 200 whoever asks: that nobody is signed in is no error.
func (c *Console) session(ctx context.Context, call *httpapi.Call, _ *struct{}) (*Session, error) {
	out := &Session{Scopes: []tenant.Scope{}, Inbox: c.Inbox}
	key, ok := strings.CutPrefix(call.Header("Authorization"), "Bearer ")
	if !ok {
		return out, nil
	}
	p, err := c.Auth.Authenticate(ctx, key)
	switch {
	case err == nil:
		out.Key, out.Tenant, out.Live = p.KeyID, p.Tenant, p.Live
		for _, s := range []tenant.Scope{tenant.Send, tenant.Read, tenant.Operate, tenant.Admin} {
			if p.May(s) {
				out.Scopes = append(out.Scopes, s)
			}
		}
	case problem.From(err).Code != problem.Unauthorized:
		return nil, err
	}
	return out, nil
}
