package message_test

import (
	"strings"
	"testing"
	"time"

	"encoding/json"
	"github.com/google/go-cmp/cmp"

	m "github.com/opennotify/notify/pkg/message"
)

// Stories are sequences that once lost a message, its work, or its honesty, or sent it twice.
func TestStories(t *testing.T) {
	t.Parallel()
	const soon, later = time.Second, time.Minute
	otp := m.New(fresh(m.OTP), t0)
	usual := m.New(fresh(m.Transactional), t0)
	x := fresh(m.Transactional)
	x.Fallback, x.Watch = true, 300
	fallback := m.New(x, t0)
	x.Hold, x.SendAt = true, t0.Add(time.Hour)
	held := m.New(x, t0)
	told := fallback
	told.Tell = m.TellOf(m.Sent, m.InDoubt)
	refresh := func(d time.Duration, epoch int) []step {
		return []step{leased(d), answered(d+soon, epoch, m.Refresh)}
	}
	for name, c := range map[string]struct {
		from   m.Message
		steps  []step
		status m.Status
		tries  int
		todo   m.Todo
		due    m.Time
	}{
		"a receipt before the answer leaves its work due": {otp,
			[]step{leased(0), reported(soon, 1, m.ReceiptDelivered), answered(later, 1, m.Accepted)},
			m.Delivered, 0, m.BlankVars, t0.Add(soon + m.Grace)},
		"an answer in doubt does not put off the work of a receipt": {fallback,
			[]step{leased(0), reported(soon, 1, m.ReceiptDelivered), unanswered(later, 1, m.Await)},
			m.Delivered, 1, m.TellSiblings, t0.Add(soon + m.Grace)},
		"the watch runs from the first word": {fallback,
			[]step{leased(0), reported(soon, 1, m.ReceiptSent), answered(later, 1, m.Accepted)},
			m.Sent, 0, m.TellSiblings, t0.Add(soon + 300*time.Second)},
		"who was told does not cut the watch short": {told,
			[]step{leased(0), answered(soon, 1, m.Accepted), after(2*soon, m.Settle{Done: m.TellTenant})},
			m.Sent, 0, m.TellSiblings, t0.Add(2*soon + 300*time.Second)},
		"nor that of a doubt": {told,
			[]step{leased(0), unanswered(soon, 1, m.Await), after(2*soon, m.Settle{Done: m.TellTenant})},
			m.InDoubt, 1, m.TellSiblings, t0.Add(2*soon + 300*time.Second)},
		"what bounced is not sent again because its worker died": {usual,
			[]step{leased(0), reported(soon, 1, m.ReceiptBounced), unanswered(later, 1, m.Resend)},
			m.Bounced, 1, m.ReleaseClaim | m.SuppressAddress, t0.Add(soon + m.Grace)},
		"a code that opts out is a reason, whichever part says it": {usual,
			[]step{leased(0), reported(soon, 1, m.ReceiptUndelivered), after(later, m.Settle{Done: m.ReleaseClaim}),
				after(2*later, m.Reported{Epoch: 1, Receipt: m.Receipt{Part: 1, State: m.ReceiptUndelivered, Suppress: "opt_out"}})},
			m.Undelivered, 0, m.SuppressAddress, t0.Add(2*later + m.Grace)},
		"what was delivered after all is no reason": {usual,
			[]step{leased(0), after(soon, m.Reported{Epoch: 1, Receipt: m.Receipt{State: m.ReceiptUndelivered, Suppress: "bounce"}}), reported(later, 1, m.ReceiptDelivered)},
			m.Delivered, 0, 0, 0},
		"a refusal whose code is a reason": {usual,
			[]step{leased(0), after(soon, m.Finish{Epoch: 1, Result: m.Result{Outcome: m.Permanent}, Suppress: "bounce"})},
			m.Failed, 0, m.ReleaseClaim | m.SuppressAddress, t0.Add(soon + m.Grace)},
		"a fault that passes is none, whatever its code": {usual,
			[]step{leased(0), after(soon, m.Finish{Epoch: 1, Result: m.Result{Outcome: m.Throttled}, Next: t0.Add(later), Suppress: "bounce"})},
			m.Queued, 0, 0, t0.Add(later + m.Grace)},
		"a retry stops when the lost attempt is reported sent": {usual,
			[]step{leased(0), after(later, m.Lost{Next: t0.Add(2 * later), Doubt: m.Resend}), reported(later+soon, 1, m.ReceiptSent)},
			m.Sent, 1, 0, 0},
		"a late acceptance after giving up is sent": {m.New(fresh(m.Marketing), t0),
			[]step{leased(0), after(later, m.Lost{Doubt: m.GiveUp}), answered(2*later, 1, m.Accepted)},
			m.Sent, 1, 0, 0},
		"an acceptance while the next attempt is out prevents a third": {usual,
			[]step{leased(0), after(later, m.Lost{Doubt: m.Resend}), leased(later), answered(later+soon, 1, m.Accepted), answered(later+2*soon, 2, m.Retry)},
			m.Sent, 2, 0, 0},
		"bad news of the accepted attempt counts though a later one was refused": {usual,
			[]step{leased(0), after(later, m.Lost{Doubt: m.Resend}), leased(later), answered(later+soon, 1, m.Accepted), answered(later+2*soon, 2, m.Retry),
				reported(2*later, 1, m.ReceiptUndelivered)},
			m.Undelivered, 2, m.ReleaseClaim, t0.Add(2*later + m.Grace)},
		"an attempt counts once, lost and then answered": {usual,
			[]step{leased(0), after(later, m.Lost{Doubt: m.Await}), answered(2*later, 1, m.Retry)},
			m.Queued, 1, 0, t0.Add(2*later + 10*time.Second + m.Grace)},
		"a throttled attempt does not count, lost before or not": {usual,
			[]step{leased(0), after(later, m.Lost{Doubt: m.Await}), answered(2*later, 1, m.Throttled)},
			m.Queued, 0, 0, t0.Add(2*later + 10*time.Second + m.Grace)},
		"a token is refreshed once for nothing": {usual, append(refresh(0, 1), refresh(later, 2)...),
			m.Queued, 1, 0, t0.Add(later + soon + 10*time.Second + m.Grace)},
		"a token that stays stale uses up the attempts": {otp,
			append(append(append(append(refresh(0, 1), refresh(later, 2)...), refresh(2*later, 3)...), refresh(3*later, 4)...), refresh(4*later, 5)...),
			m.Dead, 4, m.ReleaseClaim | m.CopyToDLQ, t0.Add(4*later + soon + m.Grace)},
		"a stray requeue does not end a doubt early": {usual,
			[]step{leased(0), unanswered(soon, 1, m.Await), after(later, m.Requeue{})},
			m.InDoubt, 1, 0, t0.Add(2 * later)},
		"a requeue does not keep a doubt alive": {usual,
			[]step{leased(0), unanswered(soon, 1, m.Await), after(m.AwaitReceipt+later, m.Requeue{}), after(m.AwaitReceipt+later, m.Resolve{})},
			m.Failed, 1, m.ReleaseClaim, t0.Add(m.AwaitReceipt + later + m.Grace)},
		"bad news waits while the next attempt may arrive": {usual,
			[]step{leased(0), after(later, m.Lost{Doubt: m.Resend}), leased(later), reported(later+soon, 1, m.ReceiptBounced), unanswered(later+2*soon, 2, m.Await)},
			m.InDoubt, 2, 0, t0.Add(later + 2*soon + m.AwaitReceipt)},
		"work is done piece by piece": {otp,
			[]step{after(soon, m.Poison{}), after(2*soon, m.Settle{Done: m.ReleaseClaim})},
			m.Dead, 0, m.CopyToDLQ, t0.Add(soon + m.Grace)},
		"resending ends with the attempts": {otp,
			[]step{leased(0), unanswered(0, 1, m.Resend), leased(later), unanswered(later, 2, m.Resend), leased(2 * later), unanswered(2*later, 3, m.Resend),
				leased(3 * later), unanswered(3*later, 4, m.Resend)},
			m.InDoubt, 4, 0, t0.Add(3*later + m.AwaitReceipt)},
		"a redrive begins a round": {usual,
			[]step{leased(0), unanswered(soon, 1, m.Await), after(later, m.Redrive{By: "ops"})},
			m.Queued, 0, 0, t0.Add(later + m.Grace)},
		"a held message that failed can be redriven, in its time": {held,
			[]step{after(soon, m.Fail{Why: "no_account"}), after(later, m.Redrive{By: "ops"}), after(time.Hour, m.Lease{Until: t0.Add(2 * time.Hour)})},
			m.Sending, 0, 0, t0.Add(time.Hour)},
		"a sibling that goes early keeps its own time": {held, []step{after(soon, m.Activate{})},
			m.Scheduled, 0, 0, t0.Add(time.Hour)},
		"part of a message delivered while the next attempt is out stays in sight": {usual,
			[]step{leased(0), after(later, m.Lost{Doubt: m.Resend}), leased(later), reported(later+soon, 1, m.ReceiptDelivered),
				after(later+2*soon, m.Reported{Epoch: 1, Receipt: m.Receipt{Part: 1, State: m.ReceiptUndelivered}})},
			m.Sending, 1, 0, t0.Add(later + lease)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := play(t, c.from, c.steps...)
			if got.Status != c.status || got.Tries != c.tries || got.Todo != c.todo || got.Due != c.due {
				t.Errorf("%s (tries %d, todo %b, due %s), want %s (%d, %b, %s)", got.Status, got.Tries, got.Todo, got.Due, c.status, c.tries, c.todo, c.due)
			}
		})
	}
}

