package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/opennotify/notify/pkg/store"
)

// applicationID marks the file as notify's ("nfy1"), as SQLite's file header provides for.
const applicationID = 0x6e667931

// migrations lead from nothing to the present schema: the version of a file is how many of them it has
// seen. Released ones are never changed, only followed.
func migrations() []string {
	return []string{`
CREATE TABLE items (
	id        INTEGER PRIMARY KEY,
	pk        TEXT    NOT NULL,
	sk        TEXT    NOT NULL,
	rev       INTEGER NOT NULL,
	list      TEXT,
	list_sort TEXT    NOT NULL,
	due_shard TEXT,
	due_at    INTEGER NOT NULL,
	trouble   TEXT,
	expires   INTEGER,
	data      BLOB    NOT NULL
);
CREATE UNIQUE INDEX items_key     ON items (pk, sk);
CREATE INDEX        items_list    ON items (list, list_sort)    WHERE list      IS NOT NULL;
CREATE INDEX        items_due     ON items (due_shard, due_at)  WHERE due_shard IS NOT NULL;
CREATE INDEX        items_trouble ON items (trouble, sk)        WHERE trouble   IS NOT NULL;
CREATE INDEX        items_expires ON items (expires)            WHERE expires   IS NOT NULL;
`}
}

// prepare sets up the writer's connection, refuses files that are not ours to write, and migrates.
func prepare(ctx context.Context, c *conn, opts Options) error {
	app, err := c.number("PRAGMA application_id")
	if err != nil {
		return err
	}
	version, err := c.number("PRAGMA user_version")
	if err != nil {
		return err
	}
	objects, err := c.number("SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return err
	}
	if app != applicationID && (app != 0 || version != 0 || objects != 0) {
		return ErrForeign
	}
	steps := migrations()
	if version > int64(len(steps)) {
		return fmt.Errorf("%w: the file has version %d, this program knows %d", store.ErrNewer, version, len(steps))
	}
	// The cache is small because it gains little: what it lacks is in the operating system's cache. The
	// limit is what the log is cut to when it is started over.
	if err := c.script(fmt.Sprintf(`PRAGMA journal_mode = WAL; PRAGMA synchronous = %s; PRAGMA wal_autocheckpoint = 0;
		PRAGMA journal_size_limit = %d; PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = OFF;
		PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4000`, opts.synchronous(), maxLog*pageSize)); err != nil {
		return err
	}
	for v := version; v < int64(len(steps)); v++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := migrate(c, steps[v], v+1); err != nil {
			return fmt.Errorf("migrate to version %d: %w", v+1, err)
		}
	}
	return nil
}

func migrate(c *conn, step string, version int64) error {
	err := c.script(fmt.Sprintf("BEGIN IMMEDIATE; %s; PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
		step, applicationID, version))
	if err != nil {
		c.script("ROLLBACK") // says so if there is nothing to roll back; the first error is the one that counts
	}
	return err
}

// integrity has SQLite read every page and compare every index with its table.
func integrity(ctx context.Context, c *conn) error {
	var found []string
	err := c.query(ctx, "PRAGMA integrity_check(10)", func(row []driver.Value) bool {
		if s, _ := row[0].(string); s != "ok" {
			found = append(found, s)
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("check: %w", fault(err))
	}
	if len(found) > 0 {
		return fmt.Errorf("check: %w: %s", ErrDamaged, strings.Join(found, "; "))
	}
	return nil
}
