package sim

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/breaker"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/store"
)

// What one person gets where there are caps: so many codes, and so many text messages, in ten minutes; and how many
// codes all numbers of a range together.
const (
	capMost   = 2
	rangeMost = 4
	capWithin = 10 * time.Minute
)

// codes are the caps on codes.
func (w *world) codes() config.Codes {
	if w.parts&Caps == 0 { // everybody asks again and again
		return config.Codes{PerRecipient: &config.Cap{}}
	}
	within := int(capWithin / time.Second)
	return config.Codes{PerRecipient: &config.Cap{Messages: capMost, Seconds: within}, Prefixes: []config.PrefixCap{{Prefix: "+86138", Cap: config.Cap{Messages: rangeMost, Seconds: within}}}}
}

// frequency is the cap of the route of text messages.
func (w *world) frequency() *route.Cap {
	if w.parts&Caps == 0 {
		return nil
	}
	return &route.Cap{Messages: capMost, Seconds: int(capWithin / time.Second), Mode: route.Hold}
}

// bounds is what the oracle knows of limits, caps and breakers.
type bounds struct {
	seconds  map[int64]int // calls over sms-b, by the caller's second
	codes    codes
	spent    budgets
	places   map[string][]between        // of a cap, that messages of one person were given
	placed   map[message.ID]message.Time // since when one has, or may have, a place
	sure     map[message.ID]bool         // and knows that it has
	asking   map[message.ID]int
	breakers map[string]*health
	stayed   int       // messages that might go anywhere, and went over an account that has been known to be down
	chances  []float64 // that each of those had to do so, with those that went over others
}

// between is when something happened, as far as is known.
type between struct{ from, to message.Time }

// health is an account's breaker on the disk, since when it does not work, and what it was before it changed, at.
type health struct {
	breaker.Breaker
	since, at message.Time
	before    breaker.Breaker
}

func newBounds() bounds {
	return bounds{seconds: map[int64]int{}, codes: newCodes(), spent: budgets{days: map[int64]int{}}, places: map[string][]between{}, placed: map[message.ID]message.Time{}, sure: map[message.ID]bool{}, asking: map[message.ID]int{}, breakers: map[string]*health{}}
}

// limited judges a call against its account's limit: by the clock of each process, whose seconds are those that all
// count together.
func (o *oracle) limited(p *process, s *story, account string) {
	if account != "sms-b" || o.w.limit == 0 {
		return
	}
	second := int64(p.now()) / 1000
	if o.bounds.seconds[second]++; o.bounds.seconds[second] > o.w.limit {
		o.tell(Limited, s, "%d calls over %s in one second, its limit is %d", o.bounds.seconds[second], account, o.w.limit)
	}
}

// tooMany tells whether more were in the time of a cap than it allows, whenever within what is known they were.
func (o *oracle) tooMany(at []between) bool {
	slices.SortFunc(at, func(a, b between) int { return cmp.Compare(a.to, b.to) })
	for i := capMost; i < len(at); i++ {
		first := at[i].from
		for _, b := range at[i-capMost : i] {
			first = min(first, b.from)
		}
		if at[i].to.Sub(first) < capWithin-o.tolerance() {
			return true
		}
	}
	return false
}

// asks is told that a message asks for a place of its route's cap: from now on it may have one. Who froze, or whose
// clock is wrong, asks as of an earlier time.
func (b *bounds) asks(id message.ID, now message.Time) {
	if b.asking[id]++; b.placed[id] == 0 || now < b.placed[id] {
		b.placed[id] = now
	}
}

// asked is told what it heard. One that heard nothing may have it, and so may one of which another worker still asks.
func (o *oracle) asked(id message.ID, now message.Time, wait time.Duration, err error) {
	b, s := &o.bounds, o.stories[id]
	switch b.asking[id]--; {
	case b.sure[id] || s == nil || err != nil:
	case wait > 0:
		if b.asking[id] == 0 {
			delete(b.placed, id)
		}
	default:
		b.sure[id] = true
		of := s.to()
		// Who froze while he asked has it from when he goes on.
		if b.places[of] = append(b.places[of], between{b.placed[id], max(now, b.placed[id], o.w.now)}); o.tooMany(b.places[of]) {
			o.tell(Capped, s, "%d messages for one person in %s: %v", capMost+1, capWithin, b.places[of])
		}
	}
}

// frequent judges a call against the cap of its route.
func (o *oracle) frequent(s *story) {
	if o.w.parts&Caps != 0 && s.m.Channel == message.SMS && !o.bounds.sure[s.m.ID] {
		o.tell(Capped, s, "called for without a place")
	}
}

const (
	looked = time.Minute      // after which every process has seen that an account does not work
	heard  = 10 * time.Second // after which it has seen what has become of it since
	// unlikely is a chance that no history has among millions.
	unlikely = 1e-7
)

