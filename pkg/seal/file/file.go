// Package file keeps the master key in a file beside the data: for one machine. Whoever can read the
// file can read the data; without it the data is lost.
package file

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/opennotify/notify/pkg/seal"
)

// Keeper wraps data keys with the key of the file.
type Keeper struct {
	box    *seal.Box
	random io.Reader
}

// Open reads the key file, and makes it (mode 0600) when there is none.
func Open(path string, random io.Reader) (*Keeper, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = create(path, random)
	}
	if err != nil {
		return nil, fmt.Errorf("seal: master key: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != seal.KeySize {
		return nil, fmt.Errorf("seal: master key: %s does not hold %d bytes in hex", path, seal.KeySize)
	}
	box, err := seal.NewBox(key)
	if err != nil {
		return nil, err
	}
	return &Keeper{box, random}, nil
}

// create writes the file so that a crash leaves a whole key or none.
func create(path string, random io.Reader) ([]byte, error) {
	key := make([]byte, seal.KeySize)
	if _, err := io.ReadFull(random, key); err != nil {
		return nil, err
	}
	text := []byte(hex.EncodeToString(key) + "\n")
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	return text, os.Rename(path+".new", path)
}

// Generate makes a data key.
func (k *Keeper) Generate(_ context.Context, purpose string) (key, wrapped []byte, err error) {
	key = make([]byte, seal.KeySize)
	if _, err := io.ReadFull(k.random, key); err != nil {
		return nil, nil, fmt.Errorf("seal: data key: %w", err)
	}
	wrapped, err = k.box.Seal(k.random, key, purpose)
	return key, wrapped, err
}

// Unwrap opens a data key.
func (k *Keeper) Unwrap(_ context.Context, wrapped []byte, purpose string) ([]byte, error) {
	return k.box.Open(wrapped, purpose)
}
