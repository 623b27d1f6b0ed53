package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync/atomic"
)

const (
	pageSize = 4096 // bytes, SQLite's default
	// checkpointAt is how many pages are logged before they are copied into the file.
	checkpointAt = 4000
	// maxLog is how many pages the log may have before writers are held for the moment that it takes to
	// start it over. Copying alone does not: commits that come meanwhile keep the log in use.
	maxLog = 16000
)

// checkpointer copies the log into the file on a connection of its own, so that no commit waits for it.
type checkpointer struct {
	db     *DB
	conn   *conn
	logged atomic.Int64  // pages since the last copy began
	due    chan struct{} // holds a token if logged is over checkpointAt
}

func newCheckpointer(db *DB, opts Options) (*checkpointer, error) {
	c, err := dial(db.path)
	if err != nil {
		return nil, err
	}
	k := &checkpointer{db: db, conn: c, due: make(chan struct{}, 1)}
	// The timeout bounds how long writers are held when a long read keeps the log from being started over.
	err = c.script("PRAGMA synchronous = " + opts.synchronous() + "; PRAGMA busy_timeout = 20; PRAGMA cache_size = -100")
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return k, nil
}

// grew counts pages that a commit has logged.
func (k *checkpointer) grew(pages int) {
	if k.logged.Add(int64(pages)) < checkpointAt {
		return
	}
	select {
	case k.due <- struct{}{}:
	default:
	}
}

// run copies whenever it is due, until the file is closed.
func (k *checkpointer) run() {
	for {
		select {
		case <-k.due:
			k.checkpoint()
		case <-k.db.stop:
			return
		}
	}
}

// checkpoint never fails for good: a log that could not be copied now is copied later, and a disk that
// fails is reported to the writers that meet it.
func (k *checkpointer) checkpoint() {
	k.logged.Store(0)
	if log := k.copy("PRAGMA wal_checkpoint(PASSIVE)"); log > maxLog {
		k.db.writer.gate.Lock()
		defer k.db.writer.gate.Unlock()
		k.copy("PRAGMA wal_checkpoint(RESTART)")
	}
}

// copy returns how many pages the log has.
func (k *checkpointer) copy(pragma string) (log int64) {
	err := k.conn.query(context.Background(), pragma, func(row []driver.Value) bool {
		log, _ = row[1].(int64) // 0 is whether it was kept from finishing, 2 how many pages are copied
		return true
	})
	if err == nil {
		k.db.counts.checkpoints.Add(1)
	}
	return log
}
