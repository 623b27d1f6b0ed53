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
	"path/filepath"
	"runtime"
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

// create writes the file so that a crash leaves a whole key or none. Of two that create it at once both get
// the key of the first.
func create(path string, random io.Reader) (_ []byte, err error) {
	key := make([]byte, seal.KeySize)
	if _, err := io.ReadFull(random, key); err != nil {
		return nil, err
	}
	text := []byte(hex.EncodeToString(key) + "\n")
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new") // mode 0600
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// syncDir makes a new name last: data that is sealed with the key must not outlive it.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" { // it cannot, and need not
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
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
