package intake_test

import (
	"testing"

	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/tenant"
)

func TestIsolation(t *testing.T) {
	t.Parallel()
	of := intaketest.Principal
	for name, c := range map[string]struct {
		p            tenant.Principal
		sends, steer bool // for the tenant shop
	}{
		"own":             {intaketest.Shop, true, true},
		"own, read only":  {of("shop", true, tenant.Read), false, false},
		"own test key":    {intaketest.ShopTest, true, true},
		"another":         {intaketest.Bank, false, false},
		"operator":        {intaketest.Operator, true, true},
		"operates only":   {of("ops", true, tenant.Operate), false, true},
		"admin of none":   {intaketest.Root, true, true},
		"sender of none":  {of("", true, tenant.Send), false, false},
		"zero":            {tenant.Principal{}, false, false},
		"another's admin": {of("bank", true, tenant.Admin), true, true},
		"support":         {of("bank", true, tenant.Send, tenant.Read, tenant.Support), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := intaketest.New(t)
			first := send(t, w.Intake, intaketest.Shop, hello(anna, keyed("k")))
			list := send(t, w.Intake, intaketest.Shop, hello("", keyed("g"), func(r *intake.Request) { r.To = intake.To{List: []string{anna, berta}}; r.Vars["name"] = "list" }))
			id := first.Verdicts[0].Record.ID
			commits := w.DB.Stats().Commits
			may := func(method string, want bool, err error) {
				t.Helper()
				if p := problem.From(err); err != nil && p.Status() != 404 && p.Status() != 403 && p.Status() != 422 || (err == nil) != want {
					t.Errorf("%s: %v", method, err)
				}
			}
			inShop := func(r *intake.Request) { r.Tenant = "shop" }
			a, err := w.Intake.Send(t.Context(), c.p, hello(anna, keyed("k"), inShop))
			may("send", c.sends, err)
			if err == nil && c.p.Live && a.Verdicts[0].Record.ID != id {
				t.Error("the key does not find the message")
			}
			x, err := w.Intake.Explain(t.Context(), c.p, hello(anna, inShop))
			may("explain", c.sends || name == "own, read only", err)
			if err == nil && c.p.Live && (x[0].Duplicate == nil || x[0].Duplicate.ID != id) {
				t.Error("explain does not see the duplicate")
			}
			_, err = w.Intake.Batch(t.Context(), c.p, "k", []byte("h"), []*intake.Request{hello(anna, inShop)})
			if !c.sends && w.DB.Stats().Commits != commits {
				t.Errorf("batch wrote: %v", err)
			}
			_, err = w.Intake.Resend(t.Context(), c.p, id, &intake.Request{})
			may("resend", c.sends, err)
			_, err = w.Intake.Stop(t.Context(), c.p, intake.StopFilter{Group: list.Group.ID}, true, "")
			may("stop a group", c.steer, err)
			n, err := w.Intake.Stop(t.Context(), c.p, intake.StopFilter{Tenant: "shop"}, true, "")
			may("stop", c.steer, err)
			if !c.steer && n.Matched > 0 {
				t.Errorf("%d were counted", n.Matched)
			}
			_, err = w.Intake.Cancel(t.Context(), c.p, id, "")
			may("cancel", c.steer, err)
			if !c.sends && !c.steer && w.DB.Stats().Commits != commits {
				t.Error("something was written")
			}
		})
	}
}

// A tenant's own template filter cannot reach another's messages, nor its key another's by name.
func TestStopNarrows(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	send(t, w.Intake, intaketest.Shop, hello(anna))
	send(t, w.Intake, intaketest.Bank, hello(anna, func(r *intake.Request) { r.Template = "notice" }))
	n, err := w.Intake.Stop(t.Context(), intaketest.Bank, intake.StopFilter{Template: "shop/hello"}, false, "")
	if err != nil || n != (intake.Stopped{}) {
		t.Errorf("%+v, %v", n, err)
	}
	_, err = w.Intake.Stop(t.Context(), intaketest.Root, intake.StopFilter{}, false, "")
	refused(t, err, "", problem.Required)
}

// Who is told that an address is suppressed for everybody is not told by whose message.
func TestWhoseSuppression(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	by := string(send(t, w.Intake, intaketest.Bank, hello(anna, func(r *intake.Request) { r.Template = "notice" })).Verdicts[0].Record.ID)
	for name, c := range map[string]struct {
		of   string
		p    tenant.Principal
		told bool
	}{
		"its own":        {"shop", intaketest.Shop, true},
		"everybody's":    {"", intaketest.Shop, false},
		"to an operator": {"", intaketest.Operator, true},
	} {
		e := suppress.Entry{Tenant: c.of, Reason: suppress.Bounce, Source: by, Note: "account a 550", Masked: "x", At: w.Time()}
		to := number(len(name))
		if err := w.Store.PutSuppression(t.Context(), tenant.System("test"), w.Time(), message.Phone, to, e); err != nil {
			t.Fatal(err)
		}
		x, err := w.Intake.Explain(t.Context(), c.p, hello(to, func(r *intake.Request) { r.Tenant = "shop" }))
		if err != nil || x[0].Stopped == nil || x[0].Stopped.Reason != suppress.Bounce || (x[0].Stopped.Source == by) != c.told || (x[0].Stopped.Note != "") != c.told {
			t.Errorf("%s: %+v, %v", name, x, err)
		}
	}
}
