package sign_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/provider/sign"
)

// mutants is how many forgeries of each scheme are tried, spread over its genuine callbacks.
const mutants = 10_000

// TestMutated forges each genuine callback: one thing of it is changed, and then one more, until what the
// vendor signs is no longer what it signed. None may be taken. What is signed says [signed], by the vendor's own
// rule and not by our code: a mutation that leaves it as it was has changed nothing that anybody reads.
func TestMutated(t *testing.T) {
	t.Parallel()
	of := map[string]int{}
	for _, c := range genuine() {
		of[c.scheme]++
	}
	for name, c := range genuine() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random, tried := rand.New(rand.NewPCG(1, 2)), map[string]int{}
			was := signed(c)
			for range (mutants + of[c.scheme] - 1) / of[c.scheme] {
				m, how := clone(c), ""
				same := func() bool { // SNS signs in the body only: it is not read again for a header
					return c.scheme == "sns" && m.body == c.body && m.now.Equal(c.now) && maps.Equal(m.params, c.params) || signed(m) == was
				}
				for i := 0; how == "" || same(); i++ {
					if i == 1000 {
						t.Fatalf("%s changes nothing", how)
					}
					one := mutations[random.IntN(len(mutations))]
					how += one.name + " "
					one.do(random, &m)
				}
				tried[strings.Fields(how)[0]]++
				if _, err := m.verify(t); err == nil {
					t.Fatalf("taken after %s: %s %v %q", how, m.url, m.header, m.body)
				}
			}
			for _, one := range mutations {
				if tried[one.name] == 0 {
					t.Errorf("never tried: %s", one.name)
				}
			}
		})
	}
	for _, name := range sign.VerifierNames() {
		if of[name] == 0 && name != "none" { // whose secret is in the path: see the callbacks' address
			t.Errorf("%s has no genuine callback to forge", name)
		}
	}
}

func clone(c callback) callback {
	c.header, c.params = c.header.Clone(), maps.Clone(c.params)
	if c.header == nil {
		c.header = http.Header{}
	}
	return c
}

// signed is what a callback's signature stands for: what the vendor's rule puts under it, the signature itself,
// our key, and whether it comes in time. Left out is what no vendor signs and no verifier reads: the path (the
// signed one is the account's own), the names' case of headers, headers of other names, a header's second value,
// the method, and where a scheme does not sign the query, parameters.
func signed(c callback) string {
	first := func(names ...string) string {
		var b strings.Builder
		for _, name := range names {
			b.WriteString(strconv.Quote(c.header.Get(name)))
		}
		return b.String()
	}
	u, err := url.Parse(c.url)
	if err != nil {
		return "no URL"
	}
	q := u.Query()
	if c.check {
		return known(c, q)
	}
	of := strconv.Quote(c.params["key"]+c.params["encrypt_key"]+c.params["token"]+c.params["receiver"]) + decoded(c.params["aes_key"]+"=")
	if c.scheme == "standard-webhooks" {
		of = decoded(strings.TrimPrefix(c.params["key"], "whsec_"))
	}
	switch c.scheme {
	case "twilio":
		of += first("X-Twilio-Signature") + "?" + u.RawQuery + "\n"
		if q.Get("bodySHA256") != "" {
			return of + c.body
		}
		// Names and values, sorted, each once, with nothing between them: Digits1=234 is Digits=1234 to Twilio.
		form, err := url.ParseQuery(c.body)
		if err != nil {
			return of + "no form " + c.body
		}
		for _, k := range slices.Sorted(maps.Keys(form)) {
			for _, v := range slices.Compact(slices.Sorted(slices.Values(form[k]))) {
				of += k + v
			}
		}
		return of
	case "wechat": // the encrypted message, whatever stands around it
		of += strconv.Quote(q.Get("timestamp")) + strconv.Quote(q.Get("nonce")) + strconv.Quote(q.Get("msg_signature")) + late(q.Get("timestamp"), c.now, 5*time.Minute)
		return of + encrypted(c.body)
	case "feishu-event":
		ts := c.header.Get("X-Lark-Request-Timestamp")
		return of + first("X-Lark-Request-Timestamp", "X-Lark-Request-Nonce", "X-Lark-Signature") + late(ts, c.now, 8*time.Hour) + c.body
	case "standard-webhooks": // one of several signatures is enough
		good := slices.Contains(strings.Fields(c.header.Get("Webhook-Signature")), standardSignature)
		return of + first("Webhook-Id", "Webhook-Timestamp") + strconv.FormatBool(good) + late(c.header.Get("Webhook-Timestamp"), c.now, 5*time.Minute) + c.body
	case "sns": // the fields that SNS signs; where the certificate is, is not one
		var all map[string]any
		if json.Unmarshal([]byte(c.body), &all) != nil {
			return "no JSON " + c.body
		}
		m := map[string]string{}
		for k, v := range all {
			m[k], _ = v.(string)
		}
		at, _ := time.Parse(time.RFC3339Nano, m["Timestamp"])
		of += strconv.FormatBool(strings.Contains(c.params["topic"], snsTopic)) + decoded(m["Signature"]) + m["SignatureVersion"] + m["SigningCertURL"]
		for _, name := range []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"} {
			of += name + strconv.Quote(m[name])
		}
		return of + late(strconv.FormatInt(at.Unix(), 10), c.now, time.Hour+5*time.Minute)
	case "hub-sha256":
		return of + first("X-Hub-Signature-256") + c.body
	case "dingtalk-robot": // the time alone
		ts := c.header.Get("Timestamp")
		return of + first("Timestamp", "Sign") + late(ts[:max(0, len(ts)-3)], c.now, time.Hour)
	case "secret-header": // nothing: the word is all
		return of + first(c.params["header"])
	}
	out := of + first(c.params["header"]) + c.body
	if name := c.params["timestamp_header"]; name != "" {
		out += first(name) + late(c.header.Get(name), c.now, 5*time.Minute)
	}
	return out
}

