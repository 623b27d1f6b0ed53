package quota_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/quota"
	"github.com/opennotify/notify/pkg/store"
)

var start = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// place is what a window is counted under, whatever its size.
type place struct {
	kind limit.Kind
	from message.Time
}

// meter is the store's counters, in memory.
type meter struct {
	mu     sync.Mutex
	levels map[place]limit.Level
	asked  int
	err    error
	takes  time.Duration // of real, or virtual, time
}

func (m *meter) Meter(_ context.Context, _ store.Subject, windows []limit.Window, n int, urgent bool) ([]limit.Level, error) {
	if m.takes > 0 {
		time.Sleep(m.takes)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	if m.err != nil {
		return nil, m.err
	}
	out := make([]limit.Level, len(windows))
	for i, w := range windows {
		at := place{w.Kind, w.From}
		l := m.levels[at]
		if urgent {
			l.Urgent += n
		} else {
			l.Others += n
		}
		m.levels[at], out[i] = l, l
	}
	return out, nil
}

func newMeter() *meter { return &meter{levels: map[place]limit.Level{}} }

// crowd is processes that share one limit, each with its own clock.
type crowd struct {
	*meter
	now       time.Time
	limits    limit.Limits
	processes []*quota.Quota
	given     map[int64]int // by second of the true clock
}

func newCrowd(n int, l limit.Limits, skew func(i int) time.Duration) *crowd {
	c := &crowd{meter: newMeter(), now: start, limits: l, given: map[int64]int{}}
	for i := range n {
		ahead := skew(i)
		c.processes = append(c.processes, quota.New(c.meter, func() time.Time { return c.now.Add(ahead) }))
	}
	return c
}

func inTime(int) time.Duration { return 0 }

func (c *crowd) take(t *testing.T, process int, urgent bool) time.Duration {
	t.Helper()
	_, wait, err := c.processes[process].Take(t.Context(), "account#a", c.limits, urgent)
	if err != nil {
		t.Fatal(err)
	}
	if wait == 0 {
		c.given[c.now.Unix()]++
	}
	return wait
}

// 5,000 a second are offered to eight processes that may send 3,000: every second sees 3,000 and none
// more, codes pass, and the store is asked rarely.
func TestOverload(t *testing.T) {
	t.Parallel()
	for promise, broken := range overload(t, newCrowd(8, limit.Limits{PerSecond: 3000, Urgent: 0.2}, inTime), 10) {
		t.Errorf("%s: %s", promise, broken)
	}
}

// The promises of a limit that many processes share.
const (
	neverMore  = "no second exceeds the limit"
	neverLess  = "no second is wasted"
	codesPass  = "codes pass"
	rarelyAsks = "the store is asked rarely"
)

// overload gives the promises that were broken, and how.
func overload(t *testing.T, c *crowd, seconds int) map[string]string {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	codes, late := 0, 0
	for range seconds * 1000 {
		for i := range 5 {
			urgent := i == 0 && random.IntN(2) == 0 // 500 a second
			wait := c.take(t, random.IntN(8), urgent)
			if urgent {
				codes++
				if wait > 0 {
					late++
				}
			}
		}
		c.now = c.now.Add(time.Millisecond)
	}
	broken := map[string]string{}
	for second, n := range c.given {
		if n > 3000 {
			broken[neverMore] = fmt.Sprintf("second %d saw %d", second, n)
		}
		if n < 2850 {
			broken[neverLess] = fmt.Sprintf("second %d saw %d", second, n)
		}
	}
	if late > codes/100 {
		broken[codesPass] = fmt.Sprintf("%d of %d had to wait", late, codes)
	}
	if all := 3000 * seconds; c.asked > all/20 {
		broken[rarelyAsks] = fmt.Sprintf("%d times for %d", c.asked, all)
	}
	return broken
}

// spoiled is the store's counters with a fault of ours.
type spoiled struct {
	quota.Store
	spoil func(urgent bool, levels []limit.Level) (bool, []limit.Level)
}

func (s spoiled) Meter(ctx context.Context, of store.Subject, windows []limit.Window, n int, urgent bool) ([]limit.Level, error) {
	urgent, _ = s.spoil(urgent, nil)
	levels, err := s.Store.Meter(ctx, of, windows, n, urgent)
	_, levels = s.spoil(urgent, levels)
	return levels, err
}

// Faults that are planted on purpose break the promise that they are about: a test that finds nothing proves nothing.
func TestPlantedFaults(t *testing.T) {
	t.Parallel()
	same := func(urgent bool, levels []limit.Level) (bool, []limit.Level) { return urgent, levels }
	for name, row := range map[string]struct {
		breaks string
		store  func(m *meter) quota.Store
	}{
		"every process has a limit of its own": {neverMore, func(*meter) quota.Store { return spoiled{newMeter(), same} }},
		"what others took is not seen": {neverMore, func(m *meter) quota.Store {
			return spoiled{m, func(urgent bool, levels []limit.Level) (bool, []limit.Level) {
				return urgent, make([]limit.Level, len(levels))
			}}
		}},
		"codes have no share of their own": {codesPass, func(m *meter) quota.Store { return m }},
		"codes are counted as the others are": {neverLess, func(m *meter) quota.Store {
			return spoiled{m, func(_ bool, levels []limit.Level) (bool, []limit.Level) { return false, levels }}
		}},
		"everything counts twice": {neverLess, func(m *meter) quota.Store {
			return spoiled{m, func(urgent bool, levels []limit.Level) (bool, []limit.Level) {
				out := slices.Clone(levels)
				for i := range out {
					out[i].Urgent, out[i].Others = 2*out[i].Urgent, 2*out[i].Others
				}
				return urgent, out
			}}
		}},
	} {
		c := newCrowd(8, limit.Limits{PerSecond: 3000, Urgent: 0.2}, inTime)
		if row.breaks == codesPass {
			c.limits.Urgent = 0
		}
		for i := range c.processes {
			c.processes[i] = quota.New(row.store(c.meter), func() time.Time { return c.now })
		}
		if broken := overload(t, c, 2); broken[row.breaks] == "" {
			t.Errorf("%s is not found by %q: %v", name, row.breaks, broken)
		}
	}
}

// Clocks that are minutes apart share the same limit: over any time, no more than it allows; and nobody
// waits for another's clock.
func TestClocksApart(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	c := newCrowd(8, limit.Limits{PerSecond: 100, Urgent: 0.2}, func(int) time.Duration {
		return time.Duration(random.IntN(240_000)-120_000) * time.Millisecond
	})
	const seconds = 600
	starved := map[int]int{}
	for range seconds * 100 {
		for range 3 {
			i := random.IntN(8)
			if c.take(t, i, false) == 0 {
				starved[i] = 0
			} else {
				starved[i]++
			}
		}
		c.now = c.now.Add(10 * time.Millisecond)
	}
	all := 0
	for _, n := range c.given {
		all += n
	}
	// Windows of four minutes of clocks lie beside the time that was lived through.
	if most := 80 * (seconds + 240); all > most {
		t.Errorf("%d in %d seconds, at most %d are in order", all, seconds, most)
	}
	if all < 80*(seconds-240) {
		t.Errorf("only %d in %d seconds", all, seconds)
	}
}

// What comes now and then costs one question each, and none where nothing is limited.
func TestNowAndThen(t *testing.T) {
	t.Parallel()
	c := newCrowd(1, limit.Limits{PerSecond: 5, PerMinute: 100, PerDay: 1000}, inTime)
	for range 50 {
		if wait := c.take(t, 0, false); wait > 0 {
			t.Fatalf("waits %s", wait)
		}
		c.now = c.now.Add(3 * time.Second)
	}
	if c.asked != 50 {
		t.Errorf("asked %d times", c.asked)
	}
	c.limits = limit.Limits{}
	for range 1000 {
		c.take(t, 0, false)
	}
	if c.asked != 50 {
		t.Errorf("asked about no limits")
	}
}

// Whoever waits as long as told finds a place, if nobody else is there.
func TestWait(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]limit.Limits{"second": {PerSecond: 3}, "rarely": {PerSecond: 0.1}, "minute": {PerMinute: 20}, "day": {PerDay: 4, Zone: 8 * time.Hour}} {
		c := newCrowd(1, l, inTime)
		n := 0
		for range 20 {
			wait := c.take(t, 0, false)
			if wait == 0 {
				n++
				continue
			}
			if c.take(t, 0, true) == 0 {
				t.Errorf("%s: nothing is kept, and a code passes", name)
			}
			c.now = c.now.Add(wait)
			if c.take(t, 0, false) != 0 {
				t.Errorf("%s: waited %s in vain", name, wait)
			}
			n++
		}
		if n != 20 {
			t.Errorf("%s: %d", name, n)
		}
	}
}

