package sim

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/campaign"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/redrive"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/timer"
)

// course is what the oracle knows of a run.
type course struct {
	store.Job
	spec campaign.Spec
	at   struct {
		Phase string       `json:"ph"`
		Ended message.Time `json:"en"`
	}
	born message.Time // when it was written
	// idle is since when it is not to make messages; 0: it makes some.
	idle message.Time
	made map[string]*story // by recipient
	told bool              // its owner, that it failed
	sent string            // by whom, if it waited for a word
}

// instant is a schedule's.
type instant struct {
	tenant, schedule string
	due              message.Time
}

// slack is how much before its time a timer may fire.
const slack = 30 * time.Second

// wrote judges a change on the disk of what is no message: documents of schedules, and jobs.
func (o *oracle) wrote(it *store.Item) {
	switch {
	case it.PK == "c#"+string(store.Schedules):
		o.scheduled(it)
	case strings.HasPrefix(it.PK, "j#"):
		o.ran(it)
	}
}

// scheduled keeps a schedule as it is on the disk.
func (o *oracle) scheduled(it *store.Item) {
	for _, p := range o.w.plans.all {
		if it.SK != p.tenant+"/"+p.name {
			continue
		}
		var d store.Doc
		if err := json.Unmarshal(it.Data, &d); err != nil {
			o.violate(Truth, "schedule %s cannot be read: %v", it.SK, err)
			return
		}
		p.schedule = campaign.Schedule{}
		if err := json.Unmarshal(d.Body, &p.schedule); err != nil {
			o.violate(Truth, "schedule %s cannot be read: %v", it.SK, err)
			return
		}
		switch {
		case d.Deleted && !p.doc.Deleted:
			p.gone = append(p.gone, o.w.now)
		case !d.Deleted && p.doc.Deleted:
			p.anew = append(p.anew, o.w.now)
		}
		p.doc = d
		o.w.wake(o.w.plans.due())
	}
}

// ran judges what becomes of a job.
func (o *oracle) ran(it *store.Item) {
	if strings.Contains(string(it.Data), digits) {
		o.violate(NoLeak, "an address lies open in %s: %s", it.PK, it.Data)
	}
	var j store.Job
	if err := json.Unmarshal(it.Data, &j); err != nil {
		o.violate(Truth, "job %s cannot be read: %v", it.PK, err)
		return
	}
	if j.Kind == redrive.Kind {
		o.redrove(j)
		return
	}
	cr := o.courses[j.ID]
	if cr == nil {
		cr = &course{born: o.w.now, made: map[string]*story{}}
		o.courses[j.ID], o.runs = cr, append(o.runs, cr)
		if err := json.Unmarshal(j.Spec, &cr.spec); err != nil {
			o.violate(Truth, "run %s cannot be read: %v", j.ID, err)
			return
		}
		cr.Job = j
		o.began(cr)
	}
	if was := cr.State; was != j.State && was != store.JobRunning && (j.State == store.JobRunning && o.writes.role != api || was == store.JobStopping && j.State == store.JobDone) {
		o.violate(Steered, "run %s was %s, and is %s by nobody's word", j.ID, was, j.State)
	}
	cr.sentBy(cr.State, &j)
	cr.Job = j
	if cr.at.Phase = ""; len(j.Cursor) > 0 {
		if err := json.Unmarshal(j.Cursor, &cr.at); err != nil {
			o.violate(Truth, "run %s cannot be read: %v", j.ID, err)
		}
	}
	switch {
	case j.State == store.JobRunning:
		cr.idle = 0
	case cr.idle == 0:
		cr.idle = o.w.now
	}
	if j.State == store.JobStopped {
		for _, s := range cr.made {
			if s.m.Status == message.Queued && s.m.Epoch == 0 && s.m.Next == 0 {
				o.tell(Steered, s, "run %s is stopped, and nobody took it back", j.ID)
			}
		}
	}
}

