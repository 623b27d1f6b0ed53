package dynamo

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/opennotify/notify/pkg/store"
)

const (
	// maxKeys is how many keys one BatchGetItem takes:
	// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
	maxKeys = 100
	// maxStalls is how many answers in a row may bring nothing before a read is given up.
	maxStalls = 6
)

// Get implements [store.Driver]. What is asked for twice is read once.
func (db *DB) Get(ctx context.Context, keys ...store.Key) ([]*store.Item, error) {
	if err := db.begin(ctx); err != nil {
		return nil, err
	}
	at := map[store.Key]int{} // in unique and found
	var unique []store.Key
	for _, k := range keys {
		if err := checkKey(k); err != nil {
			return nil, fmt.Errorf("dynamo: get: %w", err)
		}
		if _, known := at[k]; !known {
			at[k] = len(unique)
			unique = append(unique, k)
		}
	}
	found := make([]*store.Item, len(unique))
	if len(unique) == 1 {
		var err error
		if found[0], err = db.getOne(ctx, unique[0]); err != nil {
			return nil, err
		}
	} else {
		chunks := (len(unique) + maxKeys - 1) / maxKeys
		err := each(chunks, func(i int) error {
			chunk := unique[i*maxKeys : min((i+1)*maxKeys, len(unique))]
			return db.getMany(ctx, chunk, func(it *store.Item) { found[at[it.Key]] = it })
		})
		if err != nil {
			return nil, err
		}
	}
	items := make([]*store.Item, len(keys))
	for i, k := range keys {
		items[i] = found[at[k]]
	}
	return items, nil
}

func (db *DB) getOne(ctx context.Context, k store.Key) (*store.Item, error) {
	yes := true
	out, err := db.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: db.table, Key: keyAttributes(k), ConsistentRead: &yes, ReturnConsumedCapacity: db.report,
	}, db.retry)
	if err != nil {
		return nil, db.fault(ctx, "get", err)
	}
	if out.ConsumedCapacity != nil {
		db.consumed("get", *out.ConsumedCapacity)
	}
	if out.Item == nil {
		return nil, nil
	}
	it, err := attributes(out.Item).decode()
	if err != nil {
		return nil, fmt.Errorf("dynamo: get: %w", err)
	}
	return it, nil
}

// getMany reads at most maxKeys items. DynamoDB answers with a part when the whole is above 16 MB, or
// when it throttles: the rest is asked for again, and after a wait when nothing came.
func (db *DB) getMany(ctx context.Context, keys []store.Key, found func(*store.Item)) error {
	yes := true
	ask := make([]map[string]types.AttributeValue, len(keys))
	for i, k := range keys {
		ask[i] = keyAttributes(k)
	}
	for stalls := 0; len(ask) > 0; {
		out, err := db.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems:           map[string]types.KeysAndAttributes{*db.table: {Keys: ask, ConsistentRead: &yes}},
			ReturnConsumedCapacity: db.report,
		}, db.retry)
		if err != nil {
			return db.fault(ctx, "get", err)
		}
		db.consumed("get", out.ConsumedCapacity...)
		for _, items := range out.Responses { // one table, by its name even when asked for by its ARN
			for _, a := range items {
				it, err := attributes(a).decode()
				if err != nil {
					return fmt.Errorf("dynamo: get: %w", err)
				}
				found(it)
			}
		}
		var rest []map[string]types.AttributeValue
		for _, u := range out.UnprocessedKeys {
			rest = append(rest, u.Keys...)
		}
		if len(rest) < len(ask) {
			stalls = 0
		} else if stalls++; stalls == maxStalls {
			return db.throttled(ctx, "get", "unprocessed keys", nil)
		} else if err := db.pause(ctx, stalls); err != nil {
			return err
		}
		ask = rest
	}
	return nil
}

// pause waits before another attempt.
func (db *DB) pause(ctx context.Context, attempt int) error {
	d, err := db.wait.BackoffDelay(attempt, nil)
	if err != nil {
		return fmt.Errorf("dynamo: get: %w", err)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
