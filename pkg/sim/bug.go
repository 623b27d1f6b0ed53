package sim

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// Bug is a fault of ours that is planted on purpose: it shows that a history would find it.
type Bug string

// The bugs.
const (
	BugNoSweep         Bug = "no sweep"
	BugWrongLane       Bug = "the sweep queues where nobody looks"
	BugAckEarly        Bug = "intake answers before the record is written"
	BugWriteLost       Bug = "a write is acknowledged before it is kept"
	BugRecordExpires   Bug = "records expire with the hour"
	BugKeyDropped      Bug = "idempotency keys are not kept"
	BugHashIgnored     Bug = "a key's body is not compared"
	BugContentDropped  Bug = "content claims are not kept"
	BugTrustTTL        Bug = "an expired claim counts until it is removed"
	BugUnguarded       Bug = "suppressions are asked for in the wrong place"
	BugReleaseLive     Bug = "a sent message gives its claim back"
	BugNoFence         Bug = "writes ignore the revision"
	BugStaleLease      Bug = "a lease that lost is taken for won"
	BugLeaseInMind     Bug = "the lease is not written before the call"
	BugStoppedClock    Bug = "a worker reads the clock once"
	BugNoExpiry        Bug = "nothing expires"
	BugEarly           Bug = "scheduled messages go at once"
	BugCancelIgnored   Bug = "a cancel is confirmed and not written"
	BugLostIsRetry     Bug = "a lost lease is sent again"
	BugUnknownIsRetry  Bug = "no answer means retry"
	BugUnknownIsSent   Bug = "no answer means sent"
	BugThrottleCounts  Bug = "throttling is a fault"
	BugTriesForgotten  Bug = "attempts are not counted"
	BugNoBackoff       Bug = "retries do not wait"
	BugNewKey          Bug = "each attempt has a key of its own"
	BugLatestTemplate  Bug = "the newest template is sent"
	BugTodoLost        Bug = "what is left to do is forgotten"
	BugDueLost         Bug = "a record leaves the due index"
	BugNotBlanked      Bug = "codes are not erased"
	BugDLQSkipped      Bug = "dead messages leave no copy"
	BugNotActivated    Bug = "the next way is never started"
	BugAnyAccount      Bug = "receipts of other accounts count"
	BugUnsigned        Bug = "signatures are not checked"
	BugReceiptAckEarly Bug = "receipts leave the queue before they are applied"
	BugCallbackAcks    Bug = "callbacks answer 2xx whatever happens"
	BugEarlyDropped    Bug = "a receipt that comes early is dropped"
	BugEarlyLost       Bug = "a provider's id is written over what waits beside it"
	BugIDsMixed        Bug = "receipts of several ids are taken for one attempt's"
	BugReceiptReplaces Bug = "the last receipt replaces those before"
	BugRedriveForgets  Bug = "redrive forgets the expiry"
	BugAnyTenant       Bug = "tenants are not told apart"
	BugHintTells       Bug = "a hint shows the code"
	BugCountedTwice    Bug = "what is sent counts twice"
	BugCallbackLost    Bug = "callbacks are held to be made before they are"
	BugCallbackAnew    Bug = "a callback is made anew by who begins anew"
	BugCallbackTold    Bug = "callbacks are told of"
	BugTellForgotten   Bug = "nobody notes what is to be told"

	BugFireAnew         Bug = "every fire is a run of its own"
	BugFireCancelled    Bug = "a fire does not see that its schedule was cancelled"
	BugFireLost         Bug = "a fire that was lost is not made up for"
	BugRowsAnew         Bug = "a page that is done again makes its messages anew"
	BugPageSkipped      Bug = "a page that failed is held to be done"
	BugRunUnpinned      Bug = "each page takes the newest template"
	BugSteeringLost     Bug = "a page writes over what was said to its run"
	BugNothingTakenBack Bug = "a stop takes nothing back"
	BugOwnerUntold      Bug = "nobody is told that a run failed"
	BugRedriveCutOff    Bug = "a redrive ends where a page of it failed"
	BugLimitEach        Bug = "each process counts its calls alone"
	BugCapForgotten     Bug = "what was sent is not held against a cap"
	BugBreakersUnread   Bug = "nobody asks whether an account works"
	BugLivesMixed       Bug = "a schedule that is made anew takes over the runs of the one before"
	BugPausedGoesOn     Bug = "to resume what was paused is the word that it waits for"
	BugAnyWord          Bug = "a word counts for what has become of a run meanwhile"
	BugUploadAnew       Bug = "each page reads the upload anew"
	BugResendAnew       Bug = "each try of a resend is a run of its own"
	BugPlaceEach        Bug = "each try of a request has a place of its own"
	BugRangeEach        Bug = "each process counts a range's codes alone"
	BugBudgetEach       Bug = "each process counts a tenant's messages alone"
	BugLeftUntold       Bug = "an erasure is silent of what is being sent"
	BugErasedHalf       Bug = "what an erasure that was cut off left behind stays"
	BugNotPaid          Bug = "what died over an account is left when it works again"
)

