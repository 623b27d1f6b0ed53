package trace

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/message"
)

// short prints an entry: seconds since t0, event, and what it says.
func short(e Entry) string {
	s := fmt.Sprintf("%.1f %s", float64(e.At-t0)/1000, e.Event)
	if e.Attempt != nil {
		s += fmt.Sprintf(" #%d", e.Attempt.Epoch)
		if e.Event == Attempted {
			s += fmt.Sprintf(" %q %dms", e.Attempt.Outcome, e.Attempt.Millis)
		}
		if e.Attempt.Repeats > 0 {
			s += fmt.Sprintf(" x%d", e.Attempt.Repeats)
		}
	}
	if e.Receipt != nil {
		s += " " + e.Receipt.State
	}
	for _, word := range []string{e.By, e.Why, string(e.Status)} {
		if word != "" {
			s += " " + word
		}
	}
	if e.Until > 0 {
		s += fmt.Sprintf(" until %.1f", float64(e.Until-t0)/1000)
	}
	if e.Repeats > 0 {
		s += fmt.Sprintf(" x%d", e.Repeats)
	}
	return s
}

func TestTimeline(t *testing.T) {
	t.Parallel()
	plain := message.Message{Key: "k7", IP: "203.0.113.7", Request: "req_1", Trace: "00-4b"}
	later := message.Message{SendAt: t0 + hour}
	held := message.Message{Hold: true, Fallback: true, Place: 1}
	for _, c := range []struct {
		name  string
		m     message.Message
		steps []step
		want  string
	}{
		{"delivered", plain, []step{lease(second), answer(1300, 1, message.Accepted, ""), receipt(3*second, 1, message.ReceiptDelivered, "DELIVRD")},
			`0.0 requested key:k7 / 0.0 accepted / 0.0 queued / 1.0 leased #1 / 1.3 attempt #1 "sent" 300ms / 3.0 receipt #1 delivered / 3.0 ended delivered`},
		{"the provider's clock is behind", plain, []step{lease(second), answer(1300, 1, message.Accepted, ""), receipt(second, 1, message.ReceiptDelivered, "")},
			`0.0 requested key:k7 / 0.0 accepted / 0.0 queued / 1.0 leased #1 / 1.3 attempt #1 "sent" 300ms / 1.3 receipt #1 delivered / 1.3 ended delivered`},
		{"a worker's clock is behind", plain, []step{lease(-second), answer(second, 1, message.Accepted, "")},
			`0.0 requested key:k7 / 0.0 accepted / 0.0 queued / 0.0 leased #1 / 1.0 attempt #1 "sent" 2000ms`},
		{"under way", plain, []step{lease(second)},
			`0.0 requested key:k7 / 0.0 accepted / 0.0 queued / 1.0 leased #1 / 1.0 attempt #1 "" 0ms`},
		{"scheduled", later, nil, `0.0 requested / 0.0 accepted / 0.0 scheduled until 3600.0`},
		{"scheduled and cancelled", later, []step{{t0 + minute, message.Cancel{By: "ops", Why: "wrong price"}}},
			`0.0 requested / 0.0 accepted / 0.0 scheduled until 3600.0 / 60.0 cancelled ops wrong price / 60.0 ended cancelled cancelled`},
		{"scheduled and sent", later, []step{lease(hour), answer(hour+second, 1, message.Accepted, "")},
			`0.0 requested / 0.0 accepted / 0.0 scheduled until 3600.0 / 3600.0 queued / 3600.0 leased #1 / 3601.0 attempt #1 "sent" 1000ms`},
		{"held", held, nil, `0.0 requested / 0.0 accepted / 0.0 held`},
		{"held, not needed", held, []step{{t0 + minute, message.Cancel{By: "fallback", Code: "not_needed"}}},
			`0.0 requested / 0.0 accepted / 0.0 held / 60.0 cancelled fallback / 60.0 ended not_needed cancelled`},
		{"held, then its turn", held, []step{{t0 + minute, message.Activate{}}, lease(2 * minute)},
			`0.0 requested / 0.0 accepted / 0.0 held / 60.0 queued / 60.0 activated / 120.0 leased #1 / 120.0 attempt #1 "" 0ms`},
		{"deferred and requeued", plain, []step{{t0 + second, message.Wait{Until: t0 + minute, Why: "limit"}}, {t0 + 2*second, message.Wait{Until: t0 + minute, Why: "limit"}},
			{t0 + minute, message.Requeue{}}},
			`0.0 requested key:k7 / 0.0 accepted / 0.0 queued / 2.0 deferred limit x1 / 60.0 requeued`},
		{"ended by intake", message.Message{Status: message.Suppressed, Base: message.Suppressed, Reason: "opt_out"}, nil,
			`0.0 requested / 0.0 accepted / 0.0 ended opt_out suppressed`},
		{"redriven", plain, []step{lease(second), answer(2*second, 1, message.Permanent, "E1"), {t0 + minute, message.Redrive{By: "ops", Why: "fixed"}}},
			`0.0 requested key:k7 / 0.0 accepted / 0.0 queued / 1.0 leased #1 / 2.0 attempt #1 "permanent" 1000ms / 60.0 redriven ops fixed`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := play(t, c.m, c.steps...)
			var got []string
			for _, e := range Timeline(&m) {
				got = append(got, short(e))
			}
			if diff := cmp.Diff(strings.Split(c.want, " / "), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTimelineSaysWhoAsked(t *testing.T) {
	t.Parallel()
	m := play(t, message.Message{Key: "k7", IP: "203.0.113.7", Request: "req_1", Trace: "00-4b"}, lease(second), answer(2*second, 1, message.Retry, "E5"))
	all := Timeline(&m)
	if diff := cmp.Diff(Entry{At: t0, Event: Requested, By: "key:k7", IP: "203.0.113.7", Request: "req_1", Trace: "00-4b"}, all[0]); diff != "" {
		t.Error(diff)
	}
	want := &Attempt{Epoch: 1, Account: "tencent-main", Provider: "tencent-sms", Outcome: "retry", ProviderID: "p1", HTTPStatus: 200, Code: "E5", Millis: 1000}
	if diff := cmp.Diff(want, all[len(all)-1].Attempt); diff != "" {
		t.Error(diff)
	}
}

// Whatever happens to a message, and whatever other machines' clocks say, its timeline is in order, and
// everything that the record has is in it.
func TestTimelineIsInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := anyLife(t)
		all := Timeline(&m)
		count := map[string]int{}
		for i, e := range all {
			count[e.Event]++
			if i > 0 && e.At < all[i-1].At {
				t.Fatalf("%s comes after %s", short(e), short(all[i-1]))
			}
		}
		receipts := 0
		for _, a := range m.Attempts {
			receipts += len(a.Receipts)
		}
		if all[0].Event != Requested || count[Leased] != len(m.Attempts) || count[Attempted] != len(m.Attempts) || count[Reported] != receipts {
			t.Fatalf("%v for %+v", count, m)
		}
		if ended := count[Ended] == 1; ended != m.Status.Terminal() {
			t.Fatalf("%s, but ended is %v", m.Status, ended)
		}
	})
}

// anyLife plays random events at random times; those that the message refuses leave it as it was.
func anyLife(t *rapid.T) message.Message {
	m := message.Message{ID: message.NewID("0123456789abcdefghjkmnpq0", message.ULIDFloor(t0)), Tenant: "order", Created: t0, Expires: t0 + oneDay,
		Channel: rapid.SampledFrom([]message.Channel{message.SMS, message.Email, message.Push, "carrier-pigeon"}).Draw(t, "channel"),
		Class:   rapid.SampledFrom(message.Classes()).Draw(t, "class"), Hold: rapid.Bool().Draw(t, "hold")}
	if m.Fallback = m.Hold; rapid.Bool().Draw(t, "later") {
		m.SendAt = t0 + hour
	}
	m = message.New(m, t0)
	now := t0
	for range rapid.IntRange(0, 14).Draw(t, "events") {
		now += message.Time(rapid.IntRange(0, int(2*hour)).Draw(t, "after"))
		epoch := rapid.IntRange(max(m.Epoch-1, 0), m.Epoch).Draw(t, "epoch")
		outcome := message.Outcome(rapid.IntRange(0, 7).Draw(t, "outcome"))
		doubt := rapid.SampledFrom([]message.InDoubtPolicy{message.Await, message.Resend, message.GiveUp}).Draw(t, "doubt")
		why := rapid.SampledFrom([]string{"", "limit", "no_account", "no_binding", "account_unusable", "erased", "not_rendered", "bounce", "not_needed"}).Draw(t, "why")
		e := rapid.SampledFrom([]message.Event{
			message.Lease{Account: "a", Provider: "tencent-sms", Until: now + 35*second},
			message.Lease{Account: "b", Provider: "smtp", Until: now + 35*second},
			message.Finish{Epoch: epoch, Next: now + minute, Doubt: doubt, Result: message.Result{Outcome: outcome, Code: "E1"}},
			message.Reported{Epoch: epoch, Receipt: message.Receipt{State: message.ReceiptState(1 + epoch%5), At: now - hour}},
			message.Lost{Doubt: doubt, Next: now}, message.Resolve{}, message.Wait{Until: now + minute, Why: why}, message.Requeue{},
			message.Activate{}, message.Expire{}, message.Cancel{By: "key:k1", Why: why}, message.Suppress{Why: why},
			message.Fail{Why: why}, message.Poison{Why: why}, message.Redrive{By: "ops"},
		}).Draw(t, "event")
		m, _ = m.Apply(e, now)
	}
	return m
}

// Who asked is a key or a person; why somebody asked again is no step of the way.
func TestTimelineOfResends(t *testing.T) {
	t.Parallel()
	for key, by := range map[string]string{"": "", "abc": "key:abc", "user:li": "user:li"} {
		m := message.Message{Created: 1000, Key: key, Base: message.Suppressed, Status: message.Suppressed, Reason: "opt_out",
			Notes: []message.Note{{At: 1000, What: "resent", By: by, Why: "once more"}}}
		var got []string
		for _, e := range Timeline(&m) {
			got = append(got, e.Event+" "+e.By)
		}
		want := []string{"requested " + by, "accepted ", "resent " + by, "ended "}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q: %s", key, d)
		}
	}
}
