package local_test

import (
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/opennotify/notify/pkg/local"
	"github.com/opennotify/notify/pkg/message"
)

// A backup is made while notify takes messages. What was answered before it began is in it, readable, and nothing in
// it is half: what it was made of goes on as if nothing were.
func TestBackupWhileItRuns(t *testing.T) {
	t.Parallel()
	dir, backup, restored := t.TempDir(), filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "restored")
	s := run(t, dir)
	var before []message.ID
	for i := range 20 {
		before = append(before, s.send(order(fmt.Sprint("before", i), "wang@example.org")).ID)
	}
	done := make(chan struct{})
	var during sync.WaitGroup
	during.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
				s.send(order(fmt.Sprint("during", i), "li@example.org"))
			}
		}
	})
	if err := local.Copy(t.Context(), dir, backup, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	close(done)
	during.Wait()
	after := s.send(order("after", "zhao@example.org")).ID
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if err := local.Copy(t.Context(), backup, restored, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	again := run(t, restored)
	if again.Key != s.Key {
		t.Error("the demo key is another")
	}
	for _, id := range before {
		if code, answer := again.do("GET", "/v1/messages/"+string(id), ""); code != http.StatusOK || !strings.Contains(answer, "w***@example.org") || !strings.Contains(answer, "您好") {
			t.Errorf("%s: %d %.200s", id, code, answer)
		}
	}
	if code, _ := again.do("GET", "/v1/messages/"+string(after), ""); code != http.StatusNotFound {
		t.Errorf("what came after the backup: %d", code)
	}
	again.send(order("again", "qian@example.org"))
	err := filepath.WalkDir(backup, func(path string, d fs.DirEntry, err error) error {
		if info, err := d.Info(); err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("others can read %s: %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// What is no data folder is no backup, and nothing that is there is written over.
func TestBackupRefused(t *testing.T) {
	t.Parallel()
	whole := filepath.Join(t.TempDir(), "data")
	if err := run(t, whole).stop(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(t *testing.T, dir, to string) error{
		"no key": func(_ *testing.T, dir, _ string) error { return os.Remove(filepath.Join(dir, "master.key")) },
		"another's key": func(_ *testing.T, dir, _ string) error {
			return os.WriteFile(filepath.Join(dir, "master.key"), []byte(strings.Repeat("ab", 32)), 0o600)
		},
		"no database": func(_ *testing.T, dir, _ string) error { return os.Remove(filepath.Join(dir, "notify.db")) },
		"no database of ours": func(_ *testing.T, dir, _ string) error {
			return os.WriteFile(filepath.Join(dir, "notify.db"), []byte("what is this"), 0o600)
		},
		"damaged": func(_ *testing.T, dir, _ string) error {
			path := filepath.Join(dir, "notify.db")
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			copy(b[4096:], slices.Repeat([]byte{0xff}, 8192)) // two pages
			return os.WriteFile(path, b, 0o600)
		},
		"a file is there": func(_ *testing.T, _, to string) error { return os.WriteFile(to, []byte("mine"), 0o600) },
		"not empty": func(_ *testing.T, _, to string) error {
			return os.MkdirAll(filepath.Join(to, "mine"), 0o700)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, to := filepath.Join(t.TempDir(), "new", "data"), filepath.Join(t.TempDir(), "copy")
			if err := local.Copy(t.Context(), whole, dir, slog.New(slog.DiscardHandler)); err != nil {
				t.Fatal(err)
			}
			if err := change(t, dir, to); err != nil {
				t.Fatal(err)
			}
			err := local.Copy(t.Context(), dir, to, slog.New(slog.DiscardHandler))
			if err == nil {
				t.Fatal("copied")
			}
			t.Log(err)
			left, _ := os.ReadDir(filepath.Dir(to))
			for _, e := range left {
				if e.Name() != "copy" || name != "not empty" && name != "a file is there" {
					t.Errorf("left behind: %s", e.Name())
				}
			}
		})
	}
}
