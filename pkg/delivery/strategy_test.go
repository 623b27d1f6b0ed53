package delivery_test

import (
	"context"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/store"
)

// The worlds begin at midnight UTC, which is 08:00 in China.
func TestQuietHours(t *testing.T) {
	t.Parallel()
	morning := &route.Quiet{From: "07:00", To: "09:30", Zone: "UTC", Mode: route.Hold}
	dropped := &route.Quiet{From: "07:00", To: "09:30", Zone: "UTC", Mode: route.Drop}
	china := func(m *message.Message) { m.Region = "CN" }
	short := func(m *message.Message) { m.Region, m.Expires = "CN", m.Created.Add(time.Hour) }
	for name, c := range map[string]struct {
		class  message.Class
		quiet  *route.Quiet
		change func(*message.Message)
		status message.Status
		reason string
		sent   bool // when the hours are over
	}{
		"marketing waits":             {message.Marketing, morning, china, message.Queued, route.QuietHours, true},
		"elsewhere it is another day": {message.Marketing, morning, func(*message.Message) {}, message.Sent, "", true},
		"an order goes":               {message.Transactional, morning, china, message.Sent, "", true},
		"dropped":                     {message.Marketing, dropped, china, message.Suppressed, route.QuietHours, false},
		"too late afterwards":         {message.Marketing, morning, short, message.Expired, route.QuietHours, false},
	} {
		w := newWorld(t)
		w.routes = []route.Route{{Name: "night", Quiet: c.quiet}}
		r := w.accept(c.class, c.change)
		w.hint(r)
		w.deliver()
		if got := w.record(r.ID); got.Status != c.status || got.Reason != c.reason || len(got.Attempts) > 0 != (c.status == message.Sent) {
			t.Errorf("%s: %s %s with %d attempts", name, got.Status, got.Reason, len(got.Attempts))
		}
		w.advance(89 * time.Minute)
		w.pass()
		w.deliver()
		if got := w.record(r.ID); got.Status != c.status {
			t.Errorf("%s: %s a minute before the end", name, got.Status)
		}
		w.advance(7 * time.Minute)
		w.pass()
		w.deliver()
		if got := w.record(r.ID); (got.Status == message.Sent) != c.sent || got.Tries > 0 {
			t.Errorf("%s: %s after the end", name, got.Status)
		}
	}
}

// A silence holds codes too; when it is lifted, what waits goes before its end.
func TestSilence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.routes = []route.Route{{Name: "stop", Match: route.Match{Tenant: "shop"}, Silence: &route.Silence{Until: w.now().Add(10 * time.Hour), Mode: route.Hold, Why: "wrong price"}}}
	r := w.accept(message.Transactional)
	w.hint(r)
	for range 3 {
		w.deliver()
		w.want(r.ID, message.Queued, 0)
		w.advance(11 * time.Minute)
		w.pass()
	}
	w.routes = nil
	w.advance(11 * time.Minute)
	w.pass()
	w.deliver()
	w.want(r.ID, message.Sent, 1)

	w.routes = []route.Route{{Name: "stop", Silence: &route.Silence{Until: w.now().Add(time.Hour), Mode: route.Drop}}}
	r = w.accept(message.OTP)
	w.hint(r)
	w.deliver()
	w.want(r.ID, message.Suppressed, 0)
	if got := w.record(r.ID); got.Reason != route.Silenced {
		t.Error(got.Reason)
	}
}

// Where a route allows no failover, a message stays with its first account, whatever that one says.
func TestNoFailover(t *testing.T) {
	t.Parallel()
	for _, fixed := range []bool{true, false} {
		w := newWorld(t)
		w.accounts = append(w.accounts, config.Account{Name: "a2", Provider: "fake", Channel: message.SMS})
		w.routes = []route.Route{{Name: "r", NoFailover: fixed, Accounts: []route.Weighted{{Account: "a1", Weight: 1}, {Account: "a2", Weight: 1}}}}
		w.send = func(context.Context, provider.Call) message.Result { return answer(message.AccountFault) }
		r := w.accept(message.Transactional)
		w.hint(r)
		w.settleUntil(r.ID, message.Dead)
		accounts := map[string]bool{}
		for _, c := range w.callsOf(r.ID) {
			accounts[c.account] = true
		}
		if (len(accounts) == 1) != fixed {
			t.Errorf("fixed %v: over %v", fixed, accounts)
		}
	}
}

// A recipient gets as many as the cap says; a message that is tried again has its place already.
func TestFrequencyCap(t *testing.T) {
	t.Parallel()
	for _, mode := range []route.Mode{route.Hold, route.Drop} {
		w := newWorld(t)
		w.routes = []route.Route{{Name: "sale", Match: route.Match{Class: message.Marketing}, Cap: &route.Cap{Messages: 2, Seconds: 3600, Mode: mode}}}
		fails := 3
		w.send = func(context.Context, provider.Call) message.Result {
			if fails--; fails >= 0 {
				return answer(message.Retry)
			}
			return answer(message.Accepted)
		}
		first := w.accept(message.Marketing)
		w.hint(first)
		w.settleUntil(first.ID, message.Sent)
		second, third, code := w.accept(message.Marketing), w.accept(message.Marketing), w.accept(message.OTP)
		for _, r := range []*store.Record{second, third, code} {
			w.hint(r)
			w.deliver()
		}
		w.want(second.ID, message.Sent, 1)
		w.want(code.ID, message.Sent, 1)
		if mode == route.Drop {
			if r := w.want(third.ID, message.Suppressed, 0); r.Reason != route.Capped {
				t.Error(r.Reason)
			}
			continue
		}
		if r := w.want(third.ID, message.Queued, 0); r.Reason != route.Capped {
			t.Error(r.Reason)
		}
		w.advance(time.Hour)
		w.pass()
		w.deliver()
		w.want(third.ID, message.Sent, 1)
	}
}

// A trial goes over its account alone, on or off, whatever routes say; and over no other when that one fails.
func TestTrial(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts = append(w.accounts, config.Account{Name: "a2", Provider: "fake", Channel: message.SMS, Off: true})
	w.routes = []route.Route{
		{Name: "r", Accounts: []route.Weighted{{Account: "a1"}}},
		{Name: "stop", Silence: &route.Silence{Until: w.now().Add(time.Hour), Mode: route.Drop}},
	}
	trial := func(m *message.Message) { m.Trial = "a2" }
	r := w.accept(message.Marketing, trial)
	w.hint(r)
	w.deliver()
	w.want(r.ID, message.Sent, 1)
	w.send = func(context.Context, provider.Call) message.Result { return answer(message.AccountFault) }
	failed := w.accept(message.Transactional, trial)
	w.hint(failed)
	w.settleUntil(failed.ID, message.Dead)
	for _, c := range append(w.callsOf(r.ID), w.callsOf(failed.ID)...) {
		if c.account != "a2" {
			t.Errorf("a call over %s", c.account)
		}
	}
}
