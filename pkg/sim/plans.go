package sim

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/audience"
	"github.com/opennotify/notify/pkg/campaign"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// plans are what tenants send to many, later or again and again.
type plans struct {
	w   *world
	all []*plan
}

// plan is a schedule or a campaign: what its messages are, and what becomes of it.
type plan struct {
	*order
	name  string // of a schedule; "" is a campaign's
	when  campaign.When
	from  source
	speed int
	asks  bool

	schedule campaign.Schedule // as it is on the disk
	doc      store.Doc
	gone     []message.Time // when it was cancelled, on the disk
	anew     []message.Time // when it was made again
	run      string         // a campaign's
	upload   string         // id of its file
}

// source is where a plan's rows come from.
type source uint8

const (
	inline source = iota
	file
	belated // a file that comes later than it should
	missing // or not at all
	pulled  // from the tenant's system
	payload // of a schedule that is not ours
	uploaded
	sources
)

func person(n int) string { return fmt.Sprintf("+86138001380%02d", n) }

// begin draws what is planned.
func (c *plans) begin(w *world) {
	c.w = w
	span := w.healAt.Sub(start) * 3 / 4
	if w.Calm {
		span = 10 * time.Second
	}
	if w.parts&Schedules != 0 {
		for range 1 + w.chance.IntN(2) {
			p := c.draw(span)
			if p.name = "plan" + strconv.Itoa(p.n); p.from == uploaded {
				p.from = inline
			}
			if w.Without.Plans>>len(c.all)&1 == 0 {
				c.schedule(p, span)
			}
		}
	}
	if w.parts&Campaigns != 0 {
		for range 1 + w.chance.IntN(2) {
			p := c.draw(span)
			if p.asks = p.asks || w.approves(); p.from == payload {
				p.from = inline
			}
			if w.Without.Plans>>len(c.all)&1 == 0 {
				c.campaign(p, span)
			}
		}
	}
}

// draw draws what a plan sends, and to whom: some of them twice.
func (c *plans) draw(span time.Duration) *plan {
	w, n := c.w, len(c.all)+501
	o := &order{n: n, tenant: tenants[w.chance.IntN(4)/3], shape: run, template: 1 + w.chance.IntN(2), code: canary + "plan" + strconv.Itoa(n), window: new(int)}
	for range 1 + w.chance.IntN(6) {
		o.phones = append(o.phones, person(w.chance.IntN(6)))
	}
	p := &plan{order: o, from: source(w.chance.IntN(int(sources))), speed: w.chance.IntN(4), asks: w.percent(30)}
	if w.Calm && p.from == missing {
		p.from = file
	}
	if p.from == payload { // what is in a payload is everybody's to read
		o.code = "greetings" + strconv.Itoa(n)
	}
	c.all = append(c.all, p)
	w.oracle.asks(o)
	c.put(p, span)
	return p
}

// put puts a plan's file into its place, in time or not.
func (c *plans) put(p *plan, span time.Duration) {
	put := func() { c.w.objects["sources/"+p.tenant+"/"+p.path()] = p.file(p.code) }
	switch p.from {
	case file:
		put()
	case belated:
		c.w.after(c.w.between(0, span), put)
	}
}

func (p *plan) file(code string) []byte {
	body := "phone,code\n"
	for _, number := range p.phones {
		body += number + "," + code + "\n"
	}
	return []byte(body)
}

func (p *plan) path() string { return "rows" + strconv.Itoa(p.n) + ".csv" }

// rows are those that a tenant's system has at a path.
func (c *plans) rows(path string) (out []audience.Recipient) {
	for _, p := range c.all {
		if "/"+p.path() == path {
			out = p.recipients()
		}
	}
	return out
}

func (p *plan) recipients() (out []audience.Recipient) {
	for _, number := range p.phones {
		out = append(out, audience.Recipient{To: number, Vars: audience.Vars{"code": p.code}})
	}
	return out
}

func (p *plan) audience() campaign.AudienceDraft {
	switch p.from {
	case file, belated, missing:
		return campaign.AudienceDraft{Path: p.path()}
	case pulled:
		return campaign.AudienceDraft{URL: "https://rows.example.com/" + p.path()}
	case uploaded:
		return campaign.AudienceDraft{Upload: p.upload}
	}
	return campaign.AudienceDraft{Rows: p.recipients()}
}

func (p *plan) content() campaign.Content {
	return campaign.Content{Template: templates[p.template].name, Channel: message.SMS, Reference: p.reference()}
}

// planner is who plans.
func planner(owner string) tenant.Principal {
	return tenant.Of(tenant.Key{ID: owner + "ops", Tenant: owner, Live: true, Scopes: []tenant.Scope{tenant.Send, tenant.Read, tenant.Operate}})
}

