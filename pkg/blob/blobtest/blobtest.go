// Package blobtest is the suite that every blob.Store passes.
package blobtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/blob"
)

// Features are in what stores differ.
type Features struct {
	// Signed: an upload's address is checked, as an emulator's may not be.
	Signed bool
}

// Run runs the suite against an empty store.
func Run(t *testing.T, s blob.Store, f Features) {
	t.Run("objects", func(t *testing.T) { objects(t, s) })
	t.Run("lists", func(t *testing.T) { lists(t, s) })
	t.Run("keys", func(t *testing.T) { keys(t, s) })
	t.Run("uploads", func(t *testing.T) { uploads(t, s, f) })
	t.Run("at once", func(t *testing.T) { atOnce(t, s) })
}

func read(t *testing.T, s blob.Store, key string, from int64) string {
	t.Helper()
	r, err := s.Open(t.Context(), key, from)
	if err != nil {
		t.Fatal(key, err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(key, err)
	}
	return string(b)
}

func objects(t *testing.T, s blob.Store) {
	if err := s.Put(t.Context(), "a/one", []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), "a/one", []byte("the second")); err != nil {
		t.Fatal(err)
	}
	for from, want := range map[int64]string{0: "the second", 4: "second", 10: "", 99: ""} {
		if got := read(t, s, "a/one", from); got != want {
			t.Errorf("from %d: %q", from, got)
		}
	}
	if n, err := s.Size(t.Context(), "a/one"); n != 10 || err != nil {
		t.Error(n, err)
	}
	if err := s.Put(t.Context(), "a/empty", nil); err != nil {
		t.Fatal(err)
	}
	if got := read(t, s, "a/empty", 0); got != "" {
		t.Error(got)
	}
	if err := s.Copy(t.Context(), "a/one", "c/two"); err != nil {
		t.Fatal(err)
	}
	if got, n := read(t, s, "c/two", 0), read(t, s, "a/one", 0); got != n || len(got) != 10 {
		t.Errorf("%q is the copy of %q", got, n)
	}
	for _, key := range []string{"a/none", "a"} {
		if err := s.Copy(t.Context(), key, "c/three"); !errors.Is(err, blob.ErrNotFound) {
			t.Error("copy", key, err)
		}
		if _, err := s.Open(t.Context(), key, 0); !errors.Is(err, blob.ErrNotFound) {
			t.Error("open", key, err)
		}
		if _, err := s.Size(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
			t.Error("size", key, err)
		}
	}
	if err := s.Delete(t.Context(), "a/one", "a/none", "a/empty", "c/two"); err != nil {
		t.Error(err)
	}
	if _, err := s.Open(t.Context(), "a/one", 0); !errors.Is(err, blob.ErrNotFound) {
		t.Error("after delete:", err)
	}
	if err := s.Put(t.Context(), "a/huge", make([]byte, blob.MaxPut+1)); err == nil {
		t.Error("an object that is too large was taken")
	}
}

func lists(t *testing.T, s blob.Store) {
	want := []string{"l/a-b", "l/a/1", "l/a/2", "l/ab", "l/b"} // in the order of bytes
	for _, key := range want {
		if err := s.Put(t.Context(), key, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		prefix, after string
		want          []string
	}{
		{"l/", "", want}, {"l/a", "", want[:4]}, {"l/a/", "", want[1:3]}, {"l/", "l/a/1", want[2:]}, {"l/none", "", []string{}}, {"none/", "", []string{}},
	} {
		got, err := s.List(t.Context(), c.prefix, c.after)
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s after %q: %v (-want +got): %s", c.prefix, c.after, err, diff)
		}
	}
}

func keys(t *testing.T, s blob.Store) {
	for _, key := range []string{"", "/a", "a/", "a//b", "../a", "a/../b", "./a", "a/.b", "a b", "a\x00", "ä", strings.Repeat("a", blob.MaxKey+1), `a\b`, "a%2fb"} {
		if err := s.Put(t.Context(), key, []byte("x")); err == nil {
			t.Errorf("%q was taken", key)
		}
		if s.Copy(t.Context(), key, "c/copy") == nil || s.Copy(t.Context(), "l/b", key) == nil {
			t.Errorf("%q was copied", key)
		}
		if _, err := s.Open(t.Context(), key, 0); err == nil {
			t.Errorf("%q was opened", key)
		}
		if _, err := s.Upload(t.Context(), key, 1, time.Minute); err == nil {
			t.Errorf("%q was granted", key)
		}
	}
}

func uploads(t *testing.T, s blob.Store, f Features) {
	content := bytes.Repeat([]byte("to,name\n"), 1<<17) // 1 MiB
	put := func(g blob.Grant, url string, body []byte) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), g.Method, url, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range g.Header {
			req.Header[k] = v
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0 // cut off: as good as refused
		}
		res.Body.Close()
		return res.StatusCode
	}
	g, err := s.Upload(t.Context(), "u/file.csv", int64(len(content)), time.Minute)
	if err != nil || time.Until(g.Until) <= 0 {
		t.Fatal(g, err)
	}
	if code := put(g, g.URL, content); code != http.StatusOK {
		t.Fatal("upload:", code)
	}
	if read(t, s, "u/file.csv", 0) != string(content) {
		t.Error("another content")
	}
	if !f.Signed {
		return
	}
	for name, bad := range map[string]struct {
		url  string
		body []byte
	}{
		"another key":  {strings.Replace(g.URL, "file.csv", "other.csv", 1), content},
		"a longer one": {g.URL, append(bytes.Clone(content), 'x')},
		"a shorter":    {g.URL, content[:100]},
		"no signature": {g.URL[:strings.IndexByte(g.URL, '?')], content},
	} {
		if code := put(g, bad.url, bad.body); code == http.StatusOK {
			t.Errorf("%s was taken", name)
		}
	}
	if read(t, s, "u/file.csv", 0) != string(content) {
		t.Error("a refused upload changed the object")
	}
}

// atOnce: of objects that are put at once each is whole.
func atOnce(t *testing.T, s blob.Store) {
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if err := s.Put(t.Context(), "c/same", bytes.Repeat(fmt.Append(nil, i), 10000)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got := read(t, s, "c/same", 0)
	if len(got) != 10000 || strings.Trim(got, got[:1]) != "" {
		t.Error("the object is of two")
	}
}
