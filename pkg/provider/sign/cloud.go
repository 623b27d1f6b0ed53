package sign

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// tc3 is Tencent Cloud's TC3-HMAC-SHA256. It signs content-type and host, and what the parameter headers
// names besides, parted by ";". https://www.tencentcloud.com/document/product/845/32207
func tc3(p Params, m Moment, r *http.Request, body []byte) error {
	now := m.Now.UTC()
	ts, date := strconv.FormatInt(now.Unix(), 10), now.Format("2006-01-02")
	names := []string{"content-type", "host"}
	if p["headers"] != "" {
		names = append(names, strings.Split(strings.ToLower(p["headers"]), ";")...)
	}
	slices.Sort(names)
	r.Header.Set("X-Tc-Timestamp", ts)
	var head strings.Builder
	for _, name := range names {
		v := headerValue(r, name)
		if name != "content-type" {
			v = strings.ToLower(v)
		}
		head.WriteString(name + ":" + v + "\n")
	}
	signed := strings.Join(names, ";")
	canonical := r.Method + "\n/\n" + r.URL.RawQuery + "\n" + head.String() + "\n" + signed + "\n" + hexSum(body)
	scope := date + "/" + p["service"] + "/tc3_request"
	text := "TC3-HMAC-SHA256\n" + ts + "\n" + scope + "\n" + hexSum([]byte(canonical))
	signature := hex.EncodeToString(mac(sha256.New, chain("TC3"+p["key"], date, p["service"], "tc3_request"), text))
	r.Header.Set("Authorization", "TC3-HMAC-SHA256 Credential="+p["id"]+"/"+scope+", SignedHeaders="+signed+", Signature="+signature)
	return nil
}

// acs3 is Alibaba Cloud's ACS3-HMAC-SHA256, over host, content-type and every x-acs-*.
// https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature
func acs3(p Params, m Moment, r *http.Request, body []byte) error {
	r.Header.Set("X-Acs-Date", m.Now.UTC().Format("2006-01-02T15:04:05Z"))
	r.Header.Set("X-Acs-Signature-Nonce", m.Nonce)
	r.Header.Set("X-Acs-Content-Sha256", hexSum(body))
	if p["token"] != "" {
		r.Header.Set("X-Acs-Security-Token", p["token"])
	}
	head, signed := canonicalHeaders(r, "x-acs-")
	canonical := r.Method + "\n" + path(r.URL) + "\n" + Query(r.URL.Query()) + "\n" + head + "\n" + signed + "\n" + hexSum(body)
	text := "ACS3-HMAC-SHA256\n" + hexSum([]byte(canonical))
	signature := hex.EncodeToString(mac(sha256.New, []byte(p["key"]), text))
	r.Header.Set("Authorization", "ACS3-HMAC-SHA256 Credential="+p["id"]+",SignedHeaders="+signed+",Signature="+signature)
	return nil
}

// sigv4 is AWS Signature Version 4, over host, content-type and every x-amz-*.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func sigv4(p Params, m Moment, r *http.Request, body []byte) error {
	now := m.Now.UTC()
	stamp, date := now.Format("20060102T150405Z"), now.Format("20060102")
	r.Header.Set("X-Amz-Date", stamp)
	if p["token"] != "" {
		r.Header.Set("X-Amz-Security-Token", p["token"])
	}
	head, signed := canonicalHeaders(r, "x-amz-")
	canonical := r.Method + "\n" + path(r.URL) + "\n" + Query(r.URL.Query()) + "\n" + head + "\n" + signed + "\n" + hexSum(body)
	scope := date + "/" + p["region"] + "/" + p["service"] + "/aws4_request"
	text := "AWS4-HMAC-SHA256\n" + stamp + "\n" + scope + "\n" + hexSum([]byte(canonical))
	key := chain("AWS4"+p["key"], date, p["region"], p["service"], "aws4_request")
	signature := hex.EncodeToString(mac(sha256.New, key, text))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+p["id"]+"/"+scope+", SignedHeaders="+signed+", Signature="+signature)
	return nil
}

// chain derives a key: each word is signed with the key before.
func chain(key string, words ...string) []byte {
	out := []byte(key)
	for _, w := range words {
		out = mac(sha256.New, out, w)
	}
	return out
}

func canonicalHeaders(r *http.Request, prefix string) (head, signed string) {
	names := []string{"host"}
	for name := range r.Header {
		if name = strings.ToLower(name); name == "content-type" || strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		b.WriteString(name + ":" + headerValue(r, name) + "\n")
	}
	return b.String(), strings.Join(names, ";")
}

func headerValue(r *http.Request, name string) string {
	if name == "host" {
		if r.Host != "" {
			return r.Host
		}
		return r.URL.Host
	}
	return strings.Join(strings.Fields(r.Header.Get(name)), " ")
}

func path(u *url.URL) string {
	if p := u.EscapedPath(); p != "" {
		return p
	}
	return "/"
}

// Query writes parameters sorted and with RFC 3986's escapes: a blank is %20, which forms also read.
func Query(v url.Values) string { return strings.ReplaceAll(v.Encode(), "+", "%20") }
