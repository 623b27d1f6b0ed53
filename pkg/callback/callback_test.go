package callback_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/bus"
	"github.com/opennotify/notify/pkg/callback"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
	wirecallback "github.com/opennotify/notify/pkg/wire/callback"
)

var system = tenant.System("test")

// world is callbacks over the intake's world, with a bus that is a list.
type world struct {
	*intaketest.World
	ports callback.Ports
	told  *callback.Callbacks
	bus   []bus.Event
	full  error
}

func (w *world) Put(_ context.Context, events ...bus.Event) error {
	w.bus = append(w.bus, events...)
	return w.full
}

func newWorld(t *testing.T, endpoints ...config.Endpoint) *world {
	t.Helper()
	w := &world{World: intaketest.New(t)}
	w.ports = callback.Ports{Store: w.Store, Config: w.Config, Make: wirecallback.Make(w.Over(w.Store, w.Queue)), Now: w.Now, NewULID: w.NewULID,
		Log: slog.New(slog.NewJSONHandler(w.Log, nil))}
	for _, e := range endpoints {
		w.endpoint(e)
	}
	w.restart()
	return w
}

// restart makes a process that knows nothing.
func (w *world) restart() {
	w.Helper()
	var err error
	if w.told, err = callback.New(w.ports); err != nil {
		w.Fatal(err)
	}
}

func (w *world) endpoint(e config.Endpoint) {
	w.Helper()
	if e.Tenant == "" {
		e.Tenant = "shop"
	}
	w.World.Put(store.Endpoints, e.Tenant+"/"+e.Name, e.Tenant, e)
}

// send has a message accepted for a tenant, and ended by what a provider says.
func (w *world) send(p tenant.Principal, events ...message.Event) *store.Record {
	w.Helper()
	none := 0
	template := "hello"
	if p.Tenant == "bank" {
		template = "notice"
	}
	a, err := w.Intake.Send(w.Context(), p, &intake.Request{To: intake.To{One: "+8613800138000"}, Template: template, Vars: map[string]any{"name": "Li"},
		Reference: "order-1", DedupSeconds: &none})
	if err != nil {
		w.Fatal(err)
	}
	r := a.Verdicts[0].Record
	for _, e := range events {
		if r, err = w.Store.Update(w.Context(), system, w.Time(), r, e); err != nil {
			w.Fatal(err)
		}
	}
	return r
}

func (w *world) delivered(p tenant.Principal) *store.Record {
	now := w.Time()
	return w.send(p, message.Lease{Account: "sms-a", Provider: "devinbox", Until: now.Add(time.Minute)},
		message.Finish{Epoch: 1, Result: message.Result{Outcome: message.Accepted, ProviderID: "p1", Text: "to +8613800138000"}},
		message.Reported{Epoch: 1, Receipt: message.Receipt{State: message.ReceiptDelivered, At: now, Code: "DELIVRD"}})
}

// list is an endpoint's callbacks, the newest first.
func (w *world) list(name string) []callback.Sent {
	w.Helper()
	out, _, err := w.told.List(w.Context(), intaketest.Shop, "shop", name, callback.Filter{Limit: 100})
	if err != nil {
		w.Fatal(err)
	}
	return out
}

func (w *world) tell(r *store.Record) {
	w.Helper()
	if err := w.told.Tell(w.Context(), r); err != nil {
		w.Fatal(err)
	}
}

func (w *world) read(name string) config.Endpoint {
	w.Helper()
	e, ok, err := w.Config.Endpoint(w.Context(), "shop", name)
	if err != nil || !ok {
		w.Fatal(ok, err)
	}
	return e
}

func refused(t *testing.T, err error, code problem.Code) {
	t.Helper()
	if p := (*problem.Error)(nil); !errors.As(err, &p) || p.Code != code {
		t.Errorf("%v, want %s", err, code)
	}
}

