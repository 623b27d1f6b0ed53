package guard

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// names is a DNS server for one test: a name has a list of answers for each time it is asked.
type names struct {
	mu      sync.Mutex
	answers map[string][][]string
}

func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go n.serve(server)
		return client, nil
	}}
}

// serve answers the queries of one connection, in the framing of DNS over TCP.
func (n *names) serve(conn net.Conn) {
	defer conn.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		reply := n.reply(query)
		_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...))
	}
}

func (n *names) reply(query []byte) []byte {
	var labels []string
	i := 12
	for query[i] != 0 {
		labels = append(labels, string(query[i+1:i+1+int(query[i])]))
		i += 1 + int(query[i])
	}
	question := query[12 : i+5]
	kind := binary.BigEndian.Uint16(query[i+1:])
	var records []byte
	count := 0
	for _, s := range n.next(strings.Join(labels, "."), kind) {
		ip := netip.MustParseAddr(s)
		if (kind == 1) != ip.Is4() {
			continue
		}
		count++
		records = append(records, 0xc0, 12) // the name of the question
		records = binary.BigEndian.AppendUint16(records, kind)
		records = append(records, 0, 1, 0, 0, 0, 0) // IN, TTL 0
		records = binary.BigEndian.AppendUint16(records, uint16(len(ip.AsSlice())))
		records = append(records, ip.AsSlice()...)
	}
	out := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, byte(count), 0, 0, 0, 0}, question...)
	return append(out, records...)
}

// next moves on at every question for an IPv4 address, of which there is one a lookup.
func (n *names) next(name string, kind uint16) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := n.answers[name]
	if len(list) == 0 {
		return nil
	}
	if kind == 1 && len(list) > 1 {
		n.answers[name] = list[1:]
	}
	return list[0]
}

func get(t *testing.T, c *http.Client, url string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := c.Do(req)
	if err == nil {
		t.Cleanup(func() { res.Body.Close() })
	}
	return res, err
}

func refused(err error) string {
	var r *RefusedError
	if errors.As(err, &r) {
		return r.Reason
	}
	return ""
}

func TestSpecialRangesAreNotDialled(t *testing.T) {
	t.Parallel()
	dns := &names{answers: map[string][][]string{}}
	for i, s := range special {
		if ip := netip.MustParseAddr(s); !ip.Is4In6() {
			dns.answers[host(i)] = [][]string{{s}}
		}
	}
	c := Client(Options{Public: true, Resolver: dns.resolver()})
	for i, s := range special {
		urls := []string{"https://" + net.JoinHostPort(s, "443") + "/"}
		if ip := netip.MustParseAddr(s); ip.Is4() {
			urls = append(urls, "https://[::ffff:"+s+"]/", "https://"+s+":8443/")
		}
		if dns.answers[host(i)] != nil {
			urls = append(urls, "https://"+host(i)+"./")
		}
		for _, u := range urls {
			if _, err := get(t, c, u); refused(err) != "the address is not public" {
				t.Errorf("%s (%s): %v", u, s, err)
			}
		}
	}
}

func host(i int) string { return "h" + strconv.Itoa(i) + ".test" }

