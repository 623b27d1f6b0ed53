package message

// Ground is whose word a policy for the doubtful is.
type Ground string

// The grounds, in the order in which they count.
const (
	ByRoute    Ground = "route"    // an operator's, for the messages of a route
	ByAccount  Ground = "account"  // an operator's, for what an account carries
	ByProvider Ground = "provider" // it sends one key at most once, so a second call does no harm
	ByReceipts Ground = "receipts" // the provider will say what became of it
	ByClass    Ground = "class"    // what the message is for
)

// ValidPolicy tells whether p is one of the policies.
func ValidPolicy(p InDoubtPolicy) bool { return p == Resend || p == Await || p == GiveUp }

// DoubtOf is the one table of what happens to a message whose attempt was left without an answer, by its class
// and by what the account's provider can do. A code is worth nothing when it comes late: it waits neither for
// a receipt nor for its account.
func DoubtOf(c Class, dedup, receipts bool) (InDoubtPolicy, Ground) {
	switch p := c.Defaults().InDoubt; {
	case p == Resend:
		return p, ByClass
	case dedup:
		return Resend, ByProvider
	case receipts:
		return Await, ByReceipts
	default:
		return p, ByClass
	}
}

// Binds tells whether the attempt may have arrived, and only its own account would notice a second copy.
func (a *Attempt) Binds() bool {
	return a.Outcome == Unknown && (a.Doubt != Resend || a.Ground == ByProvider)
}
