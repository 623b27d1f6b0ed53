// Package breaker decides from the outcomes of calls whether an account works. It is pure: what its processes
// agree on is a value, now and chance are arguments.
package breaker

import (
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/message"
)

const (
	span  = 10 * time.Second // of a slot
	slots = 3                // what is looked back on
	// An account is at fault when half of so many calls fail, or four of five in the newest slot; where there
	// are fewer calls, when all of several fail, or when it is told so many times in a row that its
	// credentials, its balance or its signature are no good.
	least   = 20
	several = 8
	faults  = 5
	// openFor is how long it is left alone at first; each time that does not help, twice as long.
	openFor, openMost = 15 * time.Second, 5 * time.Minute
	// It comes back by a small share of the traffic, which doubles while all goes well: after a slot with
	// something good in it, or after a while in which nobody came.
	firstShare = 0.05
	unseen     = time.Minute
	// enough bad calls close the way again while it comes back.
	enough = 3
)

// State is where an account stands.
type State string

// The states.
const (
	Closed  State = "closed"  // it works
	Open    State = "open"    // it is left alone, if there is another
	Probing State = "probing" // it comes back: some of the traffic tries it
)

// Breaker is what is known of an account. The zero value is an account that works.
type Breaker struct {
	// Slots are the outcomes of late, the newest first; while it comes back, those since the last step.
	Slots []Slot `json:"s,omitzero"`
	// Streak is how many calls in a row the account itself was at fault.
	Streak int `json:"f,omitzero"`
	// Opened is since when it does not work; 0 when it does. Until is how long it is left alone, Wait how many
	// seconds that was.
	Opened message.Time `json:"o,omitzero"`
	Until  message.Time `json:"u,omitzero"`
	Wait   int          `json:"w,omitzero"`
	// Share of the traffic that may try it, since Step.
	Share float64      `json:"p,omitzero"`
	Step  message.Time `json:"t,omitzero"`
	// Owed is set when it works again: since when messages may have died over it.
	Owed message.Time `json:"r,omitzero"`
}

// Slot is the outcomes of ten seconds.
type Slot struct {
	At   message.Time `json:"t"`
	Good int          `json:"g,omitzero"`
	Bad  int          `json:"b,omitzero"`
}

// Seen is what a process saw since it told the last time.
type Seen struct {
	Good, Bad int
	// Streak is how many of the newest calls in a row were the account's own fault.
	Streak int
}

// Add counts an outcome. What says nothing of the account is left out: a limit, a stale token, a wish to
// wait.
func (s Seen) Add(o message.Outcome) Seen {
	switch o {
	case message.Accepted, message.Permanent:
		s.Good++
		s.Streak = 0
	case message.AccountFault:
		s.Bad++
		s.Streak++
	case message.Unknown, message.Retry:
		s.Bad++
		s.Streak = 0
	}
	return s
}

// State is where the account stands at now.
func (b Breaker) State(now message.Time) State {
	switch {
	case b.Opened == 0:
		return Closed
	case now < b.Until:
		return Open
	}
	return Probing
}

// Down tells whether a message goes elsewhere; r is in [0,1).
func (b Breaker) Down(now message.Time, r float64) bool {
	switch b.State(now) {
	case Open:
		return true
	case Probing:
		return r >= b.ShareAt(now)
	}
	return false
}

// ShareAt is the share of the traffic that tries an account which comes back. It grows by itself while nobody
// comes: an account with little traffic would never be tried.
func (b Breaker) ShareAt(now message.Time) float64 {
	share, since := max(b.Share, firstShare), max(b.Step, b.Until)
	if good, bad := b.sum(0); good+bad == 0 {
		for ; share < 1 && now.Sub(since) >= unseen; since = since.Add(unseen) {
			share *= 2
		}
	}
	return min(share, 1)
}

// sum counts what was seen since.
func (b Breaker) sum(since message.Time) (good, bad int) {
	for _, s := range b.Slots {
		if s.At >= since {
			good, bad = good+s.Good, bad+s.Bad
		}
	}
	return good, bad
}

// Observe is what becomes of it when a process tells what it saw.
func (b Breaker) Observe(s Seen, now message.Time) Breaker {
	before := b.State(now)
	share := b.ShareAt(now)
	b = b.note(s, now)
	good, bad := b.sum(0)
	switch before {
	case Closed:
		if b.fails(good, bad) {
			return opened(b.since(now), now, openFor)
		}
	case Probing:
		switch {
		case b.Streak >= enough || bad >= enough && bad >= good:
			return opened(b.Opened, now, min(2*time.Duration(b.Wait)*time.Second, openMost))
		case good > bad && now.Sub(max(b.Step, b.Until)) >= span:
			b.Share, b.Step, b.Slots, b.Streak = 2*share, now, nil, 0
			if b.Share >= 1 {
				return Breaker{Owed: b.Opened.Add(-slots * span)}
			}
		}
	case Open:
		// What was under way ends, and what has no other account goes on: neither says what will be.
		b.Slots, b.Streak = nil, 0
	}
	return b
}

// since is from when on an account does not work that fails now: as it failed before, where it was not given yet what it
// is owed. Else that would be forgotten. It is a moment earlier, as redrives are told apart by their times.
func (b Breaker) since(now message.Time) message.Time {
	if b.Owed == 0 {
		return now
	}
	return b.Owed.Add(slots*span) - 1
}

func opened(since, now message.Time, wait time.Duration) Breaker {
	return Breaker{Opened: since, Until: now.Add(wait), Wait: int(wait / time.Second)}
}

// fails tells whether an account that worked does not any more.
func (b Breaker) fails(good, bad int) bool {
	if good+bad < least {
		return b.Streak >= faults || good == 0 && bad >= several
	}
	newest := b.Slots[0]
	return bad >= good || newest.Good+newest.Bad >= least && newest.Bad >= 4*newest.Good
}

// note adds to the slots.
func (b Breaker) note(s Seen, now message.Time) Breaker {
	at := now / message.Time(span/time.Millisecond) * message.Time(span/time.Millisecond)
	kept := slices.DeleteFunc(slices.Clone(b.Slots), func(s Slot) bool { return s.At <= now.Add(-slots*span) })
	if len(kept) == 0 || kept[0].At < at {
		kept = slices.Insert(kept, 0, Slot{At: at})
	}
	kept[0].Good += s.Good
	kept[0].Bad += s.Bad
	b.Slots = kept
	if s.Streak < s.Good+s.Bad { // something else came first
		b.Streak = s.Streak
	} else {
		b.Streak += s.Streak
	}
	return b
}

// Healthy tells whether there is nothing to remember.
func (b Breaker) Healthy(now message.Time) bool {
	_, bad := b.note(Seen{}, now).sum(0)
	return b.Opened == 0 && b.Owed == 0 && bad == 0 && b.Streak == 0
}
