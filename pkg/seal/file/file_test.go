package file_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/opennotify/notify/pkg/seal"
	"github.com/opennotify/notify/pkg/seal/file"
)

func TestKeeper(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	k, err := file.Open(path, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, wrapped, err := k.Generate(t.Context(), "purpose")
	if err != nil || len(key) != seal.KeySize || bytes.Contains(wrapped, key) {
		t.Fatalf("%x %x, %v", key, wrapped, err)
	}
	again, err := file.Open(path, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Unwrap(t.Context(), wrapped, "purpose"); err != nil || !bytes.Equal(got, key) {
		t.Errorf("after a restart: %v", err)
	}
	if _, err := again.Unwrap(t.Context(), wrapped, "another"); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("another purpose: %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// A file that holds no key is an error, and is left alone: a new key would lose the data.
func TestDamagedFile(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"empty": "", "short": "00ff\n", "no hex": strings.Repeat("z", 64), "long": strings.Repeat("0", 66)} {
		path := filepath.Join(t.TempDir(), "master.key")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := file.Open(path, rand.Reader); err == nil || text != "" && strings.Contains(err.Error(), strings.TrimSpace(text)) {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("%s was changed: %q, %v", name, got, err)
		}
	}
	path := filepath.Join(t.TempDir(), "master.key")
	if _, err := file.Open(path, strings.NewReader("too little")); err == nil {
		t.Error("a key without randomness")
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("half a key was left")
	}
}

// Processes that begin at the same time get the same key.
func TestRace(t *testing.T) {
	t.Parallel()
	for range 20 {
		path := filepath.Join(t.TempDir(), "master.key")
		var keepers [8]*file.Keeper
		var group sync.WaitGroup
		for i := range keepers {
			group.Go(func() {
				var err error
				if keepers[i], err = file.Open(path, rand.Reader); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		_, wrapped, err := keepers[0].Generate(t.Context(), "p")
		if err != nil {
			t.Fatal(err)
		}
		for i, k := range keepers {
			if _, err := k.Unwrap(t.Context(), wrapped, "p"); err != nil {
				t.Fatalf("%d has another key", i)
			}
		}
	}
}
