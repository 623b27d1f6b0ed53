package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/delivery"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
)

func TestNewWantsEveryPort(t *testing.T) {
	t.Parallel()
	if _, err := delivery.New(delivery.Ports{}); err == nil {
		t.Error("no ports, no error")
	}
}

// The happy path: a write for the lease, a write for the outcome, no read.
func TestTwoWritesNoRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.accept(message.Transactional)
	w.handle(w.hint(first)) // reads the data keys of the day
	r := w.accept(message.Transactional)
	body := w.hint(r)
	w.reads, w.writes = 0, 0
	if again := w.handle(body); again != 0 || w.reads != 0 || w.writes != 2 {
		t.Errorf("%d again, %d reads, %d writes", again, w.reads, w.writes)
	}
	r = w.want(r.ID, message.Sent, 1)
	if c := w.callsOf(r.ID)[0]; c.Content.Text != "Your code is "+canary || c.To != "+8613800138000" || c.Key != string(r.ID) || c.Epoch != 1 || r.Due != 0 || r.Last().ProviderID != "p" {
		t.Errorf("%+v of %+v", c, r)
	}
	if strings.Contains(w.logs.String(), canary) {
		t.Error(w.logs)
	}
}

// A hint may come five times at once, in any order, and be older than the record.
func TestRepeatedHints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 20 {
		r := w.accept(message.OTP)
		bodies := [][]byte{store.BareHint(r.ID), w.hint(r), w.hint(r)}
		r = w.apply(r.ID, message.Requeue{})
		bodies = append(bodies, w.hint(r), w.hint(r))
		w.random.Shuffle(len(bodies), func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				if again := w.handle(bodies...); again != 0 {
					t.Errorf("%d hints come again", again)
				}
			})
		}
		all.Wait()
		w.want(r.ID, message.Sent, 1)
	}
}

// A message that has to wait has one hint, however many copies of the one before there are.
func TestCopiesDoNotStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send = func(context.Context, provider.Call) message.Result { return answer(message.Retry) }
	r := w.accept(message.Transactional)
	copies := [][]byte{w.hint(r), w.hint(r), w.hint(r)}
	w.items = nil
	for _, body := range copies {
		if again := w.handle(body); again != 0 {
			t.Errorf("%d come again", again)
		}
	}
	if r = w.record(r.ID); len(w.items) != 1 || r.Epoch != 1 || r.Next <= w.now() {
		t.Errorf("%d hints, after %d attempts", len(w.items), r.Epoch)
	}
}

func answer(o message.Outcome) message.Result {
	return message.Result{Outcome: o, Code: "E1", Text: "no"}
}

