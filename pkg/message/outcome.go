package message

import "time"

// Outcome is the closed set of what a call to a provider can mean. The zero value is Unknown: a
// forgotten return means "may have been sent", never "send again".
type Outcome uint8

// The outcomes.
const (
	Unknown      Outcome = iota // the request may have left: the message is in doubt
	Accepted                    // the provider took it: sent
	Permanent                   // this message will never be accepted
	AccountFault                // our account is at fault (credential, balance, signature): try the next account
	Throttled                   // over the provider's limit: wait; no attempt is used up
	Retry                       // a passing fault before the message was taken: try again later
	Refresh                     // the access token was stale: fetch a new one and try once more
	Defer                       // the provider asks to come back at a time (quiet minutes): no attempt is used up
)

var outcomeNames = [...]string{"unknown", "sent", "permanent", "account", "throttled", "retry", "refresh", "defer"}

// String is the outcome's name in the API.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "unknown"
}

// ParseOutcome reads a name; anything unknown is Unknown and false.
func ParseOutcome(s string) (Outcome, bool) {
	for i, n := range outcomeNames {
		if n == s {
			return Outcome(i), true
		}
	}
	return Unknown, false
}

// Result is what a provider answered to one attempt.
type Result struct {
	Outcome    Outcome
	ProviderID string        // the provider's own id of the message
	HTTPStatus int           // 0 when there was no HTTP answer
	Code       string        // the provider's own code, or ours for faults before an answer
	Text       string        // the provider's own words, cut to 128 bytes; never a body, never a secret
	After      time.Duration // how long to wait (Throttled, Retry, Defer); 0: as the class says
}

// MaxText is how many bytes of a provider's words are kept.
const MaxText = 128

// ReceiptState is what a provider later says of a message, in rising rank: of two receipts for one
// part the higher one counts, whatever their order.
type ReceiptState uint8

// The states, by rank. Bounced outranks Delivered: a mailbox may refuse after its server accepted.
const (
	ReceiptNone ReceiptState = iota
	ReceiptSent
	ReceiptUndelivered
	ReceiptDelivered
	ReceiptBounced
	ReceiptComplained
)

var receiptNames = [...]string{"none", "sent", "undelivered", "delivered", "bounced", "complained"}

// String is the state's name in the API.
func (s ReceiptState) String() string {
	if int(s) < len(receiptNames) {
		return receiptNames[s]
	}
	return "none"
}

// ParseReceiptState reads a name; anything unknown is ReceiptNone and false.
func ParseReceiptState(s string) (ReceiptState, bool) {
	for i, n := range receiptNames {
		if n == s && i > 0 {
			return ReceiptState(i), true
		}
	}
	return ReceiptNone, false
}
