package intake_test

import (
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// A message carries what somebody wants to hear of it: its tenant's endpoints that are on, and the bus.
func TestTell(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	endpoint := func(owner, name string, e config.Endpoint) {
		e.Tenant, e.Name = owner, name
		w.Put(store.Endpoints, owner+"/"+name, owner, e)
	}
	tell := func(in *intake.Intake) message.Tell {
		return send(t, in, intaketest.Shop, hello(anna, window(0))).Verdicts[0].Record.Tell
	}
	endpoint("bank", "all", config.Endpoint{URL: "https://bank.example/"})
	endpoint("shop", "off", config.Endpoint{URL: "https://a.example/", Off: true})
	endpoint("shop", "old", config.Endpoint{Until: w.Time()})
	if got := tell(w.Intake); got != 0 {
		t.Errorf("with none that is on: %b", got)
	}
	endpoint("shop", "some", config.Endpoint{URL: "https://b.example/", Events: []message.Status{message.Sent, message.Failed}})
	endpoint("shop", "more", config.Endpoint{Until: w.Time() + 1, Events: []message.Status{message.Failed, message.Dead}})
	if got, want := tell(w.Intake), message.TellOf(message.Sent, message.Failed, message.Dead)|message.ToEndpoints; got != want {
		t.Errorf("%b, want %b", got, want)
	}
	bus := w.Over(w.Store, w.Queue, func(p *intake.Ports) { p.Tell = message.TellOf(message.InDoubt) })
	if got := send(t, bus, intaketest.Operator, &intake.Request{Tenant: "ops", To: intake.To{One: anna}, Template: "bank/notice", Vars: map[string]any{"name": "x"}}).Verdicts[0].Record.Tell; got != message.TellOf(message.InDoubt) {
		t.Errorf("the bus alone: %b", got)
	}
}

// What ends at once is told too: a worker is sent for, but where nobody would come.
func TestTellOfWhatEndedAtOnce(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	w.Put(store.Endpoints, "shop/all", "shop", config.Endpoint{Name: "all", Tenant: "shop", URL: "https://a.example/"})
	r := send(t, w.Intake, intaketest.ShopTest, hello(anna, at(time.Hour))).Verdicts[0].Record
	hints := w.Hints(message.SMS, message.Normal)
	if r.Status != message.Simulated || r.Todo != message.TellTenant || r.Due == 0 || len(hints) != 1 || hints[0].ID != r.ID || hints[0].Record != nil {
		t.Errorf("%+v, %d hints", r.Message, len(hints))
	}
	off := hello("0123456789abcdef")
	off.Channel = message.Push
	if r := send(t, w.Intake, intaketest.ShopTest, off).Verdicts[0].Record; r.Status != message.Simulated || r.Todo != 0 || r.Due != 0 || len(w.Hints(message.Push, message.Normal)) != 0 {
		t.Errorf("on a channel that is off: %+v", r.Message)
	}
}

// A callback is one message, whoever makes it how often; it is told of to nobody, is in no list, and nobody
// stops it with his own.
func TestCallback(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	w.Put(store.Endpoints, "shop/all", "shop", config.Endpoint{Name: "all", Tenant: "shop", URL: "https://a.example/"})
	c := intake.Callback{Tenant: "shop", Endpoint: "all", ULID: w.NewULID(w.Time()), Event: []byte(`{"a":1}`), Trace: "t"}
	for i := range 3 {
		r, err := w.Intake.Callback(t.Context(), system, c)
		if err != nil || r.Tell != 0 || r.Class != message.Callback || r.ID.ULID() != c.ULID {
			t.Fatal(r, err)
		}
		if event, err := w.Store.Event(t.Context(), r); err != nil || string(event) != `{"a":1}` {
			t.Errorf("%d: %s %v", i, event, err)
		}
		c.Event = []byte(`{"a":2}`) // whoever begins anew may know more, and the first stays
		w.Advance(time.Second)
	}
	if n := len(w.Hints(message.Webhook, message.Normal)); n != 1 {
		t.Errorf("%d hints", n)
	}
	for shard := range w.Store.ListShards() {
		if f, err := w.Store.ByTenant(t.Context(), system, "shop", store.Day(w.Time()), shard, store.Range{}, 10, ""); err != nil || len(f.Records) > 0 {
			t.Errorf("in the list: %v %v", f.Records, err)
		}
	}
	for want, e := range []message.Event{message.Fail{Why: "x"}, message.Poison{}} { // operators look for what is ours to mend
		c.ULID = w.NewULID(w.Time())
		r, err := w.Intake.Callback(t.Context(), system, c)
		if err != nil {
			t.Fatal(err)
		}
		apply(t, w, r.ID, e)
		if f, err := w.Store.Troubles(t.Context(), system, "shop", store.Day(w.Time()), store.Range{}, 10, ""); err != nil || len(f.Records) != want {
			t.Errorf("%T: in trouble: %v %v", e, f.Records, err)
		}
	}
	n, err := w.Intake.Stop(t.Context(), intaketest.Shop, intake.StopFilter{Tenant: "shop"}, false, "")
	if err != nil || n.Matched != 0 {
		t.Errorf("stopped: %+v %v", n, err)
	}
	_, err = w.Intake.Callback(t.Context(), tenant.Of(tenant.Key{Tenant: "bank", Scopes: []tenant.Scope{tenant.Send}}), c)
	refused(t, err, "", problem.Unavailable)
	mine := hello(anna)
	mine.Class = message.Callback
	refused(t, sendErr(t, w.Intake, mine), "/class", problem.BadValue)
}

func sendErr(t *testing.T, in *intake.Intake, r *intake.Request) error {
	t.Helper()
	_, err := in.Send(t.Context(), intaketest.Shop, r)
	return err
}
