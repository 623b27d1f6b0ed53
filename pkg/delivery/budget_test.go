package delivery_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
)

// rich gives the tenant money for so many messages of one segment.
func (w *world) rich(messages float64) {
	w.accounts[0].Price, w.accounts[0].Currency = 0.05, "CNY"
	w.tenant = tenant.Tenant{Name: "shop", PerMonth: 0.05 * messages, Currency: "CNY"}
}

// spent is what the tenant's month has used, in prices of one segment.
func (w *world) spent() float64 {
	w.t.Helper()
	windows := config.BudgetOf(w.tenant, limit.Month).Windows(w.now())
	levels, err := w.raw.Levels(w.t.Context(), store.Metered{Of: store.TenantLimits("shop", limit.Month), Windows: windows})
	if err != nil {
		w.t.Fatal(err)
	}
	return float64(levels[0][0].Urgent+levels[0][0].Others) / 50_000
}

// later lets time pass, with whatever comes due in it.
func (w *world) later(d time.Duration) {
	for range 20 {
		w.advance(d / 20)
		w.pass()
		w.deliver()
	}
}

// Marketing waits when its tenant's money is used up, and goes when there is more; it uses up no attempt. All
// else goes, and is counted.
func TestMoney(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rich(3)
	send := func(class message.Class, segments int) *store.Record {
		r := w.accept(class, func(m *message.Message) { m.Segments = segments })
		w.hint(r)
		w.deliver()
		return r
	}
	w.want(send(message.Marketing, 2).ID, message.Sent, 1)
	held := send(message.Marketing, 2)
	if r := w.want(held.ID, message.Queued, 0); r.Reason != "budget" || r.Tries != 0 || r.Next.Sub(w.now()) != 10*time.Minute {
		t.Errorf("waits for %q until %s", r.Reason, r.Next)
	}
	w.want(send(message.Marketing, 1).ID, message.Sent, 1) // there is money for it
	w.want(send(message.OTP, 1).ID, message.Sent, 1)
	w.want(send(message.Transactional, 1).ID, message.Sent, 1)
	if got := w.spent(); got < 5 {
		t.Errorf("%g prices are counted, 5 were spent", got)
	}
	w.later(time.Hour)
	w.want(held.ID, message.Queued, 0)
	w.tenant.PerMonth *= 4
	w.later(time.Hour)
	w.want(held.ID, message.Sent, 1)
	w.accounts[0].Currency = "USD" // in which nobody set a bound
	w.tenant.PerMonth = 0.01
	w.want(send(message.Marketing, 1).ID, message.Sent, 1)
}

// A new month has new money; what waits longer than it lives expires.
func TestMoneyOfTheNextMonth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rich(0.5)
	w.advance(30*24*time.Hour - time.Hour) // the last day of January
	r := w.accept(message.Marketing)
	w.hint(r)
	w.deliver()
	w.want(r.ID, message.Queued, 0)
	w.later(80 * time.Hour)
	if r := w.want(r.ID, message.Expired, 0); r.Reason != "budget" {
		t.Errorf("expired for %q", r.Reason)
	}
	w.rich(2)
	r = w.accept(message.Marketing)
	w.hint(r)
	w.deliver()
	w.want(r.ID, message.Sent, 1)
}

// What was not sent costs nothing.
func TestMoneyOfFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rich(2)
	says := []message.Outcome{message.Retry, message.Retry, message.Permanent, message.Accepted, message.Unknown}
	w.send = func(context.Context, provider.Call) message.Result {
		if len(says) == 0 {
			return answer(message.Accepted)
		}
		o := says[0]
		says = says[1:]
		return answer(o)
	}
	for range 3 {
		w.hint(w.accept(message.Marketing))
		w.later(2 * time.Hour)
	}
	if len(says) > 0 {
		t.Fatalf("%v were not said", says)
	}
	r := w.accept(message.Marketing)
	w.hint(r)
	w.deliver()
	w.want(r.ID, message.Queued, 0)
}

// Several workers over several connections never spend more on marketing than there is.
func TestMoneyRaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rich(7)
	var mu sync.Mutex
	sent := 0
	w.send = func(context.Context, provider.Call) message.Result {
		mu.Lock()
		defer mu.Unlock()
		sent++
		return message.Result{Outcome: message.Accepted, ProviderID: "p"}
	}
	for range 4 {
		var bodies [][]byte
		for range 6 {
			bodies = append(bodies, w.hint(w.accept(message.Marketing)))
		}
		w.restart() // a process that knows nothing of what was spent
		w.handle(bodies...)
	}
	if sent == 0 || sent > 7 {
		t.Errorf("%d were sent, there is money for 7", sent)
	}
}

// What a vendor would drop waits: one recipient gets no more over an account than its provider says.
func TestRecipientLimits(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		limit provider.Recipient
		most  int // at once: a minute's and an hour's come in parts
	}{"minute": {provider.Recipient{PerMinute: 4}, 1}, "hour": {provider.Recipient{PerHour: 4}, 1}, "day": {provider.Recipient{PerDay: 2}, 2}} {
		w := newWorld(t)
		w.limits.Recipient = tc.limit
		w.advance(time.Hour)
		waits := 0
		for range 5 {
			r := w.accept(message.Marketing)
			w.hint(r)
			w.deliver()
			if r = w.record(r.ID); r.Status == message.Queued && r.Reason == "recipient_limit" && len(r.Attempts) == 0 {
				waits++
			}
		}
		if waits != 5-tc.most || len(w.calls) != tc.most {
			t.Errorf("%s: %d wait, %d calls", name, waits, len(w.calls))
		}
		other := w.accept(message.Marketing, func(m *message.Message) {
			m.ID = message.NewID(w.raw.Partition(message.Phone, "+8613900139000", 1, ""), m.ID.ULID())
		})
		w.hint(other)
		w.deliver()
		w.want(other.ID, message.Sent, 1)
		w.settle(70 * time.Hour)
		if got := len(w.calls); got != 6 {
			t.Errorf("%s: %d calls in the end", name, got)
		}
	}
}

// counts are a Metrics that remembers counters, by name, tenant and account.
type counts struct {
	telemetry.Nop
	mu sync.Mutex
	of map[string]int64
}

func (c *counts) Count(name string, n int64, l telemetry.Labels) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]int64{}
	}
	c.of[name+" "+l.Tenant+" "+l.Account] += n
}

// What the throttle ledger is made of: each call, each that the provider refused as too many, and each message
// that the account's limit put off.
func TestCallsAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts[0].PerSecond = 2
	n := 0
	w.send = func(context.Context, provider.Call) message.Result {
		if n++; n == 1 {
			return answer(message.Throttled)
		}
		return answer(message.Accepted)
	}
	for range 3 {
		w.hint(w.accept(message.Transactional))
		w.deliver()
	}
	for name, want := range map[string]int64{"called": 2, "pushed_back": 1, "throttled": 1} {
		if got := w.counts.of[name+" shop a1"]; got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}
