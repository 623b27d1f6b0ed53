package operate

import (
	"context"
	"net/mail"

	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// maxTenants is how many tenants a person may have.
const maxTenants = 100

// Users lists the people who may sign in, by name.
func (o *Operate) Users(ctx context.Context, p tenant.Principal) ([]Versioned[tenant.User], error) {
	if err := may(p, tenant.Admin); err != nil {
		return nil, err
	}
	return list[tenant.User](ctx, o, p, store.Users)
}

// UserHistory lists a person's versions, the newest first.
func (o *Operate) UserHistory(ctx context.Context, p tenant.Principal, name string) ([]Versioned[tenant.User], error) {
	if err := may(p, tenant.Admin); err != nil {
		return nil, err
	}
	if !tenant.ValidName(name) {
		return nil, notFound(store.Users, name)
	}
	return history[tenant.User](ctx, o, p, store.Users, name)
}

// PutUser lets a person sign in, or changes what he may do. It is in force within the age of the
// configuration, for sessions that are open too.
func (o *Operate) PutUser(ctx context.Context, p tenant.Principal, u tenant.User, c Change) (Versioned[tenant.User], error) {
	none := Versioned[tenant.User]{}
	if err := may(p, tenant.Admin); err != nil {
		return none, err
	}
	var f faults
	c.check(&f)
	f.name(u.Name)
	if a, err := mail.ParseAddress(u.Email); err != nil || a.Address != u.Email {
		f.add("/email", problem.BadValue, "email must be the address alone that the identity provider has, such as li@example.com")
	}
	if !tenant.ValidRole(u.Role) {
		f.add("/role", problem.BadValue, "role must be one of support, developer, operator, admin")
	}
	if len(u.Tenants) > maxTenants {
		f.add("/tenants", problem.TooMany, "a person may have %d tenants", maxTenants)
		u.Tenants = nil
	}
	if u.Role == tenant.RoleDeveloper && len(u.Tenants) == 0 {
		f.add("/tenants", problem.Required, "a developer needs at least one tenant, whose messages he reads and sends")
	}
	for i, name := range u.Tenants {
		if err := o.knownTenant(ctx, &f, index("/tenants", i), name); err != nil {
			return none, err
		}
	}
	if err := f.err(); err != nil {
		return none, err
	}
	others, err := o.Users(ctx, p)
	if err != nil {
		return none, err
	}
	for _, other := range others {
		if other.Body.Name != u.Name && other.Body.Is(u.Email) {
			return none, problem.Invalid(problem.At("/email", problem.BadValue, "user %s has this address already", other.Body.Name))
		}
	}
	head, live, err := o.document(ctx, store.Users, u.Name)
	if err == nil {
		err = expect(head, live, c)
	}
	if err != nil {
		return none, err
	}
	meta, err := o.save(ctx, p, head, "", c.Reason, u)
	return Versioned[tenant.User]{meta, u}, err
}

// DeleteUser ends a person's access.
func (o *Operate) DeleteUser(ctx context.Context, p tenant.Principal, name string, c Change) error {
	if err := may(p, tenant.Admin); err != nil {
		return err
	}
	if !tenant.ValidName(name) {
		return notFound(store.Users, name)
	}
	return o.remove(ctx, p, store.Users, name, c, nil)
}
