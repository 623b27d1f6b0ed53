package trace

import (
	"fmt"
	"testing"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// "We called you and nothing came": who searches for the recipient, or for the reference, is told of requests
// that were refused, by the same spelling rules, for 7 days, and only of tenants that he sees.
func TestSearchFindsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	refuse := func(at message.Time, of, request string, marks ...string) {
		r := store.Refusal{At: at, Request: request, Tenant: of, Method: "POST", Route: "/v1/messages", Status: 422, Code: "invalid_request",
			Fields: []store.Faulty{{Pointer: "/vars/code", Code: "missing_variable"}}, Marks: marks}
		if err := w.store.AddRefusals(t.Context(), t0, r); err != nil {
			t.Fatal(err)
		}
	}
	to := w.store.RefusedTo(message.Phone, mobile)
	refuse(t0-8*oneDay, "order", "req_0", to)
	refuse(t0-2*hour, "order", "req_1", to, w.store.RefusedAs("A-1"))
	refuse(t0-hour, "market", "req_2", to)
	refuse(t0-minute, "", "req_3", to)
	refuse(t0-minute, "order", "req_4", w.store.RefusedTo(message.Phone, otherMobile))
	for _, tc := range []struct {
		p    tenant.Principal
		f    Filter
		want string
	}{
		{operator(), Filter{Recipient: "138 0013 8000"}, "req_3 req_2 req_1 "},
		{operator(), Filter{Recipient: mobile, Tenant: "order"}, "req_1 "},
		{readerOf("order"), Filter{Recipient: mobile}, "req_1 "},
		{readerOf("login"), Filter{Recipient: mobile}, ""},
		{operator(), Filter{Reference: "A-1"}, "req_1 "},
		{operator(), Filter{Reference: "A-2"}, ""},
		{operator(), Filter{Recipient: mobile, Status: message.Failed}, ""},
		{operator(), Filter{Recipient: mobile, From: (t0 - hour).Std()}, "req_3 req_2 "},
	} {
		page, err := w.Search(t.Context(), tc.p, tc.f)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, r := range page.Refused {
			got += r.Request + " "
		}
		if got != tc.want {
			t.Errorf("%+v: %q, want %q", tc.f, got, tc.want)
		}
		if page.None == nil || (page.None.Code == "none_refused") != (tc.want != "") {
			t.Errorf("%+v: %+v", tc.f, page.None)
		}
	}
	page, err := w.Search(t.Context(), readerOf("order"), Filter{Recipient: mobile})
	if want := "Nothing was sent: order asked 2 hours ago, and was refused (code /vars/code missing_variable)."; err != nil || page.None.En.What != want {
		t.Errorf("%q, %v", page.None.En.What, err)
	}
	w.accept(message.Message{Tenant: "order", Channel: "sms", Class: message.OTP, Created: t0 - hour, Base: message.Sent, Status: message.Sent}, mobile, "{}", nil)
	if page, err = w.Search(t.Context(), operator(), Filter{Recipient: mobile}); err != nil || page.None != nil || len(page.Records) != 1 || len(page.Refused) != 3 {
		t.Errorf("beside a message: %+v, %v", page, err)
	}
	for i := range 150 { // others' do not stand before one's own, nor later ones before those that are asked for
		refuse(t0-minute+message.Time(i), "market", fmt.Sprint("req_m", i), to)
	}
	for _, tc := range []struct {
		p    tenant.Principal
		f    Filter
		want string
	}{
		{readerOf("order"), Filter{Recipient: mobile}, "req_1"},
		{operator(), Filter{Recipient: mobile, Tenant: "order"}, "req_1"},
		{operator(), Filter{Recipient: mobile, To: (t0 - minute).Std()}, "req_2"},
	} {
		page, err := w.Search(t.Context(), tc.p, tc.f)
		if err != nil || len(page.Refused) == 0 || page.Refused[0].Request != tc.want {
			t.Errorf("%+v: %+v, %v", tc.f, page.Refused, err)
		}
	}
}
