package trace

import (
	"cmp"
	"slices"
	"strings"

	"github.com/opennotify/notify/pkg/message"
)

// The events of a timeline that Timeline derives. A note of the record comes under its own name:
// deferred, requeued, activated, expired, cancelled, suppressed, failed, poison, given_up, redriven, trial, resent.
const (
	Requested = "requested" // by a key, from an IP
	Accepted  = "accepted"  // the record exists: it is not lost any more
	Held      = "held"      // it waits for an earlier sibling
	Timed     = "scheduled" // it waits for its time
	Queued    = "queued"    // a worker may take it
	Leased    = "leased"    // a worker has it, and calls the provider
	Attempted = "attempt"   // the provider's answer, or none
	Reported  = "receipt"   // what the provider said later
	Ended     = "ended"
)

// Entry is one event in a message's life. Which fields are set follows from Event.
type Entry struct {
	At    message.Time
	Event string
	// By is who did it, as key:<id> or a person's name, and Why the reason that was given.
	By, Why string
	// IP, Request (its id) and Trace (W3C traceparent) are where the request came from.
	IP, Request, Trace string
	Until              message.Time   // held back until then
	Status             message.Status // that it ended with
	Repeats            int            // further notes like this one, of which this is the last
	Attempt            *Attempt       // leased, attempt, receipt: which one
	Receipt            *Receipt
}

// Attempt is a call to a provider.
type Attempt struct {
	Epoch             int
	Account, Provider string
	Bound             string // the vendor's own template that was filled in
	// Outcome is "" while no answer is recorded; then one of message.Outcome's names.
	Outcome    string
	ProviderID string // the provider's own id of the message
	HTTPStatus int
	Code, Text string // the provider's own
	Millis     int64  // from the call to its answer
	Repeats    int    // further attempts like it, of which this is the last
	// Doubt is the policy that was followed when there was no answer, and Ground whose word it is.
	Doubt  message.InDoubtPolicy
	Ground message.Ground
}

// Receipt is what a provider said of one part of an attempt.
type Receipt struct {
	Part       int
	State      string
	Code, Text string
	// Said is the provider's own time. Its clock may be coarse or wrong; Entry.At is never before the
	// attempt.
	Said message.Time
}

// Timeline is everything that is known of a message's life, in order. It is derived here and nowhere else.
func Timeline(m *message.Message) []Entry {
	t := timeline{m: m}
	t.beginning()
	for i := range m.Attempts {
		t.attempt(&m.Attempts[i])
	}
	for _, n := range m.Notes {
		t.add(Entry{At: n.At, Event: n.What, By: n.By, Why: n.Why, Repeats: n.N})
	}
	if at := m.Completed(); at > 0 {
		t.add(Entry{At: at, Event: Ended, Status: m.Status, Why: m.Reason})
	}
	slices.SortStableFunc(t.entries, func(a, b Entry) int { return cmp.Compare(a.At, b.At) })
	return t.entries
}

type timeline struct {
	m       *message.Message
	entries []Entry
}

// add keeps an entry. Nothing happened before the request, whatever another machine's clock says.
func (t *timeline) add(e Entry) {
	e.At = max(e.At, t.m.Created)
	t.entries = append(t.entries, e)
}

// beginning is what came before the first attempt.
func (t *timeline) beginning() {
	m := t.m
	by := m.Key
	if by != "" && !strings.Contains(by, ":") { // else a person's
		by = "key:" + by
	}
	t.add(Entry{At: m.Created, Event: Requested, By: by, IP: m.IP, Request: m.Request, Trace: m.Trace})
	t.add(Entry{At: m.Created, Event: Accepted})
	began := len(m.Attempts) > 0
	activated := t.noted("activated")
	start := m.Created
	if m.Hold || activated > 0 {
		t.add(Entry{At: start, Event: Held})
		if start = activated; start == 0 && !began {
			return
		}
	}
	if m.SendAt > start {
		t.add(Entry{At: start, Event: Timed, Until: m.SendAt})
		if start = m.SendAt; !began && m.Status != message.Queued && t.noted("deferred") == 0 {
			return // its time has not come, or it ended before
		}
	}
	if began || !m.Status.Terminal() || slices.ContainsFunc(m.Notes, ofWay) { // else intake ended it at once
		t.add(Entry{At: start, Event: Queued})
	}
}

// ofWay tells the notes of a message's way from those of why there is one.
func ofWay(n message.Note) bool { return n.What != "trial" && n.What != "resent" }

// noted is when something was first noted; 0 for never.
func (t *timeline) noted(what string) message.Time {
	for _, n := range t.m.Notes {
		if n.What == what {
			return n.At
		}
	}
	return 0
}

func (t *timeline) attempt(a *message.Attempt) {
	which := Attempt{Epoch: a.Epoch, Account: a.Account, Provider: a.Provider, Bound: a.Bound}
	t.add(Entry{At: a.At, Event: Leased, Attempt: &which})
	call, over := which, a.At
	call.Repeats, call.Doubt, call.Ground = a.Repeats, a.Doubt, a.Ground
	if a.End > 0 {
		over = max(a.At, a.End)
		call.Outcome, call.ProviderID, call.HTTPStatus = a.Outcome.String(), a.ProviderID, a.HTTPStatus
		call.Code, call.Text, call.Millis = a.Code, a.Text, over.Sub(a.At).Milliseconds()
	}
	t.add(Entry{At: over, Event: Attempted, Attempt: &call})
	for _, r := range a.Receipts {
		t.add(Entry{At: max(r.At, over), Event: Reported, Attempt: &which,
			Receipt: &Receipt{Part: r.Part, State: r.State.String(), Code: r.Code, Text: r.Text, Said: r.At}})
	}
}
