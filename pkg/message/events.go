package message

import (
	"cmp"
	"slices"
	"time"
)

// Lease gives a worker the right to send, and records the attempt before the provider is called: a crash
// after this leaves a message in doubt, never a silent second send.
type Lease struct {
	Account, Provider string
	Bound             string // the vendor's own template
	Until             Time
}

func (e Lease) apply(m *Message, now Time) error {
	switch {
	case !m.waiting():
		return m.refuse("lease", "it is not waiting to be sent")
	case m.Hold:
		return m.refuse("lease", "it waits for an earlier sibling")
	case m.SendAt > now || m.Next > now:
		return m.refuse("lease", "its time has not come")
	case now >= m.Expires:
		return m.refuse("lease", "it has expired")
	case e.Until <= now:
		return m.refuse("lease", "it would be over before it began")
	}
	m.Epoch++
	m.Base, m.Lease, m.Next, m.Requeues, m.Reason = Sending, e.Until, 0, 0, ""
	if m.Due == 0 || m.Due > e.Until {
		// Otherwise it stays: what is due is an index, and moving it there and back costs as much as the
		// record itself. A look that comes before the lease ends does no harm.
		m.Due = e.Until
	}
	m.Attempts = append(m.Attempts, Attempt{Epoch: m.Epoch, Account: e.Account, Provider: e.Provider, Bound: cut(e.Bound, maxCode), At: now})
	m.fold()
	return nil
}

// fold keeps the attempts few: of neighbours that were throttled or deferred on one account and have no
// receipts only the newest stays.
func (m *Message) fold() {
	n := len(m.Attempts)
	if n < 3 {
		return
	}
	a, b := &m.Attempts[n-3], &m.Attempts[n-2]
	waited := func(a *Attempt) bool {
		return (a.Outcome == Throttled || a.Outcome == Defer) && len(a.Receipts) == 0
	}
	if waited(a) && waited(b) && a.Account == b.Account {
		b.Repeats += a.Repeats + 1
		m.Attempts = slices.Delete(m.Attempts, n-3, n-2)
	}
}

// Finish records what the provider answered to the attempt of an epoch, and moves the message on. Next
// is when to try again if the outcome asks for it; Doubt is the policy if it is unknown, Ground whose word.
type Finish struct {
	Epoch  int
	Result Result
	Next   Time
	Doubt  InDoubtPolicy
	Ground Ground
	// Suppress is why the recipient must not be written to again, if the provider's code says so.
	Suppress string
}

func (e Finish) apply(m *Message, now Time) error {
	a := m.Attempt(e.Epoch)
	if a == nil {
		return m.refuse("finish", "no attempt has this epoch")
	}
	if a.End != 0 {
		return m.refuse("finish", "the attempt has its answer already")
	}
	r := e.Result
	a.End, a.Outcome, a.HTTPStatus = now, r.Outcome, r.HTTPStatus
	r.Code, r.Text = cut(r.Code, maxCode), cut(r.Text, MaxText)
	a.Code, a.Text = r.Code, r.Text
	m.named(a, cut(r.ProviderID, maxProviderID))
	if r.Outcome == Permanent {
		a.Suppress = cut(e.Suppress, maxCode)
	}
	if m.Epoch != e.Epoch {
		return nil
	}
	switch m.Base {
	case InDoubt:
		m.Tries-- // the doubt counted this attempt; its answer says whether it counts
		fallthrough
	case Sending:
		m.settle(e, now, r)
	}
	return nil
}

// settle moves the base on after the answer of the current attempt.
func (m *Message) settle(e Finish, now Time, r Result) {
	next := e.Next
	m.Lease = 0
	outcome := r.Outcome
	if n := len(m.Attempts); outcome == Refresh && n > 1 && m.Attempts[n-2].Outcome == Refresh {
		outcome = AccountFault // a fresh token was refused too: it is not the token
	}
	switch outcome {
	case Accepted:
		m.Base, m.Reason, m.Due = Sent, "", 0
	case Permanent:
		m.Base, m.Reason, m.Due = Failed, cmp.Or(r.Code, "permanent"), 0
	case Throttled, Defer, Refresh:
		m.again(next, now, r)
	case Retry, AccountFault:
		m.Tries++
		if m.Tries >= m.Class.Defaults().Attempts {
			m.Base, m.Reason, m.Due = Dead, cmp.Or(r.Code, "attempts_used_up"), 0
			return
		}
		m.again(next, now, r)
	default:
		m.doubt(e.Doubt, e.Ground, next, now, r)
	}
}

// again puts it back into the queue for a next try, or ends it when that would be too late.
func (m *Message) again(next, now Time, r Result) {
	next = max(next, now)
	if next >= m.Expires {
		m.Base, m.Reason, m.Due = Expired, cmp.Or(r.Code, r.Outcome.String()), 0
		return
	}
	m.Base, m.Reason, m.Next, m.Due = Queued, cmp.Or(r.Code, r.Outcome.String()), next, next.Add(Grace)
}

// doubt follows the policy for an attempt that was left without an answer.
func (m *Message) doubt(p InDoubtPolicy, g Ground, next, now Time, r Result) {
	m.Tries++
	if a := m.Last(); a != nil {
		a.Doubt, a.Ground = p, g
	}
	reason := cmp.Or(r.Code, "no_answer")
	switch {
	case p == Resend && m.Tries < m.Class.Defaults().Attempts && max(next, now) < m.Expires:
		m.Next = max(next, now)
		m.Base, m.Reason, m.Due = Queued, reason, m.Next.Add(Grace)
	case p == GiveUp:
		m.Base, m.Reason, m.Due = Failed, reason, 0
	default:
		m.Base, m.Reason, m.Due = InDoubt, reason, now.Add(AwaitReceipt)
	}
}

// Lost says that a lease ran out without an answer: the worker died or hangs. Its answer may still come.
// It is refused when a receipt has said already what became of the attempt.
type Lost struct {
	Next   Time
	Doubt  InDoubtPolicy
	Ground Ground
}

func (e Lost) apply(m *Message, now Time) error {
	if m.Status != Sending || now < m.Lease {
		return m.refuse("lost", "no lease has run out")
	}
	m.Lease = 0
	m.doubt(e.Doubt, e.Ground, e.Next, now, Result{Code: "lease_lost"})
	return nil
}

// AwaitReceipt is how long a message stays in doubt before it is given up: no provider's receipt comes
// later (AWS End User Messaging closes after 72 h).
const AwaitReceipt = 72 * time.Hour

// Resolve ends a message in doubt for which no receipt came in time.
type Resolve struct{}

func (Resolve) apply(m *Message, now Time) error {
	// Counted from the call and not from Due, which a requeue moves.
	if last := m.Last(); m.Status != InDoubt || last == nil || now < last.At.Add(AwaitReceipt) {
		return m.refuse("resolve", "it is not overdue in doubt")
	}
	m.Base, m.Due = Failed, 0
	m.note(Note{At: now, What: "given_up", Why: m.Reason})
	return nil
}

// Replied says that the recipient answered, and in a word what. The words themselves are not kept: they may hold
// anything about anybody, and nothing here needs them.
type Replied struct {
	At   Time
	Word string
}

func (e Replied) apply(m *Message, _ Time) error {
	for _, n := range m.Notes {
		if n.What == replied && n.Why == e.Word && n.At == e.At {
			return m.refuse("reply", "it is known already")
		}
	}
	m.note(Note{At: e.At, What: replied, Why: e.Word})
	return nil
}
