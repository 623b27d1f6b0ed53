package delivery_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/breaker"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/delivery"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/memory"
)

// shift is two processes that send over two accounts, by half.
type shift struct {
	*world
	crew  [2]*delivery.Delivery
	calls map[string]int
	sick  map[string]bool
	says  message.Outcome // of a sick account
}

func newShift(t *testing.T) *shift {
	s := &shift{world: worldOver(t, memory.New()), calls: map[string]int{}, sick: map[string]bool{}, says: message.Retry}
	s.accounts = append(s.accounts, config.Account{Name: "a2", Provider: "fake", Channel: message.SMS})
	s.routes = []route.Route{{Name: "r", Accounts: []route.Weighted{{Account: "a1", Weight: 1}, {Account: "a2", Weight: 1}}}}
	s.send = func(context.Context, provider.Call) message.Result {
		account := s.world.calls[len(s.world.calls)-1].account
		s.calls[account]++
		if s.sick[account] {
			return answer(s.says)
		}
		return answer(message.Accepted)
	}
	s.hire()
	return s
}

// hire makes the two processes.
func (s *shift) hire() {
	for i := range s.crew {
		s.restart()
		s.crew[i] = s.delivery
	}
}

// work sends so many messages a second for a while, each once, by either process.
func (s *shift) work(seconds, each int) {
	for range seconds {
		for i := range each {
			r := s.accept(message.Transactional)
			s.delivery = s.crew[i%2]
			s.hint(r)
			s.deliver()
		}
		s.items = nil // those that are tried again are of no interest
		s.advance(time.Second)
	}
}

func (s *shift) share(account string) float64 {
	return float64(s.calls[account]) / float64(s.calls["a1"]+s.calls["a2"])
}

// A dead account loses its traffic within a minute, to both processes; it comes back by and by, and is owed
// what died.
func TestFailover(t *testing.T) {
	t.Parallel()
	for promise, broken := range newShift(t).failover() {
		t.Errorf("%s: %s", promise, broken)
	}
}

// The promises of a breaker.
const (
	moves     = "nine tenths of the traffic leave a dead account within a minute"
	comesBack = "slow probes bring it back"
	owes      = "what died over it is owed"
	stays     = "nothing moves when all look alike"
)

// failover lets an account die and come to life, and gives the promises that were broken.
func (s *shift) failover() map[string]string {
	broken := map[string]string{}
	s.work(10, 10)
	if share := s.share("a1"); share < 0.3 || share > 0.7 {
		broken["the weights hold"] = fmt.Sprintf("%.2f go over a1", share)
	}
	s.sick["a1"] = true
	s.work(40, 10)
	clear(s.calls)
	s.work(60, 10)
	if share := s.share("a1"); share > 0.1 {
		broken[moves] = fmt.Sprintf("%.2f still go over it", share)
	}
	s.sick["a1"] = false
	s.work(240, 4)
	clear(s.calls)
	s.work(30, 10)
	if share := s.share("a1"); share < 0.3 {
		broken[comesBack] = fmt.Sprintf("only %.2f go over it", share)
	}
	all, err := s.raw.Breakers(s.t.Context())
	if err != nil || len(all) != 1 || all[0].State(s.now()) != breaker.Closed || all[0].Owed == 0 {
		broken[owes] = fmt.Sprintf("%+v %v", all, err)
	}
	return broken
}

// When all accounts fail alike there is nowhere to go, and nothing moves.
func TestAllLookAlike(t *testing.T) {
	t.Parallel()
	for promise, broken := range newShift(t).alike() {
		t.Errorf("%s: %s", promise, broken)
	}
}

func (s *shift) alike() map[string]string {
	s.sick["a1"], s.sick["a2"] = true, true
	s.work(40, 6)
	clear(s.calls)
	s.work(60, 6)
	if share := s.share("a1"); share < 0.3 || share > 0.7 {
		return map[string]string{stays: fmt.Sprintf("%.2f go over a1", share)}
	}
	return nil
}

// unsound is the store with a fault of ours in what it says of the accounts.
type unsound struct {
	delivery.Store
	spoil func(b store.Breaker) (store.Breaker, bool)
}

func (s unsound) Breakers(ctx context.Context) ([]store.Breaker, error) {
	all, err := s.Store.Breakers(ctx)
	var out []store.Breaker
	for _, b := range all {
		if b, ok := s.spoil(b); ok {
			out = append(out, b)
		}
	}
	return out, err
}

func (s unsound) Observe(ctx context.Context, now message.Time, account string, seen breaker.Seen) (before, after store.Breaker, err error) {
	before, after, err = s.Store.Observe(ctx, now, account, seen)
	after, ok := s.spoil(after)
	if !ok {
		after = store.Breaker{Account: account}
	}
	return before, after, err
}

// Faults that are planted on purpose break the promise that they are about.
func TestPlantedFailovers(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		breaks string
		live   func(s *shift) map[string]string
		spoil  func(b store.Breaker) (store.Breaker, bool)
	}{
		"breakers are not looked at": {moves, (*shift).failover, func(b store.Breaker) (store.Breaker, bool) { return b, false }},
		"what is left alone is never tried again": {comesBack, (*shift).failover, func(b store.Breaker) (store.Breaker, bool) {
			if b.Opened != 0 {
				b.Until, b.Share = b.Opened.Add(24*time.Hour), 0
			}
			return b, true
		}},
		"it comes back at once, and all of it": {moves, (*shift).failover, func(b store.Breaker) (store.Breaker, bool) {
			b.Until, b.Share = min(b.Until, b.Opened), 1
			return b, true
		}},
		"one of those that are down is held to work": {stays, (*shift).alike, func(b store.Breaker) (store.Breaker, bool) { return b, b.Account != "a1" }},
	} {
		s := newShift(t)
		s.unsound = func(st delivery.Store) delivery.Store { return unsound{st, row.spoil} }
		s.hire()
		if broken := row.live(s); broken[row.breaks] == "" {
			t.Errorf("%s is not found by %q: %v", name, row.breaks, broken)
		}
	}
}

// A healthy account costs nothing: no read, no write.
func TestHealthCostsNothing(t *testing.T) {
	t.Parallel()
	s := newShift(t)
	s.work(1, 2)
	s.reads, s.writes = 0, 0
	s.work(20, 1)
	if s.reads != 0 || s.writes != 40 {
		t.Errorf("%d reads and %d writes for 20 messages", s.reads, s.writes)
	}
}

// An account whose day is used up is passed over, and waited for when there is no other.
func TestDayUsedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts = append(w.accounts, config.Account{Name: "a2", Provider: "fake", Channel: message.SMS})
	w.accounts[0].PerDay = 2
	var over []string
	for range 5 {
		r := w.accept(message.Transactional)
		w.hint(r)
		w.settle(time.Hour)
		w.want(r.ID, message.Sent, 1)
		over = append(over, w.record(r.ID).Last().Account)
	}
	if over[0] != "a1" || over[1] != "a1" || over[2] != "a2" || over[3] != "a2" || over[4] != "a2" {
		t.Errorf("went over %v", over)
	}
	w.accounts = w.accounts[:1]
	r := w.accept(message.Transactional, func(m *message.Message) { m.Expires = w.now().Add(30 * time.Hour) })
	w.hint(r)
	w.settle(30 * time.Hour)
	if r := w.want(r.ID, message.Sent, 1); r.Tries != 0 || r.Last().At.Std().Day() != 2 {
		t.Errorf("%+v", r.Message)
	}
}
