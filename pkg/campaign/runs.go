package campaign

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/job"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Run is a run as people see it.
type Run struct {
	store.Job
	Spec
	// State is in words of its own: reading, weighing, waiting, sending, done, paused, stopping, stopped, failed.
	State string
	// Expanded is when every row was a message; Ended when none of them was on its way any more.
	Expanded, Ended message.Time
	// Statuses are of its messages, as they were at Surveyed.
	Statuses map[message.Status]int64
	Surveyed message.Time
	// PerSecond is how fast messages went out so far; Left how long the rest takes at that. 0 is not known.
	PerSecond float64
	Left      time.Duration
	// Minutes is how long a run that waits for a word would take at its accounts' limits.
	Minutes float64
}

func (c *Campaigns) runView(j store.Job) (Run, error) {
	r, err := openRun(j)
	if err != nil {
		return Run{}, unavailable(err)
	}
	out := Run{Job: j, Spec: r.Spec, State: r.word(), Expanded: r.at.Made, Ended: r.at.Ended, Surveyed: r.at.Survey.At}
	out.Statuses = r.at.Survey.Whole
	if r.at.Survey.At == 0 {
		out.Statuses = maps.Clone(r.at.Survey.Sum)
	}
	out.pace(c.now())
	return out, nil
}

// word is the state in a word.
func (r *run) word() string {
	switch {
	case r.State != store.JobRunning:
		return string(r.State)
	case r.at.Ended > 0:
		return "done"
	case r.at.Phase == reading:
		return "reading"
	case r.at.Phase == weighing:
		return "weighing"
	}
	return "sending"
}

// pace fills in how fast it goes.
func (r *Run) pace(now message.Time) {
	var gone, open int64
	for s, n := range r.Statuses {
		if s == message.Queued || s == message.Scheduled || s == message.Sending {
			open += n
		} else {
			gone += n
		}
	}
	until := r.Surveyed
	if r.Ended > 0 {
		until = r.Ended
	}
	since := r.moved(until)
	if r.Started == 0 || since < time.Second || gone == 0 {
		return
	}
	r.PerSecond = float64(gone) / since.Seconds()
	if rest := r.rest() + open; rest > 0 && r.State == "sending" {
		r.Left = max(time.Duration(float64(rest)/r.PerSecond*float64(time.Second))-now.Sub(until), time.Second)
	}
}

// moved is how long it went on until then: not while it waited for its word, nor while somebody had paused it.
func (r *Run) moved(until message.Time) time.Duration {
	began, asks := r.Started, r.Ask
	var paused message.Time
	var idle time.Duration
	for _, s := range r.Steps {
		at := min(s.At, until)
		switch {
		case s.To == store.JobPaused:
			paused = at
		case s.To == store.JobRunning && paused > 0:
			idle += at.Sub(paused)
			paused = 0
		case s.To == store.JobRunning && asks: // the word
			began, idle, asks = at, 0, false
		}
	}
	if paused > 0 {
		idle += until.Sub(paused)
	}
	return until.Sub(began) - idle
}

// rest is how many rows are not looked at yet.
func (r *Run) rest() int64 {
	n := r.Counts["rows"]
	for _, what := range []string{"made", "suppressed", "duplicate", "repeated", "refused"} {
		n -= r.Counts[what]
	}
	return max(n, 0)
}

// Campaign is an order to send now, or when somebody says so.
type Campaign struct {
	Tenant string
	Title  string
	Content
	Audience  AudienceDraft
	PerSecond int // at most; 0 is what the accounts take
	// Send sends at once, without a dry run.
	Send   bool
	Reason string
}

// maxPerSecond bounds what may be asked for.
const maxPerSecond = 100_000

// Create orders a campaign. It weighs its audience and waits for a word, unless it is to be sent at once.
// A key makes the order the same when it is asked for again.
func (c *Campaigns) Create(ctx context.Context, p tenant.Principal, o Campaign, key string) (Run, error) {
	if err := changes(p, o.Tenant); err != nil {
		return Run{}, err
	}
	t, err := c.sees(ctx, p, o.Tenant, "/tenant")
	if err != nil {
		return Run{}, err
	}
	switch {
	case utf8.RuneCountInString(o.Title) > maxTitle:
		return Run{}, problem.Invalid(problem.At("/title", problem.TooLong, "title may have %d characters", maxTitle))
	case o.PerSecond < 0 || o.PerSecond > maxPerSecond:
		return Run{}, problem.Invalid(problem.At("/per_second", problem.BadValue, "per_second is 1 to %d; leave it out for what the accounts take", maxPerSecond))
	case o.Audience.Path != "" && strings.Contains(o.Audience.Path, "{"):
		return Run{}, problem.Invalid(problem.At("/audience/path", problem.BadValue, "a campaign has one time only: name the file as it is"))
	case o.Send && t.ApproveOver > 0:
		return Run{}, problem.Invalid(problem.At("/send", problem.BadValue, "this tenant's campaigns to more than %d need a second person: leave send out, and have somebody else send it", t.ApproveOver))
	}
	if err := (Change{Reason: o.Reason}).check(); err != nil {
		return Run{}, err
	}
	if err := c.checkContent(ctx, o.Tenant, p.Live, o.Content); err != nil {
		return Run{}, err
	}
	id := runID("campaign", o.Tenant, p.KeyID, key)
	if key == "" {
		id = "run_" + c.NewULID(c.now())
	} else if j, err := c.Store.Job(ctx, p, id); err == nil {
		return c.again(j, o)
	}
	spec := Spec{Title: o.Title, Content: o.Content, Ask: !o.Send, Owner: t.Owner.Name, Live: p.Live, Key: p.KeyID}
	if spec.Audience, err = c.keep(ctx, p, o.Tenant, "uploads/"+o.Tenant, o.Content, o.Audience); err != nil {
		return Run{}, err
	}
	if spec.Version, spec.Class, err = c.version(ctx, o.Tenant, p.Live, o.Content); err != nil {
		return Run{}, err
	}
	return c.order(ctx, p, store.Job{ID: id, Tenant: o.Tenant, Reason: o.Reason, Rate: o.PerSecond}, spec)
}

