package operate

import (
	"cmp"
	"context"
	"hash/fnv"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Simulation is what a draft of a route would have made of the messages of the last hour: which account
// would have carried them, and which would have been held. The channel that a route's steps choose is
// decided by the addresses of a request, which are not kept, so steps are not played again.
type Simulation struct {
	From, To message.Time
	Messages int // looked at
	Cut      bool
	Changed  int
	// Moves counts what changes alike, the most frequent first; Examples are some of the messages.
	Moves    []Move
	Examples []Moved
}

// Fate is what the routes make of a message: its first account, or why it would not go out at once.
type Fate struct {
	Account string
	Held    string // quiet_hours, silenced; "" goes out
	Drop    bool
	Route   string // the route that decided; "" when none did
}

// same tells whether a message fares alike, whichever route says so.
func (f Fate) same(o Fate) bool { f.Route, o.Route = "", ""; return f == o }

// Move is a change that Messages messages have in common.
type Move struct {
	Before, After Fate
	Messages      int
}

// Moved is one message that changes.
type Moved struct {
	ID            message.ID
	Tenant        string
	Template      string
	Before, After Fate
}

// The bounds of a simulation.
const (
	simulated   = time.Hour
	maxReplayed = 20_000
	maxExamples = 20
)

// SimulateRoute plays the last hour's messages through the routes in force, and through those with the
// draft in the place of the route of its name. Nothing is written.
func (o *Operate) SimulateRoute(ctx context.Context, p tenant.Principal, draft route.Route) (Simulation, error) {
	now := o.now()
	s := Simulation{From: now.Add(-simulated), To: now}
	if err := may(p, tenant.Operate); err != nil {
		return s, err
	}
	var f faults
	if err := o.checkRoute(ctx, p, &f, draft); err != nil {
		return s, err
	}
	if err := f.err(); err != nil {
		return s, err
	}
	stage, err := o.stage(ctx, p, draft)
	if err != nil {
		return s, err
	}
	tenants, err := list[tenant.Tenant](ctx, o, p, store.Tenants)
	if err != nil {
		return s, err
	}
	moves := map[[2]Fate]int{}
	for _, t := range tenants {
		if s.Cut || others(draft.Match.Tenant, t.Body.Name) && others(stage.matched, t.Body.Name) {
			continue
		}
		err := o.replay(ctx, p, t.Body.Name, &s, func(r *store.Record) {
			before, after := stage.fate(stage.before, r), stage.fate(stage.after, r)
			if before.same(after) {
				return
			}
			s.Changed++
			moves[[2]Fate{before, after}]++
			if len(s.Examples) < maxExamples {
				s.Examples = append(s.Examples, Moved{r.ID, r.Tenant, r.Template.Name, before, after})
			}
		})
		if err != nil {
			return s, err
		}
	}
	for m, n := range moves {
		s.Moves = append(s.Moves, Move{m[0], m[1], n})
	}
	slices.SortFunc(s.Moves, func(a, b Move) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), cmp.Compare(a.Before.Account, b.Before.Account), cmp.Compare(a.After.Account, b.After.Account),
			cmp.Compare(a.Before.Held, b.Before.Held), cmp.Compare(a.After.Held, b.After.Held))
	})
	return s, nil
}

// others tells whether a route is for another tenant than this one.
func others(match, name string) bool { return match != "" && match != name }

// stage is the two casts of a simulation.
type stage struct {
	before, after []route.Route
	matched       string // the tenant of the version in force, which the draft may let go
	candidates    map[message.Channel][]route.Candidate
}

func (o *Operate) stage(ctx context.Context, p tenant.Principal, draft route.Route) (*stage, error) {
	routes, err := list[route.Route](ctx, o, p, store.Routes)
	if err != nil {
		return nil, err
	}
	accounts, err := list[config.Account](ctx, o, p, store.Accounts)
	if err != nil {
		return nil, err
	}
	s := &stage{after: []route.Route{draft}, matched: draft.Match.Tenant, candidates: map[message.Channel][]route.Candidate{}}
	for _, r := range routes {
		s.before = append(s.before, r.Body)
		if r.Body.Name == draft.Name {
			s.matched = r.Body.Match.Tenant
			continue
		}
		s.after = append(s.after, r.Body)
	}
	for _, a := range accounts {
		if !a.Body.Off {
			s.candidates[a.Body.Channel] = append(s.candidates[a.Body.Channel], route.Candidate{Account: a.Body.Name})
		}
	}
	return s, nil
}

// fate decides for a message as it was accepted; its chance is drawn from its id, the same for both casts.
func (s *stage) fate(routes []route.Route, r *store.Record) Fate {
	subject := route.Subject{Tenant: r.Tenant, TemplateTenant: r.Template.Tenant, Template: r.Template.Name, Class: r.Class, Channel: r.Channel, Region: r.Region}
	if v, held := route.Holds(routes, subject, max(r.Created, r.SendAt)); held {
		return Fate{Held: v.Why, Drop: v.Drop, Route: v.Route}
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(r.ID)) // never fails
	c := route.Accounts(routes, subject, s.candidates[r.Channel], func(string) bool { return false }, float64(h.Sum32())/(1<<32))
	if len(c.Accounts) == 0 {
		return Fate{Route: c.Route}
	}
	return Fate{Account: c.Accounts[0], Route: c.Route}
}

// replay reads a tenant's messages of the hour.
func (o *Operate) replay(ctx context.Context, p tenant.Principal, name string, s *Simulation, look func(*store.Record)) error {
	in := store.Range{From: s.From, To: s.To + 1}
	for _, day := range store.Days(in, 2) {
		for shard := range o.Messages.ListShards() {
			for after := ""; ; {
				page, err := o.Messages.ByTenant(ctx, p, name, day, shard, in, 200, after)
				if err != nil {
					return unreadable(err)
				}
				for _, r := range page.Records {
					if s.Messages >= maxReplayed {
						s.Cut = true
						return nil
					}
					s.Messages++
					look(r)
				}
				if after = page.Next; after == "" {
					break
				}
			}
		}
	}
	return nil
}
