package delivery_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
)

// Two workers race for one message: one gets the lease, the other leaves it alone.
func TestOneLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 10 {
		r := w.accept(message.OTP)
		body := w.hint(r)
		other := w.delivery
		w.restart()
		var both sync.WaitGroup
		both.Go(func() { w.handle(body, store.BareHint(r.ID)) })
		both.Go(func() { other.Handle(t.Context(), items(body, store.BareHint(r.ID))) })
		both.Wait()
		w.want(r.ID, message.Sent, 1)
	}
}

// A worker sleeps in its call for longer than its lease. The policy decides meanwhile, and the late
// answer does no harm.
func TestZombie(t *testing.T) {
	t.Parallel()
	tests := []struct {
		class  message.Class
		dedup  bool
		late   message.Outcome // what the sleeper brings
		while  message.Status  // what the policy made of it meanwhile
		want   message.Status
		calls  int
		reason string
	}{
		{message.OTP, false, message.Accepted, message.Sent, message.Sent, 2, ""},
		{message.OTP, false, message.Permanent, message.Sent, message.Sent, 2, ""},
		{message.Transactional, false, message.Accepted, message.InDoubt, message.Sent, 1, ""},
		{message.Transactional, false, message.Permanent, message.InDoubt, message.Failed, 1, "E1"},
		{message.Transactional, false, message.Retry, message.InDoubt, message.Sent, 2, ""},
		{message.Transactional, true, message.Retry, message.Sent, message.Sent, 2, ""},
		{message.Marketing, false, message.Accepted, message.Failed, message.Sent, 1, ""},
		{message.Marketing, false, message.Retry, message.Failed, message.Failed, 1, "lease_lost"},
	}
	for _, tt := range tests {
		w := newWorld(t)
		w.dedup = tt.dedup
		r := w.accept(tt.class)
		body := w.hint(r)
		w.send = func(context.Context, provider.Call) message.Result {
			w.send = func(context.Context, provider.Call) message.Result { return message.Result{Outcome: message.Accepted} }
			w.advance(36 * time.Second)
			w.restart() // the others
			sleeper := w.delivery
			w.settleUntil(r.ID, tt.while)
			w.delivery = sleeper
			return answer(tt.late)
		}
		w.handle(body)
		w.settle(80 * time.Hour)
		if r := w.want(r.ID, tt.want, tt.calls); r.Reason != tt.reason {
			t.Errorf("%s, %s: %s", tt.class, tt.late, r.Reason)
		}
	}
}

// The write of the lease took so long that it is nearly over: no call is made.
func TestLeaseTooShortToCall(t *testing.T) {
	t.Parallel()
	for _, slow := range []time.Duration{20 * time.Second, 26 * time.Second, time.Minute} {
		w := newWorld(t)
		r := w.accept(message.Transactional)
		body := w.hint(r)
		first := true
		w.fault = func(port string, do func() error) error {
			err := do()
			if port == "Write" && first {
				first = false
				w.advance(slow)
			}
			return err
		}
		w.handle(body)
		if n := len(w.callsOf(r.ID)); (n == 1) != (slow == 20*time.Second) {
			t.Errorf("%d calls after a write of %s", n, slow)
		}
		w.settle(time.Hour)
		if r := w.want(r.ID, message.Sent, 1); r.Tries != 0 {
			t.Errorf("%d attempts used up", r.Tries)
		}
	}
}

// ending is a context with an end on the world's clock.
type ending struct {
	context.Context
	at time.Time
}

func (e ending) Deadline() (time.Time, bool) { return e.at, true }

// The worker ends sooner than a call may take: none is made that would be cut off, and so in doubt. Whoever comes next makes
// it.
func TestNoTimeToCall(t *testing.T) {
	t.Parallel()
	for _, port := range []string{"Get", "Write"} { // it packs, and writes the lease
		for slow, want := range map[time.Duration]int{18 * time.Second: 1, 19 * time.Second: 0} {
			w := newWorld(t)
			r := w.accept(message.Marketing)
			body := w.hint(r)
			ctx, first := ending{t.Context(), w.Now().Add(28500 * time.Millisecond)}, true
			w.fault = func(at string, do func() error) error {
				err := do()
				if at == port && first {
					first = false
					w.advance(slow)
				}
				return err
			}
			if again := w.delivery.Handle(ctx, items(body)); len(again) > 0 || len(w.callsOf(r.ID)) != want {
				t.Errorf("%s takes %s: %d calls, %d come again", port, slow, len(w.callsOf(r.ID)), len(again))
			}
			w.settle(time.Hour)
			if r := w.want(r.ID, message.Sent, 1); r.Tries != 0 {
				t.Errorf("%s takes %s: %d attempts used up", port, slow, r.Tries)
			}
		}
	}
}

