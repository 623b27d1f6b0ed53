package campaign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
	"github.com/opennotify/notify/pkg/timer"
)

// PutSchedule makes or changes a schedule: the document first, then its timer, which Reconcile makes where a
// crash came between.
func (c *Campaigns) PutSchedule(ctx context.Context, p tenant.Principal, s Schedule, d AudienceDraft, change Change) (Versioned, error) {
	none := Versioned{}
	if err := changes(p, s.Tenant); err != nil {
		return none, err
	}
	t, err := c.sees(ctx, p, s.Tenant, "/tenant")
	if err != nil {
		return none, err
	}
	switch {
	case !tenant.ValidName(s.Name):
		return none, problem.Invalid(problem.At("/name", problem.BadValue, "a name has 1 to 32 lower-case letters, digits and -, and begins with a letter"))
	case utf8.RuneCountInString(s.Title) > maxTitle:
		return none, problem.Invalid(problem.At("/title", problem.TooLong, "title may have %d characters", maxTitle))
	case s.LateMinutes < 0 || s.LateMinutes > maxLate:
		return none, problem.Invalid(problem.At("/late_minutes", problem.BadValue, "late_minutes is 1 to %d", maxLate))
	}
	if err := change.check(); err != nil {
		return none, err
	}
	s.At -= s.At % 1000 // timers know whole seconds
	if s.Every > 0 && s.Start == 0 {
		s.Start = message.At(c.Now().Truncate(time.Minute).Add(time.Duration(s.Every) * time.Minute))
	}
	if _, err := s.When.plan(c.Now()); err != nil {
		return none, err
	}
	if err := c.checkContent(ctx, s.Tenant, p.Live, s.Content); err != nil {
		return none, err
	}
	head, err := c.expected(ctx, p, s.Tenant, s.Name, change)
	if err != nil {
		return none, err
	}
	old, err := replaced(head)
	if err != nil {
		return none, err
	}
	if s.Audience, err = c.audienceOf(ctx, p, old, s, d); err != nil {
		return none, err
	}
	if _, s.Class, err = c.version(ctx, s.Tenant, p.Live, s.Content); err != nil {
		return none, err
	}
	s.Owner, s.Live, s.Key = t.Owner.Name, p.Live, p.KeyID
	if s.Paused, s.Since = old.Paused, old.Since; old.Name == "" { // only Pause and Resume change the one, nothing the other
		s.Since = head.Version + 1
	}
	return c.save(ctx, p, head, s, change.Reason)
}

// replaced is the schedule that a new version replaces; the zero Schedule where there is none, or it was deleted.
func replaced(head store.Doc) (Schedule, error) {
	if head.Version == 0 || head.Deleted {
		return Schedule{}, nil
	}
	old, err := readSchedule(head)
	if err != nil {
		return old, unavailable(err)
	}
	return old, nil
}

// audienceOf keeps the audience of a new version, or takes that of the one before.
func (c *Campaigns) audienceOf(ctx context.Context, p tenant.Principal, old, s Schedule, d AudienceDraft) (Audience, error) {
	folder := lists + s.Tenant + "/" + s.Name
	a, err := old.Audience, d.check()
	if !d.Unchanged || old.Name == "" {
		a, err = c.keep(ctx, p, s.Tenant, folder, s.Content, d)
	}
	if err != nil || !strings.HasPrefix(a.Kept, uploads) {
		return a, err
	}
	// An upload is kept for a month, a schedule's list as long as it is.
	upload := a.Kept
	a.Kept = folder + "/" + c.NewULID(c.now())
	switch err := c.Blobs.Copy(ctx, upload, a.Kept); {
	case gone(err):
		return a, problem.Invalid(problem.At("/audience", problem.BadValue, unkept))
	case err != nil:
		return a, unavailable(err)
	}
	return a, nil
}