// needs is what there must be for a bug to show.
func (b Bug) needs() Parts {
	switch b {
	case BugFireAnew, BugFireCancelled, BugFireLost, BugLivesMixed:
		return Schedules
	case BugRedriveCutOff:
		return Redrives
	case BugBreakersUnread, BugNotPaid:
		return Outages
	case BugCapForgotten, BugPlaceEach, BugRangeEach:
		return Caps
	case BugBudgetEach:
		return Budgets
	case BugLeftUntold, BugErasedHalf:
		return Erasures
	case BugRowsAnew, BugPageSkipped, BugRunUnpinned, BugSteeringLost, BugNothingTakenBack, BugOwnerUntold, BugPausedGoesOn, BugAnyWord, BugUploadAnew, BugResendAnew:
		return Campaigns
	}
	return 0
}

// spoil changes what is written.
func (b Bug) spoil(now message.Time, sequences [][]store.Op) [][]store.Op {
	switch b {
	case BugNoFence, BugTrustTTL, BugKeyDropped, BugContentDropped, BugRecordExpires, BugDueLost, BugEarlyDropped, BugEarlyLost, BugUnguarded, BugSteeringLost:
	default:
		return sequences
	}
	out := make([][]store.Op, len(sequences))
	for i, seq := range sequences {
		out[i] = slices.Clone(seq)
		for j := range out[i] {
			b.spoilOp(now, &out[i][j])
		}
	}
	return out
}

func (b Bug) spoilOp(now message.Time, op *store.Op) {
	it := &op.Item
	record, named := strings.HasPrefix(it.PK, "m#"), strings.HasPrefix(it.PK, "p#")
	switch {
	case b == BugNoFence && record && op.Cond == store.AtRev:
		op.Cond = store.Always
	case b == BugSteeringLost && strings.HasPrefix(it.PK, "j#") && op.Cond == store.AtRev:
		op.Cond = store.Always
	case b == BugEarlyLost && named:
		op.Cond = store.Always
	case b == BugEarlyDropped && named && !bytes.Contains(it.Data, []byte(`"id":`)):
		it.SK += store.DueSort(now)
		op.Cond = store.Always
	case b == BugTrustTTL && (op.Cond == store.AbsentOrExpired || it.SK == "c"):
		if it.Rev = 1; op.Cond == store.AbsentOrExpired { // nor does it tell since when it counts
			op.Cond = store.Absent
		}
	case b == BugKeyDropped && it.SK == "k", b == BugContentDropped && it.SK == "c":
		it.SK += store.DueSort(now) // where nobody finds it
		op.Cond = store.Always
	case b == BugUnguarded && op.Cond == store.Vacant:
		it.PK += "0"
	case b == BugRecordExpires && record:
		it.Expires = int64(now)/1000 + 3600
	case b == BugDueLost && record && it.Rev > 1:
		it.DueShard, it.DueAt = "", 0
	}
}

// mishear changes what a provider is understood to say.
func (b Bug) mishear(res message.Result) message.Result {
	switch {
	case b == BugUnknownIsRetry && res.Outcome == message.Unknown, b == BugThrottleCounts && res.Outcome == message.Throttled:
		res.Outcome = message.Retry
	case b == BugUnknownIsSent && res.Outcome == message.Unknown:
		res.Outcome = message.Accepted
	}
	return res
}

// claimed changes over which account a receipt is held to have come.
func (b Bug) claimed(w *world, body []byte) []byte {
	if b != BugAnyAccount {
		return body
	}
	var e map[string]any
	if json.Unmarshal(body, &e) != nil {
		return body
	}
	rc, _ := e["receipt"].(map[string]any)
	id, _ := rc["ID"].(string)
	if s := w.oracle.stories[message.ID(id)]; s != nil && s.m.Last() != nil {
		e["account"] = s.m.Last().Account
	}
	out, err := json.Marshal(e)
	if err != nil {
		return body
	}
	return out
}

// moved changes what counters hear of.
func (b Bug) moved(count func(before, after *message.Message, now message.Time)) func(before, after *message.Message, now message.Time) {
	if b != BugCountedTwice {
		return count
	}
	return func(before, after *message.Message, now message.Time) {
		count(before, after, now)
		if after.Status == message.Sent {
			count(before, after, now)
		}
	}
}
