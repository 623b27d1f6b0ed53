package dynamo_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/dynamo"
)

// lostAnswer: a put whose answer is lost is sent again and meets its own item; that is no refusal.
func lostAnswer(t *testing.T, client *dynamodb.Client, table string) {
	for name, cond := range map[string]store.Cond{"always": store.Always, "absent": store.Absent, "absent or expired": store.AbsentOrExpired, "at revision": store.AtRev} {
		for _, lost := range []int{1, 2, 3} {
			wire := newWire(client)
			db := dynamo.Open(wire.client, dynamo.Options{Table: table})
			k := store.Key{PK: t.Name() + name, SK: string(rune('0' + lost))}
			if cond == store.AtRev {
				write(t, db, store.Op{Item: record(k, 1)})
			}
			next, after := record(k, 2), record(store.Key{PK: k.PK, SK: k.SK + "after"}, 1)
			wire.loseAnswers.Store(int64(lost))
			r, err := db.Write(t.Context(), now, []store.Op{{Item: next, Cond: cond, At: 1}, {Item: after, Cond: store.Absent}})
			if lost == 3 { // as many as there are attempts
				if !errors.Is(err, errLost) {
					t.Errorf("%s: no answer ever: %v", name, err)
				}
			} else if err != nil || r[0].Applied != 2 {
				t.Errorf("%s, %d answers lost: %+v, %v", name, lost, r, err)
			}
			if d := cmp.Diff(&next, read(t, db, k)); d != "" {
				t.Errorf("%s, %d answers lost (-want +got):\n%s", name, lost, d)
			}
		}
	}
}

// equalBytes: of two that write the same bytes at the same revision, one wins, also when the other's
// request is lost and sent again after the winner's.
func equalBytes(t *testing.T, client *dynamodb.Client, table string) {
	winner := dynamo.Open(client, dynamo.Options{Table: table})
	for name, lost := range map[string]int64{"at once": 0, "sent again": 1} {
		k := store.Key{PK: t.Name(), SK: name}
		write(t, winner, store.Op{Item: record(k, 1)})
		lease := store.Op{Item: record(k, 2), Cond: store.AtRev, At: 1}
		win := func() {
			if r := write(t, winner, lease); r.Applied != 1 {
				t.Errorf("%s: the first is refused by %+v", name, r.Holder)
			}
		}
		wire := newWire(client)
		wire.meanwhile = win
		wire.loseRequests.Store(lost)
		if lost == 0 {
			win()
		}
		got := write(t, dynamo.Open(wire.client, dynamo.Options{Table: table}), lease)
		if d := cmp.Diff(store.Result{Holder: &lease.Item}, got); d != "" {
			t.Errorf("%s: the second (-want +got):\n%s", name, d)
		}
	}
}

// lostDelete: at a revision, a delete that is sent again cannot tell that it was the one.
func lostDelete(t *testing.T, client *dynamodb.Client, table string) {
	wire := newWire(client)
	db := dynamo.Open(wire.client, dynamo.Options{Table: table})
	for name, tt := range map[string]struct {
		cond store.Cond
		want store.Result
	}{
		"always":      {store.Always, store.Result{Applied: 1}},
		"at revision": {store.AtRev, store.Result{}},
	} {
		k := store.Key{PK: t.Name(), SK: name}
		write(t, db, store.Op{Item: record(k, 1)})
		wire.loseAnswers.Store(1)
		got := write(t, db, store.Op{Item: store.Item{Key: k}, Cond: tt.cond, At: 1, Delete: true})
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if it := read(t, db, k); it != nil {
			t.Errorf("%s: still there: %+v", name, it)
		}
	}
}