// Throttling may go on for days, on two accounts in turn; redriving as long as it likes.
func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	x := m.New(fresh(m.Marketing), t0)
	text := strings.Repeat("<\x00\xff", 50)
	for i := range 400 {
		d := time.Duration(i) * 10 * time.Minute
		account := []string{"tencent-main", "tencent-spare"}[i%2]
		x = play(t, x, after(d, m.Lease{Account: account, Provider: "tencent-sms", Until: t0.Add(d + lease)}),
			after(d+time.Second, m.Finish{Epoch: i + 1, Result: m.Result{Outcome: m.Throttled, Code: text, Text: text, ProviderID: text}, Next: t0.Add(d + time.Minute)}),
			after(d+2*time.Second, m.Wait{Until: t0.Add(d + time.Minute), Why: "limit"}),
			after(d+3*time.Second, m.Fail{Why: "no_account", Text: text}), after(d+4*time.Second, m.Redrive{By: text, Why: text}))
		if b := encode(t, x); len(b) >= 4096 {
			t.Fatalf("%d bytes after %d rounds: %s", len(b), i+1, b)
		}
	}
	if x.Last().Epoch != 400 || x.Last().Code == "" {
		t.Errorf("the newest attempt is not kept: %+v", x.Last())
	}
	// A receipt for an attempt that is kept no more still counts.
	if x = play(t, x, reported(100*time.Hour, 3, m.ReceiptDelivered)); x.Status != m.Delivered {
		t.Errorf("late receipt: %s", x.Status)
	}
}

