package operate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

// Unbound is an account that is on, sends over a channel of a version, and cannot carry it well: it lacks a
// binding, or the vendor has not approved the template.
type Unbound struct {
	Account  config.Account
	Bound    bool
	Approval provider.Approval // if bound
}

// unbound finds the accounts over which a version cannot go, or may be refused.
func (o *Operate) unbound(ctx context.Context, t template.Template, b config.Bindings) ([]Unbound, error) {
	all, err := list[config.Account](ctx, o, tenant.System("operate"), store.Accounts)
	if err != nil {
		return nil, err
	}
	var out []Unbound
	for _, a := range all {
		d, _, err := o.Catalog.Get(ctx, a.Body.Provider)
		if err != nil {
			return nil, unreadable(err)
		}
		one, bound := b[a.Body.Name]
		ok := bound && one.State != provider.Pending && one.State != provider.Rejected
		if a.Body.Off || !d.Bound() || ok || !has(t, a.Body.Channel) {
			continue
		}
		out = append(out, Unbound{Account: a.Body, Bound: bound, Approval: one.State})
	}
	return out, nil
}

func has(t template.Template, ch message.Channel) bool {
	return slices.ContainsFunc(t.Variants, func(v template.Variant) bool { return v.Channel == ch })
}

// String is a warning.
func (u Unbound) String() string {
	what := "this version is not bound over account %s (%s): nothing of it goes out over %s until it is"
	switch {
	case u.Bound && u.Approval == provider.Rejected:
		what = "account %s (%s): the vendor rejected the template that this version is bound to: nothing of it goes out over %s"
	case u.Bound:
		what = "account %s (%s): the vendor has not approved the template that this version is bound to: over %s it may be refused"
	}
	return fmt.Sprintf(what, u.Account.Name, u.Account.Provider, u.Account.Name)
}

// fitBinding compares a binding with the form of the account's provider, finds all faults, and fills in
// defaults.
func fitBinding(f *faults, d provider.Descriptor, t template.Template, a config.Account, fields map[string]string) map[string]string {
	if len(d.Binding) == 0 {
		f.add("path:account", problem.BadValue, "account %s needs no binding: provider %s sends the text itself", a.Name, d.Name)
		return nil
	}
	if !has(t, a.Channel) {
		f.add("path:account", problem.NoVariant, "the version has no variant for channel %s, which account %s sends over", a.Channel, a.Name)
	}
	out := map[string]string{}
	var names []string
	for _, field := range d.Binding {
		names = append(names, field.Name)
		pointer, given := "/fields/"+field.Name, fields[field.Name]
		if len(given) > maxValue {
			f.add(pointer, problem.TooLong, "%s may have %d bytes", field.Name, maxValue)
			continue
		}
		value, err := field.Fit(given)
		switch {
		case err != nil && given == "":
			f.add(pointer, problem.Required, "%s", err)
		case err != nil:
			f.add(pointer, problem.BadValue, "%s", err)
		case value != "":
			out[field.Name] = value
			if field.Type == provider.Variables {
				knownVariables(f, pointer, t, value)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(names, name) {
			f.add("/fields", problem.UnknownField, "a binding of provider %s has no such field; it has %s", d.Name, strings.Join(names, ", "))
		}
	}
	return out
}

// knownVariables finds names that the version does not declare, and lists, which are no text.
func knownVariables(f *faults, pointer string, t template.Template, value string) {
	list, _ := provider.ParseVariables(value)
	for _, n := range list {
		i := slices.IndexFunc(t.Variables, func(v template.Variable) bool { return v.Name == n.Ours })
		switch {
		case i < 0:
			f.add(pointer, problem.UnknownVariable, "the version declares no variable of one of these names; it has %s", variableNames(t))
		case t.Variables[i].Type == "list":
			f.add(pointer, problem.BadValue, "variable %s is a list, which cannot be a parameter", n.Ours)
		}
	}
}

func variableNames(t template.Template) string {
	var names []string
	for _, v := range t.Variables {
		names = append(names, v.Name)
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// takeOver binds a new version to what the former one was bound to, over the accounts on whose channel both
// say the same. It tells of those that it leaves out.
func (o *Operate) takeOver(ctx context.Context, p tenant.Principal, former int, t template.Template) ([]string, error) {
	from := BindingRef{Tenant: t.Tenant, Name: t.Name, Version: former}
	if former == 0 {
		return nil, nil
	}
	old, _, err := o.bindings(ctx, from)
	if err != nil || len(old.Body) == 0 {
		return nil, err
	}
	before, err := o.version(ctx, t.Tenant, t.Name, former)
	if err != nil {
		return nil, err
	}
	next, left := config.Bindings{}, []string(nil)
	for _, name := range slices.Sorted(maps.Keys(old.Body)) {
		a, err := get[config.Account](ctx, o, tenant.System("operate"), store.Accounts, name)
		if problem.From(err).Code == problem.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		d, _, err := o.Catalog.Get(ctx, a.Body.Provider)
		if err != nil {
			return nil, unreadable(err)
		}
		var f faults
		fields := fitBinding(&f, d, t, a.Body, old.Body[name].Fields)
		if f.err() != nil || !template.Same(before.Body, t, a.Body.Channel) {
			left = append(left, fmt.Sprintf("the binding over account %s was not taken over from version %d, because what it says on %s changed: bind this version anew", name, former, a.Body.Channel))
			continue
		}
		next[name] = config.Binding{Fields: fields, State: provider.Unchecked}
	}
	if len(next) == 0 {
		return left, nil
	}
	to := BindingRef{Tenant: t.Tenant, Name: t.Name, Version: t.Version}
	head := store.Doc{Kind: store.Bindings, Name: to.doc()}
	if _, err := o.save(ctx, p, head, t.Tenant, fmt.Sprintf("taken over from version %d", former), next); err != nil && !isConflict(err) {
		return nil, err
	}
	return left, nil
}
