package console

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/session"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// Identity is the company's identity provider, by OpenID Connect: authorization code with PKCE.
// https://openid.net/specs/openid-connect-core-1_0.html
type Identity struct {
	Issuer   string // its metadata is at Issuer/.well-known/openid-configuration
	ClientID string
	// Secret gives the client's secret; "" for a public client, which PKCE protects alone.
	Secret func(ctx context.Context) (message.Secret, error)
	// URL is where this console is seen from outside, as https://notify.example.com. The identity provider
	// must know URL + /console/oidc/callback.
	URL string
	// Trust takes a mail address from a token that does not say whether it is verified: for a provider that
	// leaves the claim out, and has no addresses but the company's own.
	Trust bool
	// Client speaks to the identity provider.
	Client *http.Client
	// Person finds who may sign in, by a mail address that the identity provider vouches for.
	Person func(ctx context.Context, email string) (tenant.User, bool, error)
}

// oidcCallback is where the identity provider sends people back to.
const oidcCallback = root + "oidc/callback"

// flow is a sign-in under way, sealed into a cookie of its own: state ties the answer to this browser,
// nonce the token to this sign-in, verifier the code to us.
type flow struct {
	State    string       `json:"s"`
	Nonce    string       `json:"n"`
	Verifier string       `json:"v"`
	Ends     message.Time `json:"e"`
}

const (
	flowPlace = "console sign-in"
	flowLasts = 10 * time.Minute
)

// provider is the identity provider's metadata, read when somebody signs in first.
type provider struct {
	mu   sync.Mutex
	read *oidc.Provider
}

func (c *Console) identity(ctx context.Context) (*oidc.Provider, error) {
	c.provider.mu.Lock()
	defer c.provider.mu.Unlock()
	if c.provider.read == nil {
		// The keys are fetched again as long as the console lives, hence not with this request's context.
		p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), c.Identity.Client), c.Identity.Issuer)
		if err != nil {
			return nil, problem.New(problem.Unavailable, "the identity provider cannot be reached; try again").Because(err)
		}
		c.provider.read = p
	}
	return c.provider.read, nil
}

func (c *Console) oauth(ctx context.Context, p *oidc.Provider) (*oauth2.Config, error) {
	secret, err := c.Identity.Secret(ctx)
	if err != nil {
		return nil, problem.New(problem.Unavailable, "the secret of the identity provider cannot be read").Because(err)
	}
	return &oauth2.Config{ClientID: c.Identity.ClientID, ClientSecret: string(secret), Endpoint: p.Endpoint(),
		RedirectURL: strings.TrimSuffix(c.Identity.URL, "/") + oidcCallback, Scopes: []string{oidc.ScopeOpenID, "email", "profile"}}, nil
}

// toIdentity sends a person to the identity provider.
func (c *Console) toIdentity(ctx context.Context, _ *httpapi.Call, w http.ResponseWriter, r *http.Request) error {
	if c.Identity == nil {
		return problem.New(problem.NotFound, "no identity provider is set up; sign in with an API key")
	}
	p, err := c.identity(ctx)
	if err != nil {
		return err
	}
	o, err := c.oauth(ctx, p)
	if err != nil {
		return err
	}
	var random [32]byte
	if _, err := io.ReadFull(c.Random, random[:]); err != nil {
		return err
	}
	text := base64.RawURLEncoding.EncodeToString
	f := flow{State: text(random[:16]), Nonce: text(random[16:]), Verifier: oauth2.GenerateVerifier(), Ends: message.At(c.Now().Add(flowLasts))}
	value, err := c.sealFlow(ctx, f)
	if err != nil {
		return err
	}
	http.SetCookie(w, c.flowCookie(value, int(flowLasts/time.Second)))
	http.Redirect(w, r, o.AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), http.StatusSeeOther)
	return nil
}

// flowCookie comes back from another site, hence Lax.
func (c *Console) flowCookie(value string, seconds int) *http.Cookie {
	return &http.Cookie{Name: c.Sessions.CookieName() + "-oidc", Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, Secure: c.Sessions.Secure, SameSite: http.SameSiteLaxMode}
}

