package sim

import (
	"context"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/campaign"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// approveOver is the number of recipients over which a campaign needs a second person, where tenants want one.
const approveOver = 2

func (w *world) approves() bool { return w.parts&Campaigns != 0 && w.Seed%3 != 0 }

// other is somebody else of the planner's tenant.
func other(owner string) tenant.Principal {
	return tenant.Of(tenant.Key{ID: owner + "boss", Tenant: owner, Live: true, Scopes: []tenant.Scope{tenant.Send, tenant.Read, tenant.Operate}})
}

func nothing(*problem.Error, int) {}

// campaign orders a campaign, when its file is where it has to be.
func (c *plans) campaign(p *plan, span time.Duration) {
	w := c.w
	w.after(w.between(0, span), func() {
		if p.from != uploaded {
			c.order(p)
			return
		}
		c.insist("upload", func(ctx context.Context, pr *process) error {
			u, err := pr.campaigns.Upload(ctx, planner(p.tenant), p.tenant, int64(len(p.file(p.code))))
			p.upload = u.ID
			return err
		}, func(*problem.Error, int) {
			w.objects["uploads/"+p.tenant+"/"+p.upload] = p.file(p.code)
			c.order(p)
		})
	})
}

// order orders a campaign, lets it go where it waits for that, and steers it.
func (c *plans) order(p *plan) {
	w := c.w
	o := campaign.Campaign{Tenant: p.tenant, Content: p.content(), Audience: p.audience(), PerSecond: p.speed, Send: !p.asks, Reason: "plan"}
	c.insist("campaign", func(ctx context.Context, pr *process) error {
		r, err := pr.campaigns.Create(ctx, planner(p.tenant), o, p.reference())
		if err == nil {
			p.run = r.ID
		}
		return err
	}, func(pr *problem.Error, _ int) {
		if pr != nil {
			w.oracle.violate(Truth, "a campaign was refused: %v", pr)
			return
		}
		if c.goOn(p, time.Second); w.Calm {
			return
		}
		soon := func() time.Duration {
			return w.between(0, []time.Duration{2 * time.Second, 2 * time.Minute}[w.chance.IntN(2)])
		}
		if w.percent(30) {
			t := templates[p.template]
			w.after(soon(), func() {
				w.clients.ops.edit(store.Templates, p.tenant+"/"+t.name, head(p.tenant, t.name, t.class, versions))
			})
		}
		if w.percent(25) {
			w.after(soon(), func() { c.steer(p, (*campaign.Campaigns).CancelRun) })
		}
		if w.percent(40) {
			w.after(soon(), func() { c.steer(p, (*campaign.Campaigns).PauseRun) })
			w.after(soon(), func() { c.steer(p, (*campaign.Campaigns).ResumeRun) })
		}
		if p.from == uploaded && w.percent(50) {
			w.after(soon(), func() { c.swap(p) })
		}
		if w.percent(30) {
			w.after(w.between(time.Minute, 20*time.Minute), func() { c.resend(p) })
		}
	})
}

type steering func(*campaign.Campaigns, context.Context, tenant.Principal, string, string) (campaign.Run, error)

func (c *plans) steer(p *plan, to steering) { c.say(p.run, planner(p.tenant), to, "a word") }

func (c *plans) say(run string, by tenant.Principal, to steering, why string) {
	c.insist("steer", func(ctx context.Context, pr *process) error {
		_, err := to(pr.campaigns, ctx, by, run, why)
		return err
	}, nothing)
}

// send is what is said with the word that a campaign waits for.
const send = "send"

// goOn lets a campaign go: its author, whose word may not be enough, somebody else, and either of them too early.
func (c *plans) goOn(p *plan, patience time.Duration) {
	w := c.w
	cr := w.oracle.courses[p.run]
	if !p.asks || cr == nil || cr.State.Ended() || cr.sent != "" {
		return
	}
	by := planner(p.tenant)
	if w.percent(50) {
		by = other(p.tenant)
	}
	c.say(p.run, by, (*campaign.Campaigns).SendRun, send)
	w.after(w.between(0, patience), func() { c.goOn(p, 2*patience) })
}

// swap puts another file under the address of an upload, once the run has read it: no page that did may be at work.
func (c *plans) swap(p *plan) {
	cr := c.w.oracle.courses[p.run]
	if cr == nil || cr.State.Ended() {
		return
	}
	if cr.at.Phase == "" || slices.ContainsFunc(c.w.pools[control].all, func(pr *process) bool { return !pr.idle }) {
		c.w.after(10*time.Second, func() { c.swap(p) })
		return
	}
	c.w.objects["uploads/"+p.tenant+"/"+p.upload] = p.file(canary + "swapped")
}

// uploadOf is the upload that a part of a run's audience is a copy of, else what it is asked for.
func (c *plans) uploadOf(part string) string {
	for _, p := range c.all {
		if p.upload != "" && part == "runs/"+p.run+"/audience/000000" {
			return "uploads/" + p.tenant + "/" + p.upload
		}
	}
	return part
}

// resend writes again to those whom a campaign did not reach; who is impatient presses twice.
func (c *plans) resend(p *plan) {
	for range 1 + c.w.chance.IntN(2) {
		c.insist("resend", func(ctx context.Context, pr *process) error {
			_, err := pr.campaigns.ResendFailures(ctx, planner(p.tenant), p.run, "once more", "again")
			return err
		}, nothing)
	}
}

// resume lets everything go that waits: when all is well somebody looks after it.
func (c *plans) resume() {
	waits := false
	for _, cr := range c.w.oracle.runs {
		switch {
		case cr.State == store.JobPaused:
			c.say(cr.ID, planner(cr.Tenant), (*campaign.Campaigns).ResumeRun, "a word")
		case cr.State == store.JobWaiting:
			c.say(cr.ID, other(cr.Tenant), (*campaign.Campaigns).SendRun, send)
		}
		waits = waits || !cr.State.Ended() && cr.at.Ended == 0
	}
	if waits {
		c.w.after(time.Minute, c.resume)
	}
}

// sentBy keeps whose word let a run go that waited for one.
func (cr *course) sentBy(was store.JobState, j *store.Job) {
	if n := len(j.Steps); was == store.JobWaiting && j.State == store.JobRunning && n > 0 && j.Steps[n-1].Why == send {
		cr.sent = j.Steps[n-1].By
	}
}

// approved judges the first message of a run, and each that follows, against who let it go.
func (o *oracle) approved(cr *course, s *story) {
	switch {
	case !cr.spec.Ask:
	case cr.sent == "":
		o.tell(Approved, s, "run %s is to wait for a word, and nobody said it: %v", cr.ID, cr.Steps)
	case o.w.approves() && cr.sent == cr.Author && cr.Counts["rows"]-cr.Counts["bad"] > approveOver:
		o.tell(Approved, s, "run %s was let go by its author: %v", cr.ID, cr.Steps)
	}
}

// sentAgain judges a message that is sent again by a run of another's failures.
func (o *oracle) sentAgain(cr *course, s *story) {
	of := cr.spec.Audience.Failures
	if first := o.stories[s.m.ResendOf]; of != "" && (first == nil || first.failed == 0 || first.m.Request != of || first.to() != s.to()) {
		o.tell(OnceARun, s, "run %s writes again to somebody whom run %s reached", cr.ID, of)
	}
}

// reachedAgain judges whether a run of another's failures left one of them out that was there when it began.
func (o *oracle) reachedAgain(cr *course) {
	for _, first := range o.courses[cr.spec.Audience.Failures].made {
		if failed(first.m.Status) && first.failed < cr.born.Add(-o.tolerance()) && cr.made[first.to()] == nil && o.w.rates[StoreLags] == 0 {
			o.tell(RunWhole, first, "run %s is done, and did not write to it again: %v", cr.ID, cr.Counts)
		}
	}
}
