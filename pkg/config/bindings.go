package config

import (
	"context"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

// Binding is what a version of a template is bound to over one account: the vendor's own template.
type Binding struct {
	// Fields are those of the form that the account's provider declares.
	Fields map[string]string `json:"fields"`
	State  provider.Approval `json:"state"`
	// CheckedAt is when the vendor was asked for the state; 0 if it was set by hand.
	CheckedAt message.Time `json:"checked_at,omitzero"`
	// Note is the vendor's reason, or an operator's.
	Note string `json:"note,omitzero"`
}

// Bindings are those of one version, by account.
type Bindings map[string]Binding

// Bindings reads those of a version of a template: none is an empty map.
func (s *Source) Bindings(ctx context.Context, ref message.Ref) (Bindings, error) {
	snap, err := s.bindings.get(ctx, s)
	return snap.byName[VersionName(ref.Tenant, ref.Name, ref.Version)], err
}

// Bar is why an account cannot carry a message.
type Bar string

// The bars.
const (
	// TemplatesOnly: the provider takes templates that its vendor approved, and this is free content.
	TemplatesOnly Bar = "templates_only"
	NoBinding     Bar = "no_binding"       // the version is not bound over the account
	Rejected      Bar = "binding_rejected" // it is bound to a template that the vendor refused
)

// Bar says why an account of a provider cannot carry a message of a version that is bound so; "" when it
// can.
func (b Bindings) Bar(account string, d provider.Descriptor) Bar {
	if !d.Bound() {
		return ""
	}
	switch one, bound := b[account]; {
	case !bound:
		return NoBinding
	case one.State == provider.Rejected:
		return Rejected
	}
	return ""
}

// Describe gives a provider's descriptor by its name.
type Describe func(ctx context.Context, name string) (provider.Descriptor, bool, error)

// Bars says of each account that cannot carry a message why it cannot, by name; the zero version is free
// content. Bindings are read only if the provider of some account needs one.
func Bars(ctx context.Context, accounts []Account, describe Describe, version message.Ref, read func(context.Context, message.Ref) (Bindings, error)) (map[string]Bar, error) {
	var bars map[string]Bar
	var bound Bindings
	asked := version.Name == "" // free content has no bindings
	for _, a := range accounts {
		d, _, err := describe(ctx, a.Provider) // what is not known is found out when the account is opened
		if err != nil {
			return nil, err
		}
		if !d.Bound() {
			continue
		}
		if !asked {
			if bound, err = read(ctx, version); err != nil {
				return nil, err
			}
			asked = true
		}
		bar := bound.Bar(a.Name, d)
		if version.Name == "" {
			bar = TemplatesOnly
		}
		if bar != "" {
			if bars == nil {
				bars = map[string]Bar{}
			}
			bars[a.Name] = bar
		}
	}
	return bars, nil
}
