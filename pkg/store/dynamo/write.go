package dynamo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// element is an Op ready to be sent.
type element struct {
	vacant *dynamodb.QueryInput // what must find nothing; then it is all there is
	item   attributes
	delete bool
	cond   condition
	token  []byte
}

// condition is an expression with its aliases; the zero value always holds.
type condition struct {
	text   *string
	names  map[string]string
	values attributes
}

// Write implements [store.Driver]. Nothing is sent unless every element may be; a call that returns
// [store.ErrTooLarge] wrote nothing.
//
// A delete at a revision that finds nothing is refused without a holder, even if that is because its own
// first try had done it and the answer was lost.
func (db *DB) Write(ctx context.Context, now message.Time, sequences ...[]store.Op) ([]store.Result, error) {
	if err := db.begin(ctx); err != nil {
		return nil, err
	}
	ready := make([][]element, len(sequences))
	for i, seq := range sequences {
		ready[i] = make([]element, len(seq))
		for j := range seq {
			var err error
			if ready[i][j], err = db.element(&seq[j], now); err != nil {
				return nil, fmt.Errorf("dynamo: write: %w", err)
			}
		}
	}
	results := make([]store.Result, len(sequences))
	err := each(len(ready), func(i int) (err error) {
		results[i], err = db.sequence(ctx, ready[i])
		return err
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// element checks an op, and turns it into what is sent.
func (db *DB) element(op *store.Op, now message.Time) (e element, err error) {
	if op.Cond == store.Vacant {
		if op.Item.SK != "" || op.Delete {
			return e, errors.New("a partition that is to be vacant has no sort key, and nothing to delete")
		}
		if err := checkText(op.Item.PK); err != nil {
			return e, err
		}
		e.vacant, err = db.request(store.Query{Index: store.ByPartition, Value: op.Item.PK, Limit: 1})
		return e, err
	}
	if err := checkKey(op.Item.Key); err != nil {
		return e, err
	}
	if e.cond, err = conditionOf(op, now); err != nil {
		return e, err
	}
	if e.delete = op.Delete; e.delete {
		e.item = keyAttributes(op.Item.Key)
		return e, nil
	}
	if err := checkItem(&op.Item); err != nil {
		return e, err
	}
	e.item = encode(&op.Item)
	if e.cond.text != nil {
		e.token = make([]byte, 8)
		if _, err := io.ReadFull(db.opts.Random, e.token); err != nil {
			return e, fmt.Errorf("random: %w", err)
		}
		e.item[attrToken] = binary(e.token)
	}
	if n := e.item.size(); n > maxItem {
		return e, fmt.Errorf("%w: %d bytes, %d are allowed", store.ErrTooLarge, n, maxItem)
	}
	return e, nil
}

func conditionOf(op *store.Op, now message.Time) (condition, error) {
	const absent = "attribute_not_exists(#k)"
	switch op.Cond {
	case store.Always:
		return condition{}, nil
	case store.Absent:
		return condition{aws.String(absent), map[string]string{"#k": attrPK}, nil}, nil
	case store.AbsentOrExpired: // time to live removes late, and what has no expiry compares as false
		return condition{aws.String(absent + " OR #x <= :now"), map[string]string{"#k": attrPK, "#x": attrExpires},
			attributes{":now": number(int64(now) / 1000)}}, nil
	case store.AtRev:
		return condition{aws.String("#v = :v"), map[string]string{"#v": attrRev}, attributes{":v": number(op.At)}}, nil
	}
	return condition{}, fmt.Errorf("unknown condition %d", op.Cond)
}

// sequence applies elements until one is refused.
func (db *DB) sequence(ctx context.Context, elements []element) (store.Result, error) {
	for i := range elements {
		ok, holder, err := db.apply(ctx, &elements[i])
		if err != nil {
			return store.Result{}, err
		}
		if !ok {
			return store.Result{Applied: i, Holder: holder}, nil
		}
	}
	return store.Result{Applied: len(elements)}, nil
}

// vacate asks for the first item of a partition that is to be vacant.
func (db *DB) vacate(ctx context.Context, e *element) (ok bool, holder *store.Item, err error) {
	out, err := db.client.Query(ctx, e.vacant, db.retry)
	if err != nil {
		return false, nil, db.fault(ctx, "query", err)
	}
	if out.ConsumedCapacity != nil {
		db.consumed("query", *out.ConsumedCapacity)
	}
	if len(out.Items) == 0 {
		return true, nil, nil
	}
	if holder, err = attributes(out.Items[0]).decode(); err != nil {
		return false, nil, fmt.Errorf("dynamo: query: the holder: %w", err)
	}
	return false, holder, nil
}

// apply sends one element. A refusal brings what is there with it, so nothing is read.
//
// When an answer is lost the SDK sends a put again, and the second one may meet the first one's item: it
// is refused by itself. So every conditional put carries a random token, by which its own item is told
// from another's. Equal contents would not do: two workers that lease one message in one millisecond
// write the same bytes, and both would believe to have won.
func (db *DB) apply(ctx context.Context, e *element) (ok bool, holder *store.Item, err error) {
	if e.vacant != nil {
		return db.vacate(ctx, e)
	}
	operation := "delete"
	if e.delete {
		err = db.delete(ctx, e)
	} else {
		operation, err = "put", db.put(ctx, e)
	}
	var refused *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return true, nil, nil
	case !errors.As(err, &refused):
		return false, nil, db.fault(ctx, operation, err)
	case len(refused.Item) == 0:
		return false, nil, nil
	}
	there := attributes(refused.Item)
	if token, marked := there[attrToken].(*types.AttributeValueMemberB); marked && e.token != nil && bytes.Equal(token.Value, e.token) {
		return true, nil, nil
	}
	if holder, err = there.decode(); err != nil {
		return false, nil, fmt.Errorf("dynamo: %s: the holder: %w", operation, err)
	}
	return false, holder, nil
}

func (db *DB) put(ctx context.Context, e *element) error {
	out, err := db.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           db.table,
		Item:                                e.item,
		ConditionExpression:                 e.cond.text,
		ExpressionAttributeNames:            e.cond.names,
		ExpressionAttributeValues:           e.cond.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		ReturnConsumedCapacity:              db.report,
	}, db.retry)
	if err == nil && out.ConsumedCapacity != nil {
		db.consumed("put", *out.ConsumedCapacity)
	}
	return err
}

func (db *DB) delete(ctx context.Context, e *element) error {
	out, err := db.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName:                           db.table,
		Key:                                 e.item,
		ConditionExpression:                 e.cond.text,
		ExpressionAttributeNames:            e.cond.names,
		ExpressionAttributeValues:           e.cond.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		ReturnConsumedCapacity:              db.report,
	}, db.retry)
	if err == nil && out.ConsumedCapacity != nil {
		db.consumed("delete", *out.ConsumedCapacity)
	}
	return err
}
