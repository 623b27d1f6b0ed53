package sim_test

import (
	"testing"

	"github.com/opennotify/notify/pkg/sim"
)

// Every bug that is planted is found, by a promise that it breaks: a simulation that finds nothing proves
// nothing.
func TestPlantedBugs(t *testing.T) {
	t.Parallel()
	for i, row := range []struct {
		bug    sim.Bug
		breaks sim.Invariant
	}{
		{sim.BugNoSweep, sim.NoLoss},
		{sim.BugWrongLane, sim.NoLoss},
		{sim.BugAckEarly, sim.Durable},
		{sim.BugWriteLost, sim.Durable},
		{sim.BugRecordExpires, sim.Durable},
		{sim.BugKeyDropped, sim.Idempotent},
		{sim.BugHashIgnored, sim.Idempotent},
		{sim.BugContentDropped, sim.ContentOnce},
		{sim.BugTrustTTL, sim.ContentOnce},
		{sim.BugUnguarded, sim.Suppressed},
		{sim.BugReleaseLive, sim.ContentOnce},
		{sim.BugNoFence, sim.SingleOwner},
		{sim.BugStaleLease, sim.Guarded},
		{sim.BugLeaseInMind, sim.Guarded},
		{sim.BugStoppedClock, sim.Guarded},
		{sim.BugNoExpiry, sim.Guarded},
		{sim.BugEarly, sim.Schedule},
		{sim.BugCancelIgnored, sim.Schedule},
		{sim.BugLostIsRetry, sim.BlindResend},
		{sim.BugUnknownIsRetry, sim.Truth},
		{sim.BugUnknownIsSent, sim.Truth},
		{sim.BugThrottleCounts, sim.Truth},
		{sim.BugTriesForgotten, sim.Attempts},
		{sim.BugNoBackoff, sim.Attempts},
		{sim.BugNewKey, sim.SameKey},
		{sim.BugLatestTemplate, sim.Pinned},
		{sim.BugTodoLost, sim.Released},
		{sim.BugDueLost, sim.Conservation},
		{sim.BugNotBlanked, sim.Blanked},
		{sim.BugDLQSkipped, sim.DeadShown},
		{sim.BugNotActivated, sim.FallbackGoes},
		{sim.BugAnyAccount, sim.ReceiptScope},
		{sim.BugUnsigned, sim.ReceiptScope},
		{sim.BugReceiptAckEarly, sim.ReceiptKept},
		{sim.BugCallbackAcks, sim.ReceiptKept},
		{sim.BugEarlyDropped, sim.ReceiptKept},
		{sim.BugEarlyLost, sim.ReceiptKept},
		{sim.BugIDsMixed, sim.Monotone},
		{sim.BugReceiptReplaces, sim.ReceiptKept},
		{sim.BugRedriveForgets, sim.Pinned},
		{sim.BugAnyTenant, sim.Isolation},
		{sim.BugHintTells, sim.NoLeak},
		{sim.BugCallbackLost, sim.Told},
		{sim.BugCallbackAnew, sim.Told},
		{sim.BugCallbackTold, sim.Told},
		{sim.BugTellForgotten, sim.Told},
	} {
		if i%slower != 0 {
			continue
		}
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
				if first != row.breaks {
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
