package sign_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/provider/sign"
)

func apply(t *testing.T, scheme string, p sign.Params, m sign.Moment, method, url, body string, header ...string) http.Header {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	s, ok := sign.Lookup(scheme)
	if !ok {
		t.Fatalf("no scheme %s", scheme)
	}
	if err := s.Apply(p, m, r, []byte(body)); err != nil {
		t.Fatal(err)
	}
	return r.Header
}

// TestTC3 holds the vectors of https://www.tencentcloud.com/document/product/845/32207 and of
// https://github.com/TencentCloud/signature-process-demo
func TestTC3(t *testing.T) {
	t.Parallel()
	m := sign.Moment{Now: time.Unix(1551113065, 0)}
	const id = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
	const body = `{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`
	for _, c := range []struct{ key, headers, signed, want string }{
		{"Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", "", "content-type;host", "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"},
		{strings.Repeat("*", 32), "x-tc-action", "content-type;host;x-tc-action", "10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f"},
	} {
		p := sign.Params{"id": id, "key": c.key, "service": "cvm", "headers": c.headers}
		h := apply(t, "tc3", p, m, "POST", "https://cvm.tencentcloudapi.com/", body,
			"Content-Type", "application/json; charset=utf-8", "X-TC-Action", "DescribeInstances")
		want := "TC3-HMAC-SHA256 Credential=" + id + "/2019-02-25/cvm/tc3_request, SignedHeaders=" + c.signed + ", Signature=" + c.want
		if got := h.Get("Authorization"); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
		if got := h.Get("X-TC-Timestamp"); got != "1551113065" {
			t.Errorf("timestamp %s", got)
		}
	}
}

