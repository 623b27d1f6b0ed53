package sim_test

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/sim"
)

var (
	seeds = flag.Uint64("sim.seeds", 600, "how many histories")
	after = flag.Uint64("sim.after", 0, "the seed behind which theirs begin: a long run can be told in parts")
	calm  = flag.Uint64("sim.calm", 1, "how many peaceful histories meet an accident at every call")
	pairs = flag.Uint64("sim.pairs", 0, "how many of them meet two, at every pair of calls; 0 is some pairs of one")
	parts = flag.Uint("sim.parts", 0, "what histories have beside single messages: a sum of 1 schedules, 2 campaigns, 4 redrives, 8 outages, 16 caps, 32 budgets, 64 erasures; 0 is what their seeds say")
	seed  = flag.Uint64("sim.seed", 0, "live through this one only, and print it")
)

// TestMain collects garbage seldom, for a history makes much and keeps nothing; but before pools make of that a gigabyte.
func TestMain(m *testing.M) {
	flag.Parse()
	debug.SetGCPercent(1200)
	debug.SetMemoryLimit(256 << 20)
	os.Exit(m.Run())
}

// campaign lives through the histories of the n seeds behind o.Seed, on all cores, until judge says stop.
func campaign(n uint64, o sim.Options, judge func(sim.Result) (stop bool)) {
	var next atomic.Uint64
	var stopped atomic.Bool
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for !stopped.Load() {
				mine := o
				k := next.Add(1)
				if k > n {
					return
				}
				mine.Seed = o.Seed + k
				r := sim.Run(mine)
				mu.Lock()
				if judge(r) {
					stopped.Store(true)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
}

// story prints a history that failed: it is lived through again, and written down.
func story(o sim.Options) string {
	o.Record = true
	r := sim.Run(o)
	var b strings.Builder
	for _, line := range r.History {
		fmt.Fprintln(&b, line)
	}
	fmt.Fprintf(&b, "seed %d, trace %016x, ended %s\n", o.Seed, r.Hash, r.Ended)
	for _, v := range r.Violations {
		fmt.Fprintf(&b, "%s: %s\n", v.Invariant, v.Detail)
	}
	return b.String()
}

// shrink leaves out of a history that failed what it fails without, one thing after the other.
func shrink(o sim.Options) sim.Options {
	was := sim.Run(o).Violations[0].Invariant
	try := func(less sim.Without) {
		smaller := o
		smaller.Without = less
		if r := sim.Run(smaller); len(r.Violations) > 0 && r.Violations[0].Invariant == was {
			o = smaller
		}
	}
	less := o.Without
	less.Operators = true
	try(less)
	for n := range 8 {
		less = o.Without
		less.Orders |= 1 << n
		try(less)
		less = o.Without
		less.Plans |= 1 << n
		try(less)
	}
	for f := range sim.Faults {
		less = o.Without
		less.Faults |= 1 << f
		try(less)
	}
	return o
}

// kept are the faults that are left.
func kept(o sim.Options) (left []sim.Fault) {
	r := sim.Run(o)
	for f := range sim.Faults {
		if r.Coverage.Count(f) > 0 {
			left = append(left, f)
		}
	}
	return left
}

// must are the dangers that an ordinary run has to meet: a fault, while the message that is worked on has one
// of these statuses.
var must = []struct {
	fault    sim.Fault
	statuses []message.Status
}{
	{sim.StoreFails, []message.Status{message.Queued}},
	{sim.StoreFails, []message.Status{message.Sending}},
	{sim.StoreForgets, []message.Status{message.Queued}},
	{sim.StoreForgets, []message.Status{message.Sending}},
	{sim.StoreForgets, []message.Status{message.Sent}},
	{sim.StoreThrottles, nil},
	{sim.StoreLags, nil},
	{sim.DiesBefore, []message.Status{message.Queued}},
	{sim.DiesBefore, []message.Status{message.Sending}},                               // between the lease and the outcome
	{sim.DiesBefore, []message.Status{message.Dead, message.Failed, message.Expired}}, // with work left to do
	{sim.DiesAfter, []message.Status{message.Sending}},
	{sim.DiesAfter, []message.Status{message.Sent}},
	{sim.DiesAfter, []message.Status{message.Delivered}}, // its receipt was here first
	{sim.Freezes, []message.Status{message.Queued}},
	{sim.Freezes, []message.Status{message.Sending}},
	{sim.Freezes, []message.Status{message.InDoubt}},
	{sim.QueueRefuses, nil},
	{sim.QueueForgets, nil},
	{sim.QueuePartly, nil},
	{sim.QueueLoses, nil},
	{sim.QueueDoubles, nil},
	{sim.QueueDelays, nil},
	{sim.QueueRepeats, nil},
	{sim.ProviderRetry, nil},
	{sim.ProviderThrottles, nil},
	{sim.ProviderRefuses, nil},
	{sim.ProviderBlames, nil},
	{sim.ProviderRefresh, nil},
	{sim.ProviderDefers, nil},
	{sim.ProviderSilent, nil},
	{sim.ProviderTakesMum, nil},
	{sim.ProviderPanics, nil},
	{sim.Unopened, nil},
}

func TestHistories(t *testing.T) {
	t.Parallel()
	if *seed != 0 {
		o := sim.Options{Seed: *seed, Parts: sim.Parts(*parts)}
		if r := sim.Run(o); len(r.Violations) > 0 {
			o = shrink(o)
			t.Errorf("it fails with the faults %v, without %+v", kept(o), o.Without)
		}
		t.Logf("%s", story(o))
		return
	}
	failed, calls, messages := 0, 0, 0
	var met sim.Coverage
	campaign(*seeds/slower, sim.Options{Seed: *after, Parts: sim.Parts(*parts)}, func(r sim.Result) bool {
		calls, messages = calls+r.Calls, messages+r.Messages
		met.Add(&r.Coverage)
		if len(r.Violations) > 0 {
			failed++
			t.Errorf("seed %d: %s: %s", r.Seed, r.Violations[0].Invariant, r.Violations[0].Detail)
		}
		return failed >= 10
	})
	t.Logf("%d histories, %d messages, %d calls to the outside\n%s", *seeds/slower, messages, calls, &met)
	for _, row := range must {
		if n := met.Count(row.fault, row.statuses...); n == 0 && failed == 0 && slower == 1 {
			t.Errorf("%s never met a message that is %v", row.fault, row.statuses)
		}
	}
}
