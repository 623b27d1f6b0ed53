package store_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/sqlite"
	"github.com/opennotify/notify/pkg/store/storetest"
)

func TestSealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	read := func(purpose, name, want string, wantRev int64) {
		t.Helper()
		value, rev, err := w.Sealed(t.Context(), t0, purpose, name)
		if err != nil || string(value) != want || rev != wantRev {
			t.Errorf("%s %s: %q at %d, %v", purpose, name, value, rev, err)
		}
	}
	put := func(value string, over int64, taken bool) int64 {
		t.Helper()
		rev, err := w.PutSealed(t.Context(), t0, "token", "k", []byte(value), over, t0.Add(time.Hour))
		if err != nil || (rev > 0) != taken || taken && rev <= over {
			t.Errorf("over %d: %d, %v", over, rev, err)
		}
		return rev
	}
	read("token", "k", "", 0)
	put("x", 7, false) // over what is not there
	first := put("a", 0, true)
	put("b", 0, false)
	read("token", "k", "a", first)
	second := put("b", first, true)
	put("c", first, false)
	read("token", "k", "b", second)
	read("token", "other", "", 0)
	read("other", "k", "", 0)
	// Another process, with the same master key, reads and writes the same.
	if value, rev, err := w.over(w.db).Sealed(t.Context(), t0, "token", "k"); string(value) != "b" || rev != second || err != nil {
		t.Errorf("%q %d %v", value, rev, err)
	}
}

// Of many who write over one revision, one is taken; of many who make the first, too.
func TestSealedRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var rev int64
	for range 3 {
		var mu sync.Mutex
		var all sync.WaitGroup
		taken, next := 0, int64(0)
		for range 20 {
			all.Go(func() {
				got, err := w.over(w.db).PutSealed(t.Context(), t0, "token", "k", []byte("v"), rev, t0.Add(time.Hour))
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				if got > 0 {
					taken, next = taken+1, got
				}
			})
		}
		all.Wait()
		if taken != 1 {
			t.Errorf("%d were taken over %d", taken, rev)
		}
		rev = next
	}
}

func TestSealedFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	away := errors.New("away")
	if _, err := w.PutSealed(t.Context(), t0, "token", "k", []byte("v"), 0, t0); err != nil {
		t.Fatal(err)
	}
	s := w.over(storetest.Faults(w.db, func(call string) storetest.Fault {
		if call == "Write" {
			return storetest.Fault{Before: away}
		}
		return storetest.Fault{}
	}))
	if _, err := s.PutSealed(t.Context(), t0, "token", "k", []byte("v"), 0, t0); !errors.Is(err, away) {
		t.Error(err)
	}
	// What is put in another's place cannot be opened.
	if _, err := w.PutSealed(t.Context(), t0, "token", "other", []byte("o"), 0, t0); err != nil {
		t.Fatal(err)
	}
	evil := &tamper{Driver: w.db}
	s = w.over(evil)
	if _, err := s.Box(t.Context(), t0, "token"); err != nil {
		t.Fatal(err)
	}
	var first []byte
	evil.change = func(it *store.Item) { first = it.Data }
	if _, _, err := s.Sealed(t.Context(), t0, "token", "k"); err != nil {
		t.Fatal(err)
	}
	evil.change = func(it *store.Item) { it.Data = first }
	if value, _, err := s.Sealed(t.Context(), t0, "token", "other"); err == nil {
		t.Errorf("another's value was taken: %q", value)
	}
}

// A token is not readable in the file.
func TestSealedInTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notify.db")
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	w := worldOver(t, db)
	if _, err := w.PutSealed(t.Context(), t0, "token", "CANARYname", []byte("CANARYtoken"), 0, t0.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(path + "*")
	for _, f := range files {
		if b, err := os.ReadFile(f); err != nil || bytes.Contains(b, []byte("CANARY")) {
			t.Errorf("%s: %v", f, err)
		}
	}
}
