package suppress_test

import (
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/suppress"
)

var t0 = message.At(time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC))

// Every reason, every class: an opt-out and a complaint let codes through, unless they name them.
func TestReasonsAndClasses(t *testing.T) {
	t.Parallel()
	for _, reason := range []suppress.Reason{suppress.Bounce, suppress.Complaint, suppress.OptOut, suppress.Manual} {
		unasked := reason == suppress.OptOut || reason == suppress.Complaint
		for _, of := range append(message.Classes(), "") {
			for _, c := range message.Classes() {
				want := of == c || of == "" && !(unasked && c == message.OTP)
				if got := (suppress.Entry{Reason: reason, Class: of}).Stops("shop", message.SMS, c, t0); got != want {
					t.Errorf("%s of %q stops %s: %t", reason, of, c, got)
				}
			}
		}
	}
}

func TestScope(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		e    suppress.Entry
		want bool
	}{
		"all": {suppress.Entry{}, true}, "tenant": {suppress.Entry{Tenant: "shop"}, true}, "another tenant": {suppress.Entry{Tenant: "bank"}, false},
		"channel": {suppress.Entry{Channel: message.SMS}, true}, "another channel": {suppress.Entry{Channel: message.Email}, false},
		"until later": {suppress.Entry{Until: t0 + 1}, true}, "until now": {suppress.Entry{Until: t0}, false},
		"all of it, another tenant": {suppress.Entry{Tenant: "bank", Channel: message.SMS, Class: message.Transactional, Until: t0 + 1}, false},
	} {
		c.e.Reason = suppress.Bounce
		if got := c.e.Stops("shop", message.SMS, message.Transactional, t0); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	e, ok := suppress.Find([]suppress.Entry{{Tenant: "bank", Reason: suppress.Bounce}, {Reason: suppress.Manual, Note: "this"}, {Reason: suppress.Bounce}}, "shop", message.SMS, message.OTP, t0)
	if !ok || e.Note != "this" {
		t.Errorf("%+v", e)
	}
	if _, ok := suppress.Find(nil, "shop", message.SMS, message.OTP, t0); ok {
		t.Error("nothing stops")
	}
	if suppress.ValidReason("") || suppress.ValidReason("bored") || !suppress.ValidReason(suppress.Manual) {
		t.Error("reasons")
	}
}
