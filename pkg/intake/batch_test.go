package intake_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
)

func TestBatch(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	reqs := func() []*intake.Request {
		return []*intake.Request{hello(anna), hello("nobody"), hello(berta, func(r *intake.Request) { r.SendAt = w.Now().Add(time.Minute) }), hello(anna), hello("", to(anna))}
	}
	first, second := reqs(), reqs()
	second[2] = first[2]
	send1, err := w.Intake.Batch(t.Context(), intaketest.Shop, "k", []byte("h"), first)
	if err != nil || send1.Replay {
		t.Fatal(err)
	}
	refused(t, send1.Problems[1], "/messages/1/to", problem.BadAddress)
	refused(t, send1.Problems[4], "/messages/4/to", problem.BadValue)
	if v := send1.Verdicts; !v[0].New || v[1] != nil || !v[2].New || !v[3].Duplicate || v[3].Record.ID != v[0].Record.ID || v[4] != nil {
		t.Errorf("%+v", v)
	}
	n, err := w.Intake.Stop(t.Context(), intaketest.Shop, intake.StopFilter{Group: send1.Group.ID}, true, "")
	if err != nil || n.Matched != 2 {
		t.Errorf("stop counts %+v, %v", n, err)
	}
	w.Advance(time.Hour) // the third's time has passed; the second would be fine now
	second[1] = hello("+8613800138005")
	send2, err := w.Intake.Batch(t.Context(), intaketest.Shop, "k", []byte("h"), second)
	if err != nil || !send2.Replay || send2.Group.ID != send1.Group.ID {
		t.Fatalf("%+v, %v", send2, err)
	}
	for i, v := range send1.Verdicts {
		if (v == nil) != (send2.Verdicts[i] == nil) || v != nil && (v.Record.ID != send2.Verdicts[i].Record.ID || send2.Problems[i] != nil) || v == nil && send2.Problems[i] == nil {
			t.Errorf("%d: %+v, then %+v and %v", i, v, send2.Verdicts[i], send2.Problems[i])
		}
	}
	_, err = w.Intake.Batch(t.Context(), intaketest.Shop, "k", []byte("another"), reqs())
	refused(t, err, "", problem.KeyReused)

	// Nothing was accepted: the key is free.
	bad := []*intake.Request{hello("x"), hello("y")}
	if a, err := w.Intake.Batch(t.Context(), intaketest.Shop, "free", []byte("h"), bad); err != nil || a.Group != nil || a.Problems[0] == nil || a.Problems[1] == nil {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err := w.Intake.Batch(t.Context(), intaketest.Shop, "free", []byte("h2"), []*intake.Request{hello("+8613800138007")}); err != nil || !a.Verdicts[0].New {
		t.Errorf("%v", err)
	}
	// All of it would be refused now; it was accepted then.
	at := func(r *intake.Request) { r.SendAt = w.Now().Add(time.Second) }
	late := []*intake.Request{hello("+8613800138008", at)}
	a1, err1 := w.Intake.Batch(t.Context(), intaketest.Shop, "late", []byte("h"), late)
	w.Advance(time.Hour)
	a2, err2 := w.Intake.Batch(t.Context(), intaketest.Shop, "late", []byte("h"), late)
	if err := errors.Join(err1, err2); err != nil || !a2.Replay || a2.Verdicts[0].Record.ID != a1.Verdicts[0].Record.ID {
		t.Errorf("%+v, %v", a2, err)
	}
}

func TestBatchBounds(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	many := make([]*intake.Request, intake.MaxBatch)
	for i := range many {
		many[i] = hello(fmt.Sprintf("+861380013%04d", i))
	}
	before := w.DB.Stats().Commits
	a, err := w.Intake.Batch(t.Context(), intaketest.Shop, "k", []byte("h"), many)
	if err != nil || slices.ContainsFunc(a.Verdicts, func(v *store.Verdict) bool { return v == nil || !v.New }) {
		t.Fatal(err)
	}
	if n := w.DB.Stats().Commits - before; n > 4 { // the data keys, the group, the messages
		t.Errorf("%d commits", n)
	}
	_, err = w.Intake.Batch(t.Context(), intaketest.Shop, "", nil, append(many, hello(anna)))
	refused(t, err, "/messages", problem.TooMany)
	_, err = w.Intake.Batch(t.Context(), intaketest.Shop, "", nil, nil)
	refused(t, err, "/messages", problem.Required)

	inBank := hello("+8613800138001", func(r *intake.Request) { r.Tenant, r.Template = "bank", "notice" })
	a, err = w.Intake.Batch(t.Context(), intaketest.Root, "", nil, []*intake.Request{hello(anna, func(r *intake.Request) { r.Tenant = "shop" }), inBank})
	if err != nil {
		t.Fatal(err)
	}
	refused(t, a.Problems[1], "/messages/1/tenant", problem.BadValue)
	g, err := w.Store.Group(t.Context(), intaketest.Shop, a.Group.ID)
	if err != nil || g.Tenant != "shop" || g.IDs[1] != "" {
		t.Errorf("%+v, %v", g, err)
	}
	a, err = w.Intake.Batch(t.Context(), intaketest.Operator, "", nil, []*intake.Request{inBank, inBank})
	if err != nil || a.Problems[0] != nil || !a.Verdicts[1].Duplicate {
		t.Errorf("an operator's batch for another tenant: %+v, %v", a, err)
	}
}

// A batch that is cut off, and refused by its tenant's budget when it is asked again, is not answered with what there is
// of it: the rest would look refused for good.
func TestBatchCutOffOverBudget(t *testing.T) {
	t.Parallel()
	for cut := 0; ; cut++ {
		w := intaketest.New(t)
		limited(w, 0, 2)
		ask := func(in *intake.Intake) (*intake.BatchAnswer, error) {
			return in.Batch(t.Context(), intaketest.Shop, "k", []byte("same"), []*intake.Request{hello(anna), hello(berta), hello("nobody")})
		}
		_, err := ask(w.Over(w.Open(&dying{Driver: w.DB, left: cut}), w.Queue))
		whole := err == nil
		a, err := ask(w.Intake)
		switch {
		case err != nil && problem.From(err).Code != problem.DailyLimit:
			t.Errorf("cut off at write %d: %v", cut, err)
		case err == nil && (a.Verdicts[0] == nil || a.Verdicts[1] == nil):
			t.Errorf("cut off at write %d, and asked again: %v", cut, a.Problems)
		}
		if whole {
			return
		}
	}
}

// A batch that was cut off is asked again when the first try is over, and an item of it cannot be sent any more: the
// others are answered.
func TestBatchCutOffAndWorse(t *testing.T) {
	t.Parallel()
	for cut := 0; ; cut++ {
		w := intaketest.New(t)
		ask := func(in *intake.Intake, second string) (*intake.BatchAnswer, error) {
			return in.Batch(t.Context(), intaketest.Shop, "k", []byte("same"), []*intake.Request{hello(anna), hello(second)})
		}
		_, err := ask(w.Over(w.Open(&dying{Driver: w.DB, left: cut}), w.Queue), berta)
		whole := err == nil
		w.Advance(6 * time.Minute)
		if a, err := ask(w.Intake, "nobody"); err != nil || a.Verdicts[0] == nil {
			t.Errorf("cut off at write %d: %+v %v", cut, a, err)
		}
		if whole {
			return
		}
	}
}
