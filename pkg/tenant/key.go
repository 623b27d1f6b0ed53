package tenant

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"

	"github.com/opennotify/notify/pkg/message"
)

// A key reads nfy_<live|test>_<id>_<secret><checksum>: a prefix that secret scanners know, an id of 10
// characters that may be shown, 160 random bits, and 6 characters of checksum by which a scanner or a
// client tells a typing error from a wrong key, offline.
const (
	keyPrefix   = "nfy_"
	keyIDLen    = 10
	secretLen   = 32 // characters of 5 bits: 160 bits
	checksumLen = 6
	alphabet    = "0123456789abcdefghjkmnpqrstvwxyz"
)

// ErrBadKey is returned for anything that is not of a key's form, or whose checksum is wrong.
var ErrBadKey = errors.New("tenant: not an API key")

// NewKey makes a key of 27 random bytes; its text is shown once and never kept.
func NewKey(random [27]byte, k Key, now message.Time) (Key, message.Secret) {
	mode := "test"
	if k.Live {
		mode = "live"
	}
	id := encode(random[:7])[:keyIDLen]
	secret := encode(random[7:])
	head := keyPrefix + mode + "_" + id + "_" + secret
	sum := sha256.Sum256([]byte(secret))
	k.ID, k.Hash, k.Created = id, sum[:], now
	return k, message.Secret(head + checksum(head))
}

// Remake gives the record of a key of which the text is known.
func Remake(text message.Secret, k Key, now message.Time) (Key, error) {
	id, secret, live, err := ParseKey(string(text))
	if err != nil {
		return k, err
	}
	sum := sha256.Sum256([]byte(secret))
	k.ID, k.Hash, k.Live, k.Created = id, sum[:], live, now
	return k, nil
}

// ParseKey takes a key's text apart.
func ParseKey(s string) (id, secret string, live bool, err error) {
	rest, ok := strings.CutPrefix(s, keyPrefix)
	if !ok || len(rest) != 5+keyIDLen+1+secretLen+checksumLen {
		return "", "", false, ErrBadKey
	}
	head := s[:len(s)-checksumLen]
	if rest[4] != '_' || rest[5+keyIDLen] != '_' || checksum(head) != s[len(head):] {
		return "", "", false, ErrBadKey
	}
	id, secret = rest[5:5+keyIDLen], head[len(head)-secretLen:]
	if strings.Trim(id+secret, alphabet) != "" { // anybody can compute a checksum
		return "", "", false, ErrBadKey
	}
	switch rest[:4] {
	case "live":
		live = true
	case "test":
	default:
		return "", "", false, ErrBadKey
	}
	return id, secret, live, nil
}

// Opens tells whether the secret part belongs to k and k works at now.
func (k Key) Opens(secret string, now message.Time) bool {
	sum := sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(sum[:], k.Hash) == 1 && !k.Revoked && (k.Expires == 0 || now < k.Expires)
}

func checksum(head string) string {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], crc32.ChecksumIEEE([]byte(head)))
	return encode(b[:])[:checksumLen]
}

// encode is Crockford's base 32 without padding.
func encode(b []byte) string {
	var out strings.Builder
	var acc uint32
	var bits uint
	for _, c := range b {
		acc, bits = acc<<8|uint32(c), bits+8
		for bits >= 5 {
			bits -= 5
			out.WriteByte(alphabet[acc>>bits&31])
		}
	}
	if bits > 0 {
		out.WriteByte(alphabet[acc<<(5-bits)&31])
	}
	return out.String()
}
