package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// maxItem is the size of the largest item with its attributes, in bytes.
const maxItem = 400 << 10

const (
	insert = `INSERT INTO items (pk, sk, rev, list, list_sort, due_shard, due_at, trouble, expires, data)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`
	assign = ` SET rev = ?3, list = ?4, list_sort = ?5, due_shard = ?6, due_at = ?7, trouble = ?8, expires = ?9, data = ?10`

	putAlways    = insert + ` ON CONFLICT (pk, sk) DO UPDATE` + assign
	putAbsent    = insert + ` ON CONFLICT (pk, sk) DO NOTHING`
	putOrExpired = insert + ` ON CONFLICT (pk, sk) DO UPDATE` + assign + ` WHERE items.expires <= ?11`
	putAtRev     = `UPDATE items` + assign + ` WHERE pk = ?1 AND sk = ?2 AND rev = ?11`
	// SQLite writes an index again for every column that is assigned, whether or not its value changes. A
	// message's list and expiry never do, so the usual update leaves those two indexes alone.
	putAtRevInPlace = `UPDATE items SET rev = ?3, due_shard = ?6, due_at = ?7, trouble = ?8, data = ?10
		WHERE pk = ?1 AND sk = ?2 AND rev = ?11 AND list IS ?4 AND list_sort = ?5 AND expires IS ?9`

	deleteAlways  = `DELETE FROM items WHERE pk = ?1 AND sk = ?2`
	deleteExpired = deleteAlways + ` AND expires <= ?3`
	deleteAtRev   = deleteAlways + ` AND rev = ?3`
)

// Write implements [store.Driver]. Sequences of one call are committed together as far as the bounds of
// a transaction allow; a call that returns [store.ErrTooLarge] wrote nothing.
func (db *DB) Write(ctx context.Context, now message.Time, sequences ...[]store.Op) ([]store.Result, error) {
	sizes := make([]int, len(sequences))
	for i, seq := range sequences {
		for j := range seq {
			n, err := check(&seq[j])
			if err != nil {
				return nil, fmt.Errorf("write: %w", err)
			}
			sizes[i] += n
		}
	}
	results := make([]store.Result, len(sequences))
	for from := 0; from < len(sequences); {
		to, bytes := from, 0
		for to < len(sequences) && to-from < maxSteps && (to == from || bytes+sizes[to] <= maxBytes) {
			bytes += sizes[to]
			to++
		}
		part, out := sequences[from:to], results[from:to]
		err := db.writer.submit(ctx, &job{steps: len(part), bytes: bytes, run: func(c *conn) (changed bool, err error) {
			for i, seq := range part {
				if out[i], err = sequence(c, seq, now); err != nil {
					return false, err
				}
				changed = changed || out[i].Applied > 0
			}
			return changed, nil
		}})
		if err != nil {
			return nil, err
		}
		db.counts.sequences.Add(int64(len(part)))
		from = to
	}
	return results, nil
}

// sequence applies elements until one is refused.
func sequence(c *conn, seq []store.Op, now message.Time) (store.Result, error) {
	for i := range seq {
		op := &seq[i]
		if op.Cond == store.Vacant {
			holder, err := first(c, op.Item.PK)
			if err != nil || holder != nil {
				return store.Result{Applied: i, Holder: holder}, err
			}
			continue
		}
		ok, err := apply(c, op, int64(now)/1000)
		if err != nil {
			return store.Result{}, err
		}
		if ok {
			continue
		}
		holder, err := get(c, op.Item.Key)
		if err != nil {
			return store.Result{}, err
		}
		if holder == nil && op.Delete && op.Cond != store.AtRev {
			continue // there was nothing to delete, which is what the condition allows
		}
		return store.Result{Applied: i, Holder: holder}, nil
	}
	return store.Result{Applied: len(seq)}, nil
}

// apply runs one element and tells whether a row was changed.
func apply(c *conn, op *store.Op, now int64) (bool, error) {
	it := &op.Item
	var n int64
	var err error
	if op.Delete {
		switch op.Cond {
		case store.Always:
			n, err = c.exec(deleteAlways, it.PK, it.SK)
		case store.Absent: // deletes nothing: holds, or is refused by what is there
		case store.AbsentOrExpired:
			n, err = c.exec(deleteExpired, it.PK, it.SK, now)
		case store.AtRev:
			n, err = c.exec(deleteAtRev, it.PK, it.SK, op.At)
		}
		return n > 0, err
	}
	data := it.Data
	if data == nil {
		data = []byte{} // nil would be NULL
	}
	args := [11]driver.Value{it.PK, it.SK, it.Rev, null(it.List), it.ListSort, null(it.DueShard), int64(it.DueAt),
		null(it.Trouble), nil, data}
	if it.Expires != 0 {
		args[8] = it.Expires
	}
	switch op.Cond {
	case store.Always:
		n, err = c.exec(putAlways, args[:10]...)
	case store.Absent:
		n, err = c.exec(putAbsent, args[:10]...)
	case store.AbsentOrExpired:
		args[10] = now
		n, err = c.exec(putOrExpired, args[:]...)
	case store.AtRev:
		args[10] = op.At
		if n, err = c.exec(putAtRevInPlace, args[:]...); err == nil && n == 0 {
			n, err = c.exec(putAtRev, args[:]...)
		}
	}
	return n > 0, err
}

// null keeps an item without the attribute out of its index.
func null(s string) driver.Value {
	if s == "" {
		return nil
	}
	return s
}

// check validates an element and returns its size in bytes.
func check(op *store.Op) (int, error) {
	it := &op.Item
	if op.Cond == store.Vacant {
		if it.SK != "" || op.Delete {
			return 0, errors.New("a partition that is to be vacant has no sort key, and nothing to delete")
		}
		return len(it.PK), checkText(it.PK)
	}
	if err := checkKey(it.Key); err != nil {
		return 0, err
	}
	if op.Cond > store.Vacant {
		return 0, fmt.Errorf("unknown condition %d", op.Cond)
	}
	if !op.Delete && it.Rev <= 0 {
		return 0, errors.New("the revision must be above 0")
	}
	if it.DueAt < 0 {
		return 0, errors.New("the due time is before 1970")
	}
	n := len(it.PK) + len(it.SK) + len(it.Data) + len(it.List) + len(it.ListSort) + len(it.DueShard) + len(it.Trouble)
	if n > maxItem {
		return 0, fmt.Errorf("%w: %d bytes, %d are allowed", store.ErrTooLarge, n, maxItem)
	}
	return n, nil
}

// checkKey holds keys to what every driver can keep. It does not repeat them: they may derive from what
// is nobody else's business.
func checkKey(k store.Key) error {
	if err := checkText(k.PK); err != nil {
		return err
	}
	return checkText(k.SK)
}

func checkText(s string) error {
	if len(s) < 1 || len(s) > 512 {
		return fmt.Errorf("a key has %d bytes, 1 to 512 are allowed", len(s))
	}
	for i := range len(s) {
		if s[i] == 0 || s[i] > 0x7f {
			return errors.New("a key must be ASCII")
		}
	}
	return nil
}
