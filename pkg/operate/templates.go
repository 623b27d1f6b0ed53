package operate

import (
	"context"
	"errors"
	"regexp"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

var templateName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

func (o *Operate) mayReadTemplates(p tenant.Principal) error {
	return may(p, tenant.Read, tenant.Operate)
}

// Templates lists the heads of the templates that the principal may use: all for an operator, else its
// tenant's own and those that others share. Of narrows it to one tenant's.
func (o *Operate) Templates(ctx context.Context, p tenant.Principal, of string) ([]Versioned[config.Template], error) {
	if err := o.mayReadTemplates(p); err != nil {
		return nil, err
	}
	all, err := list[config.Template](ctx, o, tenant.System("operate"), store.Templates)
	if err != nil {
		return nil, err
	}
	out := all[:0]
	for _, t := range all {
		if (p.Sees(t.Body.Tenant) || t.Body.Shared) && (of == "" || of == t.Body.Tenant) {
			out = append(out, t)
		}
	}
	return out, nil
}

// Template reads a template's head.
func (o *Operate) Template(ctx context.Context, p tenant.Principal, owner, name string) (Versioned[config.Template], error) {
	head, _, err := o.liveTemplate(ctx, p, owner, name)
	return head, err
}

func (o *Operate) liveTemplate(ctx context.Context, p tenant.Principal, owner, name string) (Versioned[config.Template], store.Doc, error) {
	v, d, live, err := o.template(ctx, p, owner, name)
	if err == nil && !live {
		return Versioned[config.Template]{}, d, noTemplate(owner, name)
	}
	return v, d, err
}

// template reads a head, of a deleted template too: its versions stay readable, as messages need them.
func (o *Operate) template(ctx context.Context, p tenant.Principal, owner, name string) (v Versioned[config.Template], d store.Doc, live bool, err error) {
	if err := o.mayReadTemplates(p); err != nil {
		return v, d, false, err
	}
	if !tenant.ValidName(owner) || !templateName.MatchString(name) {
		return v, d, false, noTemplate(owner, name)
	}
	d, live, err = o.document(ctx, store.Templates, owner+"/"+name)
	if err != nil {
		return v, d, live, err
	}
	if d.Version == 0 {
		return v, d, false, noTemplate(owner, name)
	}
	if v, err = decode[config.Template](d); err != nil {
		return v, d, live, err
	}
	if !p.Sees(owner) && (!live || !v.Body.Shared) {
		return Versioned[config.Template]{}, d, false, noTemplate(owner, name)
	}
	return v, d, live, nil
}

func noTemplate(owner, name string) error { return notFound(store.Templates, owner+"/"+name) }

// TemplateHistory lists what was done to a template, the newest first: drafts, publications, sharing.
func (o *Operate) TemplateHistory(ctx context.Context, p tenant.Principal, owner, name string) ([]Versioned[config.Template], error) {
	if _, _, _, err := o.template(ctx, p, owner, name); err != nil {
		return nil, err
	}
	return history[config.Template](ctx, o, tenant.System("operate"), store.Templates, owner+"/"+name)
}

// TemplateVersion reads one version, with what Compile warns of.
func (o *Operate) TemplateVersion(ctx context.Context, p tenant.Principal, owner, name string, version int) (Versioned[template.Template], []string, error) {
	none := Versioned[template.Template]{}
	if _, _, _, err := o.template(ctx, p, owner, name); err != nil {
		return none, nil, err
	}
	v, err := o.version(ctx, owner, name, version)
	if err != nil {
		return none, nil, err
	}
	var warnings []string
	if c, faults := template.Compile(v.Body); len(faults) == 0 {
		warnings = c.Warnings()
	}
	return v, warnings, nil
}

// maxVersion is what a version's name has room for.
const maxVersion = 999_999

// version reads a version, whoever asks.
func (o *Operate) version(ctx context.Context, owner, name string, version int) (Versioned[template.Template], error) {
	none := Versioned[template.Template]{}
	missing := problem.New(problem.NotFound, "template %s/%s has no version %d", owner, name, version)
	if version < 1 || version > maxVersion {
		return none, missing
	}
	d, err := o.Documents.Doc(ctx, store.TemplateVersions, config.VersionName(owner, name, version))
	if errors.Is(err, store.ErrNotFound) {
		return none, missing
	}
	if err != nil {
		return none, unreadable(err)
	}
	return decode[template.Template](d)
}

// MaxPage is how many entries a page may have.
const MaxPage = 100

// TemplateVersions lists versions below before, the newest first, and where the next page begins, 0 at
// the end. Before 0 is all.
func (o *Operate) TemplateVersions(ctx context.Context, p tenant.Principal, owner, name string, limit, before int) ([]Versioned[template.Template], int, error) {
	head, _, _, err := o.template(ctx, p, owner, name)
	if err != nil {
		return nil, 0, err
	}
	n := head.Body.Latest
	if before > 0 {
		n = min(n, before-1)
	}
	var out []Versioned[template.Template]
	for ; n >= 1 && len(out) < limit; n-- {
		v, err := o.version(ctx, owner, name, n)
		if p := problem.From(err); err != nil && p.Code == problem.NotFound {
			continue // a number that a writer gave up
		}
		if err != nil {
			return nil, 0, err
		}
		out = append(out, v)
	}
	if n < 1 {
		return out, 0, nil
	}
	return out, n + 1, nil
}
