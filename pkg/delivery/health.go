package delivery

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/opennotify/notify/pkg/breaker"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/telemetry"
)

// Breakers keeps what processes agree on about accounts.
type Breakers interface {
	Breakers(ctx context.Context) ([]store.Breaker, error)
	Observe(ctx context.Context, now message.Time, account string, seen breaker.Seen) (before, after store.Breaker, err error)
}

const (
	// lookEvery is how often this process looks at what others say of the accounts; lookOften while one of
	// them does not work.
	lookEvery, lookOften = 30 * time.Second, 3 * time.Second
	// tellEvery is how often it tells what it saw of one account, if there is something to tell.
	tellEvery = time.Second
	// forget is how long good news that nobody needs is remembered.
	forget = 10 * time.Second
)

// health is what this process knows of the accounts. A healthy account costs nothing: what is good is told
// only of one that others, or this process, saw fail.
type health struct {
	mu     sync.Mutex
	known  map[string]store.Breaker
	looked message.Time
	seen   map[string]*seen
}

// seen is what was seen of an account since it was told.
type seen struct {
	breaker.Seen
	since, told message.Time
	telling     bool
}

var errNotTold = errors.New("delivery: the store was not told")

func newHealth() *health {
	return &health{known: map[string]store.Breaker{}, seen: map[string]*seen{}}
}

// breakers gives what is known now of the accounts that do not work.
func (d *Delivery) breakers(ctx context.Context, now message.Time) map[string]store.Breaker {
	h := d.health
	h.mu.Lock()
	every := lookEvery
	if len(h.known) > 0 {
		every = lookOften
	}
	if h.looked != 0 && now.Sub(h.looked) < every && now >= h.looked {
		defer h.mu.Unlock()
		return maps.Clone(h.known)
	}
	h.looked = now // the others go on with what is known
	h.mu.Unlock()
	all, err := d.Store.Breakers(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		d.Log.WarnContext(ctx, "the accounts' breakers cannot be read; the old ones serve on", "error", err)
	} else {
		clear(h.known)
		for _, b := range all {
			h.known[b.Account] = b
		}
	}
	return maps.Clone(h.known)
}

// observe notes what a call said of its account, and tells it when there is something wrong.
func (d *Delivery) observe(ctx context.Context, r *store.Record, p *parcel, res message.Result, now message.Time) {
	if r.Class == message.Callback { // an endpoint has a health of its own
		return
	}
	name := p.account.Name
	tell, ok := d.health.note(name, res.Outcome, now)
	if !ok {
		return
	}
	var before, after store.Breaker
	err := errNotTold
	defer func() { d.health.heard(name, tell, after, err, now) }() // whatever happens meanwhile
	before, after, err = d.Store.Observe(ctx, now, name, tell)
	if err != nil {
		d.Log.WarnContext(ctx, "not told what was seen of an account; the next call does", "account", name, "error", err)
		return
	}
	if was, is := before.State(now), after.State(now); was != is || before.Opened != 0 && after.Opened == 0 {
		d.Log.WarnContext(ctx, "breaker", "account", name, "was", was, "is", is, "until", after.Until, "share", after.Share)
		d.Metrics.Count("breaker_"+string(is), 1, telemetry.Labels{Channel: string(r.Channel), Account: name})
	}
}

// note adds an outcome, and gives what is to be told now.
func (h *health) note(name string, o message.Outcome, now message.Time) (breaker.Seen, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.seen[name]
	if s == nil {
		s = &seen{}
		h.seen[name] = s
	}
	_, watched := h.known[name]
	if s.Bad == 0 && !watched && now.Sub(s.since) >= forget {
		s.Seen, s.since = breaker.Seen{}, now
	}
	s.Seen = s.Add(o)
	worth := watched && s.Good+s.Bad > 0 || s.Bad > 0 && s.Bad*5 >= s.Good+s.Bad
	if !worth || s.telling || now.Sub(s.told) < tellEvery && now >= s.told {
		return breaker.Seen{}, false
	}
	tell := s.Seen
	s.Seen, s.since, s.told, s.telling = breaker.Seen{}, now, now, true
	return tell, true
}

// heard notes that it was told, or has it told again.
func (h *health) heard(name string, told breaker.Seen, b store.Breaker, err error, now message.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.seen[name]
	s.telling = false
	switch {
	case err != nil:
		s.Good, s.Bad = s.Good+told.Good, s.Bad+told.Bad
	case b.Healthy(now):
		delete(h.known, name)
	default:
		h.known[name] = b
	}
}
