package tenant_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

const now = message.Time(1_767_225_600_000)

func newKey(seed byte, live bool) (tenant.Key, string) {
	var random [27]byte
	for i := range random {
		random[i] = byte(i)*37 + seed
	}
	k, text := tenant.NewKey(random, tenant.Key{Tenant: "shop", Live: live, Scopes: []tenant.Scope{tenant.Send}}, now)
	return k, string(text)
}

func TestKeyRoundTrip(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^nfy_(live|test)_[0-9a-hjkmnp-tv-z]{10}_[0-9a-hjkmnp-tv-z]{38}$`)
	rapid.Check(t, func(t *rapid.T) {
		random := [27]byte(rapid.SliceOfN(rapid.Byte(), 27, 27).Draw(t, "random"))
		live := rapid.Bool().Draw(t, "live")
		k, text := tenant.NewKey(random, tenant.Key{Tenant: "shop", Live: live}, now)
		if !form.MatchString(string(text)) {
			t.Fatalf("form: %q", string(text))
		}
		id, secret, isLive, err := tenant.ParseKey(string(text))
		if err != nil || id != k.ID || isLive != live || !k.Opens(secret, now) || k.Created != now || k.Tenant != "shop" {
			t.Fatalf("%q: %s %v %v, of %+v", string(text), id, isLive, err, k)
		}
		sum := sha256.Sum256([]byte(secret))
		kept, err := json.Marshal(k)
		if err != nil || !bytes.Equal(sum[:], k.Hash) || bytes.Contains(kept, []byte(secret)) || strings.Contains(fmt.Sprintf("%v %+v %#v", text, k, text), secret) {
			t.Fatalf("the secret is kept or shown: %s %v", kept, err)
		}
	})
}

// Every key that differs in one character is refused, whatever the character.
func TestEveryTypingErrorIsSeen(t *testing.T) {
	t.Parallel()
	for seed := range byte(8) {
		_, text := newKey(seed, seed%2 == 0)
		for i := range text {
			for c := range 256 {
				if text[i] == byte(c) {
					continue
				}
				wrong := text[:i] + string([]byte{byte(c)}) + text[i+1:]
				if _, _, _, err := tenant.ParseKey(wrong); !errors.Is(err, tenant.ErrBadKey) {
					t.Fatalf("%q passes for %q", wrong, text)
				}
			}
			for _, wrong := range []string{text[:i] + text[i+1:], text[:i] + "0" + text[i:], text[:i]} {
				if _, _, _, err := tenant.ParseKey(wrong); err == nil {
					t.Fatalf("%q passes for %q", wrong, text)
				}
			}
			if i > 0 && text[i] != text[i-1] {
				wrong := text[:i-1] + text[i:i+1] + text[i-1:i] + text[i+1:]
				if _, _, _, err := tenant.ParseKey(wrong); err == nil {
					t.Fatalf("%q passes for %q", wrong, text)
				}
			}
		}
	}
}

// signed gives a head the checksum that it should have.
func signed(head string) string {
	const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	sum := uint64(crc32.ChecksumIEEE([]byte(head))) << 8
	var out []byte
	for i := range 6 {
		out = append(out, alphabet[sum>>(35-5*i)&31])
	}
	return head + string(out)
}

// The checksum is no secret: a made-up key passes it, and must still have a key's form, because its id
// becomes part of a record's key.
func TestChecksumIsNoPass(t *testing.T) {
	t.Parallel()
	_, text := newKey(1, true)
	head := text[:len(text)-6]
	if signed(head) != text {
		t.Fatalf("signed makes %q of %q", signed(head), text)
	}
	for _, bad := range []string{
		strings.Replace(head, "nfy_live_", "nfy_prod_", 1),
		strings.Replace(head, "nfy_live_", "nfy_LIVE_", 1),
		head[:9] + "key#0/../x" + head[19:],
		head[:9] + "abc\x00\xff\n{}'\"" + head[19:],
		head[:9] + strings.ToUpper("abcdefghjk") + head[19:],
		head[:9] + "iloiloiloi" + head[19:],
		head[:20] + strings.Repeat("_", 32),
	} {
		if _, _, _, err := tenant.ParseKey(signed(bad)); !errors.Is(err, tenant.ErrBadKey) {
			t.Errorf("%q is parsed", signed(bad))
		}
	}
}

func FuzzParseKey(f *testing.F) {
	_, text := newKey(3, false)
	f.Add(text[:len(text)-6])
	f.Add("")
	f.Add("nfy_live_")
	f.Fuzz(func(t *testing.T, head string) {
		for _, s := range []string{head, signed(head)} {
			id, secret, live, err := tenant.ParseKey(s)
			mode := map[bool]string{true: "live", false: "test"}[live]
			if err == nil && s != signed("nfy_"+mode+"_"+id+"_"+secret) {
				t.Fatalf("%q was taken apart into %s %s %s", s, mode, id, secret)
			}
		}
	})
}

func TestOpens(t *testing.T) {
	t.Parallel()
	k, text := newKey(5, true)
	_, secret, _, err := tenant.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	with := func(f func(*tenant.Key)) tenant.Key { c := k; f(&c); return c }
	for _, c := range []struct {
		name   string
		key    tenant.Key
		secret string
		want   bool
	}{
		{"as made", k, secret, true},
		{"other secret", k, secret[:31] + "~", false},
		{"no secret", k, "", false},
		{"whole text", k, text, false},
		{"revoked", with(func(k *tenant.Key) { k.Revoked = true }), secret, false},
		{"expires later", with(func(k *tenant.Key) { k.Expires = now + 1 }), secret, true},
		{"expires now", with(func(k *tenant.Key) { k.Expires = now }), secret, false},
		{"expired", with(func(k *tenant.Key) { k.Expires = 1 }), secret, false},
		{"no hash", with(func(k *tenant.Key) { k.Hash = nil }), secret, false},
		{"part of the hash", with(func(k *tenant.Key) { k.Hash = k.Hash[:8] }), secret, false},
		{"zero key", tenant.Key{}, "", false},
	} {
		if got := c.key.Opens(c.secret, now); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// A key leaks nothing of its secret but its id: numbers of the random bytes do not overlap.
func TestIDAndSecretShareNoBytes(t *testing.T) {
	t.Parallel()
	var a, b [27]byte
	binary.BigEndian.PutUint32(b[7:], 1)
	ka, ta := tenant.NewKey(a, tenant.Key{}, now)
	kb, tb := tenant.NewKey(b, tenant.Key{}, now)
	if ka.ID != kb.ID || ta == tb {
		t.Errorf("%s %s", ka.ID, kb.ID)
	}
}