// known is by what a check of our address is known: a secret word, or a signature over the time. What is to be
// echoed counts for WeCom only, which encrypts it.
func known(c callback, q url.Values) string {
	switch c.scheme {
	case "hub-sha256":
		return strconv.Quote(q.Get("hub.mode")) + strconv.Quote(q.Get("hub.verify_token")) + c.params["verify_token"]
	case "feishu-event":
		var in struct{ Type, Token string }
		err := json.Unmarshal([]byte(c.body), &in)
		return in.Type + " " + in.Token + strconv.FormatBool(err == nil) + c.params["token"]
	}
	out := c.params["token"] + strconv.Quote(q.Get("timestamp")) + strconv.Quote(q.Get("nonce")) + strconv.Quote(q.Get("msg_signature")) + late(q.Get("timestamp"), c.now, 5*time.Minute)
	if q.Get("msg_signature") == "" {
		return out + strconv.Quote(q.Get("signature"))
	}
	return out + q.Get("echostr") + c.params["receiver"] + decoded(c.params["aes_key"]+"=")
}

// decoded is the key that base64 stands for: its decoder minds neither line ends nor spare bits.
func decoded(key string) string {
	b, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		return key
	}
	return strconv.Quote(string(b))
}

// late tells whether a callback is a replay, or of the future.
func late(unix string, now time.Time, oldest time.Duration) string {
	n, _ := strconv.ParseInt(unix, 10, 64)
	age := now.Sub(time.Unix(n, 0))
	return strconv.FormatBool(age > oldest || age < -5*time.Minute)
}

func encrypted(body string) string {
	var in struct{ Encrypt string }
	if strings.HasPrefix(strings.TrimSpace(body), "{") {
		if json.Unmarshal([]byte(body), &in) != nil {
			return "no JSON"
		}
	} else if xml.Unmarshal([]byte(body), &in) != nil {
		return "no XML"
	}
	return in.Encrypt
}