// Each endpoint that wants to hear of a status gets one callback of it, however often it is told, by whichever
// process, and whatever was learnt meanwhile.
func TestOneEach(t *testing.T) {
	t.Parallel()
	w := newWorld(t, config.Endpoint{Name: "all", URL: "https://a.example/"}, config.Endpoint{Name: "bad", URL: "https://b.example/", Events: []message.Status{message.Failed}},
		config.Endpoint{Name: "off", URL: "https://c.example/", Off: true}, config.Endpoint{Name: "old", Until: message.At(intaketest.Start)},
		config.Endpoint{Name: "kept", Until: message.At(intaketest.Start.Add(time.Hour))}, config.Endpoint{Name: "all", Tenant: "bank", URL: "https://d.example/"})
	r := w.delivered(intaketest.Shop)
	if r.Todo != message.TellTenant || r.Tell&message.ToEndpoints == 0 {
		t.Fatalf("%+v", r.Message)
	}
	w.tell(r)
	w.Advance(time.Second)
	w.restart()
	again, err := w.Store.Update(t.Context(), system, w.Time(), r, message.Reported{Epoch: 1, Receipt: message.Receipt{State: message.ReceiptSent, At: w.Time()}})
	if err != nil || again.Told != r.Told {
		t.Fatal(err, again.Told)
	}
	w.tell(again)
	if all := w.list("all"); len(all) != 1 || all[0].Status != message.Queued || all[0].Class != message.Callback || all[0].Tell != 0 || all[0].Endpoint != "all" {
		t.Errorf("%+v", all)
	}
	if kept := w.list("kept"); len(kept) != 1 || kept[0].Status != message.Sent || kept[0].Due != 0 {
		t.Errorf("kept: %+v", kept)
	}
	if n := len(w.list("bad")) + len(w.list("off")) + len(w.list("old")); n != 0 {
		t.Errorf("%d others", n)
	}
	hints := w.Hints(message.Webhook, message.Normal)
	if len(hints) != 1 || hints[0].Record == nil || hints[0].Record.Todo != 0 {
		t.Errorf("%d hints", len(hints))
	}
	w.tell(w.delivered(intaketest.Shop))
	if n := len(w.list("all")); n != 2 {
		t.Errorf("%d callbacks of two messages", n)
	}
	other, _, err := w.told.List(t.Context(), intaketest.Bank, "bank", "all", callback.Filter{Limit: 10})
	if err != nil || len(other) != 0 {
		t.Errorf("the bank has %d, %v", len(other), err)
	}
}

// What is told is the message as it stands, without what only its sender and its provider may know.
func TestEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, config.Endpoint{Name: "all", URL: "https://a.example/"})
	r := w.delivered(intaketest.Shop)
	w.tell(r)
	text := string(w.list("all")[0].Event)
	at, _ := json.Marshal(r.Told.Std())
	want := fmt.Sprintf(`{"type":"message.delivered","timestamp":%s,"data":{"id":%q,"status":"delivered","tenant":"shop","channel":"sms","class":"transactional",`+
		`"to":"+86138****8000","template":"shop/hello","version":1,"reference":"order-1","created_at":%[1]s,"calls":1,`+
		`"attempt":{"at":%[1]s,"provider":"devinbox","account":"sms-a","provider_id":"p1"},"receipt":{"at":%[1]s,"state":"delivered","code":"DELIVRD"}}}`, at, r.ID)
	if text != want {
		t.Errorf("%s\nwant\n%s", text, want)
	}
	w.Advance(time.Second)
	w.tell(w.send(intaketest.ShopTest)) // a test key's end at once, and are told too
	if text := string(w.list("all")[0].Event); !strings.Contains(text, `"type":"message.simulated"`) || !strings.Contains(text, `"simulated_outcome":"delivered"`) {
		t.Error(text)
	}
}

