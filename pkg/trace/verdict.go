package trace

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/route"
)

// Verdict is the answer to "what became of it", in the same words wherever it is asked. It never has the
// recipient, the content, or a text that somebody wrote.
type Verdict struct {
	// Code is stable: what programs compare.
	Code   string
	Zh, En Words
}

// Words are a verdict in one language.
type Words struct {
	What string // what happened, for the operator
	Tell string // what to tell the user who asks
	Fix  string // who can do something about it, and what
}

// Facts are what a verdict needs to know beside the record.
type Facts struct {
	// Receipts tells that the provider of the last attempt says later what became of a message.
	Receipts bool
	// Unlisted tells that it refused the last attempt because our address is not on its list.
	Unlisted bool
	// Egress is the one address that providers are called from; "" where it is not fixed.
	Egress string
}

// How old a message may be before somebody should look.
const (
	slowUrgent  = 15 * time.Second
	slowNormal  = time.Minute
	slowBulk    = 10 * time.Minute
	slowReceipt = 10 * time.Minute
)

func slow(l message.Lane) time.Duration {
	switch l {
	case message.Urgent:
		return slowUrgent
	case message.Bulk:
		return slowBulk
	}
	return slowNormal
}

// Judge gives the verdict on a message at an instant.
func Judge(m *message.Message, now message.Time, f Facts) Verdict {
	b := blanks{channel: m.Channel, calls: calls(m), by: canceller(m), outcome: m.Outcome}
	if last := called(m); last != nil {
		b.provider, b.code, b.since = last.Provider, last.Code, now.Sub(max(last.At, last.End))
		b.doubt, b.ground = last.Doubt, last.Ground
		b.unlisted, b.egress, b.seen = f.Unlisted, f.Egress, addressIn(last.Text)
	} else if m.Status == message.Failed {
		b.code = m.Reason
	}
	if at := m.Completed(); at > 0 {
		b.since = now.Sub(at)
	}
	var code string
	switch m.Status {
	case message.Scheduled, message.Queued:
		code = waiting(m, now, &b)
	case message.Sending:
		code = "sending"
		if now >= m.Lease {
			code = "sending_lost"
		}
	case message.Sent:
		code = sent(m, b.since, f)
	case message.InDoubt:
		code = "in_doubt"
		if !f.Receipts {
			code = "in_doubt_blind"
		}
	case message.Delivered, message.Undelivered:
		b.code = receiptCode(m)
		code = byChannel(string(m.Status), m.Channel)
	case message.Bounced, message.Complained:
		b.code = receiptCode(m)
		code = string(m.Status)
	case message.Failed:
		code = failed(m)
	case message.Expired:
		code = expired(m)
	case message.Cancelled:
		code = cancelled(m, b.by)
	case message.Suppressed:
		code = oneOf("suppressed", m.Reason, "bounce", "complaint", "opt_out", "manual", route.QuietHours, route.Silenced, route.Capped)
	case message.Dead:
		if code = dead(m); now >= m.Expires {
			code = "dead_late" // a redrive leaves it
		}
	case message.Simulated:
		code = oneOf("simulated", m.Reason, "test_key", "stage")
	}
	return b.fill(code)
}

// None is the verdict when a search for a recipient that went back to from has found nothing.
func None(from, now message.Time) Verdict {
	return blanks{since: now.Sub(from)}.fill("none")
}

// waiting: scheduled and queued differ only in what is waited for first.
func waiting(m *message.Message, now message.Time, b *blanks) string {
	redriven, last := lastNote(m, "redriven"), m.Last()
	if last != nil && last.At > redriven {
		redriven = 0
	}
	// Since when a worker could have taken it.
	free := max(m.Created, m.SendAt, m.Next, redriven, lastNote(m, "activated"))
	b.until, b.since = m.Next.Sub(now), now.Sub(free)
	switch {
	case now >= m.Expires:
		return "waiting_late"
	case m.Hold:
		return "scheduled_sibling"
	case m.SendAt > now && m.Next <= m.SendAt:
		b.until = m.SendAt.Sub(now)
		return "scheduled"
	case b.since >= slow(m.Lane()):
		return "queued_long"
	}
	switch m.Reason {
	case "limit", "budget", "recipient_limit", "no_account", "no_binding", "account_unusable", route.QuietHours, route.Silenced, route.Capped:
		return "queued_" + m.Reason
	}
	switch {
	case redriven > 0:
		return "queued_redriven"
	case last == nil, last.Code == leaseShort:
		return "queued"
	}
	switch last.Outcome {
	case message.Throttled:
		return "queued_throttled"
	case message.Defer:
		return "queued_deferred"
	case message.Refresh:
		return "queued_token"
	case message.AccountFault:
		return "queued_account"
	case message.Retry:
		return "queued_retry"
	}
	return "queued_resend" // no answer, and the policy is to send again
}