// began judges a new run.
func (o *oracle) began(cr *course) {
	if of := cr.spec.Audience.Failures; of != "" { // always with one key
		at := instant{cr.Tenant, of, 0}
		if other := o.instants[at]; other != nil {
			o.violate(OneRun, "runs %s and %s are both of the failures of %s", other.ID, cr.ID, of)
		}
		o.instants[at] = cr
	}
	if cr.spec.Schedule == "" || cr.spec.Manual {
		return
	}
	at := instant{cr.Tenant, cr.spec.Schedule, cr.spec.Due}
	if other := o.instants[at]; other != nil {
		o.violate(OneRun, "runs %s and %s are both of %s at %s", other.ID, cr.ID, at.schedule, at.due)
	}
	o.instants[at] = cr
	if at.due > o.w.now.Add(o.tolerance()+slack) {
		o.violate(Schedule, "the run of %s at %s began at %s", at.schedule, at.due, o.w.now)
	}
}

// madeByRun judges a new message of a run.
func (o *oracle) madeByRun(s *story) {
	cr := o.courses[s.m.Request]
	if cr == nil || cr.Tenant != s.m.Tenant || s.m.Place < 1 || s.m.Place > len(s.order.phones) {
		o.tell(Isolation, s, "no run of its tenant has such a row")
		return
	}
	p, to := o.planOf(s.order), s.to()
	if other := cr.made[to]; other != nil {
		o.tell(OnceARun, s, "run %s has written to its recipient: %s", cr.ID, other.m.ID)
	}
	for _, other := range cr.made {
		if other.m.Template != s.m.Template {
			o.tell(Pinned, s, "it has version %d, others of run %s %d", s.m.Template.Version, cr.ID, other.m.Template.Version)
		}
		break
	}
	cr.made[to] = s
	o.approved(cr, s)
	o.sentAgain(cr, s)
	by := o.writes
	switch {
	case cr.idle != 0 && by.saw > cr.idle:
		o.tell(Steered, s, "run %s is %s since %s", cr.ID, cr.State, cr.idle)
	case cr.State.Ended() && o.w.now.Sub(by.saw) < longPage:
		o.tell(Steered, s, "run %s is at its end", cr.ID)
	case cr.spec.Schedule != "" && !cr.spec.External && p.over(cr, by.saw):
		o.tell(Schedule, s, "its schedule was cancelled at %s, before this page began at %s", p.gone, by.saw)
	}
}

// over tells whether the schedule that a run is of was cancelled before an instant.
func (p *plan) over(cr *course, at message.Time) bool {
	for i, gone := range p.gone {
		if at > gone && (i == len(p.anew) || cr.born < p.anew[i]) {
			return true
		}
	}
	return false
}

// longPage is how long a page may be at work: a function ends before.
const longPage = 25 * time.Second

func (o *oracle) planOf(a *order) *plan {
	for _, p := range o.w.plans.all {
		if p.order == a {
			return p
		}
	}
	return nil
}

// scheduleCancelled judges a cancel that was confirmed.
func (o *oracle) scheduleCancelled(p *plan) {
	if len(p.gone) == 0 {
		o.violate(Schedule, "schedule %s was cancelled, they said", p.name)
		return
	}
	for _, cr := range o.runs {
		if cr.Tenant == p.tenant && cr.spec.Schedule == p.name && cr.State == store.JobRunning && cr.born < p.gone[len(p.gone)-1] && o.w.rates[StoreLags] == 0 {
			o.violate(Schedule, "schedule %s was cancelled, they said, and its run %s goes on", p.name, cr.ID)
		}
	}
}

// quietRuns judges the runs at rest.
func (o *oracle) quietRuns() {
	for _, cr := range o.runs {
		p := o.planOf(o.orders[cr.spec.Reference])
		switch {
		case !cr.State.Ended():
			o.violate(NoLoss, "run %s is not at its end: it is %s, %s", cr.ID, cr.State, cr.Fault)
		case cr.State == store.JobFailed:
			if missed := strings.HasPrefix(cr.Fault, "missed"); !missed && p.from != missing && p.from != belated && p.from != pulled {
				o.violate(NoLoss, "run %s failed: %s", cr.ID, cr.Fault)
			} else if !missed && !cr.told {
				o.violate(OwnerTold, "run %s failed, and %s was not told: %s", cr.ID, cr.spec.Owner, cr.Fault)
			}
		case cr.State == store.JobDone:
			o.whole(cr, p)
		}
	}
	for _, p := range o.w.plans.all {
		o.startedAll(p)
	}
}