// What other attempts' receipts say at length takes nothing from an older one that was delivered.
func TestFloodKeepsTheDelivery(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("<", 100)
	x := play(t, m.New(fresh(m.Transactional), t0), leased(0), after(time.Minute, m.Lost{Doubt: m.Resend}), leased(time.Minute),
		after(2*time.Minute, m.Lost{Doubt: m.Resend}), leased(2*time.Minute), reported(121*time.Second, 1, m.ReceiptDelivered))
	for part := range 8 {
		for s := m.ReceiptSent; s <= m.ReceiptBounced; s++ {
			r := m.Receipt{Part: part, State: s, At: t0.Add(time.Minute), Code: text, Text: text}
			x = play(t, x, after(3*time.Minute, m.Reported{Epoch: 3, Receipt: r}), after(3*time.Minute, m.Reported{Epoch: 2, Receipt: r}))
			if b := encode(t, x); len(b) >= 4096 || x.Status != m.Delivered {
				t.Fatalf("%s, %d bytes: %s", x.Status, len(b), b)
			}
		}
	}
	for _, epoch := range []int{2, 3} {
		if a := x.Attempt(epoch); a == nil || a.Receipt() != m.ReceiptBounced {
			t.Errorf("attempt %d: %+v", epoch, a)
		}
	}
}

