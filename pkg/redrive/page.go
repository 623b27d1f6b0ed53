package redrive

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/job"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
)

// Kind is the kind of the jobs.
const Kind = "redrive"

// What a job counts.
const (
	Redriven = "redriven"
	Expired  = "expired" // and stay dead
	Skipped  = "skipped" // somebody else was quicker, another message goes in its place, or the message does not allow it
)

// Page does a page of a redrive: as many messages as its rate allows in a second.
func (r *Redrive) Page(ctx context.Context, j store.Job) (job.Step, error) {
	var f Filter
	var from place
	if err := json.Unmarshal(j.Spec, &f); err != nil {
		return job.Step{}, problem.New(problem.BadJSON, "the filter of the redrive cannot be read").Because(err)
	}
	if len(j.Cursor) > 0 {
		if err := json.Unmarshal(j.Cursor, &from); err != nil {
			return job.Step{}, problem.New(problem.BadJSON, "the cursor of the redrive cannot be read").Because(err)
		}
	}
	step := job.Step{Counts: map[string]int64{}}
	hints := map[queue.Name][]queue.Item{}
	next, more, err := r.walk(ctx, &f, span(j.Created, ""), from, j.Rate, func(some []*store.Record) (int, error) {
		n := 0
		all, err := r.all(ctx, j, some)
		for _, t := range all {
			if t.what != "" {
				step.Counts[t.what]++
			}
			if t.what == Redriven {
				n++
			}
			if t.saved != nil && t.saved.Status == message.Queued {
				name := queue.Lane(t.saved.Channel, t.saved.Lane())
				hints[name] = append(hints[name], queue.Item{Body: store.BareHint(t.saved.ID), Group: t.saved.Tenant})
			}
		}
		return n, err
	})
	// Also after a fault: these records say that they are queued.
	for _, name := range slices.Sorted(maps.Keys(hints)) {
		if err := r.Queue.Send(ctx, name, hints[name]...); err != nil {
			r.Log.WarnContext(ctx, "hints not queued; the sweep will", "queue", name, "messages", len(hints[name]), "error", err)
		}
	}
	if err != nil {
		return job.Step{}, err
	}
	step.Items, step.Done = int(step.Counts[Redriven]), !more
	step.Cursor, err = json.Marshal(next)
	return step, err
}

// tried is what became of a message.
type tried struct {
	what  string
	saved *store.Record
}

// sideBySide is how many messages are tried at a time, and few how many are too few for that: a fast redrive does more in
// a second than one after the other would.
const (
	sideBySide = 16
	few        = 16
)

// all tries messages again; after a fault no further ones are begun. The ways of a fallback are not tried side by side: of
// two that are dead one goes.
func (r *Redrive) all(ctx context.Context, j store.Job, some []*store.Record) ([]tried, error) {
	out, faults := make([]tried, len(some)), make([]error, len(some))
	var rest []int
	for i, rec := range some {
		if len(some) > few && !rec.Fallback {
			rest = append(rest, i)
			continue
		}
		if out[i], faults[i] = r.again(ctx, j, rec); faults[i] != nil {
			return out, faults[i]
		}
	}
	var next atomic.Int64
	var failed atomic.Bool
	var workers sync.WaitGroup
	for range min(sideBySide, len(rest)) {
		workers.Go(func() {
			for !failed.Load() {
				n := int(next.Add(1)) - 1
				if n >= len(rest) {
					return
				}
				i := rest[n]
				if out[i], faults[i] = r.again(ctx, j, some[i]); faults[i] != nil {
					failed.Store(true)
				}
			}
		})
	}
	workers.Wait()
	return out, errors.Join(faults...)
}

// errPanic is of a message that the log names.
var errPanic = errors.New("redrive: panic while trying a message again")

// again tries one message again, unless this job did already, or it died after the job began: then it is not
// of those that were counted.
func (r *Redrive) again(ctx context.Context, j store.Job, rec *store.Record) (what tried, err error) {
	defer func() {
		if v := recover(); v != nil { // beside others nobody else would catch it; its text may hold what was worked on
			r.Log.ErrorContext(ctx, "panic while trying a message again", "message", rec.ID, "panic", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	now := r.now()
	switch {
	case rec.Completed() > j.Created, rec.RedrivenBy(j.ID):
		return tried{}, nil
	case now >= rec.Expires:
		return tried{what: Expired}, nil
	}
	if other, err := r.Store.GoesOtherwise(ctx, r.as, now, rec); err != nil {
		return tried{}, err
	} else if other {
		return tried{what: Skipped}, nil
	}
	saved, err := r.Store.Update(ctx, r.as, now, rec, message.Redrive{By: j.Author, Why: j.ID + ": " + j.Reason, Job: j.ID})
	switch {
	case errors.As(err, new(*message.Refused)), errors.Is(err, store.ErrNotFound):
		return tried{what: Skipped}, nil
	case err != nil:
		return tried{}, err
	}
	return tried{Redriven, saved}, nil
}
