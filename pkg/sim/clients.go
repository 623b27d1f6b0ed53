package sim

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// clients are the callers of the API, and what they have in mind.
type clients struct {
	w      *world
	orders []*order
	ops    operators
}

// order is something that a caller wants: asked for until there is an answer.
type order struct {
	n        int
	tenant   string
	key      string
	body     string // stands for the request's bytes
	shape    shape
	phones   []string
	template int // in templates; -1 is free content
	code     string
	sendAt   message.Time
	ttl      time.Duration
	window   *int
	answers  int
}

type shape int

const (
	one shape = iota
	many
	fallback
	batch
	run // whose rows are in a plan
)

// canary is in every code: nothing but the sealed record and the provider's call may show it. No base64 has a point in
// it: in a million histories, what is sealed would spell the letters by chance.
const canary = "canary."

var numbers = []string{"+8613800138000", "+8613800138001", "+8613800138002"}

// digits are in every number, and in no instant.
const digits = "86138001380"

func mailOf(number string) string { return "u" + number[1:] + "@example.com" }

func principal(owner string) tenant.Principal {
	return tenant.Of(tenant.Key{ID: owner + "key", Tenant: owner, Live: true, Scopes: []tenant.Scope{tenant.Send, tenant.Read}})
}

// begin plans what the callers and the operators do.
func (c *clients) begin(w *world) {
	c.w = w
	c.ops.w = w
	span := w.healAt.Sub(start) * 3 / 4
	if w.Calm {
		span = time.Second
	}
	orders := 1 + w.chance.IntN(4)
	switch {
	case w.Calm && w.Parts != 0:
		orders = 0 // what was asked for is looked at alone
	case w.parts&(Schedules|Campaigns) != 0:
		orders = (orders + 1) / 2 // there is enough to do
	}
	switch {
	case w.parts&Outages != 0:
		c.drawOutage()
	case w.parts&(Caps|Budgets) != 0 && w.chaos:
		orders += 4
	}
	for n := range orders {
		o := c.draw()
		c.orders = append(c.orders, o)
		at := w.between(0, span)
		if w.Without.Orders>>n&1 != 0 {
			continue
		}
		w.after(at, func() { c.ask(o, 0) })
		if o.key == "" || w.Calm {
			continue
		}
		if w.percent(30) { // a second try that does not wait for the first
			w.after(at+w.between(0, 2*time.Second), func() { c.ask(o, 0) })
		}
		if w.percent(30) { // the same again, later
			w.after(at+w.between(time.Second, span), func() { c.ask(o, 0) })
		}
		if w.percent(15) { // the key with another body
			other := *o
			other.n, other.code, other.body = len(c.orders)+100, canary+"other", o.body+"'"
			w.after(at+w.between(0, time.Minute), func() { c.ask(&other, 0) })
		}
	}
	if w.chaos && w.parts&Outages == 0 && !w.Without.Operators { // of that, every message's way is known
		c.ops.begin(span)
	}
}

func (c *clients) draw() *order {
	w := c.w
	o := &order{n: len(c.orders) + 1, tenant: tenants[w.chance.IntN(4)/3], template: w.chance.IntN(3), code: canary + strconv.Itoa(w.chance.IntN(2))}
	o.shape = []shape{one, one, one, one, many, fallback, fallback, batch}[w.chance.IntN(8)]
	o.phones = numbers[:1+w.chance.IntN(len(numbers))]
	if o.shape == one || o.shape == fallback {
		o.phones = numbers[len(o.phones)-1 : len(o.phones)]
	}
	if w.percent(75) {
		o.key = "key" + strconv.Itoa(o.n)
	}
	o.body = "body" + strconv.Itoa(o.n)
	if w.percent(25) && !w.Calm {
		o.sendAt = w.now.Add(w.between(time.Second, 2*time.Hour))
	}
	if w.percent(20) {
		o.ttl = w.between(20*time.Second, 30*time.Minute)
	}
	if w.percent(20) {
		o.window = new(int)
	}
	if w.percent(10) && o.shape == one {
		o.template = -1
	}
	if w.parts&Erasures != 0 && o.shape == one && w.percent(50) {
		o.template = -1 // it lies beside its message
	}
	if w.parts&Caps != 0 && o.shape != fallback {
		o.template, o.code, o.window, o.sendAt = w.chance.IntN(2), canary+strconv.Itoa(o.n), new(int), 0
	}
	if w.parts&Budgets != 0 {
		o.tenant, o.code, o.window, o.sendAt = tenants[0], canary+strconv.Itoa(o.n), new(int), 0
		if o.template = 2; w.percent(40) {
			o.template = w.chance.IntN(2)
		}
		o.ttl = w.between(20*time.Second, 30*time.Minute) // what costs too much waits, and not for days
	}
	return o
}

func (o *order) reference() string { return "order" + strconv.Itoa(o.n) }

