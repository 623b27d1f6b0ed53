package campaign

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/job"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
)

// survey is a walk through a run's messages that counts their statuses. It is never further than its last
// whole round.
type survey struct {
	Shard int                      `json:"s,omitzero"`
	After string                   `json:"a,omitzero"`
	Began message.Time             `json:"b,omitzero"` // of this round
	Sum   map[message.Status]int64 `json:"n,omitzero"`
	// The last whole round.
	Whole map[message.Status]int64 `json:"w,omitzero"`
	At    message.Time             `json:"at,omitzero"` // when it was over
}

// A step of a survey: so many reads of so many messages.
const (
	surveyReads = 5
	surveyRows  = 200
)

// fresh is how old the last round may be before the next begins, while a run is busy.
const fresh = 5 * time.Second

// survey goes on with the walk, or begins another when the last is old.
func (c *Campaigns) survey(ctx context.Context, r *run) error {
	now := c.now()
	if s := &r.at.Survey; s.Began == 0 && s.At > 0 && now.Sub(s.At) < fresh {
		return nil
	}
	_, err := c.walk(ctx, r, nil)
	return err
}

// walk takes a step; true at the end of a round.
func (c *Campaigns) walk(ctx context.Context, r *run, each func(*store.Record) error) (bool, error) {
	s := &r.at.Survey
	if s.Began == 0 {
		s.Began, s.Shard, s.After, s.Sum = c.now(), 0, "", map[message.Status]int64{}
	}
	sum := maps.Clone(s.Sum)
	for range surveyReads {
		found, err := c.Store.ByRun(ctx, c.as, r.Tenant, r.ID, r.began(), s.Shard, surveyRows, s.After)
		if err != nil {
			return false, err
		}
		for _, u := range found.Bad {
			c.Log.ErrorContext(ctx, "record unreadable", "message", u.ID, "error", u.Err)
		}
		for _, m := range found.Records {
			sum[m.Status]++
			if each != nil {
				if err := each(m); err != nil {
					return false, err
				}
			}
		}
		if s.After = found.Next; s.After != "" {
			continue
		}
		if s.Shard++; s.Shard == c.Store.ListShards() {
			*s = survey{Whole: sum, At: c.now()}
			return true, nil
		}
	}
	s.Sum = sum
	return false, nil
}

// How long a run that has ended is looked after: receipts come late.
var care = []time.Duration{time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 72 * time.Hour}

// soonRows is the size of a run that is looked at once more soon after its end, as somebody may be watching:
// most receipts come within seconds.
const soonRows = 1000

// laggard is how long the list of a run's messages may lack some: an index lags by moments, and what cannot be read
// stays out of the count for good.
const laggard = 5 * time.Minute

// follow watches the messages until none is on its way any more, and looks again for the receipts.
func (c *Campaigns) follow(ctx context.Context, r *run) (job.Step, error) {
	if _, err := c.sent(ctx, r); err != nil { // others wait for that
		return job.Step{}, err
	}
	whole, err := c.walk(ctx, r, nil)
	if err != nil || !whole {
		return job.Step{}, err
	}
	open, unsure, all := int64(0), int64(0), int64(0)
	for status, n := range r.at.Survey.Whole {
		all += n
		switch status {
		case message.Scheduled, message.Queued, message.Sending:
			open += n
		case message.Sent, message.InDoubt:
			unsure += n
		}
	}
	now := c.now()
	unseen := all < r.Counts["made"]+r.Counts["suppressed"] && now.Sub(r.at.Made) < laggard
	switch {
	case open > 0, unseen:
		return job.Step{Wait: patience(now.Sub(r.at.Made))}, nil
	case r.at.Ended == 0:
		r.at.Ended = now
	}
	if unsure == 0 || r.at.Care == len(care) {
		return job.Step{Done: true}, nil
	}
	if !r.at.Soon && all <= soonRows {
		r.at.Soon = true
		return job.Step{Wait: fresh}, nil
	}
	r.at.Care++
	return job.Step{Wait: max(r.at.Ended.Add(care[r.at.Care-1]).Sub(now), fresh)}, nil
}

// patience is how long to wait between two rounds: the longer it takes, the longer.
func patience(since time.Duration) time.Duration {
	return min(max(since/8, time.Second), 5*time.Minute).Truncate(time.Second)
}

// maxRounds is how often a stop goes through the messages: one that a worker has may come back.
const maxRounds = 4

// longestPage is how long a page may go on making messages that was begun before the stop: no function lives longer.
const longestPage = 30 * time.Second

// unlisted is how long an index may lack what that page made: moments as a rule, and nobody promises a bound.
const unlisted = time.Minute

// begun tells whether a run has been let go: one that waits for that has no page under way.
func (r *run) begun() bool {
	return !r.Ask || slices.ContainsFunc(r.Steps, func(s store.JobStep) bool { return s.To == store.JobRunning })
}

// withdraw cancels what is still on its way, in steps: the stop of a run.
func (c *Campaigns) withdraw(ctx context.Context, j store.Job) (job.Step, error) {
	r, err := openRun(j)
	if err != nil {
		return job.Step{}, err
	}
	why := "the run was stopped"
	if n := len(j.Steps); n > 0 && j.Steps[n-1].Why != "" {
		why += ": " + j.Steps[n-1].Why
	}
	now := c.now()
	if r.at.Phase != stopping { // whatever round was being made is begun anew
		if r.at.Phase == expanding && r.begun() {
			r.at.Stopped = now
		}
		r.at.Survey.Began, r.at.Phase, r.at.Care = 0, stopping, 0
	}
	next, began := r.at.Stopped.Add(longestPage), cmp.Or(r.at.Survey.Began, now)
	if began >= next { // the round before has taken back what was listed at once
		next = next.Add(unlisted)
	}
	counts := map[string]int64{}
	whole, err := c.walk(ctx, r, func(m *store.Record) error {
		if m.Status != message.Queued && m.Status != message.Scheduled {
			return nil
		}
		cancelled, err := c.Intake.Cancel(ctx, c.as, m.ID, why)
		if cancelled {
			counts["cancelled"]++
		}
		return err
	})
	if p := (*problem.Error)(nil); errors.As(err, &p) && p.Code == problem.NotFound {
		err = nil
	}
	if err != nil {
		return job.Step{}, err
	}
	step := job.Step{Counts: counts}
	if whole {
		s := r.at.Survey.Whole
		r.at.Care++
		open, seen := s[message.Sending]+s[message.Queued]+s[message.Scheduled], int64(0)
		for _, n := range s {
			seen += n
		}
		if seen < r.Counts["made"] { // the index lags
			open++
		}
		step.Done = began >= next && (open == 0 || r.at.Care >= maxRounds)
		if step.Wait = 10 * time.Second; open == 0 {
			step.Wait = max(step.Wait, next.Sub(began))
		}
	}
	step.Cursor, err = r.cursor()
	return step, err
}
