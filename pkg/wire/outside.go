package wire

import (
	"errors"
	"net/url"
	"strings"
)

// Outside is what notify must be told of the world around it.
type Outside struct {
	// PublicURL is where the API and the console are seen from outside, as https://notify.example.com; "" is
	// not known.
	PublicURL string
	// Identity is the company's identity provider (OpenID Connect), for the console; without an Issuer only
	// keys sign in.
	Identity Identity
}

// Identity names an identity provider and how it knows us. The client's secret is in the vault, under
// console.oidc, in the field client_secret; a public client has none.
type Identity struct {
	Issuer, Client string
	// TrustEmail takes addresses of which a token does not say that they are verified.
	TrustEmail bool
}

// ReadOutside reads it from an environment, as os.Getenv does: NOTIFY_PUBLIC_URL, NOTIFY_OIDC_ISSUER,
// NOTIFY_OIDC_CLIENT, NOTIFY_OIDC_TRUST_EMAIL.
func ReadOutside(get func(name string) string) (Outside, error) {
	o := Outside{PublicURL: strings.TrimSuffix(get("NOTIFY_PUBLIC_URL"), "/"),
		Identity: Identity{Issuer: get("NOTIFY_OIDC_ISSUER"), Client: get("NOTIFY_OIDC_CLIENT"), TrustEmail: get("NOTIFY_OIDC_TRUST_EMAIL") == "true"}}
	var errs []error
	if u, err := url.Parse(o.PublicURL); o.PublicURL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Path != "" || u.RawQuery != "") {
		errs = append(errs, errors.New("environment variable NOTIFY_PUBLIC_URL must be a URL without a path, as https://notify.example.com"))
	}
	if o.Identity.Issuer != "" && (o.Identity.Client == "" || o.PublicURL == "") {
		errs = append(errs, errors.New("environment variable NOTIFY_OIDC_ISSUER needs NOTIFY_OIDC_CLIENT and NOTIFY_PUBLIC_URL beside it"))
	}
	return o, errors.Join(errs...)
}