// The configuration of the process that tells may be older than the endpoint.
func TestEndpointIsNew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	behind := config.New(w.Store, w.Now, slog.New(slog.DiscardHandler))
	if _, err := behind.Endpoints(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	w.Advance(time.Second)
	w.endpoint(config.Endpoint{Name: "all", URL: "https://a.example/"})
	w.ports.Config = behind
	w.restart()
	w.tell(w.delivered(intaketest.Shop))
	if n := len(w.list("all")); n != 1 {
		t.Errorf("%d callbacks", n)
	}
}

func TestBus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ports.Bus, w.full = w, errors.New("the bus is full")
	w.restart()
	w.World.Intake = w.Over(w.Store, w.Queue, func(p *intake.Ports) { p.Tell = message.TellOf(message.Delivered) })
	r := w.delivered(intaketest.Shop)
	if err := w.told.Tell(t.Context(), r); !errors.Is(err, w.full) {
		t.Error(err)
	}
	w.full = nil
	w.tell(r)
	if len(w.bus) != 2 || w.bus[0].ID != w.bus[1].ID || w.bus[0].Type != "message.delivered" || !json.Valid(w.bus[0].Detail) {
		t.Errorf("%+v", w.bus)
	}
}

// hear lets an endpoint answer callbacks: a newly made one each time.
func (w *world) hear(res message.Result) {
	w.Helper()
	s, err := w.told.Test(w.Context(), intaketest.Shop, "shop", "all")
	if err != nil {
		w.Fatal(err)
	}
	r := s.Record
	for _, e := range []message.Event{message.Lease{Account: "endpoint/shop/all", Until: w.Time().Add(time.Minute)}, message.Finish{Epoch: 1, Result: res, Next: w.Time()}} {
		if r, err = w.Store.Update(w.Context(), system, w.Time(), r, e); err != nil {
			w.Fatal(err)
		}
	}
	w.told.Heard(w.Context(), r, res)
}

var (
	taken = message.Result{Outcome: message.Accepted, HTTPStatus: 200}
	down  = message.Result{Outcome: message.Retry, HTTPStatus: 503, Code: "http_503"}
	gone  = message.Result{Outcome: message.Permanent, HTTPStatus: http.StatusGone, Code: "gone"}
)

func TestGoneIsSwitchedOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, config.Endpoint{Name: "all", URL: "https://a.example/"})
	w.hear(gone)
	if e := w.read("all"); !e.Off || e.Why != config.OffGone || e.Since != w.Time() || e.URL == "" {
		t.Errorf("%+v", e)
	}
	history, err := w.Store.History(t.Context(), store.Endpoints, "shop/all")
	if err != nil || len(history) != 2 || history[0].Author != "callback" || !strings.HasPrefix(history[0].Reason, "it answered 410 Gone to msg_") {
		t.Errorf("%+v %v", history, err)
	}
	if strings.Contains(w.Log.String(), "ERROR") {
		t.Error(w.Log)
	}
	if w.send(intaketest.Shop).Tell != 0 {
		t.Error("the next message is to be told")
	}
	_, err = w.told.Test(t.Context(), intaketest.Shop, "shop", "all")
	refused(t, err, problem.NotAllowedNow)
	// An answer to what left before somebody switched it on again says nothing of what is there now.
	w.endpoint(config.Endpoint{Name: "all", URL: "https://b.example/", Since: w.Time().Add(time.Minute)})
	w.hear(gone)
	if w.read("all").Off {
		t.Error("switched off by an old answer")
	}
}

