//go:build !race

package message_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	m "github.com/opennotify/notify/pkg/message"
)

// machine plays random events on one message while its clock grows, and watches what must always hold.
type machine struct {
	x   m.Message
	now m.Time
	// held is the lease that nobody has ended, until its time.
	held m.Time
	// ended: it had a terminal status and was not redriven since.
	ended bool
}

func TestApplyInvariants(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := fresh(rapid.SampledFrom(append(m.Classes(), m.Callback)).Draw(t, "class"))
		x.Tell = rapid.SampledFrom([]m.Tell{0, m.TellEnds(), m.TellOf(m.Sent, m.InDoubt, m.Delivered)}).Draw(t, "tell")
		x.Fallback, x.Watch = rapid.Bool().Draw(t, "fallback"), rapid.IntRange(0, 600).Draw(t, "watch")
		x.Hold = rapid.IntRange(0, 9).Draw(t, "hold") == 0
		x.SendAt = rapid.SampledFrom([]m.Time{0, 0, 0, t0.Add(time.Minute), t0.Add(time.Hour)}).Draw(t, "send_at")
		x.Expires += x.SendAt - min(x.SendAt, t0)
		s := &machine{x: m.New(x, t0), now: t0}
		s.always(t)
		t.Repeat(map[string]func(*rapid.T){"event": func(t *rapid.T) {
			s.apply(t, s.event(t))
			s.now = s.now.Add(rapid.SampledFrom(passes).Draw(t, "passes"))
		}})
		s.quiesce(t)
	})
}

// passes is by how much the clock grows between events: mostly little, or every code would expire.
var passes = []time.Duration{0, 0, 0, 0, 0, 0, time.Second, time.Second, time.Second, time.Second, time.Second, time.Second,
	36 * time.Second, 36 * time.Second, 2 * time.Minute, 3 * time.Hour}

// event is half of the time what a worker would do next, or else deep states were seldom reached.
func (s *machine) event(t *rapid.T) m.Event {
	if rapid.Bool().Draw(t, "likely") {
		switch x := s.x; {
		case x.Status == m.Scheduled && x.Hold:
			return m.Activate{}
		case x.Status == m.Queued, x.Status == m.Scheduled:
			s.now = max(s.now, x.SendAt, x.Next)
			return s.lease(t)
		case x.Status == m.Sending:
			return s.finish(t)
		case x.Status == m.InDoubt, x.Status == m.Dead, x.Status == m.Failed:
			return m.Redrive{By: "ops"}
		}
	}
	return rapid.SampledFrom([]func(*rapid.T) m.Event{s.lease, s.finish, s.lost, s.reported, s.steer}).Draw(t, "kind")(t)
}

func (s *machine) lease(t *rapid.T) m.Event {
	return m.Lease{Account: rapid.SampledFrom([]string{"tencent-main", "tencent-spare"}).Draw(t, "account"), Provider: "tencent-sms",
		Until: s.now.Add(rapid.SampledFrom([]time.Duration{0, lease, lease, lease}).Draw(t, "lease"))}
}

func (s *machine) finish(t *rapid.T) m.Event {
	return m.Finish{
		Epoch: max(s.x.Epoch-rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "back"), 0),
		Result: m.Result{Outcome: m.Outcome(rapid.IntRange(0, 8).Draw(t, "outcome")), ProviderID: rapid.SampledFrom([]string{"", pid}).Draw(t, "pid"),
			Code: rapid.SampledFrom([]string{"", "LimitExceeded.DeliveryFrequencyLimit"}).Draw(t, "code"),
			Text: rapid.StringN(0, 200, 300).Draw(t, "text"), HTTPStatus: 503},
		Next:  s.now.Add(rapid.SampledFrom([]time.Duration{0, 0, time.Second, time.Second, time.Hour, 100 * time.Hour}).Draw(t, "next")),
		Doubt: rapid.SampledFrom([]m.InDoubtPolicy{m.Resend, m.Resend, m.Await, m.GiveUp}).Draw(t, "doubt"),
	}
}