func (c *Console) sealFlow(ctx context.Context, f flow) (string, error) {
	box, err := c.Sessions.Box(ctx)
	if err != nil {
		return "", problem.New(problem.Unavailable, "nobody can sign in right now").Because(err)
	}
	plain, err := json.Marshal(f)
	if err != nil {
		return "", err
	}
	sealed, err := box.Seal(c.Random, plain, flowPlace)
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

func (c *Console) openFlow(ctx context.Context, r *http.Request) (flow, error) {
	var f flow
	cookie, err := r.Cookie(c.Sessions.CookieName() + "-oidc")
	if err != nil {
		return f, errors.New("no sign-in was begun in this browser")
	}
	box, err := c.Sessions.Box(ctx)
	if err != nil {
		return f, err
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return f, err
	}
	plain, err := box.Open(sealed, flowPlace)
	if err != nil {
		return f, err
	}
	if err := json.Unmarshal(plain, &f); err != nil {
		return f, err
	}
	if message.At(c.Now()) >= f.Ends {
		return f, errors.New("the sign-in took too long")
	}
	return f, nil
}

// fromIdentity is where the identity provider sends people back to. Whatever goes wrong leads to the page,
// which says so in the person's language.
func (c *Console) fromIdentity(ctx context.Context, call *httpapi.Call, w http.ResponseWriter, r *http.Request) error {
	if c.Identity == nil {
		return problem.New(problem.NotFound, "no identity provider is set up; sign in with an API key")
	}
	http.SetCookie(w, c.flowCookie("", -1))
	email, err := c.vouched(ctx, r)
	if err != nil {
		c.Log.WarnContext(ctx, "sign-in refused", "request", call.RequestID, "error", err)
		http.Redirect(w, r, root+"login?error=refused", http.StatusSeeOther)
		return nil
	}
	u, ok, err := c.Identity.Person(ctx, email)
	if err != nil {
		return problem.New(problem.Unavailable, "it cannot be checked right now who may sign in").Because(err)
	}
	if !ok || u.Disabled {
		c.Log.WarnContext(ctx, "sign-in of somebody unknown", "request", call.RequestID, "email", message.Address(email))
		http.Redirect(w, r, root+"login?error=unknown", http.StatusSeeOther)
		return nil
	}
	if err := c.Sessions.Start(ctx, w, session.Ticket{User: u.Name}); err != nil {
		return err
	}
	http.Redirect(w, r, root, http.StatusSeeOther)
	return nil
}

// vouched is the mail address that the identity provider vouches for.
func (c *Console) vouched(ctx context.Context, r *http.Request) (string, error) {
	f, err := c.openFlow(ctx, r)
	if err != nil {
		return "", err
	}
	q := r.URL.Query()
	if word := q.Get("error"); word != "" {
		return "", fmt.Errorf("the identity provider answered %q", url.QueryEscape(word))
	}
	if f.State == "" || q.Get("state") != f.State {
		return "", errors.New("the answer is not of this browser's sign-in")
	}
	p, err := c.identity(ctx)
	if err != nil {
		return "", err
	}
	o, err := c.oauth(ctx, p)
	if err != nil {
		return "", err
	}
	token, err := o.Exchange(oidc.ClientContext(ctx, c.Identity.Client), q.Get("code"), oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return "", errors.New("the code was not taken") // the error's text may hold an answer's body
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := p.VerifierContext(oidc.ClientContext(ctx, c.Identity.Client), &oidc.Config{ClientID: c.Identity.ClientID, Now: c.Now}).Verify(ctx, raw)
	if err != nil {
		return "", fmt.Errorf("id token: %w", err)
	}
	if id.Nonce != f.Nonce {
		return "", errors.New("the token is not of this sign-in")
	}
	var claims struct {
		Email    string `json:"email"`
		Verified *bool  `json:"email_verified"`
	}
	if err := id.Claims(&claims); err != nil {
		return "", errors.New("the token's claims cannot be read")
	}
	verified := c.Identity.Trust
	if claims.Verified != nil {
		verified = *claims.Verified
	}
	if claims.Email == "" || !verified {
		return "", errors.New("the token has no mail address that is verified")
	}
	return claims.Email, nil
}
