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
	To      string // masked, or in full: see Failures; "" when it is erased
	Channel message.Channel
	Status  message.Status
	Code    string // the provider's
	Text    string
}

// named tells whether a principal is the tenant's own system, which named the recipients. A person who has uploaded a
// list has it.
func named(p tenant.Principal, of string) bool {
	return p.May(tenant.Send) && p.Steers(of) && !p.ByHand()
}

// Failed is a run's failures, as somebody may see them.
type Failed struct {
	of   *Campaigns
	by   tenant.Principal
	run  store.Job
	full bool
}

// Failures opens the list of a run's failures. It has recipients in full for the system that named them, and for who
// may reveal them: who does is in the audit before.
func (c *Campaigns) Failures(ctx context.Context, p tenant.Principal, id string) (Failed, error) {
	if err := reads(p); err != nil {
		return Failed{}, err
	}
	j, err := c.job(ctx, p, id)
	if err != nil {
		return Failed{}, err
	}
	own := named(p, j.Tenant)
	if !own && p.May(tenant.Reveal) {
		err := c.Store.AddDeed(ctx, p, c.now(), store.Deed{What: "revealed", Kind: KindRun, Object: j.ID, Tenant: j.Tenant, Reason: "its failures as a file"})
		if err != nil {
			return Failed{}, unavailable(err)
		}
	}
	return Failed{c, p, j, own || p.May(tenant.Reveal)}, nil
}

// Page reads some of the list.
func (f Failed) Page(ctx context.Context, limit int, after string) ([]Failure, string, error) {
	found, err := f.of.Store.RunTroubles(ctx, f.by, f.run.Tenant, f.run.ID, f.run.Created, limit, after)
	if err != nil {
		return nil, "", unavailable(err)
	}
	out := make([]Failure, 0, len(found.Records))
	for _, r := range found.Records {
		to, err := f.of.Store.Address(ctx, r)
		if err != nil && !errors.Is(err, store.ErrErased) {
			return nil, "", unavailable(err)
		}
		x := Failure{Row: r.Place, ID: r.ID, To: to.String(), Channel: r.Channel, Status: r.Status, Code: r.Reason}
		if f.full {
			x.To = string(to)
		}
		if a := r.Last(); a != nil {
			x.Code, x.Text = a.Code, a.Text
		}
		out = append(out, x)
	}
	return out, found.Next, nil
}

// BadRow is a row that no message was made of, and why.
type BadRow struct {
	Row int
	// What the list says: of a CSV file, or of JSON lines. Both are empty for who may change nothing of the tenant's
	// and reveal nobody.
	Cells  []string
	Line   string
	Faults []audience.Fault
}

// BadRows reads the rows that are wrong, page by page of reading: the columns of the file, and rows.
func (c *Campaigns) BadRows(ctx context.Context, p tenant.Principal, id, after string) (columns []string, rows []BadRow, next string, err error) {
	if err := reads(p); err != nil {
		return nil, nil, "", err
	}
	j, err := c.job(ctx, p, id)
	if err != nil {
		return nil, nil, "", err
	}
	shown := p.May(tenant.Reveal) || changes(p, j.Tenant) == nil
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
		if !shown {
			row.Cells, row.Line = nil, ""
		}
		rows = append(rows, BadRow{row.N, row.Cells, row.Line, row.Faults})
	}
	if err := in.Err(); err != nil {
		return nil, nil, "", unavailable(err)
	}
	return columns, rows, next, nil
}
