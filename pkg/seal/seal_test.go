package seal_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/seal"
)

// What was sealed opens at its place, with its key, unchanged; in any other way it is ErrOpen.
func TestBox(t *testing.T) {
	t.Parallel()
	bytesOf := rapid.SliceOfN(rapid.Byte(), 0, 200)
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), seal.KeySize, seal.KeySize).Draw(t, "key")
		plain, place := bytesOf.Draw(t, "plain"), rapid.String().Draw(t, "place")
		box, err := seal.NewBox(key)
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := box.Seal(rand.Reader, plain, place)
		if err != nil || len(plain) > 8 && bytes.Contains(sealed, plain) {
			t.Fatalf("%x, %v", sealed, err)
		}
		if got, err := box.Open(sealed, place); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%x, %v", got, err)
		}
		if twice, _ := box.Seal(rand.Reader, plain, place); bytes.Equal(twice, sealed) {
			t.Fatal("the same nonce")
		}
		other := bytes.Clone(key)
		other[rapid.IntRange(0, len(key)-1).Draw(t, "bit of the key")] ^= 1
		stranger, _ := seal.NewBox(other)
		changed := bytes.Clone(sealed)
		changed[rapid.IntRange(0, len(sealed)-1).Draw(t, "byte")] ^= byte(rapid.IntRange(1, 255).Draw(t, "mask"))
		cut := sealed[:rapid.IntRange(0, len(sealed)-1).Draw(t, "cut")]
		for name, open := range map[string]func() ([]byte, error){
			"another key":   func() ([]byte, error) { return stranger.Open(sealed, place) },
			"another place": func() ([]byte, error) { return box.Open(sealed, place+"x") },
			"changed":       func() ([]byte, error) { return box.Open(changed, place) },
			"cut":           func() ([]byte, error) { return box.Open(cut, place) },
			"longer":        func() ([]byte, error) { return box.Open(append(bytes.Clone(sealed), 0), place) },
		} {
			if got, err := open(); !errors.Is(err, seal.ErrOpen) || got != nil {
				t.Fatalf("%s: %x, %v", name, got, err)
			}
		}
	})
}

func TestNoRandomness(t *testing.T) {
	t.Parallel()
	box, err := seal.NewBox(make([]byte, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := box.Seal(strings.NewReader("short"), []byte("x"), ""); err == nil {
		t.Error("sealed without a whole nonce")
	}
	if _, err := seal.NewBox([]byte("short")); err == nil {
		t.Error("a short key")
	}
}
