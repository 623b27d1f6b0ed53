package guard

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// The bounds of one call. The caller's context usually ends it sooner.
const (
	dialTimeout      = 5 * time.Second
	handshakeTimeout = 5 * time.Second
	headerTimeout    = 10 * time.Second
	totalTimeout     = 15 * time.Second
	maxHeaderBytes   = 64 << 10

	// idlePerHost lets more than 64 workers of a process keep their connections to one busy host.
	idlePerHost = 128
	idleTotal   = 512
	// idleTimeout is shorter than the keep-alive of the usual servers (60 to 75 s): a request written on
	// a connection that the other side, or the freezing of a Lambda, has closed ends as "unknown".
	idleTimeout = 20 * time.Second
)

// Options say what a client may reach. The zero value is a client for a vendor's fixed address.
type Options struct {
	// Public refuses everything but https to port 443 or 8443 of a public address.
	Public bool
	// Allow lists addresses that a Public client reaches nevertheless, on any port and over http too.
	// It is empty but in tests and on a developer's machine.
	Allow []netip.Prefix
	// Resolver looks names up; nil is Go's own resolver, which does not read 127.1 or 0x7f000001 as an
	// address, as the C library's does.
	Resolver *net.Resolver
	// Roots verify servers; nil is the system's.
	Roots *x509.CertPool
}

// Client makes a client. It is safe for concurrent use and meant to be shared: it owns the idle
// connections.
func Client(o Options) *http.Client {
	if o.Resolver == nil {
		o.Resolver = &net.Resolver{PreferGo: true}
	}
	o.Allow = slices.Clone(o.Allow)
	dialer := &net.Dialer{Timeout: dialTimeout, Resolver: o.Resolver}
	if o.Public {
		dialer.ControlContext = o.control
	}
	transport := &http.Transport{
		DialContext: dialer.DialContext,
		TLSClientConfig: &tls.Config{
			MinVersion:         tls.VersionTLS12,
			RootCAs:            o.Roots,
			ClientSessionCache: tls.NewLRUClientSessionCache(idlePerHost),
		},
		TLSHandshakeTimeout:    handshakeTimeout,
		ResponseHeaderTimeout:  headerTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxIdleConns:           idleTotal,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleTimeout,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
	}
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       totalTimeout,
	}
	if o.Public {
		client.Transport = public{base: transport, plain: len(o.Allow) > 0}
	}
	return client
}

// RefusedError says that the guard did not let a request out. Nothing was sent.
type RefusedError struct {
	Reason string // without the address
}

func (e *RefusedError) Error() string { return "guard: refused: " + e.Reason }

// plainKey marks the dial of an http URL, which only Allow's addresses may answer.
type plainKey struct{}

// control judges the address that is about to be connected. It runs after the name was resolved, once
// for every address that is tried.
func (o Options) control(ctx context.Context, network, address string, _ syscall.RawConn) error {
	dst, err := netip.ParseAddrPort(address)
	if err != nil || (network != "tcp4" && network != "tcp6") {
		return &RefusedError{"not a TCP address"}
	}
	ip := dst.Addr().Unmap()
	for _, p := range o.Allow {
		if p.Contains(ip) {
			return nil
		}
	}
	switch {
	case !Public(ip):
		return &RefusedError{"the address is not public"}
	case dst.Port() != 443 && dst.Port() != 8443:
		return &RefusedError{"the port is neither 443 nor 8443"}
	case ctx.Value(plainKey{}) != nil:
		return &RefusedError{"the URL is not https"}
	}
	return nil
}

// public checks what the dialler cannot see: the URL.
type public struct {
	base  *http.Transport
	plain bool // http is left to control
}

func (p public) RoundTrip(r *http.Request) (*http.Response, error) {
	plain := r.URL.Scheme == "http" && p.plain
	reason := ""
	switch {
	case r.URL.Scheme != "https" && !plain:
		reason = "the URL is not https"
	case r.URL.User != nil:
		reason = "the URL has a user name"
	}
	if reason != "" {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, &RefusedError{reason}
	}
	if plain {
		r = r.WithContext(context.WithValue(r.Context(), plainKey{}, true))
	}
	return p.base.RoundTrip(r)
}

// CloseIdleConnections is what http.Client's method of the same name looks for.
func (p public) CloseIdleConnections() { p.base.CloseIdleConnections() }
