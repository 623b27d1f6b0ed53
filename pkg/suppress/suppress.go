// Package suppress is addresses that must not be written to: after a hard bounce, a complaint, an
// opt-out, or by an operator's word. It is pure.
package suppress

import "github.com/opennotify/notify/pkg/message"

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
}

// Stops tells whether the entry holds a message of this kind back at now. An opt-out and a complaint are
// about being written to unasked: they never stop a code that the recipient is waiting for.
func (e Entry) Stops(tenant string, ch message.Channel, c message.Class, now message.Time) bool {
	switch {
	case e.Until > 0 && now >= e.Until,
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
