package breaker_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/breaker"
	"github.com/opennotify/notify/pkg/message"
)

var t0 = message.At(time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC))

// traffic is an account with so many messages a second, and processes that tell once a second what they saw.
type traffic struct {
	b      breaker.Breaker
	now    message.Time
	rate   int // of messages, per 10 seconds
	random *rand.Rand
	says   func() message.Outcome
	tried  int // of these messages, since the last look
	all    int
}

func newTraffic(per10s int, says message.Outcome) *traffic {
	return &traffic{now: t0, rate: per10s, random: rand.New(rand.NewPCG(1, uint64(per10s))), says: func() message.Outcome { return says }}
}

// run lives through seconds, and gives the share that tried the account.
func (tr *traffic) run(seconds int) float64 {
	tr.tried, tr.all = 0, 0
	for range seconds {
		processes := [3]breaker.Seen{}
		for range tr.rate/10 + min(1, tr.rate%10*10/max(tr.random.IntN(100), 1)) {
			tr.all++
			if tr.b.Down(tr.now, tr.random.Float64()) {
				continue
			}
			tr.tried++
			p := &processes[tr.random.IntN(len(processes))]
			*p = p.Add(tr.says())
		}
		tr.now += 1000
		for _, seen := range processes {
			if seen != (breaker.Seen{}) {
				tr.b = tr.b.Observe(seen, tr.now)
			}
		}
	}
	return float64(tr.tried) / float64(tr.all)
}

// A dead account loses nine tenths of its traffic within a minute, whatever it answers and however busy it is.
func TestDead(t *testing.T) {
	t.Parallel()
	for _, o := range []message.Outcome{message.Unknown, message.Retry, message.AccountFault} {
		for _, per10s := range []int{10, 50, 1000, 30000} {
			tr := newTraffic(per10s, o)
			tr.run(60)
			if share := tr.run(300); share > 0.1 {
				t.Errorf("%s at %d in 10 s: %.2f still try it", o, per10s, share)
			}
		}
	}
}

// It comes back slowly, and all the way; then it is owed what died since before it was found dead.
func TestComesBack(t *testing.T) {
	t.Parallel()
	for _, per10s := range []int{1, 10, 100, 10000} {
		tr := newTraffic(per10s, message.Unknown)
		tr.run(600)
		if tr.b.State(tr.now) == breaker.Closed {
			if per10s > 1 {
				t.Errorf("%d in 10 s: not open", per10s)
			}
			continue
		}
		opened := tr.b.Opened
		tr.says = func() message.Outcome { return message.Accepted }
		for tr.b.State(tr.now) == breaker.Open {
			tr.now += 1000
		}
		if first := tr.run(10); per10s >= 100 && (first == 0 || first > 0.1) {
			t.Errorf("%d in 10 s: %.2f try it at first", per10s, first)
		}
		tr.run(1200)
		if tr.b.State(tr.now) != breaker.Closed || tr.b.Owed != opened.Add(-30*time.Second) {
			t.Errorf("%d in 10 s: %+v", per10s, tr.b)
		}
	}
}

// One that fails again before it was given what it is owed is owed that still when it works again.
func TestOwedStill(t *testing.T) {
	t.Parallel()
	tr := newTraffic(1000, message.Unknown)
	tr.run(60)
	tr.says = func() message.Outcome { return message.Accepted }
	for tr.b.Owed == 0 {
		tr.run(1)
	}
	first := tr.b.Owed
	tr.says = func() message.Outcome { return message.Unknown }
	tr.run(60)
	if tr.b.State(tr.now) == breaker.Closed {
		t.Fatalf("%+v", tr.b)
	}
	tr.says = func() message.Outcome { return message.Accepted }
	tr.run(1200)
	if tr.b.State(tr.now) != breaker.Closed || tr.b.Owed == 0 || tr.b.Owed >= first {
		t.Errorf("%+v, and the first time from %s on", tr.b, first)
	}
}

// What fails now and then goes on, as does one that refuses messages or slows us down.
func TestWorks(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]func(n int) message.Outcome{
		"a third fails": func(n int) message.Outcome {
			if n%3 == 0 {
				return message.Retry
			}
			return message.Accepted
		},
		"refuses":   func(int) message.Outcome { return message.Permanent },
		"throttles": func(int) message.Outcome { return message.Throttled },
		"faults, some": func(n int) message.Outcome {
			return []message.Outcome{message.AccountFault, message.Accepted, message.Accepted}[n%3]
		},
		"stale tokens": func(int) message.Outcome { return message.Refresh },
		"quiet hours":  func(int) message.Outcome { return message.Defer },
	} {
		tr := newTraffic(500, 0)
		n := 0
		tr.says = func() message.Outcome { n++; return says(n) }
		if share := tr.run(600); share < 1 {
			t.Errorf("%s: only %.2f try it", name, share)
		}
	}
}

// While it stays dead it is left alone longer and longer, up to five minutes.
func TestLongerAndLonger(t *testing.T) {
	t.Parallel()
	tr := newTraffic(1000, message.Unknown)
	var waits []int
	for until := message.Time(0); tr.now < t0.Add(time.Hour); tr.run(1) {
		if tr.b.Until != until {
			until = tr.b.Until
			waits = append(waits, tr.b.Wait)
		}
	}
	for i, w := range waits {
		if want := min(15<<i, 300); w != want {
			t.Fatalf("waits %v", waits)
		}
	}
	if len(waits) < 8 {
		t.Errorf("waits %v", waits)
	}
}

// Whatever is told by whomever, in whatever order of their clocks: a share is a share, a state has its times,
// it can be kept, and good news alone always leads back.
func TestAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b, now := breaker.Breaker{}, t0
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(-20_000, 60_000).Draw(t, "ms")) * time.Millisecond)
			seen := breaker.Seen{Good: rapid.IntRange(0, 40).Draw(t, "good"), Bad: rapid.IntRange(0, 40).Draw(t, "bad")}
			seen.Streak = rapid.IntRange(0, seen.Bad).Draw(t, "streak")
			b = b.Observe(seen, now)
			if s := b.State(now); s != breaker.Closed && (b.Until < b.Opened || b.Wait < 15 || b.Wait > 300 || b.Share < 0 || b.Share >= 1 || b.Owed != 0) {
				t.Fatalf("%s: %+v", s, b)
			}
			if b.Down(now, 0) && b.State(now) != breaker.Open || b.Down(now, 0.999999) && b.State(now) == breaker.Closed {
				t.Fatalf("down: %+v", b)
			}
			kept, err := json.Marshal(b)
			var again breaker.Breaker
			if err != nil || json.Unmarshal(kept, &again) != nil || len(kept) > 400 {
				t.Fatalf("%s %v", kept, err)
			}
		}
		for range 100 {
			now = now.Add(10 * time.Second)
			b = b.Observe(breaker.Seen{Good: 5}, now)
		}
		if b.State(now) != breaker.Closed {
			t.Fatalf("never closes: %+v", b)
		}
	})
}

func TestHealthy(t *testing.T) {
	t.Parallel()
	b := breaker.Breaker{}.Observe(breaker.Seen{Good: 30, Bad: 2}, t0)
	if b.Healthy(t0) || !b.Healthy(t0.Add(40*time.Second)) {
		t.Errorf("%+v", b)
	}
	if (breaker.Breaker{Owed: 1}).Healthy(t0) || (breaker.Breaker{Opened: 1}).Healthy(t0) || !(breaker.Breaker{}).Healthy(t0) {
		t.Error("what is owed, or open, is remembered")
	}
}