// A limit that is changed holds at once.
func TestNewLimit(t *testing.T) {
	t.Parallel()
	c := newCrowd(1, limit.Limits{PerSecond: 100}, inTime)
	for range 60 {
		c.take(t, 0, false)
	}
	c.limits.PerSecond = 10
	if c.take(t, 0, false) == 0 {
		t.Error("60 have gone, 10 are allowed, and one more goes")
	}
	c.limits.PerSecond = 200
	if c.take(t, 0, false) != 0 {
		t.Error("one more may go")
	}
}

// A pass is good for its second.
func TestPassEnds(t *testing.T) {
	t.Parallel()
	c := newCrowd(1, limit.Limits{PerSecond: 5}, inTime)
	p, _, err := c.processes[0].Take(t.Context(), "account#a", c.limits, false)
	now := message.At(c.now)
	if err != nil || !p.Good(now) || !p.Good(now+999) || p.Good(now+1000) {
		t.Errorf("%+v %v", p, err)
	}
	if p, _, _ := c.processes[0].Take(t.Context(), "account#a", limit.Limits{}, false); !p.Good(now + 1e12) {
		t.Error("without a limit it ends")
	}
}

// A store that fails is not asked again at once, and nobody is told meanwhile that his limit is used up; then all goes on.
func TestStoreFails(t *testing.T) {
	t.Parallel()
	c := newCrowd(1, limit.Limits{PerSecond: 5}, inTime)
	c.err = errors.New("away")
	if _, _, err := c.processes[0].Take(t.Context(), "account#a", c.limits, false); !errors.Is(err, c.err) {
		t.Error(err)
	}
	c.now = c.now.Add(999 * time.Millisecond)
	if _, _, err := c.processes[0].Take(t.Context(), "account#a", c.limits, false); !errors.Is(err, c.err) || c.asked != 1 {
		t.Errorf("%v, asked %d times", err, c.asked)
	}
	c.err, c.now = nil, c.now.Add(time.Second)
	if wait := c.take(t, 0, false); wait != 0 {
		t.Errorf("waits %s", wait)
	}
}

// Those who come while the store is asked wait for its answer, and are asked for together.
func TestTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMeter()
		m.takes = 5 * time.Millisecond
		q := quota.New(m, time.Now)
		l := limit.Limits{PerSecond: 50}
		passed, refused := 0, 0
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() {
				_, wait, err := q.Take(t.Context(), "account#a", l, false)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				if wait == 0 {
					passed++
				} else {
					refused++
				}
			})
		}
		all.Wait()
		if passed != 50 || refused != 150 || m.asked > 3 {
			t.Errorf("%d passed, %d were refused, asked %d times", passed, refused, m.asked)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		time.Sleep(time.Second - 5*time.Millisecond)
		go q.Take(t.Context(), "account#a", l, false)
		synctest.Wait()
		if _, _, err := q.Take(ctx, "account#a", l, false); !errors.Is(err, context.DeadlineExceeded) {
			t.Error("waits beyond its time:", err)
		}
		time.Sleep(time.Second)
	})
}
