package campaign

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/audience"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
)

// Handle starts what is due. An entry that can never work is reported and dropped; one that failed by a
// passing fault comes again.
func (c *Campaigns) Handle(ctx context.Context, batch []queue.Item) []string {
	again := []string{}
	for _, it := range batch {
		err := c.try(ctx, it)
		var p *problem.Error
		switch {
		case err == nil:
		case errors.As(err, &p) && p.Status() < 500 && p.Status() != http.StatusTooManyRequests:
			c.Log.ErrorContext(ctx, "timed send refused", "item", it.ID, "code", p.Code, "detail", p.Detail, "errors", p.Fields)
		default:
			c.Log.ErrorContext(ctx, "timed send failed; it comes again", "item", it.ID, "error", err)
			again = append(again, it.ID)
		}
	}
	return again
}

// try works on one entry; a panic fails that entry only.
func (c *Campaigns) try(ctx context.Context, it queue.Item) (err error) {
	defer func() {
		if v := recover(); v != nil { // its text may hold what was worked on
			err = fmt.Errorf("panic (%T): %s", v, debug.Stack())
		}
	}()
	var kind struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(it.Body, &kind); err != nil {
		return unreadable(err)
	}
	if kind.Kind == KindSend {
		return c.external(ctx, it)
	}
	var f Fire
	if err := json.Unmarshal(it.Body, &f, json.RejectUnknownMembers(true)); err != nil {
		return unreadable(err)
	}
	return c.fire(ctx, f)
}

func unreadable(err error) error {
	return problem.New(problem.BadJSON, "the payload of a timed send cannot be read").Because(err)
}

// How far before and after an instant of the schedule a timer may say that it is. One that does not say is
// taken to be late, at most an hour.
const (
	slack   = 30 * time.Second
	exactly = 90 * time.Second
)

// fire starts the run of a schedule that is due. Which instant it is for follows from the document: a timer
// that is late, fires twice, or is of an older version, starts what the document says or nothing.
func (c *Campaigns) fire(ctx context.Context, f Fire) error {
	d, err := c.Store.Doc(ctx, store.Schedules, docName(f.Tenant, f.Schedule))
	if errors.Is(err, store.ErrNotFound) || err == nil && d.Deleted {
		c.Log.InfoContext(ctx, "a schedule fired that is no longer there", "tenant", f.Tenant, "schedule", f.Schedule)
		return nil
	}
	if err != nil {
		return err
	}
	s, err := readSchedule(d)
	if err != nil || s.Paused || s.External {
		return err
	}
	t, err := s.timer(d.Version)
	if err != nil {
		return err
	}
	plan, err := t.Plan()
	if err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339, f.Due)
	horizon := max(exactly, s.every()) // which a timer may count from a time of its own
	if err != nil {                    // an emulator does not fill in the time
		at, horizon = c.Now(), max(lateDefault, s.every())
	}
	due := latest(plan, at.Add(slack), at.Add(-horizon))
	if due.IsZero() {
		c.Log.InfoContext(ctx, "a schedule fired for an instant that is not in it", "tenant", f.Tenant, "schedule", f.Schedule, "due", f.Due)
		return nil
	}
	spec := s.spec(plan, due)
	if c.Now().Sub(due) > s.late() {
		return c.missed(ctx, d, spec, s.late())
	}
	_, err = c.begin(ctx, d, spec)
	return err
}

// begin starts a schedule's run, if it is not there.
func (c *Campaigns) begin(ctx context.Context, d store.Doc, spec Spec) (store.Job, error) {
	if late := c.Now().Sub(spec.Due.Std()); late > 2*time.Minute && spec.Late == "" {
		spec.Late = "the timer was " + late.Truncate(time.Second).String() + " late"
	}
	return c.start(ctx, store.Job{ID: runID("schedule", d.Tenant, spec.Schedule, spec.Due.String()), Tenant: d.Tenant, Topic: topic(spec.Schedule),
		Author: d.Author, Reason: d.Reason}, spec)
}

// start pins the version, where none is, and starts a run.
func (c *Campaigns) start(ctx context.Context, j store.Job, spec Spec) (store.Job, error) {
	if spec.Version == 0 {
		owner, name := templateOf(j.Tenant, spec.Template)
		head, ok, err := c.Config.Template(ctx, owner, name)
		if err == nil && head.Published == 0 { // perhaps since a moment
			c.Config.RenewTemplates(c.now())
			head, ok, err = c.Config.Template(ctx, owner, name)
		}
		if err != nil {
			return j, err
		}
		if spec.Version = head.Published; ok && !spec.Live {
			spec.Version = cmp.Or(head.Published, head.Latest)
		}
		if spec.Version == 0 {
			j.State, j.Finished = store.JobFailed, c.now()
			j.Fault = fmt.Sprintf("template %s has no published version", spec.Template)
		}
		if ok {
			spec.Class = head.Class
		}
	}
	var err error
	if j.Spec, err = json.Marshal(spec, json.Deterministic(true)); err != nil {
		return j, fmt.Errorf("campaign: what a run is to do: %w", err)
	}
	j.Kind = KindRun
	kept, added, err := c.Jobs.Start(ctx, c.as, j)
	if err == nil && added && kept.State == store.JobFailed {
		c.tell(ctx, &run{Job: kept, Spec: spec}, kept.Fault)
	}
	return kept, err
}

