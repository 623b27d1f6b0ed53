package dynamo_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/dynamo"
)

// largest: an item that is as large as one may be by the driver's count is not too large for DynamoDB,
// and one byte more is refused before anything is sent.
func largest(t *testing.T, client *dynamodb.Client, table string) {
	wire := newWire(client)
	db := dynamo.Open(wire.client, dynamo.Options{Table: table})
	it := record(key(t, "k"), 1_234_567_890_123)
	it.Trouble = "trouble"
	var biggest int
	for n := 400 << 10; ; n-- { // the attributes beside the data take up the difference
		it.Data = make([]byte, n)
		before := wire.calls.Load()
		r, err := db.Write(t.Context(), now, []store.Op{{Item: it, Cond: store.Absent}})
		if err == nil {
			if r[0].Applied != 1 {
				t.Fatalf("refused by %+v", r[0].Holder)
			}
			biggest = n
			break
		}
		if !errors.Is(err, store.ErrTooLarge) || wire.calls.Load() != before {
			t.Fatalf("data of %d bytes: %v after %d calls", n, err, wire.calls.Load()-before)
		}
	}
	if got := read(t, db, it.Key); len(got.Data) != biggest {
		t.Errorf("%d bytes are kept of %d", len(got.Data), biggest)
	}
	if over := 400<<10 - biggest; over > 300 {
		t.Errorf("the attributes beside the data count as %d bytes", over)
	}
}

func manyCounters(t *testing.T, client *dynamodb.Client, table string) {
	db := dynamo.Open(client, dynamo.Options{Table: table})
	k := key(t, "k")
	var deltas []store.Delta
	want := map[string]int64{}
	for round := range 2 {
		for i := range 250 {
			field := fmt.Sprint("field", i)
			deltas = append(deltas, store.Delta{Key: k, Field: field, N: int64(i + round)})
			want[field] += int64(i + round)
		}
	}
	if _, err := db.Add(t.Context(), deltas...); err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	if err := json.Unmarshal(read(t, db, k).Data, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// countersTooLarge: only DynamoDB knows what an item of counters has grown to.
func countersTooLarge(t *testing.T, client *dynamodb.Client, table string) {
	db := dynamo.Open(client, dynamo.Options{Table: table})
	var err error
	for i := 0; i < 10 && err == nil; i++ {
		_, err = db.Add(t.Context(), store.Delta{Key: key(t, "k"), Field: strings.Repeat(fmt.Sprint(i), 50_000), N: 1})
	}
	if !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("error is %v", err)
	}
}

func notCounters(t *testing.T, client *dynamodb.Client, table string) {
	db := dynamo.Open(client, dynamo.Options{Table: table})
	it := record(key(t, "k"), 1)
	write(t, db, store.Op{Item: it})
	if _, err := db.Add(t.Context(), store.Delta{Key: it.Key, Field: "n", N: 1}); err == nil {
		t.Error("a record was counted on")
	}
	if d := cmp.Diff(&it, read(t, db, it.Key)); d != "" {
		t.Errorf("the record (-want +got):\n%s", d)
	}
}

// foreign: what another program put into the table is an error, wherever it is met.
func foreign(t *testing.T, client *dynamodb.Client, table string) {
	db := dynamo.Open(client, dynamo.Options{Table: table})
	for name, a := range map[string]types.AttributeValue{
		"v": &types.AttributeValueMemberS{Value: "one"},
		"x": &types.AttributeValueMemberN{Value: "1.5"},
	} {
		k := store.Key{PK: t.Name() + name, SK: "k"}
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: k.PK}, "sk": &types.AttributeValueMemberS{Value: k.SK}, name: a}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Get(t.Context(), k); err == nil {
			t.Errorf("%s: read", name)
		}
		if _, err := db.Get(t.Context(), k, key(t, "other")); err == nil {
			t.Errorf("%s: read with another", name)
		}
		if _, err := db.Query(t.Context(), store.Query{Value: k.PK, Limit: 1}); err == nil {
			t.Errorf("%s: listed", name)
		}
		if _, err := db.Write(t.Context(), now, []store.Op{{Item: record(k, 1), Cond: store.Absent}}); err == nil {
			t.Errorf("%s: a holder", name)
		}
	}
}

// otherCursors: a cursor goes with its query.
func otherCursors(t *testing.T, client *dynamodb.Client, table string) {
	db := dynamo.Open(client, dynamo.Options{Table: table})
	for _, sk := range []string{"a", "b"} {
		it := record(key(t, sk), 1)
		it.Trouble = "trouble#" + t.Name()
		write(t, db, store.Op{Item: it})
	}
	queries := []store.Query{
		{Index: store.ByPartition, Value: t.Name(), Limit: 1},
		{Index: store.ByPartition, Value: t.Name() + "other", Limit: 1},
		{Index: store.ByList, Value: "list#" + t.Name(), Limit: 1},
		{Index: store.ByDue, Value: "due#" + t.Name(), Limit: 1},
		{Index: store.ByTrouble, Value: "trouble#" + t.Name(), Limit: 1},
	}
	for i, from := range queries {
		page, err := db.Query(t.Context(), from)
		if err != nil {
			t.Fatal(err)
		}
		for j, q := range queries {
			if q.After = page.Next; q.After == "" {
				continue
			}
			if _, err := db.Query(t.Context(), q); (err == nil) != (i == j) {
				t.Errorf("query %d with the cursor of %d: %v", j, i, err)
			}
		}
	}
}

// endOfRange: DynamoDB's ranges include their end, the driver's do not.
func endOfRange(t *testing.T, client *dynamodb.Client, table string) {
	wire := newWire(client)
	db := dynamo.Open(wire.client, dynamo.Options{Table: table})
	for _, sk := range []string{"a", "b", "c", "d"} {
		write(t, db, store.Op{Item: record(key(t, sk), 1)})
	}
	for _, q := range []store.Query{
		{Value: t.Name(), From: "a", To: "c", Limit: 3},
		{Value: t.Name(), To: "c", Limit: 3},
		{Index: store.ByList, Value: "list#" + t.Name(), From: "a", To: "c", Limit: 3},
	} {
		before := wire.calls.Load()
		page, err := db.Query(t.Context(), q)
		if err != nil || len(page.Items) != 2 || page.Next != "" {
			t.Errorf("%+v: %d items, next %q, %v", q, len(page.Items), page.Next, err)
		}
		if n := wire.calls.Load() - before; n != 1 {
			t.Errorf("%+v: %d calls", q, n)
		}
	}
}

// noPlace: DynamoDB has no empty sort keys.
func noPlace(t *testing.T, client *dynamodb.Client, table string) {
	db := dynamo.Open(client, dynamo.Options{Table: table})
	it := record(key(t, "k"), 1)
	it.ListSort = ""
	if _, err := db.Write(t.Context(), now, []store.Op{{Item: it}}); err == nil {
		t.Error("no error")
	}
}
