package sqlite

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"modernc.org/sqlite"

	"github.com/opennotify/notify/pkg/store"
)

// The bounds of one transaction: what waits beyond them is the next one's. They keep the wait of the
// first in line short and the memory small.
const (
	maxSteps = 1000
	maxBytes = 4 << 20
)

// job is what one caller wants written, and runs inside a transaction that it shares with others. It may
// be run again after a rollback.
type job struct {
	run   func(*conn) (changed bool, err error)
	steps int // about how many items it touches
	bytes int
	err   error
	done  chan struct{}
}

// writer owns the only connection that writes.
type writer struct {
	db   *DB
	conn *conn
	gate sync.Mutex // held by a transaction, and by what must not meet one

	mu      sync.Mutex
	waiting []*job
	closed  bool
	wake    chan struct{} // holds a token if something may be waiting
}

func newWriter(db *DB, c *conn) *writer {
	return &writer{db: db, conn: c, wake: make(chan struct{}, 1)}
}

// submit waits until the job is committed. A caller that gives up before the job was begun withdraws it;
// after that the answer is waited for, as it is only a sync away and certain.
func (w *writer) submit(ctx context.Context, j *job) error {
	j.done = make(chan struct{})
	if err := ctx.Err(); err != nil {
		return err
	}
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return store.ErrClosed
	}
	w.waiting = append(w.waiting, j)
	w.mu.Unlock()
	w.signal()
	select {
	case <-j.done:
	case <-ctx.Done():
		if w.withdraw(j) {
			return ctx.Err()
		}
		<-j.done
	}
	return j.err
}

func (w *writer) withdraw(j *job) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.waiting, j)
	if i < 0 {
		return false
	}
	w.waiting = slices.Delete(w.waiting, i, i+1)
	return true
}

func (w *writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// close refuses new jobs; run returns when the waiting ones are done.
func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.signal()
}

// run commits what waits until the writer is closed.
func (w *writer) run() {
	for {
		batch, closed := w.take()
		switch {
		case len(batch) > 0:
			w.commit(batch)
			// Those who were just answered run first: who of them has more to write is in the next
			// transaction, not in the one after it.
			runtime.Gosched()
		case closed:
			return
		default:
			<-w.wake
		}
	}
}

// take removes as many waiting jobs as one transaction may hold.
func (w *writer) take() (batch []*job, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, steps, bytes := 0, 0, 0
	for _, j := range w.waiting {
		steps, bytes = steps+j.steps, bytes+j.bytes
		if n > 0 && (steps > maxSteps || bytes > maxBytes) {
			break
		}
		n++
	}
	batch = slices.Clone(w.waiting[:n])
	w.waiting = slices.Delete(w.waiting, 0, n)
	return batch, w.closed
}

// commit runs a batch as one transaction and answers its callers. If one job cannot be run, the others
// must not suffer: each is then run alone.
func (w *writer) commit(batch []*job) {
	w.gate.Lock()
	err := w.transact(batch)
	if err != nil && len(batch) > 1 && !ofMachine(err) {
		for i, j := range batch {
			j.err = w.transact(batch[i : i+1])
		}
	} else {
		for _, j := range batch {
			j.err = err
		}
	}
	pages, _, _ := w.conn.raw.(sqlite.DBStatus).Status(sqlite.DBStatusCacheWrite, true)
	w.gate.Unlock()
	for _, j := range batch {
		close(j.done)
	}
	w.db.checkpointer.grew(pages)
}

func (w *writer) transact(batch []*job) (err error) {
	defer func() {
		if err != nil {
			// Without an open transaction this is refused, and nothing is lost: SQLite ends a
			// transaction by itself after some errors.
			w.conn.exec("ROLLBACK")
			err = fmt.Errorf("write: %w", fault(err))
		}
	}()
	if _, err := w.conn.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	changed := false
	for _, j := range batch {
		c, err := j.run(w.conn)
		if err != nil {
			return err
		}
		changed = changed || c
	}
	if _, err := w.conn.exec("COMMIT"); err != nil {
		return err
	}
	if changed {
		w.db.counts.commits.Add(1)
	}
	return nil
}
