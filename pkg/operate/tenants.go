package operate

import (
	"context"
	"regexp"
	"strings"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// The highest bounds of a tenant; 0 is no bound.
const (
	maxPerSecond = 1_000_000
	maxPerDay    = 1_000_000_000
	maxMoney     = 1_000_000_000
)

// localeForm is BCP 47 without extensions and private use, as templates have it.
var localeForm = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?$`)

// Tenants lists the tenants that the principal may know of, by name.
func (o *Operate) Tenants(ctx context.Context, p tenant.Principal) ([]Versioned[tenant.Tenant], error) {
	if err := may(p, tenant.Read, tenant.Operate); err != nil {
		return nil, err
	}
	return list[tenant.Tenant](ctx, o, p, store.Tenants)
}

// Tenant reads one.
func (o *Operate) Tenant(ctx context.Context, p tenant.Principal, name string) (Versioned[tenant.Tenant], error) {
	if err := may(p, tenant.Read, tenant.Operate); err != nil {
		return Versioned[tenant.Tenant]{}, err
	}
	if !tenant.ValidName(name) {
		return Versioned[tenant.Tenant]{}, notFound(store.Tenants, name)
	}
	return get[tenant.Tenant](ctx, o, p, store.Tenants, name)
}

// TenantHistory lists a tenant's versions, the newest first.
func (o *Operate) TenantHistory(ctx context.Context, p tenant.Principal, name string) ([]Versioned[tenant.Tenant], error) {
	if err := may(p, tenant.Read, tenant.Operate); err != nil {
		return nil, err
	}
	if !tenant.ValidName(name) {
		return nil, notFound(store.Tenants, name)
	}
	return history[tenant.Tenant](ctx, o, p, store.Tenants, name)
}

// PutTenant makes or changes a tenant. The owner's phone and mail are kept in their normal form.
func (o *Operate) PutTenant(ctx context.Context, p tenant.Principal, t tenant.Tenant, c Change) (Versioned[tenant.Tenant], error) {
	out := Versioned[tenant.Tenant]{}
	if err := may(p, tenant.Admin); err != nil {
		return out, err
	}
	var f faults
	c.check(&f)
	o.checkTenant(&f, &t)
	if err := f.err(); err != nil {
		return out, err
	}
	head, live, err := o.document(ctx, store.Tenants, t.Name)
	if err == nil {
		err = expect(head, live, c)
	}
	if err != nil {
		return out, err
	}
	out.Body = t
	out.Meta, err = o.save(ctx, p, head, t.Name, c.Reason, t)
	return out, err
}

func (o *Operate) checkTenant(f *faults, t *tenant.Tenant) {
	f.name(t.Name)
	f.text("/title", "title", t.Title, maxTitle, false)
	f.text("/owner/name", "owner.name, a person to call,", t.Owner.Name, maxTitle, true)
	f.text("/owner/group", "owner.group", t.Owner.Group, maxTitle, false)
	f.region("/region", t.Region)
	if t.Owner.Phone == "" && t.Owner.Email == "" {
		f.add("/owner", problem.Required, "the owner needs a phone or an email: somebody will ask whose messages these are")
	}
	if t.Owner.Phone != "" {
		t.Owner.Phone = o.contact(f, "/owner/phone", message.Phone, t.Owner.Phone, t.Region)
	}
	if t.Owner.Email != "" {
		t.Owner.Email = o.contact(f, "/owner/email", message.Mail, t.Owner.Email, "")
	}
	if t.Locale != "" && !localeForm.MatchString(t.Locale) {
		f.add("/locale", problem.BadValue, "locale is written as in BCP 47: zh, en, zh-Hant, pt-BR")
	}
	f.number("/per_second", "per_second", t.PerSecond, 0, maxPerSecond)
	f.number("/per_day", "per_day", t.PerDay, 0, maxPerDay)
	f.money("per_month", t.PerMonth, t.Currency, maxMoney)
	f.number("/approve_over", "approve_over", t.ApproveOver, 0, maxPerDay)
}

func (o *Operate) contact(f *faults, pointer string, kind message.AddressKind, raw, region string) string {
	if !isRegion(region) {
		region = ""
	}
	n, err := o.Addresses.Normalise(kind, raw, region)
	if err != nil {
		f.add(pointer, problem.BadAddress, "%s", err)
		return raw
	}
	return string(n.Send)
}

// DeleteTenant deletes a tenant that no key works for any more. Its messages stay.
func (o *Operate) DeleteTenant(ctx context.Context, p tenant.Principal, name string, c Change) error {
	if err := may(p, tenant.Admin); err != nil {
		return err
	}
	if !tenant.ValidName(name) {
		return notFound(store.Tenants, name)
	}
	return o.remove(ctx, p, store.Tenants, name, c, func() error {
		keys, err := list[tenant.Key](ctx, o, p, store.APIKeys)
		if err != nil {
			return err
		}
		var working []string
		for _, k := range keys {
			if k.Body.Tenant == name && !k.Body.Revoked && (k.Body.Expires == 0 || o.now() < k.Body.Expires) {
				working = append(working, k.Body.ID)
			}
		}
		if len(working) > 0 {
			return problem.New(problem.NotAllowedNow, "tenant %s still has keys that work: %s; revoke them first", name, some(working))
		}
		return nil
	})
}

// knownTenant finds a fault in a tenant's name that a request names; "" is none.
func (o *Operate) knownTenant(ctx context.Context, f *faults, pointer, name string) error {
	if name == "" {
		return nil
	}
	if tenant.ValidName(name) {
		if _, live, err := o.document(ctx, store.Tenants, name); err != nil || live {
			return err
		}
	}
	f.add(pointer, problem.UnknownTenant, "there is no such tenant; see GET /v1/tenants")
	return nil
}

// some lists the first few names.
func some(names []string) string {
	const few = 5
	if len(names) > few {
		return strings.Join(names[:few], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}
