package message

import "time"

// Class says what a message is for. It decides the lane and the defaults.
type Class string

// The classes.
const (
	OTP           Class = "otp"
	Transactional Class = "transactional"
	Marketing     Class = "marketing"
	// Callback tells a tenant's endpoint what became of a message. It is ours: nobody asks for it.
	Callback Class = "callback"
)

// Lane is the queue that a class travels in, so that codes never wait behind campaigns.
type Lane string

// The lanes.
const (
	Urgent Lane = "urgent"
	Normal Lane = "normal"
	Bulk   Lane = "bulk"
)

// Lanes lists them, most urgent first.
func Lanes() []Lane { return []Lane{Urgent, Normal, Bulk} }

// InDoubtPolicy says what happens to a message whose attempt was left without an answer.
type InDoubtPolicy string

// The policies. A provider that deduplicates by our key is always asked again: that is safe.
const (
	Resend InDoubtPolicy = "resend"  // a second copy is better than none
	Await  InDoubtPolicy = "await"   // hold it for a receipt; an operator decides if none comes
	GiveUp InDoubtPolicy = "give_up" // fail visibly: a second copy is worse than none
)

// ClassDefaults is a row of the one table of the classes.
type ClassDefaults struct {
	Lane        Lane
	TTL         time.Duration // from accepted (or send_at) to expired
	Attempts    int           // calls that count before the message is dead
	BackoffMin  time.Duration // first wait; doubles up to BackoffMax, with full jitter
	BackoffMax  time.Duration
	Waits       []time.Duration // in place of a doubling range: one wait after the other, the last for good
	InDoubt     InDoubtPolicy
	DedupWindow time.Duration // of equal content to one recipient
	KeepVars    time.Duration // variables, from send_at
	KeepRecord  time.Duration // the record, from send_at
	BlankVars   bool          // variables are blanked at a terminal state
	QuietHours  bool          // held back in the recipient's night
	Unsubscribe bool          // needs a way out in its text
}

var classes = map[Class]ClassDefaults{
	OTP: {Lane: Urgent, TTL: 5 * time.Minute, Attempts: 4, BackoffMin: time.Second, BackoffMax: 20 * time.Second, InDoubt: Resend,
		DedupWindow: 30 * time.Second, KeepVars: 30 * day, KeepRecord: 180 * day, BlankVars: true},
	Transactional: {Lane: Normal, TTL: 24 * time.Hour, Attempts: 8, BackoffMin: 5 * time.Second, BackoffMax: 30 * time.Minute, InDoubt: Await,
		DedupWindow: 5 * time.Minute, KeepVars: 30 * day, KeepRecord: 180 * day},
	Marketing: {Lane: Bulk, TTL: 72 * time.Hour, Attempts: 6, BackoffMin: 30 * time.Second, BackoffMax: time.Hour, InDoubt: GiveUp,
		DedupWindow: 24 * time.Hour, KeepVars: 30 * day, KeepRecord: 180 * day, QuietHours: true, Unsubscribe: true},
	// An endpoint is a program that somebody is repairing: only time ends the tries. It sees one webhook-id
	// on all of them.
	Callback: {Lane: Normal, TTL: 28 * time.Hour, Attempts: 1000, InDoubt: Resend, KeepVars: 14 * day, KeepRecord: 14 * day,
		Waits: []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour}},
}

const day = 24 * time.Hour

// MaxTTL is how long a message may be told to wait at most: of no class are its variables kept for a shorter time, and what
// waited for longer could be sent to nobody any more.
const MaxTTL = 30 * day

// Classes lists the classes that a caller may name.
func Classes() []Class { return []Class{OTP, Transactional, Marketing} }

// Valid tells whether c is a class that a caller may name.
func (c Class) Valid() bool { _, ok := classes[c]; return ok && c != Callback }

// Defaults is c's row; an unknown class gets Transactional's, so that a record written by a newer
// version is still delivered.
func (c Class) Defaults() ClassDefaults {
	if d, ok := classes[c]; ok {
		return d
	}
	return classes[Transactional]
}
