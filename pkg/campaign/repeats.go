package campaign

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/opennotify/notify/pkg/blob"
)

// Rows whose recipient had a row before are remembered by number while an audience is read, a list for each
// page that has some: a dry run leaves them out, as sending does.

func (r *run) repeatsPrefix() string { return "runs/" + r.ID + "/repeats/" }

// repeatsKey is that of a list by its first row.
func (r *run) repeatsKey(row int) string { return r.repeatsPrefix() + fmt.Sprintf("%07d", row) }

// keepRepeats keeps those of a page of reading, in the order of the rows.
func (c *Campaigns) keepRepeats(ctx context.Context, r *run, rows []int) error {
	if len(rows) == 0 {
		return nil
	}
	b, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("campaign: repeats of run %s: %w", r.ID, err)
	}
	return c.Blobs.Put(ctx, r.repeatsKey(rows[0]), b)
}

// firsts leaves out the lines that are repeats, and says how many those were. Lines are in the order of the
// rows.
func (c *Campaigns) firsts(ctx context.Context, r *run, lines []Line) ([]Line, int64, error) {
	if r.Counts["repeats"] == 0 || len(lines) == 0 {
		return lines, 0, nil
	}
	first, last := lines[0].N, lines[len(lines)-1].N
	keys, err := c.repeats(ctx, r, first, last)
	if err != nil {
		return nil, 0, err
	}
	// The list that begins at or before the first line may reach into these; so do those that begin within.
	from, _ := slices.BinarySearch(keys, r.repeatsKey(first+1))
	end, _ := slices.BinarySearch(keys, r.repeatsKey(last+1))
	repeated := map[int]bool{}
	for _, key := range keys[max(from-1, 0):end] {
		b, err := c.whole(ctx, key)
		if err != nil {
			return nil, 0, err
		}
		var rows []int
		if err := json.Unmarshal(b, &rows); err != nil {
			return nil, 0, fmt.Errorf("campaign: repeats of run %s: %w", r.ID, err)
		}
		for _, n := range rows {
			repeated[n] = true
		}
	}
	all := int64(len(lines))
	lines = slices.DeleteFunc(lines, func(l Line) bool { return repeated[l.N] })
	return lines, all - int64(len(lines)), nil
}

// repeats lists those that may hold a row from first to last, and perhaps others: no list is of more rows than a page of
// reading has.
func (c *Campaigns) repeats(ctx context.Context, r *run, first, last int) (keys []string, err error) {
	after := ""
	if first > readRows {
		after = r.repeatsKey(first - readRows)
	}
	for {
		some, err := c.Blobs.List(ctx, r.repeatsPrefix(), after)
		if err != nil {
			return nil, err
		}
		keys = append(keys, some...)
		if len(some) < blob.MaxList || some[len(some)-1] > r.repeatsKey(last) {
			return keys, nil
		}
		after = some[len(some)-1]
	}
}
