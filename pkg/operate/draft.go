package operate

import (
	"context"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

// PutTemplate keeps a new version of a template, and the template if it is new. Nothing is sent with it
// before it is published. The change's version is the newest one that the caller read. It answers with
// the head and with what is allowed but probably not meant.
//
// The version and its bindings are written before the head that names it. What a crash leaves in between is
// a number that is taken; the next draft takes the one after it.
func (o *Operate) PutTemplate(ctx context.Context, p tenant.Principal, t template.Template, c Change) (Versioned[config.Template], []string, error) {
	none := Versioned[config.Template]{}
	if err := may(p, tenant.Operate); err != nil {
		return none, nil, err
	}
	warnings, err := o.checkTemplate(ctx, &t, c)
	if err != nil {
		return none, nil, err
	}
	name := t.Tenant + "/" + t.Name
	head, body, err := o.newest(ctx, name, c)
	if err != nil {
		return none, nil, err
	}
	if t.Version, err = o.keepVersion(ctx, p, t, body.Latest+1, c.Reason); err != nil {
		return none, nil, err
	}
	left, err := o.takeOver(ctx, p, body.Latest, t)
	if err != nil {
		return none, nil, err
	}
	warnings = append(warnings, left...)
	for range 4 {
		body.Name, body.Tenant, body.Latest = t.Name, t.Tenant, t.Version
		if body.Published == 0 {
			body.Class = t.Class
		}
		meta, err := o.save(ctx, p, head, t.Tenant, c.Reason, body)
		if err == nil {
			return Versioned[config.Template]{meta, body}, warnings, nil
		}
		if !isConflict(err) {
			return none, nil, err
		}
		// Somebody published or shared it meanwhile, which is none of a draft's business; or wrote another draft.
		if head, body, err = o.newest(ctx, name, c); err != nil {
			return none, nil, err
		}
	}
	return none, nil, problem.New(problem.Conflict, "template %s is being changed by somebody else; try again", name)
}

// checkTemplate finds everything that is wrong with a draft.
func (o *Operate) checkTemplate(ctx context.Context, t *template.Template, c Change) ([]string, error) {
	t.Version, t.Shared = 0, false // whether it is shared is the head's to say
	var f faults
	c.check(&f)
	if !templateName.MatchString(t.Name) {
		f.add("path:name", problem.BadValue, "a template's name has 1 to 64 lower-case letters, digits, - and _, such as order-shipped")
	}
	if err := o.knownTenant(ctx, &f, "path:tenant", t.Tenant); err != nil {
		return nil, err
	}
	unknown, err := o.kinds(ctx, t)
	if err != nil {
		return nil, err
	}
	compiled, wrong := template.Compile(*t)
	for _, w := range append(unknown, wrong...) {
		if w.Pointer != "/name" {
			f.add(w.Pointer, w.Code, "%s", w.Detail)
		}
	}
	for _, w := range template.WaysOut(*t) {
		f.add(w.Pointer, w.Code, "%s", w.Detail)
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	return compiled.Warnings(), nil
}

// kinds keeps with each variant for a recipe's channel what that holds, and reports channels that there are not.
func (o *Operate) kinds(ctx context.Context, t *template.Template) ([]problem.Field, error) {
	var unknown []problem.Field
	t.Variants = slices.Clone(t.Variants)
	for i := range t.Variants {
		v := &t.Variants[i]
		ch, known, err := o.Catalog.Channel(ctx, v.Channel)
		if err != nil {
			return nil, unreadable(err)
		}
		if v.Kind = ""; known && ch.Own() {
			v.Kind = ch.Content
		}
		if !known && tenant.ValidName(string(v.Channel)) { // the template itself says what is no name
			unknown = append(unknown, problem.At(index("/variants", i)+"/channel", problem.UnknownChannel, noChannel))
		}
	}
	return unknown, nil
}

// newest reads a head for a change that names the newest version the caller read. A deleted template
// goes on counting: its versions are still there.
func (o *Operate) newest(ctx context.Context, name string, c Change) (store.Doc, config.Template, error) {
	var body config.Template
	head, live, err := o.document(ctx, store.Templates, name)
	if err != nil {
		return head, body, err
	}
	if head.Version > 0 {
		if err := json.Unmarshal(head.Body, &body); err != nil {
			return head, body, unreadable(err)
		}
	}
	compared := head
	compared.Version = int64(body.Latest)
	if err := expect(compared, live, c); err != nil {
		return head, body, err
	}
	if !live {
		body.Published, body.Shared = 0, false
	}
	return head, body, nil
}

// keepVersion writes the version under the first free number from n on.
func (o *Operate) keepVersion(ctx context.Context, p tenant.Principal, t template.Template, n int, reason string) (int, error) {
	for last := n + 50; n <= min(last, maxVersion); n++ {
		t.Version = n
		d := store.Doc{Kind: store.TemplateVersions, Name: config.VersionName(t.Tenant, t.Name, n)}
		_, err := o.save(ctx, p, d, t.Tenant, reason, t)
		if err == nil || !isConflict(err) {
			return n, err
		}
	}
	return 0, problem.New(problem.Conflict, "no number is free for a version of template %s; it may be changed by many at once: try again", t.Name)
}

// Publish puts a version in force: a new one, or an older one again. The class of what is sent is that
// version's. It answers with a warning for each account over which the version cannot go, or may be refused.
func (o *Operate) Publish(ctx context.Context, p tenant.Principal, owner, name string, version int, note string) (Versioned[config.Template], []string, error) {
	head, err := o.publish(ctx, p, owner, name, version, note)
	if err != nil {
		return head, nil, err
	}
	_, lacking, err := o.Bindings(ctx, p, BindingRef{Tenant: owner, Name: name, Version: version})
	if err != nil {
		o.Log.WarnContext(ctx, "bindings of a published version not read", "template", owner+"/"+name, "error", err)
	}
	var warnings []string
	for _, u := range lacking {
		warnings = append(warnings, u.String())
	}
	return head, warnings, nil
}

func (o *Operate) publish(ctx context.Context, p tenant.Principal, owner, name string, version int, note string) (Versioned[config.Template], error) {
	return o.changeTemplate(ctx, p, owner, name, note, func(t *config.Template) error {
		v, err := o.version(ctx, owner, name, version)
		if pr := problem.From(err); version > t.Latest || err != nil && pr.Code == problem.NotFound {
			return problem.Invalid(problem.At("/version", problem.BadValue, "template %s/%s has no version %d; it has 1 to %d", owner, name, version, t.Latest))
		}
		if err != nil {
			return err
		}
		if _, faults := template.Compile(v.Body); len(faults) > 0 {
			return problem.Invalid(problem.At("/version", problem.BadValue, "version %d does not compile any more: %s: %s", version, faults[0].Pointer, faults[0].Detail))
		}
		if out := template.WaysOut(v.Body); len(out) > 0 { // kept before that was asked for
			return problem.Invalid(problem.At("/version", problem.BadValue, "version %d cannot be published: at %s, %s. Push it as a new version", version, out[0].Pointer, out[0].Detail))
		}
		if err := o.reviewed(ctx, p, *t, v); err != nil {
			return err
		}
		t.Published, t.Class = version, v.Body.Class
		return nil
	})
}

// reviewed refuses to publish a version whose author asks for it himself, where its tenant wants a second
// person. What was published before may be restored by anybody: that is for when something went wrong.
func (o *Operate) reviewed(ctx context.Context, p tenant.Principal, t config.Template, v Versioned[template.Template]) error {
	sms := slices.ContainsFunc(v.Body.Variants, func(x template.Variant) bool { return x.Channel == message.SMS })
	if v.Author != p.Name || !sms && v.Body.Class != message.Marketing {
		return nil
	}
	d, live, err := o.document(ctx, store.Tenants, t.Tenant)
	if err != nil || !live {
		return err
	}
	owner, err := decode[tenant.Tenant](d)
	if err != nil || !owner.Body.ReviewTemplates {
		return err
	}
	before, err := history[config.Template](ctx, o, tenant.System("operate"), store.Templates, t.Tenant+"/"+t.Name)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(before, func(h Versioned[config.Template]) bool { return h.Body.Published == v.Body.Version }) {
		return nil
	}
	return problem.New(problem.NotAllowedNow, "version %d is by %s, and this tenant wants a second person for sms and marketing: somebody else publishes it", v.Body.Version, v.Author)
}

// Share lets other tenants send with a template, or no longer.
func (o *Operate) Share(ctx context.Context, p tenant.Principal, owner, name string, shared bool, reason string) (Versioned[config.Template], error) {
	return o.changeTemplate(ctx, p, owner, name, reason, func(t *config.Template) error {
		t.Shared = shared
		return nil
	})
}

// changeTemplate changes a head, again on what somebody else made of it. A change that changes nothing
// is not written.
func (o *Operate) changeTemplate(ctx context.Context, p tenant.Principal, owner, name, reason string, change func(*config.Template) error) (Versioned[config.Template], error) {
	none := Versioned[config.Template]{}
	if err := may(p, tenant.Operate); err != nil {
		return none, err
	}
	var f faults
	f.text("/reason", "reason", reason, MaxReason, false)
	if err := f.err(); err != nil {
		return none, err
	}
	for range 4 {
		v, head, err := o.liveTemplate(ctx, p, owner, name)
		if err != nil {
			return none, err
		}
		was := v.Body
		if err := change(&v.Body); err != nil || v.Body == was {
			return v, err
		}
		v.Meta, err = o.save(ctx, p, head, owner, reason, v.Body)
		if err == nil || !isConflict(err) {
			return v, err
		}
	}
	return none, problem.New(problem.Conflict, "template %s/%s is being changed by somebody else; try again", owner, name)
}

// DeleteTemplate deletes a template's head: nothing new is sent with it. Its versions stay, because
// messages show their text from them.
func (o *Operate) DeleteTemplate(ctx context.Context, p tenant.Principal, owner, name string, c Change) error {
	if err := may(p, tenant.Operate); err != nil {
		return err
	}
	if err := c.checkQuery(); err != nil {
		return err
	}
	v, head, err := o.liveTemplate(ctx, p, owner, name)
	if err != nil {
		return err
	}
	newest := head
	newest.Version = int64(v.Body.Latest)
	if err := expect(newest, true, c); err != nil {
		return err
	}
	_, err = o.bury(ctx, p, head, c.Reason)
	return err
}