// mutations change one thing each; where there is nothing of the kind, none.
var mutations = []struct {
	name string
	do   func(*rand.Rand, *callback)
}{
	{"a-header's-bytes", func(r *rand.Rand, c *callback) {
		onHeader(r, c, func(v string) []string { return []string{bend(r, v)} })
	}},
	{"no-header", func(r *rand.Rand, c *callback) { onHeader(r, c, func(string) []string { return nil }) }},
	{"an-empty-header", func(r *rand.Rand, c *callback) { onHeader(r, c, func(string) []string { return []string{""} }) }},
	{"a-header-twice", func(r *rand.Rand, c *callback) {
		onHeader(r, c, func(v string) []string { return []string{bend(r, v), v} })
	}},
	{"a-header's-encoding", func(r *rand.Rand, c *callback) {
		onHeader(r, c, func(v string) []string { return []string{otherwise(r, v)} })
	}},
	{"two-headers-swapped", func(r *rand.Rand, c *callback) {
		if names := slices.Sorted(maps.Keys(c.header)); len(names) > 1 {
			a, b := names[r.IntN(len(names))], names[r.IntN(len(names))]
			c.header[a], c.header[b] = c.header[b], c.header[a]
		}
	}},
	{"the-body's-bytes", func(r *rand.Rand, c *callback) { c.body = bend(r, c.body) }},
	{"the-body-cut", func(r *rand.Rand, c *callback) { c.body = c.body[:r.IntN(len(c.body)+1)] }},
	{"the-body-longer", func(r *rand.Rand, c *callback) { c.body += pick(r, " ", "\n", "\x00", "&a=b", "}", c.body) }},
	{"the-body-earlier", func(r *rand.Rand, c *callback) { c.body = pick(r, " ", "\ufeff", "a=b&", "{", "\r\n") + c.body }},
	{"the-body's-parts-in-another-order", func(r *rand.Rand, c *callback) { c.body = shuffle(r, c.body, "&", ",") }},
	{"the-body's-encoding", func(r *rand.Rand, c *callback) { c.body = otherwise(r, c.body) }},
	{"a-parameter's-bytes", func(r *rand.Rand, c *callback) {
		onQuery(r, c, func(v string) []string { return []string{bend(r, v)} })
	}},
	{"no-parameter", func(r *rand.Rand, c *callback) { onQuery(r, c, func(string) []string { return nil }) }},
	{"a-parameter-twice", func(r *rand.Rand, c *callback) {
		onQuery(r, c, func(v string) []string { return []string{bend(r, v), v} })
	}},
	{"one-more-parameter", func(r *rand.Rand, c *callback) {
		onQuery(r, c, func(v string) []string { return []string{v + pick(r, "&a=b", "&", "&foo=1")} })
	}},
	{"the-parameters-in-another-order", func(r *rand.Rand, c *callback) {
		path, query, _ := strings.Cut(c.url, "?")
		c.url = path + "?" + shuffle(r, query, "&")
	}},
	{"the-path", func(r *rand.Rand, c *callback) {
		_, query, _ := strings.Cut(c.url, "?")
		c.url = pick(r, "/", "/v1/receipts/other/s", "//x", "/%2e%2e/") + "?" + query
	}},
	{"a-replay", func(r *rand.Rand, c *callback) { c.now = c.now.Add(time.Duration(r.IntN(100)) * time.Hour) }},
	{"from-the-future", func(r *rand.Rand, c *callback) { c.now = c.now.Add(-time.Duration(r.IntN(100)) * time.Minute) }},
	{"another-key", func(r *rand.Rand, c *callback) {
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(c.params)), func(k string) bool {
			return k == "header" || k == "timestamp_header" || k == "url" || k == "verify_token" && !c.check || k == "token" && c.scheme == "feishu-event" && !c.check
		})
		k := names[r.IntN(len(names))]
		c.params[k] = bend(r, c.params[k])
	}},
}

// bend changes one byte, takes one away, or puts one more in.
func bend(r *rand.Rand, s string) string {
	if s == "" {
		return "x"
	}
	b := []byte(s)
	i := r.IntN(len(b))
	switch r.IntN(4) {
	case 0:
		b[i] ^= 1 << r.IntN(8)
	case 1:
		b = slices.Delete(b, i, i+1)
	case 2:
		j := r.IntN(len(b))
		b[i], b[j] = b[j], b[i]
	default:
		b = slices.Insert(b, i, byte(r.IntN(256)))
	}
	return string(b)
}

// otherwise writes the same in another way.
func otherwise(r *rand.Rand, s string) string {
	switch r.IntN(7) {
	case 0:
		return strings.ToUpper(s)
	case 1:
		return strings.ToLower(s)
	case 2:
		return url.QueryEscape(s)
	case 3:
		return strings.TrimRight(s, "=")
	case 4:
		return strings.NewReplacer("+", "-", "/", "_").Replace(s)
	case 5:
		return strings.TrimPrefix(strings.TrimPrefix(s, "sha256="), "v1,")
	}
	if i := strings.IndexFunc(s, func(c rune) bool { return c >= 'a' && c <= 'z' }); i >= 0 {
		return s[:i] + `\u00` + strconv.FormatInt(int64(s[i]), 16) + s[i+1:]
	}
	return s
}

func pick(r *rand.Rand, of ...string) string { return of[r.IntN(len(of))] }

func shuffle(r *rand.Rand, s string, separators ...string) string {
	sep := pick(r, separators...)
	parts := strings.Split(s, sep)
	r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	return strings.Join(parts, sep)
}

func onHeader(r *rand.Rand, c *callback, change func(string) []string) {
	if names := slices.Sorted(maps.Keys(c.header)); len(names) > 0 {
		name := names[r.IntN(len(names))]
		c.header[name] = change(c.header.Get(name))
	}
}

// onQuery changes one parameter where it stands; what it becomes may be written wrongly.
func onQuery(r *rand.Rand, c *callback, change func(string) []string) {
	path, query, _ := strings.Cut(c.url, "?")
	parts := strings.Split(query, "&")
	i := r.IntN(len(parts))
	became := change(parts[i])
	for j := range became { // so that it stays a URL
		became[j] = strings.Map(func(c rune) rune {
			if c <= ' ' || c == '#' || c >= 127 {
				return '_'
			}
			return c
		}, became[j])
	}
	c.url = path + "?" + strings.Join(slices.Replace(parts, i, i+1, became...), "&")
}
