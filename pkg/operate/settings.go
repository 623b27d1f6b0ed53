package operate

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

const (
	maxPrefixes  = 100
	maxNoticed   = 20
	longestCodes = 24 * 3600
	maxCapped    = 1_000_000
)

// prefixForm is the beginning of a number in E.164.
var prefixForm = regexp.MustCompile(`^\+[1-9][0-9]{0,13}$`)

// Settings reads what is decided for the whole installation. Version 0 is the defaults.
func (o *Operate) Settings(ctx context.Context, p tenant.Principal) (Versioned[config.Settings], error) {
	if err := may(p, tenant.Operate); err != nil {
		return Versioned[config.Settings]{}, err
	}
	v, err := get[config.Settings](ctx, o, p, store.Settings, config.SettingsName)
	if gone := (*problem.Error)(nil); errors.As(err, &gone) && gone.Code == problem.NotFound {
		return Versioned[config.Settings]{}, nil
	}
	return v, err
}

// Address is where the API is seen from outside; "" where the deployment does not say.
func (o *Operate) Address() string { return o.PublicURL }

// EgressAddress is the one address that providers are called from; "" where it is not fixed.
func (o *Operate) EgressAddress() string { return o.Egress }

// SettingsHistory lists their versions, the newest first.
func (o *Operate) SettingsHistory(ctx context.Context, p tenant.Principal) ([]Versioned[config.Settings], error) {
	if err := may(p, tenant.Operate); err != nil {
		return nil, err
	}
	out, err := history[config.Settings](ctx, o, p, store.Settings, config.SettingsName)
	if gone := (*problem.Error)(nil); errors.As(err, &gone) && gone.Code == problem.NotFound {
		return nil, nil
	}
	return out, err
}

// PutSettings changes them; what is left out has its default afterwards.
func (o *Operate) PutSettings(ctx context.Context, p tenant.Principal, s config.Settings, c Change) (Versioned[config.Settings], error) {
	none := Versioned[config.Settings]{}
	if err := may(p, tenant.Operate); err != nil {
		return none, err
	}
	var f faults
	c.check(&f)
	checkCodes(&f, s.Codes)
	if err := o.checkNotices(ctx, &f, s.Notices); err != nil {
		return none, err
	}
	if err := f.err(); err != nil {
		return none, err
	}
	head, live, err := o.document(ctx, store.Settings, config.SettingsName)
	if err == nil {
		err = expect(head, live, c)
	}
	if err != nil {
		return none, err
	}
	meta, err := o.save(ctx, p, head, "", c.Reason, s)
	return Versioned[config.Settings]{meta, s}, err
}

func checkCodes(f *faults, c config.Codes) {
	if c.PerRecipient != nil {
		checkCap(f, "/codes/per_recipient", *c.PerRecipient, limit.MaxFrequency)
	}
	if c.PerRange != nil {
		checkCap(f, "/codes/per_range", *c.PerRange, maxCapped)
	}
	if len(c.Prefixes) > maxPrefixes {
		f.add("/codes/prefixes", problem.TooMany, "at most %d prefixes are allowed", maxPrefixes)
		return
	}
	seen := map[string]bool{}
	for i, p := range c.Prefixes {
		at := index("/codes/prefixes", i)
		if !prefixForm.MatchString(p.Prefix) {
			f.add(at+"/prefix", problem.BadValue, "prefix is the beginning of numbers with their country code, such as +86170")
		} else if seen[p.Prefix] {
			f.add(at+"/prefix", problem.BadValue, "this prefix is there already")
		}
		seen[p.Prefix] = true
		checkCap(f, at, p.Cap, maxCapped)
	}
}

// checkNotices finds out now what would keep a notice from being sent when it matters.
func (o *Operate) checkNotices(ctx context.Context, f *faults, n config.Notices) error {
	if n.Tenant == "" {
		if len(n.To) > 0 || n.Template != "" {
			f.add("/notices/tenant", problem.Required, "notices.tenant is missing: in whose name they are sent")
		}
		return nil
	}
	t, err := get[tenant.Tenant](ctx, o, tenant.System("settings"), store.Tenants, n.Tenant)
	if gone := (*problem.Error)(nil); errors.As(err, &gone) && gone.Code == problem.NotFound {
		f.add("/notices/tenant", problem.UnknownTenant, "there is no such tenant; see GET /v1/tenants")
		return nil
	}
	if err != nil {
		return err
	}
	if n.Template == "" && !t.Body.FreeContent {
		f.add("/notices/tenant", problem.ContentRefused, "tenant %s may send templates only: name one in notices.template, or allow it free_content", t.Body.Name)
	}
	if n.Template != "" {
		owner, name, other := strings.Cut(n.Template, "/")
		if !other {
			owner, name = n.Tenant, n.Template
		}
		if _, live, err := o.document(ctx, store.Templates, owner+"/"+name); err != nil {
			return err
		} else if !live {
			f.add("/notices/template", problem.UnknownTemplate, "there is no such template; it is written name, or tenant/name of one that is shared")
		}
	}
	if len(n.To) > maxNoticed {
		f.add("/notices/to", problem.TooMany, "at most %d addresses are allowed", maxNoticed)
		return nil
	}
	for i, to := range n.To {
		at := index("/notices/to", i)
		ch, ok, err := o.Catalog.Channel(ctx, to.Channel)
		switch {
		case err != nil:
			return unreadable(err)
		case !ok:
			f.add(at+"/channel", problem.UnknownChannel, "there is no such channel")
			continue
		case ch.Templated && n.Template == "":
			f.add(at+"/channel", problem.ContentRefused, "this channel sends templates only: name one in notices.template")
		}
		if _, err := ch.Read(o.Addresses, to.To, t.Body.Region); err != nil {
			f.add(at+"/to", problem.BadAddress, "%s", err)
		}
	}
	return nil
}

// checkCap takes no seconds with no messages for no cap; no messages within seconds is none at all.
func checkCap(f *faults, pointer string, c config.Cap, most int) {
	f.number(pointer+"/messages", "messages", c.Messages, 0, most)
	if c.Messages > 0 && c.Seconds == 0 {
		f.add(pointer+"/seconds", problem.Required, "seconds is missing: in how many seconds there may be so many; leave both out for no cap")
		return
	}
	f.number(pointer+"/seconds", "seconds", c.Seconds, 0, longestCodes)
}

// Spending is how much of a budget is used: messages, or money in a currency.
type Spending struct {
	Window      limit.Kind
	Limit, Used float64
	Currency    string
}

// Spent tells how much of a tenant's budgets is used.
func (o *Operate) Spent(ctx context.Context, p tenant.Principal, name string) ([]Spending, error) {
	t, err := o.Tenant(ctx, p, name)
	if err != nil {
		return nil, err
	}
	var asks []store.Metered
	for _, k := range config.Budgets() {
		if l := config.BudgetOf(t.Body, k); !l.None() {
			asks = append(asks, store.Metered{Of: store.TenantLimits(name, k), Windows: recent(l, o.now())})
		}
	}
	levels, err := o.Accounting.Levels(ctx, asks...)
	if err != nil {
		return nil, unreadable(err)
	}
	var out []Spending
	for i, a := range asks {
		for _, u := range used(a.Windows, levels[i]) {
			s := Spending{Window: u.Window, Limit: float64(u.Limit), Used: float64(u.Used)}
			if u.Window == limit.Month {
				s.Limit, s.Used, s.Currency = s.Limit/1e6, s.Used/1e6, t.Body.Currency
			}
			out = append(out, s)
		}
	}
	return out, nil
}
