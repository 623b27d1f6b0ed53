// Package seal is envelope encryption. A Keeper holds a master key (KMS, or a local key file) and wraps
// the data keys that records are sealed with; Box seals with one data key. It also keeps nothing: wrapped
// keys are records of the store.
package seal

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
)

// KeySize is the size of a data key: AES-256.
const KeySize = 32

// ErrOpen: the sealed bytes were changed, or belong to another key or place.
var ErrOpen = errors.New("seal: cannot be opened")

// Keeper holds a master key. Its methods may be remote calls; callers cache what they unwrap.
type Keeper interface {
	// Generate makes a new data key, in the clear and wrapped. The purpose is bound to it.
	Generate(ctx context.Context, purpose string) (key, wrapped []byte, err error)
	// Unwrap gives a wrapped data key back; ErrOpen when the purpose differs.
	Unwrap(ctx context.Context, wrapped []byte, purpose string) (key []byte, err error)
}

// Box seals small values with one data key (AES-256-GCM). It is safe for concurrent use.
type Box struct{ aead cipher.AEAD }

// NewBox takes a data key of KeySize bytes.
func NewBox(key []byte) (*Box, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return &Box{aead}, nil
}

// Seal encrypts plain; place binds the result to where it is kept. random is read for the nonce.
func (b *Box) Seal(random io.Reader, plain []byte, place string) ([]byte, error) {
	n := b.aead.NonceSize()
	out := make([]byte, n, n+len(plain)+b.aead.Overhead())
	if _, err := io.ReadFull(random, out); err != nil {
		return nil, fmt.Errorf("seal: nonce: %w", err)
	}
	return b.aead.Seal(out, out, plain, []byte(place)), nil
}

// Open decrypts what Seal made for the same place.
func (b *Box) Open(sealed []byte, place string) ([]byte, error) {
	n := b.aead.NonceSize()
	if len(sealed) < n {
		return nil, ErrOpen
	}
	plain, err := b.aead.Open(nil, sealed[:n], sealed[n:], []byte(place))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}
