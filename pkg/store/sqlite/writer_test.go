package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/opennotify/notify/pkg/store"
)

func open(t *testing.T, opts Options) *DB {
	t.Helper()
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "notify.db"), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func putOp(sk string) store.Op {
	return store.Op{Item: store.Item{Key: store.Key{PK: "p", SK: sk}, Rev: 1}, Cond: store.Absent}
}

// hold keeps the writer inside a transaction until the returned function is called: whatever is submitted
// meanwhile waits, and shares the next one.
func hold(t *testing.T, db *DB) (release func()) {
	t.Helper()
	begun, end := make(chan struct{}), make(chan struct{})
	go db.writer.submit(context.Background(), &job{run: func(*conn) (bool, error) {
		close(begun)
		<-end
		return false, nil
	}})
	<-begun
	return func() { close(end) }
}

// await returns when n jobs wait.
func await(db *DB, n int) {
	for waiting := -1; waiting != n; runtime.Gosched() {
		db.writer.mu.Lock()
		waiting = len(db.writer.waiting)
		db.writer.mu.Unlock()
	}
}

func present(t *testing.T, db *DB, sk string) bool {
	t.Helper()
	got, err := db.Get(t.Context(), store.Key{PK: "p", SK: sk})
	if err != nil {
		t.Fatal(err)
	}
	return got[0] != nil
}

func TestOneCommitForAllThatWait(t *testing.T) {
	t.Parallel()
	db := open(t, Options{})
	before := db.Stats()
	release := hold(t, db)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			r, err := db.Write(t.Context(), 1, []store.Op{putOp(fmt.Sprint(i))}, []store.Op{putOp(fmt.Sprint("b", i))})
			if err != nil || r[0].Applied != 1 || r[1].Applied != 1 {
				t.Errorf("Write: %v %v", r, err)
			}
		})
	}
	await(db, 50)
	release()
	wg.Wait()
	after := db.Stats()
	if n := after.Commits - before.Commits; n != 1 {
		t.Errorf("%d commits, want 1", n)
	}
	if n := after.Sequences - before.Sequences; n != 100 {
		t.Errorf("%d sequences, want 100", n)
	}
	if _, err := db.Write(t.Context(), 1, []store.Op{putOp("alone"), putOp("alone 2")}); err != nil {
		t.Fatal(err)
	}
	if n := db.Stats().Commits - after.Commits; n != 1 {
		t.Errorf("%d commits for one write, want 1", n)
	}
	if _, err := db.Write(t.Context(), 1, []store.Op{putOp("alone")}); err != nil {
		t.Fatal(err)
	}
	if n := db.Stats().Commits - after.Commits; n != 1 {
		t.Errorf("a refused write is counted as a commit")
	}
}

func TestOneJobsErrorIsItsOwn(t *testing.T) {
	t.Parallel()
	db := open(t, Options{NoSync: true})
	if _, err := db.Write(t.Context(), 1, []store.Op{putOp("not counters")}); err != nil {
		t.Fatal(err)
	}
	release := hold(t, db)
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			if r, err := db.Write(t.Context(), 1, []store.Op{putOp(fmt.Sprint(i))}); err != nil || r[0].Applied != 1 {
				t.Errorf("Write: %v %v", r, err)
			}
		})
	}
	wg.Go(func() {
		_, err := db.Add(t.Context(), store.Delta{Key: store.Key{PK: "p", SK: "new"}, Field: "n", N: 1},
			store.Delta{Key: store.Key{PK: "p", SK: "not counters"}, Field: "n", N: 1})
		if err == nil || !strings.Contains(err.Error(), "does not hold counters") {
			t.Errorf("Add: %v", err)
		}
	})
	await(db, 11)
	release()
	wg.Wait()
	for i := range 10 {
		if !present(t, db, fmt.Sprint(i)) {
			t.Errorf("write %d is lost", i)
		}
	}
	if present(t, db, "new") {
		t.Error("half of a failed Add is there")
	}
}

func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	db := open(t, Options{NoSync: true})
	release := hold(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error)
	go func() {
		_, err := db.Write(ctx, 1, []store.Op{putOp("withdrawn")})
		answer <- err
	}()
	await(db, 1)
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Errorf("Write: %v", err)
	}
	release()
	if _, err := db.Write(t.Context(), 1, []store.Op{putOp("next")}); err != nil {
		t.Fatal(err)
	}
	if present(t, db, "withdrawn") {
		t.Error("a withdrawn write was applied")
	}
}

