package operate

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// DeadFilter says which dead messages are looked for.
type DeadFilter struct {
	Tenant string    // "": all
	Day    time.Time // of acceptance, in UTC; the zero time is the last 7 days
	Limit  int       // 1 to MaxPage
	After  string
}

// lookBack is how many days are looked through where none is named: longer than any class's messages
// live, so nothing older can be sent again.
const lookBack = 7

// maxReads bounds the work of one call: many tenants have nothing dead.
const maxReads = 60

// deadPlace is how far a list of dead messages came.
type deadPlace struct {
	Day    string `json:"d"`
	Tenant string `json:"t"`
	After  string `json:"a,omitzero"`
}

// DeadLetters lists dead messages by day, the newest first, and within a day by tenant; and where the
// next page begins. A page may be short, even empty, and not be the last.
func (o *Operate) DeadLetters(ctx context.Context, p tenant.Principal, f DeadFilter) ([]*store.Record, string, error) {
	if err := may(p, tenant.Operate); err != nil {
		return nil, "", err
	}
	if f.Limit < 1 || f.Limit > MaxPage {
		return nil, "", problem.Invalid(problem.At("query:limit", problem.BadValue, "limit must be 1 to %d", MaxPage))
	}
	var from deadPlace
	if err := openCursor(f.After, &from); err != nil {
		return nil, "", err
	}
	places, err := o.deadPlaces(ctx, p, f, from)
	if err != nil {
		return nil, "", err
	}
	var out []*store.Record
	for reads := 0; len(places) > 0; reads++ {
		at := &places[0]
		if len(out) >= f.Limit || reads == maxReads {
			return out, cursor(*at), nil
		}
		// No more is read than fits, as a cursor cannot point into a page.
		found, err := o.Messages.Troubles(ctx, p, at.Tenant, at.Day, store.Range{}, f.Limit-len(out), at.After)
		if err != nil {
			return nil, "", unreadable(err)
		}
		for _, u := range found.Bad {
			o.Log.ErrorContext(ctx, "record unreadable", "id", u.ID, "error", u.Err)
		}
		for _, r := range found.Records {
			if r.Status == message.Dead {
				out = append(out, r)
			}
		}
		if at.After = found.Next; at.After == "" {
			places = places[1:]
		}
	}
	return out, "", nil
}

// deadPlaces lists the days and tenants that are still to be read.
func (o *Operate) deadPlaces(ctx context.Context, p tenant.Principal, f DeadFilter, from deadPlace) ([]deadPlace, error) {
	tenants := []string{f.Tenant}
	if f.Tenant == "" {
		all, err := list[tenant.Tenant](ctx, o, p, store.Tenants)
		if err != nil {
			return nil, err
		}
		tenants = tenants[:0]
		for _, t := range all {
			tenants = append(tenants, t.Body.Name)
		}
	} else if !tenant.ValidName(f.Tenant) {
		return nil, problem.Invalid(problem.At("query:tenant", problem.UnknownTenant, "there is no such tenant; see GET /v1/tenants"))
	}
	days := store.Days(store.Range{From: o.now().Add(-lookBack * 24 * time.Hour), To: o.now() + 1}, lookBack)
	if !f.Day.IsZero() {
		days = []string{store.Day(message.At(f.Day))}
	}
	var out []deadPlace
	for _, d := range days {
		for _, t := range tenants {
			out = append(out, deadPlace{Day: d, Tenant: t})
		}
	}
	if from.Day == "" {
		return out, nil
	}
	i := slices.IndexFunc(out, func(at deadPlace) bool {
		return at.Day < from.Day || at.Day == from.Day && at.Tenant >= from.Tenant
	})
	if i < 0 {
		return nil, nil
	}
	if out = out[i:]; out[0].Day == from.Day && out[0].Tenant == from.Tenant {
		out[0].After = from.After
	}
	return out, nil
}

// Retry tries one message again that is dead, failed or in doubt. The worker looks at its expiry, its
// suppressions and its account anew.
func (o *Operate) Retry(ctx context.Context, p tenant.Principal, id message.ID, why string) (*store.Record, error) {
	if err := may(p, tenant.Operate); err != nil {
		return nil, err
	}
	var f faults
	f.text("/reason", "reason", why, MaxReason, false)
	if err := f.err(); err != nil {
		return nil, err
	}
	r, err := o.Messages.Message(ctx, p, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, problem.New(problem.NotFound, "there is no message %s", id)
	}
	if err != nil {
		return nil, unreadable(err)
	}
	saved, err := o.Messages.Update(ctx, p, o.now(), r, message.Redrive{By: p.Name, Why: why})
	var refused *message.Refused
	if errors.As(err, &refused) {
		return nil, problem.New(problem.NotAllowedNow, "message %s is %s: %s", id, refused.Status, refused.Why)
	}
	if err != nil {
		return nil, unkept(err)
	}
	if saved.Status == message.Queued {
		name := queue.Lane(saved.Channel, saved.Lane())
		if err := o.Queue.Send(ctx, name, queue.Item{Body: store.BareHint(id), Group: saved.Tenant}); err != nil {
			o.Log.WarnContext(ctx, "hint not queued; the sweep will", "queue", name, "error", err)
		}
	}
	return saved, nil
}
