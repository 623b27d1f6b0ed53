package telemetry

import (
	"cmp"

	"github.com/opennotify/notify/pkg/message"
)

// The counters beside those that are named like the statuses that messages reach: sent, delivered,
// undelivered, bounced, complained, failed, expired, suppressed, cancelled, simulated, in_doubt, dead.
const (
	Accepted  = "accepted"
	Duplicate = "duplicate" // asked for again, and answered with what was there
	Refused   = "refused"   // requests that were not understood or not allowed
	Throttled = "throttled" // put off by a limit, ours or the provider's
	// Called are calls to providers, PushedBack those that the provider refused because there were too many.
	Called     = "called"
	PushedBack = "pushed_back"
	Retried    = "retried"  // put back for another try after a fault
	Redriven   = "redriven" // by an operator, after its end
	// Tracked is what was sent over accounts that say later what became of it: what a rate of delivery is
	// of.
	Tracked = "tracked"
	// LimitUsed is how much of a limit is used, 0 to 1: of an account, or of a tenant, where it is used most.
	LimitUsed = "limit_used_ratio"
	// AcceptToSent is how long messages took.
	AcceptToSent = "accept_to_sent"
)

// Free stands for the template of what has none. No template's label is without a slash.
const Free = "free"

// Of are the labels of a message that an account carries; "" before there is one.
func Of(m *message.Message, account string) Labels {
	l := Labels{Channel: m.Counted(), Lane: string(m.Lane()), Tenant: m.Tenant, Account: account, Template: Free}
	if m.Template.Name != "" {
		l.Template = cmp.Or(m.Template.Tenant, m.Tenant) + "/" + m.Template.Name
	}
	return l
}

// Statuses counts what becomes of messages, wherever it is written: the store tells it.
type Statuses struct {
	Metrics Metrics
	// Receipts tells whether a provider says later what became of a message.
	Receipts func(provider string) bool
}

// Moved counts what a write made of a message; before is nil of a new one. A status counts when it is
// reached, so a message that was dead, redriven and sent counts as each of them. Whatever a receipt reports
// was sent, though the receipt may have been quicker than the provider's answer.
func (s Statuses) Moved(before, after *message.Message, now message.Time) {
	count := func(name, account string) { s.Metrics.Count(name, 1, Of(after, account)) }
	if before == nil {
		count(Accepted, "")
		if after.Status.Terminal() {
			count(string(after.Status), "")
		}
		return
	}
	if before.Status == after.Status {
		return
	}
	var account, provider string
	if a := carrier(after); a != nil {
		account, provider = a.Account, a.Provider
	}
	if taken(after.Status) && !taken(before.Status) {
		count(string(message.Sent), account)
		if after.Status != message.Sent || s.Receipts(provider) {
			count(Tracked, account)
		}
		s.Metrics.Observe(AcceptToSent, float64(now.Sub(max(after.Created, after.SendAt)).Milliseconds()), Milliseconds, Of(after, account))
	}
	switch after.Status {
	case message.Sent, message.Scheduled, message.Sending: // counted, or nothing yet
	case message.Queued:
		if name := back(before, after); name != "" {
			count(name, account)
		}
	default:
		count(string(after.Status), account)
	}
}

// taken tells whether a status says that a provider took the message.
func taken(s message.Status) bool {
	switch s {
	case message.Sent, message.Delivered, message.Undelivered, message.Bounced, message.Complained:
		return true
	}
	return false
}

// back names why a message is queued again; "" when its turn has only come.
func back(before, after *message.Message) string {
	switch last := after.Last(); before.Status {
	case message.Scheduled:
		return ""
	case message.Sending:
		if last.Outcome == message.Throttled {
			return Throttled
		}
		return Retried
	case message.InDoubt:
		if before.Last().End == 0 && last.End != 0 { // a late answer, not an operator
			return Retried
		}
	}
	return Redriven
}

// carrier is the attempt that made the status: the newest with the receipt that it tells of, else the last.
func carrier(m *message.Message) *message.Attempt {
	for i := len(m.Attempts) - 1; i >= 0; i-- {
		if a := &m.Attempts[i]; a.Receipt().String() == string(m.Status) {
			return a
		}
	}
	return m.Last()
}
