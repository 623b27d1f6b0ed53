package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

const (
	itemColumns = `pk, sk, rev, list_sort, due_at, list, due_shard, trouble, expires, data`
	getItem     = `SELECT ` + itemColumns + ` FROM items WHERE pk = ?1 AND sk = ?2`
	firstItem   = `SELECT ` + itemColumns + ` FROM items WHERE pk = ?1 ORDER BY sk LIMIT 1`
)

// Get implements [store.Driver].
func (db *DB) Get(ctx context.Context, keys ...store.Key) ([]*store.Item, error) {
	for _, k := range keys {
		if err := checkKey(k); err != nil {
			return nil, fmt.Errorf("get: %w", err)
		}
	}
	c, err := db.reader(ctx)
	if err != nil {
		return nil, err
	}
	defer db.done(c)
	items := make([]*store.Item, len(keys))
	for i, k := range keys {
		if items[i], err = get(c, k); err != nil {
			return nil, fmt.Errorf("get: %w", fault(err))
		}
	}
	return items, nil
}

func get(c *conn, k store.Key) (*store.Item, error) { return one(c, getItem, k.PK, k.SK) }

// first is the first item of a partition; nil if it is vacant.
func first(c *conn, pk string) (*store.Item, error) { return one(c, firstItem, pk) }

func one(c *conn, sql string, args ...driver.Value) (it *store.Item, err error) {
	err = c.query(context.Background(), sql, func(row []driver.Value) bool {
		it = item(row)
		return false
	}, args...)
	return it, err
}

// reader takes a connection out of the pool.
func (db *DB) reader(ctx context.Context) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-db.stop:
		return nil, store.ErrClosed
	default:
	}
	select {
	case c := <-db.readers:
		return c, nil
	case <-db.stop:
		return nil, store.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (db *DB) done(c *conn) { db.readers <- c }

// item reads a row of itemColumns.
func item(row []driver.Value) *store.Item {
	it := keyItem(row)
	it.List, _ = row[5].(string)
	it.DueShard, _ = row[6].(string)
	it.Trouble, _ = row[7].(string)
	it.Expires, _ = row[8].(int64)
	it.Data, _ = row[9].([]byte)
	return &it
}

// keyItem reads what the first columns have in common with "keys only" pages.
func keyItem(row []driver.Value) (it store.Item) {
	it.PK, _ = row[0].(string)
	it.SK, _ = row[1].(string)
	it.Rev, _ = row[2].(int64)
	it.ListSort, _ = row[3].(string)
	due, _ := row[4].(int64)
	it.DueAt = message.Time(due)
	return it
}
