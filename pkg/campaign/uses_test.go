package campaign_test

import (
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/campaign"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Which schedules and runs send with a template, and the end of those that do.
func TestUses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.schedule(daily(), rows())
	waits := w.create(hello(w.upload(list(3))))
	o := hello(w.upload(list(3)))
	o.Template, o.Send = "promo", true
	other := w.create(o)
	w.work(3 * time.Second)
	run, err := w.camp.RunSchedule(t.Context(), shop, "shop", "bills", "", "")
	if err != nil {
		t.Fatal(err)
	}
	uses := func(p tenant.Principal, name string, version, schedules, runs int) campaign.Uses {
		t.Helper()
		u, err := w.camp.Uses(t.Context(), p, "shop", name, version)
		if err != nil || len(u.Schedules) != schedules || len(u.Runs) != runs {
			t.Errorf("%s v%d: %d schedules, %d runs, %v", name, version, len(u.Schedules), len(u.Runs), err)
		}
		return u
	}
	uses(shop, "hello", 0, 1, 2)
	uses(shop, "hello", 1, 1, 2)
	uses(shop, "hello", 2, 0, 0)
	uses(shop, "promo", 1, 0, 1)
	uses(intaketest.Principal("shop", true, tenant.Read), "hello", 1, 1, 2)
	for name, do := range map[string]func(p tenant.Principal) error{
		"uses": func(p tenant.Principal) error {
			_, err := w.camp.Uses(t.Context(), p, "shop", "hello", 0)
			return err
		},
		"stop": func(p tenant.Principal) error {
			_, err := w.camp.StopUses(t.Context(), p, "shop", "hello", 1, false, "")
			return err
		},
	} {
		if err := do(intaketest.Principal("bank", true, tenant.Send, tenant.Read)); problem.From(err).Code != problem.NotFound {
			t.Errorf("%s by another tenant: %v", name, err)
		}
		if err := do(intaketest.Principal("shop", true)); problem.From(err).Code != problem.Forbidden {
			t.Errorf("%s without a scope: %v", name, err)
		}
	}
	who := intaketest.Principal("shop", true, tenant.Send)
	if _, err := w.camp.StopUses(t.Context(), who, "shop", "hello", 0, false, ""); problem.From(err).Fields == nil {
		t.Error("no version:", err)
	}
	if u, err := w.camp.StopUses(t.Context(), who, "shop", "hello", 1, true, "wrong price"); err != nil || len(u.Runs) != 2 || w.run(waits.ID).State != "waiting" {
		t.Error("a dry run:", u, err)
	}
	if u, err := w.camp.StopUses(t.Context(), who, "shop", "hello", 1, false, "wrong price"); err != nil || len(u.Runs) != 2 || u.Runs[0].State != "stopping" {
		t.Error(u, err)
	}
	w.work(time.Minute)
	for _, id := range []string{waits.ID, run.ID} {
		if r := w.run(id); r.State != "stopped" || r.Steps[0].Why != "wrong price" || w.queued(id) != 0 {
			t.Error(id, r.State, r.Steps)
		}
	}
	uses(shop, "hello", 0, 1, 0)
	if r := w.run(other.ID); r.State == "stopped" || r.Counts["made"] != 3 {
		t.Error("of another template:", r.State, r.Counts)
	}
}

// A run that cannot be read hides no other, and keeps nobody from stopping them.
func TestUnreadableRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := w.create(hello(w.upload(list(3))))
	bad := store.Job{ID: "run_" + w.NewULID(w.Time()), Kind: campaign.KindRun, Tenant: "shop", Spec: []byte(`{"template":["hello"]}`), State: store.JobRunning, Created: w.Time()}
	if _, _, err := w.Store.AddJob(t.Context(), system, w.Time(), bad); err != nil {
		t.Fatal(err)
	}
	for of, p := range map[string]tenant.Principal{"shop": shop, "": intaketest.Principal("shop", true, tenant.Read)} {
		runs, _, err := w.camp.Runs(t.Context(), p, of, "", 10, "")
		if err != nil || len(runs) != 1 || runs[0].ID != good.ID {
			t.Errorf("of %q: %d runs, %v", of, len(runs), err)
		}
	}
	if _, _, err := w.camp.Runs(t.Context(), shop, "bank", "", 10, ""); err == nil || problem.From(err).Fields[0].Pointer != "query:tenant" {
		t.Error("of another tenant:", err)
	}
	if u, err := w.camp.StopUses(t.Context(), shop, "shop", "hello", 1, false, "wrong"); err != nil || len(u.Runs) != 1 {
		t.Errorf("%d stopped: %v", len(u.Runs), err)
	}
}
