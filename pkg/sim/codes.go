package sim

import (
	"context"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// codes is what the oracle knows of the caps on codes.
type codes struct {
	made   map[string][]between            // by person
	ranges map[string]map[message.Time]int // by cap and span of time
	tries  map[message.ID]message.ID       // in whose name a try asks, and in whose its request does
	asked  map[string]map[message.ID]*asked
}

// asked is a request for a place of a person's cap.
type asked struct {
	first, last message.Time
	at          message.Time // when the place was taken that it has, unless nobody heard
	unsure      bool
	gave        bool     // another try gave it back
	open        int      // tries that were not answered
	made        *between // the code
	counted     bool     // among those of a range
	has         bool     // or may have a place
}

func newCodes() codes {
	return codes{map[string][]between{}, map[string]map[message.Time]int{}, map[message.ID]message.ID{}, map[string]map[message.ID]*asked{}}
}

// coded judges a new code against the caps on codes. A person's place is as old as the first try of his request.
func (o *oracle) coded(s *story) {
	m, c := &s.m, &o.bounds.codes
	if o.w.parts&Caps == 0 || m.Class != message.OTP || m.Channel != message.SMS || m.Status == message.Suppressed {
		return
	}
	of, made := personOf(m.Tenant, m.ID), between{m.Created, m.Created}
	a := c.asked[of][o.requested(s)]
	switch {
	case a == nil:
	case a.gave:
		return
	default:
		made.from = min(made.from, a.first)
		a.made = &made
	}
	if c.made[of] = append(c.made[of], made); o.tooMany(c.made[of]) {
		o.tell(Capped, s, "%d codes for one person in %s: %v", capMost+1, capWithin, c.made[of])
	}
	if a == nil || a.unsure {
		return // who knows in which span it counts
	}
	all := c.ranges[store.CodesCap(m.Tenant)]
	if all == nil {
		all = map[message.Time]int{}
		c.ranges[store.CodesCap(m.Tenant)] = all
	}
	a.counted = true
	if all[a.span()]++; all[a.span()] > rangeMost {
		o.tell(Capped, s, "%d codes for the numbers of a range in %s", rangeMost+1, capWithin)
	}
}

// span is the one in which a range counts it.
func (a *asked) span() message.Time { return a.at / message.Time(capWithin.Milliseconds()) }

// givesCode is told that a try which is refused for another reason gives its place back. If there were two at once,
// and the other one made a code, that is held against nothing: docs/reliability.md says so.
func (o *oracle) givesCode(of string, id message.ID) {
	c, person := &o.bounds.codes, of+id.Partition()[:message.PartitionLen-1]
	a := c.asked[person][c.tries[id]]
	if a == nil {
		return
	}
	if a.counted {
		c.ranges[of][a.span()]--
	}
	if a.made != nil {
		i := slices.Index(c.made[person], *a.made)
		c.made[person] = slices.Delete(c.made[person], i, i+1)
	}
	a.made, a.counted, a.gave = nil, false, true
}

// requested is in whose name a message's request asked for its place.
func (o *oracle) requested(s *story) message.ID {
	var k *store.KeyClaim
	if s.order.key != "" {
		k = &store.KeyClaim{Key: s.order.key, Hash: []byte(s.order.body)}
	}
	return o.w.raw.Asked(&s.m, k)
}

func personOf(tenant string, id message.ID) string {
	return store.CodesCap(tenant) + id.Partition()[:message.PartitionLen-1]
}

// asksCode is told that a try asks for a place; answered what it heard. A request is refused only for others.
func (o *oracle) asksCode(of string, id message.ID, now message.Time) (answered func(taken bool, wait time.Duration, err error)) {
	c := &o.bounds.codes
	person, name := of+id.Partition()[:message.PartitionLen-1], c.tries[id]
	all := c.asked[person]
	if all == nil {
		all = map[message.ID]*asked{}
		c.asked[person] = all
	}
	a := all[name]
	if a == nil {
		a = &asked{first: now}
		all[name] = a
	}
	a.first, a.last = min(a.first, now), max(a.last, now)
	a.open++
	return func(taken bool, wait time.Duration, err error) {
		switch a.open--; {
		case err != nil:
			a.has, a.unsure = true, true
			return
		case taken:
			a.has, a.unsure, a.gave, a.at = true, false, false, now
			return
		case wait == 0:
			a.has = true
			return
		}
		others := 0
		for n, other := range all {
			if n != name && (other.has || other.open > 0) && now.Sub(other.last) < capWithin+o.tolerance() {
				others++
			}
		}
		if others < capMost {
			o.violate(CountedOnce, "a code of %s is refused for %s, for %d others", name, wait, others)
		}
		if a.open == 0 && !a.has {
			delete(all, name)
		}
	}
}

// Asked is in whose name a try asks for a place.
func (s bugged) Asked(m *message.Message, k *store.KeyClaim) message.ID {
	id := s.Store.Asked(m, k)
	name := id
	if s.bug() == BugPlaceEach {
		id = m.ID
	}
	s.p.w.oracle.bounds.codes.tries[id] = name
	return id
}

// TakePlace takes a place of a cap.
func (s bugged) TakePlace(ctx context.Context, p tenant.Principal, now message.Time, of string, id message.ID, most int, within time.Duration) (taken bool, wait time.Duration, err error) {
	o, take := s.p.w.oracle, s.Store.TakePlace
	if s.bug() == BugCapForgotten {
		take = s.Store.PlaceIn
	}
	if s.p.role == deliver {
		o.bounds.asks(id, now)
		taken, wait, err = take(ctx, p, now, of, id, most, within)
		o.asked(id, now, wait, err)
		return taken, wait, err
	}
	answered := o.asksCode(of, id, now)
	taken, wait, err = take(ctx, p, now, of, id, most, within)
	answered(taken, wait, err)
	return taken, wait, err
}

// GivePlace gives a place of a cap back.
func (s bugged) GivePlace(ctx context.Context, p tenant.Principal, now message.Time, of string, id message.ID, within time.Duration) error {
	if s.p.role != deliver {
		s.p.w.oracle.givesCode(of, id)
	}
	return s.Store.GivePlace(ctx, p, now, of, id, within)
}
