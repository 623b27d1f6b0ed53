package client

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Options say which notify, and as whom.
type Options struct {
	// URL is the service's address without /v1: https://notify.example.com. A path in front of /v1 stays.
	URL string
	// Key is an API key, as in nfy_live_….
	Key Key
	// HTTP makes the requests; nil is a client of its own with a timeout of 30 s a try. Redirects are not
	// followed unless it has a CheckRedirect.
	HTTP *http.Client
	// Tries is how often a request is made at most; 0 is 4.
	Tries int
	// MaxWait is the longest wait between two tries. A Retry-After beyond it is returned as the error that
	// it is; 0 is 30 s.
	MaxWait time.Duration
	// UserAgent names the program; it stands before the client's own name.
	UserAgent string
}

// Client calls the API. It is safe for concurrent use.
type Client struct {
	base    string
	key     Key
	http    *http.Client
	tries   int
	maxWait time.Duration
	agent   string
	strict  bool // refuse answers with members that this package does not know: for its own tests
}

// New makes a client. It opens no connection.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("client: URL must be an address such as https://notify.example.com")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("client: URL must have no user name, query or fragment; the key goes into Key")
	}
	if strings.Trim(string(o.Key), "0123456789abcdefghijklmnopqrstuvwxyz_") != "" {
		return nil, errors.New("client: Key has characters that no API key has, such as spaces or quotes")
	}
	if o.Tries < 0 || o.MaxWait < 0 {
		return nil, errors.New("client: Tries and MaxWait must not be negative")
	}
	h := http.Client{Timeout: 30 * time.Second}
	if o.HTTP != nil {
		h = *o.HTTP
	}
	if h.CheckRedirect == nil { // the key is for this address only
		h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return &Client{
		base: strings.TrimSuffix(strings.TrimRight(u.String(), "/"), "/v1"), key: o.Key, http: &h,
		tries: cmp.Or(o.Tries, 4), maxWait: cmp.Or(o.MaxWait, 30*time.Second),
		agent: strings.TrimSpace(o.UserAgent + " notify-go-client"),
	}, nil
}

// Format hides the key, and says where requests go.
func (c Client) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "notify at "+c.base) }

// Key is an API key. It never shows itself, not in JSON either: string(k) gives it.
type Key string

const redacted = "[redacted]"

// String hides the key.
func (Key) String() string { return redacted }

// Format hides the key for every verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue hides the key.
func (Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the key.
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }
