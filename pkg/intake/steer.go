package intake

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

func (in *Intake) find(ctx context.Context, p tenant.Principal, id message.ID) (*store.Record, error) {
	r, err := in.Store.Message(ctx, p, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, problem.New(problem.NotFound, "there is no message %s", id)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	return r, nil
}

// own refuses who only sees what a tenant has.
func own(p tenant.Principal, owner string) error {
	if p.Steers(owner) {
		return nil
	}
	return problem.New(problem.Forbidden, "this key sees what other tenants have, and changes what its own has only")
}

// Cancel stops a message that is not with a provider yet. It wins if it is written before the lease.
func (in *Intake) Cancel(ctx context.Context, p tenant.Principal, id message.ID, why string) (*store.Record, error) {
	if !p.May(tenant.Send) && !p.May(tenant.Operate) {
		return nil, problem.New(problem.Forbidden, "this key lacks the scope send")
	}
	r, err := in.find(ctx, p, id)
	if err != nil {
		return nil, err
	}
	if err := own(p, r.Tenant); err != nil {
		return nil, err
	}
	e := message.Cancel{By: p.Name, Why: why}
	next, err := r.Apply(e, in.now())
	if err != nil { // what is refused changes nothing
		return in.cancel(ctx, p, r, e)
	}
	came, err := in.deed(ctx, p, store.Deed{What: "cancelled", Kind: "message", Object: string(id), Tenant: r.Tenant, Reason: why, Changes: []store.Change{store.Moved(r.Status, next.Status)}})
	if err != nil {
		return nil, err
	}
	saved, err := in.cancel(ctx, p, r, e)
	if refused := (*message.Refused)(nil); errors.As(err, &refused) {
		came(store.Moved(r.Status, refused.Status)) // a worker was quicker
	}
	return saved, err
}

// deed keeps in the audit what somebody does to messages by hand, before it is done; the function that it gives
// mends what is to come of it. What a tenant's own system does to its own messages is its traffic: that stands in
// their timelines.
func (in *Intake) deed(ctx context.Context, p tenant.Principal, d store.Deed) (came func(...store.Change), err error) {
	if !p.ByHand() {
		return func(...store.Change) {}, nil
	}
	now := in.now()
	if err := in.Store.AddDeed(ctx, p, now, d); err != nil {
		return nil, unavailable(err)
	}
	return func(changes ...store.Change) {
		d.Changes = changes
		if err := in.Store.AddDeed(context.WithoutCancel(ctx), p, now, d); err != nil {
			in.Log.WarnContext(ctx, "the audit lacks what came of a deed", "what", d.What, "kind", d.Kind, "name", d.Object, "error", err)
		}
	}, nil
}

func (in *Intake) cancel(ctx context.Context, p tenant.Principal, r *store.Record, e message.Cancel) (*store.Record, error) {
	saved, err := in.Store.Update(ctx, p, in.now(), r, e)
	var refused *message.Refused
	if errors.As(err, &refused) {
		if refused.Status == message.Cancelled {
			return saved, nil
		}
		return nil, problem.New(problem.NotAllowedNow, "message %s is %s; only a queued or scheduled one can be cancelled", r.ID, refused.Status).Because(err)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	// What a cancellation leaves to do (siblings, the claim) is delivery's; the sweep would find it too.
	if saved.Todo != 0 {
		if err := in.Queue.Send(ctx, queue.Lane(saved.Channel, saved.Lane()), queue.Item{Body: store.BareHint(saved.ID), Group: saved.Tenant}); err != nil {
			in.Log.WarnContext(ctx, "hint not queued; the sweep will", "error", err)
		}
	}
	return saved, nil
}

// Resend makes a new message of an old one, in the template's published version. It is exempt from the
// content window: somebody asked for a second copy.
func (in *Intake) Resend(ctx context.Context, p tenant.Principal, id message.ID, req *Request) (*Answer, error) {
	old, err := in.find(ctx, p, id)
	if err != nil {
		return nil, err
	}
	if err := own(p, old.Tenant); err != nil {
		return nil, err
	}
	if old.Class == message.Callback {
		return nil, problem.New(problem.NotAllowedNow, "message %s is a callback; resend it through its endpoint, %s", id, old.Endpoint)
	}
	to, err := in.Store.Address(ctx, old)
	if errors.Is(err, store.ErrErased) {
		return nil, problem.New(problem.NotAllowedNow, "the recipient of message %s is erased", id)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	req.To, req.Channel, req.Locale = To{One: string(to)}, old.Channel, old.Template.Locale
	req.Tenant, req.Reference, req.Origin.ResendOf = old.Tenant, old.Reference, old.ID
	if old.Free {
		c, err := in.Store.Content(ctx, old)
		if err != nil {
			return nil, erased(id, err)
		}
		req.Content, req.Class = &c, old.Class
	} else { // the class is the template's, as it is now
		if req.Vars, err = in.Store.Vars(ctx, old); err != nil {
			return nil, erased(id, err)
		}
		req.Template = old.Template.Tenant + "/" + old.Template.Name
	}
	came, err := in.deed(ctx, p, store.Deed{What: "resent", Kind: "message", Object: string(id), Tenant: old.Tenant, Reason: req.Origin.Why, IP: req.Origin.IP, Request: req.Origin.RequestID})
	if err != nil {
		return nil, err
	}
	a, err := in.Send(ctx, p, req)
	if pr := (*problem.Error)(nil); errors.As(err, &pr) {
		came(store.Change{Path: "/refused", After: strconv.Quote(string(pr.Code))})
	} else if err == nil {
		came(store.Change{Path: "/resent_as", After: strconv.Quote(string(a.Verdicts[0].Record.ID))})
	}
	return a, err
}

func erased(id message.ID, err error) error {
	if !errors.Is(err, store.ErrErased) {
		return unavailable(err)
	}
	return problem.New(problem.NotAllowedNow, "the variables of message %s are erased (a code's at its end, others after their time); send a new one", id)
}

// StopFilter says what to stop. An empty field does not narrow; at least one is set.
type StopFilter struct {
	Tenant   string
	Template string // name, or tenant/name
	Version  int
	Group    string
	After    string // where an earlier call stopped, from its Next; it narrows nothing
}

// Stopped counts what Stop did, or would do.
type Stopped struct {
	Matched, Cancelled, TooLate int
	// More tells that a bound was reached: call again, with Next to go on from there.
	More bool
	Next string
}

// Stop cancels everything waiting that matches. A dry run only counts.
func (in *Intake) Stop(ctx context.Context, p tenant.Principal, f StopFilter, dry bool, why string) (Stopped, error) {
	if !p.May(tenant.Send) && !p.May(tenant.Operate) {
		return Stopped{}, problem.New(problem.Forbidden, "this key lacks the scope send")
	}
	if f.Tenant == "" && f.Group == "" { // a group is of one tenant already
		f.Tenant = p.Tenant
	}
	switch {
	case f == (StopFilter{After: f.After}):
		return Stopped{}, problem.Invalid(problem.At("", problem.Required, "name at least one of tenant, template, group"))
	case f.Tenant != "" && !p.Steers(f.Tenant):
		return Stopped{}, problem.Invalid(problem.At("/tenant", problem.UnknownTenant, "there is no tenant %s for this key", quoted(f.Tenant)))
	case f.Version != 0 && f.Template == "":
		return Stopped{}, problem.Invalid(problem.At("/version", problem.BadValue, "version goes with template"))
	}
	var out Stopped
	g, err := in.groupOf(ctx, p, f.Group)
	if err == nil && f.Group != "" {
		err = own(p, g.Tenant)
	}
	if err != nil {
		return out, err
	}
	if !dry {
		came, err := in.deed(ctx, p, store.Deed{What: "stopped", Kind: "message", Object: f.String(), Tenant: cmp.Or(f.Tenant, g.Tenant), Reason: why})
		if err != nil {
			return out, err
		}
		defer func() {
			came(store.Change{Path: "/cancelled", After: strconv.Itoa(out.Cancelled)}, store.Change{Path: "/too_late", After: strconv.Itoa(out.TooLate)})
		}()
	}
	each := func(r *store.Record) error {
		if r == nil || r.Class == message.Callback || !f.matches(&r.Message) || r.Status != message.Queued && r.Status != message.Scheduled {
			return nil
		}
		out.Matched++
		if dry {
			return nil
		}
		_, err := in.cancel(ctx, p, r, message.Cancel{By: p.Name, Why: why})
		var pr *problem.Error
		switch {
		case err == nil:
			out.Cancelled++
		case errors.As(err, &pr) && pr.Code == problem.NotAllowedNow:
			out.TooLate++
		default:
			return err
		}
		return nil
	}
	if f.Group != "" {
		ids := slices.Clone(g.IDs)
		slices.Sort(ids)
		err := in.each(ctx, p, slices.Compact(ids), each) // a duplicate is in it twice
		return out, err
	}
	err = in.waiting(ctx, p, f.After, &out, each)
	return out, err
}

// groupOf reads the group of a filter, if it names one.
func (in *Intake) groupOf(ctx context.Context, p tenant.Principal, id string) (g store.Group, err error) {
	if id == "" {
		return g, nil
	}
	if g, err = in.Store.Group(ctx, p, id); errors.Is(err, store.ErrNotFound) {
		return g, problem.New(problem.NotFound, "there is no such group; an id begins with %s", store.GroupPrefix)
	}
	if err != nil {
		return g, unavailable(err)
	}
	return g, nil
}

// String is the filter as the audit has it.
func (f StopFilter) String() string {
	of := cmp.Or(f.Template, f.Group, f.Tenant)
	of = strings.ToValidUTF8(of[:min(len(of), 2*40)], "") // no name is longer
	if f.Version != 0 {
		of += "@" + strconv.Itoa(f.Version)
	}
	if f.Template != "" && f.Group != "" {
		of += " " + f.Group
	}
	return of
}

func (f StopFilter) matches(m *message.Message) bool {
	return (f.Tenant == "" || f.Tenant == m.Tenant) &&
		(f.Template == "" || f.Template == m.Template.Name || f.Template == m.Template.Tenant+"/"+m.Template.Name) &&
		(f.Version == 0 || f.Version == m.Template.Version) && (f.Group == "" || f.Group == m.Group)
}

func (in *Intake) each(ctx context.Context, p tenant.Principal, ids []message.ID, do func(*store.Record) error) error {
	if len(ids) == 0 {
		return nil
	}
	records, bad, err := in.Store.Messages(ctx, p, ids...)
	if err != nil {
		return unavailable(err)
	}
	for _, u := range bad {
		in.Log.ErrorContext(ctx, "record unreadable", "id", u.ID, "error", u.Err)
	}
	for _, r := range records {
		if err := do(r); err != nil {
			return err
		}
	}
	return nil
}
