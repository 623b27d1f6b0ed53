package operate

import (
	"context"
	"slices"
	"strings"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// The bounds of a route.
const (
	maxSteps       = 12
	maxWeighted    = 50
	maxWeight      = 1_000_000
	maxWaitSeconds = 24 * 3600
	maxDedup       = 7 * 24 * 3600 // as a request's
)

// Routes lists the routes by name.
func (o *Operate) Routes(ctx context.Context, p tenant.Principal) ([]Versioned[route.Route], error) {
	if err := may(p, tenant.Operate); err != nil {
		return nil, err
	}
	return list[route.Route](ctx, o, p, store.Routes)
}

// Route reads one.
func (o *Operate) Route(ctx context.Context, p tenant.Principal, name string) (Versioned[route.Route], error) {
	if err := may(p, tenant.Operate); err != nil {
		return Versioned[route.Route]{}, err
	}
	if !tenant.ValidName(name) {
		return Versioned[route.Route]{}, notFound(store.Routes, name)
	}
	return get[route.Route](ctx, o, p, store.Routes, name)
}

// RouteHistory lists a route's versions, the newest first.
func (o *Operate) RouteHistory(ctx context.Context, p tenant.Principal, name string) ([]Versioned[route.Route], error) {
	if err := may(p, tenant.Operate); err != nil {
		return nil, err
	}
	if !tenant.ValidName(name) {
		return nil, notFound(store.Routes, name)
	}
	return history[route.Route](ctx, o, p, store.Routes, name)
}

// PutRoute makes or changes a route.
func (o *Operate) PutRoute(ctx context.Context, p tenant.Principal, r route.Route, c Change) (Versioned[route.Route], error) {
	none := Versioned[route.Route]{}
	if err := may(p, tenant.Operate); err != nil {
		return none, err
	}
	var f faults
	c.check(&f)
	if err := o.checkRoute(ctx, p, &f, r); err != nil {
		return none, err
	}
	if err := f.err(); err != nil {
		return none, err
	}
	head, live, err := o.document(ctx, store.Routes, r.Name)
	if err == nil {
		err = expect(head, live, c)
	}
	if err != nil {
		return none, err
	}
	meta, err := o.save(ctx, p, head, "", c.Reason, r)
	return Versioned[route.Route]{meta, r}, err
}

// DeleteRoute deletes a route.
func (o *Operate) DeleteRoute(ctx context.Context, p tenant.Principal, name string, c Change) error {
	if err := may(p, tenant.Operate); err != nil {
		return err
	}
	if !tenant.ValidName(name) {
		return notFound(store.Routes, name)
	}
	return o.remove(ctx, p, store.Routes, name, c, nil)
}

// UndoRoute writes the version before the newest as a new one: it undoes a change or a deletion, and
// done twice it undoes itself. What that version names must still be there.
func (o *Operate) UndoRoute(ctx context.Context, p tenant.Principal, name string, c Change) (Versioned[route.Route], error) {
	none := Versioned[route.Route]{}
	if err := may(p, tenant.Operate); err != nil {
		return none, err
	}
	if !tenant.ValidName(name) {
		return none, notFound(store.Routes, name)
	}
	head, was, err := o.undone(ctx, name, c)
	if err != nil {
		return none, err
	}
	if was.Deleted {
		was.Meta, err = o.bury(ctx, p, head, c.Reason)
		return was, err
	}
	var f faults
	if err := o.checkRoute(ctx, p, &f, was.Body); err != nil {
		return none, err
	}
	if len(f.fields) > 0 {
		return none, problem.New(problem.NotAllowedNow, "version %d of route %s cannot be restored: %s: %s", was.Version, name, f.fields[0].Pointer, f.fields[0].Detail)
	}
	was.Meta, err = o.save(ctx, p, head, "", c.Reason, was.Body)
	return was, err
}

// undone reads a route's head and the version before it.
func (o *Operate) undone(ctx context.Context, name string, c Change) (head store.Doc, was Versioned[route.Route], err error) {
	var f faults
	c.check(&f)
	if c.Version == 0 {
		f.add("/version", problem.Required, "version is required: the one that you want to undo")
	}
	if err := f.err(); err != nil {
		return head, was, err
	}
	head, live, err := o.document(ctx, store.Routes, name)
	if err != nil {
		return head, was, err
	}
	if head.Version == 0 {
		return head, was, notFound(store.Routes, name)
	}
	if err := expect(head, live, c); err != nil {
		return head, was, err
	}
	if head.Version == 1 {
		return head, was, problem.New(problem.NotAllowedNow, "route %s has no version before this one; delete it instead", name)
	}
	d, err := o.Documents.DocVersion(ctx, store.Routes, name, head.Version-1)
	if err != nil {
		return head, was, unreadable(err)
	}
	was, err = decode[route.Route](d)
	return head, was, err
}

func (o *Operate) checkRoute(ctx context.Context, p tenant.Principal, f *faults, r route.Route) error {
	f.name(r.Name)
	f.class("/match/class", r.Match.Class)
	f.region("/match/region", r.Match.Region)
	if owner, name, ok := strings.Cut(r.Match.Template, "/"); r.Match.Template != "" &&
		(!ok && !templateName.MatchString(owner) || ok && (!tenant.ValidName(owner) || !templateName.MatchString(name))) {
		f.add("/match/template", problem.BadValue, "template is a name, or tenant/name, such as login-code or shop/login-code")
	}
	if err := o.knownTenant(ctx, f, "/match/tenant", r.Match.Tenant); err != nil {
		return err
	}
	if len(r.Steps) == 0 && len(r.Accounts) == 0 && r.DedupSeconds == 0 && r.InDoubt == "" && r.Quiet == nil && r.Cap == nil && r.Silence == nil {
		f.add("/steps", problem.Required, "a route says at least one of steps, accounts, dedup_seconds, in_doubt, quiet, cap and silence")
	}
	f.number("/dedup_seconds", "dedup_seconds", r.DedupSeconds, -1, maxDedup)
	f.doubt(r.InDoubt)
	checkHolds(f, r, o.now())
	accounts, err := list[config.Account](ctx, o, p, store.Accounts)
	if err != nil {
		return err
	}
	channel := map[string]message.Channel{}
	for _, a := range accounts {
		channel[a.Body.Name] = a.Body.Channel
	}
	known := map[message.Channel]bool{}
	for _, ch := range append([]message.Channel{r.Match.Channel}, channelsOf(r.Steps)...) {
		if _, known[ch], err = o.Catalog.Channel(ctx, ch); err != nil {
			return unreadable(err)
		}
	}
	if r.Match.Channel != "" && !known[r.Match.Channel] {
		f.add("/match/channel", problem.UnknownChannel, noChannel)
	}
	checkSteps(f, r, known)
	checkAccounts(f, r, channel)
	return nil
}

func channelsOf(steps []route.Step) []message.Channel {
	out := make([]message.Channel, len(steps))
	for i, s := range steps {
		out[i] = s.Channel
	}
	return out
}

func checkSteps(f *faults, r route.Route, known map[message.Channel]bool) {
	switch {
	case len(r.Steps) > 0 && !route.ValidStrategy(r.Strategy):
		f.add("/strategy", problem.BadValue, "strategy must be one of one, fallback, all")
	case len(r.Steps) == 0 && r.Strategy != "":
		f.add("/strategy", problem.BadValue, "a strategy goes with steps; add them, or leave it out")
	}
	if len(r.Steps) > maxSteps {
		f.add("/steps", problem.TooMany, "a route may have %d steps", maxSteps)
		return
	}
	for i, s := range r.Steps {
		at := index("/steps", i)
		if !known[s.Channel] {
			f.add(at+"/channel", problem.UnknownChannel, noChannel)
		}
		if slices.ContainsFunc(r.Steps[:i], func(o route.Step) bool { return o.Channel == s.Channel }) {
			f.add(at+"/channel", problem.BadValue, "this channel is an earlier step already")
		}
		f.number(at+"/wait_seconds", "wait_seconds", s.WaitSeconds, 0, maxWaitSeconds)
		if s.WaitSeconds > 0 && r.Strategy != route.Fallback {
			f.add(at+"/wait_seconds", problem.BadValue, "only a fallback waits; leave wait_seconds out")
		}
	}
}

func checkAccounts(f *faults, r route.Route, channel map[string]message.Channel) {
	if len(r.Accounts) > maxWeighted {
		f.add("/accounts", problem.TooMany, "a route may name %d accounts", maxWeighted)
		return
	}
	of := r.Match.Channel
	for i, w := range r.Accounts {
		at := index("/accounts", i)
		f.number(at+"/weight", "weight", w.Weight, 0, maxWeight)
		checkCarries(f, at, w)
		ch, ok := channel[w.Account]
		if of == "" {
			of = ch
		}
		switch {
		case !ok:
			f.add(at+"/account", problem.BadValue, "there is no such account; see GET /v1/accounts")
		case slices.ContainsFunc(r.Accounts[:i], func(o route.Weighted) bool { return o.Account == w.Account }):
			f.add(at+"/account", problem.BadValue, "account %s is there twice", w.Account)
		case ch != of:
			f.add(at+"/account", problem.BadValue, "account %s is of channel %s, but this route is for %s; the accounts of a route are of one channel", w.Account, ch, of)
		}
	}
}
