package message

import "time"

// Message is the state of one message: small, because it is written three times. The recipient, the
// variables and free content are kept beside it, sealed. Field tags are short for the record's size; the
// API has names of its own.
type Message struct {
	ID       ID      `json:"id"`
	Tenant   string  `json:"t"`
	Owner    string  `json:"ow,omitzero"` // the person to call, when it was accepted
	Key      string  `json:"k,omitzero"`  // id of the API key that sent it
	IP       string  `json:"ip,omitzero"` // where the request came from
	Trace    string  `json:"tr,omitzero"` // W3C traceparent
	Request  string  `json:"rq,omitzero"` // request id
	Channel  Channel `json:"ch"`
	Class    Class   `json:"c"`
	Template Ref     `json:"tp,omitzero"`
	// Free tells that the content is no template's but the caller's own.
	Free      bool   `json:"fr,omitzero"`
	Reference string `json:"r,omitzero"` // the caller's own
	ResendOf  ID     `json:"ro,omitzero"`
	// Trial is the account that this is a test of: it alone carries it, whatever routes say.
	Trial    string `json:"tt,omitzero"`
	Segments int    `json:"sg,omitzero"` // of an SMS
	// Region is the country of a phone number, ISO 3166.
	Region string `json:"rg,omitzero"`

	Created Time `json:"at"`
	SendAt  Time `json:"sa,omitzero"` // not before; 0: at once
	Expires Time `json:"ex"`          // not at or after

	// Group and Place say which request for many it belongs to. Fallback: its siblings are other ways to
	// reach the same person, to be tried in order; Hold: it waits for an earlier one; Watch: how long
	// after sent a receipt is waited for before the next one goes.
	Group    string `json:"g,omitzero"`
	Place    int    `json:"gp,omitzero"`
	Fallback bool   `json:"fb,omitzero"`
	Hold     bool   `json:"h,omitzero"`
	Watch    int    `json:"w,omitzero"` // seconds

	// Tell has the statuses that somebody is told of; Told is when the last of them was reached, and tells
	// them apart, as no two are equal. Endpoint is where a callback goes: the name of one of the tenant's.
	Tell     Tell   `json:"tl,omitzero"`
	Told     Time   `json:"ta,omitzero"`
	Endpoint string `json:"ep,omitzero"`

	// Base is where the workers brought it; Status is what receipts make of that.
	Base   Status `json:"b"`
	Status Status `json:"s"`
	Reason string `json:"rs,omitzero"` // why it ended, or why it waits: a code
	// Outcome is what a simulated message would have become.
	Outcome Status `json:"so,omitzero"`

	Epoch    int       `json:"e,omitzero"`  // numbers the attempts
	Lease    Time      `json:"l,omitzero"`  // until when a worker holds it
	Tries    int       `json:"n,omitzero"`  // attempts that counted, in this round
	Requeues int       `json:"q,omitzero"`  // by the sweep, since the last lease
	Next     Time      `json:"nx,omitzero"` // no attempt before this: a back-off, a limit, quiet hours
	Due      Time      `json:"d,omitzero"`  // when the sweep must look at it; 0: never
	Todo     Todo      `json:"td,omitzero"`
	Claim    string    `json:"cl,omitzero"` // the content claim that it holds
	Freed    string    `json:"cf,omitzero"` // or has given back
	Attempts []Attempt `json:"as,omitzero"`
	Notes    []Note    `json:"ns,omitzero"`
}

// Ref pins a version of a template.
type Ref struct {
	Tenant  string `json:"t,omitzero"` // its owner; "" is the message's tenant
	Name    string `json:"n,omitzero"`
	Version int    `json:"v,omitzero"`
	Locale  string `json:"l,omitzero"`
}

// Todo is the work that a change of status leaves behind. The message stays due until it is done.
type Todo uint8

// The kinds of work.
const (
	ReleaseClaim    Todo = 1 << iota // give the content claim back
	TellSiblings                     // start or cancel the next ones of a fallback
	BlankVars                        // remove the variables
	CopyToDLQ                        // put a copy into the dead-letter queue
	TellTenant                       // make the callbacks
	SuppressAddress                  // see to it that the recipient is not written to again
)

