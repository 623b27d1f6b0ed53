package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// Job is work that is done page by page, for as long as it takes: what is to be done, and how far it is.
// Treat it as immutable but for the copy that is to be saved.
type Job struct {
	ID     string `json:"id"`
	Kind   string `json:"k"`           // which use case does its pages
	Tenant string `json:"t,omitzero"`  // whose; "" is the whole installation's
	Topic  string `json:"tp,omitzero"` // what it is listed under, beside its kind
	// Spec is what is to be done, and never changes; Cursor is where the next page begins. Both are the
	// kind's own, and neither may hold an address.
	Spec   jsontext.Value `json:"sp,omitzero"`
	Cursor jsontext.Value `json:"c,omitzero"`
	// Page numbers the next page, from 0: whoever comes for another comes too late.
	Page   int64            `json:"p,omitzero"`
	State  JobState         `json:"s"`
	Counts map[string]int64 `json:"n,omitzero"`
	Rate   int              `json:"r,omitzero"` // items a second at most; 0 is no bound

	Author   string       `json:"by,omitzero"`
	Reason   string       `json:"why,omitzero"`
	Created  message.Time `json:"at"`
	Started  message.Time `json:"st,omitzero"` // of its first page
	Finished message.Time `json:"fi,omitzero"`
	Due      message.Time `json:"d,omitzero"`  // when the sweep must look at it; 0: never
	Tries    int          `json:"tr,omitzero"` // of this page that failed
	Requeues int          `json:"q,omitzero"`  // by the sweep, since the last page
	// Fault is why it failed, or why its page is tried again, in words.
	Fault string    `json:"f,omitzero"`
	Steps []JobStep `json:"l,omitzero"` // who steered it, the newest last

	rev int64
}

// JobStep is an operator's word to a job.
type JobStep struct {
	At  message.Time `json:"at"`
	To  JobState     `json:"s"`
	By  string       `json:"by"`
	Why string       `json:"why,omitzero"`
}

// JobState says whether a job goes on.
type JobState string

// The states. Waiting is for somebody's word; a job that is stopping does what a stop leaves to do.
const (
	JobWaiting  JobState = "waiting"
	JobRunning  JobState = "running"
	JobPaused   JobState = "paused"
	JobStopping JobState = "stopping"
	JobStopped  JobState = "stopped"
	JobFailed   JobState = "failed"
	JobDone     JobState = "done"
)

// Active tells whether pages are to be done.
func (s JobState) Active() bool { return s == JobRunning || s == JobStopping }

// Ended tells whether nothing will ever be done again.
func (s JobState) Ended() bool { return s == JobStopped || s == JobFailed || s == JobDone }

// keepJob is how long a job that has ended is kept.
const keepJob = 180 * 24 * time.Hour

// jobShard is where jobs are due: they are few, each of them many messages.
const jobShard = "due#jobs"

// StaleJob is returned by SaveJob when somebody else wrote the job first.
type StaleJob struct{ Now Job }

// Error says so.
func (s *StaleJob) Error() string { return "store: the job was changed by somebody else" }

func jobKey(id string) Key { return Key{"j#" + id, "j"} }