// again is a campaign that was ordered with the same key before, if it is the same: what it says, and where its rows are
// or how many came with it. A list may have been uploaded anew.
func (c *Campaigns) again(j store.Job, o Campaign) (Run, error) {
	r, err := c.runView(j)
	if err != nil {
		return r, err
	}
	now := o.Content
	if now.Version == 0 {
		now.Version = r.Content.Version
	}
	was, err := json.Marshal(r.Content, json.Deterministic(true))
	if err != nil {
		return Run{}, unavailable(err)
	}
	is, err := json.Marshal(now, json.Deterministic(true))
	if err != nil {
		return Run{}, unavailable(err)
	}
	if !bytes.Equal(was, is) || o.Audience.Path != r.Audience.Path || o.Audience.URL != r.Audience.URL || len(o.Audience.Rows) != r.Audience.Rows {
		return Run{}, problem.New(problem.KeyReused, "this Idempotency-Key ordered another campaign, %s; use a new key for a new one", j.ID)
	}
	return r, nil
}

// order starts a run that somebody asked for. By hand it is in the audit first.
func (c *Campaigns) order(ctx context.Context, p tenant.Principal, j store.Job, spec Spec) (Run, error) {
	if p.ByHand() {
		if err := c.Store.AddDeed(ctx, p, c.now(), store.Deed{What: "ordered", Kind: KindRun, Object: j.ID, Tenant: j.Tenant, Reason: j.Reason}); err != nil {
			return Run{}, unavailable(err)
		}
	}
	j.Author = p.Name
	j, err := c.start(ctx, j, spec)
	if err != nil {
		return Run{}, unavailable(err)
	}
	return c.runView(j)
}

// Runs lists a tenant's runs, the newest first: of a schedule, or its campaigns. Without a tenant it lists
// the campaigns of all whom the principal sees.
func (c *Campaigns) Runs(ctx context.Context, p tenant.Principal, of, schedule string, limit int, after string) ([]Run, string, error) {
	if err := reads(p); err != nil {
		return nil, "", err
	}
	if of == "" && schedule == "" {
		return c.everybodys(ctx, p, limit, after)
	}
	if _, err := c.sees(ctx, p, of, "query:tenant"); err != nil {
		return nil, "", err
	}
	under := ""
	if schedule != "" {
		if _, err := c.doc(ctx, p, of, schedule); err != nil {
			return nil, "", err
		}
		under = topic(schedule)
	}
	page, err := c.Store.Jobs(ctx, p, of, KindRun, under, limit, after)
	if err != nil {
		return nil, "", unavailable(err)
	}
	return c.runViews(ctx, page)
}

// everybodys lists the campaigns of all tenants whom the principal sees.
func (c *Campaigns) everybodys(ctx context.Context, p tenant.Principal, limit int, after string) ([]Run, string, error) {
	if after != "" && !store.IsJobPlace(after) {
		return nil, "", problem.Invalid(problem.At("query:after", problem.BadValue, "after must be the next of an earlier answer; leave it out to begin"))
	}
	docs, _, err := c.Store.Docs(ctx, store.Tenants)
	if err != nil {
		return nil, "", unavailable(err)
	}
	var names []string
	for _, d := range docs {
		names = append(names, d.Name)
	}
	page, err := c.Store.NewestJobs(ctx, p, names, KindRun, limit, after)
	if err != nil {
		return nil, "", unavailable(err)
	}
	return c.runViews(ctx, page)
}

func (c *Campaigns) runViews(ctx context.Context, page store.FoundJobs) ([]Run, string, error) {
	for _, bad := range page.Bad { // the rest is shown
		c.Log.ErrorContext(ctx, "run unreadable", "error", bad)
	}
	out := make([]Run, 0, len(page.Jobs))
	for _, j := range page.Jobs {
		r, err := c.runView(j)
		if err != nil {
			c.Log.ErrorContext(ctx, "run unreadable", "run", j.ID, "error", err)
			continue
		}
		out = append(out, r)
	}
	return out, page.Next, nil
}

