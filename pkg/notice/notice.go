package notice

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
)

const (
	// nearly is how much of a limit is used when people are told.
	nearly = 0.8
	// lately is how far back the fullest second is looked for; a pass comes more often than that.
	lately = time.Minute
	// owners is how many tenants' owners are told of an account.
	owners = 3
)

// Store reads what is used.
type Store interface {
	Levels(ctx context.Context, asks ...store.Metered) ([][]limit.Level, error)
}

// Config is what notices read of the configuration.
type Config interface {
	Accounts(ctx context.Context, ch message.Channel) ([]config.Account, error)
	Tenants(ctx context.Context) ([]tenant.Tenant, error)
	Tenant(ctx context.Context, name string) (tenant.Tenant, bool, error)
	Settings(ctx context.Context) (config.Settings, error)
}

// Providers describes providers by name.
type Providers interface {
	Get(ctx context.Context, name string) (provider.Descriptor, bool, error)
}

// Order is a notice that the intake is asked for. One with the key of another is that one.
type Order struct {
	config.NoticeTo
	Tenant, Template string // in whose name, and as what; "" is free content
	Title, Text      string
	Key              string
}

// Ports is everything that notices need.
type Ports struct {
	Store     Store
	Config    Config
	Providers Providers
	// Holders are the tenants that called most over an account since an instant, the largest first.
	Holders func(ctx context.Context, account string, since message.Time) ([]string, error)
	// Send hands an order to the intake.
	Send    func(ctx context.Context, o Order) error
	Metrics telemetry.Metrics
	Now     func() time.Time
	Log     *slog.Logger
}

// Notices looks at limits and tells people.
type Notices struct{ Ports }

// New checks that nothing is missing.
func New(p Ports) (*Notices, error) {
	if p.Store == nil || p.Config == nil || p.Providers == nil || p.Holders == nil || p.Send == nil || p.Metrics == nil || p.Now == nil || p.Log == nil {
		return nil, errors.New("notice: a port is missing")
	}
	return &Notices{p}, nil
}

// subject is an account's limits, or one budget of a tenant.
type subject struct {
	account *config.Account
	tenant  *tenant.Tenant
	store.Metered
}

// use is how much of a window of a subject is used.
type use struct {
	limit.Window
	used int
}

func (u use) ratio() float64 { return float64(u.used) / float64(u.Most) }

// Pass looks at every limit once: it measures how much is used, and tells who has to know.
func (n *Notices) Pass(ctx context.Context) error {
	now := message.At(n.Now())
	subjects, err := n.subjects(ctx, now)
	if err != nil || len(subjects) == 0 {
		return err
	}
	asks := make([]store.Metered, len(subjects))
	for i, s := range subjects {
		asks[i] = s.Metered
	}
	levels, err := n.Store.Levels(ctx, asks...)
	if err != nil {
		return err
	}
	var fault error
	for i, s := range subjects {
		most := 0.0
		for _, u := range fullest(s.Windows, levels[i]) {
			most = max(most, u.ratio())
			if u.ratio() >= nearly {
				fault = errors.Join(fault, n.tell(ctx, s, u, now))
			}
		}
		n.Metrics.Observe(telemetry.LimitUsed, most, telemetry.Ratio, s.labels())
	}
	return fault
}

func (s *subject) labels() telemetry.Labels {
	if s.account != nil {
		return telemetry.Labels{Channel: string(s.account.Channel), Account: s.account.Name}
	}
	return telemetry.Labels{Tenant: s.tenant.Name}
}

// subjects lists what has limits.
func (n *Notices) subjects(ctx context.Context, now message.Time) ([]subject, error) {
	accounts, err := n.Config.Accounts(ctx, "")
	if err != nil {
		return nil, err
	}
	tenants, err := n.Config.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	var out []subject
	for i := range accounts {
		a := &accounts[i]
		d, _, err := n.Providers.Get(ctx, a.Provider)
		if err != nil {
			return nil, err
		}
		if l := a.Limits(d.Limits); !a.Off && !l.None() {
			out = append(out, subject{account: a, Metered: store.Metered{Of: store.AccountLimits(a.Name), Windows: recent(l, now)}})
		}
	}
	for i := range tenants {
		for _, k := range config.Budgets() {
			if l := config.BudgetOf(tenants[i], k); !l.None() {
				out = append(out, subject{tenant: &tenants[i], Metered: store.Metered{Of: store.TenantLimits(tenants[i].Name, k), Windows: recent(l, now)}})
			}
		}
	}
	return out, nil
}

