package local

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider/devinbox"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// The inbox is memory; the records know what arrived in it. So much of that is shown again after a start.
const (
	refillMost = 200
	refillDays = 7
	refillRead = 1000 // records of a tenant
	devinboxIs = "devinbox"
)

// refill puts what arrived before the start back into the inbox. It is a convenience: a fault is logged.
func (l *Local) refill(ctx context.Context) {
	as := tenant.System("inbox")
	tenants, err := l.Config.Tenants(ctx)
	if err != nil {
		l.warn(ctx, "inbox not refilled", err)
		return
	}
	var all []devinbox.Entry
	for _, t := range tenants {
		found, err := l.arrived(ctx, as, t.Name)
		if err != nil {
			l.warn(ctx, "inbox not refilled", err, "tenant", t.Name)
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b devinbox.Entry) int { return cmp.Compare(a.Time, b.Time) })
	for _, e := range all[max(0, len(all)-refillMost):] {
		l.Inbox.Put(e)
	}
}

// arrived gives what of a tenant's newest messages is in the inbox.
func (l *Local) arrived(ctx context.Context, as tenant.Principal, name string) (out []devinbox.Entry, err error) {
	now, read := message.At(l.Now()), 0
	in := store.Range{From: message.At(l.Now().AddDate(0, 0, -refillDays)), To: now + 1}
	for _, day := range store.Days(in, refillDays+1) {
		for shard := range l.Store.ListShards() {
			for after := ""; len(out) < refillMost && read < refillRead; {
				page, err := l.Store.ByTenant(ctx, as, name, day, shard, in, 200, after)
				if err != nil {
					return out, err
				}
				read += page.Read
				for _, r := range page.Records {
					out = append(out, l.entries(ctx, r)...)
				}
				if after = page.Next; after == "" {
					break
				}
			}
		}
	}
	return out, nil
}

// entries makes the entries of a message again, of each attempt that arrived.
func (l *Local) entries(ctx context.Context, r *store.Record) (out []devinbox.Entry) {
	var e devinbox.Entry
	for _, a := range r.Attempts {
		if a.Provider != devinboxIs || a.End == 0 || a.Outcome != message.Accepted && a.Outcome != message.Unknown {
			continue
		}
		if e.ID == "" {
			to, err := l.Store.Address(ctx, r)
			if err != nil {
				l.warn(ctx, "inbox entry not restored", err, "message", r.ID)
				return nil
			}
			e = devinbox.Entry{ID: r.ID, Channel: r.Channel, To: string(to), Content: l.content(ctx, r), Class: r.Class, Tenant: r.Tenant, Template: r.Template.Name}
		}
		e.Epoch, e.ProviderID, e.Time, e.Account, e.Outcome = a.Epoch, a.ProviderID, a.End, a.Account, a.Outcome.String()
		out = append(out, e)
	}
	return out
}

// content renders a message again, as it was sent.
func (l *Local) content(ctx context.Context, r *store.Record) message.Content {
	content, err := func() (message.Content, error) {
		if r.Free {
			return l.Store.Content(ctx, r)
		}
		vars, err := l.Store.Vars(ctx, r)
		if err != nil {
			return message.Content{}, err
		}
		t, err := l.Config.Version(ctx, r.Template)
		if err != nil {
			return message.Content{}, err
		}
		c, _, err := t.Render(r.Channel, r.Template.Locale, vars)
		return c, err
	}()
	switch {
	case errors.Is(err, store.ErrErased):
		content.Text = "(erased: the variables of a code are removed at its end · 验证码的变量在终态清除)"
	case err != nil:
		l.warn(ctx, "inbox entry not rendered", err, "message", r.ID)
	}
	return content
}

// warn logs a fault, unless it is only that notify was stopped already.
func (l *Local) warn(ctx context.Context, what string, err error, about ...any) {
	if ctx.Err() == nil {
		l.Log.WarnContext(ctx, what, append(about, "error", err)...)
	}
}