// overtaken tells why a run is not to begin: its schedule was cancelled, paused or changed after it fired; or why it
// is not to go on: it was cancelled, whether or not another of its name was made since. The document is read after the
// run was kept, and a cancellation looks for runs after it changed the document: so one of the two sees the other. But
// who cancels may die before he looks, or see a list that lags: so every page asks.
func (c *Campaigns) overtaken(ctx context.Context, r *run) (string, error) {
	if r.Schedule == "" || r.External {
		return "", nil
	}
	d, err := c.Store.Doc(ctx, store.Schedules, docName(r.Tenant, r.Schedule))
	var s Schedule
	gone := errors.Is(err, store.ErrNotFound) || err == nil && d.Deleted
	if err == nil && !gone {
		s, err = readSchedule(d)
		// Who wrote either before there was a Since, or does so still while a deployment goes on, says nothing of it.
		gone = err == nil && s.Since != 0 && r.Since != 0 && s.Since != r.Since
	}
	switch {
	case gone && r.Page > 0:
		return "its schedule was cancelled", nil
	case gone:
		return "its schedule was cancelled before it began", nil
	case err != nil:
		return "", err
	case r.Manual, r.Page > 0:
		return "", nil
	}
	plan, err := s.When.timer().Plan()
	switch {
	case err != nil:
		return "", err
	case s.Paused:
		return "its schedule was paused before it began", nil
	case !plan.Next(r.Spec.Due.Std().Add(-1)).Equal(r.Spec.Due.Std()):
		return "its schedule was changed before it began", nil
	}
	return "", nil
}

// KindSend is the control queue's kind of a timed send that is not ours.
const KindSend = "send"

// Entry is the payload of a timed send that operators make with plain AWS tools: docs/schedules.md.
type Entry struct {
	Kind string `json:"kind"` // send
	// Schedule names it; with Due it identifies the run, so that firing twice sends once.
	Schedule string `json:"schedule"`
	Due      string `json:"due,omitzero"`
	Owner    string `json:"owner,omitzero"` // whom to call; the tenant's without it

	Tenant    string          `json:"tenant"`
	Template  string          `json:"template"`
	Channel   message.Channel `json:"channel,omitzero"`
	Locale    string          `json:"locale,omitzero"`
	Vars      audience.Vars   `json:"vars,omitzero"`
	To        []string        `json:"to"` // at most 100
	Reference string          `json:"reference,omitzero"`
}

// maxTo is how many addresses an entry may have.
const maxTo = 100

// external starts the run of a schedule that is not ours, and makes it known when it is seen first.
func (c *Campaigns) external(ctx context.Context, it queue.Item) error {
	var e Entry
	if err := json.Unmarshal(it.Body, &e, json.RejectUnknownMembers(true)); err != nil {
		return unreadable(err)
	}
	t, ok, err := c.Config.Tenant(ctx, e.Tenant)
	switch {
	case err != nil:
		return err
	case e.Schedule == "" || len(e.Schedule) > maxExternal:
		return problem.Invalid(problem.At("/schedule", problem.Required, "name the schedule, in at most %d bytes: with the due time it keeps a run from being sent twice", maxExternal))
	case !ok:
		return problem.Invalid(problem.At("/tenant", problem.UnknownTenant, "there is no such tenant"))
	case len(e.To) == 0 || len(e.To) > maxTo:
		return problem.Invalid(problem.At("/to", problem.BadValue, "to has 1 to %d addresses", maxTo))
	}
	if err := c.checkContent(ctx, e.Tenant, true, Content{Template: e.Template, Channel: e.Channel}); err != nil {
		return err
	}
	due, at := e.Due, c.now()
	if when, err := time.Parse(time.RFC3339, e.Due); err == nil {
		at = message.At(when)
	} else { // an emulator does not fill in the time: the queue's id tells runs apart
		due = it.ID
	}
	id := runID("external", e.Tenant, e.Schedule, due)
	if _, err := c.Store.Job(ctx, c.as, id); !errors.Is(err, store.ErrNotFound) {
		return err // it is known already
	}
	owner := cmp.Or(e.Owner, t.Owner.Name)
	if err := c.known(ctx, e, owner); err != nil {
		return err
	}
	key := "runs/" + id + "/audience/000000"
	if err := c.Blobs.Put(ctx, key, linesOf(e.To)); err != nil {
		return err
	}
	_, err = c.start(ctx, store.Job{ID: id, Tenant: e.Tenant, Topic: topic(e.Schedule), Author: "external"}, Spec{
		Content:  Content{Template: e.Template, Channel: e.Channel, Locale: e.Locale, Vars: e.Vars, Reference: e.Reference},
		Audience: Audience{Kept: key, Format: audience.JSONL, Rows: len(e.To)}, Schedule: e.Schedule, Due: at, External: true, Owner: owner, Live: true})
	return err
}

// maxExternal is the length of the longest name of a schedule that is not ours.
const maxExternal = 64

// linesOf makes an audience of addresses.
func linesOf(to []string) []byte {
	var b bytes.Buffer
	for _, a := range to {
		line, err := json.Marshal(audience.Recipient{To: a})
		if err != nil { // of text that is not UTF-8, which no entry holds
			continue
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// known makes an external schedule known: it is listed beside ours.
func (c *Campaigns) known(ctx context.Context, e Entry, owner string) error {
	name := docName(e.Tenant, e.Schedule)
	_, err := c.Store.Doc(ctx, store.Schedules, name)
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	body, err := json.Marshal(Schedule{Tenant: e.Tenant, Name: e.Schedule, External: true, Owner: owner, Live: true,
		Content: Content{Template: e.Template, Channel: e.Channel, Locale: e.Locale, Reference: e.Reference}}, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("campaign: schedule %s: %w", name, err)
	}
	_, err = c.Store.PutDoc(ctx, c.as, c.now(), store.Doc{Kind: store.Schedules, Name: name, Tenant: e.Tenant, Body: body, Reason: "it fired for the first time"})
	if errors.Is(err, store.ErrConflict) {
		return nil // somebody else was quicker
	}
	return err
}