// insist asks until there is an answer, and tells then how often it was asked before.
func (c *plans) insist(what string, ask func(ctx context.Context, p *process) error, then func(pr *problem.Error, before int)) {
	var tries int
	var try func()
	try = func() {
		var err error
		c.w.submit(api, job{
			what: what,
			work: func(ctx context.Context, p *process) { err = ask(ctx, p) },
			then: func(died bool) {
				pr := (*problem.Error)(nil)
				if died || err != nil && (!errors.As(err, &pr) || pr.Status() >= 500) {
					tries++
					c.w.after(c.w.between(time.Second, time.Minute), try)
					return
				}
				then(pr, tries)
			},
		})
	}
	try()
}

// schedule makes a schedule, and whatever comes to somebody's mind about it.
func (c *plans) schedule(p *plan, span time.Duration) {
	w := c.w
	made := w.now.Add(w.between(0, span/2))
	first := made.Add(w.between(2*time.Second, 8*time.Minute)) / 1000 * 1000
	if p.from == payload {
		w.at(first, func() { c.external(p, first) })
		if w.percent(50) {
			w.at(first.Add(time.Minute), func() { c.external(p, first) })
		}
		return
	}
	switch w.chance.IntN(4) {
	case 0:
		every := 1 + w.chance.IntN(4)
		p.when = campaign.When{Every: every, Start: first, End: first.Add(time.Duration(every*w.chance.IntN(4)) * time.Minute)}
	case 1:
		p.when = campaign.When{Cron: "0/3 * * * ? *", End: first.Add(3 * time.Minute)}
	default:
		p.when = campaign.When{At: first}
	}
	w.at(made, func() { c.make(p, false) })
	if w.Calm {
		return
	}
	near := func() message.Time { // many races are about the instant at which it is due
		if w.percent(60) {
			return max(first.Add(w.between(-5*time.Second, 15*time.Second)), made)
		}
		return max(made, first.Add(w.between(-8*time.Minute, 15*time.Minute)))
	}
	if w.percent(30) {
		w.at(near(), func() { c.cancel(p) })
	}
	if w.percent(30) {
		w.at(near(), func() { c.pause(p, true) })
		w.at(near(), func() { c.pause(p, false) })
	}
	if w.percent(20) {
		w.at(near(), func() { c.now(p) })
	}
	if w.percent(15) {
		w.at(near(), func() { c.make(p, false) })
	}
}

// external fires a schedule that somebody made with other tools.
func (c *plans) external(p *plan, due message.Time) {
	body, err := json.Marshal(campaign.Entry{Kind: campaign.KindSend, Schedule: p.name, Due: due.String(), Tenant: p.tenant,
		Template: templates[p.template].name, Channel: message.SMS, Vars: audience.Vars{"code": p.code}, To: p.phones, Reference: p.reference()})
	if err != nil {
		panic(err)
	}
	c.w.fire(body)
}

// make makes a schedule, or changes it; one that was cancelled only if it is to be made anew.
func (c *plans) make(p *plan, anew bool) {
	c.insist("schedule", func(ctx context.Context, pr *process) error {
		change := campaign.Change{Version: p.doc.Version, Reason: "plan"}
		if len(p.gone) > 0 && !(anew && p.doc.Deleted) {
			return nil
		}
		_, err := pr.campaigns.PutSchedule(ctx, planner(p.tenant), campaign.Schedule{Tenant: p.tenant, Name: p.name, When: p.when, Content: p.content()}, p.audience(), change)
		return err
	}, func(*problem.Error, int) {})
}

// cancel cancels a schedule, and somebody may make it anew whether or not that was confirmed.
func (c *plans) cancel(p *plan) {
	if c.w.percent(60) {
		c.w.after(c.w.between(0, 20*time.Second), func() { c.make(p, true) })
	}
	c.insist("cancel schedule", func(ctx context.Context, pr *process) error {
		return pr.campaigns.DeleteSchedule(ctx, planner(p.tenant), p.tenant, p.name, campaign.Change{Reason: "wrong"})
	}, func(pr *problem.Error, before int) {
		if pr == nil || pr.Code == problem.NotFound && before > 0 && len(p.gone) > 0 {
			c.w.oracle.scheduleCancelled(p)
		}
	})
}

func (c *plans) pause(p *plan, paused bool) {
	c.insist("pause schedule", func(ctx context.Context, pr *process) error {
		_, err := pr.campaigns.PauseSchedule(ctx, planner(p.tenant), p.tenant, p.name, paused, "wait")
		return err
	}, func(*problem.Error, int) {})
}

// now runs a schedule at once.
func (c *plans) now(p *plan) {
	c.insist("run schedule", func(ctx context.Context, pr *process) error {
		_, err := pr.campaigns.RunSchedule(ctx, planner(p.tenant), p.tenant, p.name, "", "now")
		return err
	}, func(*problem.Error, int) {})
}

// heal lets go on what was paused: somebody looks after it when all is well.
func (c *plans) heal() {
	for _, p := range c.all {
		if p.name != "" && p.from != payload {
			c.w.after(11*time.Minute, func() { c.pause(p, false) })
		}
	}
	c.w.after(12*time.Minute, c.resume)
	for _, p := range c.all {
		if p.run != "" && c.w.percent(50) {
			c.w.after(c.w.between(30*time.Minute, 3*time.Hour), func() { c.resend(p) })
		}
	}
}
