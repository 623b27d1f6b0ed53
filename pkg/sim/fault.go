package sim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
)

// Fault is something that goes wrong.
type Fault uint8

// The faults.
const (
	StoreFails     Fault = iota // a call fails before it is made
	StoreForgets                // a write was made, its answer is lost
	StoreThrottles              // for a while, every call
	StoreLags                   // an index does not show yet what was written
	DiesBefore                  // a process, before a call to the outside
	DiesAfter                   // and after it
	Freezes                     // a process, after a call, past its lease
	QueueRefuses
	QueueForgets // the items are kept, the answer is lost
	QueuePartly  // some are refused by name
	QueueLoses   // a hint is kept and never comes
	QueueDoubles
	QueueDelays
	QueueRepeats // one that was done comes again
	ProviderRetry
	ProviderThrottles
	ProviderRefuses
	ProviderBlames  // the account
	ProviderRefresh // a stale token
	ProviderDefers
	ProviderSilent   // it did not take the message, and nobody hears of that
	ProviderTakesMum // it took the message, and nobody hears of that
	ProviderPanics   // its code does, after it took the message
	Unopened         // the account cannot be opened
	Faults
)

var faultNames = [Faults]string{"store fails", "store forgets", "store throttles", "store lags", "dies before", "dies after", "freezes",
	"queue refuses", "queue forgets", "queue partly", "queue loses", "queue doubles", "queue delays", "queue repeats",
	"provider retry", "provider throttles", "provider refuses", "provider blames", "provider refresh", "provider defers",
	"provider silent", "provider takes mum", "provider panics", "unopened"}

// String is its name.
func (f Fault) String() string { return faultNames[f] }

// Coverage counts faults by the status of the message that was worked on; the last column is none.
type Coverage [Faults][states + 1]int

const states = 15

// Add adds another history's.
func (c *Coverage) Add(other *Coverage) {
	for f := range c {
		for s := range c[f] {
			c[f][s] += other[f][s]
		}
	}
}

// Count is how often a fault met a message in one of these statuses; without any, how often it happened.
func (c *Coverage) Count(f Fault, statuses ...message.Status) int {
	n := 0
	for s, times := range c[f] {
		if len(statuses) == 0 || s < states && slices.Contains(statuses, message.Statuses()[s]) {
			n += times
		}
	}
	return n
}

// String is a table.
func (c *Coverage) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-18s", "")
	for _, s := range message.Statuses() {
		fmt.Fprintf(&b, "%8.7s", s)
	}
	fmt.Fprintf(&b, "%8s\n", "none")
	for f, row := range c {
		fmt.Fprintf(&b, "%-18s", Fault(f))
		for _, n := range row {
			fmt.Fprintf(&b, "%8d", n)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// climate is how bad a history is. Each seed has a weather of its own: some faults often, some never, so
// that each is met alone and together with any other.
type climate struct {
	rates     [Faults]int // per thousand
	skew      time.Duration
	throttled message.Time // the store is, until then
	purges    bool         // the disk removes what has expired at once; else never
	torn      bool         // the elements of a sequence are written one by one
	dedup     bool         // sms-k deduplicates; else there is no such account
	named     bool         // sms-n's receipts name its own ids only; else there is no such account
	limit     int          // calls a second of sms-b; 0 is none
	echoes    int          // percent of the receipts that name the attempt
	late      int          // percent of them that come a minute to days later
}

// rate is how many messages a second runs think that the accounts take; 0 is not known.
func (w *world) rate() float64 { return []float64{0, 0, 2}[w.Seed%3] }

func newClimate(w *world) climate {
	var c climate
	w.healAt = start.Add([]time.Duration{2 * time.Minute, 20 * time.Minute, 5 * time.Hour}[w.chance.IntN(3)])
	for f := range c.rates {
		if !w.percent(55) {
			continue
		}
		c.rates[f] = []int{10, 30, 100}[w.chance.IntN(3)]
		if Fault(f) >= ProviderRetry { // there are fewer calls to providers than to anything else
			c.rates[f] = []int{50, 150, 400}[w.chance.IntN(3)]
		}
		if Fault(f) == StoreThrottles {
			c.rates[f] = 3
		}
	}
	if w.percent(30) {
		c.skew = []time.Duration{time.Second, 20 * time.Second, 120 * time.Second}[w.chance.IntN(3)]
	}
	c.purges, c.torn, c.dedup, c.named = w.percent(50), w.percent(40), w.percent(60), w.percent(60)
	if w.percent(40) {
		c.limit = 1
	}
	c.echoes, c.late = []int{0, 0, 70, 100}[w.chance.IntN(4)], []int{10, 10, 80}[w.chance.IntN(3)]
	if w.parts&Outages != 0 {
		w.healAt = start.Add(20 * time.Minute)
	}
	if w.parts&Redrives != 0 {
		c.rates[ProviderRetry], c.rates[ProviderBlames] = 600, 150
	}
	for f := range c.rates {
		if w.Without.Faults>>f&1 != 0 {
			c.rates[f] = 0
		}
	}
	return c
}

// meets decides whether a fault happens now, and counts it.
func (p *process) meets(f Fault) bool {
	w := p.w
	if !w.chaos || w.rates[f] == 0 || w.chance.IntN(1000) >= w.rates[f] {
		return false
	}
	w.coverage[f][w.oracle.state(p.about)]++
	w.mark(faultNames[f], p.name)
	return true
}

// AccidentKind is what happens at one call.
type AccidentKind uint8

// The kinds.
const (
	AccidentDiesBefore AccidentKind = iota
	AccidentDiesAfter
	AccidentFails
	AccidentForgets // made, and its answer lost
	AccidentKinds
)

// Accident is a fault at one call to the outside.
type Accident struct {
	At   int
	Kind AccidentKind
}

// accident is what happens at this call; AccidentKinds is nothing.
func (w *world) accident() AccidentKind {
	for _, a := range w.Accidents {
		if a.At == w.calls {
			return a.Kind
		}
	}
	return AccidentKinds
}

var (
	errFailed  = errors.New("sim: the call failed")
	errForgot  = errors.New("sim: the answer was lost")
	errRefused = errors.New("sim: the queue refuses")
)

// patience is how long a request may take: whoever runs the function ends it then. Workers are not that
// lucky here: the process of one machine may sleep past its lease.
const patience = 30 * time.Second

// call makes one call to the outside: others run before it, and after it if the process freezes there.
func (p *process) call(what string, before, forgets Fault, do func() error) error {
	w := p.w
	if p.dead || !p.pause(w.latency()) {
		return errDead
	}
	w.calls++
	w.mark(what, p.name)
	if p.overdue() {
		w.mark("killed", p.name)
		p.die()
		return errDead
	}
	accident := w.accident()
	switch {
	case accident == AccidentDiesBefore, p.meets(DiesBefore):
		p.die()
		return errDead
	case accident == AccidentFails, p.meets(before):
		return errFailed
	}
	if err := do(); err != nil {
		return err
	}
	switch {
	case accident == AccidentDiesAfter, p.meets(DiesAfter):
		p.die()
		return errDead
	case p.meets(Freezes) && !p.pause(w.between(5*time.Second, 400*time.Second)):
		return errDead
	case accident == AccidentForgets, p.meets(forgets):
		return errForgot
	}
	return nil
}

// latency is how long a call takes.
func (w *world) latency() time.Duration {
	if w.chaos && w.percent(2) {
		return w.between(0, 8*time.Second)
	}
	return w.between(0, 20*time.Millisecond)
}