func (s *machine) lost(t *rapid.T) m.Event {
	return m.Lost{Next: s.now, Doubt: rapid.SampledFrom([]m.InDoubtPolicy{m.Resend, m.Await, m.GiveUp}).Draw(t, "doubt")}
}

func (s *machine) reported(t *rapid.T) m.Event {
	return m.Reported{
		Epoch:      rapid.IntRange(0, s.x.Epoch+1).Draw(t, "epoch"),
		ProviderID: rapid.SampledFrom([]string{"", pid, "other"}).Draw(t, "pid"),
		Receipt: m.Receipt{Part: rapid.SampledFrom([]int{0, 0, 0, 1, 15}).Draw(t, "part"), State: m.ReceiptState(rapid.IntRange(0, 5).Draw(t, "state")),
			At: s.now.Add(-rapid.SampledFrom([]time.Duration{0, time.Second, time.Hour}).Draw(t, "ago")), Code: "DELIVRD", Text: rapid.StringN(0, 200, 300).Draw(t, "text")},
	}
}

func (s *machine) steer(t *rapid.T) m.Event {
	why := rapid.StringN(0, 200, 300).Draw(t, "why")
	return rapid.SampledFrom([]m.Event{
		m.Wait{Until: s.now.Add(time.Minute), Why: "quiet_hours"}, m.Wait{Until: s.now.Add(80 * time.Hour), Why: "limit"},
		m.Requeue{}, m.Requeue{}, m.Activate{}, m.Expire{}, m.Cancel{By: "key:k7x2m9p4qa", Why: why}, m.Suppress{Why: "opt_out"},
		m.Fail{Why: "no_account", Text: why}, m.Poison{Why: why}, m.Redrive{By: "ops", Why: why}, m.Redrive{By: "ops"}, m.Redrive{}, m.Resolve{},
		m.Settle{Done: 0xff}, m.Settle{Done: m.ReleaseClaim}, m.Settle{Done: m.TellSiblings}, m.Settle{Done: m.TellTenant},
	}).Draw(t, "event")
}

// apply plays one event and looks at what it changed.
func (s *machine) apply(t *rapid.T, e m.Event) bool {
	was := encode(t, s.x)
	before := s.x
	next, err := s.x.Apply(e, s.now)
	if d := cmp.Diff(was, encode(t, before)); d != "" {
		t.Fatalf("%T changed its receiver:\n%s", e, d)
	}
	if err != nil {
		if d := cmp.Diff(before, next); d != "" {
			t.Fatalf("refused %T changed the message:\n%s", e, d)
		}
		return false
	}
	s.x = next
	s.moved(t, before, e)
	s.always(t)
	return true
}

// moved checks a step.
func (s *machine) moved(t *rapid.T, before m.Message, e m.Event) {
	x := s.x
	if _, ok := e.(m.Lease); !ok && x.Epoch != before.Epoch {
		t.Fatalf("%T opened an epoch", e)
	}
	switch e := e.(type) {
	case m.Lease:
		switch {
		case x.Epoch != before.Epoch+1 || x.Last().Epoch != x.Epoch || x.Status != m.Sending:
			t.Fatalf("lease: epoch %d after %d, %s", x.Epoch, before.Epoch, x.Status)
		case s.held > s.now:
			t.Fatalf("leased while somebody holds it")
		case s.now >= x.Expires || s.now < x.SendAt || s.now < before.Next:
			t.Fatalf("leased outside its time")
		case x.Lease <= s.now:
			t.Fatalf("leased for no time")
		case s.ended:
			t.Fatalf("leased after it had ended")
		case taken(before):
			t.Fatalf("leased after a provider had taken it")
		}
		s.held = e.Until
	case m.Finish:
		if e.Epoch == x.Epoch {
			s.held = 0
		} else if before.Base == m.Sending && (x.Base != m.Sending || x.Lease != before.Lease) {
			t.Fatalf("the answer of attempt %d moved attempt %d", e.Epoch, x.Epoch)
		}
		if o := e.Result.Outcome; (o == m.Throttled || o == m.Defer) && x.Tries > before.Tries {
			t.Fatalf("%s used up an attempt", o)
		}
	case m.Lost:
		s.held = 0
	case m.Redrive:
		s.ended = false
	}
	if tells := x.Status != before.Status && x.Tell.Has(x.Status); tells != (x.Told > before.Told) || tells && x.Todo&m.TellTenant == 0 {
		t.Fatalf("%T: %s after %s is told at %d after %d, left to do is %b", e, x.Status, before.Status, x.Told, before.Told, x.Todo)
	}
	if before.Status == m.Delivered && x.Status != m.Delivered && x.Status != m.Complained {
		if _, ok := e.(m.Reported); !ok {
			t.Fatalf("%T took the delivery back: %s", e, x.Status)
		}
		s.ended = false // another part is not delivered: declared
	}
	s.ended = s.ended || x.Status.Terminal()
}

