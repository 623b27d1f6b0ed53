package delivery_test

import (
	"context"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
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
