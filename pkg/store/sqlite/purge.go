package sqlite

import (
	"context"

	"github.com/opennotify/notify/pkg/message"
)

// purgeChunk is how many items one transaction removes: few enough that writers barely notice.
const purgeChunk = 200

const purgeItems = `DELETE FROM items WHERE id IN (SELECT id FROM items WHERE expires <= ?1 ORDER BY expires LIMIT ?2)`

// Purge removes up to limit items whose Expires is at or before now, the oldest first, and returns how
// many. It works in small transactions between those of other writers; after an error, what it removed
// stays removed.
func (db *DB) Purge(ctx context.Context, now message.Time, limit int) (int, error) {
	total := 0
	for total < limit {
		chunk, removed := min(purgeChunk, limit-total), int64(0)
		err := db.writer.submit(ctx, &job{steps: chunk, run: func(c *conn) (_ bool, err error) {
			removed, err = c.exec(purgeItems, int64(now)/1000, int64(chunk))
			return removed > 0, err
		}})
		if err != nil {
			return total, err
		}
		total += int(removed)
		if int(removed) < chunk {
			break
		}
	}
	return total, nil
}