func TestCloseAnswersWhoWaits(t *testing.T) {
	t.Parallel()
	db := open(t, Options{NoSync: true})
	release := hold(t, db)
	answer, closed := make(chan error), make(chan error)
	go func() {
		_, err := db.Write(context.Background(), 1, []store.Op{putOp("waiting")})
		answer <- err
	}()
	await(db, 1)
	go func() { closed <- db.Close() }()
	<-db.stop
	release()
	if err := <-answer; err != nil {
		t.Errorf("Write: %v", err)
	}
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := os.Stat(db.path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the log is left behind: %v", err)
	}
	again, err := Open(t.Context(), db.path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if !present(t, again, "waiting") {
		t.Error("the answered write is lost")
	}
}

func TestTransactionsAreBounded(t *testing.T) {
	t.Parallel()
	db := open(t, Options{NoSync: true})
	var many [][]store.Op
	for i := range 2*maxSteps + 1 {
		many = append(many, []store.Op{putOp(fmt.Sprint(i))})
	}
	before := db.Stats().Commits
	r, err := db.Write(t.Context(), 1, many...)
	if err != nil || len(r) != len(many) {
		t.Fatalf("%d results, %v", len(r), err)
	}
	if n := db.Stats().Commits - before; n != 3 {
		t.Errorf("%d commits, want 3", n)
	}
	for i := range r {
		if r[i].Applied != 1 {
			t.Fatalf("result %d is %+v", i, r[i])
		}
	}
	before = db.Stats().Commits
	var large [][]store.Op
	for i := range 30 {
		op := putOp(fmt.Sprint("large", i))
		op.Item.Data = make([]byte, 300<<10)
		large = append(large, []store.Op{op})
	}
	if _, err := db.Write(t.Context(), 1, large...); err != nil {
		t.Fatal(err)
	}
	if n := db.Stats().Commits - before; n != 3 { // 13 of them are within 4 MB
		t.Errorf("%d commits for large items, want 3", n)
	}
}

// A page of large items ends early, so that a thousand of them are never in memory at once.
func TestPagesAreBounded(t *testing.T) {
	t.Parallel()
	db := open(t, Options{NoSync: true})
	for i := range 8 {
		op := putOp(fmt.Sprint(i))
		op.Item.Data = make([]byte, 300<<10)
		if _, err := db.Write(t.Context(), 1, []store.Op{op}); err != nil {
			t.Fatal(err)
		}
	}
	var sizes []int
	for q := (store.Query{Index: store.ByPartition, Value: "p", Limit: 1000}); ; {
		page, err := db.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(page.Items))
		if q.After = page.Next; page.Next == "" {
			break
		}
	}
	if want := []int{4, 4}; !slices.Equal(sizes, want) {
		t.Errorf("pages of %v items, want %v", sizes, want)
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	db := open(t, Options{NoSync: true})
	if _, err := db.Write(t.Context(), 1, []store.Op{putOp("before")}); err != nil {
		t.Fatal(err)
	}
	if err := db.writer.conn.script("PRAGMA max_page_count = 60"); err != nil {
		t.Fatal(err)
	}
	var full error
	for i := 0; full == nil && i < 100; i++ {
		op := putOp(fmt.Sprint(i))
		op.Item.Data = make([]byte, 10_000)
		_, full = db.Write(t.Context(), 1, []store.Op{op})
	}
	if !errors.Is(full, store.ErrFull) {
		t.Fatalf("the error is %v", full)
	}
	if !present(t, db, "before") {
		t.Error("what was there is not readable")
	}
	if err := db.writer.conn.script("PRAGMA max_page_count = 100000"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Write(t.Context(), 1, []store.Op{putOp("after")}); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if err := db.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// The log stays bounded while commits never pause, and beside a reader.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	db := open(t, Options{NoSync: true})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 200 {
				op := putOp(fmt.Sprint(w))
				op.Cond, op.Item.Rev, op.Item.Data = store.Always, int64(i+1), bytes.Repeat([]byte{byte(i)}, 390<<10)
				if _, err := db.Write(t.Context(), 1, []store.Op{op}); err != nil {
					t.Errorf("Write: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	info, err := os.Stat(db.path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	// 800 writes of 96 pages each are 300 MB.
	if size, max := info.Size(), int64(2*(maxLog+checkpointAt)*pageSize); size > max {
		t.Errorf("the log has %d MB, want at most %d", size>>20, max>>20)
	}
	if db.Stats().Checkpoints == 0 {
		t.Error("no checkpoint")
	}
}
