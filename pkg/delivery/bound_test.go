package delivery_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/route"
)

// A second call is safe only where the first one's key is known: what may have arrived over one account
// waits for that account, and never goes over another. A code goes over any: two are better than none.
func TestDoubtStaysWithItsAccount(t *testing.T) {
	t.Parallel()
	for _, class := range message.Classes() {
		w := newWorld(t)
		w.dedup = true
		w.accounts = append(w.accounts, config.Account{Name: "a2", Provider: "fake", Channel: message.SMS})
		w.send = func(context.Context, provider.Call) message.Result {
			w.accounts[0].Off = true // its answer is lost, and then it is switched off
			return message.Result{Outcome: message.Unknown}
		}
		r := w.accept(class)
		w.hint(r)
		w.deliver()
		w.send = func(context.Context, provider.Call) message.Result { return answer(message.Accepted) }
		w.advance(2 * time.Minute)
		w.pass()
		w.deliver()
		if class == message.OTP {
			w.want(r.ID, message.Sent, 2)
			continue
		}
		w.want(r.ID, message.Queued, 1)
		w.accounts[0].Off = false
		w.settleUntil(r.ID, message.Sent)
		for _, c := range w.callsOf(r.ID) {
			if c.account != "a1" {
				t.Errorf("%s: called over %s", class, c.account)
			}
		}
	}
}

// Whoever says what happens to the doubtful: the route before the account, the account before the provider,
// the provider before the class; and the record says whose word was followed.
func TestWhoseWordCounts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		class           message.Class
		dedup, receipts bool
		route, account  message.InDoubtPolicy
		want            message.Status
		policy          message.InDoubtPolicy
		ground          message.Ground
	}{
		{message.OTP, false, false, "", "", message.Sent, message.Resend, message.ByClass},
		{message.OTP, true, true, "", "", message.Sent, message.Resend, message.ByClass},
		{message.OTP, true, true, message.GiveUp, "", message.Failed, message.GiveUp, message.ByRoute},
		{message.Transactional, false, false, "", "", message.InDoubt, message.Await, message.ByClass},
		{message.Transactional, false, true, "", "", message.InDoubt, message.Await, message.ByReceipts},
		{message.Transactional, true, true, "", "", message.Sent, message.Resend, message.ByProvider},
		{message.Transactional, true, true, "", message.GiveUp, message.Failed, message.GiveUp, message.ByAccount},
		{message.Marketing, false, false, "", "", message.Failed, message.GiveUp, message.ByClass},
		{message.Marketing, false, true, "", "", message.InDoubt, message.Await, message.ByReceipts},
		{message.Marketing, false, false, message.Resend, message.GiveUp, message.Sent, message.Resend, message.ByRoute},
	} {
		for _, dies := range []bool{false, true} {
			w := newWorld(t)
			w.dedup, w.receipts = tt.dedup, tt.receipts
			w.accounts[0].InDoubt = tt.account
			w.routes = []route.Route{{Name: "r", InDoubt: tt.route}}
			w.send = func(context.Context, provider.Call) message.Result {
				w.send = func(context.Context, provider.Call) message.Result { return answer(message.Accepted) }
				if dies {
					runtime.Goexit()
				}
				return message.Result{Outcome: message.Unknown}
			}
			r := w.accept(tt.class)
			w.hint(r)
			w.settleUntil(r.ID, tt.want)
			if a := w.record(r.ID).Attempts[0]; a.Doubt != tt.policy || a.Ground != tt.ground {
				t.Errorf("%s, dedup %v, receipts %v, route %q, account %q, dies %v: %s by %s", tt.class, tt.dedup, tt.receipts, tt.route, tt.account, dies, a.Doubt, a.Ground)
			}
		}
	}
}
