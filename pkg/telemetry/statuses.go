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
	// AccountFault are answers that blame our account: a credential, a balance, a signature.
	AccountFault = "account_fault"
	// Stuck are messages that were due again and again, and that nobody took up.
	Stuck = "stuck"
	// QueueAge is how long the oldest entry of a queue has waited, DeadLetters how many there are of the dead and DeadAge
	// for how long the oldest has been dead: what SQS measures by itself. The queues that are no channel's are named by
	// the lane.
	QueueAge    = "queue_age"
	DeadLetters = "dead_letters"
	DeadAge     = "dead_age"
	// Swept are the passes of the sweep that came to their end, or to that of their time. It is observed: what is counted
	// is kept in the table, minute by minute.
	Swept = "swept"
	// CanarySent are the canaries that went all the way.
	CanarySent = "canary_sent"
	// AcceptToSent is how long messages took to a provider, and SentToDelivered how long its receipt took.
	AcceptToSent    = "accept_to_sent"
	SentToDelivered = "sent_to_delivered"
)

// What providers say later. A sender that guesses learns nothing from the answers; operators do from these.
const (
	ReceiptForged     = "receipt_forged"      // a callback whose secret, signature or form is wrong
	ReceiptUnknown    = "receipt_unknown"     // of no message that went over the account, or of no account that takes callbacks
	ReceiptParked     = "receipt_parked"      // it came before its message's own answer, or is of no message of ours
	ReceiptPolled     = "receipt_polled"      // a provider was asked
	ReceiptPollFailed = "receipt_poll_failed" // and gave no answer, or none that can be read
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
	carried := carrier(after)
	if carried != nil {
		account, provider = carried.Account, carried.Provider
	}
	if a := blamed(before, after); a != nil {
		count(AccountFault, a.Account)
	}
	if after.Status == message.Delivered && carried != nil && carried.End != 0 {
		s.Metrics.Observe(SentToDelivered, float64(max(0, now.Sub(carried.End)).Milliseconds()), Milliseconds, Of(after, account))
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

// blamed is the attempt that ended with this write and that blames its account; nil if none does.
func blamed(before, after *message.Message) *message.Attempt {
	if a := after.Last(); before.Status == message.Sending && a != nil && a.End != 0 && a.Outcome == message.AccountFault {
		return a
	}
	return nil
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