// expected reads the version that a change replaces, and refuses one of another.
func (c *Campaigns) expected(ctx context.Context, p tenant.Principal, of, name string, change Change) (store.Doc, error) {
	head, err := c.Store.Doc(ctx, store.Schedules, docName(of, name))
	if errors.Is(err, store.ErrNotFound) {
		head, err = store.Doc{Kind: store.Schedules, Name: docName(of, name), Tenant: of}, nil
	}
	if err != nil {
		return head, unavailable(err)
	}
	live := head.Version > 0 && !head.Deleted
	switch {
	case live && isExternal(head):
		return head, problem.New(problem.Conflict, "a schedule that somebody made with AWS tools has this name; choose another")
	case change.Version == head.Version, !live && change.Version == 0:
		return head, nil
	case live:
		return head, problem.New(problem.Conflict, "schedule %s has version %d, by %s at %s; read it again and send version %d", name, head.Version, head.Author, head.At, head.Version)
	}
	return head, problem.New(problem.Conflict, "there is no schedule %s; leave version out, or send 0, to make it", name)
}

func isExternal(d store.Doc) bool {
	s, err := readSchedule(d)
	return err == nil && s.External
}

// save writes a version over another, and makes its timer.
func (c *Campaigns) save(ctx context.Context, p tenant.Principal, head store.Doc, s Schedule, reason string) (Versioned, error) {
	body, err := json.Marshal(s, json.Deterministic(true))
	if err != nil {
		return Versioned{}, unavailable(fmt.Errorf("campaign: schedule %s: %w", head.Name, err))
	}
	old := head.Version
	head.Body, head.Reason, head.Deleted, head.Tenant = body, reason, false, s.Tenant
	d, err := c.put(ctx, p, head)
	if err != nil {
		return Versioned{}, err
	}
	t, err := s.timer(d.Version)
	if err == nil && !s.Paused {
		err = c.Timer.Put(ctx, t)
	}
	c.settled(ctx, d, err)
	c.untime(ctx, d, old)
	return c.view(d, showRuns)
}

func (c *Campaigns) put(ctx context.Context, p tenant.Principal, d store.Doc) (store.Doc, error) {
	saved, err := c.Store.PutDoc(ctx, p, c.now(), d)
	if errors.Is(err, store.ErrConflict) {
		return saved, problem.New(problem.Conflict, "the schedule was changed at the same time; read it again")
	}
	if err != nil {
		return saved, unavailable(err)
	}
	return saved, nil
}

// untime removes the timer of an older version.
func (c *Campaigns) untime(ctx context.Context, d store.Doc, version int64) {
	if version == 0 {
		return
	}
	_, name, _ := strings.Cut(d.Name, "/")
	err := c.Timer.Delete(ctx, timerName(d.Tenant, name, version))
	if errors.Is(err, timer.ErrNotFound) {
		err = nil
	}
	c.settled(ctx, d, err)
}

// settled logs a timer's fault: the document is what counts, and the next reconciling sees to it.
func (c *Campaigns) settled(ctx context.Context, d store.Doc, err error) {
	if err != nil {
		c.Log.WarnContext(ctx, "timer not settled; it will be", "schedule", d.Name, "error", err)
	}
}

// PauseSchedule keeps a schedule from starting runs, or lets it again. Runs that go on, go on.
func (c *Campaigns) PauseSchedule(ctx context.Context, p tenant.Principal, of, name string, paused bool, why string) (Versioned, error) {
	if err := changes(p, of); err != nil {
		return Versioned{}, err
	}
	if err := (Change{Reason: why}).check(); err != nil {
		return Versioned{}, err
	}
	d, err := c.live(ctx, p, of, name)
	if err != nil {
		return Versioned{}, err
	}
	s, err := readSchedule(d)
	switch {
	case err != nil:
		return Versioned{}, unavailable(err)
	case s.External:
		return Versioned{}, external(name)
	case s.Paused == paused:
		return c.view(d, showRuns)
	}
	s.Paused = paused
	return c.save(ctx, p, d, s, why)
}

func external(name string) error {
	return problem.New(problem.NotAllowedNow, "schedule %s was made with AWS tools; steer it with them", name)
}

