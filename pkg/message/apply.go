package message

import (
	"fmt"
	"slices"
	"time"
)

// Event is something that happens to a message. The set is closed: see events.go.
type Event interface {
	apply(m *Message, now Time) error
}

// Refused is returned by Apply when the message's state does not allow the event.
type Refused struct {
	Status Status
	Event  string
	Why    string
}

// Error says what was refused in which state.
func (r *Refused) Error() string {
	return fmt.Sprintf("message: %s refused while %s: %s", r.Event, r.Status, r.Why)
}

func (m *Message) refuse(event, why string) error { return &Refused{m.Status, event, why} }

// Apply decides what an event makes of a message, and nothing else does. It is pure: the receiver is not
// changed, now is an argument. The status is a join over the attempts and their receipts, so receipts
// lead to the same end in any order and however often they come.
func (m Message) Apply(e Event, now Time) (Message, error) {
	m.Attempts = slices.Clone(m.Attempts)
	for i := range m.Attempts {
		m.Attempts[i].Receipts = slices.Clone(m.Attempts[i].Receipts)
	}
	m.Notes = slices.Clone(m.Notes)
	before := m.Status
	if err := e.apply(&m, now); err != nil {
		return m, err
	}
	m.Status = m.join()
	switch {
	case m.Status != before:
		m.leave(now)
	case m.Status.Terminal() && m.Todo == 0:
		m.Due = 0 // a late answer does not bring it back
	}
	return m, nil
}

// join makes the status of Base and the receipts. A delivery counts from whichever attempt, a complaint
// even more; bad news counts only of the newest attempt, and only where an attempt is what Base is about.
func (m *Message) join() Status {
	var delivered bool
	for i := range m.Attempts {
		switch m.Attempts[i].Receipt() {
		case ReceiptComplained:
			return Complained
		case ReceiptDelivered:
			delivered = true
		}
	}
	if delivered {
		return Delivered
	}
	last := m.Last()
	if last == nil {
		return m.Base
	}
	switch m.Base {
	case Sending, Sent, InDoubt:
		switch last.Receipt() {
		case ReceiptBounced:
			return Bounced
		case ReceiptUndelivered:
			return Undelivered
		case ReceiptSent:
			return Sent
		}
	}
	return m.Base
}

// Receipt joins the receipts of an attempt: of each part its highest state; over the parts the worst, so
// that one part's success never hides another part's error.
func (a *Attempt) Receipt() ReceiptState {
	var parts [16]ReceiptState
	var seen [16]bool
	for _, r := range a.Receipts {
		p := min(max(r.Part, 0), len(parts)-1)
		parts[p], seen[p] = max(parts[p], r.State), true
	}
	order := [...]ReceiptState{ReceiptComplained, ReceiptBounced, ReceiptUndelivered, ReceiptSent, ReceiptDelivered}
	for _, s := range order {
		for p := range parts {
			if seen[p] && parts[p] == s {
				return s
			}
		}
	}
	return ReceiptNone
}

// leave sets what a new status leaves behind, and when the sweep must look again. It is a function of the
// status alone, so that it too is the same in any order of receipts. A message that something is still to
// be done for stays due until Settle.
func (m *Message) leave(now Time) {
	m.Todo = 0
	if m.Fallback && (m.Status.Terminal() || m.Status == Sent) {
		m.Todo |= TellSiblings
	}
	switch {
	case m.Status == Sent:
		m.Due = 0
		if m.Todo != 0 {
			m.Due = now.Add(max(time.Duration(m.Watch)*time.Second, Grace))
		}
		return
	case !m.Status.Terminal():
		return
	}
	m.Lease, m.Due = 0, 0
	if m.Claim != "" && m.Status.ReleasesContent() {
		m.Todo |= ReleaseClaim
	}
	if m.Status == Dead {
		m.Todo |= CopyToDLQ
	}
	if m.Class.Defaults().BlankVars && m.Status != Dead && m.Status != Failed {
		// Those two may be sent again until they expire; the end of their data key blanks them.
		m.Todo |= BlankVars
	}
	if m.Todo != 0 {
		m.Due = now.Add(Grace)
	}
}

// note adds to the timeline. A note like the last one is folded into it, and the list is bounded.
func (m *Message) note(n Note) {
	if last := len(m.Notes) - 1; last >= 0 && m.Notes[last].What == n.What && m.Notes[last].Why == n.Why && m.Notes[last].By == n.By {
		m.Notes[last].At = n.At
		m.Notes[last].N++
		return
	}
	m.Notes = append(m.Notes, n)
	if len(m.Notes) > maxNotes {
		m.Notes = slices.Delete(m.Notes, 1, 2)
	}
}

// Backoff is the time to the next try: full jitter over a doubling range. r is in [0,1).
func (c ClassDefaults) Backoff(tries int, r float64) time.Duration {
	top := c.BackoffMin << min(max(tries-1, 0), 20)
	if top <= 0 || top > c.BackoffMax {
		top = c.BackoffMax
	}
	// Never less than a tenth, so that "full jitter" is no hammering.
	return top/10 + time.Duration(r*float64(top-top/10))
}
