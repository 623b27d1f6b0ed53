package guard

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// special are the ends of every special-purpose range of the two IANA registries, written down here once
// more so that a typing error in the tables shows.
var special = []string{
	"0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "100.100.100.200",
	"127.0.0.0", "127.0.0.1", "127.255.255.255", "168.63.129.16", "169.254.0.0", "169.254.169.254", "169.254.255.255",
	"172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.192", "192.0.0.255", "192.0.2.0", "192.0.2.255",
	"192.31.196.1", "192.52.193.1", "192.88.99.0", "192.88.99.255", "192.168.0.0", "192.168.255.255", "192.175.48.1",
	"198.18.0.0", "198.19.255.255", "198.51.100.0", "198.51.100.255", "203.0.113.0", "203.0.113.255",
	"224.0.0.0", "239.255.255.255", "240.0.0.0", "255.255.255.254", "255.255.255.255",
	"::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:7f00:1",
	"64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::", "64:ff9b:1:ffff::", "64:ff9b:1::808:808",
	"100::", "100::ffff:ffff:ffff:ffff", "100:0:0:1::1", "2001::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:1::1", "2001:2::",
	"2001:3::", "2001:4:112::", "2001:10::", "2001:1ff:ffff::", "2001:20::1", "2001:30::", "2001:db8::", "2001:db8:ffff::", "2002::", "2002:7f00:1::",
	"2002:808:808::", "2002:ffff:ffff::", "2620:4f:8000::1", "3fff::", "3fff:fff:ffff::", "4000::", "5f00::", "5f00:ffff::",
	"fc00::", "fd00:ec2::254", "fdff::", "fe80::1", "febf::1", "fec0::1", "feff::1", "ff00::", "ff02::1", "ffff::",
}

// ordinary are the neighbours of the ranges above.
var ordinary = []string{
	"1.0.0.0", "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
	"168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255",
	"192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0",
	"203.0.112.255", "203.0.114.0", "223.255.255.255", "::ffff:8.8.8.8", "64:ff9b::808:808",
	"2000::1", "2001:200::", "2001:db7:ffff::", "2001:db9::", "2003::", "2400:3200::1", "2606:4700:4700::1111", "2620:4f:8001::", "3ffe:ffff::", "3fff:1000::",
}

func TestPublic(t *testing.T) {
	t.Parallel()
	for _, s := range special {
		if Public(netip.MustParseAddr(s)) {
			t.Errorf("%s counts as public", s)
		}
	}
	for _, s := range ordinary {
		if !Public(netip.MustParseAddr(s)) {
			t.Errorf("%s does not count as public", s)
		}
	}
	if Public(netip.Addr{}) || Public(netip.MustParseAddr("2606:4700::1%eth0")) {
		t.Error("no address, or one with a zone, counts as public")
	}
}

// TestEmbedded: what an IPv4 address is does not depend on how it is wrapped.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v4 := [4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "ip"))
		ip := netip.AddrFrom4(v4)
		wrapped := netip.MustParseAddr("64:ff9b::").As16()
		copy(wrapped[12:], v4[:])
		want := Public(ip)
		if got := Public(netip.AddrFrom16(ip.As16())); got != want {
			t.Errorf("%s mapped: %v, plain: %v", ip, got, want)
		}
		if got := Public(netip.AddrFrom16(wrapped)); got != want {
			t.Errorf("%s in NAT64: %v, plain: %v", ip, got, want)
		}
		if want && (ip.IsPrivate() || ip.IsLoopback() || ip.IsMulticast() || ip.IsLinkLocalUnicast() || ip.IsUnspecified()) {
			t.Errorf("%s counts as public", ip)
		}
	})
}
