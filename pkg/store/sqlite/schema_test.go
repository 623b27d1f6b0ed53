package sqlite

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		spoil func(t *testing.T, path string)
		want  error
		text  []string
	}{
		"a newer file": {func(t *testing.T, path string) { script(t, path, "PRAGMA user_version = 99") },
			store.ErrNewer, []string{"99", fmt.Sprint(len(migrations()))}},
		"another program's file": {func(t *testing.T, path string) { script(t, path, "PRAGMA application_id = 7") },
			ErrForeign, nil},
		"a database without a name": {func(t *testing.T, path string) { script(t, path, "PRAGMA application_id = 0; PRAGMA user_version = 0") },
			ErrForeign, nil},
		"a text file": {func(t *testing.T, path string) { overwrite(t, path, 0, strings.Repeat("hello ", 1000)) },
			ErrDamaged, nil},
		"a damaged schema": {func(t *testing.T, path string) { overwrite(t, path, 100, strings.Repeat("\xff", 200)) },
			ErrDamaged, nil},
		"a file cut short": {func(t *testing.T, path string) {
			if err := os.Truncate(path, 3*pageSize); err != nil {
				t.Fatal(err)
			}
		}, ErrDamaged, nil},
		"a folder": {func(t *testing.T, path string) {
			os.Remove(path)
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, nil, []string{"is a directory"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := some(t)
			tt.spoil(t, path)
			for range 2 { // a failed Open lets go of the file
				db, err := Open(t.Context(), path, Options{})
				if err == nil {
					db.Close()
					t.Fatal("it opened")
				}
				if tt.want != nil && !errors.Is(err, tt.want) {
					t.Errorf("the error is %v", err)
				}
				for _, s := range append(tt.text, path) {
					if !strings.Contains(err.Error(), s) {
						t.Errorf("the error %q does not say %q", err, s)
					}
				}
			}
		})
	}
}

func TestCheckFindsDamage(t *testing.T) {
	t.Parallel()
	path := some(t)
	db, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Check(t.Context()); err != nil {
		t.Errorf("a sound file: %v", err)
	}
	leaf, err := db.writer.conn.number("SELECT max(rootpage) FROM sqlite_schema")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	overwrite(t, path, leaf*pageSize+2000, strings.Repeat("\x55", 3*pageSize))
	db, err = Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Check(t.Context()); !errors.Is(err, ErrDamaged) {
		t.Errorf("a damaged file: %v", err)
	}
}

func TestOneProcess(t *testing.T) {
	t.Parallel()
	db := open(t, Options{})
	if _, err := Open(t.Context(), db.path, Options{}); !errors.Is(err, ErrInUse) {
		t.Errorf("the error is %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), db.path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

// The file holds what is sealed, but also who sends: it is its owner's alone, as are its companions.
func TestFileIsPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "odd name ?#%41.db")
	db, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", suffix, info.Mode())
		}
	}
}

// Every page is found and ordered by its index, from the sort key where the last one ended.
func TestPlans(t *testing.T) {
	t.Parallel()
	db := open(t, Options{})
	for _, index := range []store.Index{store.ByPartition, store.ByList, store.ByDue, store.ByTrouble} {
		for _, desc := range []bool{false, true} {
			s, err := scanOf(index)
			if err != nil {
				t.Fatal(err)
			}
			args, err := arguments(store.Query{Index: index, Value: "v", Desc: desc, Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			plan := explain(t, db, s.sql(desc), args...)
			want := fmt.Sprintf("(%[1]s=? AND %[2]s>? AND %[2]s<?)", s.value, s.sort)
			if strings.Contains(plan, "TEMP B-TREE") || strings.Contains(plan, "SCAN") || !strings.Contains(plan, want) {
				t.Errorf("index %d, desc=%t: %s", index, desc, plan)
			}
		}
	}
	if plan := explain(t, db, purgeItems, int64(1), int64(2)); !strings.Contains(plan, "items_expires (expires<?)") || strings.Contains(plan, "TEMP") {
		t.Errorf("purge: %s", plan)
	}
}

func explain(t *testing.T, db *DB, sql string, args ...driver.Value) (plan string) {
	t.Helper()
	err := db.writer.conn.query(t.Context(), "EXPLAIN QUERY PLAN "+sql, func(row []driver.Value) bool {
		plan += fmt.Sprintln(row[3])
		return true
	}, args...)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestPurge(t *testing.T) {
	t.Parallel()
	db := open(t, Options{NoSync: true})
	var seqs [][]store.Op
	for i := range 2*purgeChunk + 50 {
		op := putOp(fmt.Sprintf("%04d", i))
		op.Item.Expires = int64(i + 1)
		seqs = append(seqs, []store.Op{op})
	}
	if _, err := db.Write(t.Context(), 1, seqs...); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		now   int64
		limit int
		want  int
	}{
		{now: 5, limit: 1000, want: 5},
		{now: 5, limit: 1000, want: 0},
		{now: 100, limit: 10, want: 10},
		{now: 100, limit: 1000, want: 85},
		{now: 1000, limit: purgeChunk + 1, want: purgeChunk + 1},
		{now: 1000, limit: 1000, want: purgeChunk + 50 - 101},
		{now: 1000, limit: 0, want: 0},
	} {
		n, err := db.Purge(t.Context(), message.Time(1000*tt.now), tt.limit)
		if err != nil || n != tt.want {
			t.Errorf("Purge at %d, limit %d: %d, %v; want %d", tt.now, tt.limit, n, err, tt.want)
		}
	}
}

// some is a closed file with some items.
func some(t *testing.T) (path string) {
	t.Helper()
	db := open(t, Options{NoSync: true})
	for i := range 50 {
		op := putOp(fmt.Sprint(i))
		op.Item.Data = make([]byte, 1000)
		if _, err := db.Write(t.Context(), 1, []store.Op{op}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return db.path
}

func script(t *testing.T, path, sql string) {
	t.Helper()
	c, err := dial(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.script(sql), c.close()); err != nil {
		t.Fatal(err)
	}
}

func overwrite(t *testing.T, path string, at int64, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt([]byte(text), at)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}
