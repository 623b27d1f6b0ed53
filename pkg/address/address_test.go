package address_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/opennotify/notify/pkg/address"
	"github.com/opennotify/notify/pkg/address/phone"
	"github.com/opennotify/notify/pkg/message"
)

var reader = address.Reader{Phone: phone.Normalise}

func TestGood(t *testing.T) {
	t.Parallel()
	local := address.Reader{AllowHTTP: true, AllowPorts: true}
	for _, c := range []struct {
		reader address.Reader
		kind   message.AddressKind
		raw    string
		send   string
		key    string // "": as send
	}{
		{reader, message.Phone, " 138 0013 8000", "+8613800138000", ""},
		{reader, message.Mail, "Wang.Wei@Example.COM", "Wang.Wei@example.com", "wang.wei@example.com"},
		{reader, message.Mail, "  a+tag@example.com ", "a+tag@example.com", ""},
		{reader, message.Mail, "a@bücher.example", "a@xn--bcher-kva.example", ""},
		{reader, message.Mail, "a@XN--BCHER-KVA.example", "a@xn--bcher-kva.example", ""},
		{reader, message.Mail, "a@例子.中国", "a@xn--fsqu00a.xn--fiqs8s", ""},
		{reader, message.Mail, strings.Repeat("a", 64) + "@example.com", strings.Repeat("a", 64) + "@example.com", ""},
		{reader, message.Mail, "o'brien!#$%&*+-/?=^_`{|}~@example.com", "o'brien!#$%&*+-/?=^_`{|}~@example.com", ""},
		{reader, message.URL, "HTTPS://Hooks.Example.COM:443", "https://hooks.example.com/", ""},
		{reader, message.URL, "https://例子.中国/钩子?名=值", "https://xn--fsqu00a.xn--fiqs8s/%E9%92%A9%E5%AD%90?%E5%90%8D=%E5%80%BC", ""},
		{reader, message.URL, "https://example.com:8443/a%2Fb?x=1&y=%20", "https://example.com:8443/a%2Fb?x=1&y=%20", ""},
		{reader, message.URL, "https://example.com./", "https://example.com/", ""},
		{reader, message.URL, "https://192.0.2.1/", "https://192.0.2.1/", ""},
		{reader, message.URL, "https://[2001:DB8::0:1]/", "https://[2001:db8::1]/", ""},
		{reader, message.URL, "https://example.com/@user", "https://example.com/@user", ""},
		{local, message.URL, "http://127.0.0.1:9000/hook", "http://127.0.0.1:9000/hook", ""},
		{local, message.URL, "http://localhost:80/", "http://localhost/", ""},
		{reader, message.Token, " dGVzdA==:APA91b ", "dGVzdA==:APA91b", ""},
		{reader, message.Account, "ops-alerts", "ops-alerts", ""},
		{reader, message.Account, "-1001234567890", "-1001234567890", ""},
		{reader, message.Account, "Wang@Corp/x=1", "Wang@Corp/x=1", ""},
	} {
		got, err := c.reader.Normalise(c.kind, c.raw, "CN")
		if c.key == "" {
			c.key = c.send
		}
		if err != nil || string(got.Send) != c.send || string(got.Key) != c.key {
			t.Errorf("%s %q = %q, key %q, %v; want %q, key %q", c.kind, c.raw, string(got.Send), string(got.Key), err, c.send, c.key)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 60) + "."
	for kind, cases := range map[message.AddressKind]map[string]string{
		message.Phone: {"+881612345678": "satellite", "13800138000\n": "line break", "\u202a+8613800138000\u202c": "invisible"},
		message.Mail: {
			"": "empty", "@": "missing", "a@": "domain", "a@b": "not complete", "a": "exactly one @", "a@b@c.com": "exactly one @",
			"Wang <wang@example.com>": "display name", "<wang@example.com>": "display name", "a@example.com, b@example.com": "list",
			"a@example.com;b@example.com": "list", "wang(x)@example.com": "comment", `"a b"@c.com`: "quoted", `a\@b@c.com`: "quoted",
			"a@[127.0.0.1]": "IP address", "@relay.example:a@example.com": "route", "mailto:a@example.com": "scheme", "a b@example.com": "space",
			"王@example.com": "ASCII", "a@127.0.0.1": "not complete", "a@-x.com": "domain name", "a@x_y.com": "domain name", "a@x..com": "domain name",
			"a@x.com.": "domain name", "a@.com": "domain name", "a..b@x.com": "dot", ".a@x.com": "dot", "a.@x.com": "dot",
			strings.Repeat("a", 65) + "@example.com": "64", strings.Repeat("a", 64) + "@" + long + long + long + "example.com": "254",
			"a@" + strings.Repeat("b", 64) + ".com": "domain name", strings.Repeat("x@", 1000): "254",
			"a@example.com\r\nBcc: b@example.com": "line break", "a@example.com\x00": "invisible", "a@exam\u200bple.com": "invisible",
			"=?utf-8?q?=0D=0ABcc:b@example.com?=": "encoded word", "=?utf-8?b?DQpCY2M6?= <a@example.com>": "encoded word",
			"a@xn--a.com": "domain name", "a@example.com\u2028": "invisible", "a\x85@example.com": "UTF-8",
		},
		message.URL: {
			"": "empty", "example.com": "not absolute", "//example.com/": "https", "https:example.com": "not absolute", "https://": "not absolute", "https:///x": "not absolute",
			"http://example.com/": "https", "ftp://example.com/": "https", "javascript:alert(1)": "not absolute",
			"https://user@example.com/": "user name", "https://user:pass@example.com/": "user name", "https://example.com@evil.example/": "user name", "https://@example.com/": "user name",
			"https://example.com/#x": "fragment", "https://example.com/#": "fragment", "https://example.com:8080/": "443 or 8443", "https://example.com:0/": "between", "https://example.com:99999/": "between", "https://example.com:/": "colon",
			"https://127.1/": "unusual", "https://2130706433/": "unusual", "https://0x7f000001/": "unusual", "https://0177.0.0.1/": "unusual", "https://127.0.0.1./": "unusual", "https://0x7f.0.0.1/": "unusual",
			"https://127.0.0.01/": "unusual", "https://１２７.0.0.1/": "unusual", "https://①②⑦.0.0.1/": "unusual", "https://[::ffff:127.0.0.1]/": "IPv4", "https://[fe80::1%25eth0]/": "zone", "https://[fe80::1%eth0]/": "zone", "https://%31%32%37.0.0.1/": "percent-encoded",
			`https://example.com\@evil.example/`: "backslash", "https://exa mple.com/": "space", "https://example.com/a b": "space", "https://example.com/%00": "control", "https://example.com/%0d%0aX:1": "control",
			"https://example.com/\n": "line break", "https://localhost/": "complete", "https://exa_mple.com/": "domain name", "https://example..com/": "domain name",
			"https://example.com/" + strings.Repeat("a", 2048): "2048", "https://example.com/" + strings.Repeat("é", 700): "percent-encoded",
		},
		message.Token:   {"": "1 to 4096", "a b": "spaces", "é": "ASCII", strings.Repeat("a", 4097): "4096"},
		message.Account: {"": "1 to 128", "王伟": "letters", "a b": "letters", "https://oapi.dingtalk.com/robot/send?access_token=x": "alias", "hooks.slack.com/services/T/B/x": "alias", "//x": "alias", strings.Repeat("a", 129): "128"},
		"pigeon":        {"x": "no such kind"},
	} {
		for raw, says := range cases {
			got, err := reader.Normalise(kind, raw, "CN")
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s %q = %q, %v; want an error with %q", kind, raw, string(got.Send), err, says)
			} else if len(raw) > 8 && strings.Contains(withoutExamples(err), raw) {
				t.Errorf("the error repeats the address: %v", err)
			}
			if got != (address.Normal{}) {
				t.Errorf("%s %q: an error and an address", kind, raw)
			}
		}
	}
}