// taken tells whether anything proves that a provider took it.
func taken(x m.Message) bool {
	for _, a := range x.Attempts {
		if r := a.Receipt(); a.Outcome == m.Accepted || r == m.ReceiptSent || r == m.ReceiptDelivered {
			return true
		}
	}
	return false
}

// always checks a state.
func (s *machine) always(t *rapid.T) {
	x := s.x
	settled := x.Status.Terminal() || x.Status == m.Sent
	limit := x.Class.Defaults().Attempts
	var delivered, complained bool
	for _, a := range x.Attempts {
		delivered = delivered || a.Receipt() == m.ReceiptDelivered
		complained = complained || a.Receipt() == m.ReceiptComplained
	}
	switch {
	case !settled && x.Due == 0:
		t.Fatalf("%s is not due: the sweep cannot see it", x.Status)
	case x.Todo != 0 && (x.Due == 0 || !settled && x.Status != m.InDoubt):
		t.Fatalf("%s has %b left to do and is due at %d", x.Status, x.Todo, x.Due)
	case x.Status == m.InDoubt && (x.Todo&^(m.TellSiblings|m.TellTenant) != 0 || x.Todo&m.TellSiblings != 0 && !x.Fallback):
		t.Fatalf("%s has %b left to do and is due at %d", x.Status, x.Todo, x.Due)
	case settled && x.Todo == 0 && x.Due != 0:
		t.Fatalf("%s is due for nothing", x.Status)
	case x.Tries < 0 || x.Tries > limit || x.Tries == limit && (x.Status == m.Queued || x.Status == m.Sending):
		t.Fatalf("%s after %d of %d attempts", x.Status, x.Tries, limit)
	case delivered && !complained && x.Status != m.Delivered, complained && x.Status != m.Complained:
		t.Fatalf("%s although delivered %v, complained %v", x.Status, delivered, complained)
	case x.Status.Terminal() != (x.Completed() > 0):
		t.Fatalf("%s completed at %d", x.Status, x.Completed())
	case !x.Status.Valid() || !x.Base.Valid():
		t.Fatalf("status %q of base %q", x.Status, x.Base)
	}
	if b := encode(t, x); len(b) >= 4096 {
		t.Fatalf("%d bytes: %s", len(b), b)
	}
}

// quiesce plays the sweep alone: whatever happened, the message ends, or is with its provider, and nothing
// is left to do.
func (s *machine) quiesce(t *rapid.T) {
	for range 400 {
		if s.x.Due == 0 {
			return
		}
		s.now = max(s.now, s.x.Due)
		_ = s.apply(t, m.Settle{Done: 0xff}) || s.apply(t, m.Expire{}) || s.apply(t, m.Lost{Doubt: m.Await}) ||
			s.apply(t, m.Resolve{}) || s.apply(t, m.Requeue{})
	}
	t.Fatalf("still %s, due at %d", s.x.Status, s.x.Due)
}
