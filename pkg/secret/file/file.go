// Package file keeps secrets in one file, encrypted with the master key: for one machine.
package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/seal"
	"github.com/opennotify/notify/pkg/secret"
)

const purpose = "secrets"

// Vault is the file.
type Vault struct {
	path   string
	keeper seal.Keeper
	random io.Reader

	mu   sync.Mutex
	kept map[string]map[string]string
}

type envelope struct {
	Key  []byte `json:"key"`  // wrapped
	Data []byte `json:"data"` // sealed
}

// Open reads the file; a missing one is an empty vault.
func Open(ctx context.Context, path string, keeper seal.Keeper, random io.Reader) (*Vault, error) {
	v := &Vault{path: path, keeper: keeper, random: random, kept: map[string]map[string]string{}}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return v, nil
	}
	if err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	var e envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, fmt.Errorf("secret: %s is no vault: %w", path, err)
	}
	key, err := keeper.Unwrap(ctx, e.Key, purpose)
	if err != nil {
		return nil, fmt.Errorf("secret: %s: %w", path, err)
	}
	box, err := seal.NewBox(key)
	if err != nil {
		return nil, err
	}
	plain, err := box.Open(e.Data, purpose)
	if err != nil {
		return nil, fmt.Errorf("secret: %s: %w", path, err)
	}
	if err := json.Unmarshal(plain, &v.kept); err != nil {
		return nil, fmt.Errorf("secret: %s: %w", path, err)
	}
	return v, nil
}

// Get reads an account's secrets.
func (v *Vault) Get(_ context.Context, name string) (map[string]message.Secret, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	fields, ok := v.kept[name]
	if !ok {
		return nil, secret.ErrNotFound
	}
	out := make(map[string]message.Secret, len(fields))
	for k, s := range fields {
		out[k] = message.Secret(s)
	}
	return out, nil
}

// Put replaces an account's secrets, on the disk first.
func (v *Vault) Put(ctx context.Context, name string, fields map[string]message.Secret) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	next := maps.Clone(v.kept)
	delete(next, name)
	if len(fields) > 0 {
		plain := make(map[string]string, len(fields))
		for k, s := range fields {
			plain[k] = string(s)
		}
		next[name] = plain
	}
	if err := v.save(ctx, next); err != nil {
		return fmt.Errorf("secret: keep %s: %w", name, err)
	}
	v.kept = next
	return nil
}

func (v *Vault) save(ctx context.Context, kept map[string]map[string]string) error {
	plain, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	key, wrapped, err := v.keeper.Generate(ctx, purpose)
	if err != nil {
		return err
	}
	box, err := seal.NewBox(key)
	if err != nil {
		return err
	}
	sealed, err := box.Seal(v.random, plain, purpose)
	if err != nil {
		return err
	}
	text, err := json.Marshal(envelope{wrapped, sealed})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(v.path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(v.path+".new", v.path); err != nil {
		return err
	}
	if runtime.GOOS == "windows" { // a folder cannot be synced there, and need not
		return nil
	}
	dir, err := os.Open(filepath.Dir(v.path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