// Run reads one. Of a run that waits for a word it says how long it would take.
func (c *Campaigns) Run(ctx context.Context, p tenant.Principal, id string) (Run, error) {
	if err := reads(p); err != nil {
		return Run{}, err
	}
	j, err := c.job(ctx, p, id)
	if err != nil {
		return Run{}, err
	}
	out, err := c.runView(j)
	if err != nil || j.State != store.JobWaiting {
		return out, err
	}
	r, err := openRun(j)
	if err != nil {
		return out, unavailable(err)
	}
	rate, err := c.Rate(ctx, r.at.Channel)
	if err != nil {
		return out, unavailable(err)
	}
	if j.Rate > 0 && (rate == 0 || float64(j.Rate) < rate) {
		rate = float64(j.Rate)
	}
	if rate > 0 {
		out.Minutes = float64(j.Counts[weighed+"valid"]) / rate / 60
	}
	return out, nil
}

// SendRun lets a run go that waits for a word. Over the tenant's bound that is not its author's to say.
func (c *Campaigns) SendRun(ctx context.Context, p tenant.Principal, id, why string) (Run, error) {
	j, err := c.steered(ctx, p, id)
	if err != nil {
		return Run{}, err
	}
	if j.State == store.JobWaiting {
		t, _, err := c.Config.Tenant(ctx, j.Tenant)
		if err != nil {
			return Run{}, unavailable(err)
		}
		if t.ApproveOver > 0 && j.Author == p.Name && j.Counts["rows"]-j.Counts["bad"] > int64(t.ApproveOver) {
			return Run{}, problem.New(problem.NotAllowedNow, "it has more than %d recipients: somebody else than its author sends it", t.ApproveOver)
		}
	}
	return c.steer(ctx, p, j, store.JobRunning, why, j.State) // what it has become meanwhile was not looked at
}

// PauseRun keeps a run from making more messages; ResumeRun lets it go on.
func (c *Campaigns) PauseRun(ctx context.Context, p tenant.Principal, id, why string) (Run, error) {
	return c.to(ctx, p, id, store.JobPaused, why)
}

// ResumeRun lets a run go on that was paused.
func (c *Campaigns) ResumeRun(ctx context.Context, p tenant.Principal, id, why string) (Run, error) {
	return c.to(ctx, p, id, store.JobRunning, why, store.JobPaused)
}

// CancelRun stops a run for good, and takes back what is not with a provider yet.
func (c *Campaigns) CancelRun(ctx context.Context, p tenant.Principal, id, why string) (Run, error) {
	return c.to(ctx, p, id, store.JobStopping, why)
}

func (c *Campaigns) to(ctx context.Context, p tenant.Principal, id string, to store.JobState, why string, only ...store.JobState) (Run, error) {
	j, err := c.steered(ctx, p, id)
	if err != nil {
		return Run{}, err
	}
	return c.steer(ctx, p, j, to, why, only...)
}

func (c *Campaigns) steer(ctx context.Context, p tenant.Principal, j store.Job, to store.JobState, why string, only ...store.JobState) (Run, error) {
	if err := (Change{Reason: why}).check(); err != nil {
		return Run{}, err
	}
	j, err := c.Jobs.Steer(ctx, p, j.ID, to, why, only...)
	switch {
	case errors.Is(err, job.ErrState) && j.State == store.JobWaiting && to == store.JobRunning:
		return Run{}, problem.New(problem.NotAllowedNow, "it has not begun: send it")
	case errors.Is(err, job.ErrState):
		return Run{}, problem.New(problem.NotAllowedNow, "the run is %s: that is not possible", j.State)
	}
	if err != nil {
		return Run{}, unavailable(err)
	}
	return c.runView(j)
}

// ResendFailures orders a campaign to those whose message of a run failed, with the same content. It is
// weighed by nobody: it begins at once. A key makes the order the same when it is asked for again.
func (c *Campaigns) ResendFailures(ctx context.Context, p tenant.Principal, id, why, key string) (Run, error) {
	j, err := c.steered(ctx, p, id)
	if err != nil {
		return Run{}, err
	}
	if err := (Change{Reason: why}).check(); err != nil {
		return Run{}, err
	}
	again := runID("failures", id, p.KeyID, key)
	if key == "" {
		again = "run_" + c.NewULID(c.now())
	} else if j, err := c.Store.Job(ctx, p, again); err == nil {
		return c.runView(j)
	}
	r, err := openRun(j)
	if err != nil {
		return Run{}, unavailable(err)
	}
	if r.at.Ended == 0 && j.State != store.JobStopped {
		return Run{}, problem.New(problem.NotAllowedNow, "the run is not over: wait for its end, or stop it")
	}
	spec := Spec{Title: r.Title, Content: r.Content, Class: r.Class, Audience: Audience{Failures: id}, Owner: r.Owner, Live: p.Live, Key: p.KeyID}
	return c.order(ctx, p, store.Job{ID: again, Tenant: j.Tenant, Reason: why}, spec)
}
