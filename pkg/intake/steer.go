package intake

import (
	"context"
	"errors"
	"slices"

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

// Cancel stops a message that is not with a provider yet. It wins if it is written before the lease.
func (in *Intake) Cancel(ctx context.Context, p tenant.Principal, id message.ID, why string) (*store.Record, error) {
	if !p.May(tenant.Send) && !p.May(tenant.Operate) {
		return nil, problem.New(problem.Forbidden, "this key lacks the scope send")
	}
	r, err := in.find(ctx, p, id)
	if err != nil {
		return nil, err
	}
	return in.cancel(ctx, p, r, message.Cancel{By: p.Name, Why: why})
}

func (in *Intake) cancel(ctx context.Context, p tenant.Principal, r *store.Record, e message.Cancel) (*store.Record, error) {
	saved, err := in.Store.Update(ctx, p, in.now(), r, e)
	var refused *message.Refused
	if errors.As(err, &refused) {
		if refused.Status == message.Cancelled {
			return saved, nil
		}
		return nil, problem.New(problem.NotAllowedNow, "message %s is %s; only a queued or scheduled one can be cancelled", r.ID, refused.Status)
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
	return in.Send(ctx, p, req)
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
}

// Stopped counts what Stop did, or would do.
type Stopped struct {
	Matched, Cancelled, TooLate int
	// More tells that the bound was reached: call again.
	More bool
}

// maxStop bounds one call, so that it ends inside a request's time.
const maxStop = 10000

// Stop cancels everything waiting that matches. A dry run only counts.
func (in *Intake) Stop(ctx context.Context, p tenant.Principal, f StopFilter, dry bool, why string) (Stopped, error) {
	if !p.May(tenant.Send) && !p.May(tenant.Operate) {
		return Stopped{}, problem.New(problem.Forbidden, "this key lacks the scope send")
	}
	if f.Tenant == "" && f.Group == "" { // a group is of one tenant already
		f.Tenant = p.Tenant
	}
	switch {
	case f == (StopFilter{}):
		return Stopped{}, problem.Invalid(problem.At("", problem.Required, "name at least one of tenant, template, group"))
	case f.Tenant != "" && !p.Steers(f.Tenant):
		return Stopped{}, problem.Invalid(problem.At("/tenant", problem.UnknownTenant, "there is no tenant %s for this key", quoted(f.Tenant)))
	case f.Version != 0 && f.Template == "":
		return Stopped{}, problem.Invalid(problem.At("/version", problem.BadValue, "version goes with template"))
	}
	var out Stopped
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
		g, err := in.Store.Group(ctx, p, f.Group)
		if errors.Is(err, store.ErrNotFound) {
			return out, problem.New(problem.NotFound, "there is no such group; an id begins with %s", store.GroupPrefix)
		}
		if err != nil {
			return out, unavailable(err)
		}
		ids := slices.Clone(g.IDs)
		slices.Sort(ids)
		err = in.each(ctx, p, slices.Compact(ids), each) // a duplicate is in it twice
		return out, err
	}
	err := in.waiting(ctx, p, &out, each)
	return out, err
}

func (f StopFilter) matches(m *message.Message) bool {
	return (f.Tenant == "" || f.Tenant == m.Tenant) &&
		(f.Template == "" || f.Template == m.Template.Name || f.Template == m.Template.Tenant+"/"+m.Template.Name) &&
		(f.Version == 0 || f.Version == m.Template.Version) && (f.Group == "" || f.Group == m.Group)
}

// waiting goes through the index of due messages: everything that can be stopped is in it.
func (in *Intake) waiting(ctx context.Context, p tenant.Principal, out *Stopped, do func(*store.Record) error) error {
	horizon := in.now().Add(2 * MaxAhead)
	for _, shard := range in.Store.DueShards() {
		for after := ""; ; {
			due, next, err := in.Store.Due(ctx, shard, horizon, 200, after)
			if err != nil {
				return unavailable(err)
			}
			ids := make([]message.ID, len(due))
			for i, d := range due {
				ids[i] = d.ID
			}
			if err := in.each(ctx, p, ids, do); err != nil {
				return err
			}
			if out.Matched >= maxStop {
				out.More = true
				return nil
			}
			if after = next; after == "" {
				break
			}
		}
	}
	return nil
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
