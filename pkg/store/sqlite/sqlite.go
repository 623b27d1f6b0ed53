package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"modernc.org/sqlite"

	"github.com/opennotify/notify/pkg/store"
)

// Options change how a file is opened. The zero value is right for production.
type Options struct {
	// NoSync answers writes before they are on the disk, so that a crash of the machine (not of the
	// process) may lose them. It makes tests fast.
	NoSync bool
	// Readers is how many reads run side by side; 0 is 4.
	Readers int
}

func (o Options) synchronous() string {
	if o.NoSync {
		return "OFF"
	}
	return "FULL"
}

// DB is an open file. It implements [store.Driver].
type DB struct {
	path         string
	lock         *os.File
	writer       *writer
	checkpointer *checkpointer
	readers      chan *conn
	open         int // connections in readers
	counts       counts

	stop   chan struct{} // closed by Close
	tasks  sync.WaitGroup
	close  sync.Once
	closed error // of Close
}

var _ store.Driver = (*DB)(nil)

// Stats counts what happened since the file was opened.
type Stats struct {
	Commits     int64 // transactions that applied something, one sync each
	Sequences   int64 // sequences of conditional writes
	Checkpoints int64 // times the log was copied into the file
}

type counts struct{ commits, sequences, checkpoints atomic.Int64 }

// Open opens the file at path, makes it if there is none, and brings an older one up to date. The
// caller's ctx bounds opening only. Errors: [ErrInUse], [ErrDamaged], [ErrForeign], [store.ErrNewer],
// [store.ErrFull].
func Open(ctx context.Context, path string, opts Options) (_ *DB, err error) {
	// fsync, this library's default, also waits for the file's timestamps, which nobody reads; fdatasync
	// keeps the same promise. Where there is none, there is nothing to switch.
	if _, err := sqlite.Fdatasync(true); err != nil && !errors.Is(err, sqlite.ErrFdatasyncUnavailable) {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db := &DB{path: path, stop: make(chan struct{})}
	defer func() {
		if err != nil {
			db.release()
			err = fmt.Errorf("open %s: %w", path, fault(err))
		}
	}()
	if db.lock, err = lock(ctx, path+".lock"); err != nil {
		return nil, err
	}
	if err := create(path); err != nil {
		return nil, err
	}
	w, err := dial(path)
	if err != nil {
		return nil, err
	}
	db.writer = newWriter(db, w)
	if err := prepare(ctx, w, opts); err != nil {
		return nil, err
	}
	n := opts.Readers
	if n <= 0 {
		n = 4
	}
	db.readers = make(chan *conn, n)
	for range n {
		r, err := dial(path)
		if err != nil {
			return nil, err
		}
		db.readers <- r
		db.open++
		if err := r.script("PRAGMA query_only = 1; PRAGMA busy_timeout = 5000; PRAGMA cache_size = -1000; PRAGMA temp_store = MEMORY"); err != nil {
			return nil, err
		}
	}
	if db.checkpointer, err = newCheckpointer(db, opts); err != nil {
		return nil, err
	}
	db.tasks.Go(db.writer.run)
	db.tasks.Go(db.checkpointer.run)
	return db, nil
}

// Stats returns the counts so far.
func (db *DB) Stats() Stats {
	return Stats{
		Commits:     db.counts.commits.Load(),
		Sequences:   db.counts.sequences.Load(),
		Checkpoints: db.counts.checkpoints.Load(),
	}
}

// Check reads the whole file and reports what is damaged, as an [ErrDamaged]. It takes seconds for a
// million items; writers go on meanwhile.
func (db *DB) Check(ctx context.Context) error {
	c, err := db.reader(ctx)
	if err != nil {
		return err
	}
	defer db.done(c)
	return integrity(ctx, c)
}

// Close ends what was begun, copies the log into the file and lets go of it. Later calls of any method
// return [store.ErrClosed]; a second Close returns what the first did.
func (db *DB) Close() error {
	db.close.Do(func() {
		close(db.stop)
		db.writer.close()
		db.tasks.Wait()
		db.closed = db.release()
	})
	return db.closed
}

// release closes what is open, in the order that leaves a single file: the last connection to go copies
// the log and removes it.
func (db *DB) release() error {
	var errs []error
	for range db.open {
		errs = append(errs, (<-db.readers).close())
	}
	db.open = 0
	if db.checkpointer != nil {
		errs = append(errs, db.checkpointer.conn.close())
	}
	if db.writer != nil {
		errs = append(errs, db.writer.conn.close())
	}
	if db.lock != nil {
		errs = append(errs, db.lock.Close())
	}
	return errors.Join(errs...)
}

// create makes an empty file that only its owner can read: SQLite would make it readable to all.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}
