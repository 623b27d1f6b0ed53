package sign

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
	"time"
)

// verifyWeChat is the secure mode of WeChat and WeCom: msg_signature over the encrypted message, and
// AES-256-CBC. The plain mode is not taken: its signature does not cover the body. Both ask again within
// seconds, three times at most, so an old timestamp is a replay.
// https://developer.work.weixin.qq.com/document/path/90968
func verifyWeChat(p Params, w World, r *http.Request, body []byte) (Opened, error) {
	q := r.URL.Query()
	ts, nonce := q.Get("timestamp"), q.Get("nonce")
	if nonce == "" || p["token"] == "" {
		return Opened{}, ErrSignature
	}
	if err := fresh(ts, w.Now, tolerance); err != nil {
		return Opened{}, err
	}
	if r.Method == http.MethodGet {
		echo := q.Get("echostr")
		if got := q.Get("msg_signature"); got == "" { // WeChat checks in the clear, WeCom does not
			if !equal(q.Get("signature"), weChatSum(p["token"], ts, nonce)) {
				return Opened{}, ErrSignature
			}
			return Opened{Reply: []byte(echo), Check: true}, nil
		}
		plain, err := openWeChat(p, ts, nonce, q.Get("msg_signature"), echo)
		return Opened{Reply: plain, Check: true}, err
	}
	var envelope struct {
		Encrypt string `xml:"Encrypt" json:"Encrypt"`
	}
	var err error
	if strings.HasPrefix(strings.TrimSpace(string(body)), "{") {
		err = json.Unmarshal(body, &envelope)
	} else {
		err = xml.Unmarshal(body, &envelope)
	}
	if err != nil || envelope.Encrypt == "" {
		return Opened{}, ErrForm
	}
	plain, err := openWeChat(p, ts, nonce, q.Get("msg_signature"), envelope.Encrypt)
	return Opened{Body: plain}, err
}

func weChatSum(words ...string) string {
	slices.Sort(words)
	sum := sha1.Sum([]byte(strings.Join(words, "")))
	return hex.EncodeToString(sum[:])
}

// openWeChat decrypts 16 random bytes, the message's length, the message, and the receiver's id.
func openWeChat(p Params, ts, nonce, signature, encrypted string) ([]byte, error) {
	if !equal(signature, weChatSum(p["token"], ts, nonce, encrypted)) {
		return nil, ErrSignature
	}
	// The last character of the key carries bits that no strict decoder takes.
	key, err := base64.StdEncoding.DecodeString(p["aes_key"] + "=")
	if err != nil || len(key) != 32 {
		return nil, ErrSignature
	}
	data, err := base64.StdEncoding.DecodeString(encrypted)
	if err != nil {
		return nil, ErrForm
	}
	plain, err := openCBC(key, key[:aes.BlockSize], data, 32)
	if err != nil || len(plain) < 20 {
		return nil, ErrForm
	}
	n := int64(binary.BigEndian.Uint32(plain[16:20]))
	rest := plain[20:]
	if n > int64(len(rest)) || !equal(string(rest[n:]), p["receiver"]) {
		return nil, ErrForm
	}
	return rest[:n], nil
}

// openCBC decrypts in place and takes off the padding, which is of 1 to most bytes.
func openCBC(key, iv, data []byte, most int) ([]byte, error) {
	if len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, ErrForm
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, ErrForm
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(data, data)
	pad := int(data[len(data)-1])
	if pad < 1 || pad > most || pad > len(data) {
		return nil, ErrForm
	}
	return data[:len(data)-pad], nil
}

// feishuRepeats is how long Feishu repeats an event that was not taken: after 15 s, 5 min, 1 h and 6 h. Whether
// a repetition has a new timestamp is UNCONFIRMED, so one as old as the last of them is taken.
// https://open.feishu.cn/document/server-docs/event-subscription-guide/overview
const feishuRepeats = 15*time.Second + 5*time.Minute + 7*time.Hour

// verifyFeishu is the signature of Feishu's events: plain SHA-256 with the key in the middle. The check of
// the address is known by the verification token in what was encrypted, and has no signature. Nothing parts
// timestamp and nonce in what is signed: that the timestamp is of now keeps digits from moving between them.
// https://open.feishu.cn/document/server-docs/event-subscription-guide/event-subscription-configure-/encrypt-key-encryption-configuration-case
func verifyFeishu(p Params, w World, r *http.Request, body []byte) (Opened, error) {
	key := p["encrypt_key"]
	if key == "" {
		return Opened{}, ErrSignature
	}
	var envelope struct {
		Encrypt string `json:"encrypt"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return Opened{}, ErrForm
	}
	plain := body
	if envelope.Encrypt != "" {
		var err error
		if plain, err = openFeishu(key, envelope.Encrypt); err != nil {
			return Opened{}, err
		}
	}
	if reply, ok := feishuCheck(p["token"], plain); ok {
		return Opened{Reply: reply, Check: true}, nil
	}
	ts := r.Header.Get("X-Lark-Request-Timestamp")
	if err := fresh(ts, w.Now, feishuRepeats+tolerance); err != nil {
		return Opened{}, err
	}
	sum := sha256.Sum256(append([]byte(ts+r.Header.Get("X-Lark-Request-Nonce")+key), body...))
	if !equal(r.Header.Get("X-Lark-Signature"), hex.EncodeToString(sum[:])) {
		return Opened{}, ErrSignature
	}
	return Opened{Body: plain}, nil
}

func openFeishu(key, encrypted string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(encrypted)
	if err != nil || len(data) < 2*aes.BlockSize {
		return nil, ErrForm
	}
	sum := sha256.Sum256([]byte(key))
	return openCBC(sum[:], data[:aes.BlockSize], data[aes.BlockSize:], aes.BlockSize)
}

func feishuCheck(token string, plain []byte) (reply []byte, ok bool) {
	var check struct {
		Type, Token, Challenge string
	}
	if json.Unmarshal(plain, &check) != nil || check.Type != "url_verification" || token == "" || !equal(check.Token, token) {
		return nil, false
	}
	reply, err := json.Marshal(map[string]string{"challenge": check.Challenge})
	return reply, err == nil
}
