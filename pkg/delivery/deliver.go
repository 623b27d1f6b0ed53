package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/quota"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/telemetry"
)

// parcel is a message ready to be handed over.
type parcel struct {
	account config.Account
	sender  provider.Sender
	desc    provider.Descriptor
	others  bool // another account could carry it, and was not at fault yet
	call    provider.Call
	pass    quota.Pass
	bill    bill
	place   place
}

// deliver makes one attempt: everything that can go wrong by itself goes wrong before the lease.
func (d *Delivery) deliver(ctx context.Context, r *store.Record, now message.Time) (*store.Record, error) {
	if r.Class != message.Callback && (r.Epoch > 0 || r.SendAt > 0 || len(r.Notes) > 0) { // time has passed since intake looked
		if e, stops, err := d.suppressed(ctx, r, now); err != nil {
			return nil, err
		} else if stops {
			return d.save(ctx, r, message.Suppress{Why: string(e.Reason)}, now)
		}
	}
	event, err := d.held(ctx, r, now)
	var p *parcel
	if err == nil && event == nil {
		p, event, err = d.pack(ctx, r, now)
	}
	if err != nil {
		return nil, err
	}
	if event != nil {
		return d.save(ctx, r, event, now)
	}
	now = d.now() // to open and to render took time, which is not the lease's
	if now >= r.Expires {
		return d.save(ctx, r, message.Expire{}, now)
	}
	if !timeFor(ctx, now) { // a step before this one took it; who comes next has all of his
		return nil, d.later(context.WithoutCancel(ctx), r, 0)
	}
	leave, wait := d.enter(ctx, r, p, now)
	switch {
	case wait > maxLine && p.others: // its day is used up, which is known now
		return r, nil
	case wait > 0:
		return d.throttle(ctx, r, p.account.Name, wait, now)
	}
	defer leave()
	if event, err = d.afford(ctx, r, p, now); err != nil {
		return nil, err
	}
	if event != nil {
		return d.save(ctx, r, event, now)
	}
	if now = d.now(); now >= r.Expires {
		d.refund(ctx, p)
		return d.save(ctx, r, message.Expire{}, now)
	}
	leased, err := d.save(ctx, r, message.Lease{Account: p.account.Name, Provider: p.account.Provider, Bound: p.call.Binding[provider.BoundTemplate], Until: now.Add(leaseFor)}, now)
	if err != nil {
		d.refund(ctx, p) // somebody else has it
		return nil, err
	}
	p.call.Epoch = leased.Epoch
	return d.finish(ctx, leased, p, d.call(ctx, leased, p))
}

