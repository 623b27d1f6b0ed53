package sim

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/redrive"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/tenant"
)

// operators steer while it runs.
type operators struct{ w *world }

func (o *operators) begin(span time.Duration) {
	w := o.w
	if w.percent(40) {
		name := []string{"sms-a", "sms-b", "mail-a"}[w.chance.IntN(3)]
		w.after(w.between(0, span), func() { o.account(name, true) })
		w.after(w.between(0, span), func() { o.account(name, false) })
	}
	if w.percent(40) {
		owner, t := tenants[w.chance.IntN(2)], templates[w.chance.IntN(len(templates))]
		w.after(w.between(0, span), func() { o.edit(store.Templates, owner+"/"+t.name, head(owner, t.name, t.class, versions)) })
	}
	if w.percent(30) {
		w.after(w.between(0, span), func() { o.edit(store.Routes, "carry", w.carry()) })
	}
	if w.percent(20) {
		number := numbers[w.chance.IntN(len(numbers))]
		w.after(w.between(0, span), func() { o.suppress(number) })
	}
	for range 1 + w.chance.IntN(4) {
		w.after(w.between(0, span*5/4), o.redrive)
	}
	if w.parts&Redrives != 0 {
		o.redrives(span)
	}
	if w.parts&Erasures != 0 {
		o.erasures(span)
	}
}

// heal switches every account on that is off.
func (o *operators) heal() {
	for _, name := range []string{"sms-a", "sms-b", "mail-a"} {
		o.on(name)
		o.w.after(10*time.Minute, func() { o.on(name) }) // whatever the chaos left behind
	}
	o.w.after(15*time.Minute, o.receipts)
	if o.w.parts&Redrives != 0 {
		o.w.after(20*time.Minute, func() { o.startRedrive(redrive.Filter{}, 2, false) })
	}
	if !o.w.Calm {
		o.w.after(o.w.between(0, 10*time.Minute), o.redrive)
	}
}

// receipts moves receipts back out of their dead-letter queue, where an outage of half an hour brings them.
func (o *operators) receipts() {
	for _, c := range o.w.dead {
		if c.to == queue.Receipts {
			o.w.put(queue.Receipts, c.body, 0)
		}
	}
}

func (o *operators) account(name string, off bool) {
	if off && !o.w.chaos {
		return
	}
	o.edit(store.Accounts, name, o.w.account(name, off))
}

func (o *operators) on(name string) {
	d, err := o.w.raw.Doc(context.Background(), store.Accounts, name)
	var a config.Account
	if err == nil {
		err = json.Unmarshal(d.Body, &a)
	}
	if err != nil {
		panic(err) // it was there from the beginning
	}
	if a.Off {
		o.account(name, false)
	}
}

// edit replaces a document, again until it is done.
func (o *operators) edit(k store.Kind, name string, body any) {
	var err error
	b, _ := json.Marshal(body)
	o.w.submit(api, job{
		what: "edit " + name,
		work: func(ctx context.Context, p *process) {
			var d store.Doc
			if d, err = p.store.Doc(ctx, k, name); err == nil {
				d.Body = b
				if _, err = p.store.PutDoc(ctx, tenant.System("sim"), p.now(), d); err == nil {
					p.config.Changed(k)
				}
			}
		},
		then: func(died bool) {
			if a, ok := body.(config.Account); ok && a.Off && !o.w.chaos {
				return
			}
			if died || err != nil {
				o.w.after(5*time.Second, func() { o.edit(k, name, body) })
			}
		},
	})
}

func (o *operators) suppress(number string) {
	o.w.submit(api, job{what: "suppress", work: func(ctx context.Context, p *process) {
		_ = p.store.PutSuppression(ctx, tenant.System("sim"), p.now(), message.Phone, number, suppress.Entry{Reason: suppress.Manual, At: p.now()})
	}})
}

// redrive tries something in trouble again, or moves copies out of the dead-letter queues, any of them.
func (o *operators) redrive() {
	w := o.w
	if len(w.dead) > 0 && w.percent(50) {
		for range 1 + w.chance.IntN(3) {
			c := w.dead[w.chance.IntN(len(w.dead))]
			w.putBack(c)
		}
		return
	}
	in := slices.DeleteFunc(slices.Clone(w.oracle.order), func(s *story) bool { return !s.m.Status.Trouble() })
	if len(in) == 0 {
		return
	}
	m := in[w.chance.IntN(len(in))].m
	w.submit(api, job{what: "redrive", work: func(ctx context.Context, p *process) {
		p.about = m.ID
		r, err := p.store.Message(ctx, tenant.System("sim"), m.ID)
		if err != nil {
			return
		}
		e := message.Redrive{By: "ann", Why: "try again"}
		if w.Bug == BugRedriveForgets && p.now() >= r.Expires {
			r.Expires = p.now().Add(time.Hour)
		}
		r, err = p.store.Update(ctx, tenant.System("sim"), p.now(), r, e)
		if refused := (*message.Refused)(nil); err != nil && !errors.As(err, &refused) || r == nil {
			return
		}
		_ = line{p}.Send(ctx, queue.Lane(m.Channel, m.Lane()), queue.Item{Body: store.BareHint(m.ID), Group: m.Tenant})
	}})
}

// putBack moves a copy from a dead-letter queue into its message's lane, as AWS's own redrive does: with a
// new id, counted anew.
func (w *world) putBack(c *posted) {
	if s := w.oracle.stories[named(c.body)]; s != nil {
		w.put(queue.Lane(s.m.Channel, s.m.Lane()), c.body, w.between(0, time.Minute))
	}
}

// redriveAll makes any hints that there ever were come again, in any order and number.
func (w *world) redriveAll() {
	w.oracle.beforeRedrive()
	if len(w.hints) == 0 {
		return
	}
	for range 6 {
		h := w.hints[w.chance.IntN(len(w.hints))]
		w.putBack(&posted{body: h.body})
	}
}
