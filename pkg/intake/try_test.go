package intake_test

import (
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/tenant"
)

// TestTry: a trial is a message like any other that names its account, its key and why; it goes over one that
// is off, holds no window, and what may be sent to nobody is not.
func TestTry(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	try := func(p tenant.Principal, account string, r *intake.Request) (*store.Record, error) {
		r.Origin.Why = "new key"
		return w.Intake.Try(t.Context(), p, account, r)
	}
	for range 2 {
		r, err := try(intaketest.Operator, "sms-off", hello(anna, func(r *intake.Request) { r.Tenant = "shop" }))
		if err != nil || r.Trial != "sms-off" || r.Status != message.Queued || r.Key != intaketest.Operator.KeyID || r.Tell != 0 {
			t.Fatalf("%+v %v", r, err)
		}
		if n := r.Notes; len(n) != 1 || n[0].What != "trial" || n[0].Why != "new key" || n[0].By != intaketest.Operator.Name {
			t.Errorf("%+v", n)
		}
		if life := r.Expires.Sub(r.Created); life != intake.TryFor {
			t.Errorf("it may be sent for %s", life)
		}
	}
	if n := len(w.Records(message.Phone, anna)); n != 2 {
		t.Errorf("%d records: a trial is no duplicate", n)
	}
	if hints := w.Hints(message.SMS, message.Normal); len(hints) != 2 {
		t.Errorf("%d hints", len(hints))
	}
	free := func(ch message.Channel, to string) *intake.Request {
		return &intake.Request{Tenant: "bank", To: intake.To{One: to}, Channel: ch, Content: &message.Content{Text: "x"}}
	}
	if _, err := try(intaketest.Operator, "feishu", free(message.Feishu, "ops")); err != nil {
		t.Errorf("an operator's own text: %v", err)
	}
	draft := func(version int) *intake.Request {
		return hello(berta, func(r *intake.Request) { r.Tenant, r.Template, r.Version = "shop", "draft", version })
	}
	for version, want := range map[int]int{0: 1, 1: 1} {
		if r, err := try(intaketest.Operator, "sms-a", draft(version)); err != nil || r.Template.Version != want || r.Status != message.Queued {
			t.Errorf("a draft: %+v %v", r, err)
		}
	}
	_, err := try(intaketest.Operator, "sms-a", draft(2))
	refused(t, err, "/version", problem.UnknownTemplate)
	_, err = w.Intake.Send(t.Context(), intaketest.Operator, draft(1))
	refused(t, err, "/version", problem.NotPublished)
	_, err = try(intaketest.Operator, "sms-a", free(message.SMS, anna))
	refused(t, err, "/content", problem.ContentRefused)
	_, err = try(intaketest.Operator, "mail", free(message.Feishu, "ops"))
	refused(t, err, "/channel", problem.ChannelOff)
	_, err = try(intaketest.Shop, "sms-a", hello(anna))
	refused(t, err, "", problem.Forbidden)
	if err := w.Store.PutSuppression(t.Context(), intaketest.Operator, w.Time(), message.Phone, berta, suppress.Entry{Reason: suppress.OptOut}); err != nil {
		t.Fatal(err)
	}
	if r, err := try(intaketest.Operator, "sms-a", hello(berta, func(r *intake.Request) { r.Tenant = "shop" })); err != nil || r.Status != message.Suppressed {
		t.Errorf("%+v %v", r, err)
	}
	test := intaketest.Principal("shop", false, tenant.Operate)
	if r, err := try(test, "sms-a", hello(anna)); err != nil || r.Status != message.Simulated {
		t.Errorf("%+v %v", r, err)
	}
	w.Advance(time.Second)
	// It leaves no window behind: the tenant's own message is not its duplicate.
	if a := send(t, w.Intake, intaketest.Shop, hello(anna)); a.Verdicts[0].Duplicate {
		t.Error("the message after a trial is its duplicate")
	}
}
