package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/memory"
)

// accident is what happens at one call to the outside.
type accident struct {
	name string
	at   func(port string, do func() error) error
}

var errPort = errors.New("the port failed")

// accidents happen to the worker, to the port, or to the answer on its way.
func accidents() []accident {
	return []accident{
		{"dies before", func(string, func() error) error { runtime.Goexit(); return nil }},
		{"dies after", func(_ string, do func() error) error { _ = do(); runtime.Goexit(); return nil }},
		{"fails", func(port string, do func() error) error {
			if port == "Send" { // a provider has no error
				panic(errPort)
			}
			return errPort
		}},
		{"answer lost", func(port string, do func() error) error {
			_ = do()
			if port == "Send" {
				panic(errPort)
			}
			return errPort
		}},
	}
}

// crash lets an accident happen at the n-th call, and tells when there was no such call.
func (w *world) crash(n int, a accident) (missed func() bool) {
	count := 0
	w.fault = func(port string, do func() error) error {
		w.mu.Lock()
		count++
		hit := count == n
		w.mu.Unlock()
		if hit {
			return a.at(port, do)
		}
		return do()
	}
	return func() bool { return count < n }
}

// check is what holds for every message in the end, whatever happened on the way.
func (w *world) check(r *store.Record, accepted int) {
	w.t.Helper()
	if !r.Status.Terminal() && r.Status != message.Sent || r.Due != 0 || r.Todo != 0 || r.Lease > w.now() {
		w.t.Errorf("not at an end: %+v", r.Message)
	}
	if r.Tell != 0 && !slices.ContainsFunc(w.told, func(m message.Message) bool { return m.ID == r.ID && m.Told == r.Told && m.Status == r.Status }) {
		w.t.Errorf("nobody was told that it is %s: %+v", r.Status, w.told)
	}
	unknown := 0
	for _, a := range r.Attempts {
		if a.Outcome == message.Unknown {
			unknown += 1 + a.Repeats
		}
	}
	if accepted > 1+unknown {
		w.t.Errorf("accepted %d times with %d unknown: %+v", accepted, unknown, r.Message)
	}
	calls := w.callsOf(r.ID)
	if r.Class == message.Marketing && !w.dedup && accepted > 1 {
		w.t.Errorf("accepted %d times, and twice is worse than never", accepted)
	}
	for i, c := range calls {
		if c.Key != string(r.ID) || i > 0 && c.Epoch <= calls[i-1].Epoch {
			w.t.Errorf("call %d has key %s, epoch %d", i, c.Key, c.Epoch)
		}
	}
}

// Every accident at every call to the outside, with and without the hint that was being worked on: in the
// end each message has ended, and the provider took it no more often than there were doubts.
func TestCrashEverywhere(t *testing.T) {
	t.Parallel()
	type scenario struct {
		says  []message.Outcome // of the provider, in order; the last stays. Unknown did arrive
		dedup bool
		named bool // by the provider's id
	}
	scenarios := []scenario{
		{[]message.Outcome{message.Accepted}, false, true},
		{[]message.Outcome{message.Accepted}, true, false},
		{[]message.Outcome{message.Retry, message.Accepted}, false, true},
		{[]message.Outcome{message.Retry}, false, false},
		{[]message.Outcome{message.AccountFault, message.Throttled, message.Accepted}, false, false},
		{[]message.Outcome{message.Unknown, message.Accepted}, false, true},
		{[]message.Outcome{message.Refresh, message.Permanent}, false, false},
	}
	for _, class := range message.Classes() {
		for i, s := range scenarios {
			t.Run(fmt.Sprintf("%s %d", class, i), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.accounts = append(w.accounts, config.Account{Name: "a2", Provider: "fake", Channel: message.SMS})
				w.dedup, w.named = s.dedup, s.named
				for _, a := range accidents() {
					for _, drop := range []bool{false, true} {
						if drop && i > 1 { // who lost the hint makes no difference later on
							continue
						}
						n := 1
						for ; w.crashOnce(class, s.says, a, drop, n) && !t.Failed(); n++ {
						}
						if t.Failed() {
							t.Fatalf("%s at call %d, hints lost: %v", a.name, n, drop)
						}
					}
				}
			})
		}
	}
}

// crashOnce tells whether there was an n-th call.
func (w *world) crashOnce(class message.Class, says []message.Outcome, a accident, drop bool, n int) bool {
	r := w.accept(class, func(m *message.Message) {
		m.Tries = class.Defaults().Attempts - 3 // so that the end is near
		m.Tell = message.TellEnds() | message.TellOf(message.Sent)
	})
	asked, accepted := 0, 0
	w.send = func(context.Context, provider.Call) message.Result {
		asked++
		o := says[min(asked, len(says))-1]
		if o == message.Accepted || o == message.Unknown {
			accepted++
		}
		res := answer(o)
		res.ProviderID = fmt.Sprintf("%s-%d", r.ID, asked)
		return res
	}
	body := w.hint(r)
	missed := w.crash(n, a)
	if drop { // the hint dies with the worker
		w.items = nil
		w.goroutine(func() { w.handle(body) })
		w.items = nil
		w.restart()
	}
	w.settle(80 * time.Hour)
	w.fault = nil
	w.check(w.record(r.ID), accepted)
	w.dead()
	w.calls, w.told = nil, nil
	return !missed()
}

// A store that is away for an hour costs time and nothing else.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fault = func(port string, do func() error) error {
		if (port == "Get" || port == "Write" || port == "Query") && w.Now().Before(start.Add(time.Hour)) {
			return errPort
		}
		return do()
	}
	r, code := w.accept(message.Transactional), w.accept(message.OTP)
	w.hint(r)
	w.hint(code)
	w.settle(80 * time.Hour)
	w.want(r.ID, message.Sent, 1)
	w.want(code.ID, message.Expired, 0)
}

// Chance decides at every call for days; then all is well.
func TestChaos(t *testing.T) {
	t.Parallel()
	db := memory.New()
	for seed := range uint64(6) {
		w := worldOver(t, db)
		w.accounts = append(w.accounts, config.Account{Name: "a2", Provider: "fake", Channel: message.SMS})
		w.ids = int(seed) * 1000
		accepted := map[message.ID]int{}
		w.send = func(_ context.Context, c provider.Call) message.Result {
			o := message.Outcome(w.chance() * 8)
			if o == message.Accepted || o == message.Unknown && w.chance() < 0.5 {
				accepted[c.ID]++
			}
			return message.Result{Outcome: o}
		}
		all := accidents()
		w.fault = func(port string, do func() error) error {
			if w.chance() < 0.1 {
				return all[int(w.chance()*float64(len(all)))].at(port, do)
			}
			return do()
		}
		var records []*store.Record
		for i := range 30 {
			r := w.accept(message.Classes()[i%3])
			for range i % 4 { // none, or copies
				w.hint(r)
			}
			records = append(records, r)
		}
		w.settle(100 * time.Hour)
		w.fault = nil
		w.settle(100 * time.Hour)
		for _, r := range records {
			w.check(w.record(r.ID), accepted[r.ID])
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