func TestRules(t *testing.T) {
	t.Parallel()
	c := Client(Options{Public: true})
	for url, want := range map[string]string{
		"http://8.8.8.8/":                  "the URL is not https",
		"HTTP://8.8.8.8/":                  "the URL is not https",
		"https://8.8.8.8:22/":              "the port is neither 443 nor 8443",
		"https://8.8.8.8:80/":              "the port is neither 443 nor 8443",
		"https://u:p@8.8.8.8/":             "the URL has a user name",
		"https://8.8.8.8@127.0.0.1/":       "the URL has a user name",
		"https://localhost/":               "the address is not public",
		"https://[fe80::1%25lo]/":          "the address is not public",
		"https://[0:0:0:0:0:ffff:7f00:1]/": "the address is not public",
	} {
		if _, err := get(t, c, url); refused(err) != want {
			t.Errorf("%s: %v, want %s", url, err, want)
		}
	}
	c = Client(Options{Public: true, Resolver: (&names{}).resolver()})
	for _, url := range []string{"https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/"} {
		if _, err := get(t, c, url); err == nil {
			t.Errorf("%s was reached", url)
		}
	}
	// In the company of an allow-list http is still only for its addresses.
	c = Client(Options{Public: true, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	if _, err := get(t, c, "http://8.8.8.8:443/"); refused(err) != "the URL is not https" {
		t.Errorf("http to a public address: %v", err)
	}
	if _, err := get(t, c, "http://127.0.0.2:1/"); refused(err) != "the address is not public" {
		t.Errorf("http to the neighbour of an allowed address: %v", err)
	}
}

// TestRebinding: a name that was good when it was first looked up is judged again at every dial.
func TestRebinding(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
	}))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	dns := &names{answers: map[string][][]string{
		"rebind.test": {{"127.0.0.1"}, {"127.0.0.2"}, {"169.254.169.254"}},
		"both.test":   {{"10.0.0.1", "127.0.0.1"}},
	}}
	c := Client(Options{Public: true, Resolver: dns.resolver(), Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	if _, err := get(t, c, "http://rebind.test.:"+port); err != nil {
		t.Fatalf("first: %v", err)
	}
	for range 2 {
		if _, err := get(t, c, "http://rebind.test.:"+port); refused(err) == "" {
			t.Errorf("after rebinding: %v", err)
		}
	}
	if _, err := get(t, c, "http://both.test.:"+port); err != nil {
		t.Errorf("the good one of two addresses: %v", err)
	}
}

func TestRedirectIsTheAnswer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/latest/meta-data/", http.StatusTemporaryRedirect))
	defer server.Close()
	for _, c := range clients() {
		res, err := get(t, c, server.URL)
		if err != nil || res.StatusCode != http.StatusTemporaryRedirect {
			t.Errorf("%v %v", res, err)
		}
	}
}

// clients are one of each kind that reach this machine.
func clients() []*http.Client {
	return []*http.Client{Client(Options{}), Client(Options{Public: true, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})}
}

func TestGzipIsNotInflated(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	_, _ = w.Write(make([]byte, 10<<20))
	w.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" {
			t.Error("asks for compression")
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	}))
	defer server.Close()
	for _, c := range clients() {
		res, err := get(t, c, server.URL)
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(res.Body); len(body) != bomb.Len() {
			t.Errorf("%d bytes became %d", bomb.Len(), len(body))
		}
	}
}

// TestEndlessAnswers: neither headers nor interim answers are read without bound.
func TestEndlessAnswers(t *testing.T) {
	t.Parallel()
	for name, piece := range map[string]string{
		"one header":      strings.Repeat("x", 1<<10),
		"many headers":    "X-Fill: x\r\n",
		"interim answers": "\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer conn.Close()
			_, err = conn.Write([]byte("HTTP/1.1 103 Early Hints\r\nX: "))
			for n := 0; err == nil && n < 16<<20; n += len(piece) {
				_, err = conn.Write([]byte(piece))
			}
			if err == nil {
				t.Errorf("%s: all was read", name)
			}
		}))
		defer server.Close()
		for _, c := range clients() {
			if _, err := get(t, c, server.URL); err == nil {
				t.Errorf("%s: an answer", name)
			}
		}
	}
}

func TestProxyOfTheEnvironmentIsIgnored(t *testing.T) {
	t.Parallel()
	for _, c := range clients() {
		transport, ok := c.Transport.(*http.Transport)
		if guarded, isPublic := c.Transport.(public); isPublic {
			transport, ok = guarded.base, true
		}
		if !ok || transport.Proxy != nil {
			t.Errorf("%T has a proxy", c.Transport)
		}
	}
}
