package address

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

const (
	maxURL  = 2048
	urlForm = "; write it such as https://example.com/hooks/orders"
)

// url accepts an absolute https URL and nothing that two parsers could read differently. That the host
// is a public one is checked when it is dialled: only then is its address known.
func (r Reader) url(s string) (string, error) {
	if len(s) > maxURL {
		return "", fmt.Errorf("the URL is longer than %d bytes", maxURL)
	}
	if err := urlCharacters(s); err != nil {
		return "", err
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return "", errors.New("the URL is not absolute" + urlForm)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !r.AllowHTTP) {
		return "", errors.New("the URL must begin with https://" + urlForm)
	}
	if u.User != nil {
		return "", errors.New("a user name or password in the URL is not accepted; put credentials into the account")
	}
	host, err := r.host(u.Hostname())
	if err != nil {
		return "", err
	}
	port, err := r.port(u.Scheme, u.Host, u.Port())
	if err != nil {
		return "", err
	}
	u.Host = host + port
	if u.Path == "" {
		u.Path = "/"
	}
	u.RawQuery = asciiQuery(u.RawQuery)
	out := u.String()
	if len(out) > maxURL {
		return "", fmt.Errorf("the URL is longer than %d bytes when it is percent-encoded", maxURL)
	}
	return out, nil
}

func urlCharacters(s string) error {
	switch {
	case s == "":
		return errors.New("the URL is empty" + urlForm)
	case strings.ContainsAny(s, " \\\u3000"):
		return errors.New("the URL has a space or a backslash; percent-encode it")
	case strings.Contains(s, "#"):
		return errors.New("a fragment (#…) never reaches the server; remove it from the URL")
	}
	for i := 0; i+2 < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		if c, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil && (c < 0x20 || c == 0x7f) {
			return errors.New("the URL has a percent-encoded control character; remove it")
		}
	}
	_, rest, _ := strings.Cut(s, "//")
	if end := strings.IndexAny(rest, "/?"); end >= 0 {
		rest = rest[:end]
	}
	if strings.Contains(rest, "%") {
		return errors.New("the host of the URL must not be percent-encoded or have a zone" + urlForm)
	}
	return nil
}

// host accepts a domain name, or an IP address in its one canonical form: 127.1, 0x7f000001 and the like
// are read differently by different resolvers.
func (r Reader) host(s string) (string, error) {
	if ip, err := netip.ParseAddr(s); err == nil {
		if ip.Is4In6() {
			return "", errors.New("an IPv4 address must be written as such, for example 192.0.2.1")
		}
		if ip.Is6() {
			return "[" + ip.String() + "]", nil
		}
		return ip.String(), nil
	}
	name, err := hostName(strings.TrimSuffix(s, "."))
	if err != nil {
		return "", err
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	if last[0] >= '0' && last[0] <= '9' { // no top-level domain begins with a digit
		return "", errors.New("the host is an IP address in an unusual form" + urlForm)
	}
	if last == name && !r.AllowHTTP {
		return "", errors.New("the host needs a complete domain name" + urlForm)
	}
	return name, nil
}

// port is ":port", or "" for the scheme's own.
func (r Reader) port(scheme, hostport, port string) (string, error) {
	if port == "" {
		if strings.HasSuffix(hostport, ":") {
			return "", errors.New("the port of the URL is missing; remove the colon")
		}
		return "", nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", errors.New("the port of the URL is not between 1 and 65535")
	}
	if scheme == "https" && n == 443 || scheme == "http" && n == 80 {
		return "", nil
	}
	if n != 443 && n != 8443 && !r.AllowPorts {
		return "", errors.New("the port of the URL must be 443 or 8443")
	}
	return ":" + strconv.FormatUint(n, 10), nil
}

// asciiQuery percent-encodes what a query may not hold as it is: some servers refuse it, others guess.
func asciiQuery(q string) string {
	var b strings.Builder
	for i := range len(q) {
		if c := q[i]; c > '~' || strings.IndexByte("\"<>`{|}^", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
