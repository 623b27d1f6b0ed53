package intake_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// deeds are those of the world's day, the oldest first, each as one line.
func deeds(w *intaketest.World) []string {
	w.Helper()
	list, _, err := w.Store.Audit(w.Context(), system, store.Day(w.Time()), "", 100)
	if err != nil {
		w.Fatal(err)
	}
	var out []string
	for _, a := range list {
		if d := a.Deed; d != nil {
			line := []string{d.By, d.What, d.Kind, d.Object, d.Tenant, d.Reason}
			for _, c := range d.Changes {
				line = append(line, c.Path+":"+c.Before+">"+c.After)
			}
			out = append([]string{strings.Join(line, " ")}, out...)
		}
	}
	return out
}

// What operators and people do to messages is in the audit, with what came of it; what a tenant's own key does is
// not, nor what is refused.
func TestDeeds(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	later := func() message.ID {
		w.Advance(time.Second)
		return send(t, w.Intake, intaketest.Shop, hello(anna, at(time.Hour), window(0))).Verdicts[0].Record.ID
	}
	person := tenant.Person(tenant.User{Name: "li", Role: tenant.RoleDeveloper, Tenants: []string{"shop"}})
	var want []string
	for _, p := range []tenant.Principal{intaketest.Shop, system, intaketest.Operator, person} {
		id := later()
		if _, err := w.Intake.Cancel(t.Context(), p, id, "why"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Intake.Cancel(t.Context(), p, id, "again"); err != nil { // changes nothing
			t.Fatal(err)
		}
		w.Advance(time.Second)
		group := send(t, w.Intake, intaketest.Shop, hello("", to(anna, berta), at(time.Hour), window(0))).Group.ID
		for _, dry := range []bool{true, false} {
			if _, err := w.Intake.Stop(t.Context(), p, intake.StopFilter{Group: group}, dry, "halt"); err != nil {
				t.Fatal(err)
			}
		}
		w.Advance(time.Second)
		if p.IsSystem() {
			continue
		}
		a, err := w.Intake.Resend(t.Context(), p, id, &intake.Request{Origin: intake.Origin{Why: "once more"}})
		if err != nil {
			t.Fatal(err)
		}
		made := a.Verdicts[0].Record
		if n := made.Notes; len(n) != 1 || n[0].What != "resent" || n[0].By != p.Name || n[0].Why != "once more" {
			t.Errorf("%s: the new one's timeline has %+v", p.Name, n)
		}
		if p.ByHand() {
			want = append(want, p.Name+" cancelled message "+string(id)+` shop why /status:"scheduled">"cancelled"`,
				p.Name+" stopped message "+group+" shop halt /cancelled:>2 /too_late:>0",
				p.Name+" resent message "+string(id)+` shop once more /resent_as:>"`+string(made.ID)+`"`)
		}
	}
	sending := send(t, w.Intake, intaketest.Shop, hello(anna)).Verdicts[0].Record.ID
	apply(t, w, sending, message.Lease{Account: "sms-a", Until: w.Time().Add(time.Minute)})
	_, err := w.Intake.Cancel(t.Context(), intaketest.Operator, sending, "too late")
	refused(t, err, "", problem.NotAllowedNow)
	code := send(t, w.Intake, intaketest.Shop, hello(anna, tmpl("login"), vars(map[string]any{"code": "4711"}))).Verdicts[0].Record
	apply(t, w, code.ID, message.Cancel{})
	_, err = w.Intake.Resend(t.Context(), intaketest.Operator, code.ID, &intake.Request{})
	refused(t, err, "", problem.NotAllowedNow)
	if d := cmp.Diff(want, deeds(w)); d != "" {
		t.Error(d)
	}
}

// A trial is in the audit before it goes out, with its account and its message; one that is refused is not.
func TestTrialIsADeed(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	trial := func(in *intake.Intake, template string) (*store.Record, error) {
		return in.Try(t.Context(), intaketest.Operator, "sms-off", hello(anna, tmpl(template), func(r *intake.Request) { r.Tenant, r.Origin.Why = "shop", "new key" }))
	}
	deafened := w.Over(w.Store, w.Queue, func(p *intake.Ports) { p.Store = deaf{w.Store} })
	_, err := trial(deafened, "hello")
	refused(t, err, "", problem.Unavailable)
	_, err = trial(w.Intake, "nothing")
	refused(t, err, "/template", problem.UnknownTemplate)
	if n := len(w.Records(message.Phone, anna)); n != 0 {
		t.Errorf("%d messages", n)
	}
	r, err := trial(w.Intake, "hello")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{intaketest.Operator.Name + ` tried account sms-off shop new key /message:>"` + string(r.ID) + `"`}, deeds(w)); d != "" {
		t.Error(d)
	}
}

// quick is a store in which a worker takes each message while its cancelling is being noted.
type quick struct {
	*store.Store
	taken func()
}

func (q quick) AddDeed(ctx context.Context, p tenant.Principal, now message.Time, d store.Deed) error {
	err := q.Store.AddDeed(ctx, p, now, d)
	q.taken()
	return err
}

// A deed that came to something else says so, and nothing is done that is not noted.
func TestDeedThatFails(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	id := send(t, w.Intake, intaketest.Shop, hello(anna)).Verdicts[0].Record.ID
	taken := false
	in := w.Over(w.Store, w.Queue, func(p *intake.Ports) {
		p.Store = quick{w.Store, func() {
			if !taken {
				taken = true
				apply(t, w, id, message.Lease{Account: "sms-a", Until: w.Time().Add(time.Minute)})
			}
		}}
	})
	_, err := in.Cancel(t.Context(), intaketest.Operator, id, "why")
	refused(t, err, "", problem.NotAllowedNow)
	want := []string{intaketest.Operator.Name + " cancelled message " + string(id) + ` shop why /status:"queued">"sending"`}
	if d := cmp.Diff(want, deeds(w)); d != "" {
		t.Error(d)
	}
	waiting := send(t, w.Intake, intaketest.Shop, hello(berta)).Verdicts[0].Record.ID
	in = w.Over(w.Store, w.Queue, func(p *intake.Ports) { p.Store = deaf{w.Store} })
	_, err = in.Cancel(t.Context(), intaketest.Operator, waiting, "why")
	refused(t, err, "", problem.Unavailable)
	_, err = in.Resend(t.Context(), intaketest.Operator, waiting, &intake.Request{})
	refused(t, err, "", problem.Unavailable)
	_, err = in.Stop(t.Context(), intaketest.Operator, intake.StopFilter{Tenant: "shop"}, false, "why")
	refused(t, err, "", problem.Unavailable)
	if r, err := w.Store.Message(t.Context(), system, waiting); err != nil || r.Status != message.Queued {
		t.Errorf("%+v, %v", r, err)
	}
}

// deaf is a store that keeps no deeds.
type deaf struct{ *store.Store }

func (deaf) AddDeed(context.Context, tenant.Principal, message.Time, store.Deed) error {
	return errors.New("down")
}
