package sim_test

import (
	"math/rand/v2"
	"testing"

	"github.com/opennotify/notify/pkg/sim"
)

// One seed is one history: what failed can be looked at again.
func TestReplay(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60 / slower) {
		a, b := sim.Run(sim.Options{Seed: seed}), sim.Run(sim.Options{Seed: seed, Record: true})
		if a.Hash != b.Hash || a.Calls != b.Calls {
			t.Fatalf("seed %d is %016x, and again %016x", seed, a.Hash, b.Hash)
		}
	}
}

// What histories have found once. A row is the seed at that time; the story may have changed since.
func TestFound(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		seed uint64
		was  string
	}{
		{19, "a message in doubt at an account that deduplicates was sent again over another"},
		{39, "the same, after a fault of the first account"},
		{2178, "rounds of attempts were told apart by the clocks of two machines"},
		{691, "a fallback that was cut off, and repeated after its first way had failed, never went on"},
		{2859, "the same, after a bounce"},
		{417110, "copies of a hint, each of which put another while its message waited"},
		{474238, "a clock that was behind had a cap removed that others had places of"},
		{560694, "a message that was sent, and days later was not, waited to be sent again, and expired"},
		{86686, "a stop ended although an index did not show yet what its run had made"},
		{658911, "a page of a redrive that slept tried again what another one had, and had died since"},
		{294459, "a stop ended half a minute after a page that went on, and an index lagged longer"},
	} {
		if r := sim.Run(sim.Options{Seed: row.seed}); len(r.Violations) > 0 {
			t.Errorf("%s\n%s", row.was, story(sim.Options{Seed: row.seed}))
		}
	}
}

// What fails is shown small, where it can be: few faults are left, and a part of the history.
func TestShrink(t *testing.T) {
	t.Parallel()
	var failed, shorter int
	for seed := uint64(0); failed < 3 || shorter == 0 && failed < 10; seed++ {
		whole := sim.Options{Seed: seed, Bug: sim.BugLostIsRetry, Record: true}
		before := sim.Run(whole)
		if len(before.Violations) == 0 {
			continue
		}
		failed++
		small := shrink(whole)
		after := sim.Run(small)
		t.Logf("seed %d: %d steps of %d, with %v", seed, len(after.History), len(before.History), kept(small))
		if after.Violations[0].Invariant != before.Violations[0].Invariant {
			t.Errorf("seed %d: it breaks %s; the whole broke %s", seed, after.Violations[0].Invariant, before.Violations[0].Invariant)
		}
		if len(after.History) < len(before.History)/2 && len(kept(small)) <= 3 {
			shorter++
		}
	}
	if shorter == 0 {
		t.Error("no history was made half as long, with three kinds of faults")
	}
}

// An accident at every call to the outside, one at a time, in a world that is otherwise at peace.
func TestEveryCall(t *testing.T) {
	t.Parallel()
	for seed := range *calm {
		for _, parts := range []sim.Parts{0, sim.Schedules, sim.Campaigns} {
			alone, step := 0, slower
			if parts != 0 && *calm == 1 { // each call meets one of the kinds; all of them in a long run
				step *= 3
			}
			calls := sim.Run(sim.Options{Seed: seed, Calm: true, Parts: parts}).Calls
			for kind := range sim.AccidentKinds {
				for at := 1 + int(kind)%step; at <= calls; at += step {
					o := sim.Options{Seed: seed, Calm: true, Parts: parts, Accidents: [2]sim.Accident{{At: at, Kind: kind}}}
					if r := sim.Run(o); len(r.Violations) > 0 {
						t.Fatalf("accident %d at call %d\n%s", kind, at, story(o))
					}
					alone++
				}
			}
			t.Logf("seed %d, parts %d: %d calls, %d accidents", seed, parts, calls, alone)
		}
	}
}

// Two accidents: at every pair of calls in the long run, at some of them here.
func TestEveryPair(t *testing.T) {
	t.Parallel()
	some := rand.New(rand.NewPCG(1, 1))
	for seed := range max(*pairs, 1) {
		calls := sim.Run(sim.Options{Seed: seed, Calm: true}).Calls
		ways := int(sim.AccidentKinds) * int(sim.AccidentKinds) * calls * calls
		tried := 0
		for way := range ways {
			if *pairs == 0 && some.IntN(ways) >= 400/slower {
				continue
			}
			a := sim.Accident{At: 1 + way%calls, Kind: sim.AccidentKind(way / calls % int(sim.AccidentKinds))}
			way /= calls * int(sim.AccidentKinds)
			b := sim.Accident{At: 1 + way%calls, Kind: sim.AccidentKind(way / calls)}
			if a.At >= b.At {
				continue
			}
			tried++
			o := sim.Options{Seed: seed, Calm: true, Accidents: [2]sim.Accident{a, b}}
			if r := sim.Run(o); len(r.Violations) > 0 {
				t.Fatalf("accidents %v and %v\n%s", a, b, story(o))
			}
		}
		t.Logf("seed %d: %d calls, %d pairs of accidents", seed, calls, tried)
	}
}
