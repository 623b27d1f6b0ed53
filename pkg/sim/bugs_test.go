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
		near   uint64 // the seed to begin with: for what few histories show
	}{
		{sim.BugNoSweep, sim.NoLoss, 0},
		{sim.BugWrongLane, sim.NoLoss, 0},
		{sim.BugAckEarly, sim.Durable, 0},
		{sim.BugWriteLost, sim.Durable, 0},
		{sim.BugRecordExpires, sim.Durable, 0},
		{sim.BugKeyDropped, sim.Idempotent, 0},
		{sim.BugHashIgnored, sim.Idempotent, 0},
		{sim.BugContentDropped, sim.ContentOnce, 0},
		{sim.BugTrustTTL, sim.ContentOnce, 0},
		{sim.BugUnguarded, sim.Suppressed, 0},
		{sim.BugReleaseLive, sim.ContentOnce, 0},
		{sim.BugNoFence, sim.SingleOwner, 0},
		{sim.BugStaleLease, sim.Guarded, 0},
		{sim.BugLeaseInMind, sim.Guarded, 0},
		{sim.BugStoppedClock, sim.Guarded, 0},
		{sim.BugNoExpiry, sim.Guarded, 0},
		{sim.BugEarly, sim.Schedule, 0},
		{sim.BugCancelIgnored, sim.Schedule, 0},
		{sim.BugLostIsRetry, sim.BlindResend, 0},
		{sim.BugUnknownIsRetry, sim.Truth, 0},
		{sim.BugUnknownIsSent, sim.Truth, 0},
		{sim.BugThrottleCounts, sim.Truth, 0},
		{sim.BugTriesForgotten, sim.Attempts, 0},
		{sim.BugNoBackoff, sim.Attempts, 0},
		{sim.BugNewKey, sim.SameKey, 0},
		{sim.BugLatestTemplate, sim.Pinned, 0},
		{sim.BugTodoLost, sim.Released, 0},
		{sim.BugDueLost, sim.Conservation, 0},
		{sim.BugNotBlanked, sim.Blanked, 0},
		{sim.BugDLQSkipped, sim.DeadShown, 0},
		{sim.BugNotActivated, sim.FallbackGoes, 0},
		{sim.BugAnyAccount, sim.ReceiptScope, 0},
		{sim.BugUnsigned, sim.ReceiptScope, 0},
		{sim.BugReceiptAckEarly, sim.ReceiptKept, 0},
		{sim.BugCallbackAcks, sim.ReceiptKept, 0},
		{sim.BugEarlyDropped, sim.ReceiptKept, 0},
		{sim.BugEarlyLost, sim.ReceiptKept, 0},
		{sim.BugIDsMixed, sim.Monotone, 16100},
		{sim.BugReceiptReplaces, sim.ReceiptKept, 0},
		{sim.BugRedriveForgets, sim.Pinned, 0},
		{sim.BugAnyTenant, sim.Isolation, 0},
		{sim.BugHintTells, sim.NoLeak, 0},
		{sim.BugCallbackLost, sim.Told, 0},
		{sim.BugCallbackAnew, sim.Told, 0},
		{sim.BugCallbackTold, sim.Told, 0},
		{sim.BugTellForgotten, sim.Told, 0},
		{sim.BugFireAnew, sim.OneRun, 0},
		{sim.BugFireCancelled, sim.Schedule, 0},
		{sim.BugFireLost, sim.NoLoss, 0},
		{sim.BugRowsAnew, sim.OnceARun, 0},
		{sim.BugPageSkipped, sim.RunWhole, 0},
		{sim.BugRunUnpinned, sim.Pinned, 530},
		{sim.BugSteeringLost, sim.Steered, 0},
		{sim.BugNothingTakenBack, sim.Steered, 0},
		{sim.BugOwnerUntold, sim.OwnerTold, 0},
		{sim.BugLivesMixed, sim.Schedule, 9170},
		{sim.BugPausedGoesOn, sim.Approved, 1410},
		{sim.BugAnyWord, sim.Approved, 0},
		{sim.BugUploadAnew, sim.Pinned, 0},
		{sim.BugResendAnew, sim.OneRun, 0},
		{sim.BugPlaceEach, sim.CountedOnce, 0},
		{sim.BugRangeEach, sim.Capped, 0},
		{sim.BugBudgetEach, sim.Budgeted, 0},
		{sim.BugRedriveCutOff, sim.RedriveWhole, 8700},
		{sim.BugLimitEach, sim.Limited, 0},
		{sim.BugCapForgotten, sim.Capped, 0},
		{sim.BugLeftUntold, sim.Forgotten, 0},
		{sim.BugErasedHalf, sim.Forgotten, 1000},
		{sim.BugBreakersUnread, sim.Failover, 0},
		{sim.BugNotPaid, sim.Failover, 0},
	} {
		if i%slower != 0 {
			continue
		}
		t.Run(string(row.bug), func(t *testing.T) {
			t.Parallel()
			const most = 10_000
			tried, found := 0, uint64(0)
			other := map[sim.Invariant]int{}
			campaign(most, sim.Options{Bug: row.bug, Seed: row.near}, func(r sim.Result) bool {
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
