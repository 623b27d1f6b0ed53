package session

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/seal"
	"github.com/opennotify/notify/pkg/tenant"
)

// Users finds a person who may sign in, by the name that a ticket holds; false when there is none.
type Users interface {
	User(ctx context.Context, name string) (tenant.User, bool, error)
}

// Config is what sessions need.
type Config struct {
	// Keys authenticates API keys, those in tickets too.
	Keys  httpapi.Authenticator
	Users Users
	// Box seals tickets. It is asked for when a session is seen, so that a start does not pay for it.
	Box    func(ctx context.Context) (*seal.Box, error)
	Random io.Reader
	Now    func() time.Time
	// Secure is for everything but plain http on this machine: the cookie then never leaves https.
	Secure bool
}

// Sessions makes and opens sessions. It is safe for concurrent use.
type Sessions struct {
	Config
	cross *http.CrossOriginProtection
}

// New makes sessions.
func New(c Config) *Sessions { return &Sessions{c, http.NewCrossOriginProtection()} }

// Lasts is how long a session lasts, a working day; then people sign in again.
const Lasts = 12 * time.Hour

const (
	// place binds a sealed ticket to what it is for.
	place = "console session"
	// prefix marks the bearer of a session; no API key begins with it.
	prefix = "ses_"
)

// Ticket says who a session is: the holder of a key, or a person. The key is plain text in it: a
// message.Secret redacts itself.
type Ticket struct {
	Key  string       `json:"key,omitempty"`
	User string       `json:"user,omitempty"`
	Ends message.Time `json:"ends"`
}

// CookieName is the cookie's. The prefix __Host- makes browsers refuse it from anybody else, but they take
// it over https only.
func (s *Sessions) CookieName() string {
	if s.Secure {
		return "__Host-notify"
	}
	return "notify"
}

func (s *Sessions) cookie(value string, seconds int) *http.Cookie {
	return &http.Cookie{Name: s.CookieName(), Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, Secure: s.Secure, SameSite: http.SameSiteStrictMode}
}

// Start signs in.
func (s *Sessions) Start(ctx context.Context, w http.ResponseWriter, t Ticket) error {
	t.Ends = message.At(s.Now().Add(Lasts))
	value, err := s.seal(ctx, t)
	if err != nil {
		return err
	}
	http.SetCookie(w, s.cookie(value, int(Lasts/time.Second)))
	return nil
}

// End signs out.
func (s *Sessions) End(w http.ResponseWriter) { http.SetCookie(w, s.cookie("", -1)) }

func (s *Sessions) seal(ctx context.Context, t Ticket) (string, error) {
	box, err := s.Box(ctx)
	if err != nil {
		return "", problem.New(problem.Unavailable, "nobody can sign in right now").Because(err)
	}
	plain, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	sealed, err := box.Seal(s.Random, plain, place)
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

// Handler turns a session's cookie into the bearer that Authenticate takes. A request with an Authorization
// header of its own goes by that; one that another site made the browser send has no session.
func (s *Sessions) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, own := r.Header["Authorization"]
		if cookie, err := r.Cookie(s.CookieName()); err == nil && !own && s.cross.Check(r) == nil {
			r = r.Clone(r.Context())
			r.Header.Set("Authorization", "Bearer "+prefix+cookie.Value)
		}
		next.ServeHTTP(w, r)
	})
}

// Ours refuses what another site made a browser send.
func (s *Sessions) Ours(r *http.Request) error {
	if err := s.cross.Check(r); err != nil {
		return problem.New(problem.Forbidden, "this is for the console's own page").Because(err)
	}
	return nil
}

// Authenticate tells whose a bearer is, an API key or a session. It is an httpapi.Authenticator.
func (s *Sessions) Authenticate(ctx context.Context, bearer string) (tenant.Principal, error) {
	value, ok := strings.CutPrefix(bearer, prefix)
	if !ok {
		return s.Keys.Authenticate(ctx, bearer)
	}
	t, err := s.open(ctx, value)
	if err != nil {
		return tenant.Principal{}, err
	}
	if t.Key != "" {
		return s.Keys.Authenticate(ctx, t.Key)
	}
	u, ok, err := s.Users.User(ctx, t.User)
	switch {
	case err != nil:
		return tenant.Principal{}, problem.New(problem.Unavailable, "sessions cannot be checked right now").Because(err)
	case !ok || u.Disabled:
		return tenant.Principal{}, over()
	}
	return tenant.Person(u), nil
}

func (s *Sessions) open(ctx context.Context, value string) (Ticket, error) {
	var t Ticket
	sealed, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		return t, over()
	}
	box, err := s.Box(ctx)
	if err != nil {
		return t, problem.New(problem.Unavailable, "sessions cannot be checked right now").Because(err)
	}
	plain, err := box.Open(sealed, place)
	if err != nil || json.Unmarshal(plain, &t) != nil || message.At(s.Now()) >= t.Ends {
		return t, over()
	}
	return t, nil
}

func over() error {
	return problem.New(problem.Unauthorized, "the session is over; sign in again")
}
