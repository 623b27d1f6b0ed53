package sign

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Params are a scheme's parameters by name: keys, names of services. They hold secrets.
type Params map[string]string

// Moment is what makes a signature one of its own.
type Moment struct {
	Now   time.Time
	Nonce string // 16 random bytes in hex
}

// Scheme signs requests. It has one of Values and Apply.
type Scheme struct {
	Name               string
	Required, Optional []string // names of its parameters
	// Yields names what Values gives.
	Yields []string
	// Values makes values that the request carries in its body or URL, for vendors that want them there.
	// Without a key it makes none: the bot does not ask for a signature.
	Values func(p Params, m Moment) map[string]string
	// Apply signs a request that is otherwise complete, by setting headers.
	Apply func(p Params, m Moment, r *http.Request, body []byte) error
}

// Lookup finds a scheme by name.
func Lookup(name string) (Scheme, bool) {
	all := schemes()
	i := slices.IndexFunc(all, func(s Scheme) bool { return s.Name == name })
	if i < 0 {
		return Scheme{}, false
	}
	return all[i], true
}

// Names lists the schemes for requests.
func Names() []string {
	var out []string
	for _, s := range schemes() {
		out = append(out, s.Name)
	}
	return out
}

func schemes() []Scheme {
	return []Scheme{
		{Name: "bearer", Required: []string{"token"}, Apply: bearer},
		{Name: "basic", Required: []string{"user"}, Optional: []string{"password"}, Apply: basic},
		{Name: "hmac-sha256", Required: []string{"key", "header"}, Optional: []string{"prefix", "encoding", "timestamp_header"}, Apply: hmacHeader},
		{Name: "standard-webhooks", Required: []string{"key", "id"}, Apply: standardWebhooks},
		{Name: "tc3", Required: []string{"id", "key", "service"}, Optional: []string{"headers"}, Apply: tc3},
		{Name: "acs3", Required: []string{"id", "key"}, Optional: []string{"token"}, Apply: acs3},
		{Name: "sigv4", Required: []string{"id", "key", "region", "service"}, Optional: []string{"token"}, Apply: sigv4},
		{Name: "feishu-bot", Required: []string{"key"}, Yields: []string{"timestamp", "sign"}, Values: feishuBot},
		{Name: "dingtalk-robot", Required: []string{"key"}, Yields: []string{"timestamp", "sign"}, Values: dingTalkRobot},
		{Name: "getui", Required: []string{"id", "key"}, Yields: []string{"timestamp", "sign"}, Values: getui},
	}
}

func bearer(p Params, _ Moment, r *http.Request, _ []byte) error {
	r.Header.Set("Authorization", "Bearer "+p["token"])
	return nil
}

func basic(p Params, _ Moment, r *http.Request, _ []byte) error {
	if strings.Contains(p["user"], ":") {
		return errors.New("a user name for basic authentication has no colon")
	}
	r.SetBasicAuth(p["user"], p["password"])
	return nil
}

// hmacHeader signs the body, or "timestamp.body" where a header for the timestamp is named.
func hmacHeader(p Params, m Moment, r *http.Request, body []byte) error {
	text := body
	if name := p["timestamp_header"]; name != "" {
		ts := strconv.FormatInt(m.Now.Unix(), 10)
		r.Header.Set(name, ts)
		text = append([]byte(ts+"."), body...)
	}
	encoded, err := encode(p["encoding"], mac(sha256.New, []byte(p["key"]), string(text)))
	if err != nil {
		return err
	}
	r.Header.Set(p["header"], p["prefix"]+encoded)
	return nil
}

// standardWebhooks signs id.timestamp.body.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func standardWebhooks(p Params, m Moment, r *http.Request, body []byte) error {
	key, err := webhookKey(p["key"])
	if err != nil {
		return err
	}
	ts := strconv.FormatInt(m.Now.Unix(), 10)
	r.Header.Set("Webhook-Id", p["id"])
	r.Header.Set("Webhook-Timestamp", ts)
	r.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac(sha256.New, key, p["id"]+"."+ts+"."+string(body))))
	return nil
}

func webhookKey(secret string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errors.New("the key is not whsec_ and 24 to 64 bytes in base64")
	}
	return key, nil
}

func encode(encoding string, sum []byte) (string, error) {
	switch encoding {
	case "", "hex":
		return hex.EncodeToString(sum), nil
	case "base64":
		return base64.StdEncoding.EncodeToString(sum), nil
	}
	return "", fmt.Errorf("encoding is hex or base64, not %q", encoding)
}

func mac(h func() hash.Hash, key []byte, text string) []byte {
	w := hmac.New(h, key)
	w.Write([]byte(text))
	return w.Sum(nil)
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
