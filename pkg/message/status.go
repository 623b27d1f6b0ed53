package message

// Status is where a message stands. The values are part of the API.
type Status string

// The life of a message. Sent means that the provider took it; only Delivered says that it arrived.
const (
	Scheduled   Status = "scheduled"   // waits for its time, or for an earlier sibling to fail
	Queued      Status = "queued"      // on its way to a worker, or waiting for its next try
	Sending     Status = "sending"     // a worker holds the lease
	Sent        Status = "sent"        // the provider accepted it
	InDoubt     Status = "in_doubt"    // the request left and no answer came: it may have been sent
	Delivered   Status = "delivered"   // a receipt says that it arrived
	Undelivered Status = "undelivered" // a receipt says that it did not
	Bounced     Status = "bounced"     // the mailbox refused it for good
	Complained  Status = "complained"  // the recipient called it spam
	Failed      Status = "failed"      // the provider refused it for good
	Expired     Status = "expired"     // its time was over before it could be sent
	Cancelled   Status = "cancelled"   // somebody stopped it, or a sibling made it needless
	Suppressed  Status = "suppressed"  // the address must not be written to
	Dead        Status = "dead"        // attempts used up, or poison: waits for an operator
	Simulated   Status = "simulated"   // a test key, or an address this stage may not write to
)

// Statuses lists all of them in the order of a message's life. Records count on it: see Tell.
func Statuses() []Status {
	return []Status{Scheduled, Queued, Sending, Sent, InDoubt, Delivered, Undelivered, Bounced, Complained,
		Failed, Expired, Cancelled, Suppressed, Dead, Simulated}
}

// Valid tells whether s is one of the statuses.
func (s Status) Valid() bool {
	for _, v := range Statuses() {
		if s == v {
			return true
		}
	}
	return false
}

// Terminal tells whether no worker will touch the message again of its own accord. A receipt may still
// change it, and an operator may send a dead one again.
func (s Status) Terminal() bool {
	switch s {
	case Scheduled, Queued, Sending, Sent, InDoubt:
		return false
	}
	return true
}

// Trouble tells whether operators look for it.
func (s Status) Trouble() bool {
	switch s {
	case Failed, Dead, InDoubt, Undelivered, Bounced, Complained:
		return true
	}
	return false
}

// ReleasesContent tells whether the content claim is given back, so that the same content may be asked
// for again inside the window. A message in doubt keeps it.
func (s Status) ReleasesContent() bool {
	switch s {
	case Failed, Dead, Undelivered, Bounced, Expired, Cancelled, Suppressed:
		return true
	}
	return false
}
