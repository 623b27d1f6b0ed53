package job

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// KindJob is the control queue's kind of a page that is to be done.
const KindJob = "job"

// Step is what a page did.
type Step struct {
	Cursor jsontext.Value   // where the next page begins
	Counts map[string]int64 // added to the job's
	// Items is how many things the page did: of a job with a rate they cost time.
	Items int
	// Wait is how long the next page has time at least. A page that waits for something says so here; it
	// never sleeps.
	Wait time.Duration
	Done bool
	// Failed ends the job, and says why in words for people; Stopped ends it as if somebody had stopped it.
	Failed, Stopped string
	// Paused pauses the job and says why: somebody has to mend something. Asks has it wait for somebody's
	// word.
	Paused string
	Asks   bool
}

// Page does one page of a job. An error that is a *problem.Error of the caller's fault ends the job as
// failed; after any other the page is tried again, ever later.
type Page func(ctx context.Context, j store.Job) (Step, error)

// Kind is how one kind of job is done.
type Kind struct {
	Page Page
	// Stop does, in pages too, what is left to do when the job was stopped; nil is nothing.
	Stop Page
}

// Store is what jobs need of the store.
type Store interface {
	AddJob(ctx context.Context, p tenant.Principal, now message.Time, j store.Job) (store.Job, bool, error)
	Job(ctx context.Context, p tenant.Principal, id string) (store.Job, error)
	SaveJob(ctx context.Context, p tenant.Principal, now message.Time, j store.Job) (store.Job, error)
	DueJobs(ctx context.Context, before message.Time, limit int, after string) (store.FoundJobs, error)
	AddDeed(ctx context.Context, p tenant.Principal, now message.Time, d store.Deed) error
}

// Ports is everything that jobs need.
type Ports struct {
	Store Store
	Queue queue.Queue
	Now   func() time.Time
	Log   *slog.Logger
}

// Jobs does jobs, or only starts and steers them where it was given no kinds. It is safe for concurrent use.
type Jobs struct {
	Ports
	kinds map[string]Kind
	as    tenant.Principal
}

// New checks that nothing is missing.
func New(p Ports, kinds map[string]Kind) (*Jobs, error) {
	if p.Store == nil || p.Queue == nil || p.Now == nil || p.Log == nil {
		return nil, errors.New("job: a port is missing")
	}
	return &Jobs{p, kinds, tenant.System("job")}, nil
}

func (s *Jobs) now() message.Time { return message.At(s.Now()) }

// grace is how long after its time the sweep leaves a page to the queue.
const grace = time.Minute

// Start keeps a job and has its first page done at once, unless it is to wait for somebody's word. A job
// whose id is there already is the same job: that one is given, and false.
func (s *Jobs) Start(ctx context.Context, p tenant.Principal, j store.Job) (store.Job, bool, error) {
	now := s.now()
	j.Created = now
	if j.State == "" {
		j.State = store.JobRunning
	}
	if j.State.Active() {
		j.Due = now.Add(grace)
	}
	kept, added, err := s.Store.AddJob(ctx, p, now, j)
	if err == nil && added && kept.State.Active() {
		s.send(ctx, kept, 0)
	}
	return kept, added, err
}

// ErrState: the job is not in a state from which it can be steered there.
var ErrState = errors.New("job: not possible in its state")

// from says from which states a job can be steered where.
var from = map[store.JobState][]store.JobState{
	store.JobRunning:  {store.JobWaiting, store.JobPaused},
	store.JobPaused:   {store.JobRunning},
	store.JobStopping: {store.JobWaiting, store.JobRunning, store.JobPaused},
}

// deeds are what the audit calls the steering of a job, by the states before and after.
var deeds = map[[2]store.JobState]string{
	{store.JobWaiting, store.JobRunning}: "sent", {store.JobPaused, store.JobRunning}: "resumed", {store.JobRunning, store.JobPaused}: "paused",
}

// Steer runs, pauses or stops a job. What it asks for is in force before the job's next page; asked for
// again it changes nothing. Only narrows the states that it is steered from: the word that lets a job go on that was
// paused is not the one that a job waits for. What somebody does by hand is in the audit before it is done.
func (s *Jobs) Steer(ctx context.Context, p tenant.Principal, id string, to store.JobState, why string, only ...store.JobState) (store.Job, error) {
	now := s.now()
	j, err := s.Store.Job(ctx, p, id)
	for err == nil {
		if j.State == to || to == store.JobStopping && j.State == store.JobStopped {
			return j, nil
		}
		if !slices.Contains(from[to], j.State) || len(only) > 0 && !slices.Contains(only, j.State) {
			return j, ErrState
		}
		if p.ByHand() {
			d := store.Deed{What: cmp.Or(deeds[[2]store.JobState{j.State, to}], "stopped"), Kind: j.Kind, Object: j.ID, Tenant: j.Tenant, Reason: why,
				Changes: []store.Change{{Path: "/state", Before: strconv.Quote(string(j.State)), After: strconv.Quote(string(to))}}}
			if err := s.Store.AddDeed(ctx, p, now, d); err != nil {
				return j, err
			}
		}
		next := j.Stepped(store.JobStep{At: now, To: to, By: p.Name, Why: why})
		next.Due, next.Tries, next.Requeues, next.Fault = 0, 0, 0, ""
		if to.Active() {
			next.Due = now.Add(grace)
		}
		var stale *store.StaleJob
		if next, err = s.Store.SaveJob(ctx, p, now, next); errors.As(err, &stale) {
			j, err = stale.Now, nil
			continue
		}
		if err == nil && to.Active() {
			s.send(ctx, next, 0)
		}
		return next, err
	}
	return j, err
}

// entry is what the control queue carries.
type entry struct {
	Kind string `json:"kind"` // job
	ID   string `json:"id"`
	Page int64  `json:"page"`
}

// send puts the entry of a job's next page. One that the queue refuses is Requeue's to put.
func (s *Jobs) send(ctx context.Context, j store.Job, wait time.Duration) {
	body, err := json.Marshal(entry{KindJob, j.ID, j.Page})
	if err == nil {
		err = s.Queue.Send(ctx, queue.Control, queue.Item{Body: body, Delay: wait})
	}
	if err != nil {
		s.Log.WarnContext(ctx, "page not queued; the sweep will", "job", j.ID, "page", j.Page, "error", err)
	}
}
