package sim_test

import (
	"testing"

	"github.com/opennotify/notify/pkg/sim"
)

// Counters are what happened: to the last one in peace, and in chaos never more than what was added twice
// after a lost answer. One that counts twice is found.
func TestCounters(t *testing.T) {
	t.Parallel()
	for _, calm := range []bool{true, false} {
		campaign(60/slower, sim.Options{Count: true, Calm: calm}, func(r sim.Result) bool {
			for _, v := range r.Violations {
				t.Errorf("seed %d, calm %v: %s: %s", r.Seed, calm, v.Invariant, v.Detail)
			}
			return t.Failed()
		})
	}
	found := false
	campaign(200, sim.Options{Count: true, Bug: sim.BugCountedTwice}, func(r sim.Result) bool {
		for _, v := range r.Violations {
			found = found || v.Invariant == sim.Counted
		}
		return found
	})
	if !found {
		t.Error("what counts twice is not found")
	}
}