// TestACS3 holds the vector of https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature
func TestACS3(t *testing.T) {
	t.Parallel()
	m := sign.Moment{Now: time.Date(2023, 10, 26, 10, 22, 32, 0, time.UTC), Nonce: "3156853299f313e23d1673dc12e1703d"}
	h := apply(t, "acs3", sign.Params{"id": "YourAccessKeyId", "key": "YourAccessKeySecret"}, m, "POST",
		"https://ecs.cn-shanghai.aliyuncs.com/?RegionId=cn-shanghai&ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", "",
		"X-Acs-Action", "RunInstances", "X-Acs-Version", "2014-05-26")
	want := "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version," +
		"Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
	if got := h.Get("Authorization"); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// TestSigV4 holds vectors of https://github.com/boto/botocore/tree/develop/tests/unit/auth/aws4_testsuite
func TestSigV4(t *testing.T) {
	t.Parallel()
	m := sign.Moment{Now: time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)}
	p := sign.Params{"id": "AKIDEXAMPLE", "key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "region": "us-east-1", "service": "service"}
	for name, c := range map[string]struct {
		method, url, signed, want string
	}{
		"get-vanilla":                      {"GET", "https://example.amazonaws.com", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		"post-vanilla":                     {"POST", "https://example.amazonaws.com/", "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		"get-vanilla-query-order-key-case": {"GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", "host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
	} {
		want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=" + c.signed + ", Signature=" + c.want
		if got := apply(t, "sigv4", p, m, c.method, c.url, "").Get("Authorization"); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

// TestBots: the vendors publish the formula; the results were computed with it by other programs.
func TestBots(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		scheme, key string
		now         time.Time
		want        map[string]string
	}{
		{"feishu-bot", "lark-test-secret", time.Unix(1757900000, 0), map[string]string{"timestamp": "1757900000", "sign": "rWW3ygiAdSmKEIysYTVjbdbv4Xnqjn35pAGLgGJZsNg="}},
		{"feishu-bot", "this is secret", time.Unix(1599360473, 0), map[string]string{"timestamp": "1599360473", "sign": "/eYKrXQBzTjUZJ3s6NX16VxGbTwmK7AEs8/FnvC1CSw="}},
		{"feishu-bot", "", time.Unix(1, 0), nil},
		{"dingtalk-robot", "this is secret", time.UnixMilli(1577262236757), map[string]string{"timestamp": "1577262236757", "sign": "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM="}},
		{"dingtalk-robot", "", time.Unix(1, 0), nil},
		{"getui", "ms", time.UnixMilli(1608172111917), map[string]string{"timestamp": "1608172111917", "sign": "4612c4859e5276c70846f66abc6c2d49fc5b7417910a63caac8dc042f5e5f46c"}},
	} {
		s, _ := sign.Lookup(c.scheme)
		got := s.Values(sign.Params{"key": c.key, "id": "ak"}, sign.Moment{Now: c.now})
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.scheme, diff)
		}
		for k := range got {
			if !strings.Contains(strings.Join(s.Yields, " "), k) {
				t.Errorf("%s does not say that it yields %s", c.scheme, k)
			}
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	m := sign.Moment{Now: time.Unix(1700000000, 0)}
	for name, c := range map[string]struct {
		scheme, header, want string
		p                    sign.Params
	}{
		"bearer": {"bearer", "Authorization", "Bearer mF_9.B5f-4.1JqM", sign.Params{"token": "mF_9.B5f-4.1JqM"}}, // RFC 6750
		"basic":  {"basic", "Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", sign.Params{"user": "Aladdin", "password": "open sesame"}},
		"hmac": {"hmac-sha256", "X-Sig", "sha256=0329a06b62cd16b33eb6792be8c60b158d89a2ee3a876fce9a881ebb488c0914",
			sign.Params{"key": "secret", "header": "X-Sig", "prefix": "sha256="}},
		"base64": {"hmac-sha256", "X-Sig", b64hex(t, "0329a06b62cd16b33eb6792be8c60b158d89a2ee3a876fce9a881ebb488c0914"),
			sign.Params{"key": "secret", "header": "X-Sig", "encoding": "base64"}},
	} {
		if got := apply(t, c.scheme, c.p, m, "POST", "https://x.example/", "test").Get(c.header); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	h := apply(t, "hmac-sha256", sign.Params{"key": "k", "header": "X-Sig", "timestamp_header": "X-Ts"}, m, "POST", "https://x.example/", "b")
	if h.Get("X-Ts") != "1700000000" || h.Get("X-Sig") == "" {
		t.Errorf("%v", h)
	}
	standard := sign.Params{"key": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "id": "msg_p5jXN8AQM9LWM0D4loKWxJek"}
	h = apply(t, "standard-webhooks", standard, sign.Moment{Now: time.Unix(1614265330, 0)}, "POST", "https://x.example/", `{"test": 2432232314}`)
	if got := h.Get("Webhook-Signature"); got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("standard-webhooks: %s", got)
	}
	s, _ := sign.Lookup("basic")
	r, _ := http.NewRequestWithContext(t.Context(), "GET", "https://x.example/", nil)
	if err := s.Apply(sign.Params{"user": "a:b"}, m, r, nil); err == nil {
		t.Error("a colon in the user name was taken")
	}
}

func b64hex(t *testing.T, text string) string {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(data)
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, name := range sign.Names() {
		s, ok := sign.Lookup(name)
		if !ok || (s.Values == nil) == (s.Apply == nil) || (s.Values == nil) != (len(s.Yields) == 0) {
			t.Errorf("%s: found %v, and it has not one of Values and Apply", name, ok)
		}
	}
	if _, ok := sign.Lookup("md5"); ok {
		t.Error("found a scheme that does not exist")
	}
}

func pemOf(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func TestJWT(t *testing.T) {
	t.Parallel()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for alg, text := range map[string]string{"ES256": pemOf(t, ec), "RS256": pemOf(t, rs)} {
		key, err := sign.ParseJWTKey(alg, text)
		if err != nil {
			t.Fatal(err)
		}
		token, err := key.Sign(map[string]any{"kid": "K1"}, map[string]any{"iss": "T", "iat": 1700000000})
		if err != nil {
			t.Fatal(err)
		}
		again, _ := key.Sign(map[string]any{"kid": "K1"}, map[string]any{"iss": "T", "iat": 1700000000})
		parts := strings.Split(token, ".")
		if len(parts) != 3 || token != again {
			t.Fatalf("%s: %s then %s", alg, token, again)
		}
		head, _ := base64.RawURLEncoding.DecodeString(parts[0])
		var h map[string]string
		if err := json.Unmarshal(head, &h); err != nil || h["alg"] != alg || h["kid"] != "K1" || h["typ"] != "JWT" {
			t.Errorf("%s: %s", alg, head)
		}
		sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		sig, _ := base64.RawURLEncoding.DecodeString(parts[2])
		ok := false
		if alg == "ES256" {
			ok = len(sig) == 64 && ecdsa.Verify(&ec.PublicKey, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
		} else {
			ok = rsa.VerifyPKCS1v15(&rs.PublicKey, crypto.SHA256, sum[:], sig) == nil
		}
		if !ok {
			t.Errorf("%s: the signature is not valid", alg)
		}
	}
	if _, err := sign.ParseJWTKey("ES256", strings.ReplaceAll(pemOf(t, ec), "\n", `\n`)); err != nil {
		t.Errorf("as it stands in a JSON file: %v", err)
	}
	for name, c := range map[string][2]string{"not PEM": {"RS256", "canary"}, "other kind": {"RS256", pemOf(t, ec)}, "other alg": {"HS256", pemOf(t, rs)}} {
		if _, err := sign.ParseJWTKey(c[0], c[1]); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (sign.JWTKey{}).Sign(nil, nil); err == nil {
		t.Error("signed without a key")
	}
}
