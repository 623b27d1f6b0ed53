package redrive

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

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
	next, more, err := r.walk(ctx, &f, span(j.Created, ""), from, j.Rate, func(rec *store.Record) (bool, error) {
		what, err := r.again(ctx, j, rec, hints)
		if err == nil && what != "" {
			step.Counts[what]++
		}
		return what == Redriven, err
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

// again tries one message again, unless this job did already, or it died after the job began: then it is not
// of those that were counted.
func (r *Redrive) again(ctx context.Context, j store.Job, rec *store.Record, hints map[queue.Name][]queue.Item) (what string, err error) {
	now := r.now()
	switch {
	case rec.Completed() > j.Created, slices.ContainsFunc(rec.Notes, func(n message.Note) bool { return n.What == "redriven" && strings.HasPrefix(n.Why, j.ID) }):
		return "", nil
	case now >= rec.Expires:
		return Expired, nil
	}
	if other, err := r.Store.GoesOtherwise(ctx, r.as, now, rec); err != nil {
		return "", err
	} else if other {
		return Skipped, nil
	}
	saved, err := r.Store.Update(ctx, r.as, now, rec, message.Redrive{By: j.Author, Why: j.ID + ": " + j.Reason})
	var refused *message.Refused
	switch {
	case errors.As(err, &refused), errors.Is(err, store.ErrNotFound):
		return Skipped, nil
	case err != nil:
		return "", err
	}
	if saved.Status == message.Queued {
		name := queue.Lane(saved.Channel, saved.Lane())
		hints[name] = append(hints[name], queue.Item{Body: store.BareHint(saved.ID), Group: saved.Tenant})
	}
	return Redriven, nil
}