// Five days of failures switch an endpoint off; one success in between, which another process heard, does not.
func TestFailingIsSwitchedOff(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		success time.Duration // 0: none
		since   time.Duration // when it was last switched on
		off     time.Duration // 0: never, in ten days
	}{
		{"nothing but failures", 0, 0, 122 * time.Hour},
		{"a success", 60 * time.Hour, 0, 182 * time.Hour},
		{"switched on anew", 0, 72 * time.Hour, 192 * time.Hour},
	} {
		w := newWorld(t, config.Endpoint{Name: "all", URL: "https://a.example/", Since: message.At(intaketest.Start.Add(row.since))})
		other, err := callback.New(w.ports)
		if err != nil {
			t.Fatal(err)
		}
		this := w.told
		w.hear(taken)
		var off time.Duration
		for at := 2 * time.Hour; at < 240*time.Hour && off == 0; at += 2 * time.Hour {
			w.Advance(2 * time.Hour)
			w.told = []*callback.Callbacks{this, other}[at/time.Hour/2%2]
			if at == row.success {
				w.hear(taken)
				continue
			}
			w.hear(down)
			if e := w.read("all"); e.Off {
				if off = at; e.Why != config.OffFailing {
					t.Errorf("%s: %s", row.name, e.Why)
				}
			}
		}
		if off != row.off {
			t.Errorf("%s: off after %s, want %s", row.name, off, row.off)
		}
	}
}

// Health costs a busy endpoint a write an hour while it is well, and one a minute while it is not.
func TestHealthIsCheap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, config.Endpoint{Name: "all", URL: "https://a.example/"})
	writes := 0
	w.ports.Store = counted{w.Store, &writes}
	w.restart()
	for range 30 {
		w.hear(taken)
		w.Advance(10 * time.Second)
	}
	if writes != 1 {
		t.Errorf("%d writes in five good minutes", writes)
	}
	begun := w.Time()
	for range 30 {
		w.hear(down)
		w.Advance(10 * time.Second)
	}
	if writes > 7 {
		t.Errorf("%d writes after five bad minutes", writes)
	}
	h, err := w.told.Health(t.Context(), intaketest.Shop, "shop", "all")
	if err != nil || h.Failing != begun || h.Failures < 25 || h.Failures > 30 || h.Status != 503 || h.Code != "http_503" || h.Failed < begun || h.Succeeded >= begun {
		t.Errorf("%+v %v", h, err)
	}
	w.hear(taken)
	if h, err = w.told.Health(t.Context(), intaketest.Shop, "shop", "all"); err != nil || h.Failing != 0 || h.Failures != 0 || h.Succeeded != w.Time() {
		t.Errorf("%+v %v", h, err)
	}
}

type counted struct {
	*store.Store
	n *int
}

func (c counted) PutHealth(ctx context.Context, p tenant.Principal, now message.Time, owner, name string, h store.Health) (store.Health, error) {
	*c.n++
	return c.Store.PutHealth(ctx, p, now, owner, name, h)
}

func TestList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, config.Endpoint{Name: "all", URL: "https://a.example/"})
	var ids []message.ID
	for range 40 {
		s, err := w.told.Test(t.Context(), intaketest.Shop, "shop", "all")
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, s.ID)
		if len(ids)%3 == 0 { // several in one millisecond
			w.Advance(time.Second)
		}
	}
	slices.Reverse(ids)
	for _, limit := range []int{1, 3, 7, 100} {
		var got []message.ID
		f := callback.Filter{Limit: limit}
		for more := true; more; {
			var page []callback.Sent
			var err error
			if page, more, err = w.told.List(t.Context(), intaketest.Shop, "shop", "all", f); err != nil || len(page) == 0 || len(page) > limit {
				t.Fatal(len(page), err)
			}
			for _, s := range page {
				got = append(got, s.ID)
			}
			f.Before = got[len(got)-1]
		}
		if !slices.Equal(got, ids) {
			t.Errorf("limit %d: %d of %d, in another order or with gaps", limit, len(got), len(ids))
		}
	}
	some, _, err := w.told.List(t.Context(), intaketest.Shop, "shop", "all", callback.Filter{Limit: 100, From: intaketest.Start.Add(2 * time.Second), To: intaketest.Start.Add(4 * time.Second)})
	if err != nil || len(some) != 6 {
		t.Errorf("%d in two seconds, %v", len(some), err)
	}
}