// pack chooses the account and makes the content, or gives the event that says why it cannot.
func (d *Delivery) pack(ctx context.Context, r *store.Record, now message.Time) (*parcel, message.Event, error) {
	if r.Class == message.Callback {
		return d.packCallback(ctx, r, now)
	}
	accounts, why, err := d.choose(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	if len(accounts) == 0 { // an operator may switch one on, or bind the template
		return nil, message.Wait{Until: now.Add(time.Minute), Why: why}, nil
	}
	p := &parcel{}
	for i, a := range accounts {
		sender, desc, err := d.Senders.Open(ctx, a.Account)
		if err != nil {
			d.Log.ErrorContext(ctx, "account cannot be opened", "account", a.Name, "error", err)
			continue
		}
		p.account, p.sender, p.desc = a.Account, sender, desc
		p.others = slices.ContainsFunc(accounts[i+1:], func(o option) bool { return !o.down && !blamed(r, o.Name) })
		break
	}
	if p.sender == nil {
		return nil, message.Wait{Until: now.Add(time.Minute), Why: "account_unusable"}, nil
	}
	p.call = provider.Call{ID: r.ID, Key: string(r.ID), Tenant: r.Tenant, Channel: r.Channel, Class: r.Class,
		Template: r.Template.Name, Locale: r.Template.Locale, Trace: r.Trace, Expires: r.Expires}
	if strings.HasPrefix(d.PublicURL, "https://") && r.Class.Defaults().Unsubscribe { // RFC 8058 wants https
		p.call.Unsubscribe = d.PublicURL + "/v1/unsubscribe/" + d.Store.OptOutToken(r.ID)
	}
	p.call.To, err = d.Store.Address(ctx, r)
	switch {
	case errors.Is(err, store.ErrErased):
		return nil, message.Fail{Why: "erased", Text: "its recipient was erased"}, nil
	case err != nil:
		return nil, nil, fmt.Errorf("recipient: %w", err)
	}
	if len(p.desc.Binding) > 0 && !r.Free {
		bindings, err := d.Config.Bindings(ctx, r.Template)
		if err != nil {
			return nil, nil, err
		}
		p.call.Binding = bindings[p.account.Name].Fields
	}
	err = d.render(ctx, r, &p.call)
	switch {
	case errors.Is(err, store.ErrErased):
		return nil, message.Fail{Why: "erased", Text: "its variables are gone"}, nil
	case errors.Is(err, errRender):
		return nil, message.Fail{Why: "not_rendered", Text: err.Error()}, nil
	}
	return p, nil, err
}

var errRender = errors.New("the template cannot be rendered")

// render makes the exact content again: versions are immutable and rendering is pure.
func (d *Delivery) render(ctx context.Context, r *store.Record, c *provider.Call) error {
	var err error
	if r.Free {
		c.Content, err = d.Store.Content(ctx, r)
		return err
	}
	if c.Vars, err = d.Store.Vars(ctx, r); err != nil {
		return err
	}
	t, err := d.Config.Version(ctx, r.Template)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%w: version %d of %s is gone", errRender, r.Template.Version, r.Template.Name)
	}
	if err != nil {
		return err
	}
	if c.Content, _, err = t.Render(r.Channel, r.Template.Locale, c.Vars); err != nil {
		return fmt.Errorf("%w: %w", errRender, err)
	}
	c.Vars = t.Complete(c.Vars)
	return nil
}

// blamed tells whether an account failed this message by its own fault.
func blamed(r *store.Record, account string) bool {
	return slices.ContainsFunc(r.Attempts, func(a message.Attempt) bool {
		return a.Account == account && a.Outcome == message.AccountFault
	})
}

// bound is the account that alone may carry a message: an attempt over it may have arrived, and none but its
// own provider would notice the second copy. It is "" where two copies are better than none. Attempts from
// before an operator let the message go do not count: those since are as many as Tries.
func bound(r *store.Record) string {
	left := r.Tries
	for _, a := range slices.Backward(r.Attempts) {
		switch {
		case left == 0:
			return ""
		case a.Binds():
			return a.Account
		case a.Outcome == message.Unknown || a.Outcome == message.Retry || a.Outcome == message.AccountFault:
			left--
		}
	}
	return ""
}

// option is an account that could carry a message; one that is down only if nothing else can.
type option struct {
	config.Account
	down bool
}

