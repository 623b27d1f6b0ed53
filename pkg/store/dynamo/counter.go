package dynamo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/opennotify/notify/pkg/store"
)

// maxFields is how many counters one update changes: its expression may have 4 KB and 300 operators.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const maxFields = 100

// errNoCounters: the key of a Delta is that of a record.
var errNoCounters = errors.New("the item does not hold counters")

// counters are the changes of one item, at most maxFields of them.
type counters struct {
	key     store.Key
	deltas  map[string]int64
	expires int64
	sums    map[string]int64 // afterwards
}

// Add implements [store.Driver], with one call for each item and hundred fields. An Expires of 0 leaves
// what the item has. When it fails, some items may have been changed.
func (db *DB) Add(ctx context.Context, deltas ...store.Delta) ([]int64, error) {
	if err := db.begin(ctx); err != nil {
		return nil, err
	}
	var updates []*counters
	at := map[store.Key]*counters{} // the item's last update
	sums := map[store.Key]map[string]*counters{}
	for _, d := range deltas {
		if err := checkKey(d.Key); err != nil {
			return nil, fmt.Errorf("dynamo: add: %w", err)
		}
		if sums[d.Key] == nil {
			sums[d.Key] = map[string]*counters{}
		}
		c := sums[d.Key][d.Field]
		if c == nil {
			if c = at[d.Key]; c == nil || len(c.deltas) == maxFields {
				c = &counters{key: d.Key, deltas: map[string]int64{}}
				at[d.Key], updates = c, append(updates, c)
			}
			sums[d.Key][d.Field] = c
		}
		c.deltas[d.Field] += d.N
		if d.Expires != 0 {
			c.expires = d.Expires
		}
	}
	if err := each(len(updates), func(i int) error { return db.add(ctx, updates[i]) }); err != nil {
		return nil, err
	}
	out := make([]int64, len(deltas))
	for i, d := range deltas {
		out[i] = sums[d.Key][d.Field].sums[d.Field]
	}
	return out, nil
}

func (db *DB) add(ctx context.Context, c *counters) error {
	names, values := map[string]string{"#v": attrRev}, attributes{}
	var text strings.Builder
	if c.expires != 0 {
		names["#x"], values[":x"] = attrExpires, number(c.expires)
		text.WriteString("SET #x = :x ")
	}
	text.WriteString("ADD ")
	for i, field := range slices.Sorted(maps.Keys(c.deltas)) {
		n := strconv.Itoa(i)
		names["#"+n], values[":"+n] = counterPrefix+field, number(c.deltas[field])
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString("#" + n + " :" + n)
	}
	out, err := db.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 db.table,
		Key:                       keyAttributes(c.key),
		UpdateExpression:          aws.String(text.String()),
		ConditionExpression:       aws.String("attribute_not_exists(#v)"),
		ExpressionAttributeNames:  names,
		ExpressionAttributeValues: values,
		ReturnValues:              types.ReturnValueUpdatedNew,
		ReturnConsumedCapacity:    db.report,
	}, db.retry)
	var refused *types.ConditionalCheckFailedException
	switch {
	case errors.As(err, &refused):
		return fmt.Errorf("dynamo: add: %w", errNoCounters)
	case err != nil:
		return db.fault(ctx, "add", err)
	}
	if out.ConsumedCapacity != nil {
		db.consumed("add", *out.ConsumedCapacity)
	}
	c.sums = make(map[string]int64, len(c.deltas))
	for field := range c.deltas {
		v, ok := out.Attributes[counterPrefix+field].(*types.AttributeValueMemberN)
		if !ok {
			return fmt.Errorf("dynamo: add: the answer lacks counter %q", field)
		}
		var err error
		if c.sums[field], err = strconv.ParseInt(v.Value, 10, 64); err != nil {
			return fmt.Errorf("dynamo: add: counter %q: %w", field, err)
		}
	}
	return nil
}
