// Package suppress is addresses that must not be written to: after a hard bounce, a complaint, an
// opt-out, or by an operator's word. It is pure.
package suppress

import (
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/message"
)

// Reason says why.
type Reason string

// The reasons.
const (
	Bounce    Reason = "bounce"    // the address does not exist
	Complaint Reason = "complaint" // the recipient called a message spam
	OptOut    Reason = "opt_out"   // the recipient asked for it
	Manual    Reason = "manual"    // an operator's word
)

// ValidReason tells whether r is one of them.
func ValidReason(r Reason) bool {
	return r == Bounce || r == Complaint || r == OptOut || r == Manual
}

// Entry suppresses an address. An empty Tenant, Channel or Class is all of them.
type Entry struct {
	Tenant  string          `json:"tenant,omitzero"`
	Channel message.Channel `json:"channel,omitzero"`
	Class   message.Class   `json:"class,omitzero"`
	Reason  Reason          `json:"reason"`
	Source  string          `json:"source,omitzero"` // a person, a provider's account, a message's id
	Note    string          `json:"note,omitzero"`
	Masked  string          `json:"masked"` // the address as it may be shown
	At      message.Time    `json:"at"`
	Until   message.Time    `json:"until,omitzero"` // 0: for good
	// Lifted is when and by whom it was ended before its time. What was said before that counts no more.
	Lifted Lift `json:"lifted,omitzero"`
	// Past are the lifts of entries that this one took the place of, the latest last.
	Past []Lift `json:"past,omitzero"`
}

// Lift ends an entry; the zero value is none.
type Lift struct {
	At  message.Time `json:"at"`
	By  string       `json:"by,omitzero"`
	Why string       `json:"why,omitzero"`
}

// What a provider reports ends by itself, because it may change without our being told, and then the provider
// reports it again: a number is given to somebody else, a bot is let in again.
const (
	reported = 30 * 24 * time.Hour
	bounced  = 180 * 24 * time.Hour // of what is not given to others
)

// Said is the entry for what a provider said of a message's recipient at a time. An address that does not exist
// exists for nobody; a complaint or an opt-out is about its tenant. A complaint holds for good: nobody else
// remembers it.
func Said(why Reason, m *message.Message, kind message.AddressKind, to message.Address, at message.Time) Entry {
	e := Entry{Tenant: m.Tenant, Channel: m.Channel, Reason: why, Source: string(m.ID), Masked: to.String(), At: at}
	switch {
	case why == Bounce && kind == message.Phone:
		e.Tenant, e.Until = "", at.Add(reported)
	case why == Bounce:
		e.Tenant, e.Until = "", at.Add(bounced)
	case why == OptOut:
		e.Until = at.Add(reported)
		if m.Class == message.Marketing {
			e.Class = m.Class
		}
	}
	return e
}

// maxPast bounds what is kept of the past.
const maxPast = 10

// After gives the entry in the place of another one, with what is to be remembered of that.
func (e Entry) After(have Entry) Entry {
	e.Past = have.Past
	if have.Lifted.At > 0 {
		e.Past = append(slices.Clone(have.Past), have.Lifted)
		e.Past = e.Past[max(len(e.Past)-maxPast, 0):]
	}
	return e
}

// InForce tells whether an entry holds anything back at now.
func (e Entry) InForce(now message.Time) bool {
	return e.Lifted.At == 0 && (e.Until == 0 || now < e.Until)
}

// Outdoes tells whether what was said is news beside an entry of the same reason: it was said after that was
// lifted, or holds for longer. That nothing is to hold is news where nothing does.
func (e Entry) Outdoes(have Entry, now message.Time) bool {
	switch {
	case e.Lifted.At > 0:
		return !have.InForce(now) && e.Lifted.At > have.Lifted.At
	case have.Lifted.At > 0:
		return e.At > have.Lifted.At
	case !have.InForce(now):
		return e.InForce(now)
	}
	return have.Until > 0 && (e.Until == 0 || e.Until > have.Until)
}

// Stops tells whether the entry holds a message of this kind back at now. An opt-out and a complaint are
// about being written to unasked: they never stop a code that the recipient is waiting for.
func (e Entry) Stops(tenant string, ch message.Channel, c message.Class, now message.Time) bool {
	switch {
	case !e.InForce(now),
		e.Tenant != "" && e.Tenant != tenant,
		e.Channel != "" && e.Channel != ch,
		e.Class != "" && e.Class != c:
		return false
	}
	if e.Class == "" && (e.Reason == OptOut || e.Reason == Complaint) {
		return c != message.OTP
	}
	return true
}

// Find gives the first entry that stops a message, and whether there is one.
func Find(entries []Entry, tenant string, ch message.Channel, c message.Class, now message.Time) (Entry, bool) {
	for _, e := range entries {
		if e.Stops(tenant, ch, c, now) {
			return e, true
		}
	}
	return Entry{}, false
}
