package job

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
)

// One entry has pages done for so long, so that a job of short pages costs few entries and a long one lets
// others in between.
const turn = 5 * time.Second

// Back-off of a page that failed.
const (
	firstRetry   = time.Second
	longestRetry = 5 * time.Minute
)

// Handle has a batch of pages done.
func (s *Jobs) Handle(ctx context.Context, batch []queue.Item) []string {
	again := []string{}
	for i, it := range batch {
		if err := s.run(ctx, it, s.turn(ctx, len(batch)-i)); err != nil {
			s.Log.ErrorContext(ctx, "page not done; it comes again", "item", it.ID, "error", err)
			again = append(again, it.ID)
		}
	}
	return again
}

// turn is how long the next of some entries has pages done: as long as turns are, or its part of the time that there is, less
// what a page may take longer. Else the last of a batch would be cut off in each, and come again minutes later.
func (s *Jobs) turn(ctx context.Context, entries int) time.Duration {
	end, ends := ctx.Deadline()
	if !ends {
		return turn
	}
	return min(turn, end.Sub(s.Now())/time.Duration(entries+1))
}

// run does pages of the entry's job for a while, from the page that the entry is for. An error is one of reading or
// keeping the job; a page's own is kept in the job.
func (s *Jobs) run(ctx context.Context, it queue.Item, turn time.Duration) error {
	var e entry
	if err := json.Unmarshal(it.Body, &e, json.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf("an entry that cannot be read: %w", err)
	}
	j, err := s.Store.Job(ctx, s.as, e.ID)
	if errors.Is(err, store.ErrNotFound) {
		s.Log.ErrorContext(ctx, "an entry of a job that is not there", "job", e.ID)
		return nil
	}
	if err != nil {
		return err
	}
	if j.Page != e.Page {
		return nil // it is done, and the next has an entry of its own
	}
	for end := s.Now().Add(turn); j.State.Active(); {
		kind, known := s.kinds[j.Kind]
		if !known {
			return fmt.Errorf("job %s is of kind %q, which is not done here", j.ID, j.Kind)
		}
		next, wait, err := s.page(ctx, kind, j)
		if err != nil || next.State.Ended() || next.ID == "" {
			return err
		}
		if j = next; wait > 0 || !s.Now().Before(end) || ctx.Err() != nil {
			if j.State.Active() && wait <= queue.MaxDelay {
				s.send(ctx, j, wait)
			}
			return nil
		}
	}
	return nil
}

// page does one page and keeps its end. It gives the job as it is now, and how long its next page has time;
// no job when somebody else did the page meanwhile.
func (s *Jobs) page(ctx context.Context, kind Kind, j store.Job) (store.Job, time.Duration, error) {
	d := did{began: s.now(), stopping: j.State == store.JobStopping}
	do := kind.Page
	if d.stopping {
		do = kind.Stop
	}
	if do == nil {
		d.Done = true
	} else if d.Step, d.err = try(ctx, do, j); d.err != nil {
		if ctx.Err() != nil {
			return j, 0, d.err // cut off, by no fault of the page
		}
		s.Log.WarnContext(ctx, "page failed", "job", j.ID, "kind", j.Kind, "page", j.Page, "tries", j.Tries+1, "error", d.err)
	}
	for {
		now := s.now()
		next, wait := d.after(j, now)
		saved, err := s.Store.SaveJob(ctx, s.as, now, next)
		stale := (*store.StaleJob)(nil)
		if !errors.As(err, &stale) {
			return saved, wait, err
		}
		if stale.Now.Page != j.Page || stale.Now.State.Ended() {
			return store.Job{}, 0, nil
		}
		j = stale.Now // steered, or put into the queue again, while the page was done
	}
}

// try does a page; a panic is its error.
func try(ctx context.Context, do Page, j store.Job) (step Step, err error) {
	defer func() {
		if v := recover(); v != nil { // its text may hold what was worked on
			err = fmt.Errorf("panic (%T): %s", v, debug.Stack())
		}
	}()
	return do(ctx, j)
}

// did is what a page did, and when.
type did struct {
	Step
	err      error
	began    message.Time
	stopping bool // it was a page of the stop
}

// after is the job after the page, and how long its next page has time.
func (d *did) after(j store.Job, now message.Time) (store.Job, time.Duration) {
	j.Requeues = 0
	if j.Started == 0 {
		j.Started = d.began
	}
	wait, failed := d.Wait, d.Failed
	switch p := (*problem.Error)(nil); {
	case d.err == nil:
		j = j.With(d.Counts)
		j.Page++
		j.Cursor, j.Tries, j.Fault = d.Cursor, 0, ""
		if j.Rate > 0 {
			wait = max(wait, time.Duration(d.Items)*time.Second/time.Duration(j.Rate)-now.Sub(d.began))
		}
	case errors.As(d.err, &p) && p.Status() < 500 && p.Status() != http.StatusTooManyRequests:
		failed = words(p)
	case p != nil && p.Status() == http.StatusTooManyRequests: // a limit that is the job's own
		wait = min(max(p.RetryAfter, firstRetry), queue.MaxDelay) // it may be raised meanwhile
		j.Tries, j.Fault = 0, words(p)
	default:
		wait = min(firstRetry<<min(j.Tries, 10), longestRetry)
		j.Tries++
		j.Fault = "a passing fault; the page is tried again"
	}
	switch {
	case j.State == store.JobStopping && !d.stopping: // the stop came while it was done, and has pages of its own
		wait = 0
	case failed != "":
		j.State, j.Finished, j.Fault = store.JobFailed, now, failed
	case d.Done && d.stopping:
		j.State, j.Finished = store.JobStopped, now
	case d.Stopped != "":
		j.State, j.Finished, j.Fault = store.JobStopped, now, d.Stopped
	case d.Done:
		j.State, j.Finished = store.JobDone, now
	case d.Asks: // though it was paused meanwhile: to let it go on then is not the word that it needs
		j.State = store.JobWaiting
	case j.State != store.JobRunning: // paused meanwhile: that is kept
	case d.Paused != "":
		j.State, j.Fault = store.JobPaused, d.Paused
	}
	if j.Due = 0; j.State.Active() {
		j.Due = now.Add(wait + grace)
		if wait > queue.MaxDelay { // no entry waits so long: the sweep puts it
			j.Due = now.Add(wait)
		}
	}
	return j, wait
}

// words are a problem's, for people.
func words(p *problem.Error) string {
	if len(p.Fields) > 0 && p.Detail != p.Fields[0].Detail {
		return p.Detail + ": " + p.Fields[0].Detail
	}
	return p.Detail
}
