package campaign

import (
	"context"
	"errors"
	"io"

	"github.com/opennotify/notify/pkg/audience"
	"github.com/opennotify/notify/pkg/blob"
	"github.com/opennotify/notify/pkg/job"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
)

// page does a page of a run.
func (c *Campaigns) page(ctx context.Context, j store.Job) (job.Step, error) {
	r, err := openRun(j)
	if err != nil {
		return job.Step{}, err
	}
	switch why, err := c.overtaken(ctx, r); {
	case err != nil:
		return job.Step{}, err
	case why != "" && r.Page == 0:
		return job.Step{Stopped: why}, nil
	case why != "": // what was made has to be taken back
		_, err := c.Jobs.Steer(ctx, c.as, r.ID, store.JobStopping, why)
		return job.Step{Cursor: j.Cursor}, err
	}
	var step job.Step
	switch r.at.Phase {
	case reading:
		step, err = c.read(ctx, r)
	case weighing:
		step, err = c.weigh(ctx, r)
	case expanding:
		step, err = c.expand(ctx, r)
	default:
		step, err = c.follow(ctx, r)
	}
	if gone(err) { // it is kept for a month, and nobody let the run go on for longer
		step, err = job.Step{Failed: unkept}, nil
	}
	if step.Failed != "" {
		c.tell(ctx, r, step.Failed)
	}
	if err == nil {
		step.Cursor, err = r.cursor()
	}
	return step, err
}

// tell says in the log that a run's owner has to be told. The run's record says so too.
func (c *Campaigns) tell(ctx context.Context, r *run, why string) {
	c.Log.ErrorContext(ctx, "run failed; its owner is to be told", "run", r.ID, "tenant", r.Tenant, "schedule", r.Schedule, "owner", r.Owner, "why", why)
}

// lines reads rows of the audience from where the run is, and moves the run behind them. Rows that are
// wrong in form are given beside the others. At the end of the audience it gives io.EOF, perhaps with rows.
func (c *Campaigns) lines(ctx context.Context, r *run, b *audience.Binding, most int) (lines []Line, bad []badRow, err error) {
	for len(lines)+len(bad) < most && r.at.Part < max(r.at.Parts, 1) {
		src, err := c.Blobs.Open(ctx, r.part(r.at.Part), r.at.At.Offset)
		if err != nil {
			return nil, nil, err
		}
		err = some(src, r, func(row audience.Row) bool {
			line, faults := readRow(b, row)
			if len(faults) > 0 {
				bad = append(bad, badRow{row.N, row.Cells, string(row.Line), faults})
			} else {
				lines = append(lines, line)
			}
			return len(lines)+len(bad) < most
		})
		if err = errors.Join(err, src.Close()); err != nil {
			return nil, nil, err
		}
	}
	if r.at.Part >= max(r.at.Parts, 1) {
		return lines, bad, io.EOF
	}
	return lines, bad, nil
}

// some gives rows of the part that the run is at, until take has enough or the part ends.
func some(src io.Reader, r *run, take func(audience.Row) bool) error {
	rows, err := audience.NewReader(src, r.Audience.Format, r.at.At)
	if err != nil {
		return err
	}
	for {
		row, err := rows.Next()
		r.at.At = rows.Place()
		switch {
		case err == io.EOF:
			r.at.Part++
			r.at.At.Offset = 0
			return nil
		case err != nil:
			return err
		case !take(row):
			return nil
		}
	}
}

func readRow(b *audience.Binding, row audience.Row) (Line, []audience.Fault) {
	if len(row.Faults) > 0 {
		return Line{}, row.Faults
	}
	to, faults := b.Read(row)
	return Line{N: row.N, Recipient: to}, faults
}

// bind finds the columns of the file for the template's variables. It is asked for on every page: the
// header is in the cursor, the template is remembered.
func (c *Campaigns) bind(ctx context.Context, r *run, names []string) (*audience.Binding, []problem.Field, error) {
	owner, name := templateOf(r.Tenant, r.Template)
	t, err := c.Config.Version(ctx, message.Ref{Tenant: owner, Name: name, Version: r.Version})
	if err != nil {
		return nil, nil, err
	}
	b, faults := audience.Bind(r.Audience.Format, names, r.Audience.Columns, t.Template().Variables)
	return b, faults, nil
}

// unkept is why a run fails whose rows are there no more.
const unkept = "its audience is no longer kept; upload it again"

// gone tells whether an audience's object is not there.
func gone(err error) bool { return errors.Is(err, blob.ErrNotFound) }
