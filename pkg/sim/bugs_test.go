package sim_test

import (
	"slices"
	"testing"

	"github.com/opennotify/notify/pkg/sim"
)

// Every bug that is planted is found, by a promise that it breaks: a simulation that finds nothing proves
// nothing.
func TestPlantedBugs(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		bug    sim.Bug
		breaks []sim.Invariant
	}{
		{sim.BugNoSweep, []sim.Invariant{sim.NoLoss}},
		{sim.BugWrongLane, []sim.Invariant{sim.NoLoss}},
		{sim.BugAckEarly, []sim.Invariant{sim.Durable}},
		{sim.BugWriteLost, []sim.Invariant{sim.Durable, sim.Guarded}},
		{sim.BugRecordExpires, []sim.Invariant{sim.Durable}},
		{sim.BugKeyDropped, []sim.Invariant{sim.Idempotent}},
		{sim.BugHashIgnored, []sim.Invariant{sim.Idempotent}},
		{sim.BugContentDropped, []sim.Invariant{sim.ContentOnce}},
		{sim.BugTrustTTL, []sim.Invariant{sim.ContentOnce}},
		{sim.BugUnguarded, []sim.Invariant{sim.Suppressed}},
		{sim.BugReleaseLive, []sim.Invariant{sim.ContentOnce}},
		{sim.BugNoFence, []sim.Invariant{sim.SingleOwner}},
		{sim.BugStaleLease, []sim.Invariant{sim.Guarded}},
		{sim.BugLeaseInMind, []sim.Invariant{sim.Guarded}},
		{sim.BugStoppedClock, []sim.Invariant{sim.Guarded}},
		{sim.BugNoExpiry, []sim.Invariant{sim.Guarded}},
		{sim.BugEarly, []sim.Invariant{sim.Schedule}},
		{sim.BugCancelIgnored, []sim.Invariant{sim.Schedule}},
		{sim.BugLostIsRetry, []sim.Invariant{sim.BlindResend}},
		{sim.BugUnknownIsRetry, []sim.Invariant{sim.Truth}},
		{sim.BugUnknownIsSent, []sim.Invariant{sim.Truth}},
		{sim.BugThrottleCounts, []sim.Invariant{sim.Truth}},
		{sim.BugTriesForgotten, []sim.Invariant{sim.Attempts}},
		{sim.BugNoBackoff, []sim.Invariant{sim.Attempts}},
		{sim.BugNewKey, []sim.Invariant{sim.SameKey}},
		{sim.BugLatestTemplate, []sim.Invariant{sim.Pinned}},
		{sim.BugTodoLost, []sim.Invariant{sim.Released, sim.DeadShown, sim.Told}},
		{sim.BugDueLost, []sim.Invariant{sim.Conservation}},
		{sim.BugNotBlanked, []sim.Invariant{sim.Blanked}},
		{sim.BugDLQSkipped, []sim.Invariant{sim.DeadShown}},
		{sim.BugNotActivated, []sim.Invariant{sim.FallbackGoes, sim.NoLoss}},
		{sim.BugAnyAccount, []sim.Invariant{sim.ReceiptScope}},
		{sim.BugUnsigned, []sim.Invariant{sim.ReceiptScope}},
		{sim.BugReceiptAckEarly, []sim.Invariant{sim.ReceiptKept}},
		{sim.BugCallbackAcks, []sim.Invariant{sim.ReceiptKept}},
		{sim.BugEarlyDropped, []sim.Invariant{sim.ReceiptKept}},
		{sim.BugEarlyLost, []sim.Invariant{sim.ReceiptKept}},
		{sim.BugIDsMixed, []sim.Invariant{sim.Monotone}},
		{sim.BugReceiptReplaces, []sim.Invariant{sim.ReceiptKept, sim.Monotone}},
		{sim.BugRedriveForgets, []sim.Invariant{sim.Pinned}},
		{sim.BugAnyTenant, []sim.Invariant{sim.Isolation}},
		{sim.BugHintTells, []sim.Invariant{sim.NoLeak}},
		{sim.BugCallbackLost, []sim.Invariant{sim.Told}},
		{sim.BugCallbackAnew, []sim.Invariant{sim.Told}},
		{sim.BugCallbackTold, []sim.Invariant{sim.Told}},
		{sim.BugTellForgotten, []sim.Invariant{sim.Told}},
	} {
		t.Run(string(row.bug), func(t *testing.T) {
			t.Parallel()
			const most = 10_000
			tried, found := 0, uint64(0)
			other := map[sim.Invariant]int{}
			campaign(most, sim.Options{Bug: row.bug}, func(r sim.Result) bool {
				tried++
				if len(r.Violations) == 0 || found > 0 {
					return found > 0
				}
				first := r.Violations[0].Invariant
				if !slices.Contains(row.breaks, first) {
					other[first]++
					return false
				}
				found = r.Seed
				t.Logf("seed %d of %d: %s: %.160s", r.Seed, tried, first, r.Violations[0].Detail)
				return true
			})
			if found == 0 {
				t.Errorf("not found in %d histories; elsewhere: %v", tried, other)
			}
		})
	}
}