// A message's time ends in the queue, while it is packed, while the lease is written, or before the retry.
func TestExpiry(t *testing.T) {
	t.Parallel()
	for name, slow := range map[string]string{"in the queue": "", "packing": "Get", "leasing": "Write"} {
		w := newWorld(t)
		r := w.accept(message.OTP, func(m *message.Message) { m.Tries = 3 }) // its last attempt: too late is not dead
		body := w.hint(r)
		switch slow {
		case "":
			w.advance(5 * time.Minute)
		default:
			w.advance(5*time.Minute - 5*time.Second)
			w.fault = func(port string, do func() error) error {
				err := do()
				if port == slow {
					w.advance(6 * time.Second)
				}
				return err
			}
		}
		w.handle(body)
		w.settle(time.Hour)
		if r := w.want(r.ID, message.Expired, 0); len(w.dead()) != 0 {
			t.Errorf("%s: %+v", name, r.Message)
		}
	}
	w := newWorld(t)
	w.send = func(context.Context, provider.Call) message.Result {
		return message.Result{Outcome: message.Retry, After: time.Hour}
	}
	r := w.accept(message.OTP)
	w.hint(r)
	w.settle(time.Hour)
	if r := w.want(r.ID, message.Expired, 1); w.now() >= r.Expires {
		t.Error("a retry that would be too late was waited for")
	}
}

// A message for later waits on its due time, comes then, and not before; cancelled it does not come.
func TestSendAt(t *testing.T) {
	t.Parallel()
	for _, wait := range []time.Duration{time.Minute, 14 * time.Minute, 3 * time.Hour, 72 * time.Hour} {
		w := newWorld(t)
		later := func(m *message.Message) { m.SendAt = w.now().Add(wait); m.Expires = m.SendAt.Add(time.Hour) }
		r, stopped := w.accept(message.OTP, later), w.accept(message.OTP, later)
		w.hint(r)
		w.hint(stopped)
		w.apply(stopped.ID, message.Cancel{})
		w.settle(80 * time.Hour)
		w.want(r.ID, message.Sent, 1)
		w.want(stopped.ID, message.Cancelled, 0)
		if late := w.callsOf(r.ID)[0].at.Sub(r.SendAt); late < 0 || late > 50*time.Second {
			t.Errorf("%s late", late)
		}
	}
}

// A cancellation wins exactly if it is written before the lease.
func TestCancelAgainstLease(t *testing.T) {
	t.Parallel()
	for _, before := range []bool{true, false} {
		w := newWorld(t)
		r := w.accept(message.OTP)
		body := w.hint(r)
		first := true
		w.fault = func(port string, do func() error) error {
			if port != "Write" || !first {
				return do()
			}
			first = false
			if before {
				w.apply(r.ID, message.Cancel{By: "op"})
				return do()
			}
			err := do()
			if _, refused := w.raw.Update(t.Context(), system, w.now(), w.record(r.ID), message.Cancel{}); !errors.As(refused, new(*message.Refused)) {
				t.Errorf("cancelled after the lease: %v", refused)
			}
			return err
		}
		w.handle(body)
		w.settle(time.Hour)
		if before {
			w.want(r.ID, message.Cancelled, 0)
		} else {
			w.want(r.ID, message.Sent, 1)
		}
	}
}

// The lease outlasts the longest call, with the time that packing took.
func TestLeaseOutlastsTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := w.accept(message.OTP)
		body := w.hint(r)
		slow := true
		w.fault = func(port string, do func() error) error {
			if port == "Get" && slow { // the data key's service takes half a minute
				slow = false
				w.advance(30 * time.Second)
			}
			return do()
		}
		w.handle(body)
		if r := w.want(r.ID, message.Sent, 1); r.Epoch != 1 {
			t.Errorf("%+v", r.Message)
		}
	})
}

// The outcome is written harder than anything else: three failures, applied or not, are no doubt.
func TestOutcomeIsWrittenHarder(t *testing.T) {
	t.Parallel()
	for _, applied := range []bool{false, true} {
		w := newWorld(t)
		r := w.accept(message.Transactional)
		body := w.hint(r)
		failed := 0
		w.fault = func(port string, do func() error) error {
			if port == "Write" && len(w.calls) > 0 && failed < 3 {
				failed++
				if applied {
					_ = do()
				}
				return errPort
			}
			return do()
		}
		if again := w.handle(body); again != 0 {
			t.Errorf("%d come again", again)
		}
		w.want(r.ID, message.Sent, 1)
	}
}