// broke keeps a breaker as it is on the disk.
func (o *oracle) broke(before, after *store.Item) {
	if after == nil {
		delete(o.bounds.breakers, before.SK)
		return
	}
	h := &health{since: o.w.now, at: o.w.now}
	if err := json.Unmarshal(after.Data, &h.Breaker); err != nil {
		o.violate(Truth, "the breaker of %s cannot be read: %v", after.SK, err)
	}
	if was := o.bounds.breakers[after.SK]; was != nil && was.Opened != 0 {
		h.since, h.before = was.since, was.Breaker
	}
	if o.bounds.breakers[after.SK] = h; h.Owed != 0 {
		o.w.wake(o.w.now)
	}
}

// owed tells whether an account works again whose dead were not tried again.
func (o *oracle) owed() bool {
	for _, h := range o.bounds.breakers {
		if h.Owed != 0 {
			return true
		}
	}
	return false
}

// moves keeps where messages go that might go anywhere while an account is down, and how likely it was: some of them
// try whether it works again.
func (o *oracle) moves(s *story) {
	a, down := s.m.Last(), o.bounds.breakers[o.w.outage.account]
	if o.w.parts&Outages == 0 || s.m.Channel != message.SMS || len(s.m.Attempts) > 1 || down == nil || down.Opened == 0 ||
		o.w.now < down.since.Add(looked) || o.w.now >= o.w.outage.until || len(o.w.route("carry").Accounts) < 2 {
		return
	}
	for name, h := range o.bounds.breakers {
		if name != o.w.outage.account && h.Opened != 0 {
			return // all look alike
		}
	}
	chance := max(tried(down.Breaker, a.At), 0.05) // a worker may have frozen since it chose
	if o.w.now < down.at.Add(heard) {
		chance = max(chance, tried(down.before, a.At))
	}
	o.bounds.chances = append(o.bounds.chances, chance)
	if a.Account == o.w.outage.account {
		o.bounds.stayed++
	}
}

// tried is the share of the traffic that tries an account, by somebody's clock.
func tried(b breaker.Breaker, now message.Time) float64 {
	switch b.State(now) {
	case breaker.Open:
		return 0
	case breaker.Probing:
		return b.ShareAt(now)
	}
	return 1
}

// chanceOf is how likely it is that so many or more of some chances come true.
func chanceOf(most int, chances []float64) float64 {
	of := make([]float64, most+1) // how likely so many of those before are
	of[0] = 1
	for _, c := range chances {
		of[most] += of[most-1] * c // and more
		for n := most - 1; n > 0; n-- {
			of[n] += (of[n-1] - of[n]) * c
		}
		of[0] -= of[0] * c
	}
	return of[most]
}

// quietBounds judges breakers at rest.
func (o *oracle) quietBounds() {
	if stayed, of := o.bounds.stayed, o.bounds.chances; stayed > 0 && chanceOf(stayed, of) < unlikely {
		o.violate(Failover, "%s is known to be down, and of %d messages %d went over it, which had the chances %.2f", o.w.outage.account, len(of), stayed, of)
	}
	if o.w.parts&Outages != 0 && o.owed() {
		o.violate(Failover, "an account works again, and what died over it is not tried again")
	}
}

// outage is a time in which an account does nothing.
type outage struct {
	account     string
	from, until message.Time
	outcome     message.Outcome
}

// drawOutage makes an account fail for some minutes, while messages come and afterwards.
func (c *clients) drawOutage() {
	w := c.w
	from := w.now.Add(w.between(0, 20*time.Second))
	w.outage = outage{"sms-a", from, from.Add(w.between(3*time.Minute, 8*time.Minute)),
		[]message.Outcome{message.AccountFault, message.Retry, message.Unknown}[w.chance.IntN(3)]}
	for n := range 24 {
		o := &order{n: 701 + n, tenant: tenants[0], shape: one, phones: []string{person(n)}, template: 1, code: canary + "out" + strconv.Itoa(n)}
		at := from.Add(w.between(0, 10*time.Second)) // by which everybody learns
		switch {
		case n >= 18:
			at = w.outage.until.Add(w.between(6*time.Minute, 18*time.Minute)) // its share of the traffic has grown
		case n >= 10:
			at = w.outage.from.Add(w.between(100*time.Second, w.outage.until.Sub(from)))
		}
		w.at(at, func() { c.ask(o, 0) })
	}
}

// out tells whether an account answers nothing else.
func (w *world) out(account string) (message.Result, bool) {
	if o := w.outage; account == o.account && w.now >= o.from && w.now < o.until {
		return message.Result{Outcome: o.outcome, Code: "down"}, true
	}
	return message.Result{}, false
}

// Breakers reads what is known of the accounts.
func (s bugged) Breakers(ctx context.Context) ([]store.Breaker, error) {
	all, err := s.Store.Breakers(ctx)
	if s.bug() == BugBreakersUnread && s.p.role == deliver {
		all = nil
	}
	return all, err
}
