package intake_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/tenant"
)

var (
	worker = tenant.System("schedule")
	began  = message.At(intaketest.Start)
)

// rows makes the rows of a run, from row 1 on.
func rows(run string, reqs ...*intake.Request) []*intake.Request {
	for i, r := range reqs {
		r.Tenant, r.Origin.RequestID = "shop", run
		r.Run = &intake.Run{ID: run, Began: began, Row: i + 1}
	}
	return reqs
}

func fates(v []intake.RowVerdict) (out []intake.Fate) {
	for _, r := range v {
		out = append(out, r.Fate)
	}
	return out
}

// One row's fault does not touch the others; a recipient has one message of a run; and what is sent again
// meets the same fate.
func TestRows(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	key, _ := w.Intake.Addresses.Normalise(message.Phone, "+8613800138009", "CN")
	if err := w.Store.PutSuppression(t.Context(), worker, w.Time(), message.Phone, string(key.Key), suppress.Entry{Reason: suppress.OptOut, Tenant: "shop"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Intake.Send(t.Context(), intaketest.Shop, hello("+8613800138007")); err != nil {
		t.Fatal(err)
	}
	other := func(r *intake.Request) { r.Vars = map[string]any{"name": "another"} }
	page := func() []*intake.Request {
		return rows("run_1", hello(anna), hello("nobody"), hello(berta), hello("138 0013 8000", other), hello("+8613800138009"), hello("+8613800138007"),
			hello(anna, func(r *intake.Request) { r.Vars = nil }), hello("", to(anna)))
	}
	want := []intake.Fate{intake.Made, intake.RowRefused, intake.Made, intake.Repeated, intake.Held, intake.Duplicate, intake.RowRefused, intake.RowRefused}
	for range 3 {
		got, err := w.Intake.Rows(t.Context(), worker, page())
		if diff := cmp.Diff(want, fates(got)); diff != "" || err != nil {
			t.Fatal(err, "(-want +got):", diff)
		}
		refused(t, got[6].Problem, "/vars/name", problem.MissingVariable)
		w.Advance(time.Second)
	}
	// The same recipient in a later page, with other content: no message, and no claim on that content.
	late := rows("run_1", hello(anna, other))
	late[0].Run.Row = 99
	if got, err := w.Intake.Rows(t.Context(), worker, late); err != nil || got[0].Fate != intake.Repeated {
		t.Error(got, err)
	}
	if a, err := w.Intake.Send(t.Context(), intaketest.Shop, hello(anna, other)); err != nil || !a.Verdicts[0].New {
		t.Error("content that was not sent holds its window:", err)
	}
	// Another run is kept by the content window only.
	if got, err := w.Intake.Rows(t.Context(), worker, rows("run_2", hello(anna), hello(berta, other))); err != nil || got[0].Fate != intake.Duplicate || got[1].Fate != intake.Made {
		t.Error(fates(got), err)
	}
	found := 0
	for shard := range w.Store.ListShards() {
		f, err := w.Store.ByRun(t.Context(), worker, "shop", "run_1", began, shard, 100, "")
		if err != nil {
			t.Fatal(err)
		}
		found += len(f.Records)
	}
	if found != 3 {
		t.Error(found, "messages are found by their run")
	}
}

// Many rows are planned side by side.
func TestManyRows(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	var page []*intake.Request
	for i := range 100 {
		page = append(page, hello(fmt.Sprintf("+861380013%04d", i)))
	}
	got, err := w.Intake.Rows(t.Context(), worker, rows("run_1", page...))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range got {
		if v.Fate != intake.Made || v.Record.Place != i+1 || v.Record.Request != "run_1" {
			t.Errorf("%d: %+v", i, v)
		}
	}
}

// A run sends the version that it was ordered with, whatever is published meanwhile; a run of a test key
// sends nothing; a run that repeats itself does not meet its own window of the day before.
func TestRunsOwn(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	c, err := w.Config.Version(t.Context(), message.Ref{Tenant: "shop", Name: "hello", Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	v2 := c.Template()
	v2.Version = 2
	w.Template(v2, 2)
	old := func(r *intake.Request) { r.Version = 1 }
	got, err := w.Intake.Rows(t.Context(), worker, rows("run_1", hello(anna, old)))
	if err != nil || got[0].Fate != intake.Made || got[0].Record.Template.Version != 1 {
		t.Error(got, err)
	}
	test := worker
	test.Live = false
	if got, err = w.Intake.Rows(t.Context(), test, rows("run_t", hello(anna))); err != nil || got[0].Record.Status != message.Simulated {
		t.Error(got, err)
	}
	promo := func(r *intake.Request) { r.Template = "promo" }
	for day := range 3 {
		page := rows(fmt.Sprint("run_", day), hello(anna, promo))
		page[0].Run.Window = 12 * time.Hour
		if got, err = w.Intake.Rows(t.Context(), worker, page); err != nil || got[0].Fate != intake.Made {
			t.Error("day", day, got, err)
		}
		w.Advance(24*time.Hour - time.Second)
	}
}

func TestWeigh(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	if _, err := w.Intake.Send(t.Context(), intaketest.Shop, hello(anna)); err != nil {
		t.Fatal(err)
	}
	if err := w.Store.PutSuppression(t.Context(), worker, w.Time(), message.Phone, "+8613800138009", suppress.Entry{Reason: suppress.Bounce}); err != nil {
		t.Fatal(err)
	}
	got, err := w.Intake.Weigh(t.Context(), worker, rows("run_1", hello(anna), hello(berta), hello("x"), hello("+8613800138009")))
	if err != nil {
		t.Fatal(err)
	}
	if got[3].Stopped != "bounce" || got[3].Cost != 0 {
		t.Errorf("suppressed: %+v", got[3])
	}
	if !got[0].Duplicate || got[1].Duplicate || got[1].Segments != 1 || got[1].Cost != 0.05 || got[2].Problem == nil {
		t.Errorf("%+v", got)
	}
	checked, err := w.Intake.Check(t.Context(), worker, rows("run_1", hello(anna), hello("138 0013 8000"), hello("x")))
	if err != nil || checked[0].Recipient != checked[1].Recipient || checked[0].Channel != message.SMS || checked[2].Problem == nil {
		t.Error(checked, err)
	}
	again, err := w.Intake.Rows(t.Context(), worker, rows("run_1", hello(berta)))
	if err != nil || again[0].Fate != intake.Made {
		t.Error("weighing wrote something:", again, err)
	}
}
