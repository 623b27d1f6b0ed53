package sign

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Opened is a callback whose sender was verified.
type Opened struct {
	Body []byte // decrypted where the scheme encrypts
	// Reply answers a vendor that only checks the address; then there is nothing else to read.
	Reply []byte
	Check bool
}

// Verifier verifies callbacks.
type Verifier struct {
	Name               string
	Required, Optional []string
	Verify             func(p Params, w World, r *http.Request, body []byte) (Opened, error)
}

// World is what a verifier may use besides the callback and its parameters.
type World struct {
	Now time.Time
	// Client and Certificates are for schemes whose keys have to be fetched. The client reaches public addresses
	// only.
	Client       *http.Client
	Certificates *Certificates
}

// What is wrong with a callback.
var (
	ErrSignature = errors.New("sign: the signature does not match")
	ErrForm      = errors.New("sign: the callback is not of the scheme's form")
	ErrTimestamp = errors.New("sign: the timestamp is not of now")
)

// tolerance is how far a signed timestamp may be from now: a vendor's clock and ours.
const tolerance = 5 * time.Minute

// LookupVerifier finds a verifier by name.
func LookupVerifier(name string) (Verifier, bool) {
	all := verifiers()
	i := slices.IndexFunc(all, func(v Verifier) bool { return v.Name == name })
	if i < 0 {
		return Verifier{}, false
	}
	return all[i], true
}

// VerifierNames lists the schemes for callbacks.
func VerifierNames() []string {
	var out []string
	for _, v := range verifiers() {
		out = append(out, v.Name)
	}
	return out
}

func verifiers() []Verifier {
	return []Verifier{
		// Vendors that sign nothing: the secret in the callback's path is all there is.
		{Name: "none", Verify: unsigned},
		{Name: "hmac-sha256", Required: []string{"key", "header"}, Optional: []string{"prefix", "encoding", "timestamp_header"}, Verify: verifyHMAC},
		{Name: "standard-webhooks", Required: []string{"key"}, Verify: verifyStandard},
		{Name: "hub-sha256", Required: []string{"key"}, Optional: []string{"verify_token"}, Verify: verifyHub},
		{Name: "twilio", Required: []string{"key", "url"}, Verify: verifyTwilio},
		{Name: "wechat", Required: []string{"token", "aes_key", "receiver"}, Verify: verifyWeChat},
		{Name: "sns", Required: []string{"topic"}, Verify: SNS},
		{Name: "feishu-event", Required: []string{"encrypt_key"}, Optional: []string{"token"}, Verify: verifyFeishu},
		{Name: "dingtalk-robot", Required: []string{"key"}, Verify: verifyDingTalk},
		{Name: "secret-header", Required: []string{"key", "header"}, Verify: verifySecret},
	}
}

// unsigned lets GET through as a check of the address: Alibaba's console asks that way.
func unsigned(_ Params, _ World, r *http.Request, body []byte) (Opened, error) {
	return Opened{Body: body, Check: r.Method == http.MethodGet}, nil
}

func verifyHMAC(p Params, w World, r *http.Request, body []byte) (Opened, error) {
	text := string(body)
	if name := p["timestamp_header"]; name != "" {
		ts := r.Header.Get(name)
		if err := fresh(ts, w.Now, tolerance); err != nil {
			return Opened{}, err
		}
		text = ts + "." + text
	}
	if p["key"] == "" {
		return Opened{}, ErrSignature
	}
	want, err := encode(p["encoding"], mac(sha256.New, []byte(p["key"]), text))
	if err != nil {
		return Opened{}, err
	}
	if !equal(r.Header.Get(p["header"]), p["prefix"]+want) {
		return Opened{}, ErrSignature
	}
	return Opened{Body: body}, nil
}

// verifyStandard takes any of the signatures, of which there are several while a key is rotated.
func verifyStandard(p Params, w World, r *http.Request, body []byte) (Opened, error) {
	key, err := webhookKey(p["key"])
	if err != nil {
		return Opened{}, ErrSignature
	}
	id, ts := r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp")
	if err := fresh(ts, w.Now, tolerance); err != nil {
		return Opened{}, err
	}
	if id == "" || strings.Contains(id, ".") {
		return Opened{}, ErrForm
	}
	want := "v1," + base64.StdEncoding.EncodeToString(mac(sha256.New, key, id+"."+ts+"."+string(body)))
	for _, got := range strings.Fields(r.Header.Get("Webhook-Signature")) {
		if equal(got, want) {
			return Opened{Body: body}, nil
		}
	}
	return Opened{}, ErrSignature
}