// whole judges whether a run left nobody out.
func (o *oracle) whole(cr *course, p *plan) {
	if cr.spec.Audience.Failures != "" {
		o.reachedAgain(cr)
		return
	}
	for _, number := range p.phones {
		if cr.made[number] == nil && !o.hadIt(cr, number) {
			o.violate(RunWhole, "run %s is done, and wrote nothing to %s: %v", cr.ID, number, cr.Counts)
		}
	}
	sum := int64(0)
	for _, what := range []string{"made", "suppressed", "repeated", "duplicate", "refused"} {
		sum += cr.Counts[what]
	}
	if rows := cr.Counts["rows"]; rows != int64(len(p.phones)) || sum != rows {
		o.violate(RunWhole, "run %s has %d rows, of %d something came, there are %d: %v", cr.ID, rows, sum, len(p.phones), cr.Counts)
	}
}

// hadIt tells whether another run had just said the same to somebody.
func (o *oracle) hadIt(cr *course, number string) bool {
	for _, other := range o.runs {
		if other == cr || other.spec.Reference != cr.spec.Reference {
			continue
		}
		if s := other.made[number]; s != nil && s.m.Created > cr.born.Add(-s.m.Class.Defaults().DedupWindow-o.tolerance()) {
			return true
		}
	}
	return false
}

// startedAll judges whether a schedule that is there has the run of its last instant, and of those that it had in
// peace.
func (o *oracle) startedAll(p *plan) {
	if p.doc.Version == 0 || p.schedule.External || p.doc.Deleted || p.schedule.Paused {
		return
	}
	plan := planOf(&p.schedule)
	last := lastOf(plan, p.doc.At, o.w.now)
	for at := plan.Next(p.doc.At.Std()); !at.IsZero() && message.At(at) <= o.w.now; at = plan.Next(at) {
		due := message.At(at)
		if (due == last || due > o.w.healAt.Add(12*time.Minute)) && o.instants[instant{p.tenant, p.name, due}] == nil {
			o.violate(NoLoss, "schedule %s was due at %s, and no run of it is there", p.name, due)
		}
	}
}

func planOf(s *campaign.Schedule) timer.Plan {
	t := timer.Schedule{Name: "x", At: s.At.Std(), Every: time.Duration(s.Every) * time.Minute, Cron: s.Cron, Zone: s.Zone, Start: s.Start.Std(), End: s.End.Std(),
		Queue: "x", Payload: []byte("{}")}
	plan, err := t.Plan()
	if err != nil {
		panic(err) // it was let in
	}
	return plan
}

// lastOf is the last instant after one time, at or before another; 0 is none.
func lastOf(p timer.Plan, after, at message.Time) (last message.Time) {
	for next := p.Next(after.Std()); !next.IsZero() && message.At(next) <= at; next = p.Next(next) {
		last = message.At(next)
	}
	return last
}

// owners hear in the log that a run failed.
type owners struct{ ears }

// Enabled implements slog.Handler.
func (e owners) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelError || e.ears.Enabled(ctx, l)
}

// Handle implements slog.Handler.
func (e owners) Handle(ctx context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "run failed") {
		about := map[string]string{}
		r.Attrs(func(a slog.Attr) bool { about[a.Key] = a.Value.String(); return true })
		if cr := e.o.courses[about["run"]]; cr != nil && about["owner"] == "ann" {
			cr.told = true
		}
	}
	if !e.ears.Enabled(ctx, r.Level) {
		return nil
	}
	return e.ears.Handle(ctx, r)
}
