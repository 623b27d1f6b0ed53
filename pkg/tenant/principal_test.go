package tenant_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/tenant"
)

// may is who may do what, and who may know of whose things: x is yes.
const may = `
            send read oper admn | own other none
zero        .    .    .    .    | .   .     .
no scope    .    .    .    .    | x   .     .
send        x    .    .    .    | x   .     .
read        .    x    .    .    | x   .     .
send+read   x    x    .    .    | x   .     .
operate     .    .    x    .    | x   x     x
admin       x    x    x    x    | x   x     x
unknown     .    .    .    .    | x   .     .
no tenant   x    .    .    .    | .   .     .
system      x    x    x    x    | x   x     x
`

func TestPrincipals(t *testing.T) {
	t.Parallel()
	of := func(scopes ...tenant.Scope) tenant.Principal {
		return tenant.Of(tenant.Key{ID: "k1", Tenant: "shop", Scopes: scopes})
	}
	var b strings.Builder
	b.WriteString("\n            send read oper admn | own other none\n")
	for _, row := range []struct {
		name string
		p    tenant.Principal
	}{
		{"zero", tenant.Principal{}}, {"no scope", of()}, {"send", of(tenant.Send)}, {"read", of(tenant.Read)}, {"send+read", of(tenant.Send, tenant.Read)},
		{"operate", of(tenant.Operate)}, {"admin", of(tenant.Admin)}, {"unknown", of("superuser", "")},
		{"no tenant", tenant.Of(tenant.Key{Scopes: []tenant.Scope{tenant.Send}})}, {"system", tenant.System("sweep")},
	} {
		yes := func(ok bool) string {
			if ok {
				return "x"
			}
			return "."
		}
		fmt.Fprintf(&b, "%-12s%-5s%-5s%-5s%-5s| %-4s%-6s%s\n", row.name, yes(row.p.May(tenant.Send)), yes(row.p.May(tenant.Read)), yes(row.p.May(tenant.Operate)),
			yes(row.p.May(tenant.Admin)), yes(row.p.Sees("shop")), yes(row.p.Sees("bank")), yes(row.p.Sees("")))
		if row.p.IsSystem() != (row.name == "system") {
			t.Errorf("%s: system %v", row.name, row.p.IsSystem())
		}
	}
	if d := cmp.Diff(may, b.String()); d != "" {
		t.Error(d)
	}
}

func TestPrincipalIsOfItsKey(t *testing.T) {
	t.Parallel()
	p := tenant.Of(tenant.Key{ID: "k1", Tenant: "shop", Live: true, Scopes: []tenant.Scope{tenant.Send}})
	if p.Tenant != "shop" || p.KeyID != "k1" || p.Name != "key:k1" || !p.Live {
		t.Errorf("%+v", p)
	}
	if s := tenant.System("sweep"); s.Name != "sweep" || s.Tenant != "" || !s.Live {
		t.Errorf("%+v", s)
	}
}

// By hand is what people do, and keys that may operate; a tenant's own system and workers do theirs.
func TestByHand(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		p    tenant.Principal
		want bool
	}{
		"nobody": {tenant.Principal{}, false}, "worker": {tenant.System("sweep"), false},
		"sending key":   {tenant.Of(tenant.Key{Tenant: "shop", Scopes: []tenant.Scope{tenant.Send, tenant.Read}}), false},
		"operating key": {tenant.Of(tenant.Key{Tenant: "shop", Scopes: []tenant.Scope{tenant.Send, tenant.Operate}}), true},
		"admin key":     {tenant.Of(tenant.Key{Scopes: []tenant.Scope{tenant.Admin}}), true},
		"developer":     {tenant.Person(tenant.User{Name: "li", Role: tenant.RoleDeveloper, Tenants: []string{"shop"}}), true},
	} {
		if got := c.p.ByHand(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{"a": true, "shop-2": true, "a-": true, "": false, "2shop": false, "-a": false, "Shop": false, "shop_2": false, "shop 2": false,
		"shop\n": false, "büro": false, "a/b": false, strings.Repeat("a", 32): true, strings.Repeat("a", 33): false} {
		if got := tenant.ValidName(s); got != want {
			t.Errorf("ValidName(%q) = %v", s, got)
		}
	}
	for s, want := range map[tenant.Scope]bool{tenant.Send: true, tenant.Read: true, tenant.Operate: true, tenant.Admin: true, "": false, "Send": false, "root": false} {
		if got := tenant.ValidScope(s); got != want {
			t.Errorf("ValidScope(%q) = %v", s, got)
		}
	}
}