func sent(m *message.Message, since time.Duration, f Facts) string {
	switch {
	case m.Fallback && m.Watch > 0 && m.Todo&message.TellSiblings != 0:
		return "sent_watched"
	case !f.Receipts:
		return "sent_final"
	case since < slowReceipt:
		return "sent"
	case since < message.AwaitReceipt:
		return "sent_old"
	}
	return "sent_silent"
}

func failed(m *message.Message) string {
	last := m.Last()
	switch {
	case m.Reason == "not_rendered", m.Reason == "erased":
		return "failed_" + m.Reason
	case lastNote(m, "given_up") > lastNote(m, "redriven"):
		return "failed_no_receipt"
	case last == nil:
		return "failed"
	case last.Outcome == message.Permanent:
		return "failed_rejected"
	case last.Outcome == message.Unknown:
		return "failed_given_up"
	}
	return "failed"
}

// The codes of attempts that were given up before the call: because the time was over, the lease would not have
// outlasted it, or its second of the account's limit had passed.
const (
	tooLate    = "too_late"
	leaseShort = "lease_short"
	ownLimit   = "limit"
)

func expired(m *message.Message) string {
	last := called(m)
	switch {
	case m.Hold:
		return "expired_sibling"
	case m.Reason == "no_binding":
		return "expired_no_binding"
	case m.Reason == "no_account", m.Reason == "account_unusable":
		return "expired_no_account"
	case m.Reason == "budget", m.Reason == "recipient_limit", m.Reason == route.QuietHours, m.Reason == route.Silenced, m.Reason == route.Capped:
		return "expired_" + m.Reason
	case m.Reason == "limit", last != nil && last.Outcome == message.Throttled:
		return "expired_limit"
	case last != nil:
		return "expired_retrying"
	}
	return "expired"
}

func cancelled(m *message.Message, by string) string {
	switch {
	case m.Reason == "not_needed":
		return "cancelled_not_needed"
	case by != "":
		return "cancelled_by"
	}
	return "cancelled"
}

func dead(m *message.Message) string {
	switch last := m.Last(); {
	case m.Reason == "poison":
		return "dead_poison"
	case last != nil && last.Outcome == message.AccountFault:
		return "dead_account"
	}
	return "dead"
}

// byChannel is the phrase for a channel whose users look in a place of its own.
func byChannel(code string, ch message.Channel) string {
	if ch == message.SMS || ch == message.Email {
		return code + "_" + string(ch)
	}
	return code
}

func oneOf(code, reason string, known ...string) string {
	if slices.Contains(known, reason) {
		return code + "_" + reason
	}
	return code
}

// addressIn finds the IP address in a provider's words, as in "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in
// whitelist"; "" when there is none.
func addressIn(text string) string {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;()[]'\"", r) }) {
		if a, err := netip.ParseAddr(word); err == nil {
			return a.Unmap().String()
		}
	}
	return ""
}

// givenUp tells whether an attempt ended before the call.
func givenUp(a *message.Attempt) bool {
	return a.Code == tooLate || a.Code == leaseShort || a.Code == ownLimit
}

// called is the last attempt of which the provider was called; nil when there is none.
func called(m *message.Message) *message.Attempt {
	for i := range slices.Backward(m.Attempts) {
		if !givenUp(&m.Attempts[i]) {
			return &m.Attempts[i]
		}
	}
	return nil
}

// calls is how often a provider was called.
func calls(m *message.Message) (n int) {
	for i := range m.Attempts {
		if !givenUp(&m.Attempts[i]) {
			n += 1 + m.Attempts[i].Repeats
		}
	}
	return n
}

// lastNote is when something was last noted; 0 for never.
func lastNote(m *message.Message, what string) (at message.Time) {
	for _, n := range m.Notes {
		if n.What == what {
			at = max(at, n.At)
		}
	}
	return at
}

// canceller is who cancelled it.
func canceller(m *message.Message) (by string) {
	for _, n := range m.Notes {
		if n.What == "cancelled" {
			by = n.By
		}
	}
	return by
}

// receiptCode is the provider's code in the receipt that decided.
func receiptCode(m *message.Message) (code string) {
	for i := range m.Attempts {
		for _, r := range m.Attempts[i].Receipts {
			if r.Code != "" && r.State == m.Attempts[i].Receipt() {
				code = r.Code
			}
		}
	}
	return code
}
