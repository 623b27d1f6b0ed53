package job_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/job"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/storetest"
	"github.com/opennotify/notify/pkg/tenant"
)

// A job goes through its pages in one entry while they need no time, and counts what they count.
func TestPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(store.Job{ID: "job_1"})
	w.work()
	j := w.job("job_1")
	if j.State != store.JobDone || j.Counts["lines"] != 5 || j.Page != 5 || j.Started == 0 || j.Finished == 0 || j.Due != 0 {
		t.Errorf("%+v", j)
	}
	if diff := cmp.Diff([]int{0, 1, 2, 3, 4}, w.done); diff != "" {
		t.Error("(-want +got):", diff)
	}
	if w.sent != 1 {
		t.Error(w.sent, "entries for pages that need no time")
	}
}

// A second start with the same id is the same job.
func TestStartTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(store.Job{ID: "job_1"})
	j, added, err := w.jobs.Start(t.Context(), operator, store.Job{ID: "job_1", Kind: "count", Tenant: "shop", Spec: jsontext.Value(`9`)})
	if err != nil || added || string(j.Spec) != "5" {
		t.Error(j, added, err)
	}
	w.work()
	w.work()
	if len(w.done) != 5 {
		t.Error(w.done)
	}
}

// What a job waits for: its rate, its page's word, both by an entry's delay; longer ones by the sweep.
func TestWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(store.Job{ID: "job_1", Rate: 4})
	w.work()                                                                 // each page is 2 items
	if got := w.clock.Sub(start); len(w.done) != 5 || got != 2*time.Second { // the last page is not waited for
		t.Error(len(w.done), "pages in", got)
	}

	w = newWorld(t)
	w.wait = map[int]time.Duration{1: time.Hour}
	w.start(store.Job{ID: "job_1"})
	w.work()
	if len(w.done) != 2 || len(w.items) != 0 {
		t.Fatal(w.done, w.items)
	}
	w.requeue(0)
	w.clock = w.clock.Add(time.Hour)
	w.requeue(1)
	w.work()
	if len(w.done) != 5 {
		t.Error(w.done)
	}
}

// Steering is in force before the next page, keeps what the page in between did, and says who it was.
func TestSteer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.during = map[int]func(){1: func() { w.steer(store.JobPaused) }}
	w.start(store.Job{ID: "job_1"})
	w.work()
	j := w.job("job_1")
	if j.State != store.JobPaused || j.Page != 2 || j.Counts["lines"] != 2 || j.Due != 0 || j.Steps[0].By != "key:op" || j.Steps[0].Why != "because" {
		t.Fatalf("%+v", j)
	}
	w.clock = w.clock.Add(24 * time.Hour)
	w.requeue(0)
	w.steer(store.JobRunning)
	w.work()
	if j = w.job("job_1"); j.State != store.JobDone || len(w.done) != 5 {
		t.Errorf("%+v, done %v", j, w.done)
	}
	for _, to := range []store.JobState{store.JobPaused, store.JobRunning, store.JobStopping} {
		if _, err := w.jobs.Steer(t.Context(), operator, "job_1", to, ""); !errors.Is(err, job.ErrState) {
			t.Errorf("a job that is done can be steered to %s: %v", to, err)
		}
	}
}

