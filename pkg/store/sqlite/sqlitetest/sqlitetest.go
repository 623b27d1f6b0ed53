// Package sqlitetest opens throw-away stores for the tests of other packages.
package sqlitetest

import (
	"path/filepath"
	"testing"

	"github.com/opennotify/notify/pkg/store/sqlite"
)

// Open opens a new file in the test's folder and closes it after the test. It answers before data is on
// the disk, which is all that a test needs, and much faster.
func Open(t testing.TB) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "notify.db"), sqlite.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}
