package file_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/blob/blobtest"
	"github.com/opennotify/notify/pkg/blob/file"
)

func open(t *testing.T, dir string, now func() time.Time) (*file.Store, *httptest.Server) {
	t.Helper()
	var server *httptest.Server
	s, err := file.Open(dir, file.Options{Now: now, Key: []byte("key"), URL: func() string { return server.URL }})
	if err != nil {
		t.Fatal(err)
	}
	server = httptest.NewServer(s.Handler())
	t.Cleanup(func() { server.Close(); s.Close() })
	return s, server
}

func TestStore(t *testing.T) {
	t.Parallel()
	s, _ := open(t, t.TempDir(), time.Now)
	blobtest.Run(t, s, blobtest.Features{Signed: true})
}

// An address is good for its time only, and for a PUT.
func TestUploadTime(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s, server := open(t, t.TempDir(), func() time.Time { return now })
	g, err := s.Upload(t.Context(), "a", 1, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Minute)
	for method, want := range map[string]int{http.MethodPut: http.StatusForbidden, http.MethodGet: http.StatusMethodNotAllowed, http.MethodOptions: http.StatusNoContent} {
		req, err := http.NewRequestWithContext(t.Context(), method, g.URL, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		res, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Error(method, res.StatusCode)
		}
	}
}

// What is in the folder is its owner's alone; what was left unfinished goes; what is old can be purged.
func TestFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "blobs")
	s, _ := open(t, dir, time.Now)
	for _, key := range []string{"runs/1/a", "sources/shop/a"} {
		if err := s.Put(t.Context(), key, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "runs", "1", "a"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	left := filepath.Join(dir, ".partial-x")
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if keys, _ := s.List(t.Context(), "", ""); len(keys) != 2 {
		t.Error("listed:", keys)
	}
	again, _ := open(t, dir, time.Now)
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Error("what was left unfinished is still there:", err)
	}
	if n, err := again.Purge(t.Context(), "runs/", time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Error(n, err)
	}
	if n, err := again.Purge(t.Context(), "runs/", time.Now().Add(time.Hour)); n != 1 || err != nil {
		t.Error(n, err)
	}
	if keys, _ := s.List(t.Context(), "", ""); len(keys) != 1 {
		t.Error("listed:", keys)
	}
	// A link that leads out of the folder is not followed.
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(t.Context(), "link", 0); err == nil {
		t.Error("a link led out of the folder")
	}
}
