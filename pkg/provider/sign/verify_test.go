package sign_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/provider/sign"
)

// callback is a genuine one.
type callback struct {
	scheme string
	params sign.Params
	now    time.Time
	method string
	url    string
	header http.Header
	body   string
	world  sign.World // what else than the time
	want   string     // body, or the reply to a check
	check  bool
}

func (c callback) verify(t testing.TB) (sign.Opened, error) {
	t.Helper()
	method := c.method
	if method == "" {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(t.Context(), method, c.url, nil)
	if err != nil {
		return sign.Opened{}, err
	}
	r.Header = c.header.Clone()
	w := c.world
	w.Now = c.now
	v, ok := sign.LookupVerifier(c.scheme)
	if !ok {
		t.Fatalf("no verifier %s", c.scheme)
	}
	return v.Verify(c.params, w, r, []byte(c.body))
}

const (
	weChatEncrypt     = "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
	weComEncrypt      = "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q=="
	weComEcho         = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
	weComPlain        = "<xml><ToUserName><![CDATA[wx5823bf96d3bd56c7]]></ToUserName>\n<FromUserName><![CDATA[mycreate]]></FromUserName>\n<CreateTime>1409659813</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n<Content><![CDATA[hello]]></Content>\n<MsgId>4561255354251345929</MsgId>\n<AgentID>218</AgentID>\n</xml>"
	weChatPlain       = `{"ToUserName":"gh_97417a04a28d","FromUserName":"o9AgO5Kd5ggOC-bXrbNODIiE3bGY","CreateTime":1714112445,"MsgType":"event","Event":"debug_demo","debug_str":"hello world"}`
	twilioForm        = "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"
	twilioRepeated    = "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234"
	standardSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	twilioURL         = "https://mycompany.com/myapp.php"
)

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

func genuine() map[string]callback {
	twilio := sign.Params{"key": "12345", "url": twilioURL}
	weChat := sign.Params{"token": "AAAAA", "aes_key": strings.Repeat("A", 43), "receiver": "wxba5fad812f8e6fb9"}
	weCom := sign.Params{"token": "QDG6eK", "aes_key": "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "receiver": "wx5823bf96d3bd56c7"}
	hub := sign.Params{"key": "secret", "verify_token": "mine"}
	return map[string]callback{
		// https://github.com/twilio/twilio-go/blob/main/client/request_validator_test.go
		"twilio form": {scheme: "twilio", params: twilio, url: "/callback?foo=1&bar=2", body: twilioForm, want: twilioForm,
			header: headers("X-Twilio-Signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8=")},
		"twilio form of more": {scheme: "twilio", params: twilio, url: "/callback?foo=1&bar=2", body: twilioForm + "&Reason=Participant&ReasonConferenceEnded=test",
			want: twilioForm + "&Reason=Participant&ReasonConferenceEnded=test", header: headers("X-Twilio-Signature", "vOEb5UThFn24KEfnOFLQY2AE5FY=")},
		"twilio JSON": {scheme: "twilio", params: twilio, url: "/callback?foo=1&bar=2&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620",
			body: `{"property": "value", "boolean": true}`, want: `{"property": "value", "boolean": true}`,
			header: headers("X-Twilio-Signature", "a9nBmqA0ju/hNViExpshrM61xv4=")},
		// https://github.com/twilio/twilio-python/blob/main/tests/unit/test_request_validator.py
		"twilio repeated": {scheme: "twilio", params: twilio, url: "/callback?foo=1&bar=2", body: twilioRepeated, want: twilioRepeated,
			header: headers("X-Twilio-Signature", "IK+Dwps556ElfBT0I3Rgjkr1wJU=")},
		// https://developers.facebook.com/docs/graph-api/webhooks/getting-started gives the formula only.
		"hub": {scheme: "hub-sha256", params: hub, url: "/", body: "test", want: "test",
			header: headers("X-Hub-Signature-256", "sha256=0329a06b62cd16b33eb6792be8c60b158d89a2ee3a876fce9a881ebb488c0914")},
		// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
		"hub of GitHub": {scheme: "hub-sha256", params: sign.Params{"key": "It's a Secret to Everybody"}, url: "/", body: "Hello, World!", want: "Hello, World!",
			header: headers("X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")},
		"hub check": {scheme: "hub-sha256", params: hub, method: "GET", url: "/?hub.mode=subscribe&hub.verify_token=mine&hub.challenge=1158201444",
			want: "1158201444", check: true},
		"hmac": {scheme: "hmac-sha256", params: sign.Params{"key": "secret", "header": "X-Sig"}, url: "/", body: "test", want: "test",
			header: headers("X-Sig", "0329a06b62cd16b33eb6792be8c60b158d89a2ee3a876fce9a881ebb488c0914")},
		// https://www.rfc-editor.org/rfc/rfc4231#section-4.3
		"hmac of RFC 4231": {scheme: "hmac-sha256", params: sign.Params{"key": "Jefe", "header": "X-Sig"}, url: "/", body: "what do ya want for nothing?", want: "what do ya want for nothing?",
			header: headers("X-Sig", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")},
		"hmac of a time": {scheme: "hmac-sha256", params: sign.Params{"key": "k", "header": "X-Sig", "timestamp_header": "X-Ts"}, now: time.Unix(1700000000, 0), url: "/",
			body: `{"a":1}`, want: `{"a":1}`, header: headers("X-Ts", "1700000000", "X-Sig", "1b6ad1bc9bf48c52ce01939866d5877c6cc4e87ddad27e16673cb8c4964394a3")},
		// https://github.com/standard-webhooks/standard-webhooks/tree/main/libraries
		"standard": {scheme: "standard-webhooks", params: sign.Params{"key": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, now: time.Unix(1614265330, 0),
			url: "/", body: `{"test": 2432232314}`, want: `{"test": 2432232314}`, header: headers("Webhook-Id", "msg_p5jXN8AQM9LWM0D4loKWxJek",
				"Webhook-Timestamp", "1614265330", "Webhook-Signature", standardSignature)},
		// https://developers.weixin.qq.com/doc/oplatform/developers/dev/push/encryption.html
		"wechat": {scheme: "wechat", params: weChat, now: time.Unix(1714112445, 0), url: "/?timestamp=1714112445&nonce=415670741&msg_signature=046e02f8204d34f8ba5fa3b1db94908f3df2e9b3",
			body: `{"ToUserName":"gh_97417a04a28d","Encrypt":"` + weChatEncrypt + `"}`, want: weChatPlain},
		"wechat XML": {scheme: "wechat", params: weChat, now: time.Unix(1714112445, 0), url: "/?timestamp=1714112445&nonce=415670741&msg_signature=046e02f8204d34f8ba5fa3b1db94908f3df2e9b3",
			body: "<xml><ToUserName>x</ToUserName><Encrypt><![CDATA[" + weChatEncrypt + "]]></Encrypt></xml>", want: weChatPlain},
		"wechat check": {scheme: "wechat", params: weChat, now: time.Unix(1714036504, 0), method: "GET", url: "/?timestamp=1714036504&nonce=1514711492&signature=f464b24fc39322e44b38aa78f5edd27bd1441696&echostr=4375120948345356249",
			want: "4375120948345356249", check: true},
		"wecom check": {scheme: "wechat", params: weChat, now: time.Unix(1714112445, 0), method: "GET", url: "/?timestamp=1714112445&nonce=415670741&msg_signature=046e02f8204d34f8ba5fa3b1db94908f3df2e9b3&echostr=" + url.QueryEscape(weChatEncrypt),
			want: weChatPlain, check: true},
		// The sample of WeCom's own libraries: https://developer.work.weixin.qq.com/document/path/90307
		"wecom": {scheme: "wechat", params: weCom, now: time.Unix(1409659813, 0), url: "/?msg_signature=477715d11cdb4164915debcba66cb864d751f3e6&timestamp=1409659813&nonce=1372623149",
			body: "<xml><ToUserName><![CDATA[wx5823bf96d3bd56c7]]></ToUserName><Encrypt><![CDATA[" + weComEncrypt + "]]></Encrypt><AgentID><![CDATA[218]]></AgentID></xml>", want: weComPlain},
		"wecom check of its own": {scheme: "wechat", params: weCom, now: time.Unix(1409659589, 0), method: "GET", url: "/?msg_signature=5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3&timestamp=1409659589&nonce=263014780&echostr=" + url.QueryEscape(weComEcho),
			want: "1616140317555161061", check: true},
		// The encrypted text of https://open.feishu.cn/document/server-docs/event-subscription-guide/event-subscription-configure-/encrypt-key-encryption-configuration-case
		"feishu encrypted": {scheme: "feishu-event", now: time.Unix(1700000000, 0), params: sign.Params{"encrypt_key": "test key"}, url: "/", body: `{"encrypt":"P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="}`, want: "hello world",
			header: headers("X-Lark-Request-Timestamp", "1700000000", "X-Lark-Request-Nonce", "nonce123",
				"X-Lark-Signature", "669e3ed5328644f71370e3249f96af0fd17e5ed4d7b178c44f11f7997339e344")},
		// The formula of https://github.com/larksuite/oapi-sdk-go, with values of our own.
		"feishu": {scheme: "feishu-event", now: time.Unix(1700000000, 0), params: sign.Params{"encrypt_key": "encKey", "token": "v"}, url: "/", body: `{"a":1}`, want: `{"a":1}`,
			header: headers("X-Lark-Request-Timestamp", "1700000000", "X-Lark-Request-Nonce", "nonce123",
				"X-Lark-Signature", "ff38ac89831e7d3d85942286c2bea39a0b0b4b04bb76b1144b7f39b66b2ee522")},
		"feishu, a nonce of digits": {scheme: "feishu-event", now: time.Unix(1700000000, 0), params: sign.Params{"encrypt_key": "encKey"}, url: "/", body: `{"a":1}`, want: `{"a":1}`,
			header: headers("X-Lark-Request-Timestamp", "1700000000", "X-Lark-Request-Nonce", "1234567890",
				"X-Lark-Signature", "8488d19793bc83800caba647c4a5db1b577608e22b2de24ee703e6c933c0f2a0")},
		// The formula of https://open.dingtalk.com/document/isvapp/receive-message, with its time and a secret of our own.
		"dingtalk robot": {scheme: "dingtalk-robot", params: sign.Params{"key": "app-secret"}, now: time.Unix(1577262236, 0), url: "/", body: `{"msgtype":"text"}`, want: `{"msgtype":"text"}`,
			header: headers("Timestamp", "1577262236757", "Sign", "rLZRTqWvllUe8uK6XONCAgjLBnxKdoau81lBT/zH0co=")},
		"secret": {scheme: "secret-header", params: sign.Params{"key": "a-Word_1", "header": "X-Telegram-Bot-Api-Secret-Token"}, url: "/", body: `{"update_id":1}`, want: `{"update_id":1}`,
			header: headers("X-Telegram-Bot-Api-Secret-Token", "a-Word_1")},
		"sns 1": of(snsCallback(newAmazon().says("1")), "Hello \"world\"!\nline"),
		"sns 2": of(snsCallback(newAmazon().says("2")), "Hello \"world\"!\nline"),
		"feishu check": {scheme: "feishu-event", params: sign.Params{"encrypt_key": "encKey", "token": "v"}, url: "/",
			body: `{"type":"url_verification","token":"v","challenge":"c1"}`, want: `{"challenge":"c1"}`, check: true},
	}
}

func of(c callback, want string) callback {
	c.want = want
	return c
}

func TestGenuine(t *testing.T) {
	t.Parallel()
	for name, c := range genuine() {
		got, err := c.verify(t)
		have := string(got.Body)
		if got.Check {
			have = string(got.Reply)
		}
		if err != nil || have != c.want || got.Check != c.check {
			t.Errorf("%s: %q check %v, %v", name, have, got.Check, err)
		}
	}
}

func TestForged(t *testing.T) {
	t.Parallel()
	for name, c := range genuine() {
		other := c
		other.params = sign.Params{}
		for k, v := range c.params {
			other.params[k] = v
		}
		for _, k := range []string{"key", "token", "encrypt_key", "verify_token", "topic"} {
			for _, v := range []string{"", "other"} {
				if _, has := c.params[k]; has {
					other.params[k] = v
				}
			}
		}
		if got, err := other.verify(t); err == nil {
			t.Errorf("%s: taken with other secrets: %+v", name, got)
		}
		bare := c
		bare.header, bare.url = nil, "/"
		if c.scheme == "sns" { // which signs in the body
			bare.body = strings.Replace(c.body, `"Signature"`, `"Signatur"`, 1)
		}
		if got, err := bare.verify(t); err == nil && !got.Check {
			t.Errorf("%s: taken without a signature", name)
		}
	}
	c := genuine()["wechat"]
	c.params = sign.Params{"token": "AAAAA", "aes_key": strings.Repeat("A", 43), "receiver": "other"}
	if _, err := c.verify(t); !errors.Is(err, sign.ErrForm) {
		t.Errorf("another receiver: %v", err)
	}
}

func TestTimestamp(t *testing.T) {
	t.Parallel()
	now := time.Unix(1700000000, 0)
	p := sign.Params{"key": "k", "header": "X-Sig", "timestamp_header": "X-Ts"}
	h := apply(t, "hmac-sha256", p, sign.Moment{Now: now}, "POST", "https://x.example/", "b")
	header := headers("X-Sig", h.Get("X-Sig"), "X-Ts", h.Get("X-Ts"))
	for name, c := range map[string]struct {
		now  time.Time
		want error
	}{
		"at once":             {now, nil},
		"five minutes":        {now.Add(5 * time.Minute), nil},
		"replayed":            {now.Add(301 * time.Second), sign.ErrTimestamp},
		"from the future":     {now.Add(-301 * time.Second), sign.ErrTimestamp},
		"long after an epoch": {time.Unix(9e10, 0), sign.ErrTimestamp},
	} {
		got := callback{scheme: "hmac-sha256", params: p, now: c.now, url: "/", header: header, body: "b"}
		if _, err := got.verify(t); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, ts := range []string{"", "x", "-1", "9999999999999"} {
		c := callback{scheme: "hmac-sha256", params: p, now: now, url: "/", header: headers("X-Ts", ts, "X-Sig", h.Get("X-Sig")), body: "b"}
		if _, err := c.verify(t); !errors.Is(err, sign.ErrForm) {
			t.Errorf("timestamp %q: %v", ts, err)
		}
	}
}

// TestReplayed takes a callback as late as its vendor may repeat it, and no later.
func TestReplayed(t *testing.T) {
	t.Parallel()
	for name, oldest := range map[string]time.Duration{
		"standard": 5 * time.Minute, "hmac of a time": 5 * time.Minute, "wechat": 5 * time.Minute, "wechat check": 5 * time.Minute,
		"feishu": 7*time.Hour + 10*time.Minute + 15*time.Second,
	} {
		c := genuine()[name]
		sent := c.now
		for _, x := range []struct {
			now  time.Time
			want error
		}{
			{sent.Add(oldest), nil}, {sent.Add(oldest + time.Second), sign.ErrTimestamp},
			{sent.Add(-5 * time.Minute), nil}, {sent.Add(-5*time.Minute - time.Second), sign.ErrTimestamp},
		} {
			c.now = x.now
			if _, err := c.verify(t); !errors.Is(err, x.want) {
				t.Errorf("%s, %s later: %v", name, x.now.Sub(sent), err)
			}
		}
	}
}

func FuzzWeChat(f *testing.F) {
	f.Add(weChatEncrypt, "1", "2")
	f.Fuzz(func(t *testing.T, encrypt, ts, nonce string) {
		c := genuine()["wechat"]
		c.url = "/?timestamp=" + url.QueryEscape(ts) + "&nonce=" + url.QueryEscape(nonce) + "&msg_signature=046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"
		c.body = encrypt
		if got, err := c.verify(t); err == nil && ts+nonce != "1714112445"+"415670741" {
			t.Errorf("taken: %q", got.Body)
		}
	})
}

func TestVerifierNames(t *testing.T) {
	t.Parallel()
	for _, name := range sign.VerifierNames() {
		if _, ok := sign.LookupVerifier(name); !ok {
			t.Errorf("%s is listed but not found", name)
		}
	}
}
