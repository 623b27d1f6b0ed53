package message

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// The events that are not about an attempt: what operators, callers and the sweep do.

// Wait puts off a waiting message without using up an attempt: a limit, quiet hours.
type Wait struct {
	Until Time
	Why   string
}

func (e Wait) apply(m *Message, now Time) error {
	if !m.waiting() {
		return m.refuse("wait", "it is not waiting to be sent")
	}
	if e.Until >= m.Expires {
		m.Base, m.Reason, m.Due = Expired, cmp.Or(e.Why, "expired"), 0
		m.note(Note{At: now, What: "expired", Why: e.Why})
		return nil
	}
	m.Reason, m.Next, m.Due, m.Requeues = e.Why, e.Until, e.Until.Add(Grace), 0
	m.note(Note{At: now, What: "deferred", Why: e.Why})
	return nil
}

// Requeue says that the sweep put a new hint into the queue. The next one waits longer.
type Requeue struct{}

func (Requeue) apply(m *Message, now Time) error {
	if m.Due == 0 {
		return m.refuse("requeue", "nothing is due")
	}
	m.Due = now.Add(min(time.Minute<<min(m.Requeues, 10), time.Hour))
	m.Requeues++
	m.note(Note{At: now, What: requeued})
	return nil
}

// Activate lets a message go that waited for an earlier sibling, at once or when its own time comes.
type Activate struct{}

func (Activate) apply(m *Message, now Time) error {
	if m.Base != Scheduled || !m.Hold {
		return m.refuse("activate", "it does not wait for a sibling")
	}
	m.enqueue(now)
	m.note(Note{At: now, What: "activated"})
	return nil
}

// Expire ends a waiting message whose time is over. One that a worker holds is left to its lease.
type Expire struct{}

func (Expire) apply(m *Message, now Time) error {
	if !m.waiting() {
		return m.refuse("expire", "it is not waiting to be sent")
	}
	if now < m.Expires {
		return m.refuse("expire", "its time is not over")
	}
	m.Base, m.Reason, m.Due = Expired, cmp.Or(m.Reason, "too_late"), 0
	m.note(Note{At: now, What: "expired"})
	return nil
}

// Cancel ends a waiting message. It wins if it is written before the lease.
type Cancel struct {
	By, Why string // who, and in their words
	Code    string // the reason as a code; "" is cancelled
}

func (e Cancel) apply(m *Message, now Time) error {
	if !m.waiting() {
		return m.refuse("cancel", "it is not waiting to be sent")
	}
	m.Base, m.Reason, m.Due = Cancelled, cmp.Or(e.Code, "cancelled"), 0
	m.note(Note{At: now, What: "cancelled", By: e.By, Why: e.Why})
	return nil
}

// Suppress ends a waiting message whose address must not be written to.
type Suppress struct{ Why string }

func (e Suppress) apply(m *Message, now Time) error {
	if !m.waiting() {
		return m.refuse("suppress", "it is not waiting to be sent")
	}
	m.Base, m.Reason, m.Due = Suppressed, e.Why, 0
	m.note(Note{At: now, What: "suppressed", Why: e.Why})
	return nil
}

// Fail ends a waiting message that cannot be sent at all: it does not render, no account fits.
type Fail struct{ Why, Text string }

func (e Fail) apply(m *Message, now Time) error {
	if !m.waiting() {
		return m.refuse("fail", "it is not waiting to be sent")
	}
	m.Base, m.Reason, m.Due = Failed, e.Why, 0
	m.note(Note{At: now, What: "failed", Why: e.Text})
	return nil
}

// Poison parks a message that workers could not get through, so that it stops coming back. One that was
// sent, or may have been, stays what it is: dead would invite to send it again.
type Poison struct{ Why string }

func (e Poison) apply(m *Message, now Time) error {
	switch {
	case !m.waiting() && m.Status != Sending:
		return m.refuse("poison", "no worker has to do with it")
	case now < m.Lease:
		return m.refuse("poison", "a worker holds it")
	}
	m.Base, m.Reason, m.Lease, m.Due = Dead, "poison", 0, 0
	m.note(Note{At: now, What: "poison", Why: e.Why})
	return nil
}

// Redrive tries a message again that had ended without being sent, or is in doubt. It keeps its expiry:
// a two-hour-old code is never delivered. It waits for no sibling any more.
// What a job tries again it tries once: Why begins with its id then, and Job is that.
type Redrive struct{ By, Why, Job string }

func (e Redrive) apply(m *Message, now Time) error {
	switch m.Status {
	case Dead, Failed, InDoubt:
	default:
		return m.refuse("redrive", "only a dead, failed or doubtful message is tried again")
	}
	if now >= m.Expires {
		return m.refuse("redrive", "it has expired")
	}
	if e.Job != "" && m.RedrivenBy(e.Job) { // a page that slept would try it beside the one that took over
		return m.refuse("redrive", e.Job+" has tried it already")
	}
	m.Reason, m.Tries, m.Requeues = "", 0, 0
	m.enqueue(now)
	m.note(Note{At: now, What: "redriven", By: e.By, Why: e.Why})
	return nil
}

// RedrivenBy tells whether a job has tried the message again.
func (m *Message) RedrivenBy(job string) bool {
	return slices.ContainsFunc(m.Notes, func(n Note) bool { return n.What == "redriven" && strings.HasPrefix(n.Why, job) })
}

// enqueue makes a message wait for a worker, or for its time.
func (m *Message) enqueue(now Time) {
	m.Hold, m.Base, m.Due = false, Queued, now.Add(Grace)
	if m.SendAt > now {
		m.Base, m.Due = Scheduled, m.SendAt
	}
}

// Settle says that work which a change of status left behind is done.
type Settle struct{ Done Todo }

func (e Settle) apply(m *Message, now Time) error {
	if m.Todo&e.Done == 0 {
		return m.refuse("settle", "nothing was left to do")
	}
	m.Todo &^= e.Done
	if e.Done&ReleaseClaim != 0 {
		m.Claim, m.Freed = "", m.Claim
	}
	switch {
	case m.Todo == TellSiblings && !m.Status.Terminal() && e.Done&TellTenant != 0:
		m.Due = m.watched(now)
	case m.Todo != 0:
	case m.Status.Terminal() || m.Status == Sent:
		m.Due = 0
	case m.Status == InDoubt:
		m.Due = m.Last().At.Add(AwaitReceipt)
	}
	return nil
}
