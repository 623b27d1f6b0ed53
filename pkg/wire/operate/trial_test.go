package operate

import (
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// A receipt that is quicker than the provider's own answer does not hide it; where no answer will come, nobody waits for it.
func TestReceiptBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	update := func(r *store.Record, events ...message.Event) *store.Record {
		for _, e := range events {
			var err error
			if r, err = w.Store.Update(t.Context(), tenant.System("test"), w.Time(), r, e); err != nil {
				t.Error(err)
			}
		}
		return r
	}
	delivered := message.Reported{Epoch: 1, ProviderID: "p", Receipt: message.Receipt{State: message.ReceiptDelivered, At: w.Time()}}
	trial := func() *store.Record {
		r, err := w.Intake.Try(t.Context(), intaketest.Operator, "sms-a", &intake.Request{Tenant: "shop", To: intake.To{One: "+8613800138000"}, Channel: message.SMS, Template: "hello",
			Vars: map[string]any{"name": "Anna"}})
		if err != nil {
			t.Fatal(err)
		}
		return update(r, message.Lease{Account: "sms-a", Provider: "devinbox", Until: w.Time().Add(time.Minute)})
	}
	r := update(trial(), delivered)
	if r.Status != message.Delivered || r.Last().End != 0 {
		t.Fatalf("%+v", r.Message)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		update(r, message.Finish{Epoch: 1, Result: message.Result{Outcome: message.Accepted, ProviderID: "p"}})
	}()
	if got := await(t.Context(), w.Store, intaketest.Operator, r); got.Last().End == 0 || got.Last().ProviderID != "p" || got.Status != message.Delivered {
		t.Errorf("%+v", got.Message)
	}
	<-done
	lost := trial()
	w.Advance(2 * time.Minute)
	if lost = update(lost, message.Lost{Doubt: message.Await}, delivered); !answered(lost) || lost.Last().End != 0 {
		t.Errorf("%+v", lost.Message)
	}
}
