// Package console wires the operators' console.
package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/opennotify/notify/pkg/httpapi/console"
	"github.com/opennotify/notify/pkg/httpapi/session"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/secret"
	"github.com/opennotify/notify/pkg/wire"
	"github.com/opennotify/notify/web"
)

// The vault's name of the client at the identity provider, and its field.
const (
	identity     = "console.oidc" // no account has a dot in its name
	clientSecret = "client_secret"
)

// Config is a console's, with an identity provider where the backend names one.
func Config(b *wire.Backend, s *session.Sessions) console.Config {
	c := console.Config{Files: web.Files(), Sessions: s, Links: b.Store, Now: b.Now, Random: b.Random, Log: b.Log}
	if b.Blobs != nil {
		c.Uploads = func(ctx context.Context) (string, error) { return uploadsTo(ctx, b) }
	}
	if o := b.Identity; o.Issuer != "" {
		c.Identity = &console.Identity{Issuer: o.Issuer, ClientID: o.Client, URL: b.PublicURL, Trust: o.TrustEmail, Person: b.Config.UserOf,
			Client: &http.Client{Timeout: 10 * time.Second},
			Secret: func(ctx context.Context) (message.Secret, error) {
				fields, err := b.Vault.Get(ctx, identity)
				if errors.Is(err, secret.ErrNotFound) {
					return "", nil // a public client, which has none
				}
				return fields[clientSecret], err
			}}
	}
	return c
}

// uploadsTo is the origin of the addresses that are granted for uploads.
func uploadsTo(ctx context.Context, b *wire.Backend) (string, error) {
	g, err := b.Blobs.Upload(ctx, "uploads/origin", 1, time.Minute)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(g.URL)
	if err != nil {
		return "", errors.New("console: an address for uploads cannot be read") // it is a credential
	}
	return u.Scheme + "://" + u.Host, nil
}
