package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// maxPage ends a page early, in bytes of data, so that a page of large items fits into memory.
const maxPage = 1 << 20

// scan is how an index is read: its name, the columns of its value and order, and what is returned.
// The row's id follows the columns, so that it breaks ties and makes every place in an index unique.
type scan struct{ value, sort, columns string }

func scanOf(i store.Index) (scan, error) {
	const keys = `pk, sk, rev, list_sort, due_at`
	switch i {
	case store.ByPartition:
		return scan{"pk", "sk", itemColumns}, nil
	case store.ByList:
		return scan{"list", "list_sort", keys}, nil
	case store.ByDue:
		return scan{"due_shard", "due_at", keys}, nil
	case store.ByTrouble:
		return scan{"trouble", "sk", keys}, nil
	}
	return scan{}, fmt.Errorf("unknown index %d", i)
}

// sql reads from behind the place (?2, ?3) to the sort key ?4. SQLite seeks to the sort key and steps over
// the ids of a tie, which is quick, as the index has them.
func (s scan) sql(desc bool) string {
	text := `SELECT ` + s.columns + `, id FROM items WHERE ` + s.value + ` = ?1 AND `
	if desc {
		return text + `(` + s.sort + `, id) < (?2, ?3) AND ` + s.sort + ` >= ?4 ORDER BY ` + s.sort + ` DESC, id DESC LIMIT ?5`
	}
	return text + `(` + s.sort + `, id) > (?2, ?3) AND ` + s.sort + ` < ?4 ORDER BY ` + s.sort + `, id LIMIT ?5`
}

// Query implements [store.Driver]. Pages are never behind the items.
func (db *DB) Query(ctx context.Context, q store.Query) (page store.Page, err error) {
	s, err := scanOf(q.Index)
	if err != nil {
		return page, fmt.Errorf("query: %w", err)
	}
	args, err := arguments(q)
	if err != nil {
		return page, fmt.Errorf("query: %w", err)
	}
	c, err := db.reader(ctx)
	if err != nil {
		return page, err
	}
	defer db.done(c)
	size, last := 0, ""
	err = c.query(context.Background(), s.sql(q.Desc), func(row []driver.Value) bool {
		if len(page.Items) == q.Limit || size >= maxPage {
			page.Next = last
			return false
		}
		var it store.Item
		if q.Index == store.ByPartition {
			it = *item(row)
		} else {
			it = keyItem(row)
		}
		id, _ := row[len(row)-1].(int64)
		last = cursor(q.Index, &it, id)
		size += len(it.Data)
		page.Items = append(page.Items, it)
		return true
	}, args...)
	if err != nil {
		return store.Page{}, fmt.Errorf("query: %w", fault(err))
	}
	return page, nil
}

// arguments turns a range into the statement's parameters. Row ids are above 0, so (From, 0) lies just
// before the first item of From, and likewise (To, 0) just after the last item below To.
func arguments(q store.Query) ([]driver.Value, error) {
	if q.Limit < 1 || q.Limit > 1000 {
		return nil, fmt.Errorf("limit %d is not within 1 to 1000", q.Limit)
	}
	from, to, err := bounds(q)
	if err != nil {
		return nil, err
	}
	start, end := from, to
	if q.Desc {
		start, end = to, from
	}
	id := int64(0)
	if q.After != "" {
		if start, id, err = place(q.Index, q.After); err != nil {
			return nil, err
		}
	}
	return []driver.Value{q.Value, start, id, end, int64(q.Limit) + 1}, nil
}

func bounds(q store.Query) (from, to driver.Value, err error) {
	if q.Index != store.ByDue {
		if q.To == "" {
			return q.From, "\xff", nil // above every ASCII key
		}
		return q.From, q.To, nil
	}
	from, to = int64(0), int64(math.MaxInt64)
	if q.From != "" {
		if from, err = instant(q.From); err != nil {
			return nil, nil, err
		}
	}
	if q.To != "" {
		if to, err = instant(q.To); err != nil {
			return nil, nil, err
		}
	}
	return from, to, nil
}

func instant(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || store.DueSort(message.Time(n)) != s {
		return 0, errors.New("a bound of the due index is not printed with DueSort")
	}
	return n, nil
}

// cursor prints a place in an index: the row's id and the sort key.
func cursor(i store.Index, it *store.Item, id int64) string {
	sort := it.SK
	switch i {
	case store.ByList:
		sort = it.ListSort
	case store.ByDue:
		sort = store.DueSort(it.DueAt)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(id, 10) + " " + sort))
}

// place reads what cursor printed.
func place(i store.Index, s string) (sort driver.Value, id int64, err error) {
	bad := store.ErrCursor
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil, 0, bad
	}
	n, key, ok := strings.Cut(string(b), " ")
	if id, err = strconv.ParseInt(n, 10, 64); err != nil || !ok || id <= 0 {
		return nil, 0, bad
	}
	if i != store.ByDue {
		return key, id, nil
	}
	at, err := instant(key)
	if err != nil {
		return nil, 0, bad
	}
	return at, id, nil
}
