package trace

import (
	"cmp"
	"context"
	"strings"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// mostRefused is how many refused requests a search shows.
const mostRefused = 20

// refused finds the requests for a recipient, or with a reference, that were refused in the last 7 days: "we
// called you and nothing came". Only a search for nothing else asks.
func (t *Trace) refused(ctx context.Context, p tenant.Principal, f *Filter, now message.Time) ([]store.Refusal, error) {
	var marks []string
	switch bare := (Filter{Tenant: f.Tenant, Recipient: f.Recipient, Reference: f.Reference, Channel: f.Channel, From: f.From, To: f.To, Limit: f.Limit}); {
	case *f != bare:
		return nil, nil
	case f.Recipient != "":
		keys, err := t.recipients(ctx, p, f)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			marks = append(marks, t.Store.RefusedTo(k.kind, string(k.key)))
		}
	case f.Reference != "":
		marks = []string{t.Store.RefusedAs(f.Reference)}
	default:
		return nil, nil
	}
	in := store.Range{From: max(now.Add(-store.KeepRefusals), message.At(f.From)), To: message.At(f.To)}
	found, err := t.Store.RefusalsOf(ctx, p, f.Tenant, in, mostRefused, marks...)
	if err != nil {
		return nil, unread(err)
	}
	return found, nil
}

// noneBut is the verdict when nothing was sent because it was refused.
func (t *Trace) noneBut(ctx context.Context, r *store.Refusal, now message.Time) Verdict {
	b := blanks{since: now.Sub(r.At), tenant: cmp.Or(r.Tenant, "?"), code: r.Code}
	var faults []string
	for _, f := range r.Fields {
		faults = append(faults, strings.TrimSpace(f.Pointer+" "+f.Code))
	}
	if len(faults) > 0 {
		b.code = strings.Join(faults, ", ")
	}
	if own, ok, err := t.Config.Tenant(ctx, r.Tenant); err == nil && ok {
		b.owner = own.Owner
	}
	return b.fill("none_refused")
}
