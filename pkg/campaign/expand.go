package campaign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/opennotify/notify/pkg/audience"
	"github.com/opennotify/notify/pkg/job"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// pageRows is how many rows a page makes messages of.
const pageRows = 100

// expand makes messages of a page of rows, if what was made before is on its way far enough.
func (c *Campaigns) expand(ctx context.Context, r *run) (job.Step, error) {
	room, wait, err := c.room(ctx, r)
	if err != nil {
		return job.Step{}, err
	}
	if room == 0 {
		return c.meanwhile(ctx, r, wait)
	}
	var lines []Line
	var bad []badRow
	if r.Audience.Failures != "" {
		lines, err = c.failed(ctx, r, room)
	} else {
		lines, bad, err = c.bound(ctx, r, room)
	}
	end := errors.Is(err, io.EOF)
	if err != nil && !end {
		return job.Step{}, err
	}
	counts := map[string]int64{"refused": int64(len(bad))}
	if len(lines) > 0 {
		fates, err := c.Intake.Rows(ctx, r.as, r.order(lines))
		if err != nil {
			return job.Step{}, err
		}
		if why := all(fates); why != "" { // nothing was made: the page is done anew when it is mended
			return c.stuck(r, why)
		}
		for _, f := range fates {
			counts[f.What]++
		}
		r.mark(fates)
	}
	if end {
		r.at.Phase, r.at.Made = following, c.now()
	}
	return job.Step{Counts: counts, Items: len(lines)}, nil
}

// all is why no row of a page was taken, where that is no row's fault; "" otherwise.
func all(fates []Fate) string {
	why := ""
	for _, f := range fates {
		if f.Problem == nil {
			return ""
		}
		if g := general(f.Problem); g != "" {
			why = g
		}
	}
	return why
}

// stuck pauses the run before its page.
func (c *Campaigns) stuck(r *run, why string) (job.Step, error) {
	before, err := openRun(r.Job)
	if err != nil {
		return job.Step{}, err
	}
	r.at = before.at
	return job.Step{Paused: why}, nil
}

// failed gives the next of the messages that failed in another run, as rows.
func (c *Campaigns) failed(ctx context.Context, r *run, most int) ([]Line, error) {
	of, err := c.Store.Job(ctx, c.as, r.Audience.Failures)
	if err != nil {
		return nil, err
	}
	found, err := c.Store.RunTroubles(ctx, c.as, of.Tenant, of.ID, of.Created, most, r.at.Next)
	if err != nil {
		return nil, err
	}
	var lines []Line
	for _, m := range found.Records {
		if !failedForGood(m.Status) {
			continue
		}
		to, err := c.Store.Address(ctx, m)
		if errors.Is(err, store.ErrErased) {
			continue
		}
		if err != nil {
			return nil, err
		}
		vars, err := c.Store.Vars(ctx, m)
		if errors.Is(err, store.ErrErased) {
			continue
		}
		if err != nil {
			return nil, err
		}
		lines = append(lines, Line{N: m.Place, Recipient: audience.Recipient{To: string(to), Channel: m.Channel, Locale: m.Template.Locale, Vars: vars}, ResendOf: m.ID})
	}
	if r.at.Next = found.Next; r.at.Next == "" {
		return lines, io.EOF
	}
	return lines, nil
}

func failedForGood(s message.Status) bool {
	return s == message.Failed || s == message.Dead || s == message.Undelivered
}

// mark is a message that was made after n others: when it has been tried, so have they, as queues go.
type mark struct {
	ID message.ID `json:"i"`
	N  int        `json:"n"`
}

// maxMarks bounds what a run's record holds.
const maxMarks = 16

// mark remembers what was made just now. Where there are many marks already, two become one.
func (r *run) mark(fates []Fate) {
	m := mark{}
	for _, f := range fates {
		if f.What == "made" {
			m.ID, m.N = f.ID, m.N+1
		}
	}
	if m.N == 0 {
		return
	}
	if marks := r.at.Marks; len(marks) >= maxMarks {
		half := marks[:0:0]
		for i := 1; i < len(marks); i += 2 {
			half = append(half, mark{marks[i].ID, marks[i-1].N + marks[i].N})
		}
		r.at.Marks = half
	}
	r.at.Marks = append(r.at.Marks, m)
}

// How much of their accounts' capacity all runs together may have under way: in the bulk lane, and in one
// that others than runs use. Without a rate that is known, so many messages.
const (
	aheadBulk  = 20 * time.Second
	aheadOther = 2 * time.Second
	aheadBlind = 2000
)

// recheck is how soon a run that is far enough ahead looks again.
const recheck = time.Second

// room is how many rows the run may make messages of now; with none, how long to wait.
func (c *Campaigns) room(ctx context.Context, r *run) (int, time.Duration, error) {
	ahead := aheadBulk
	if r.lane() != message.Bulk {
		ahead = aheadOther
	}
	window := aheadBlind
	rate, err := c.Rate(ctx, r.at.Channel)
	if err != nil {
		return 0, 0, err
	}
	if rate > 0 {
		window = int(rate * ahead.Seconds())
	}
	n, err := c.neighbours(ctx, r)
	if err != nil {
		return 0, 0, err
	}
	share, under := max(window/n.sharing, 1), r.under()
	if under+pageRows > min(share, window-n.under) {
		if under, err = c.sent(ctx, r); err != nil {
			return 0, 0, err
		}
	}
	return max(min(share-under, window-n.under-under, r.most()), 0), recheck, nil
}

// most is how many rows a page has: of a run with a speed of its own, a second's.
func (r *run) most() int {
	if r.Rate > 0 {
		return min(pageRows, r.Rate)
	}
	return pageRows
}

// under is how many of its messages are under way, as far as is known.
func (r *run) under() (n int) {
	for _, m := range r.at.Marks {
		n += m.N
	}
	return n
}

// sent forgets the marks that have been tried, and tells how many messages are still under way.
func (c *Campaigns) sent(ctx context.Context, r *run) (int, error) {
	ids := make([]message.ID, len(r.at.Marks))
	for i, m := range r.at.Marks {
		ids[i] = m.ID
	}
	if len(ids) == 0 {
		return 0, nil
	}
	records, _, err := c.Store.Messages(ctx, c.as, ids...)
	if err != nil {
		return 0, fmt.Errorf("campaign: how far run %s is: %w", r.ID, err)
	}
	left := r.at.Marks[:0:0]
	for i, m := range r.at.Marks {
		if records[i] != nil && waits(&records[i].Message) {
			left = append(left, m)
		}
	}
	r.at.Marks = left
	return r.under(), nil
}

// waits tells whether a message has not been tried, and nothing holds it back.
func waits(m *message.Message) bool {
	return m.Status == message.Queued && m.Epoch == 0 && m.Next == 0
}

// meanwhile looks after what was made, when there is no room for more.
func (c *Campaigns) meanwhile(ctx context.Context, r *run, wait time.Duration) (job.Step, error) {
	if err := c.survey(ctx, r); err != nil {
		return job.Step{}, err
	}
	return job.Step{Wait: wait}, nil
}
