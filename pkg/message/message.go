package message

import "time"

// Message is the state of one message: small, because it is written three times. The recipient, the
// variables and free content are kept beside it, sealed. Field tags are short for the record's size; the
// API has names of its own.
type Message struct {
	ID       ID      `json:"id"`
	Tenant   string  `json:"t"`
	Owner    string  `json:"ow,omitempty"` // the person to call, when it was accepted
	Key      string  `json:"k,omitempty"`  // id of the API key that sent it
	IP       string  `json:"ip,omitempty"` // where the request came from
	Trace    string  `json:"tr,omitempty"` // W3C traceparent
	Request  string  `json:"rq,omitempty"` // request id
	Channel  Channel `json:"ch"`
	Class    Class   `json:"c"`
	Template Ref     `json:"tp,omitzero"`
	// Free tells that the content is no template's but the caller's own.
	Free      bool   `json:"fr,omitempty"`
	Reference string `json:"r,omitempty"` // the caller's own
	ResendOf  ID     `json:"ro,omitempty"`
	Segments  int    `json:"sg,omitempty"` // of an SMS
	// Region is the country of a phone number, ISO 3166.
	Region string `json:"rg,omitempty"`

	Created Time `json:"at"`
	SendAt  Time `json:"sa,omitempty"` // not before; 0: at once
	Expires Time `json:"ex"`           // not at or after

	// Group and Place say which request for many it belongs to. Fallback: its siblings are other ways to
	// reach the same person, to be tried in order; Hold: it waits for an earlier one; Watch: how long
	// after sent a receipt is waited for before the next one goes.
	Group    string        `json:"g,omitempty"`
	Place    int           `json:"gp,omitempty"`
	Fallback bool          `json:"fb,omitempty"`
	Hold     bool          `json:"h,omitempty"`
	Watch    time.Duration `json:"w,omitempty"`

	// Base is where the workers brought it; Status is what receipts make of that.
	Base   Status `json:"b"`
	Status Status `json:"s"`
	Reason string `json:"rs,omitempty"` // why it ended, or why it waits: a code
	// Outcome is what a simulated message would have become.
	Outcome Status `json:"so,omitempty"`

	Epoch    int       `json:"e,omitempty"` // numbers the attempts
	Lease    Time      `json:"l,omitempty"` // until when a worker holds it
	Tries    int       `json:"n,omitempty"` // attempts that counted, in this round
	Requeues int       `json:"q,omitempty"` // by the sweep, since the last lease
	Due      Time      `json:"d,omitempty"` // when the sweep must look at it; 0: never
	Todo     Todo      `json:"td,omitempty"`
	Claim    string    `json:"cl,omitempty"` // the content claim that it holds
	Attempts []Attempt `json:"as,omitempty"`
	Notes    []Note    `json:"ns,omitempty"`
}

// Ref pins a version of a template.
type Ref struct {
	Tenant  string `json:"t,omitempty"` // its owner; "" is the message's tenant
	Name    string `json:"n,omitempty"`
	Version int    `json:"v,omitempty"`
	Locale  string `json:"l,omitempty"`
}

// Todo is the work that a change of status leaves behind. The message stays due until it is done.
type Todo uint8

// The kinds of work.
const (
	ReleaseClaim Todo = 1 << iota // give the content claim back
	TellSiblings                  // start or cancel the next ones of a fallback
	BlankVars                     // remove the variables
	CopyToDLQ                     // put a copy into the dead-letter queue
)

// Attempt is one call to one provider. It is recorded before the call.
type Attempt struct {
	Epoch      int       `json:"e"`
	Account    string    `json:"a"`
	Provider   string    `json:"p,omitempty"`
	At         Time      `json:"at"`
	End        Time      `json:"x,omitempty"` // 0: no answer was recorded
	Outcome    Outcome   `json:"o,omitempty"`
	HTTPStatus int       `json:"h,omitempty"`
	ProviderID string    `json:"i,omitempty"`
	Code       string    `json:"c,omitempty"`
	Text       string    `json:"t,omitempty"`
	Repeats    int       `json:"r,omitempty"` // further attempts like this one, folded into it
	Receipts   []Receipt `json:"rc,omitempty"`
}

// Receipt is what a provider said of one part of an attempt. Each state of a part is kept once.
type Receipt struct {
	Part  int          `json:"p,omitempty"`
	State ReceiptState `json:"s"`
	At    Time         `json:"at"`
	Code  string       `json:"c,omitempty"`
	Text  string       `json:"t,omitempty"`
}

// Note is an entry of the timeline that is no attempt and no receipt.
type Note struct {
	At   Time   `json:"at"`
	What string `json:"w"`           // deferred, requeued, cancelled, redriven, …
	By   string `json:"b,omitempty"` // an operator or a key
	Why  string `json:"y,omitempty"`
	N    int    `json:"n,omitempty"` // further ones like it, folded into it
}

const maxNotes = 12

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

// Attempt finds an attempt by its epoch; nil when it is not kept.
func (m *Message) Attempt(epoch int) *Attempt {
	for i := range m.Attempts {
		if m.Attempts[i].Epoch == epoch {
			return &m.Attempts[i]
		}
	}
	return nil
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
		t = max(t, n.At)
	}
	return max(t, m.Created)
}
