package campaign

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/opennotify/notify/pkg/audience"
	"github.com/opennotify/notify/pkg/job"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
)

// A page of reading: so many rows, or so many bytes.
const (
	readRows  = 5000
	readBytes = 8 << 20
	checkRows = 500 // at once
)

// badRow is a row that is wrong, with what it was.
type badRow struct {
	N      int              `json:"n"`
	Cells  []string         `json:"cells,omitzero"`
	Line   string           `json:"line,omitzero"`
	Faults []audience.Fault `json:"faults"`
}

// badHead is before the bad rows of a page.
type badHead struct {
	Columns []string `json:"columns"`
}

// read reads and checks a page of the audience, before anything is made of it: how many rows there are, which
// are wrong, which recipients come twice. What others can write is kept on the way, so that a run reads the same
// rows whenever it goes on: what was weighed is what is sent.
func (c *Campaigns) read(ctx context.Context, r *run) (job.Step, error) {
	switch {
	case r.Audience.Failures != "":
		r.at.Phase = expanding
		return job.Step{}, nil
	case r.Audience.URL != "":
		return c.pull(ctx, r)
	}
	key, first := r.Audience.Kept, r.at.At.Row == 0 && r.at.Parts == 0
	if key == "" {
		key = r.source()
	}
	size, err := c.Blobs.Size(ctx, key)
	switch {
	case gone(err):
		return job.Step{Failed: r.missing()}, nil
	case err != nil:
		return job.Step{}, err
	case !first && size != r.at.Size:
		return job.Step{Failed: "the file changed while it was read; put it there whole, under its name last of all"}, nil
	}
	r.at.Size = size
	src, err := c.Blobs.Open(ctx, key, r.at.At.Offset)
	if err != nil {
		return job.Step{}, err
	}
	defer src.Close()
	p, err := c.reader(ctx, r)
	if err != nil {
		return job.Step{}, err
	}
	var raw bytes.Buffer
	in, copies := io.Reader(src), r.Audience.others() && (first || r.at.Parts > 0)
	if copies {
		in = io.TeeReader(src, &raw)
	}
	from := r.at.At.Offset
	end, err := p.rows(ctx, in)
	var file *audience.FileError
	switch {
	case errors.As(err, &file):
		return job.Step{Failed: file.Detail}, nil
	case err != nil:
		return job.Step{}, err
	case p.failed != "":
		return job.Step{Failed: p.failed}, nil
	}
	if copies {
		if err := c.Blobs.Put(ctx, r.copied(r.at.Parts), raw.Bytes()[:r.at.At.Offset-from]); err != nil {
			return job.Step{}, err
		}
		r.at.Parts++
	}
	return c.wasRead(ctx, r, p, end)
}

// source is the key of the file that the tenant puts into his folder.
func (r *run) source() string {
	return "sources/" + r.Tenant + "/" + strings.ReplaceAll(r.Audience.Path, "{run_date}", r.Date)
}

func (r *run) missing() string {
	if r.Audience.Kept != "" {
		return unkept
	}
	return fmt.Sprintf("there is no file %s in the tenant's folder of sources", strings.ReplaceAll(r.Audience.Path, "{run_date}", r.Date))
}

// wasRead keeps what was found on a page of reading, and moves on.
func (c *Campaigns) wasRead(ctx context.Context, r *run, p *reader, end bool) (job.Step, error) {
	if err := p.keep(ctx); err != nil {
		return job.Step{}, err
	}
	counts := p.counts
	switch sum := r.Job.With(counts).Counts; {
	case sum["rows"] > audience.MaxRows:
		return job.Step{Failed: fmt.Sprintf("the audience has more than %d rows; send it in several", audience.MaxRows)}, nil
	case !end:
		return job.Step{Counts: counts}, nil
	case sum["rows"] == 0:
		return job.Step{Failed: "the audience is empty"}, nil
	case sum["rows"] == sum["bad"] && !r.Ask:
		return job.Step{Counts: counts, Failed: "no row of the audience can be sent; see the faults of its rows"}, nil
	}
	r.at.Channel = p.most(r.at.Channel)
	r.rewind(expanding)
	if r.Ask {
		r.rewind(weighing)
	}
	asks, err := c.second(ctx, r, r.Job.With(counts).Counts)
	if err != nil {
		return job.Step{}, err
	}
	return job.Step{Counts: counts, Asks: asks}, c.Blobs.Delete(ctx, r.seenKey())
}

// second tells whether a run of a schedule waits for a second person: it is a campaign by another name, due
// once or started by hand, to more recipients than its tenant lets one person write to.
func (c *Campaigns) second(ctx context.Context, r *run, n map[string]int64) (bool, error) {
	if r.Schedule == "" || r.External || r.Window > 0 {
		return false, nil
	}
	t, _, err := c.Config.Tenant(ctx, r.Tenant)
	return err == nil && t.ApproveOver > 0 && n["rows"]-n["bad"] > int64(t.ApproveOver), err
}

// rewind goes to the beginning of the audience, for the next phase.
func (r *run) rewind(to phase) { r.at.Phase, r.at.Part, r.at.At = to, 0, audience.Place{} }

func (r *run) seenKey() string { return "runs/" + r.ID + "/seen" }

// reader reads a page of an audience.
type reader struct {
	*run
	c       *Campaigns
	bind    *audience.Binding
	batch   []audience.Row
	lines   []Line // of the batch
	bad     []badRow
	repeats []int // numbers of rows
	counts  map[string]int64
	byCh    map[message.Channel]int
	seen    *set
	failed  string
}