// isJob tells whether an id from outside can be a key.
func isJob(id string) bool {
	return id != "" && len(id) <= 64 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

func jobList(tenant, kind, topic string) string { return "jobs#" + tenant + "#" + kind + "#" + topic }

func jobItem(j Job) (Item, error) {
	data, err := json.Marshal(j, json.Deterministic(true))
	if err != nil {
		return Item{}, fmt.Errorf("store: job %s: %w", j.ID, err)
	}
	it := Item{Key: jobKey(j.ID), Rev: j.rev, Data: data, List: jobList(j.Tenant, j.Kind, j.Topic), ListSort: j.place()}
	if j.Due > 0 {
		it.DueShard, it.DueAt = jobShard, j.Due
	}
	if j.Finished > 0 {
		it.Expires = seconds(j.Finished.Add(keepJob))
	}
	return it, nil
}

func readJob(it *Item) (Job, error) {
	var j Job
	if err := json.Unmarshal(it.Data, &j); err != nil {
		return j, fmt.Errorf("store: job %s: %w", it.PK, err)
	}
	j.rev = it.Rev
	return j, nil
}

// AddJob keeps a new job. Where one of this id is there it gives that one, and false.
func (s *Store) AddJob(ctx context.Context, p tenant.Principal, now message.Time, j Job) (Job, bool, error) {
	if !p.Steers(j.Tenant) || !isJob(j.ID) {
		return j, false, ErrNotFound
	}
	j.rev = 1
	it, err := jobItem(j)
	if err != nil {
		return j, false, err
	}
	res, err := s.driver.Write(ctx, now, []Op{{Cond: Absent, Item: it}})
	switch {
	case err != nil:
		return j, false, fmt.Errorf("store: job %s: %w", j.ID, err)
	case res[0].Applied == 1:
		return j, true, nil
	case res[0].Holder == nil:
		return j, false, errContended
	}
	have, err := readJob(res[0].Holder)
	if err == nil && !p.Sees(have.Tenant) {
		err = ErrNotFound
	}
	return have, false, err
}

// Job reads one. Another tenant's is ErrNotFound.
func (s *Store) Job(ctx context.Context, p tenant.Principal, id string) (Job, error) {
	if !isJob(id) {
		return Job{}, ErrNotFound
	}
	items, err := s.driver.Get(ctx, jobKey(id))
	if err != nil {
		return Job{}, fmt.Errorf("store: job %s: %w", id, err)
	}
	if items[0] == nil {
		return Job{}, ErrNotFound
	}
	j, err := readJob(items[0])
	if err == nil && !p.Sees(j.Tenant) {
		return Job{}, ErrNotFound
	}
	return j, err
}

// SaveJob writes a job over the one that was read, or returns *StaleJob with what somebody else made of it.
func (s *Store) SaveJob(ctx context.Context, p tenant.Principal, now message.Time, j Job) (Job, error) {
	if !p.Steers(j.Tenant) {
		return j, ErrNotFound
	}
	old := j.rev
	j.rev++
	it, err := jobItem(j)
	if err != nil {
		return j, err
	}
	res, err := s.driver.Write(ctx, now, []Op{{Cond: AtRev, At: old, Item: it}})
	switch {
	case err != nil:
		return j, fmt.Errorf("store: job %s: %w", j.ID, err)
	case res[0].Applied == 1:
		return j, nil
	case res[0].Holder == nil:
		return j, ErrNotFound
	}
	have, err := readJob(res[0].Holder)
	if err != nil {
		return j, err
	}
	return j, &StaleJob{have}
}

// FoundJobs is a page of jobs.
type FoundJobs struct {
	Jobs []Job
	Bad  []error // one for each whose record cannot be read, with its id: what came with it goes on without it
	Next string  // where the next page begins, "" at the end
}

// Jobs reads a page of a tenant's jobs of a kind and topic, the newest first.
func (s *Store) Jobs(ctx context.Context, p tenant.Principal, tenant, kind, topic string, limit int, after string) (FoundJobs, error) {
	if !p.Sees(tenant) {
		return FoundJobs{}, nil
	}
	return s.jobs(ctx, Query{Index: ByList, Value: jobList(tenant, kind, topic), Desc: true, Limit: limit, After: after})
}

// NewestJobs reads the newest jobs of a kind, of several tenants together: those of no topic. Before is the
// place that they all come before, "" for none.
func (s *Store) NewestJobs(ctx context.Context, p tenant.Principal, tenants []string, kind string, limit int, before string) (FoundJobs, error) {
	var out FoundJobs
	more := false
	for _, name := range tenants {
		if !p.Sees(name) {
			continue
		}
		q := Query{Index: ByList, Value: jobList(name, kind, ""), To: before, Desc: true, Limit: limit}
		for got := 0; ; {
			page, err := s.jobs(ctx, q)
			if err != nil {
				return FoundJobs{}, err
			}
			out.Jobs, out.Bad = append(out.Jobs, page.Jobs...), append(out.Bad, page.Bad...)
			got, q.After = got+len(page.Jobs), page.Next
			if more = more || page.Next != "" && got >= limit; page.Next == "" || got >= limit {
				break
			}
		}
	}
	slices.SortFunc(out.Jobs, func(a, b Job) int { return strings.Compare(b.place(), a.place()) })
	if len(out.Jobs) > limit {
		out.Jobs, more = out.Jobs[:limit], true
	}
	if more && len(out.Jobs) > 0 {
		out.Next = out.Jobs[len(out.Jobs)-1].place()
	}
	return out, nil
}

// place is where a job stands in its list.
func (j *Job) place() string { return DueSort(j.Created) + "#" + j.ID }

// IsJobPlace tells whether a text from outside can be where a page of the newest jobs begins.
func IsJobPlace(s string) bool {
	at, id, ok := strings.Cut(s, "#")
	return ok && len(at) == len(DueSort(0)) && strings.Trim(at, "0123456789") == "" && isJob(id)
}

// DueJobs reads a page of the jobs that are due before an instant, whosever they are, the earliest first;
// of all that are active for 0.
func (s *Store) DueJobs(ctx context.Context, before message.Time, limit int, after string) (FoundJobs, error) {
	q := Query{Index: ByDue, Value: jobShard, Limit: limit, After: after}
	if before > 0 {
		q.To = DueSort(before)
	}
	return s.jobs(ctx, q)
}

func (s *Store) jobs(ctx context.Context, q Query) (FoundJobs, error) {
	page, err := s.driver.Query(ctx, q)
	if err != nil || len(page.Items) == 0 {
		return FoundJobs{Next: page.Next}, err
	}
	keys := make([]Key, len(page.Items))
	for i, it := range page.Items {
		keys[i] = it.Key
	}
	items, err := s.driver.Get(ctx, keys...)
	if err != nil {
		return FoundJobs{}, fmt.Errorf("store: jobs: %w", err)
	}
	out := FoundJobs{Jobs: make([]Job, 0, len(items)), Next: page.Next}
	for _, it := range items {
		if it == nil {
			continue
		}
		if j, err := readJob(it); err == nil {
			out.Jobs = append(out.Jobs, j)
		} else {
			out.Bad = append(out.Bad, err)
		}
	}
	return out, nil
}

// With gives the job with counts added to it: maps are shared by copies.
func (j Job) With(counts map[string]int64) Job {
	if len(counts) == 0 {
		return j
	}
	sum := maps.Clone(j.Counts)
	if sum == nil {
		sum = make(map[string]int64, len(counts))
	}
	for k, n := range counts {
		sum[k] += n
	}
	j.Counts = sum
	return j
}

// maxSteps bounds what is kept of steering: the record stays small.
const maxSteps = 20

// Stepped gives the job with an operator's word added to it, and in the state that he wants.
func (j Job) Stepped(step JobStep) Job {
	j.State = step.To
	j.Steps = append(slices.Clone(j.Steps[max(0, len(j.Steps)-maxSteps+1):]), step)
	return j
}
