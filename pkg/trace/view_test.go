package trace

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

func TestNewNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := New(Ports{Region: "CN"})
	if err == nil || !strings.Contains(err.Error(), "Store, Config, Providers, Addresses.Phone, Now, Log") {
		t.Error(err)
	}
}

func (w *world) ref(name string) message.Ref {
	return message.Ref{Tenant: "order", Name: name, Version: 1, Locale: "zh"}
}

func TestGet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.template("order", "shipped", 1, false, "【ACME】您的订单{{no}}已发货，取件码{{code}}。")
	r := w.accept(message.Message{Tenant: "order", Owner: "Wang", Key: "k7", Template: w.ref("shipped"), Segments: 1}, mobile, `{"no":"A-17","code":"4711"}`, nil)
	w.update(r, lease(second), answer(1300, 1, message.Accepted, "Ok"))
	w.now = t0 + 6300
	v, err := w.Get(t.Context(), readerOf("order"), string(r.ID))
	if err != nil {
		t.Fatal(err)
	}
	if v.Content == nil || v.Content.Text != "【ACME】您的订单A-17已发货，取件码•••。" || v.Hidden != "" {
		t.Errorf("content %+v, hidden %q", v.Content, v.Hidden)
	}
	if s := fmt.Sprintf("%+v", v); strings.Contains(s, mobile) || strings.Contains(s, "4711") {
		t.Errorf("the address or the secret is in %s", s)
	}
	v.Content, v.Timeline = nil, v.Timeline[:1]
	want := Summary{ID: r.ID, Tenant: "order", Owner: "Wang", Key: "k7", To: "+86138****8000", Channel: message.SMS, Class: message.Transactional,
		Template: w.ref("shipped"), Segments: 1, Status: message.Sent, Provider: "tencent-sms", Account: "tencent-main", Calls: 1,
		Created: t0, Expires: t0 + oneDay, Verdict: Judge(&message.Message{Status: message.Sent, Channel: message.SMS, Attempts: []message.Attempt{
			{Provider: "tencent-sms", At: t0 + second, End: t0 + 1300, Code: "Ok"}}}, w.now, Facts{Receipts: true})}
	if diff := cmp.Diff(want, v.Summary); diff != "" {
		t.Error(diff)
	}
	if v.Verdict.Zh.What != "5 秒前交给 tencent-sms，对方已接收，在等送达回执。" {
		t.Error(v.Verdict.Zh.What)
	}
}

// A callback is shown with what it says and where it goes.
func TestGetCallback(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	r := w.accept(message.Message{Tenant: "order", Endpoint: "orders", Channel: message.Webhook, Class: message.Callback}, "https://hooks.example.com/", `{"type":"endpoint.test"}`, nil)
	v, err := w.Get(t.Context(), readerOf("order"), string(r.ID))
	if err != nil || v.To != "endpoint/order/orders" || v.Content == nil || string(v.Content.Data) != `{"type":"endpoint.test"}` {
		t.Errorf("%+v %v", v, err)
	}
	if _, err := w.Get(t.Context(), readerOf("other"), string(r.ID)); problem.From(err).Code != problem.NotFound {
		t.Error(err)
	}
}

func TestGetSaysWhyContentIsHidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.template("order", "shipped", 1, false, "您的订单{{no}}已发货")
	free := w.accept(message.Message{Tenant: "order", Channel: message.Feishu}, "ops-alerts", "", &message.Content{Title: "Disk", Text: "90 %"})
	gone := w.accept(message.Message{Tenant: "order", Template: w.ref("no-such")}, mobile, `{}`, nil)
	noVariant := w.accept(message.Message{Tenant: "order", Channel: message.Feishu, Template: w.ref("shipped")}, "ops-alerts", `{}`, nil)
	code := w.accept(message.Message{Tenant: "order", Class: message.OTP, Template: w.ref("shipped")}, mobile, `{"no":"1"}`, nil)
	w.update(code, lease(second), answer(2*second, 1, message.Accepted, ""), receipt(3*second, 1, message.ReceiptDelivered, ""))
	own := w.accept(message.Message{Tenant: "order", Template: message.Ref{Name: "shipped", Version: 1}}, mobile, `{"no":"2"}`, nil)
	for _, c := range []struct {
		r            *store.Record
		text, hidden string
	}{
		{free, "90 %", ""}, {gone, "", HiddenTemplate}, {noVariant, "", HiddenNotRendered}, {code, "", HiddenErased}, {own, "您的订单2已发货", ""},
	} {
		v, err := w.Get(t.Context(), operator(), string(c.r.ID))
		if err != nil {
			t.Error(err)
			continue
		}
		text := ""
		if v.Content != nil {
			text = v.Content.Text
		}
		if text != c.text || v.Hidden != c.hidden {
			t.Errorf("%q, hidden %q; want %q, %q", text, v.Hidden, c.text, c.hidden)
		}
	}
}

// A provider that sends no receipts is believed, whatever is usual on its channel.
func TestVerdictKnowsTheProvider(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	r := w.accept(message.Message{Tenant: "order", Channel: message.Email}, mailbox, `{}`, nil)
	w.update(r, step{t0, message.Lease{Account: "relay", Provider: "smtp", Until: t0 + minute}}, answer(second, 1, message.Accepted, ""))
	v, err := w.Get(t.Context(), operator(), string(r.ID))
	if err != nil || v.Verdict.Code != "sent_final" {
		t.Errorf("%+v, %v", v, err)
	}
}

