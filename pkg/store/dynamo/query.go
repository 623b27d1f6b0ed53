package dynamo

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// place is how an index is read: its name ("" is the table), and the attributes of its value and order.
type place struct{ index, value, sort string }

func placeOf(i store.Index) (place, error) {
	switch i {
	case store.ByPartition:
		return place{"", attrPK, attrSK}, nil
	case store.ByList:
		return place{indexList, attrList, attrListSort}, nil
	case store.ByDue:
		return place{indexDue, attrDueShard, attrDueAt}, nil
	case store.ByTrouble:
		return place{indexTrouble, attrTrouble, attrSK}, nil
	}
	return place{}, fmt.Errorf("unknown index %d", i)
}

// Query implements [store.Driver]. A page ends after 1 MB, so it may be shorter than Limit although there
// is more; one of an index has no revisions, as keeping them there would cost a write unit per write.
func (db *DB) Query(ctx context.Context, q store.Query) (store.Page, error) {
	if err := db.begin(ctx); err != nil {
		return store.Page{}, err
	}
	in, err := db.request(q)
	if err != nil {
		return store.Page{}, fmt.Errorf("dynamo: query: %w", err)
	}
	if in == nil {
		return store.Page{}, nil
	}
	out, err := db.client.Query(ctx, in, db.retry)
	if err != nil {
		return store.Page{}, db.fault(ctx, "query", err)
	}
	if out.ConsumedCapacity != nil {
		db.consumed("query", *out.ConsumedCapacity)
	}
	page, err := pageOf(q, out)
	if err != nil {
		return store.Page{}, fmt.Errorf("dynamo: query: %w", err)
	}
	return page, nil
}

// request is nil for a range in which nothing can be: DynamoDB refuses those.
func (db *DB) request(q store.Query) (*dynamodb.QueryInput, error) {
	if q.Limit < 1 || q.Limit > 1000 {
		return nil, fmt.Errorf("limit %d is not within 1 to 1000", q.Limit)
	}
	p, err := placeOf(q.Index)
	if err != nil {
		return nil, err
	}
	in := &dynamodb.QueryInput{
		TableName:                 db.table,
		ExpressionAttributeNames:  map[string]string{"#v": p.value},
		ExpressionAttributeValues: attributes{":v": text(q.Value)},
		ScanIndexForward:          aws.Bool(!q.Desc),
		Limit:                     aws.Int32(int32(q.Limit)),
		ReturnConsumedCapacity:    db.report,
	}
	if p.index == "" {
		in.ConsistentRead = aws.Bool(true)
	} else {
		in.IndexName = aws.String(p.index)
	}
	from, to, empty, err := bounds(q)
	if err != nil {
		return nil, err
	}
	cond := "#v = :v"
	switch {
	case from != nil && to != nil:
		cond += " AND #s BETWEEN :from AND :to"
	case from != nil:
		cond += " AND #s >= :from"
	case to != nil:
		cond += " AND #s <= :to"
	}
	in.KeyConditionExpression = aws.String(cond)
	if from != nil {
		in.ExpressionAttributeValues[":from"] = from
	}
	if to != nil {
		in.ExpressionAttributeValues[":to"] = to
	}
	if from != nil || to != nil {
		in.ExpressionAttributeNames["#s"] = p.sort
	}
	if q.After != "" {
		if in.ExclusiveStartKey, err = readCursor(q, p); err != nil {
			return nil, err
		}
	}
	if empty {
		return nil, nil
	}
	return in, nil
}

// bounds are both inclusive, as BETWEEN has them. No text comes just before another, so an item at To
// itself is read, and left out by pageOf.
func bounds(q store.Query) (from, to types.AttributeValue, empty bool, err error) {
	if q.Index != store.ByDue {
		if q.From != "" {
			from = text(q.From)
		}
		if q.To != "" {
			to = text(q.To)
		}
		return from, to, q.To != "" && q.From >= q.To, nil
	}
	var first, last int64
	if q.From != "" {
		if first, err = instant(q.From); err != nil {
			return nil, nil, false, err
		}
		from = number(first)
	}
	if q.To != "" {
		if last, err = instant(q.To); err != nil {
			return nil, nil, false, err
		}
		last--
		to = number(last)
	}
	return from, to, to != nil && first > last, nil
}

func instant(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || store.DueSort(message.Time(n)) != s {
		return 0, errors.New("a bound of the due index is not printed with DueSort")
	}
	return n, nil
}

func pageOf(q store.Query, out *dynamodb.QueryOutput) (page store.Page, err error) {
	over := false // an item at To was met
	for _, a := range out.Items {
		var it store.Item
		if q.Index == store.ByPartition {
			whole, err := attributes(a).decode()
			if err != nil {
				return page, err
			}
			it = *whole
		} else if it, err = attributes(a).decodeKeys(); err != nil {
			return page, err
		}
		sort := it.SK
		if q.Index == store.ByList {
			sort = it.ListSort
		}
		if q.Index != store.ByDue && q.To != "" && sort >= q.To {
			over = true
			continue
		}
		page.Items = append(page.Items, it)
	}
	if len(out.LastEvaluatedKey) > 0 && (q.Desc || !over) {
		page.Next, err = cursor(q, out.LastEvaluatedKey)
	}
	return page, err
}

// cursor prints a place in an index: its number, the item's key, and the sort key if it is another. The
// index's value is not in it, so a cursor cannot lead out of what is asked for.
func cursor(q store.Query, last attributes) (string, error) {
	it, err := last.decodeKeys()
	if err != nil {
		return "", err
	}
	sort := ""
	switch q.Index {
	case store.ByList:
		sort = it.ListSort
	case store.ByDue:
		sort = store.DueSort(it.DueAt)
	}
	parts := []string{strconv.Itoa(int(q.Index)), it.PK, it.SK, sort}
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, "\x00"))), nil
}

// readCursor reads what cursor printed for the same index and value.
func readCursor(q store.Query, p place) (attributes, error) {
	bad := store.ErrCursor
	b, err := base64.RawURLEncoding.DecodeString(q.After)
	if err != nil {
		return nil, bad
	}
	parts := strings.Split(string(b), "\x00")
	if len(parts) != 4 || parts[0] != strconv.Itoa(int(q.Index)) {
		return nil, bad
	}
	k, sort := store.Key{PK: parts[1], SK: parts[2]}, parts[3]
	if checkKey(k) != nil || q.Index == store.ByPartition && k.PK != q.Value {
		return nil, bad
	}
	start := keyAttributes(k)
	start[p.value] = text(q.Value)
	switch q.Index {
	case store.ByList:
		if sort == "" {
			return nil, bad
		}
		start[attrListSort] = text(sort)
	case store.ByDue:
		at, err := instant(sort)
		if err != nil {
			return nil, bad
		}
		start[attrDueAt] = number(at)
	}
	return start, nil
}