// request is the order as a request, without its recipients.
func (o *order) request() *intake.Request {
	r := &intake.Request{Reference: o.reference(), TTL: o.ttl, DedupSeconds: o.window, IdempotencyKey: o.key, Hash: []byte(o.body)}
	if o.sendAt > 0 {
		r.SendAt = o.sendAt.Std()
	}
	if o.template < 0 {
		r.Content = &message.Content{Subject: "hello", Text: "free " + o.code}
	} else {
		r.Template, r.Vars = templates[o.template].name, map[string]any{"code": o.code}
	}
	return r
}

// send makes the call, and gives what was accepted.
func (o *order) send(ctx context.Context, in *intake.Intake) ([]store.Verdict, error) {
	p := principal(o.tenant)
	r := o.request()
	switch o.shape {
	case batch:
		var items []*intake.Request
		for _, number := range o.phones {
			item := o.request()
			item.To.One, item.Channel = number, message.SMS
			items = append(items, item)
		}
		a, err := in.Batch(ctx, p, o.key, []byte(o.body), items)
		if err != nil {
			return nil, err
		}
		var out []store.Verdict
		for _, v := range a.Verdicts {
			if v != nil {
				out = append(out, *v)
			}
		}
		return out, nil
	case many:
		r.To.List, r.Channel = o.phones, message.SMS
	case fallback:
		r.To.Ways = map[message.Channel]string{message.SMS: o.phones[0], message.Email: mailOf(o.phones[0])}
	default:
		r.To.One, r.Channel = o.phones[0], message.SMS
		if o.template < 0 { // free text goes by mail only
			r.To.One, r.Channel = mailOf(o.phones[0]), message.Email
		}
	}
	a, err := in.Send(ctx, p, r)
	if err != nil {
		return nil, err
	}
	return a.Verdicts, nil
}

// ask asks once, and again after a fault, as a caller should.
func (c *clients) ask(o *order, tries int) {
	w := c.w
	var verdicts []store.Verdict
	var err error
	w.oracle.asks(o)
	w.submit(api, job{
		what: "send " + o.reference(),
		work: func(ctx context.Context, p *process) { verdicts, err = o.send(ctx, p.intake) },
		then: func(died bool) {
			if w.Bug == BugAckEarly && (died || err != nil) {
				died, err = false, nil
				verdicts = append(verdicts, store.Verdict{Record: &store.Record{Message: message.Message{
					ID: message.NewID(w.raw.Partition(message.Phone, "x", 1, ""), message.ULIDFloor(w.now)), Tenant: o.tenant}}})
			}
			pr := (*problem.Error)(nil)
			switch {
			case died || errors.As(err, &pr) && pr.Status() >= 500:
				if w.chaos && tries < 8 || tries < 3 {
					w.after(w.between(time.Second, 2*time.Minute), func() { c.ask(o, tries+1) })
				}
			case err != nil:
				w.oracle.refused(o, pr, err)
			default:
				w.oracle.accepted(o, verdicts)
				c.afterwards(o, verdicts)
			}
		},
	})
}

// afterwards is what callers do with what was accepted.
func (c *clients) afterwards(o *order, verdicts []store.Verdict) {
	w := c.w
	if o.answers++; o.answers > 1 || w.Calm {
		return
	}
	for _, v := range verdicts {
		if v.Record == nil {
			continue
		}
		id := v.Record.ID
		if w.percent(15) {
			w.after(w.between(0, 10*time.Minute), func() { c.cancel(o.tenant, id, false) })
		}
		if w.percent(10) {
			w.after(w.between(0, time.Minute), func() { c.cancel(tenants[1-indexOf(o.tenant)], id, true) })
		}
	}
	if w.percent(6) {
		w.after(w.between(0, 5*time.Minute), func() { c.stop(o) })
	}
}

func indexOf(owner string) int {
	if owner == tenants[0] {
		return 0
	}
	return 1
}

func (c *clients) cancel(owner string, id message.ID, foreign bool) {
	var err error
	c.w.submit(api, job{
		what: fmt.Sprintf("cancel for %s", owner),
		work: func(ctx context.Context, p *process) {
			p.about = id
			_, err = p.intake.Cancel(ctx, principal(owner), id, "")
		},
		then: func(died bool) {
			switch {
			case died:
			case foreign:
				c.w.oracle.foreign(id, err)
			case err == nil:
				c.w.oracle.cancelled(id)
			}
		},
	})
}

func (c *clients) stop(o *order) {
	if o.template < 0 {
		return
	}
	c.w.submit(api, job{what: "stop", work: func(ctx context.Context, p *process) {
		_, _ = p.intake.Stop(ctx, principal(o.tenant), intake.StopFilter{Template: templates[o.template].name}, false, "stopped")
	}})
}

// heal is called when the chaos ends: the operators put everything right.
func (c *clients) heal() { c.ops.heal() }