// Each row answers the calls in order; the last answer stays.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	const sent, permanent, account, throttled, retry, refresh, later, unknown = message.Accepted, message.Permanent, message.AccountFault,
		message.Throttled, message.Retry, message.Refresh, message.Defer, message.Unknown
	type row struct {
		name   string
		class  message.Class
		dedup  bool
		two    bool // accounts
		says   []message.Outcome
		want   message.Status
		calls  int
		used   string // accounts
		tries  int
		reason string
	}
	tests := []row{
		{"sent", message.OTP, false, false, []message.Outcome{sent}, message.Sent, 1, "a1", 0, ""},
		{"permanent", message.OTP, false, true, []message.Outcome{permanent}, message.Failed, 1, "a1", 0, "E1"},
		{"account, then the other", message.Transactional, false, true, []message.Outcome{account, sent}, message.Sent, 2, "a1 a2", 1, ""},
		{"accounts, one after the other", message.OTP, false, true, []message.Outcome{account}, message.Dead, 4, "a1 a2 a1 a1", 4, "E1"},
		{"throttled", message.OTP, false, false, []message.Outcome{throttled, throttled, throttled, throttled, throttled, throttled, sent}, message.Sent, 7, "a1 a1 a1 a1 a1 a1 a1", 0, ""},
		{"defer", message.Transactional, false, false, []message.Outcome{later, later, sent}, message.Sent, 3, "a1 a1 a1", 0, ""},
		{"defer beyond its time", message.OTP, false, false, []message.Outcome{later}, message.Expired, 5, "a1 a1 a1 a1 a1", 0, "E1"},
		{"retry", message.OTP, false, true, []message.Outcome{retry, retry, sent}, message.Sent, 3, "a1 a1 a1", 2, ""},
		{"retry, used up", message.OTP, false, false, []message.Outcome{retry}, message.Dead, 4, "a1 a1 a1 a1", 4, "E1"},
		{"refresh", message.OTP, false, true, []message.Outcome{refresh, sent}, message.Sent, 2, "a1 a1", 0, ""},
		{"refresh twice", message.OTP, false, true, []message.Outcome{refresh, refresh, sent}, message.Sent, 3, "a1 a1 a2", 1, ""},
		{"refresh twice, alone", message.OTP, false, false, []message.Outcome{refresh, refresh, sent}, message.Sent, 3, "a1 a1 a1", 1, ""},
		{"unknown otp: resend", message.OTP, false, false, []message.Outcome{unknown, sent}, message.Sent, 2, "a1 a1", 1, ""},
		{"unknown otp: to the end", message.OTP, false, false, []message.Outcome{unknown}, message.Failed, 4, "a1 a1 a1 a1", 4, "E1"},
		{"unknown transactional: await", message.Transactional, false, false, []message.Outcome{unknown, sent}, message.Failed, 1, "a1", 1, "E1"},
		{"unknown marketing: give up", message.Marketing, false, false, []message.Outcome{unknown, sent}, message.Failed, 1, "a1", 1, "E1"},
		{"unknown, provider dedups", message.Marketing, true, false, []message.Outcome{unknown, unknown, sent}, message.Sent, 3, "a1 a1 a1", 2, ""},
		{"an outcome that does not exist", message.Marketing, false, false, []message.Outcome{99}, message.Failed, 1, "a1", 1, "E1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.dedup = tt.dedup
			if tt.two {
				w.accounts = append(w.accounts, config.Account{Name: "a2", Provider: "fake", Channel: message.SMS})
			}
			n := 0
			w.send = func(context.Context, provider.Call) message.Result {
				n++
				return answer(tt.says[min(n, len(tt.says))-1])
			}
			r := w.accept(tt.class)
			w.hint(r)
			w.settle(80 * time.Hour)
			r = w.want(r.ID, tt.want, tt.calls)
			if r.Tries != tt.tries || r.Reason != tt.reason || r.Todo != 0 || r.Due != 0 {
				t.Errorf("%+v", r.Message)
			}
			var used []string
			for _, c := range w.callsOf(r.ID) {
				used = append(used, c.account)
				if c.Key != string(r.ID) {
					t.Errorf("key %s", c.Key)
				}
			}
			if got := strings.Join(used, " "); got != tt.used {
				t.Errorf("accounts %s, want %s", got, tt.used)
			}
			if dead := w.dead(); (len(dead) == 1) != (tt.want == message.Dead) {
				t.Errorf("dead-letter copies: %s", dead)
			}
		})
	}
}

// Every gap is inside the back-off of its class, or what the provider asked for, and never shorter.
func TestBackoffBounds(t *testing.T) {
	t.Parallel()
	for _, class := range message.Classes() {
		for _, after := range []time.Duration{0, 3 * time.Second, 20 * time.Minute, 100 * time.Hour} {
			w := newWorld(t)
			w.send = func(context.Context, provider.Call) message.Result {
				return message.Result{Outcome: message.Retry, After: after}
			}
			r := w.accept(class)
			w.hint(r)
			w.settle(80 * time.Hour)
			calls, d := w.callsOf(r.ID), class.Defaults()
			for i := 1; i < len(calls); i++ {
				gap := calls[i].at.Sub(calls[i-1].at)
				top := max(min(d.BackoffMin<<(i-1), d.BackoffMax), min(after, 6*time.Hour))
				if low := max(d.Backoff(i, 0), min(after, 6*time.Hour)); gap < low || gap > top+51*time.Second { // a long wait ends with the first sweep after its grace
					t.Errorf("%s after %s, gap %d: %s, want %s to %s", class, after, i, gap, low, top)
				}
			}
			if n := len(calls); n == d.Attempts {
				w.want(r.ID, message.Dead, n)
			} else {
				w.want(r.ID, message.Expired, n)
			}
		}
	}
}

// A panic in a provider is in doubt, and its text, which may hold what was sent, is not logged.
func TestProviderPanics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send = func(_ context.Context, c provider.Call) message.Result { panic("cannot send " + c.Content.Text) }
	a, b := w.accept(message.Transactional), w.accept(message.Transactional)
	if again := w.handle(w.hint(a), w.hint(b)); again != 0 {
		t.Errorf("%d come again", again)
	}
	if r := w.want(a.ID, message.InDoubt, 1); r.Reason != "panic" {
		t.Error(r.Reason)
	}
	w.want(b.ID, message.InDoubt, 1)
	if logs := w.logs.String(); strings.Contains(logs, canary) || !strings.Contains(logs, "panic in a provider") {
		t.Error(logs)
	}
}

