package suppress_test

import (
	"reflect"
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

// A word of ours is the whole reply, however it is written.
func TestReplies(t *testing.T) {
	t.Parallel()
	for reply, want := range map[string]suppress.Ask{
		"STOP": suppress.Stop, " stop. ": suppress.Stop, "Stop All": suppress.Stop, "ＴＤ": suppress.Stop, "t": suppress.Stop, "退订！": suppress.Stop, "“取消”": suppress.Stop,
		"arrêt": suppress.Stop, "Unsubscribe": suppress.Stop, "start": suppress.Start, "UNSTOP": suppress.Start, "恢复订阅": suppress.Start,
		"arre\u0302t": suppress.Stop, "de\u0301sabonner": suppress.Stop, "ST\u200bOP": suppress.Stop, "\ufeffSTOP\u200d": suppress.Stop, "STOP\u202c \u2068ALL": suppress.Stop, // accents that are apart, and what is not seen
		"": suppress.Other, "please stop calling": suppress.Other, "don't stop": suppress.Other, "1": suppress.Other, "R2": suppress.Other, "5T": suppress.Other, "Ｎ１": suppress.Other, "TDX": suppress.Other, "我要取消订单": suppress.Other,
	} {
		if got := suppress.Read(reply); got != want {
			t.Errorf("%q: %s", reply, got)
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

// What a provider says is about everybody or about the tenant, and ends by itself where the provider remembers it.
func TestSaid(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, c := range []struct {
		why   suppress.Reason
		kind  message.AddressKind
		class message.Class
		all   bool // every tenant
		of    message.Class
		span  time.Duration
	}{
		{suppress.Bounce, message.Phone, message.OTP, true, "", 30 * day},
		{suppress.Bounce, message.Mail, message.Marketing, true, "", 180 * day},
		{suppress.Bounce, message.Token, message.Transactional, true, "", 180 * day},
		{suppress.Complaint, message.Mail, message.Marketing, false, "", 0},
		{suppress.OptOut, message.Phone, message.Transactional, false, "", 30 * day},
		{suppress.OptOut, message.Phone, message.Marketing, false, message.Marketing, 30 * day},
	} {
		m := &message.Message{ID: "msg_x", Tenant: "shop", Channel: message.SMS, Class: c.class}
		e := suppress.Said(c.why, m, c.kind, "+8613800138000", t0)
		want := suppress.Entry{Tenant: "shop", Channel: message.SMS, Class: c.of, Reason: c.why, Source: "msg_x", Masked: message.Mask("+8613800138000"), At: t0}
		if c.all {
			want.Tenant = ""
		}
		if c.span > 0 {
			want.Until = t0.Add(c.span)
		}
		if !reflect.DeepEqual(e, want) {
			t.Errorf("%+v\nwant %+v", e, want)
		}
	}
}

// What is said again is no news; what is said after a lift, or holds for longer, is.
func TestOutdoes(t *testing.T) {
	t.Parallel()
	const hour = time.Hour
	lifted := suppress.Lift{At: t0, By: "ann"}
	for name, c := range map[string]struct {
		e, have suppress.Entry
		want    bool
	}{
		"again":                 {suppress.Entry{At: t0}, suppress.Entry{At: t0}, false},
		"later, both good":      {suppress.Entry{At: t0 + 1}, suppress.Entry{At: t0}, false},
		"longer":                {suppress.Entry{Until: t0.Add(2 * hour)}, suppress.Entry{Until: t0.Add(hour)}, true},
		"for good":              {suppress.Entry{}, suppress.Entry{Until: t0.Add(hour)}, true},
		"shorter":               {suppress.Entry{Until: t0.Add(hour)}, suppress.Entry{Until: t0.Add(2 * hour)}, false},
		"than one over":         {suppress.Entry{Until: t0.Add(hour)}, suppress.Entry{Until: t0}, true},
		"over itself":           {suppress.Entry{Until: t0}, suppress.Entry{Until: t0 - 1}, false},
		"before a lift":         {suppress.Entry{At: t0}, suppress.Entry{Lifted: lifted}, false},
		"after a lift":          {suppress.Entry{At: t0 + 1}, suppress.Entry{Lifted: lifted}, true},
		"a lift, of none":       {suppress.Entry{At: t0, Lifted: lifted}, suppress.Entry{Until: t0}, true},
		"a lift, again":         {suppress.Entry{At: t0, Lifted: lifted}, suppress.Entry{Lifted: lifted}, false},
		"a lift, of what holds": {suppress.Entry{At: t0, Lifted: lifted}, suppress.Entry{At: t0 + 1, Until: t0.Add(hour)}, false},
		"shorter, but after":    {suppress.Entry{At: t0 + 1, Until: t0.Add(hour)}, suppress.Entry{Lifted: lifted}, true},
	} {
		if got := c.e.Outdoes(c.have, t0); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if (suppress.Entry{Reason: suppress.Manual, Lifted: lifted}).Stops("shop", message.SMS, message.Marketing, t0) {
		t.Error("what is lifted stops nothing")
	}
	e := suppress.Entry{}
	for i := range 20 {
		e = suppress.Entry{Lifted: suppress.Lift{At: t0 + message.Time(i)}}.After(e)
	}
	if past := (suppress.Entry{}).After(e).Past; len(past) != 10 || past[9].At != t0+19 || past[0].At != t0+10 {
		t.Errorf("%+v", past)
	}
}