// Attempt is one call to one provider. It is recorded before the call.
type Attempt struct {
	Epoch      int     `json:"e"`
	Account    string  `json:"a"`
	Provider   string  `json:"p,omitzero"`
	Bound      string  `json:"b,omitzero"` // the vendor's own template, where it sends those only
	At         Time    `json:"at"`
	End        Time    `json:"x,omitzero"` // 0: no answer was recorded
	Outcome    Outcome `json:"o,omitzero"`
	HTTPStatus int     `json:"h,omitzero"`
	ProviderID string  `json:"i,omitzero"`
	Code       string  `json:"c,omitzero"`
	Text       string  `json:"t,omitzero"`
	Repeats    int     `json:"r,omitzero"`  // further attempts like this one, folded into it
	Suppress   string  `json:"su,omitzero"` // why the recipient must not be written to, if the code says so
	// Doubt is the policy that was followed when there was no answer, and Ground whose word it is.
	Doubt    InDoubtPolicy `json:"d,omitzero"`
	Ground   Ground        `json:"g,omitzero"`
	Receipts []Receipt     `json:"rc,omitzero"`
}

// Receipt is what a provider said of one part of an attempt. Each state of a part is kept once.
type Receipt struct {
	// Of is the provider's id of what it is about, as long as nobody knows whether that is this attempt: see
	// Reported.Guess.
	Of    string       `json:"i,omitzero"`
	Part  int          `json:"p,omitzero"`
	State ReceiptState `json:"s"`
	At    Time         `json:"at"`
	Code  string       `json:"c,omitzero"`
	Text  string       `json:"t,omitzero"`
	// Suppress is why the recipient must not be written to again, if the code says so.
	Suppress string `json:"su,omitzero"`
}

// Note is an entry of the timeline that is no attempt and no receipt.
type Note struct {
	At   Time   `json:"at"`
	What string `json:"w"`          // deferred, requeued, cancelled, redriven, …
	By   string `json:"b,omitzero"` // an operator or a key
	Why  string `json:"y,omitzero"`
	N    int    `json:"n,omitzero"` // further ones like it, folded into it
}

// requeued is the one note that is not about where the message stands.
const requeued = "requeued"

// replied is the note of what the recipient answered.
const replied = "replied"

// Grace is how long after its time the sweep leaves a message to the queue.
const Grace = 30 * time.Second

// New makes a message as it is accepted: queued, or scheduled when it has a time to come or waits for a
// sibling. Nothing is written after the send to the queue, so the accepting write says queued already.
func New(m Message, now Time) Message {
	m.Base, m.Status = Queued, Queued
	m.Due = now.Add(Grace)
	switch {
	case m.Hold:
		m.Base, m.Status, m.Due = Scheduled, Scheduled, m.Expires
	case m.SendAt > now:
		m.Base, m.Status, m.Due = Scheduled, Scheduled, m.SendAt
		if m.SendAt.Sub(now) <= 15*time.Minute { // the queue's own delay carries it
			m.Due = m.SendAt.Add(Grace)
		}
	}
	return m
}

// End ends a message before it is kept.
func (m *Message) End(s Status, reason string, now Time) {
	m.Base, m.Status, m.Reason, m.Due, m.Hold = s, s, reason, 0, false
	if m.Tell.Has(s) {
		m.Todo, m.Told, m.Due = TellTenant, now, now.Add(Grace)
	}
}

// Attempt finds an attempt by its epoch; nil when it is not kept.
func (m *Message) Attempt(epoch int) *Attempt {
	for i := range m.Attempts {
		if m.Attempts[i].Epoch == epoch {
			return &m.Attempts[i]
		}
	}
	return nil
}

// First is the oldest attempt that is kept; nil before it.
func (m *Message) First() *Attempt {
	if len(m.Attempts) == 0 {
		return nil
	}
	return &m.Attempts[0]
}

// Last is the newest attempt; nil before the first.
func (m *Message) Last() *Attempt {
	if len(m.Attempts) == 0 {
		return nil
	}
	return &m.Attempts[len(m.Attempts)-1]
}

// Lane is the queue it travels in.
func (m *Message) Lane() Lane { return m.Class.Defaults().Lane }

// Counted is what its numbers go under: its channel, or a name of their own for callbacks, whose failures are
// their endpoints'.
func (m *Message) Counted() string {
	if m.Class == Callback {
		return string(Callback)
	}
	return string(m.Channel)
}

// Completed is when it reached its present terminal status; 0 when it has none.
func (m *Message) Completed() Time {
	if !m.Status.Terminal() {
		return 0
	}
	var t Time
	for _, a := range m.Attempts {
		t = max(t, a.At, a.End)
		for _, r := range a.Receipts {
			t = max(t, r.At)
		}
	}
	for _, n := range m.Notes {
		if n.What != requeued && n.What != replied { // work that was left behind moves nothing, nor do answers
			t = max(t, n.At)
		}
	}
	return max(t, m.Created)
}
