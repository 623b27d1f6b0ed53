package dynamo_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/opennotify/notify/deploy/emulators"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/dynamo"
	"github.com/opennotify/notify/pkg/store/storetest"
)

const (
	nowSeconds              = 4_000_000_000
	now        message.Time = nowSeconds * 1000
)

func TestMiniStack(t *testing.T) {
	t.Parallel()
	stack := emulators.Need(t, emulators.MiniStack)
	client := dynamodb.NewFromConfig(stack.AWS(), quick)
	onEmulator(t, client)
}

func TestDynamoDBLocal(t *testing.T) {
	t.Parallel()
	emulators.InNamespace(t, emulators.DynamoDBLocal, func(t *testing.T, e *emulators.Emulator) {
		onEmulator(t, dynamodb.NewFromConfig(e.AWS(), quick))
	})
}

// quick leaves out the check of answers' checksums: DynamoDB Local's have none that the SDK accepts, and
// each would be logged.
func quick(o *dynamodb.Options) { o.DisableValidateResponseChecksum = true }

// onEmulator is everything that needs a table.
func onEmulator(t *testing.T, client *dynamodb.Client) {
	table := newTable(t, client)
	t.Run("suite", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, func(*testing.T) store.Driver {
			return dynamo.Open(client, dynamo.Options{Table: table})
		}, storetest.Features{Remote: true}) // no emulator's indexes lag, and none removes what expired
	})
	for name, run := range map[string]func(*testing.T, *dynamodb.Client, string){
		"costs":               costs,
		"reads in few calls":  fewReads,
		"a lost answer":       lostAnswer,
		"equal bytes":         equalBytes,
		"a lost delete":       lostDelete,
		"largest item":        largest,
		"many counters":       manyCounters,
		"counters too large":  countersTooLarge,
		"not counters":        notCounters,
		"another's items":     foreign,
		"cursors of others":   otherCursors,
		"an item at the end":  endOfRange,
		"an item out of list": noPlace,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, client, table)
		})
	}
}

func newTable(t *testing.T, client *dynamodb.Client) string {
	t.Helper()
	table := "notify-" + rand.Text()
	if _, err := client.CreateTable(t.Context(), dynamo.Definition(table)); err != nil {
		t.Fatal(err)
	}
	if err := dynamodb.NewTableExistsWaiter(client).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &table}, time.Minute); err != nil {
		t.Fatal(err)
	}
	return table
}

func key(t *testing.T, sk string) store.Key { return store.Key{PK: t.Name(), SK: sk} }

// record is like a message's: below 1 KB, in a list and due.
func record(k store.Key, rev int64) store.Item {
	return store.Item{Key: k, Rev: rev, Data: make([]byte, 700), List: "list#" + k.PK, ListSort: k.SK,
		DueShard: "due#" + k.PK, DueAt: now + message.Time(rev), Expires: nowSeconds + 1000}
}

// write writes one sequence.
func write(t *testing.T, db *dynamo.DB, ops ...store.Op) store.Result {
	t.Helper()
	r, err := db.Write(t.Context(), now, ops)
	if err != nil {
		t.Fatal(err)
	}
	return r[0]
}

func read(t *testing.T, db *dynamo.DB, k store.Key) *store.Item {
	t.Helper()
	items, err := db.Get(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	return items[0]
}