func withoutExamples(err error) string {
	text := err.Error()
	for _, example := range []string{"https://example.com/hooks/orders", "wang@example.com", "+8613800138000", "192.0.2.1"} {
		text = strings.ReplaceAll(text, example, "")
	}
	return text
}

func TestNoReader(t *testing.T) {
	t.Parallel()
	if _, err := (address.Reader{}).Normalise(message.Phone, "+8613800138000", ""); err == nil {
		t.Error("a reader without phones read one")
	}
	if _, err := reader.Normalise("pigeon", "x", ""); !errors.Is(err, address.ErrKind) {
		t.Error(err)
	}
}

// An address printed by accident is masked.
func TestNormalPrintsMasked(t *testing.T) {
	t.Parallel()
	n, err := reader.Normalise(message.Mail, "wang@example.com", "")
	if s := fmt.Sprintf("%v %+v %#v", n, n, n); err != nil || strings.Contains(s, "wang") {
		t.Errorf("%s, %v", s, err)
	}
}

func TestGuess(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]message.AddressKind{
		"+86 138-0013-8000": message.Phone, "13800138000": message.Phone, "１３８００１３８０００": message.Phone, "tel:+8613800138000": message.Phone,
		" a@example.com ": message.Mail, "https://example.com": message.URL, "HTTP://x": message.URL,
		"": "", "1234": "", "hello": "", "@all": "", "your code is 123456": "", "2026-01-02 10:00": "", "123456789012345678901": "",
	} {
		if got, ok := address.Guess(raw); got != want || ok != (want != "") {
			t.Errorf("Guess(%q) = %q, %v; want %q", raw, got, ok, want)
		}
	}
}

func FuzzNormalise(f *testing.F) {
	kinds := []message.AddressKind{message.Phone, message.Mail, message.URL, message.Token, message.Account}
	for _, s := range []string{"+86 138-0013-8000", "Wang@Bücher.example", "https://例子.中国:443/é?ü#", "HTTPS://[::1]:8443/%2f?", "http://a.b/;x=%zz", "ops-alerts", "https://a.b/\"<>?^"} {
		for k := range kinds {
			f.Add(k, s, true)
		}
	}
	f.Fuzz(func(t *testing.T, k int, raw string, local bool) {
		r := address.Reader{Phone: phone.Normalise, AllowHTTP: local, AllowPorts: local}
		kind := kinds[uint(k)%uint(len(kinds))]
		once, err := r.Normalise(kind, raw, "CN")
		if err != nil {
			if len(raw) > 12 && strings.Contains(withoutExamples(err), raw) {
				t.Fatalf("the error repeats the address: %v", err)
			}
			return
		}
		twice, err := r.Normalise(kind, string(once.Send), "")
		if err != nil || twice != once {
			t.Fatalf("%s %q: %q, again %q, %v", kind, raw, string(once.Send), string(twice.Send), err)
		}
		again, err := r.Normalise(kind, string(once.Key), "")
		if err != nil || again.Key != once.Key {
			t.Fatalf("%s %q: key %q, again %q, %v", kind, raw, string(once.Key), string(again.Key), err)
		}
		for _, c := range []byte(once.Send) {
			if c < ' ' || c > '~' {
				t.Fatalf("%q is not printable ASCII", string(once.Send))
			}
		}
	})
}
