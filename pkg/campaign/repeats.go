package campaign

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// Rows whose recipient had a row before are remembered by number while an audience is read, a list for each
// page that has some: a dry run leaves them out, as sending does.

func (r *run) repeatsPrefix() string { return "runs/" + r.ID + "/repeats/" }

// keepRepeats keeps those of a page of reading, in the order of the rows.
func (c *Campaigns) keepRepeats(ctx context.Context, r *run, rows []int) error {
	if len(rows) == 0 {
		return nil
	}
	b, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("campaign: repeats of run %s: %w", r.ID, err)
	}
	return c.Blobs.Put(ctx, r.repeatsPrefix()+fmt.Sprintf("%07d", rows[0]), b)
}

// firsts leaves out the lines that are repeats, and says how many those were. Lines are in the order of the
// rows.
func (c *Campaigns) firsts(ctx context.Context, r *run, lines []Line) ([]Line, int64, error) {
	if r.Counts["repeats"] == 0 || len(lines) == 0 {
		return lines, 0, nil
	}
	keys, err := c.Blobs.List(ctx, r.repeatsPrefix(), "")
	if err != nil {
		return nil, 0, err
	}
	// The list that begins at or before the first line may reach into these; so do those that begin within.
	from, _ := slices.BinarySearch(keys, r.repeatsPrefix()+fmt.Sprintf("%07d", lines[0].N+1))
	end, _ := slices.BinarySearch(keys, r.repeatsPrefix()+fmt.Sprintf("%07d", lines[len(lines)-1].N+1))
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
