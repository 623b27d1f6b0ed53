package delivery_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
)

const event = `{"type":"message.sent","data":{"n":1.50}}`

// callback keeps a callback as intake does.
func (w *world) callback(change ...func(*message.Message)) *store.Record {
	w.t.Helper()
	now := w.now()
	m := message.Message{ID: message.NewID(w.raw.Partition(message.URL, "endpoint/shop/orders", 1, ""), message.ULIDOf(now, [10]byte{})),
		Tenant: "shop", Endpoint: "orders", Channel: message.Webhook, Class: message.Callback, Created: now, Expires: now.Add(message.Callback.Defaults().TTL)}
	for _, f := range change {
		f(&m)
	}
	v, err := w.raw.Accept(w.t.Context(), system, now, &store.Draft{Message: message.New(m, now), To: "endpoint/shop/orders", Vars: []byte(event)})
	if err != nil {
		w.t.Fatal(err)
	}
	w.hint(v[0].Record)
	return v[0].Record
}

func endpointWorld(t *testing.T) *world {
	w := newWorld(t)
	w.endpoint = &config.Endpoint{Name: "orders", Tenant: "shop", URL: "https://shop.example.com/in"}
	return w
}

// A callback goes to where its endpoint is now, as it was kept, and needs no read.
func TestCallback(t *testing.T) {
	t.Parallel()
	w := endpointWorld(t)
	first := w.callback()
	w.deliver()
	w.reads, w.writes = 0, 0 // the data key is known now
	copied := w.callback(func(m *message.Message) {
		m.ID, m.ResendOf = message.NewID(m.ID.Partition(), message.ULIDOf(w.now(), [10]byte{1})), first.ID
	})
	w.deliver()
	for _, r := range []*store.Record{first, copied} {
		w.want(r.ID, message.Sent, 1)
		if c := w.callsOf(r.ID)[0]; c.Key != string(first.ID) || string(c.To) != w.endpoint.URL || string(c.Content.Data) != event || c.account != "endpoint/shop/orders" {
			t.Errorf("key %s to %s over %s: %s", c.Key, string(c.To), c.account, c.Content.Data)
		}
	}
	if w.reads != 0 || w.writes != 2 {
		t.Errorf("%d reads, %d writes", w.reads, w.writes)
	}
	if len(w.heard) != 2 || w.heard[0].Outcome != message.Accepted {
		t.Errorf("heard: %+v", w.heard)
	}
}

// Whatever an endpoint answers but "gone", it is asked again on the schedule, for a day and more; a longer
// wait that it asks for is kept.
func TestCallbackIsPatient(t *testing.T) {
	t.Parallel()
	for status, outcome := range map[int]message.Outcome{http.StatusNotFound: message.Permanent, http.StatusUnauthorized: message.AccountFault,
		http.StatusTooManyRequests: message.Throttled, http.StatusBadGateway: message.Retry, 0: message.Unknown} {
		w := endpointWorld(t)
		w.send = func(context.Context, provider.Call) message.Result {
			return message.Result{Outcome: outcome, HTTPStatus: status, Code: "x", After: 30 * time.Second}
		}
		r := w.callback()
		w.settle(120 * time.Hour)
		end := message.Expired
		if outcome == message.Unknown { // the last answer may have been lost
			end = message.Failed
		}
		r = w.want(r.ID, end, 8)
		calls := w.callsOf(r.ID)
		if wait := calls[1].at.Sub(calls[0].at); wait < 30*time.Second || wait > 2*time.Minute {
			t.Errorf("%d: called again after %s", status, wait)
		}
		if all := calls[7].at.Sub(calls[0].at); all < 24*time.Hour || all > 28*time.Hour || len(w.dead()) > 0 || len(w.heard) != 8 {
			t.Errorf("%d: the last call came %s after the first, heard %d", status, all, len(w.heard))
		}
	}
}

func TestCallbackGone(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]message.Result{
		"gone":    {Outcome: message.Permanent, HTTPStatus: http.StatusGone, Code: "gone"},
		"refused": {Outcome: message.Permanent, Code: provider.CodeRefused},
	} {
		w := endpointWorld(t)
		w.send = func(context.Context, provider.Call) message.Result { return answer }
		r := w.callback()
		w.settle(time.Hour)
		if r = w.want(r.ID, message.Failed, 1); r.Reason != answer.Code || len(w.heard) != 1 {
			t.Errorf("%s: %s, heard %+v", name, r.Reason, w.heard)
		}
	}
}

// Nothing is sent to an endpoint that is off or gone, and nothing waits for it.
func TestCallbackWithoutEndpoint(t *testing.T) {
	t.Parallel()
	for reason, e := range map[string]*config.Endpoint{"endpoint_deleted": nil, "endpoint_off": {Name: "orders", Tenant: "shop", Off: true}} {
		w := newWorld(t)
		w.endpoint = e
		r := w.callback()
		w.settle(time.Minute)
		if r = w.want(r.ID, message.Cancelled, 0); r.Reason != reason {
			t.Errorf("%s: %s", reason, r.Reason)
		}
	}
}

// While the callbacks cannot be made, the message stays due, its siblings go on, and in the end each status in
// which it rested is told.
func TestTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fault = func(port string, do func() error) error {
		if port == "Tell" && w.Now().Before(start.Add(time.Hour)) {
			return errPort
		}
		return do()
	}
	tell := func(m *message.Message) { m.Tell = message.TellOf(message.Sent, message.Delivered, message.InDoubt) }
	r := w.accept(message.Transactional, tell)
	w.hint(r)
	w.deliver()
	if r = w.want(r.ID, message.Sent, 1); r.Todo != message.TellTenant || r.Due == 0 {
		t.Errorf("not due: %+v", r.Message)
	}
	w.settle(3 * time.Hour)
	if r = w.record(r.ID); r.Todo != 0 || r.Due != 0 || len(w.told) != 1 || w.told[0].Status != message.Sent {
		t.Errorf("%+v; told %+v", r.Message, w.told)
	}
	w.apply(r.ID, message.Reported{Epoch: 1, Receipt: message.Receipt{State: message.ReceiptDelivered, At: w.now()}})
	w.settle(time.Hour)
	if len(w.told) != 2 || w.told[1].Status != message.Delivered || w.told[1].Told <= w.told[0].Told {
		t.Errorf("told %+v", w.told)
	}

	w.send = func(context.Context, provider.Call) message.Result { return message.Result{} }
	doubt := w.accept(message.Transactional, tell)
	w.hint(doubt)
	w.deliver()
	if doubt = w.record(doubt.ID); doubt.Status != message.InDoubt || doubt.Todo != 0 || doubt.Due != doubt.Last().At.Add(message.AwaitReceipt) || len(w.told) != 3 {
		t.Errorf("%+v; told %d", doubt.Message, len(w.told))
	}
}
