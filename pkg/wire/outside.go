package wire

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/alarm"
)

// Outside is what notify must be told of the world around it.
type Outside struct {
	// PublicURL is where the API and the console are seen from outside, as https://notify.example.com; "" is
	// not known.
	PublicURL string
	// Identity is the company's identity provider (OpenID Connect), for the console; without an Issuer only
	// keys sign in.
	Identity Identity
	// Egress is the one IP address that providers are called from, for those that allow addresses by list; "" where
	// there is none, or none that stays.
	Egress string
	// Watch says what alarms are about besides.
	Watch alarm.Options
}

// Identity names an identity provider and how it knows us. The client's secret is in the vault, under
// console.oidc, in the field client_secret; a public client has none.
type Identity struct {
	Issuer, Client string
	// TrustEmail takes addresses of which a token does not say that they are verified.
	TrustEmail bool
}

// ReadOutside reads it from an environment, as os.Getenv does: NOTIFY_PUBLIC_URL, NOTIFY_OIDC_ISSUER,
// NOTIFY_OIDC_CLIENT, NOTIFY_OIDC_TRUST_EMAIL, NOTIFY_EGRESS, NOTIFY_SILENT_SECONDS, NOTIFY_BUSINESS_FROM and
// NOTIFY_BUSINESS_TO, NOTIFY_CANARY.
func ReadOutside(get func(name string) string) (Outside, error) {
	o := Outside{PublicURL: strings.TrimSuffix(get("NOTIFY_PUBLIC_URL"), "/"), Egress: get("NOTIFY_EGRESS"),
		Identity: Identity{Issuer: get("NOTIFY_OIDC_ISSUER"), Client: get("NOTIFY_OIDC_CLIENT"), TrustEmail: get("NOTIFY_OIDC_TRUST_EMAIL") == "true"}}
	var errs []error
	if u, err := url.Parse(o.PublicURL); o.PublicURL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Path != "" || u.RawQuery != "") {
		errs = append(errs, errors.New("environment variable NOTIFY_PUBLIC_URL must be a URL without a path, as https://notify.example.com"))
	}
	if o.Identity.Issuer != "" && (o.Identity.Client == "" || o.PublicURL == "") {
		errs = append(errs, errors.New("environment variable NOTIFY_OIDC_ISSUER needs NOTIFY_OIDC_CLIENT and NOTIFY_PUBLIC_URL beside it"))
	}
	if v := get("NOTIFY_OIDC_TRUST_EMAIL"); v != "" && v != "true" && v != "false" {
		errs = append(errs, errors.New("environment variable NOTIFY_OIDC_TRUST_EMAIL must be true or false"))
	}
	if _, err := netip.ParseAddr(o.Egress); o.Egress != "" && err != nil {
		errs = append(errs, errors.New("environment variable NOTIFY_EGRESS must be an IP address, as 203.0.113.7"))
	}
	watch, err := readWatch(get)
	o.Watch = watch
	return o, errors.Join(append(errs, err)...)
}

// readWatch reads what the template's parameters SilentSeconds, BusinessFrom and BusinessTo are, with their defaults
// for the hours. Silence is no fault unless somebody says from when on it is.
func readWatch(get func(name string) string) (alarm.Options, error) {
	w := alarm.Options{Canary: get("NOTIFY_CANARY") != ""}
	var errs []error
	number := func(name string, otherwise, most int) int {
		text := get(name)
		if text == "" {
			return otherwise
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > most {
			errs = append(errs, errors.New("environment variable "+name+" must be a number from 0 to "+strconv.Itoa(most)+", not "+strconv.Quote(text)))
		}
		return n
	}
	if w.Silent = time.Duration(number("NOTIFY_SILENT_SECONDS", 0, 7200)) * time.Second; w.Silent > 0 {
		w.From, w.To = number("NOTIFY_BUSINESS_FROM", 1, 23), number("NOTIFY_BUSINESS_TO", 10, 24)
	}
	if w.Silent%time.Minute != 0 {
		errs = append(errs, errors.New("environment variable NOTIFY_SILENT_SECONDS must be whole minutes, as 3600"))
	}
	return w, errors.Join(errs...)
}
