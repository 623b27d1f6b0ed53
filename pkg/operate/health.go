package operate

import (
	"context"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/breaker"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Accounting is what the workers know of accounts.
type Accounting interface {
	Breakers(ctx context.Context) ([]store.Breaker, error)
	Levels(ctx context.Context, asks ...store.Metered) ([][]limit.Level, error)
	Paces(ctx context.Context, p tenant.Principal) ([]store.Pace, error)
}

// Health is how an account does.
type Health struct {
	State breaker.State
	// Since is since when it does not work, Until how long it is left alone, Share how much of the traffic
	// tries it while it comes back.
	Since, Until message.Time
	Share        float64
	// Used is how much of its limits is used; empty without limits.
	Used []Usage
	// Polled is how its provider is asked for its news; nil where it is not.
	Polled *Polled
}

// Polled is when an account's provider was asked last, 0 for never, and is asked next; and how often in a row, up
// to the last time, it was asked in vain.
type Polled struct {
	Last, Next message.Time
	Failures   int
}

// Usage is how much of a limit is used: of a second's, in the fullest second of the last minute.
type Usage struct {
	Window      limit.Kind
	Limit, Used int
}

// lately is how far back the fullest second is looked for.
const lately = time.Minute

// Health tells how accounts do, by their names.
func (o *Operate) Health(ctx context.Context, p tenant.Principal, accounts []config.Account) (map[string]Health, error) {
	if err := may(p, tenant.Operate); err != nil {
		return nil, err
	}
	now := o.now()
	all, err := o.Accounting.Breakers(ctx)
	if err != nil {
		return nil, unreadable(err)
	}
	out := make(map[string]Health, len(accounts))
	asks := make([]store.Metered, len(accounts))
	var polled []string
	for i, a := range accounts {
		out[a.Name] = Health{State: breaker.Closed}
		d, _, err := o.Catalog.Get(ctx, a.Provider)
		if err != nil {
			return nil, unreadable(err)
		}
		if d.Asks(provider.OfAccount, a.Config) {
			polled = append(polled, a.Name)
		}
		asks[i] = store.Metered{Of: store.AccountLimits(a.Name), Windows: recent(a.Limits(d.Limits), now)}
	}
	levels, err := o.Accounting.Levels(ctx, asks...)
	if err != nil {
		return nil, unreadable(err)
	}
	for i, a := range accounts {
		h := out[a.Name]
		h.Used = used(asks[i].Windows, levels[i])
		out[a.Name] = h
	}
	for _, b := range all {
		if h, ok := out[b.Account]; ok && b.State(now) != breaker.Closed {
			h.State, h.Since, h.Until, h.Share = b.State(now), b.Opened, b.Until, b.ShareAt(now)
			out[b.Account] = h
		}
	}
	return out, o.polled(ctx, p, polled, out)
}

// polled adds when accounts were asked. Where none is, nothing is read.
func (o *Operate) polled(ctx context.Context, p tenant.Principal, names []string, out map[string]Health) error {
	if len(names) == 0 {
		return nil
	}
	paces, err := o.Accounting.Paces(ctx, p)
	if err != nil {
		return unreadable(err)
	}
	for _, name := range names {
		h := out[name]
		h.Polled = new(Polled)
		if i := slices.IndexFunc(paces, func(p store.Pace) bool { return p.Account == name }); i >= 0 {
			*h.Polled = Polled{paces[i].Asked, paces[i].Next, paces[i].Failures}
		}
		out[name] = h
	}
	return nil
}

// recent lists the windows of now, and the seconds before.
func recent(l limit.Limits, now message.Time) []limit.Window {
	windows := l.Windows(now)
	for at := now.Add(-time.Second); at > now.Add(-lately) && l.PerSecond >= 1; at = at.Add(-time.Second) {
		windows = append(windows, l.Windows(at)[0])
	}
	return windows
}

// used takes the fullest window of each kind.
func used(windows []limit.Window, levels []limit.Level) (out []Usage) {
	at := map[limit.Kind]int{}
	for i, w := range windows {
		n, seen := at[w.Kind]
		if !seen {
			n = len(out)
			at[w.Kind] = n
			out = append(out, Usage{Window: w.Kind, Limit: w.Most})
		}
		out[n].Used = max(out[n].Used, w.Used(levels[i]))
	}
	return out
}
