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
// lead to the same end in any order and however often they come. An event that is refused gives back the
// message as it was.
func (m Message) Apply(e Event, now Time) (Message, error) {
	was := m
	m.Attempts = slices.Clone(m.Attempts)
	for i := range m.Attempts {
		m.Attempts[i].Receipts = slices.Clone(m.Attempts[i].Receipts)
	}
	m.Notes = slices.Clone(m.Notes)
	if err := e.apply(&m, now); err != nil {
		return was, err
	}
	if m.Base != Sending && m.Base != Sent && m.taken() {
		// An attempt that was thought lost did reach the provider: nothing more is sent.
		m.Base, m.Reason, m.Due = Sent, "", 0
	}
	m.Status = m.join()
	// A fallback does not wait for a doubt to end, nor does a tenant who wants to hear of it.
	doubted := m.Status == InDoubt && (m.Fallback || m.Tell.Has(InDoubt))
	switch settled := m.Status.Terminal() || m.Status == Sent || doubted; {
	case m.Status != was.Status && settled:
		m.leave(now)
	case settled && m.learned(&was): // the status was known before the reason
		m.Todo |= SuppressAddress
		m.Due = now.Add(Grace)
	case doubted && m.Todo == 0: // waits for its receipt
	case settled && m.Todo == 0:
		m.Due = 0 // a late answer does not bring it back
	case settled && m.Requeues == was.Requeues && m.Todo == was.Todo:
		m.Due = was.Due // nor does it move what is still to be done
	case !settled:
		m.Todo = 0
		if m.Due == 0 { // whatever has not ended, the sweep must see
			m.Due = max(now.Add(Grace), m.Lease)
		}
	}
	m.trim()
	return m, nil
}

// taken tells whether a provider answered that it took the message.
func (m *Message) taken() bool {
	return slices.ContainsFunc(m.Attempts, func(a Attempt) bool { return a.Outcome == Accepted })
}

// waiting tells whether a worker may take it, now or later. A receipt can say that an attempt which was
// to be repeated did arrive at the provider: then Base still waits, and Status does not.
func (m *Message) waiting() bool { return m.Status == Queued || m.Status == Scheduled }

// join makes the status of Base and the receipts. A delivery counts from whichever attempt, a complaint
// even more. Other news is proof that the provider took the message, whatever it answered or failed to
// answer, so that nothing more is sent; bad news waits while a newer attempt may have been taken too. One that
// is to be repeated, or that was given up, is waited for no more: else a provider that says sent first, and
// undelivered days later, would have the message sent again, or expire.
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
	open := m.Base == Sending || m.Base == InDoubt || m.Base == Sent
	newer := false // one may have been taken
	for i := len(m.Attempts) - 1; i >= 0; i-- {
		a := &m.Attempts[i]
		switch r := a.Receipt(); {
		case r == ReceiptSent:
			return Sent
		case r == ReceiptBounced && !newer:
			return Bounced
		case r == ReceiptUndelivered && !newer:
			return Undelivered
		}
		newer = newer || a.Outcome == Accepted || a.Outcome == Unknown && open
	}
	return m.Base
}

// Receipt joins the receipts of an attempt: of each part its highest state; over the parts the worst, so
// that one part's success never hides another part's error. What may be of another attempt (Receipt.Of) is
// joined by itself, and counts as join has it.
func (a *Attempt) Receipt() ReceiptState {
	best := a.parts("")
	for _, r := range a.Receipts {
		if r.Of == "" {
			continue
		}
		switch s := a.parts(r.Of); {
		case best == ReceiptComplained || s == ReceiptComplained:
			best = ReceiptComplained
		case best == ReceiptDelivered || s == ReceiptDelivered:
			best = ReceiptDelivered
		case best == ReceiptSent || s == ReceiptSent:
			best = ReceiptSent
		default:
			best = max(best, s)
		}
	}
	return best
}

// parts joins what is said of one id.
func (a *Attempt) parts(of string) ReceiptState {
	var parts [maxParts]ReceiptState
	for _, r := range a.Receipts {
		if r.Of == of {
			p := min(max(r.Part, 0), maxParts-1)
			parts[p] = max(parts[p], r.State)
		}
	}
	for _, s := range [...]ReceiptState{ReceiptComplained, ReceiptBounced, ReceiptUndelivered, ReceiptSent, ReceiptDelivered} {
		if slices.Contains(parts[:], s) {
			return s
		}
	}
	return ReceiptNone
}

// learned tells whether there is a reason now, and was none before, not to write to the recipient again.
func (m *Message) learned(was *Message) bool {
	return m.Suppresses().Why != "" && was.Suppresses().Why == ""
}

// leave sets what a status that settles a message leaves behind, and when the sweep must look again. It is
// a function of the status and its reason alone (but for Told, a time), so that it too is the same in any order of
// receipts. A message that something is still to be done for stays due until Settle.
func (m *Message) leave(now Time) {
	m.Todo, m.Due = 0, 0
	if m.Fallback {
		m.Todo |= TellSiblings
	}
	if m.Claim != "" && m.Status.ReleasesContent() {
		m.Todo |= ReleaseClaim
	}
	if m.Status == Dead {
		m.Todo |= CopyToDLQ
	}
	if m.Suppresses().Why != "" {
		m.Todo |= SuppressAddress
	}
	if m.Status.Terminal() && m.Class.Defaults().BlankVars && m.Status != Dead && m.Status != Failed {
		// Those two may be sent again until they expire; the end of their data key blanks them.
		m.Todo |= BlankVars
	}
	if m.Tell.Has(m.Status) {
		m.Todo |= TellTenant
		m.Told = max(now, m.Told+1)
	}
	switch {
	case m.Todo == 0:
	case m.Todo == TellSiblings && !m.Status.Terminal():
		m.Due = m.watched(now)
	default:
		m.Due = now.Add(Grace)
	}
}

// watched is when the siblings of a sent or doubtful message go on without its receipt.
func (m *Message) watched(now Time) Time {
	return now.Add(max(time.Duration(m.Watch)*time.Second, Grace))
}

// note adds to the timeline. A note like the last one is folded into it, and the list is bounded.
func (m *Message) note(n Note) {
	n.By, n.Why = cut(n.By, maxCode), cut(n.Why, MaxText)
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

// Backoff is the time to the next try: full jitter over a doubling range, or the wait that is listed less a
// tenth at most. r is in [0,1).
func (c ClassDefaults) Backoff(tries int, r float64) time.Duration {
	if n := len(c.Waits); n > 0 {
		wait := c.Waits[min(max(tries, 1), n)-1]
		return wait - time.Duration(r*float64(wait/10))
	}
	top := c.BackoffMin << min(max(tries-1, 0), 20)
	if top <= 0 || top > c.BackoffMax {
		top = c.BackoffMax
	}
	// Never less than a tenth, so that "full jitter" is no hammering.
	return top/10 + time.Duration(r*float64(top-top/10))
}
