package campaign

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"
	"unicode/utf8"

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
	since := until.Sub(r.Started)
	if r.Started == 0 || since < time.Second || gone == 0 {
		return
	}
	r.PerSecond = float64(gone) / since.Seconds()
	if rest := r.rest() + open; rest > 0 && r.State == "sending" {
		r.Left = max(time.Duration(float64(rest)/r.PerSecond*float64(time.Second))-now.Sub(until), time.Second)
	}
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
	if err := changes(p); err != nil {
		return Run{}, err
	}
	t, err := c.sees(ctx, p, o.Tenant)
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
		return c.runView(j)
	}
	spec := Spec{Title: o.Title, Content: o.Content, Ask: !o.Send, Owner: t.Owner.Name, Live: p.Live, Key: p.KeyID}
	if spec.Audience, err = c.keep(ctx, p, o.Tenant, "uploads/"+o.Tenant, o.Content, o.Audience); err != nil {
		return Run{}, err
	}
	if spec.Version, spec.Class, err = c.version(ctx, o.Tenant, p.Live, o.Content); err != nil {
		return Run{}, err
	}
	j, err := c.start(ctx, store.Job{ID: id, Tenant: o.Tenant, Author: p.Name, Reason: o.Reason, Rate: o.PerSecond}, spec)
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
	if _, err := c.sees(ctx, p, of); err != nil {
		return nil, "", err
	}
	under := ""
	if schedule != "" {
		if _, err := c.doc(ctx, p, of, schedule); err != nil {
			return nil, "", err
		}
		under = topic(schedule)
	}
	jobs, next, err := c.Store.Jobs(ctx, p, of, KindRun, under, limit, after)
	if err != nil {
		return nil, "", unavailable(err)
	}
	return c.runViews(jobs, next)
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
	jobs, next, err := c.Store.NewestJobs(ctx, p, names, KindRun, limit, after)
	if err != nil {
		return nil, "", unavailable(err)
	}
	return c.runViews(jobs, next)
}

func (c *Campaigns) runViews(jobs []store.Job, next string) ([]Run, string, error) {
	out := make([]Run, len(jobs))
	for i, j := range jobs {
		var err error
		if out[i], err = c.runView(j); err != nil {
			return nil, "", err
		}
	}
	return out, next, nil
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
	if err := changes(p); err != nil {
		return Run{}, err
	}
	j, err := c.job(ctx, p, id)
	if err != nil {
		return Run{}, err
	}
	t, _, err := c.Config.Tenant(ctx, j.Tenant)
	if err != nil {
		return Run{}, unavailable(err)
	}
	if t.ApproveOver > 0 && j.State == store.JobWaiting && j.Author == p.Name && j.Counts["rows"]-j.Counts["bad"] > int64(t.ApproveOver) {
		return Run{}, problem.New(problem.NotAllowedNow, "it has more than %d recipients: somebody else than its author sends it", t.ApproveOver)
	}
	return c.steer(ctx, p, j, store.JobRunning, why)
}

// PauseRun keeps a run from making more messages; ResumeRun lets it go on.
func (c *Campaigns) PauseRun(ctx context.Context, p tenant.Principal, id, why string) (Run, error) {
	return c.to(ctx, p, id, store.JobPaused, why)
}

// ResumeRun lets a run go on that was paused.
func (c *Campaigns) ResumeRun(ctx context.Context, p tenant.Principal, id, why string) (Run, error) {
	j, err := c.job(ctx, p, id)
	if err == nil && j.State == store.JobWaiting {
		return Run{}, problem.New(problem.NotAllowedNow, "it has not begun: send it")
	}
	return c.to(ctx, p, id, store.JobRunning, why)
}

// CancelRun stops a run for good, and takes back what is not with a provider yet.
func (c *Campaigns) CancelRun(ctx context.Context, p tenant.Principal, id, why string) (Run, error) {
	return c.to(ctx, p, id, store.JobStopping, why)
}

func (c *Campaigns) to(ctx context.Context, p tenant.Principal, id string, to store.JobState, why string) (Run, error) {
	if err := changes(p); err != nil {
		return Run{}, err
	}
	j, err := c.job(ctx, p, id)
	if err != nil {
		return Run{}, err
	}
	return c.steer(ctx, p, j, to, why)
}

func (c *Campaigns) steer(ctx context.Context, p tenant.Principal, j store.Job, to store.JobState, why string) (Run, error) {
	if err := (Change{Reason: why}).check(); err != nil {
		return Run{}, err
	}
	j, err := c.Jobs.Steer(ctx, p, j.ID, to, why)
	if errors.Is(err, job.ErrState) {
		return Run{}, problem.New(problem.NotAllowedNow, "the run is %s: that is not possible", j.State)
	}
	if err != nil {
		return Run{}, unavailable(err)
	}
	return c.runView(j)
}

// ResendFailures orders a campaign to those whose message of a run failed, with the same content. It is
// weighed by nobody: it begins at once.
func (c *Campaigns) ResendFailures(ctx context.Context, p tenant.Principal, id, why string) (Run, error) {
	if err := changes(p); err != nil {
		return Run{}, err
	}
	if err := (Change{Reason: why}).check(); err != nil {
		return Run{}, err
	}
	j, err := c.job(ctx, p, id)
	if err != nil {
		return Run{}, err
	}
	r, err := openRun(j)
	if err != nil {
		return Run{}, unavailable(err)
	}
	if r.at.Ended == 0 && j.State != store.JobStopped {
		return Run{}, problem.New(problem.NotAllowedNow, "the run is not over: wait for its end, or stop it")
	}
	spec := Spec{Title: r.Title, Content: r.Content, Class: r.Class, Audience: Audience{Failures: id}, Owner: r.Owner, Live: p.Live, Key: p.KeyID}
	next, err := c.start(ctx, store.Job{ID: "run_" + c.NewULID(c.now()), Tenant: j.Tenant, Author: p.Name, Reason: why}, spec)
	if err != nil {
		return Run{}, unavailable(err)
	}
	return c.runView(next)
}