// A provider that does not answer gets 10 s; the outcome is written although the caller has gone.
func TestSlowProvider(t *testing.T) {
	t.Parallel()
	for _, cancelled := range []bool{false, true} {
		t.Run(fmt.Sprint(cancelled), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				r := w.accept(message.Transactional)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				w.send = func(ctx context.Context, _ provider.Call) message.Result {
					if cancelled {
						cancel()
					}
					<-ctx.Done()
					return provider.Fault(ctx.Err(), true)
				}
				began := time.Now()
				body := w.hint(r)
				again := w.delivery.Handle(ctx, items(body))
				took := time.Since(began)
				if want := provider.Timeout; len(again) != 0 || !cancelled && took != want || cancelled && took != 0 {
					t.Errorf("%v again after %s", again, took)
				}
				want := map[bool]string{false: provider.CodeTimeout, true: provider.CodeCanceled}[cancelled]
				if r := w.want(r.ID, message.InDoubt, 1); r.Last().Code != want {
					t.Errorf("%+v", r.Last())
				}
			})
		})
	}
}

// Before the lease a caller who has gone is no attempt.
func TestGoneBeforeTheLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.accept(message.OTP)
	body := w.hint(r)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if again := w.delivery.Handle(ctx, items(body)); len(again) != 1 {
		t.Errorf("%v", again)
	}
	w.want(r.ID, message.Queued, 0)
	w.settle(time.Hour)
	w.want(r.ID, message.Sent, 1)
}

// An account that cannot be opened is passed over, and the message waits only if none can.
func TestAccountsThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts = append(w.accounts, config.Account{Name: "a2", Provider: "fake", Channel: message.SMS})
	w.unopened["a1"] = errors.New("field \"token\" is required")
	r := w.accept(message.OTP)
	w.handle(w.hint(r))
	if r := w.want(r.ID, message.Sent, 1); r.Last().Account != "a2" {
		t.Error(r.Last().Account)
	}
	w.unopened["a2"] = errors.New("the vault is away")
	r = w.accept(message.OTP)
	w.handle(w.hint(r))
	if r := w.want(r.ID, message.Queued, 0); r.Reason != "account_unusable" || len(r.Attempts) != 0 {
		t.Errorf("%+v", r.Message)
	}
	w.advance(2 * time.Minute)
	clear(w.unopened)
	w.settle(time.Hour)
	w.want(r.ID, message.Sent, 1)
}

// No account at all is a wait until one is switched on, or the message's time is over.
func TestNoAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	accounts := w.accounts
	w.accounts = []config.Account{{Name: "a1", Provider: "fake", Channel: message.SMS, Off: true}}
	saved, lost := w.accept(message.Transactional), w.accept(message.OTP)
	w.handle(w.hint(saved), w.hint(lost))
	w.settleUntil(lost.ID, message.Expired)
	w.accounts = accounts
	w.settle(time.Hour)
	w.want(saved.ID, message.Sent, 1)
	w.want(lost.ID, message.Expired, 0)
}

// Time has passed since intake looked: a suppression is looked up again before every further attempt.
func TestSuppressedMeanwhile(t *testing.T) {
	t.Parallel()
	for _, ch := range []message.Channel{message.SMS, "carrier-pigeon"} {
		w := newWorld(t)
		w.send = func(context.Context, provider.Call) message.Result { return answer(message.Retry) }
		w.accounts[0].Channel = ch
		r := w.accept(message.Transactional, func(m *message.Message) { m.Channel = ch })
		w.handle(w.hint(r))
		w.want(r.ID, message.Queued, 1)
		kind := message.Phone
		if ch != message.SMS {
			kind = message.Account
		}
		if err := w.raw.PutSuppression(t.Context(), system, w.now(), kind, "+8613800138000", suppress.Entry{Reason: suppress.Bounce}); err != nil {
			t.Fatal(err)
		}
		w.settle(time.Hour)
		w.want(r.ID, message.Suppressed, 1)
	}
}

// Whatever text of a caller's is in a record, its hint goes into a queue: no queue takes the last two characters of a
// plane, which JSON holds as they are.
func TestHintOfAnyText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"\uffff", "a\ufffe\uffffb", "\x7f<\u2028>\"\\", "\U0001ffff"} {
		w := newWorld(t)
		w.send = func(context.Context, provider.Call) message.Result { return message.Result{Outcome: message.Retry} }
		r := w.accept(message.Transactional, func(m *message.Message) { m.Reference = text })
		w.hint(r)
		w.deliver() // puts the hint of the next try
		w.want(r.ID, message.Queued, 1)
		w.send = func(context.Context, provider.Call) message.Result { return message.Result{Outcome: message.Accepted} }
		w.advance(time.Hour)
		w.deliver()
		if r = w.want(r.ID, message.Sent, 2); r.Reference != text {
			t.Errorf("%+q became %+q", text, r.Reference)
		}
	}
}
