package delivery

import (
	"context"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/store"
)

const (
	// silenceLook is how often a message that a silence holds looks whether it was lifted.
	silenceLook = 10 * time.Minute
	// morning spreads what waited for one end of quiet hours.
	morning = 5 * time.Minute
)

func subject(r *store.Record) route.Subject {
	return route.Subject{Tenant: r.Tenant, TemplateTenant: r.Template.Tenant, Template: r.Template.Name, Class: r.Class, Channel: r.Channel, Region: r.Region}
}

// held asks the operators' strategy whether a message may go out now. One that is held waits, and expires
// where that takes too long; one that is dropped ends. A callback is no message of the tenant's, and a trial
// an operator's own: they go.
func (d *Delivery) held(ctx context.Context, r *store.Record, now message.Time) (message.Event, error) {
	if r.Class == message.Callback || r.Trial != "" {
		return nil, nil
	}
	routes, err := d.Config.Routes(ctx)
	if err != nil {
		return nil, err
	}
	v, held := route.Holds(routes, subject(r), now)
	switch {
	case !held:
		return d.capped(ctx, r, routes, now)
	case v.Drop:
		return message.Suppress{Why: v.Why}, nil
	case v.Why == route.Silenced:
		if look := now.Add(silenceLook); v.Until > look && look < r.Expires {
			v.Until = look
		}
	case v.Until < r.Expires:
		v.Until = min(v.Until.Add(time.Duration(d.Random()*float64(morning))), r.Expires-1)
	}
	return message.Wait{Until: v.Until, Why: v.Why}, nil
}

// capped takes the message's place of its route's frequency cap. It is asked before every attempt, and
// counts a message once.
func (d *Delivery) capped(ctx context.Context, r *store.Record, routes []route.Route, now message.Time) (message.Event, error) {
	c, name, ok := route.CapOf(routes, subject(r))
	if !ok {
		return nil, nil
	}
	_, wait, err := d.Store.TakePlace(ctx, d.as, now, name, r.ID, c.Messages, time.Duration(c.Seconds)*time.Second)
	switch {
	case err != nil || wait == 0:
		return nil, err
	case c.Mode == route.Drop:
		return message.Suppress{Why: route.Capped}, nil
	}
	return message.Wait{Until: now.Add(wait), Why: route.Capped}, nil
}
