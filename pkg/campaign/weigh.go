package campaign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/opennotify/notify/pkg/audience"
	"github.com/opennotify/notify/pkg/job"
	"github.com/opennotify/notify/pkg/message"
)

// weighRows is how many rows a page weighs.
const weighRows = 500

// Counts of a run's record that are not named by a word of their own.
const (
	weighed = "weighed_"      // of a dry run: valid, suppressed, capped, duplicate, refused, repeated
	costing = "weighed_cost_" // and the currency: in millionths
)

// weigh says of a page what would become of it, and makes nothing. At the end the run waits for somebody's
// word.
func (c *Campaigns) weigh(ctx context.Context, r *run) (job.Step, error) {
	lines, bad, err := c.bound(ctx, r, weighRows)
	end := errors.Is(err, io.EOF)
	if err != nil && !end {
		return job.Step{}, err
	}
	lines, again, err := c.firsts(ctx, r, lines)
	if err != nil {
		return job.Step{}, err
	}
	counts := map[string]int64{weighed + "refused": int64(len(bad)), weighed + "repeated": again}
	if len(lines) > 0 {
		weights, err := c.Intake.Weigh(ctx, r.as, r.order(lines))
		if err != nil {
			return job.Step{}, err
		}
		for _, w := range weights {
			counts[weighed+w.word()]++
			if w.Problem == nil && w.Stopped == "" && !w.Duplicate {
				counts[costing+w.Currency] += int64(math.Round(w.Cost * 1e6))
				counts[weighed+"segments"] += int64(w.Segments)
			}
		}
	}
	if end {
		r.rewind(expanding)
	}
	return job.Step{Counts: counts, Asks: end}, nil
}

func (w *Weight) word() string {
	switch {
	case w.Problem != nil:
		return "refused"
	case strings.HasPrefix(w.Stopped, "cap"):
		return "capped"
	case w.Stopped != "":
		return "suppressed"
	case w.Duplicate:
		return "duplicate"
	}
	return "valid"
}

// bound reads lines with the columns that the file has. The header is known once a row was read, so what is
// at the very beginning is read in two goes.
func (c *Campaigns) bound(ctx context.Context, r *run, most int) ([]Line, []badRow, error) {
	if r.Audience.Format == audience.CSV && r.at.At.Columns == nil {
		src, err := c.Blobs.Open(ctx, r.part(0), 0)
		if err != nil {
			return nil, nil, err
		}
		rows, err := audience.NewReader(src, audience.CSV, audience.Place{})
		if err = errors.Join(err, src.Close()); err != nil {
			return nil, nil, err
		}
		r.at.At = rows.Place()
	}
	b, faults, err := c.bind(ctx, r, r.at.At.Columns)
	if err != nil {
		return nil, nil, err
	}
	if len(faults) > 0 {
		return nil, nil, fmt.Errorf("campaign: the columns of run %s are no longer found: %s", r.ID, faults[0].Detail)
	}
	return c.lines(ctx, r, b, most)
}

// templateOf splits what a request calls a template.
func templateOf(tenant, name string) (owner, bare string) {
	if owner, bare, ok := strings.Cut(name, "/"); ok {
		return owner, bare
	}
	return tenant, name
}

// lane is where the run's messages travel.
func (r *run) lane() message.Lane { return r.Class.Defaults().Lane }
