package operate

import (
	"context"
	"maps"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

// BindingRef names what is bound: a version of a template, over an account.
type BindingRef struct {
	Tenant, Name string
	Version      int
	Account      string
}

func (r BindingRef) doc() string { return config.VersionName(r.Tenant, r.Name, r.Version) }

// Bindings reads what a version is bound to, and which accounts lack something. Without any it is of version
// 0.
func (o *Operate) Bindings(ctx context.Context, p tenant.Principal, r BindingRef) (Versioned[config.Bindings], []Unbound, error) {
	none := Versioned[config.Bindings]{}
	if _, _, _, err := o.template(ctx, p, r.Tenant, r.Name); err != nil {
		return none, nil, err
	}
	t, err := o.version(ctx, r.Tenant, r.Name, r.Version)
	if err != nil {
		return none, nil, err
	}
	b, _, err := o.bindings(ctx, r)
	if err != nil {
		return none, nil, err
	}
	lacking, err := o.unbound(ctx, t.Body, b.Body)
	return b, lacking, err
}

// bindings reads those of a version, whoever asks.
func (o *Operate) bindings(ctx context.Context, r BindingRef) (Versioned[config.Bindings], store.Doc, error) {
	head, live, err := o.document(ctx, store.Bindings, r.doc())
	if err != nil || !live {
		return Versioned[config.Bindings]{Body: config.Bindings{}}, head, err
	}
	b, err := decode[config.Bindings](head)
	return b, head, err
}

// PutBinding binds a version over an account, or changes that. The change's version is that of all bindings
// of the template's version.
func (o *Operate) PutBinding(ctx context.Context, p tenant.Principal, r BindingRef, b config.Binding, c Change) (Versioned[config.Bindings], error) {
	none := Versioned[config.Bindings]{}
	if err := may(p, tenant.Operate); err != nil {
		return none, err
	}
	var f faults
	c.check(&f)
	f.text("/note", "note", b.Note, maxNote, false)
	if b.State == "" {
		b.State = provider.Unchecked
	}
	if !b.State.Valid() {
		f.add("/state", problem.BadValue, "state must be one of unchecked, pending, approved, rejected")
	}
	t, a, err := o.bindable(ctx, p, r)
	if err != nil {
		return none, err
	}
	d, _, err := o.Catalog.Get(ctx, a.Provider)
	if err != nil {
		return none, unreadable(err)
	}
	b.Fields = fitBinding(&f, d, t, a, b.Fields)
	if err := f.err(); err != nil {
		return none, err
	}
	b.CheckedAt = 0
	return o.changeBindings(ctx, p, r, c, func(all config.Bindings) { all[r.Account] = b })
}

// bindable reads the version and the account, which must both be there.
func (o *Operate) bindable(ctx context.Context, p tenant.Principal, r BindingRef) (template.Template, config.Account, error) {
	if _, _, err := o.liveTemplate(ctx, p, r.Tenant, r.Name); err != nil {
		return template.Template{}, config.Account{}, err
	}
	t, err := o.version(ctx, r.Tenant, r.Name, r.Version)
	if err != nil {
		return t.Body, config.Account{}, err
	}
	a, err := o.Account(ctx, p, r.Account)
	return t.Body, a.Body, err
}

// changeBindings writes the next version of them.
func (o *Operate) changeBindings(ctx context.Context, p tenant.Principal, r BindingRef, c Change, change func(config.Bindings)) (Versioned[config.Bindings], error) {
	b, head, err := o.bindings(ctx, r)
	if err == nil {
		err = expect(head, head.Version > 0 && !head.Deleted, c)
	}
	if err != nil {
		return b, err
	}
	change(b.Body)
	b.Meta, err = o.save(ctx, p, head, r.Tenant, c.Reason, b.Body)
	return b, err
}

// DeleteBinding unbinds a version from an account. A deleted account's binding can be removed too.
func (o *Operate) DeleteBinding(ctx context.Context, p tenant.Principal, r BindingRef, c Change) error {
	if err := may(p, tenant.Operate); err != nil {
		return err
	}
	if err := c.checkQuery(); err != nil {
		return err
	}
	b, _, err := o.Bindings(ctx, p, r)
	if err != nil {
		return err
	}
	if _, bound := b.Body[r.Account]; !bound {
		return notBound(r)
	}
	_, err = o.changeBindings(ctx, p, r, c, func(all config.Bindings) { delete(all, r.Account) })
	return err
}

func notBound(r BindingRef) error {
	if !tenant.ValidName(r.Account) {
		return notFound(store.Accounts, r.Account)
	}
	return problem.New(problem.NotFound, "version %d of template %s/%s is not bound over account %s", r.Version, r.Tenant, r.Name, r.Account)
}

// CheckBinding asks the vendor for the state of a bound template and keeps it. That the vendor gives none is
// an answer, in detail, not an error.
func (o *Operate) CheckBinding(ctx context.Context, p tenant.Principal, r BindingRef) (b Versioned[config.Bindings], detail string, err error) {
	if err := may(p, tenant.Operate); err != nil {
		return b, "", err
	}
	if b, _, err = o.Bindings(ctx, p, r); err != nil {
		return b, "", err
	}
	asked, bound := b.Body[r.Account]
	if !bound {
		return b, "", notBound(r)
	}
	a, err := o.Account(ctx, p, r.Account)
	if err != nil {
		return b, "", err
	}
	d, _, err := o.Catalog.Get(ctx, a.Body.Provider)
	if err != nil {
		return b, "", unreadable(err)
	}
	if o.Approval == nil || !d.Approvals {
		return b, "provider " + a.Body.Provider + " cannot be asked here; look into its console and put the state yourself", nil
	}
	a.Body.Version = a.Version
	state, note, err := o.Approval(ctx, a.Body, asked.Fields)
	if err != nil {
		detail, err = o.told(ctx, r.Account, err.Error())
		return b, detail, err
	}
	if note, err = o.told(ctx, r.Account, note); err != nil {
		return b, "", err
	}
	asked.State, asked.Note, asked.CheckedAt = state, note, o.now()
	for range 4 {
		c := Change{Version: b.Version, Reason: "checked: " + string(state)}
		b, err = o.changeBindings(ctx, p, r, c, func(all config.Bindings) { all[r.Account] = asked })
		if err == nil || !isConflict(err) {
			return b, "", err
		}
		if b, _, err = o.bindings(ctx, r); err != nil {
			return b, "", err
		}
		if !maps.Equal(b.Body[r.Account].Fields, asked.Fields) {
			break
		}
	}
	return b, "", problem.New(problem.Conflict, "the binding was changed while the provider was asked; check it again")
}
