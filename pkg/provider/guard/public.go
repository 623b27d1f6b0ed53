package guard

import "net/netip"

// special4 is IPv4's special-purpose space, and two public-looking addresses of cloud platforms.
// https://www.iana.org/assignments/iana-ipv4-special-registry
var special4 = prefixes(
	"0.0.0.0/8",          // this network
	"10.0.0.0/8",         // private
	"100.64.0.0/10",      // carrier-grade NAT; Alibaba Cloud's metadata
	"127.0.0.0/8",        // loopback
	"168.63.129.16/32",   // Azure's host agent
	"169.254.0.0/16",     // link-local; the clouds' metadata
	"172.16.0.0/12",      // private
	"192.0.0.0/24",       // protocol assignments; Oracle Cloud's metadata
	"192.0.2.0/24",       // documentation
	"192.31.196.0/24",    // AS112
	"192.52.193.0/24",    // AMT
	"192.88.99.0/24",     // 6to4 relays
	"192.168.0.0/16",     // private
	"192.175.48.0/24",    // AS112
	"198.18.0.0/15",      // benchmarks
	"198.51.100.0/24",    // documentation
	"203.0.113.0/24",     // documentation
	"224.0.0.0/4",        // multicast
	"240.0.0.0/4",        // reserved
	"255.255.255.255/32", // broadcast
)

// global6 is the only part of IPv6 that is handed out for use on the Internet; all else is refused:
// loopback, mapped, link-local, unique local, site-local, multicast, discard-only, SRv6 …
// https://www.iana.org/assignments/ipv6-address-space
var global6 = netip.MustParsePrefix("2000::/3")

// special6 is the special-purpose space inside global6.
// https://www.iana.org/assignments/iana-ipv6-special-registry
var special6 = prefixes(
	"2001::/23",         // protocol assignments: Teredo, benchmarks, ORCHID, AMT …
	"2001:db8::/32",     // documentation
	"2002::/16",         // 6to4: whatever IPv4 address is inside, its relays are gone
	"2620:4f:8000::/48", // AS112
	"3fff::/20",         // documentation
)

// nat64 carries an IPv4 address in its last four bytes: https://www.rfc-editor.org/rfc/rfc6052.
// Networks with IPv6 only reach the IPv4 Internet through it.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// Public tells whether ip is an ordinary address of the Internet. An IPv4 address inside an IPv6 one
// (mapped, NAT64) is judged by itself; an address with a zone is never public.
func Public(ip netip.Addr) bool {
	if !ip.IsValid() || ip.Zone() != "" {
		return false
	}
	ip = ip.Unmap()
	if nat64.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	if ip.Is4() {
		return !within(special4, ip)
	}
	return global6.Contains(ip) && !within(special6, ip)
}

func within(list []netip.Prefix, ip netip.Addr) bool {
	for _, p := range list {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}