// group keeps a group of given ids.
func (w *world) group(of string, ids ...message.ID) string {
	w.Helper()
	g, _, err := w.store.OpenGroup(w.Context(), tenant.System("test"), w.now,
		store.Group{ID: store.GroupPrefix + w.ulid(w.now), Tenant: of, Kind: store.GroupBatch, Created: w.now, IDs: ids}, nil, 1<<40)
	if err != nil {
		w.Fatal(err)
	}
	return g.ID
}

func TestGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	a := w.accept(message.Message{Tenant: "order"}, mobile, "{}", nil)
	b := w.accept(message.Message{Tenant: "order", Status: message.Simulated, Base: message.Simulated}, otherMobile, "{}", nil)
	lost := message.NewID(a.ID.Partition(), w.ulid(t0))
	id := w.group("order", b.ID, "", a.ID, lost, b.ID)
	g, err := w.Group(t.Context(), readerOf("order"), id)
	if err != nil {
		t.Fatal(err)
	}
	var order []message.ID
	for _, m := range g.Members {
		order = append(order, m.ID)
		if (m.Message != nil) != (m.ID == a.ID || m.ID == b.ID) || m.Message != nil && m.Message.ID != m.ID {
			t.Errorf("%+v", m)
		}
	}
	if diff := cmp.Diff([]message.ID{b.ID, "", a.ID, lost, b.ID}, order); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[message.Status]int{message.Queued: 1, message.Simulated: 2}, g.Counts); diff != "" || g.Missing != 1 || g.Kind != store.GroupBatch {
		t.Errorf("%+v %s", g, diff)
	}
}

// What is another tenant's, what is not there and what is no id get the same answer; a key that may only
// send gets none.
func TestOthersThingsDoNotExist(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	r := w.accept(message.Message{Tenant: "order", Reference: "r1"}, mobile, "{}", nil)
	group := w.group("order", r.ID)
	for _, id := range []string{string(r.ID), string(message.NewID(r.ID.Partition(), w.ulid(t0))), "", "msg_", "../x", "msg_" + strings.Repeat("é", 51), group} {
		if _, err := w.Get(t.Context(), readerOf("market"), id); problem.From(err).Code != problem.NotFound {
			t.Errorf("message %q: %v", id, err)
		}
	}
	for _, id := range []string{group, store.GroupPrefix + w.ulid(t0), "", "grp_", "grp_" + strings.Repeat("\x00", 26), string(r.ID)} {
		if _, err := w.Group(t.Context(), readerOf("market"), id); problem.From(err).Code != problem.NotFound {
			t.Errorf("group %q: %v", id, err)
		}
	}
	for _, f := range []Filter{{}, {Recipient: mobile}, {Reference: "r1"}, {Status: message.Dead}} {
		page, err := w.Search(t.Context(), readerOf("market"), f)
		if err != nil || len(page.Records)+page.Searched+len(page.Unreadable) > 0 || page.Next != "" {
			t.Errorf("%+v: %+v, %v", f, page, err)
		}
	}
	sender := tenant.Of(tenant.Key{Tenant: "order", Live: true, Scopes: []tenant.Scope{tenant.Send}})
	_, get := w.Get(t.Context(), sender, string(r.ID))
	_, grp := w.Group(t.Context(), sender, group)
	_, search := w.Search(t.Context(), sender, Filter{})
	_, who := w.Who(t.Context(), sender, "text", "")
	for i, err := range []error{get, grp, search, who} {
		if problem.From(err).Code != problem.Forbidden {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// A store that fails is 503, and its words go to the log only.
func TestFaultsBelowAreUnavailable(t *testing.T) {
	t.Parallel()
	err := unread(fmt.Errorf("store: by recipient: %w", errors.New("disk of "+mobile)))
	if p := problem.From(err); p.Code != problem.Unavailable || strings.Contains(p.Detail, mobile) || p.RetryAfter == 0 {
		t.Errorf("%+v", p)
	}
}

// names of events that the console translates: a new one must be added there too.
func TestEventsAreKnown(t *testing.T) {
	t.Parallel()
	known := []string{Requested, Accepted, Held, Timed, Queued, Leased, Attempted, Reported, Ended, "deferred", "requeued", "replied", "activated", "expired",
		"cancelled", "suppressed", "failed", "poison", "given_up", "redriven"}
	for _, c := range verdictCases() {
		m := play(t, c.m, c.steps...)
		for _, e := range Timeline(&m) {
			if !slices.Contains(known, e.Event) {
				t.Errorf("event %q is not documented", e.Event)
			}
		}
	}
}

// The provider's descriptor says which code means that our address is not on its list, and the deployment which is ours.
func TestViewNamesOurAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.Egress = "203.0.113.7"
	for code, want := range map[string]bool{"60020": true, "NoBalance": false} {
		r := w.update(w.accept(message.Message{}, mobile, `{}`, nil), lease(0), answer(second, 1, message.AccountFault, code))
		v, err := w.Get(t.Context(), operator(), string(r.ID))
		if err != nil || strings.Contains(v.Verdict.En.Fix, "list 203.0.113.7 there") != want {
			t.Errorf("%s: %+v %v", code, v, err)
		}
	}
}
