package campaign_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// The lists of a run show recipients in full to the system that named them and to who may reveal them; to others
// they are masked, and what could not be read as a recipient is shown to who may change what the tenant has.
func TestWhoSeesRecipients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.create(hello(w.upload(list(1) + "1380013,X\n")))
	w.work(3 * time.Second)
	w.send(r.ID)
	w.work(3 * time.Second)
	w.deliver(r.ID, func(*store.Record) message.Outcome { return message.Permanent })
	w.work(time.Minute)
	person := func(role tenant.Role, reveal bool) tenant.Principal {
		return tenant.Person(tenant.User{Name: "li", Role: role, Tenants: []string{"shop"}, Reveal: reveal})
	}
	revealed, noted := map[string]bool{}, map[string]bool{}
	for who, c := range map[string]struct {
		p         tenant.Principal
		full, bad bool
	}{
		"its system":                      {intaketest.Principal("shop", true, tenant.Send, tenant.Read), true, true},
		"who reads for it":                {intaketest.Principal("shop", true, tenant.Read), false, false},
		"who reads for it and reveals":    {intaketest.Principal("shop", true, tenant.Read, tenant.Reveal), true, true},
		"another's, who supports":         {intaketest.Principal("bank", true, tenant.Send, tenant.Read, tenant.Support), false, false},
		"an operator's key":               {intaketest.Principal("ops", true, tenant.Operate), false, true},
		"an admin's key":                  {intaketest.Principal("ops", true, tenant.Admin), true, true},
		"a supporter":                     {person(tenant.RoleSupport, false), false, false},
		"a supporter who may reveal":      {person(tenant.RoleSupport, true), true, true},
		"a developer":                     {person(tenant.RoleDeveloper, false), false, true},
		"an operator":                     {person(tenant.RoleOperator, false), false, true},
		"an operator who may reveal":      {person(tenant.RoleOperator, true), true, true},
		"an admin, who may reveal anyway": {person(tenant.RoleAdmin, false), true, true},
	} {
		found, _, err := w.failed(c.p, r.ID, 10, "")
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %+v, %v", who, found, err)
		}
		if to := found[0].To; (to == "+8613800000000") != c.full || !c.full && !strings.Contains(to, "*") {
			t.Errorf("%s got %q", who, to)
		}
		if c.full && who != "its system" {
			revealed[c.p.Name] = true
		}
		_, rows, _, err := w.camp.BadRows(t.Context(), c.p, r.ID, "")
		if err != nil || len(rows) != 1 || len(rows[0].Faults) == 0 {
			t.Fatalf("%s: %+v, %v", who, rows, err)
		}
		if got := fmt.Sprint(rows[0].Cells, rows[0].Line); strings.Contains(got, "1380013") != c.bad {
			t.Errorf("%s got %s", who, got)
		}
	}
	lines, _, err := w.Store.Audit(t.Context(), system, store.Day(w.Time()), "", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range lines {
		if a.Deed != nil && a.Deed.What == "revealed" && a.Deed.Object == r.ID {
			noted[a.Deed.By] = true
		}
	}
	if d := cmp.Diff(revealed, noted); d != "" {
		t.Error("who took the recipients in full, and who did by the audit:", d)
	}
}
