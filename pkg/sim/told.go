package sim

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/callback"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
	"github.com/opennotify/notify/pkg/wire"
)

// hook is the endpoint of the first tenant, in the histories that have one.
func (w *world) hook() (config.Endpoint, bool) {
	e := config.Endpoint{Tenant: tenants[0], Name: "hook", URL: "https://shop.example.com/hook"}
	if w.Seed%2 == 0 {
		e.Events = []message.Status{message.Sent, message.InDoubt, message.Delivered, message.Failed, message.Suppressed, message.Cancelled}
	}
	return e, w.Seed%5 < 2
}

// wants is what a tenant is to be told of.
func (w *world) wants(owner string) message.Tell {
	if e, there := w.hook(); there && owner == e.Tenant {
		return e.Tell() | message.ToEndpoints
	}
	return 0
}

// told is the callbacks of a process, but for the bug that is planted.
type told struct {
	*callback.Callbacks
	p *process
}

// Tell implements delivery.Callbacks.
func (t told) Tell(ctx context.Context, r *store.Record) error {
	if w := t.p.w; w.Bug == BugCallbackLost && w.chaos && w.percent(20) {
		return nil // as if the word were written before the work
	}
	return t.Callbacks.Tell(ctx, r)
}

// orders hands callbacks to a process's intake.
func (p *process) orders(made func(context.Context, tenant.Principal, callback.Order) (*store.Record, error)) func(context.Context, tenant.Principal, callback.Order) (*store.Record, error) {
	if p.w.Bug != BugCallbackAnew {
		return made
	}
	ulids := wire.ULIDs(p.w.random)
	return func(ctx context.Context, t tenant.Principal, o callback.Order) (*store.Record, error) {
		o.ULID = ulids(p.now())
		return made(ctx, t, o)
	}
}

// callbackMade judges a new callback.
func (o *oracle) callbackMade(s *story) {
	if e, there := o.w.hook(); !there || s.m.Tenant != e.Tenant || s.m.Endpoint != e.Name || s.m.Channel != message.Webhook {
		o.tell(Isolation, s, "a callback for an endpoint that there is not")
	}
	if s.m.Tell != 0 || s.m.Todo != 0 {
		o.tell(Told, s, "a callback is to be told of")
	}
}

// turned writes down each status that somebody is to be told of.
func (o *oracle) turned(s *story, before message.Time) {
	m := &s.m
	if m.Tell != o.w.wants(m.Tenant) {
		o.tell(Told, s, "it is to be told of %b, wanted was %b", m.Tell, o.w.wants(m.Tenant))
	}
	switch {
	case m.Told < before:
		o.tell(Told, s, "told at %s, after %s", m.Told, before)
	case m.Told == before, !m.Tell.Has(m.Status): // what a write passes through on its way nobody hears of
		return
	}
	if s.turns == nil {
		s.turns = map[message.Time]message.Status{}
	}
	s.turns[m.Told] = m.Status
}

// calledBack judges a call to the endpoint.
func (o *oracle) calledBack(s *story, c *provider.Call) {
	e, _ := o.w.hook()
	if string(c.To) != e.URL || c.Tenant != e.Tenant || len(c.Content.Data) == 0 || c.Key != string(s.m.ID) {
		o.tell(Pinned, s, "%s to %s with the key %s", c.Content.Data, string(c.To), c.Key)
	}
}

// told judges in the end: who wanted to hear of the status in which a message rests was told, once; and of
// no other more than once, nor what was not so.
func (o *oracle) told() {
	type turn struct {
		id message.ID
		at message.Time
	}
	made := map[turn]int{}
	for _, s := range o.order {
		if s.m.Class != message.Callback {
			continue
		}
		r, err := o.w.raw.Message(context.Background(), tenant.System("oracle"), s.m.ID)
		var event callback.Event
		if err == nil {
			var text []byte
			if text, err = o.w.raw.Event(context.Background(), r); err == nil {
				err = json.Unmarshal(text, &event)
			}
		}
		at := message.At(event.Timestamp)
		of := o.stories[event.Data.ID]
		switch {
		case err != nil || of == nil || of.order == nil:
			o.tell(Told, s, "it tells of no message: %+v %v", event, err)
			continue
		case of.turns[at] != event.Data.Status || event.Type != "message."+string(event.Data.Status):
			o.tell(Told, s, "it tells that %s was %s at %s, which was %s", of.m.ID, event.Data.Status, at, of.turns[at])
		case strings.Contains(event.Data.To, numbers[0][4:10]):
			o.tell(NoLeak, s, "it tells the address: %s", event.Data.To)
		}
		if made[turn{of.m.ID, at}]++; made[turn{of.m.ID, at}] > 1 {
			o.tell(Told, s, "it tells again that %s was %s", of.m.ID, event.Data.Status)
		}
		if s.m.Status != message.Sent && s.m.Status != message.Dead && s.m.Expires > o.w.healAt.Add(11*time.Hour) {
			o.tell(Told, s, "with all the time in the world it is %s", s.m.Status)
		}
	}
	for _, s := range o.order {
		if s.order != nil && s.m.Tell.Has(s.m.Status) && made[turn{s.m.ID, s.m.Told}] == 0 {
			o.tell(Told, s, "nobody was told")
		}
	}
}