// recent lists the windows of now, and the seconds before.
func recent(l limit.Limits, now message.Time) []limit.Window {
	windows := l.Windows(now)
	for at := now.Add(-time.Second); at > now.Add(-lately) && l.PerSecond >= 1; at = at.Add(-time.Second) {
		windows = append(windows, l.Windows(at)[0])
	}
	return windows
}

// fullest takes the fullest window of each kind.
func fullest(windows []limit.Window, levels []limit.Level) map[limit.Kind]use {
	out := map[limit.Kind]use{}
	for i, w := range windows {
		if u := (use{w, w.Used(levels[i])}); out[w.Kind].Most == 0 || u.used > out[w.Kind].used {
			out[w.Kind] = u
		}
	}
	return out
}

// tell tells the owners, and the operators, whom with that.
func (n *Notices) tell(ctx context.Context, s subject, u use, now message.Time) error {
	settings, err := n.Config.Settings(ctx)
	if err != nil {
		return err
	}
	what := settings.Notices
	n.Log.WarnContext(ctx, "a limit is nearly used up", "of", s.Of, "window", u.Kind, "used", u.used, "limit", u.Most)
	if what.Tenant == "" {
		return nil
	}
	responsible, err := n.responsible(ctx, s, u, now)
	if err != nil {
		return err
	}
	zh, en := s.words(u, responsible)
	title, _, _ := strings.Cut(en, ". Per ") // names and amounts have dots of their own
	o := Order{Tenant: what.Tenant, Template: what.Template, Title: "notify: " + title + ".", Text: zh + "\n" + en}
	id := fmt.Sprintf("notice/%s/%s/%d", s.Of, u.Kind, int64(now)/time.Hour.Milliseconds())
	var untold []string
	var fault error
	for _, t := range responsible {
		to, ok := contact(t.Owner, what.Template != "")
		if !ok {
			untold = append(untold, t.Name)
			continue
		}
		own := o
		own.NoticeTo, own.Key = to, id+"/owner/"+t.Name
		if err := n.Send(ctx, own); err != nil {
			untold = append(untold, t.Name)
			n.Log.WarnContext(ctx, "an owner is not told", "tenant", t.Name, "error", err)
		}
	}
	if len(untold) > 0 {
		o.Text += "\nNot told (no contact that can be written to): " + strings.Join(untold, ", ")
	}
	for i, to := range what.To {
		o.NoticeTo, o.Key = to, fmt.Sprintf("%s/%d", id, i)
		if err := n.Send(ctx, o); err != nil {
			fault = errors.Join(fault, fmt.Errorf("notice: operator %d is not told: %w", i+1, err))
		}
	}
	return fault
}

// responsible are the tenants whose doing it is.
func (n *Notices) responsible(ctx context.Context, s subject, u use, now message.Time) ([]tenant.Tenant, error) {
	if s.tenant != nil {
		return []tenant.Tenant{*s.tenant}, nil
	}
	names, err := n.Holders(ctx, s.account.Name, min(u.From, now.Add(-lately)))
	if err != nil {
		return nil, err
	}
	var out []tenant.Tenant
	for _, name := range names[:min(len(names), owners)] {
		t, ok, err := n.Config.Tenant(ctx, name)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, t)
		}
	}
	return out, nil
}

// contact is how an owner is written to: by mail, or by a text where there is a template for it.
func contact(o tenant.Owner, template bool) (config.NoticeTo, bool) {
	switch {
	case o.Email != "":
		return config.NoticeTo{Channel: message.Email, To: o.Email}, true
	case o.Phone != "" && template:
		return config.NoticeTo{Channel: message.SMS, To: o.Phone}, true
	}
	return config.NoticeTo{}, false
}
