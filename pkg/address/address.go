package address

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/opennotify/notify/pkg/message"
)

// Reader reads addresses. The zero value reads every kind but phones, and of URLs only https.
type Reader struct {
	// Phone reads a phone number: phone.Normalise. It is a value because the numbering plans of the world
	// are megabytes and milliseconds that only intake should pay for.
	Phone func(raw, region string) (e164, country string, err error)
	// AllowHTTP accepts http URLs and hosts without a dot, for development on one machine.
	AllowHTTP bool
	// AllowPorts accepts URLs with any port, for development on one machine.
	AllowPorts bool
}

// Normal is an address that was understood.
type Normal struct {
	// Send is what the provider gets.
	Send message.Address
	// Key is equal for equal recipients: what claims, suppressions and searches hash. It differs from Send
	// for mail only, where the local part keeps its case for sending.
	Key message.Address
	// Region is a phone number's country in ISO 3166-1 alpha-2, else "".
	Region string
}

// ErrKind is returned for a kind of address that does not exist.
var ErrKind = errors.New("address: no such kind of address")

// Normalise reads one address of a kind. Region is the country of phone numbers written without one
// (ISO 3166-1 alpha-2, may be ""). Normalising Send again gives the same.
func (r Reader) Normalise(kind message.AddressKind, raw, region string) (Normal, error) {
	raw, err := visible(raw)
	if err != nil {
		return Normal{}, err
	}
	switch kind {
	case message.Phone:
		if r.Phone == nil {
			return Normal{}, errors.New("phone numbers cannot be read here")
		}
		e164, country, err := r.Phone(raw, region)
		return Normal{message.Address(e164), message.Address(e164), country}, err
	case message.Mail:
		send, err := mail(raw)
		return Normal{Send: message.Address(send), Key: message.Address(strings.ToLower(send))}, err
	case message.URL:
		return same(r.url(raw))
	case message.Token:
		return same(token(raw))
	case message.Account:
		return same(account(raw))
	}
	return Normal{}, fmt.Errorf("%w: %q", ErrKind, kind)
}

// maxOwn bounds the addresses of a channel that is not in the table.
const maxOwn = 256

// Own reads an address of a channel that is not in the table: the whole of it has the form, of which there is
// an example.
func (r Reader) Own(raw string, form *regexp.Regexp, example string) (Normal, error) {
	raw, err := visible(raw)
	switch {
	case err != nil:
		return Normal{}, err
	case len(raw) > maxOwn || !form.MatchString(raw):
		return Normal{}, fmt.Errorf("the address does not look like those of this channel, such as %s", example)
	}
	return same(raw, nil)
}

func visible(raw string) (string, error) {
	if !utf8.ValidString(raw) {
		return "", errors.New("the address is not valid UTF-8")
	}
	if strings.ContainsFunc(raw, invisible) {
		return "", errors.New("the address has a line break or an invisible character; remove it")
	}
	return strings.Trim(raw, " \u3000"), nil
}

func same(send string, err error) (Normal, error) {
	return Normal{Send: message.Address(send), Key: message.Address(send)}, err
}

// invisible characters split logs, hide in addresses that look equal, or turn text around.
func invisible(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

const maxToken = 4096

func token(s string) (string, error) {
	bad := func(r rune) bool { return r <= ' ' || r > '~' }
	if s == "" || len(s) > maxToken || strings.ContainsFunc(s, bad) {
		return "", fmt.Errorf("a push token has 1 to %d ASCII characters without spaces, as the device got it", maxToken)
	}
	return s, nil
}

const maxAccount = 128

func account(s string) (string, error) {
	host, _, path := strings.Cut(s, "/")
	if strings.Contains(s, "://") || strings.HasPrefix(s, "//") || path && strings.Contains(host, ".") {
		return "", errors.New("a bot is addressed by its alias, such as ops-alerts; the URL's token belongs to the account")
	}
	bad := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._-:@+=/", r))
	}
	if s == "" || len(s) > maxAccount || strings.ContainsFunc(s, bad) {
		return "", fmt.Errorf("a user's id or a bot's alias has 1 to %d letters, digits and . _ - : @ + = /, such as ops-alerts", maxAccount)
	}
	return s, nil
}

// Guess tells which kind of address a text in a search box looks like; false when it could be anything.
func Guess(raw string) (message.AddressKind, bool) {
	s := strings.TrimSpace(raw)
	lower := strings.ToLower(s)
	if strings.HasPrefix(lower, "https://") || strings.HasPrefix(lower, "http://") {
		return message.URL, true
	}
	if local, domain, ok := strings.Cut(s, "@"); ok && local != "" && strings.Contains(domain, ".") && !strings.ContainsAny(s, " /") {
		return message.Mail, true
	}
	digits := 0
	for _, r := range strings.TrimPrefix(lower, "tel:") {
		switch {
		case unicode.IsDigit(r):
			digits++
		case !strings.ContainsRune("+＋ -.()（）－/\u00a0\u3000", r):
			return "", false
		}
	}
	if digits < 7 || digits > 17 {
		return "", false
	}
	return message.Phone, true
}
