package dynamo_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/dynamo"
)

// bill is what calls have cost.
type bill struct {
	mu    sync.Mutex
	lines map[string]float64 // "put list" → units
}

func (b *bill) add(operation string, c types.ConsumedCapacity) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.Table != nil {
		b.lines[operation] += aws.ToFloat64(c.Table.CapacityUnits)
	}
	for index, units := range c.GlobalSecondaryIndexes {
		b.lines[operation+" "+index] += aws.ToFloat64(units.CapacityUnits)
	}
}

// String is what was billed, in order, such as "put 1, put due 2".
func (b *bill) String() string {
	var out []string
	for _, line := range slices.Sorted(maps.Keys(b.lines)) {
		if b.lines[line] != 0 {
			out = append(out, fmt.Sprintf("%s %g", line, b.lines[line]))
		}
	}
	return strings.Join(out, ", ")
}

// costs are the calls and units of what notify does most. They change only on purpose.
func costs(t *testing.T, client *dynamodb.Client, table string) {
	wire := newWire(client)
	b := &bill{lines: map[string]float64{}}
	db := dynamo.Open(wire.client, dynamo.Options{Table: table, Consumed: b.add})
	at := func(it store.Item, rev int64) store.Op { return store.Op{Item: it, Cond: store.AtRev, At: rev} }
	absent := func(it store.Item) store.Op { return store.Op{Item: it, Cond: store.Absent} }
	accepted := record(key(t, "message"), 1)
	claims := [2]store.Item{{Key: key(t, "claim1"), Rev: 1, Data: make([]byte, 100), Expires: nowSeconds}, {Key: key(t, "claim2"), Rev: 1, Expires: nowSeconds}}
	leased, finished, trouble, grown := record(accepted.Key, 2), record(accepted.Key, 3), record(accepted.Key, 4), record(accepted.Key, 5)
	finished.DueShard, finished.DueAt = "", 0
	trouble.DueShard, trouble.DueAt, trouble.Trouble = "", 0, "trouble"
	grown.DueShard, grown.DueAt, grown.Trouble, grown.Data = "", 0, "trouble", make([]byte, 2500)
	for _, step := range []struct {
		name  string
		ops   []store.Op
		calls int
		bill  string
		want  store.Result
	}{
		{"accept with two claims", []store.Op{{Item: claims[0], Cond: store.AbsentOrExpired}, {Item: claims[1], Cond: store.AbsentOrExpired}, absent(accepted)},
			3, "put 3, put due 1, put list 1", store.Result{Applied: 3}},
		{"a duplicate", []store.Op{absent(accepted), absent(claims[0])}, 1, "", store.Result{Holder: &accepted}},
		{"lease: due later", []store.Op{at(leased, 1)}, 1, "put 1, put due 2", store.Result{Applied: 1}},
		{"a second worker", []store.Op{at(leased, 1)}, 1, "", store.Result{Holder: &leased}},
		{"finish: no longer due", []store.Op{at(finished, 2)}, 1, "put 1, put due 1", store.Result{Applied: 1}},
		{"trouble", []store.Op{at(trouble, 3)}, 1, "put 1, put trouble 1", store.Result{Applied: 1}},
		{"more than 2 KB", []store.Op{at(grown, 4)}, 1, "put 3", store.Result{Applied: 1}},
		{"delete a claim", []store.Op{{Item: claims[0], Cond: store.AtRev, At: 1, Delete: true}}, 1, "delete 1", store.Result{Applied: 1}},
		{"nothing", nil, 0, "", store.Result{}},
	} {
		b.lines = map[string]float64{}
		before := wire.calls.Load()
		got := write(t, db, step.ops...)
		if d := cmp.Diff(step.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, d)
		}
		if calls := int(wire.calls.Load() - before); calls != step.calls {
			t.Errorf("%s: %d calls, want %d", step.name, calls, step.calls)
		}
		if b.String() != step.bill {
			t.Errorf("%s: costs %q, want %q", step.name, b, step.bill)
		}
	}
}

// fewReads counts the calls of reads.
func fewReads(t *testing.T, client *dynamodb.Client, table string) {
	wire := newWire(client)
	b := &bill{lines: map[string]float64{}}
	db := dynamo.Open(wire.client, dynamo.Options{Table: table, Consumed: b.add})
	var keys []store.Key
	for i := range 101 {
		keys = append(keys, key(t, fmt.Sprint(i)))
	}
	write(t, db, store.Op{Item: record(keys[0], 1)})
	for _, tt := range []struct {
		name  string
		call  func() error
		calls int
		bill  string
	}{
		{"one", func() error { _, err := db.Get(t.Context(), keys[0]); return err }, 1, "get 1"},
		{"one, five times", func() error { _, err := db.Get(t.Context(), slices.Repeat(keys[:1], 5)...); return err }, 1, "get 1"},
		{"none", func() error { _, err := db.Get(t.Context()); return err }, 0, ""},
		{"a hundred", func() error { _, err := db.Get(t.Context(), keys[:100]...); return err }, 1, ""},
		{"more", func() error { _, err := db.Get(t.Context(), keys...); return err }, 2, ""},
		{"a page of the table", func() error {
			_, err := db.Query(t.Context(), store.Query{Value: keys[0].PK, Limit: 10})
			return err
		}, 1, "query 1"},
		{"a page of an index", func() error {
			_, err := db.Query(t.Context(), store.Query{Index: store.ByDue, Value: "due#" + keys[0].PK, Limit: 10})
			return err
		}, 1, "query due 0.5"},
		{"nothing between", func() error {
			_, err := db.Query(t.Context(), store.Query{Value: keys[0].PK, From: "b", To: "a", Limit: 10})
			return err
		}, 0, ""},
		{"counters of an item", func() error {
			_, err := db.Add(t.Context(), store.Delta{Key: keys[1], Field: "a", N: 1}, store.Delta{Key: keys[1], Field: "b", N: 1}, store.Delta{Key: keys[1], Field: "a", N: 1})
			return err
		}, 1, "add 1"},
	} {
		b.lines = map[string]float64{}
		before := wire.calls.Load()
		if err := tt.call(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if calls := int(wire.calls.Load() - before); calls != tt.calls {
			t.Errorf("%s: %d calls, want %d", tt.name, calls, tt.calls)
		}
		if tt.bill != "" && b.String() != tt.bill {
			t.Errorf("%s: costs %q, want %q", tt.name, b, tt.bill)
		}
	}
}
