package campaign

import (
	"bufio"
	"context"
	"errors"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/audience"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Failure is a row whose message did not arrive, as far as is known.
type Failure struct {
	Row     int
	ID      message.ID
	To      string // "" when it is erased
	Channel message.Channel
	Status  message.Status
	Code    string // the provider's
	Text    string
}

// Failures reads a page of a run's failures.
func (c *Campaigns) Failures(ctx context.Context, p tenant.Principal, id string, limit int, after string) ([]Failure, string, error) {
	if err := reads(p); err != nil {
		return nil, "", err
	}
	j, err := c.job(ctx, p, id)
	if err != nil {
		return nil, "", err
	}
	found, err := c.Store.RunTroubles(ctx, p, j.Tenant, j.ID, j.Created, limit, after)
	if err != nil {
		return nil, "", unavailable(err)
	}
	out := make([]Failure, 0, len(found.Records))
	for _, r := range found.Records {
		to, err := c.Store.Address(ctx, r)
		if err != nil && !errors.Is(err, store.ErrErased) {
			return nil, "", unavailable(err)
		}
		f := Failure{Row: r.Place, ID: r.ID, To: string(to), Channel: r.Channel, Status: r.Status, Code: r.Reason}
		if a := r.Last(); a != nil {
			f.Code, f.Text = a.Code, a.Text
		}
		out = append(out, f)
	}
	return out, found.Next, nil
}

// BadRow is a row that no message was made of, and why.
type BadRow struct {
	Row    int
	Cells  []string // of a CSV file
	Line   string   // of JSON lines
	Faults []audience.Fault
}

// BadRows reads the rows that are wrong, page by page of reading: the columns of the file, and rows.
func (c *Campaigns) BadRows(ctx context.Context, p tenant.Principal, id, after string) (columns []string, rows []BadRow, next string, err error) {
	if err := reads(p); err != nil {
		return nil, nil, "", err
	}
	if _, err := c.job(ctx, p, id); err != nil {
		return nil, nil, "", err
	}
	prefix := "runs/" + id + "/bad/"
	from := ""
	if after != "" {
		if len(after) != len("0000001") {
			return nil, nil, "", problem.Invalid(problem.At("query:after", problem.BadValue, "after must be the next of an earlier answer; leave it out to begin"))
		}
		from = prefix + after
	}
	keys, err := c.Blobs.List(ctx, prefix, from)
	if err != nil {
		return nil, nil, "", unavailable(err)
	}
	if len(keys) == 0 {
		return nil, []BadRow{}, "", nil
	}
	if len(keys) > 1 {
		next = keys[0][len(prefix):]
	}
	src, err := c.Blobs.Open(ctx, keys[0], 0)
	if err != nil {
		return nil, nil, "", unavailable(err)
	}
	defer src.Close()
	in := bufio.NewScanner(src)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		if columns == nil {
			var head badHead
			if err := json.Unmarshal(in.Bytes(), &head); err != nil {
				return nil, nil, "", unavailable(err)
			}
			columns = append([]string{}, head.Columns...)
			continue
		}
		var row badRow
		if err := json.Unmarshal(in.Bytes(), &row); err != nil {
			return nil, nil, "", unavailable(err)
		}
		rows = append(rows, BadRow{row.N, row.Cells, row.Line, row.Faults})
	}
	if err := in.Err(); err != nil {
		return nil, nil, "", unavailable(err)
	}
	return columns, rows, next, nil
}
