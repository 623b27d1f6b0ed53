package message_test

import (
	"testing"
	"time"

	m "github.com/opennotify/notify/pkg/message"
)

const (
	t0    = m.Time(1_767_225_600_000) // 2026-01-01
	pid   = "0100018c3f1a2b3c-1f2e3d4c-5b6a-7988-9a0b-1c2d3e4f5061-000000"
	lease = 35 * time.Second
)

// fresh is a message as intake accepts it, with every field a request can fill.
func fresh(class m.Class) m.Message {
	return m.Message{
		ID: m.NewID("0123456789abcdefghjkmnpq0", m.ULIDFloor(t0)), Tenant: "order-system", Owner: "Wang Xiaoming", Key: "k7x2m9p4qa",
		IP: "203.0.113.77", Trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", Request: "req_01jgfjjz00abcdefghjkmnpq",
		Channel: m.SMS, Class: class, Template: m.Ref{Name: "order-shipped", Version: 12, Locale: "zh-CN"}, Reference: "order-20260101-000123",
		Segments: 2, Region: "CN", Created: t0, Expires: t0.Add(class.Defaults().TTL), Claim: "c_0123456789abcdefghjkmnpq",
	}
}

// step is an event at a time.
type step struct {
	at m.Time
	e  m.Event
}

func after(d time.Duration, e m.Event) step { return step{t0.Add(d), e} }

func leased(d time.Duration) step {
	return after(d, m.Lease{Account: "tencent-main", Provider: "tencent-sms", Bound: "1234567", Until: t0.Add(d + lease)})
}

func answered(d time.Duration, epoch int, o m.Outcome) step {
	return after(d, m.Finish{Epoch: epoch, Result: m.Result{Outcome: o, ProviderID: pid, Code: "Ok", HTTPStatus: 200}, Next: t0.Add(d + 10*time.Second), Doubt: m.Await})
}

func unanswered(d time.Duration, epoch int, p m.InDoubtPolicy) step {
	return after(d, m.Finish{Epoch: epoch, Next: t0.Add(d + 10*time.Second), Doubt: p})
}

func reported(d time.Duration, epoch int, s m.ReceiptState) step {
	return after(d, m.Reported{Epoch: epoch, Receipt: m.Receipt{State: s, At: t0.Add(d)}})
}

// play applies steps of which none may be refused.
func play(t testing.TB, x m.Message, steps ...step) m.Message {
	t.Helper()
	for i, s := range steps {
		var err error
		if x, err = x.Apply(s.e, s.at); err != nil {
			t.Fatalf("step %d, %T: %v", i, s.e, err)
		}
	}
	return x
}

// specimens are the columns of the matrix: a message in every place of its life.
func specimens(t testing.TB) (names []string, all map[string]m.Message) {
	queued := m.New(fresh(m.Transactional), t0)
	x := fresh(m.Transactional)
	x.SendAt = t0.Add(time.Minute)
	scheduled := m.New(x, t0)
	x = fresh(m.Transactional)
	x.Hold, x.Fallback = true, true
	held := m.New(x, t0)
	sim := queued
	sim.Base, sim.Status, sim.Due = m.Simulated, m.Simulated, 0
	sending := play(t, queued, leased(0))
	sent := play(t, sending, answered(time.Second, 1, m.Accepted))
	all = map[string]m.Message{
		"held": held, "scheduled": scheduled, "queued": queued, "sending": sending, "sent": sent, "simulated": sim,
		"retry":       play(t, sending, answered(time.Second, 1, m.Retry)),
		"resend":      play(t, sending, unanswered(time.Second, 1, m.Resend)),
		"in_doubt":    play(t, sending, unanswered(time.Second, 1, m.Await)),
		"lost":        play(t, sending, after(lease, m.Lost{Doubt: m.Await})),
		"delivered":   play(t, sent, reported(2*time.Second, 1, m.ReceiptDelivered)),
		"undelivered": play(t, sent, reported(2*time.Second, 1, m.ReceiptUndelivered)),
		"bounced":     play(t, sent, reported(2*time.Second, 1, m.ReceiptBounced)),
		"complained":  play(t, sent, reported(2*time.Second, 1, m.ReceiptComplained)),
		"failed":      play(t, sending, answered(time.Second, 1, m.Permanent)),
		"given_up":    play(t, sending, after(lease, m.Lost{Doubt: m.GiveUp})),
		"expired":     play(t, queued, after(24*time.Hour, m.Expire{})),
		"cancelled":   play(t, queued, after(time.Second, m.Cancel{By: "ops"})),
		"suppressed":  play(t, queued, after(time.Second, m.Suppress{Why: "opt_out"})),
		"dead":        play(t, queued, after(time.Second, m.Poison{Why: "panic"})),
	}
	names = []string{"held", "scheduled", "queued", "retry", "resend", "sending", "sent", "in_doubt", "lost", "delivered", "undelivered", "bounced",
		"complained", "failed", "given_up", "expired", "cancelled", "suppressed", "dead", "simulated"}
	return names, all
}