// Whoever steers a job by hand is in the audit before it is done, whether the job was to wait or had begun; a
// worker is not, nor is what changes nothing.
func TestSteeringIsAudited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(store.Job{ID: "job_1", State: store.JobWaiting})
	for _, to := range []store.JobState{store.JobRunning, store.JobPaused, store.JobRunning, store.JobRunning, store.JobStopping, store.JobStopping} {
		w.steer(to)
		w.clock = w.clock.Add(time.Second)
	}
	w.start(store.Job{ID: "job_2"})
	if _, err := w.jobs.Steer(t.Context(), tenant.System("schedule"), "job_2", store.JobStopping, "cancelled"); err != nil {
		t.Fatal(err)
	}
	list, _, err := w.store.Audit(t.Context(), operator, store.Day(message.At(start)), "", 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range slices.Backward(list) {
		d := a.Deed
		got = append(got, fmt.Sprintln(d.By, d.What, d.Kind, d.Object, d.Tenant, d.Reason, d.Changes))
	}
	want := []string{
		"key:op sent count job_1 shop because [{/state \"waiting\" \"running\"}]\n", "key:op paused count job_1 shop because [{/state \"running\" \"paused\"}]\n",
		"key:op resumed count job_1 shop because [{/state \"paused\" \"running\"}]\n", "key:op stopped count job_1 shop because [{/state \"running\" \"stopping\"}]\n",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// A stop has pages of its own, also when it comes while the last page is done.
func TestStop(t *testing.T) {
	t.Parallel()
	for at := range 5 {
		w := newWorld(t)
		w.during = map[int]func(){at: func() { w.steer(store.JobStopping) }}
		w.start(store.Job{ID: "job_1"})
		w.work()
		j := w.job("job_1")
		if j.State != store.JobStopped || len(w.done) != at+1 || w.undone != 3 || j.Finished == 0 {
			t.Errorf("stopped in page %d: %+v, %d pages, %d of the stop", at, j, len(w.done), w.undone)
		}
		w.steer(store.JobStopping) // again changes nothing
	}
	w := newWorld(t)
	w.start(store.Job{ID: "job_1", State: store.JobWaiting})
	w.steer(store.JobStopping)
	w.work()
	if j := w.job("job_1"); j.State != store.JobStopped || len(w.done) != 0 {
		t.Errorf("%+v", j)
	}
}

// A page that fails is tried again, ever later; one that can never work ends the job and says why.
func TestFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail = map[int]error{1: errors.New("down"), 3: problem.New(problem.Unavailable, "down")}
	w.start(store.Job{ID: "job_1"})
	w.workFor(time.Minute)
	if j := w.job("job_1"); j.State != store.JobRunning || j.Tries < 3 || j.Tries > 7 || !strings.Contains(j.Fault, "tried again") || len(w.done) != 1 {
		t.Fatalf("%+v", j)
	}
	delete(w.fail, 1)
	w.workFor(10 * time.Minute)
	if len(w.done) != 3 {
		t.Fatal(w.done)
	}
	w.fail[3] = problem.Invalid(problem.At("/x", problem.BadValue, "the file is not there"))
	w.workFor(10 * time.Minute)
	if j := w.job("job_1"); j.State != store.JobFailed || j.Fault != "the file is not there" || j.Finished == 0 {
		t.Fatalf("%+v", j)
	}
	w = newWorld(t)
	w.during = map[int]func(){2: func() { panic("with a name in it") }}
	w.start(store.Job{ID: "job_1"})
	w.workFor(time.Minute)
	if j := w.job("job_1"); j.State != store.JobDone || len(w.done) != 5 {
		t.Errorf("a page that panics is not tried again: %+v", j)
	}
}

// A page can have its job wait for somebody's word, or for something to be mended, or end it.
func TestWords(t *testing.T) {
	t.Parallel()
	for want, step := range map[store.JobState]job.Step{store.JobWaiting: {Asks: true}, store.JobPaused: {Paused: "the channel is off"}, store.JobStopped: {Stopped: "it was cancelled"}, store.JobFailed: {Failed: "there is no file"}} {
		w := newWorld(t)
		w.say = map[int]job.Step{2: step}
		w.start(store.Job{ID: "job_1"})
		w.work()
		j := w.job("job_1")
		if j.State != want || j.Fault != step.Paused+step.Stopped+step.Failed || j.Due != 0 || len(w.done) != 3 {
			t.Errorf("%s: %+v", want, j)
		}
		if want.Ended() {
			continue
		}
		w.steer(store.JobRunning)
		w.work()
		if j = w.job("job_1"); j.State != store.JobDone || j.Fault != "" || len(w.done) != 5 {
			t.Errorf("after %s: %+v", want, j)
		}
	}
}

// Whatever fails at whatever call, before or after it was made, and whatever entry is lost: every page is
// done, a page is done again only if its end could not be kept, and counts are exact.
func TestCrashAtEveryCall(t *testing.T) {
	t.Parallel()
	for at, hit := 0, true; hit; at++ {
		for _, after := range []bool{false, true} {
			w := newWorld(t)
			n := 0
			hit = false
			w.start(store.Job{ID: "job_1"})
			w.fault = func(string) (f storetest.Fault) {
				if n++; n-1 == at {
					if hit = true; after {
						f.After = errors.New("lost answer")
					} else {
						f.Before = errors.New("not reached")
					}
				}
				return f
			}
			w.workFor(5 * time.Minute)
			j := w.job("job_1")
			seen := map[int]int{}
			for _, line := range w.done {
				seen[line]++
			}
			if j.State != store.JobDone || j.Counts["lines"] != 5 || len(seen) != 5 || len(w.done) > 6 {
				t.Fatalf("call %d (after it was made: %v): %+v, done %v", at, after, j, w.done)
			}
		}
	}
}

// Entries that are lost are put again, spaced; entries that are repeated do nothing; those of a job that
// nobody knows, or of a kind that is not done here, do no harm.
func TestEntries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.wait = map[int]time.Duration{0: time.Second, 1: time.Second, 2: time.Second, 3: time.Second}
	w.start(store.Job{ID: "job_1"})
	w.items = nil // lost
	for _, want := range []int{0, 1, 1, 0, 1, 0, 0, 0, 1} {
		w.requeue(want)
		w.items = nil
		w.clock = w.clock.Add(time.Minute)
	}
	w.clock = w.clock.Add(time.Hour)
	w.requeue(1)
	first := w.items[0]
	w.work()
	if len(w.done) != 5 {
		t.Error(w.done)
	}
	for _, body := range []string{string(first.Body), `{"kind":"job","id":"job_2","page":0}`} {
		if again := w.jobs.Handle(t.Context(), []queue.Item{{ID: "x", Body: []byte(body)}}); len(again) != 0 || again == nil {
			t.Error(body, again)
		}
	}
	w.start(store.Job{ID: "job_3", Kind: "newer"})
	for _, body := range []string{`{"kind":"job","id":"job_3","page":0}`, `{"kind":"job"`, `{"kind":"job","id":"job_3","page":0,"x":1}`} {
		if again := w.jobs.Handle(t.Context(), []queue.Item{{ID: "x", Body: []byte(body)}}); len(again) != 1 {
			t.Error(body, again)
		}
	}
	if len(w.done) != 5 {
		t.Error("done again:", w.done)
	}
}

