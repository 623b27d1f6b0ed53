package httpapi

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/telemetry"
)

// Server has the limits that keep slow and greedy clients from holding a listener.
func Server(addr string, h http.Handler) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    32 << 10,
	}
}

// ForwardedIP reads the client's address from X-Forwarded-For where proxies of one's own stand in front:
// each appends the address that it was called from, so with n proxies the n-th from the right is the
// client's. What stands left of it is the client's own claim. Without a proxy in front the header must not
// be used at all.
func ForwardedIP(proxies int) func(*http.Request) string {
	return func(r *http.Request) string {
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		if i := len(hops) - proxies; i >= 0 && i < len(hops) {
			if ip, err := netip.ParseAddr(strings.TrimSpace(hops[i])); err == nil {
				return ip.String()
			}
		}
		return peerIP(r)
	}
}

func peerIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// traceOf is the caller's trace.
func traceOf(h http.Header) telemetry.Trace {
	if t := telemetry.ParseTrace(h.Get("Traceparent")); t.ID != "" {
		return t
	}
	return telemetry.ParseAmazonTrace(h.Get("X-Amzn-Trace-Id"))
}
