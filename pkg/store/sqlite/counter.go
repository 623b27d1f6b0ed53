package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"

	"github.com/opennotify/notify/pkg/store"
)

// An item of counters is a row like any other, with revision 0 and the counters as its data: then it is
// read, listed, deleted and purged like any other too. The only writer adds to what it reads, so nothing
// is lost.
const (
	getCounters = `SELECT data FROM items WHERE pk = ?1 AND sk = ?2`
	putCounters = `INSERT INTO items (pk, sk, rev, list_sort, due_at, expires, data) VALUES (?1, ?2, 0, '', 0, ?3, ?4)
		ON CONFLICT (pk, sk) DO UPDATE SET expires = coalesce(?3, expires), data = ?4`
)

// counters are the changes of one item, and what they made of it.
type counters struct {
	key     store.Key
	deltas  map[string]int64
	expires int64
	sums    map[string]int64
}

// Add implements [store.Driver]. All deltas of a call are applied, or none; an Expires of 0 leaves what
// the item has.
func (db *DB) Add(ctx context.Context, deltas ...store.Delta) ([]int64, error) {
	var items []*counters
	at := map[store.Key]*counters{}
	size := 0
	for _, d := range deltas {
		if err := checkKey(d.Key); err != nil {
			return nil, fmt.Errorf("add: %w", err)
		}
		c := at[d.Key]
		if c == nil {
			c = &counters{key: d.Key, deltas: map[string]int64{}}
			at[d.Key] = c
			items = append(items, c)
		}
		c.deltas[d.Field] += d.N
		if d.Expires != 0 {
			c.expires = d.Expires
		}
		size += len(d.PK) + len(d.SK) + len(d.Field) + 8
	}
	if len(items) == 0 {
		return nil, ctx.Err()
	}
	err := db.writer.submit(ctx, &job{bytes: size, run: func(c *conn) (bool, error) {
		for _, it := range items {
			if err := add(c, it); err != nil {
				return false, err
			}
		}
		return true, nil
	}})
	if err != nil {
		return nil, err
	}
	out := make([]int64, len(deltas))
	for i, d := range deltas {
		out[i] = at[d.Key].sums[d.Field]
	}
	return out, nil
}

func add(c *conn, it *counters) error {
	sums := map[string]int64{}
	var bad error
	err := c.query(context.Background(), getCounters, func(row []driver.Value) bool {
		data, _ := row[0].([]byte)
		bad = json.Unmarshal(data, &sums)
		return false
	}, it.key.PK, it.key.SK)
	if err != nil {
		return err
	}
	if bad != nil {
		return fmt.Errorf("add: the item does not hold counters: %w", bad)
	}
	for field, n := range it.deltas {
		sums[field] += n
	}
	data, err := json.Marshal(sums)
	if err != nil {
		return err
	}
	if len(data) > maxItem {
		return fmt.Errorf("%w: %d bytes of counters, %d are allowed", store.ErrTooLarge, len(data), maxItem)
	}
	var expires driver.Value
	if it.expires != 0 {
		expires = it.expires
	}
	_, err = c.exec(putCounters, it.key.PK, it.key.SK, expires, data)
	it.sums = sums
	return err
}
