package sqlite_test

import (
	"testing"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/sqlite"
	"github.com/opennotify/notify/pkg/store/sqlite/sqlitetest"
	"github.com/opennotify/notify/pkg/store/storetest"
)

func TestDriver(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Driver { return sqlitetest.Open(t) }, storetest.Features{
		Purge: func(t testing.TB, d store.Driver, now message.Time) {
			if _, err := d.(*sqlite.DB).Purge(t.Context(), now, 1_000_000); err != nil {
				t.Fatal(err)
			}
		},
	})
}
