package delivery

import (
	"context"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/quota"
	"github.com/opennotify/notify/pkg/store"
)

const (
	// overBudget is why a message waits whose tenant's money is used up, overRecipient why one does whose
	// recipient gets no more over the account for now.
	overBudget    = "budget"
	overRecipient = "recipient_limit"
	// budgetLook is how often such a message looks whether there is more.
	budgetLook = 10 * time.Minute
)

// bill is what a message costs its tenant over an account, taken from the month's budget before the call.
type bill struct {
	of    store.Subject
	pass  quota.Pass
	cost  int // in millionths
	spend bool
}

// charge takes a message's price from its tenant's month. Only here is the account known, and with it the
// price; marketing waits when there is no money left, all else goes and is counted.
func (d *Delivery) charge(ctx context.Context, r *store.Record, p *parcel, now message.Time) (message.Event, error) {
	if r.Class == message.Callback || r.Trial != "" || p.account.Price <= 0 {
		return nil, nil
	}
	t, ok, err := d.Config.Tenant(ctx, r.Tenant)
	if err != nil || !ok || t.PerMonth <= 0 || t.Currency != p.account.Currency {
		return nil, err
	}
	b := bill{of: store.TenantLimits(t.Name, limit.Month), cost: int(config.Micros(p.account.Price)) * max(r.Segments, 1)}
	var wait time.Duration
	b.pass, wait, err = d.quota.TakeMany(ctx, b.of, config.BudgetOf(t, limit.Month), b.cost, false)
	switch {
	case err != nil && r.Class == message.Marketing:
		d.Log.WarnContext(ctx, "a tenant's budget cannot be looked at", "tenant", t.Name, "message", r.ID, "error", err)
		return message.Wait{Until: now.Add(unsure), Why: overBudget}, nil
	case err != nil:
		d.Log.WarnContext(ctx, "a tenant's budget cannot be looked at; its message goes on", "tenant", t.Name, "message", r.ID, "error", err)
		return nil, nil
	case wait > 0 && r.Class == message.Marketing:
		return message.Wait{Until: now.Add(min(wait, budgetLook)), Why: overBudget}, nil
	}
	b.spend = wait == 0
	p.bill = b
	return nil, nil
}

// settle gives back the price of a message that was not sent: what may have been sent was paid for. What went
// though the budget was used up is counted beyond it.
func (d *Delivery) settle(ctx context.Context, p *parcel, o message.Outcome) {
	b := p.bill
	sent := o == message.Accepted || o == message.Unknown
	switch {
	case b.cost == 0:
	case b.spend && !sent:
		d.quota.Give(b.of, b.pass, b.cost, false)
	case !b.spend && sent:
		if _, err := d.Store.Meter(ctx, b.of, b.pass.Windows, b.cost, true); err != nil {
			d.Log.WarnContext(ctx, "a message's price is not counted", "of", b.of, "error", err)
		}
	}
}

// crowded tells how long a recipient gets no more over an account: some vendors drop what is more than that,
// and say that they took it. Each call counts in all its windows, or in none.
func (d *Delivery) crowded(ctx context.Context, r *store.Record, p *parcel, now message.Time) (message.Event, error) {
	l := config.RecipientLimits(p.desc.Limits)
	if r.Class == message.Callback || l.None() {
		return nil, nil
	}
	of, windows := store.RecipientLimits(p.account.Name, r.ID), l.Windows(now)
	levels, err := d.Store.Meter(ctx, of, windows, 1, false)
	if err != nil {
		return nil, err
	}
	var wait time.Duration
	for i, w := range windows {
		if w.Grant(levels[i], 1, false) == 0 {
			wait = max(wait, w.Until.Sub(now))
		}
	}
	p.place = place{of, windows}
	if wait == 0 {
		return nil, nil
	}
	d.vacate(ctx, p)
	return message.Wait{Until: now.Add(wait), Why: overRecipient}, nil
}

// place is what a call has of its recipient's limits.
type place struct {
	of      store.Subject
	windows []limit.Window
}

// vacate gives it back; where it cannot, the recipient gets one less.
func (d *Delivery) vacate(ctx context.Context, p *parcel) {
	if len(p.place.windows) == 0 {
		return
	}
	if _, err := d.Store.Meter(ctx, p.place.of, p.place.windows, -1, false); err != nil {
		d.Log.WarnContext(ctx, "a place of a recipient's limits is not given back", "account", p.account.Name, "error", err)
	}
	p.place = place{}
}

// refund gives back all that was taken for a call that is not made.
func (d *Delivery) refund(ctx context.Context, p *parcel) {
	d.vacate(ctx, p)
	d.settle(ctx, p, message.Permanent)
}

// afford asks the limits that are the tenant's and the recipient's.
func (d *Delivery) afford(ctx context.Context, r *store.Record, p *parcel, now message.Time) (message.Event, error) {
	e, err := d.crowded(ctx, r, p, now)
	if err != nil {
		d.Log.WarnContext(ctx, "the recipient's limits cannot be looked at", "account", p.account.Name, "message", r.ID, "error", err)
		return message.Wait{Until: now.Add(unsure), Why: overRecipient}, nil
	}
	if e != nil {
		return e, nil
	}
	if e, err = d.charge(ctx, r, p, now); e != nil || err != nil {
		d.vacate(ctx, p)
	}
	return e, err
}