// A worker that is lost changes nothing when a receipt was there before.
func TestLostAfterAReceipt(t *testing.T) {
	t.Parallel()
	for s := m.ReceiptSent; s <= m.ReceiptComplained; s++ {
		x := play(t, m.New(fresh(m.Transactional), t0), leased(0), reported(time.Second, 1, s))
		for _, p := range []m.InDoubtPolicy{m.Resend, m.Await, m.GiveUp} {
			if got, err := x.Apply(m.Lost{Doubt: p}, t0.Add(time.Minute)); err == nil {
				t.Errorf("lost after %s, %s: %s of %s", s, p, got.Status, got.Base)
			}
		}
	}
}

func TestReceiptsOfOneAttempt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		parts string // a letter a part's state, space between parts
		want  m.ReceiptState
	}{
		{"", m.ReceiptNone}, {"s", m.ReceiptSent}, {"sd", m.ReceiptDelivered}, {"ud", m.ReceiptDelivered},
		{"d s", m.ReceiptSent}, {"d u", m.ReceiptUndelivered}, {"d d d", m.ReceiptDelivered}, {"d b u", m.ReceiptBounced},
		{"db", m.ReceiptBounced}, {"d c", m.ReceiptComplained}, {"bc", m.ReceiptComplained}, {"s u", m.ReceiptUndelivered},
	} {
		states := map[rune]m.ReceiptState{'s': m.ReceiptSent, 'u': m.ReceiptUndelivered, 'd': m.ReceiptDelivered, 'b': m.ReceiptBounced, 'c': m.ReceiptComplained}
		var a m.Attempt
		for part, letters := range strings.Fields(c.parts) {
			for _, l := range letters {
				a.Receipts = append(a.Receipts, m.Receipt{Part: part, State: states[l]})
			}
		}
		if got := a.Receipt(); got != c.want {
			t.Errorf("%q: %s, want %s", c.parts, got, c.want)
		}
	}
}

func TestCompletedIsNotMovedByTheSweep(t *testing.T) {
	t.Parallel()
	x := play(t, m.New(fresh(m.Transactional), t0), after(time.Minute, m.Cancel{}), after(time.Hour, m.Requeue{}))
	if got, want := x.Completed(), t0.Add(time.Minute); got != want {
		t.Errorf("completed %s, want %s", got, want)
	}
	x = play(t, m.New(fresh(m.Transactional), t0), after(time.Minute, m.Wait{Until: t0.Add(25 * time.Hour), Why: "limit"}))
	if got, want := x.Completed(), t0.Add(time.Minute); got != want || x.Status != m.Expired {
		t.Errorf("%s at %s, want expired at %s", x.Status, got, want)
	}
}

// encode is the message as JSON, which loses nothing.
func encode(t interface{ Fatalf(string, ...any) }, x m.Message) string {
	b, err := json.Marshal(x)
	if err != nil {
		t.Fatalf("%v", err)
	}
	var back m.Message
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatalf("%v", err)
	}
	if d := cmp.Diff(x, back, cmp.Transformer("empty", func(a []m.Receipt) int { return len(a) })); d != "" {
		t.Fatalf("JSON loses something:\n%s", d)
	}
	return string(b)
}

func TestHotStateIsSmall(t *testing.T) {
	t.Parallel()
	for _, class := range m.Classes() {
		x := play(t, m.New(fresh(class), t0), leased(0), answered(time.Second, 1, m.Accepted), reported(2*time.Second, 1, m.ReceiptSent),
			reported(3*time.Second, 1, m.ReceiptDelivered))
		if b := encode(t, x); len(b) >= 1024 {
			t.Errorf("%s: %d bytes: %s", class, len(b), b)
		}
	}
}
