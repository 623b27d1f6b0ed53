package operate

import (
	"context"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
)

// The bounds of an account.
const (
	maxConcurrency = 10_000
	maxUrgent      = 90
	maxPrice       = 1_000_000
	maxValue       = 16 << 10 // bytes of one field: a private key and a chain of certificates fit
)

// currencyForm is ISO 4217.
var currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)

// check looks at what needs nothing but the request.
func (r *AccountRequest) check(f *faults) {
	f.name(r.Name)
	if r.PerSecond < 0 || r.PerSecond > maxPerSecond || math.IsNaN(r.PerSecond) {
		f.add("/per_second", problem.BadValue, "per_second must be 0 (the provider's own limit) to %d", maxPerSecond)
	}
	f.number("/per_minute", "per_minute", r.PerMinute, 0, maxPerSecond*60)
	f.number("/per_day", "per_day", r.PerDay, 0, maxPerDay)
	f.number("/urgent_percent", "urgent_percent", r.UrgentPercent, 0, maxUrgent)
	if r.Concurrency < 0 || r.Concurrency > maxConcurrency {
		f.add("/concurrency", problem.BadValue, "concurrency must be 0 (the provider's own limit) to %d", maxConcurrency)
	}
	f.doubt(r.InDoubt)
	f.money("price", r.Price, r.Currency, maxPrice)
}

// money checks an amount and its currency.
func (f *faults) money(name string, amount float64, currency string, most int) {
	if amount < 0 || amount > float64(most) || math.IsNaN(amount) {
		f.add("/"+name, problem.BadValue, "%s must be 0 to %d", name, most)
	}
	switch {
	case amount > 0 && currency == "":
		f.add("/currency", problem.Required, "%s needs a currency, three capital letters of ISO 4217, such as CNY", name)
	case currency != "" && !currencyForm.MatchString(currency):
		f.add("/currency", problem.BadValue, "currency is three capital letters of ISO 4217, such as CNY")
	}
}

// fit compares an account with its provider's form, finds all faults, and fills in defaults.
func (o *Operate) fit(ctx context.Context, a config.Account, secrets map[string]message.Secret) (config.Account, error) {
	if a.Provider == "" {
		return a, problem.Invalid(problem.At("/provider", problem.Required, "provider is required; see GET /v1/providers"))
	}
	d, ok, err := o.Catalog.Get(ctx, a.Provider)
	if err != nil {
		return a, unreadable(err)
	}
	if !ok {
		return a, problem.Invalid(problem.At("/provider", problem.BadValue, "there is no such provider; see GET /v1/providers"))
	}
	return fitTo(d, a, secrets)
}

func fitTo(d provider.Descriptor, a config.Account, secrets map[string]message.Secret) (config.Account, error) {
	var f faults
	switch {
	case a.Channel == "" && len(d.Channels) == 1:
		a.Channel = d.Channels[0]
	case a.Channel == "":
		f.add("/channel", problem.Required, "channel is required: provider %s sends on %v", d.Name, d.Channels)
	case !d.Has(a.Channel):
		f.add("/channel", problem.UnknownChannel, "provider %s does not send on this channel; it has %v", d.Name, d.Channels)
	}
	if err := f.err(); err != nil {
		return a, err
	}
	whole := provider.Account{Name: a.Name, Provider: a.Provider, Channel: a.Channel, Config: map[string]string{}, Secrets: secrets}
	maps.Copy(whole.Config, a.Config)
	maps.DeleteFunc(whole.Config, func(_, v string) bool { return v == "" })
	unknown(&f, d, whole)
	for _, field := range d.Fields {
		fitField(&f, d, field, &whole)
	}
	if err := f.err(); err != nil {
		return a, err
	}
	if err := d.Check(&whole); err != nil { // the form's own word is the last
		return a, problem.Invalid(problem.At("", problem.BadValue, "%s", err))
	}
	a.Config, a.Secrets = whole.Config, slices.Sorted(maps.Keys(whole.Secrets))
	return a, nil
}

// unknown finds values that the form has no field for, or only in the other place.
func unknown(f *faults, d provider.Descriptor, a provider.Account) {
	place := map[string]string{}
	for _, field := range d.Fields {
		place[field.Name] = "config"
		if field.Secret {
			place[field.Name] = "secrets"
		}
	}
	check := func(in string, names []string) {
		for _, name := range names {
			switch should := place[name]; {
			case should == in:
			case should != "":
				f.add("/"+in+"/"+name, problem.UnknownField, "%s belongs in %s", name, should)
			default: // the name is not repeated: it may be a value in the wrong place
				f.add("/"+in, problem.UnknownField, "provider %s has no such field; it has %s", d.Name, strings.Join(slices.Sorted(maps.Keys(place)), ", "))
			}
		}
	}
	check("config", slices.Sorted(maps.Keys(a.Config)))
	check("secrets", slices.Sorted(maps.Keys(a.Secrets)))
}

// fitField checks one field by itself, so that its fault has a place.
func fitField(f *faults, d provider.Descriptor, field provider.Field, a *provider.Account) {
	one := provider.Descriptor{Name: d.Name, Channels: d.Channels, Fields: []provider.Field{field}}
	alone := provider.Account{Channel: a.Channel}
	pointer, value := "/config/"+field.Name, a.Config[field.Name]
	if field.Secret {
		pointer, value = "/secrets/"+field.Name, string(a.Secrets[field.Name])
		alone.Secrets = map[string]message.Secret{field.Name: a.Secrets[field.Name]}
	} else {
		alone.Config = map[string]string{field.Name: value}
	}
	if len(value) > maxValue {
		f.add(pointer, problem.TooLong, "%s may have %d bytes", field.Name, maxValue)
		return
	}
	if err := one.Check(&alone); err != nil {
		code := problem.BadValue
		if value == "" {
			code = problem.Required
		}
		f.add(pointer, code, "%s", err)
		return
	}
	if v := alone.Config[field.Name]; v != "" {
		a.Config[field.Name] = v
	}
}