// DeleteSchedule cancels a schedule, and stops the runs that it has under way. Asked again, it does so again: who
// asked first may have died in between.
func (c *Campaigns) DeleteSchedule(ctx context.Context, p tenant.Principal, of, name string, change Change) error {
	if err := changes(p, of); err != nil {
		return err
	}
	if err := change.check(); err != nil {
		return err
	}
	d, err := c.doc(ctx, p, of, name)
	if err != nil {
		return err
	}
	if !d.Deleted {
		if change.Version != 0 && change.Version != d.Version {
			return problem.New(problem.Conflict, "schedule %s has version %d, by %s at %s; read it again", name, d.Version, d.Author, d.At)
		}
		version := d.Version
		d.Deleted, d.Reason = true, change.Reason
		if d, err = c.put(ctx, p, d); err != nil {
			return err
		}
		c.untime(ctx, d, version)
	}
	return c.stopRuns(ctx, p, of, name)
}

// stopRuns stops the runs that a schedule has under way.
func (c *Campaigns) stopRuns(ctx context.Context, p tenant.Principal, of, name string) error {
	for after := ""; ; {
		page, err := c.Store.Jobs(ctx, c.as, of, KindRun, topic(name), 100, after)
		if err != nil {
			return unavailable(err)
		}
		for _, j := range page.Jobs {
			if j.State.Ended() {
				continue
			}
			if _, err := c.Jobs.Steer(ctx, p, j.ID, store.JobStopping, "its schedule was cancelled"); err != nil {
				return unavailable(err)
			}
		}
		if after = page.Next; after == "" || len(page.Jobs) > 0 && page.Jobs[len(page.Jobs)-1].State.Ended() { // older ones ended before
			return nil
		}
	}
}

// RunSchedule starts a run now, whatever the time: for a day, which is today in the schedule's zone without one.
func (c *Campaigns) RunSchedule(ctx context.Context, p tenant.Principal, of, name, date, why string) (Run, error) {
	if err := changes(p, of); err != nil {
		return Run{}, err
	}
	if _, err := time.Parse(time.DateOnly, date); err != nil && date != "" {
		return Run{}, problem.Invalid(problem.At("/run_date", problem.BadTime, "run_date is a day such as 2026-03-31; leave it out for today"))
	}
	if err := (Change{Reason: why}).check(); err != nil {
		return Run{}, err
	}
	d, err := c.live(ctx, p, of, name)
	if err != nil {
		return Run{}, err
	}
	s, err := readSchedule(d)
	if err != nil {
		return Run{}, unavailable(err)
	}
	if s.External {
		return Run{}, external(name)
	}
	id, err := c.free(ctx, of, name)
	if err != nil {
		return Run{}, err
	}
	plan, err := s.When.timer().Plan()
	if err != nil {
		return Run{}, unavailable(err)
	}
	spec := s.spec(plan, c.Now().Truncate(time.Second))
	spec.Manual, spec.Window, spec.Date = true, 0, cmp.Or(date, spec.Date)
	r, err := c.order(ctx, p, store.Job{ID: id, Tenant: of, Topic: topic(name), Reason: why}, spec)
	if err == nil && r.Date != spec.Date { // somebody who asked at the same moment was quicker
		return Run{}, problem.New(problem.NotAllowedNow, "run %s of this schedule is under way; stop it first, or wait for its end", id)
	}
	return r, err
}

// free gives the id of the next run that somebody starts by hand, where none is under way. It follows from the run
// before, and so do those after it: the list may not show yet what was just started, a record is there at once, and
// two who ask at the same time ask for one run.
func (c *Campaigns) free(ctx context.Context, of, name string) (string, error) {
	page, err := c.Store.Jobs(ctx, c.as, of, KindRun, topic(name), 1, "")
	if err != nil {
		return "", unavailable(err)
	}
	before, known := store.Job{}, len(page.Jobs) > 0
	if known {
		before = page.Jobs[0]
	}
	for {
		if known && !before.State.Ended() {
			if r, err := openRun(before); err == nil && r.at.Ended == 0 {
				return "", problem.New(problem.NotAllowedNow, "run %s of this schedule is under way; stop it first, or wait for its end", before.ID)
			}
		}
		id := runID("manual", of, name, before.ID)
		before, err = c.Store.Job(ctx, c.as, id)
		if errors.Is(err, store.ErrNotFound) {
			return id, nil
		}
		if err != nil {
			return "", unavailable(err)
		}
		known = true
	}
}
