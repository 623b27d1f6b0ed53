package file_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/seal"
	sealfile "github.com/opennotify/notify/pkg/seal/file"
	"github.com/opennotify/notify/pkg/secret"
	"github.com/opennotify/notify/pkg/secret/file"
)

func keeper(t testing.TB) seal.Keeper {
	t.Helper()
	k, err := sealfile.Open(filepath.Join(t.TempDir(), "master.key"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A vault is a map that survives restarts. Each put waits for the disk, so the walk is short.
func TestVault(t *testing.T) {
	t.Parallel()
	k, path := keeper(t), filepath.Join(t.TempDir(), "secrets.json")
	random := mathrand.New(mathrand.NewPCG(1, 2))
	want := map[string]map[string]message.Secret{}
	v, err := file.Open(t.Context(), path, k, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for step := range 60 {
		if name := string('a' + rune(random.IntN(2))); random.IntN(4) > 0 {
			fields := map[string]message.Secret{}
			for f := range random.IntN(3) {
				fields[fmt.Sprint("f", f)] = message.Secret(fmt.Sprint("é<&>\x00", step, f))
			}
			if err := v.Put(t.Context(), name, maps.Clone(fields)); err != nil {
				t.Fatal(err)
			}
			if want[name] = fields; len(fields) == 0 {
				delete(want, name)
			}
		} else if v, err = file.Open(t.Context(), path, k, rand.Reader); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "b", "c"} {
			got, err := v.Get(t.Context(), name)
			if _, has := want[name]; !has && !errors.Is(err, secret.ErrNotFound) || has && (err != nil || !maps.Equal(want[name], got)) {
				t.Fatalf("step %d, %s: %d fields, %v", step, name, len(got), err)
			}
			if got != nil {
				got["changed"] = "by the caller"
			}
		}
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	k, path := keeper(t), filepath.Join(t.TempDir(), "secrets.json")
	v, err := file.Open(t.Context(), path, k, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Put(t.Context(), "acct-canary", map[string]message.Secret{"field-canary": "s3cret-canary"}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || bytes.Contains(text, []byte("canary")) {
		t.Errorf("%s, %v", text, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := file.Open(t.Context(), path, keeper(t), rand.Reader); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("another master key: %v", err)
	}
	for i := 0; i < len(text); i += 7 {
		changed := bytes.Clone(text)
		changed[i] ^= 2
		bad := filepath.Join(t.TempDir(), "secrets.json")
		if err := os.WriteFile(bad, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		v, err := file.Open(t.Context(), bad, k, rand.Reader)
		if err != nil {
			continue
		}
		if got, err := v.Get(t.Context(), "acct-canary"); err != nil || got["field-canary"] != "s3cret-canary" {
			t.Errorf("byte %d was changed unnoticed: %v", i, err)
		}
	}
	// A disk that refuses leaves what was there, in memory too.
	if err := os.Mkdir(path+".new", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := v.Put(t.Context(), "acct-canary", map[string]message.Secret{"field-canary": "new"}); err == nil {
		t.Error("kept without a file")
	}
	if got, err := v.Get(t.Context(), "acct-canary"); err != nil || got["field-canary"] != "s3cret-canary" {
		t.Errorf("%v", err)
	}
}