// choose follows the route and orders the accounts; those that failed this message by their own fault
// come last. If there is none, why says what an operator can do about it.
func (d *Delivery) choose(ctx context.Context, r *store.Record) (order []option, why string, err error) {
	accounts, err := d.Config.Accounts(ctx, r.Channel)
	if err != nil {
		return nil, "", err
	}
	routes, err := d.Config.Routes(ctx)
	if err != nil {
		return nil, "", err
	}
	bars, err := config.Bars(ctx, accounts, d.Providers.Get, r.Template, d.Config.Bindings)
	if err != nil {
		return nil, "", err
	}
	why = "no_account"
	now := d.now()
	known := d.breakers(ctx, now)
	byName := make(map[string]option, len(accounts))
	candidates := make([]route.Candidate, 0, len(accounts))
	only := bound(r)
	for _, a := range accounts {
		switch {
		case r.Trial != "" && r.Trial != a.Name:
		case r.Trial == "" && a.Off || only != "" && only != a.Name:
		case bars[a.Name] != "":
			why = string(config.NoBinding)
		default:
			o := option{a, known[a.Name].Down(now, d.Random()) || d.exhausted(r, a, now)}
			byName[a.Name] = o
			candidates = append(candidates, route.Candidate{Account: a.Name, Down: o.down})
		}
	}
	if r.Trial != "" {
		routes = nil
	}
	c := route.Accounts(routes, subject(r), candidates, func(name string) bool { return blamed(r, name) }, d.Random())
	if c.Fixed { // no other than the one that it was given first
		if first := r.First(); first != nil && byName[first.Account].Name != "" {
			c.Accounts[0] = first.Account
		}
		c.Accounts = c.Accounts[:1]
	}
	order = make([]option, len(c.Accounts))
	for i, name := range c.Accounts {
		order[i] = byName[name]
	}
	return order, why, nil
}

// throttle puts a message off that its account's limit holds back. No attempt is used up; the record is
// written only when the wait outlasts the time at which the sweep would look. The account's line may be
// shorter than it looks, so nobody is given up while there is time.
func (d *Delivery) throttle(ctx context.Context, r *store.Record, account string, wait time.Duration, now message.Time) (*store.Record, error) {
	d.Metrics.Count(telemetry.Throttled, 1, telemetry.Of(&r.Message, account))
	wait = max(min(wait, r.Expires.Sub(now)-time.Second), time.Second)
	if until := now.Add(wait); until.Add(5*time.Second) > r.Due {
		saved, err := d.save(ctx, r, message.Wait{Until: until, Why: "limit"}, now)
		if err != nil || saved.Status.Terminal() {
			return saved, err
		}
		r = saved
	}
	return nil, d.later(ctx, r, wait)
}

// timeFor tells whether there is time for a whole call before ctx ends. One that is cut off, by the end of a function, is in
// doubt though its provider answers in time.
func timeFor(ctx context.Context, now message.Time) bool {
	end, ends := ctx.Deadline()
	return !ends || message.At(end).Sub(now) >= provider.Timeout
}

// ready is the last look before the call: is it still in time, do the lease and the worker outlast it, has its second of
// the account's limit not passed? Where not, nothing has left, and no attempt is used up.
func (d *Delivery) ready(ctx context.Context, r *store.Record, p *parcel) (instead message.Result, ok bool) {
	for {
		switch now := d.now(); {
		case now >= r.Expires:
			return message.Result{Outcome: message.Defer, Code: "too_late"}, false
		case now.Add(provider.Timeout) > r.Lease, !timeFor(ctx, now): // the write of the lease took long
			return message.Result{Outcome: message.Defer, Code: "lease_short"}, false
		case p.pass.Good(now):
			return message.Result{}, true
		}
		if wait := d.take(ctx, r, p); wait > 0 {
			return message.Result{Outcome: message.Throttled, Code: "limit", After: wait}, false
		}
	}
}

// call makes the attempt. A panic in a provider's code happens after the request may have left, so it is
// Unknown.
func (d *Delivery) call(ctx context.Context, r *store.Record, p *parcel) (res message.Result) {
	if instead, ok := d.ready(ctx, r, p); !ok {
		return instead
	}
	defer func() {
		if v := recover(); v != nil {
			d.logPanic(ctx, "panic in a provider", v, "message", r.ID, "provider", p.account.Provider)
			res = message.Result{Outcome: message.Unknown, Code: "panic"}
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, provider.Timeout)
	defer cancel()
	if r.Class != message.Callback {
		of := telemetry.Of(&r.Message, p.account.Name)
		d.Metrics.Count(telemetry.Called, 1, of)
		defer func() {
			if res.Outcome == message.Throttled {
				d.Metrics.Count(telemetry.PushedBack, 1, of)
			}
		}()
	}
	return p.sender.Send(ctx, p.call)
}