func (c *Campaigns) reader(ctx context.Context, r *run) (*reader, error) {
	p := &reader{run: r, c: c, counts: map[string]int64{}, byCh: map[message.Channel]int{}, seen: newSet()}
	if r.at.At.Row == 0 {
		return p, nil
	}
	b, err := c.whole(ctx, r.seenKey())
	if err != nil && !gone(err) {
		return nil, err
	}
	p.seen.load(b)
	return p, nil
}

// rows reads and checks a page from where the run is; true at the end of the source.
func (p *reader) rows(ctx context.Context, src io.Reader) (end bool, err error) {
	from := p.at.At.Offset
	in, err := audience.NewReader(src, p.Audience.Format, p.at.At)
	if err != nil {
		return false, err
	}
	for n := 0; n < readRows && in.Place().Offset-from < readBytes && !end && p.failed == ""; n++ {
		row, err := in.Next()
		if err == io.EOF {
			end = true
		} else if err != nil {
			return false, err
		} else if err := p.row(ctx, in.Place().Columns, row); err != nil {
			return false, err
		}
	}
	p.at.At = in.Place()
	return end, p.check(ctx)
}

// row takes a row.
func (p *reader) row(ctx context.Context, columns []string, row audience.Row) error {
	if p.bind == nil {
		b, faults, err := p.c.bind(ctx, p.run, columns)
		if err != nil {
			return err
		}
		if len(faults) > 0 {
			p.failed = "the columns of the file: " + faults[0].Detail
			return nil
		}
		p.bind = b
	}
	p.counts["rows"]++
	line, faults := readRow(p.bind, row)
	if len(faults) > 0 {
		p.refuse(row, faults)
		return nil
	}
	if p.batch, p.lines = append(p.batch, row), append(p.lines, line); len(p.batch) < checkRows {
		return nil
	}
	return p.check(ctx)
}

func (p *reader) refuse(row audience.Row, faults []audience.Fault) {
	p.counts["bad"]++
	p.bad = append(p.bad, badRow{row.N, row.Cells, string(row.Line), faults})
}

// check has the batch looked at by the intake.
func (p *reader) check(ctx context.Context) error {
	if len(p.batch) == 0 || p.failed != "" {
		return nil
	}
	checked, err := p.c.Intake.Check(ctx, p.as, p.order(p.lines))
	if err != nil {
		return err
	}
	for i, row := range p.batch {
		ch := checked[i]
		switch {
		case ch.Problem != nil && general(ch.Problem) != "":
			p.failed = general(ch.Problem)
			return nil
		case ch.Problem != nil:
			p.refuse(row, p.faults(ch.Problem))
		case !p.seen.add(ch.Recipient):
			p.counts["repeats"]++
			p.repeats = append(p.repeats, row.N)
		}
		if ch.Problem == nil {
			p.byCh[ch.Channel]++
		}
	}
	p.batch, p.lines = p.batch[:0], p.lines[:0]
	return nil
}

// faults are the intake's, in the words of the file's columns.
func (p *reader) faults(pr *problem.Error) []audience.Fault {
	var out []audience.Fault
	for _, f := range pr.Fields {
		what, rest, _ := strings.Cut(strings.TrimPrefix(f.Pointer, "/"), "/")
		if what == "vars" && rest != "" {
			what, _, _ = strings.Cut(rest, "/")
		}
		out = append(out, audience.Fault{Column: p.bind.Column(what), Code: f.Code, Detail: f.Detail})
	}
	if len(out) == 0 {
		out = append(out, audience.Fault{Code: pr.Code, Detail: pr.Detail})
	}
	return out
}

// general is a fault that is no row's but the whole run's, in words; "" when it is a row's.
func general(pr *problem.Error) string {
	for _, f := range pr.Fields {
		if slices.Contains([]problem.Code{problem.UnknownTenant, problem.UnknownTemplate, problem.NotPublished, problem.ChannelOff}, f.Code) {
			return f.Detail
		}
	}
	return ""
}

// keep keeps what was found on the page.
func (p *reader) keep(ctx context.Context) error {
	if len(p.bad) > 0 {
		var b bytes.Buffer
		if err := json.MarshalWrite(&b, badHead{p.at.At.Columns}, jsontext.AllowInvalidUTF8(true)); err != nil {
			return fmt.Errorf("campaign: bad rows: %w", err)
		}
		b.WriteByte('\n')
		for _, row := range p.bad {
			// A cell that is not UTF-8 is what is wrong with many a row; � stands in its place.
			if err := json.MarshalWrite(&b, row, jsontext.AllowInvalidUTF8(true)); err != nil {
				return fmt.Errorf("campaign: a bad row: %w", err)
			}
			b.WriteByte('\n')
		}
		if err := p.c.Blobs.Put(ctx, p.badKey(p.bad[0].N), b.Bytes()); err != nil {
			return err
		}
	}
	if err := p.c.keepRepeats(ctx, p.run, p.repeats); err != nil {
		return err
	}
	return p.c.Blobs.Put(ctx, p.seenKey(), p.seen.bytes())
}

// most is the channel of most rows of the last page, or the one that was of most before.
func (p *reader) most(before message.Channel) message.Channel {
	best, n := before, 0
	for ch, k := range p.byCh {
		if k > n || k == n && ch < best {
			best, n = ch, k
		}
	}
	return best
}

// whole reads a small object.
func (c *Campaigns) whole(ctx context.Context, key string) ([]byte, error) {
	src, err := c.Blobs.Open(ctx, key, 0)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return io.ReadAll(src)
}