// fresh refuses a timestamp, in seconds, that is older than the vendor's last repetition, or of the future.
func fresh(unix string, now time.Time, oldest time.Duration) error {
	if len(unix) == 0 || len(unix) > 12 || strings.Trim(unix, "0123456789") != "" {
		return ErrForm
	}
	var n int64
	for _, c := range unix {
		n = n*10 + int64(c-'0')
	}
	if d := now.Sub(time.Unix(n, 0)); d > oldest || d < -tolerance {
		return ErrTimestamp
	}
	return nil
}

// verifyHub is X-Hub-Signature-256 of Meta's webhooks, and their check of the address.
// https://developers.facebook.com/docs/graph-api/webhooks/getting-started
func verifyHub(p Params, _ World, r *http.Request, body []byte) (Opened, error) {
	if r.Method == http.MethodGet {
		q := r.URL.Query()
		if q.Get("hub.mode") != "subscribe" || p["verify_token"] == "" || !equal(q.Get("hub.verify_token"), p["verify_token"]) {
			return Opened{}, ErrSignature
		}
		return Opened{Reply: []byte(q.Get("hub.challenge")), Check: true}, nil
	}
	got, ok := strings.CutPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256=")
	if !ok || p["key"] == "" {
		return Opened{}, ErrSignature
	}
	if !equal(got, hex.EncodeToString(mac(sha256.New, []byte(p["key"]), string(body)))) {
		return Opened{}, ErrSignature
	}
	return Opened{Body: body}, nil
}

// verifyTwilio signs the public URL, which the parameter url gives without the query of this callback,
// because we may stand behind a proxy. https://www.twilio.com/docs/usage/security#validating-requests
// Of a field that is repeated, each value counts once, sorted, as in Twilio's own libraries:
// https://github.com/twilio/twilio-python/blob/main/twilio/request_validator.py
func verifyTwilio(p Params, _ World, r *http.Request, body []byte) (Opened, error) {
	full, err := url.Parse(p["url"])
	if err != nil || full.Host == "" || p["key"] == "" {
		return Opened{}, ErrSignature
	}
	full.RawQuery = r.URL.RawQuery
	var text strings.Builder
	if hash := r.URL.Query().Get("bodySHA256"); hash != "" {
		if !equal(strings.ToLower(hash), hexSum(body)) {
			return Opened{}, ErrSignature
		}
	} else if len(body) > 0 {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return Opened{}, ErrForm
		}
		for _, k := range slices.Sorted(maps.Keys(form)) {
			values := slices.Sorted(slices.Values(form[k]))
			for _, v := range slices.Compact(values) {
				text.WriteString(k + v)
			}
		}
	}
	got := r.Header.Get("X-Twilio-Signature")
	// Twilio signs the URL with or without the default port, and does not say which.
	for _, host := range []string{full.Host, full.Hostname(), full.Hostname() + ":" + defaultPort(full.Scheme)} {
		u := *full
		u.Host = host
		sum := mac(sha1.New, []byte(p["key"]), u.String()+text.String())
		if equal(got, base64.StdEncoding.EncodeToString(sum)) {
			return Opened{Body: body}, nil
		}
	}
	return Opened{}, ErrSignature
}

// dingTalkWindow is how far DingTalk says that a callback's time may be from ours.
const dingTalkWindow = time.Hour

// verifyDingTalk is what DingTalk sends to a robot: the app's secret signs the time, in milliseconds, and nothing
// of the body, which the secret in the callback's path stands for.
// https://open.dingtalk.com/document/isvapp/receive-message
func verifyDingTalk(p Params, w World, r *http.Request, body []byte) (Opened, error) {
	ts := r.Header.Get("timestamp")
	if len(ts) < 4 || strings.Trim(ts, "0123456789") != "" {
		return Opened{}, ErrForm
	}
	if err := fresh(ts[:len(ts)-3], w.Now, dingTalkWindow); err != nil {
		return Opened{}, err
	}
	if p["key"] == "" || !equal(r.Header.Get("sign"), base64.StdEncoding.EncodeToString(mac(sha256.New, []byte(p["key"]), ts+"\n"+p["key"]))) {
		return Opened{}, ErrSignature
	}
	return Opened{Body: body}, nil
}

// verifySecret is for vendors that sign nothing and repeat a word that we gave them, in a header: Telegram.
// https://core.telegram.org/bots/api#setwebhook
func verifySecret(p Params, _ World, r *http.Request, body []byte) (Opened, error) {
	if p["key"] == "" || !equal(r.Header.Get(p["header"]), p["key"]) {
		return Opened{}, ErrSignature
	}
	return Opened{Body: body}, nil
}

func defaultPort(scheme string) string {
	if scheme == "http" {
		return "80"
	}
	return "443"
}

func equal(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