// A queue in memory is empty after a start.
func TestRebuild(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.wait = map[int]time.Duration{0: 10 * time.Second}
	for i := range 3 {
		w.start(store.Job{ID: "job_" + strconv.Itoa(i)})
	}
	if _, err := w.jobs.Steer(t.Context(), operator, "job_2", store.JobPaused, ""); err != nil {
		t.Fatal(err)
	}
	w.step()
	w.items = nil
	if n, err := w.jobs.Rebuild(t.Context()); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	w.work()
	if a, b, c := w.job("job_0"), w.job("job_1"), w.job("job_2"); a.State != store.JobDone || b.State != store.JobDone || c.State != store.JobPaused {
		t.Error(a, b, c)
	}
}

// Another tenant's job is not there.
func TestIsolation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(store.Job{ID: "job_1"})
	other := tenant.Of(tenant.Key{Tenant: "other", ID: "o", Live: true, Scopes: []tenant.Scope{tenant.Send, tenant.Read}})
	if _, err := w.store.Job(t.Context(), other, "job_1"); !errors.Is(err, store.ErrNotFound) {
		t.Error("read:", err)
	}
	if _, err := w.jobs.Steer(t.Context(), other, "job_1", store.JobPaused, ""); !errors.Is(err, store.ErrNotFound) {
		t.Error("steered:", err)
	}
	if _, _, err := w.jobs.Start(t.Context(), other, store.Job{ID: "job_1", Kind: "count", Tenant: "other"}); !errors.Is(err, store.ErrNotFound) {
		t.Error("its id taken:", err)
	}
	if found, err := w.store.Jobs(t.Context(), other, "shop", "count", "", 10, ""); len(found.Jobs) != 0 || err != nil {
		t.Error("listed:", found, err)
	}
	if found, err := w.store.Jobs(t.Context(), operator, "shop", "count", "", 10, ""); len(found.Jobs) != 1 || err != nil {
		t.Error("not listed:", found, err)
	}
	for _, id := range []string{"", "../x", "JOB", strings.Repeat("a", 65)} {
		if _, err := w.store.Job(t.Context(), operator, id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func (w *world) page(_ context.Context, j store.Job) (job.Step, error) {
	w.clock = w.clock.Add(w.takes)
	if do := w.during[int(j.Page)]; do != nil {
		delete(w.during, int(j.Page))
		do()
	}
	if err := w.fail[int(j.Page)]; err != nil {
		return job.Step{}, err
	}
	var at int
	if j.Cursor != nil {
		at, _ = strconv.Atoi(string(j.Cursor))
	}
	last, _ := strconv.Atoi(string(j.Spec))
	w.done = append(w.done, at)
	step := w.say[at]
	step.Cursor, step.Counts, step.Items = jsontext.Value(strconv.Itoa(at+1)), map[string]int64{"lines": 1}, 2
	step.Wait, step.Done = w.wait[at], at+1 == last
	return step, nil
}

func (w *world) undo(context.Context, store.Job) (job.Step, error) {
	w.undone++
	return job.Step{Done: w.undone == 3}, nil
}

// A record that nobody can read holds up nothing but itself, and is in the log.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []string{"job_1", "job_2", "job_3"} {
		w.start(store.Job{ID: id})
	}
	items, err := w.disk.Get(t.Context(), store.Key{PK: "j#job_2", SK: "j"})
	if err != nil {
		t.Fatal(err)
	}
	items[0].Data = []byte("{")
	if _, err := w.disk.Write(t.Context(), message.At(w.clock), []store.Op{{Item: *items[0]}}); err != nil {
		t.Fatal(err)
	}
	w.items, w.clock = nil, w.clock.Add(time.Hour)
	w.requeue(2)
	if !strings.Contains(w.logs.String(), "level=ERROR") || !strings.Contains(w.logs.String(), "job_2") {
		t.Errorf("logged: %s", w.logs.String())
	}
	if n, err := w.jobs.Rebuild(t.Context()); n != 2 || err != nil {
		t.Error("after a start:", n, err)
	}
	for what, list := range map[string]func() (store.FoundJobs, error){
		"a topic's": func() (store.FoundJobs, error) {
			return w.store.Jobs(t.Context(), operator, "shop", "count", "", 10, "")
		},
		"the newest": func() (store.FoundJobs, error) {
			return w.store.NewestJobs(t.Context(), operator, []string{"shop"}, "count", 10, "")
		},
	} {
		if found, err := list(); err != nil || len(found.Jobs) != 2 || len(found.Bad) != 1 {
			t.Errorf("%s: %+v, %v", what, found, err)
		}
	}
}

// ending is a context with an end on the world's clock.
type ending struct {
	context.Context
	at time.Time
}

func (e ending) Deadline() (time.Time, bool) { return e.at, true }

// Where a function has entries of many jobs at once, each has a page done in its time, and none is cut off.
func TestTurns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takes = 2 * time.Second
	var batch []queue.Item
	for i := range 10 {
		w.start(store.Job{ID: fmt.Sprint("job_", i)})
		batch = append(batch, w.items[i].Item)
	}
	end := w.clock.Add(27 * time.Second)
	if again := w.jobs.Handle(ending{t.Context(), end}, batch); len(again) > 0 || w.clock.After(end) {
		t.Errorf("%d come again, %s after the end", len(again), w.clock.Sub(end))
	}
	for i := range 10 {
		if j := w.job(fmt.Sprint("job_", i)); j.Page == 0 {
			t.Errorf("%s has had no page done", j.ID)
		}
	}
}
