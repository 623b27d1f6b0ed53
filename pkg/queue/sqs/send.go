package sqs

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/opennotify/notify/pkg/queue"
)

// What one request may carry.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
const (
	maxEntries = 10
	maxBytes   = 1 << 20
)

// sendsAtOnce bounds the requests of one Send that are on their way at the same time.
const sendsAtOnce = 8

// errNoAnswer: SQS said neither that it kept an entry nor that it refused it.
var errNoAnswer = errors.New("SQS did not say that it kept the item")

// Send puts items into a queue, ten to a request, several requests side by side. An item whose request
// failed is named as refused too, though it may have been kept; when every request failed, the error is that
// of one of them.
func (q *Queue) Send(ctx context.Context, to queue.Name, items ...queue.Item) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("queue: send to %s: %w", to, err)
	}
	failed := map[int]error{}
	var good []int
	for i := range items {
		if err := items[i].Check(); err != nil {
			failed[i] = err
		} else {
			good = append(good, i)
		}
	}
	if len(good) > 0 {
		url, err := q.url(ctx, to)
		if err == nil {
			err = q.sendAll(ctx, url, items, good, failed)
		}
		if err != nil {
			return fmt.Errorf("queue: send to %s: %w", to, err)
		}
	}
	if len(failed) > 0 {
		return &queue.SendError{Failed: failed}
	}
	return nil
}

// sendAll sends the items with the indexes in good and writes those that were not kept into failed. Its
// error says that no request succeeded.
func (q *Queue) sendAll(ctx context.Context, url string, items []queue.Item, good []int, failed map[int]error) error {
	var (
		sending sync.WaitGroup
		mu      sync.Mutex
		errs    []error
		slots   = make(chan struct{}, sendsAtOnce)
		all     = batches(items, good)
	)
	for _, batch := range all {
		slots <- struct{}{}
		sending.Go(func() {
			defer func() { <-slots }()
			refused, err := q.sendBatch(ctx, url, items, batch)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, err)
				for _, i := range batch {
					failed[i] = err
				}
			}
			for i, reason := range refused {
				failed[i] = reason
			}
		})
	}
	sending.Wait()
	if len(errs) == len(all) {
		return errs[0]
	}
	return nil
}

// batches cuts indexes into runs that fit a request each.
func batches(items []queue.Item, indexes []int) (out [][]int) {
	start, size := 0, 0
	for n, i := range indexes {
		body := len(items[i].Body)
		if n-start == maxEntries || size+body > maxBytes {
			out = append(out, indexes[start:n])
			start, size = n, 0
		}
		size += body
	}
	return append(out, indexes[start:])
}

func (q *Queue) sendBatch(ctx context.Context, url string, items []queue.Item, batch []int) (refused map[int]error, err error) {
	if len(batch) == 1 {
		it := &items[batch[0]]
		_, err := q.client.SendMessage(ctx, &sqs.SendMessageInput{
			QueueUrl: &url, MessageBody: aws.String(string(it.Body)), MessageGroupId: group(it), DelaySeconds: seconds(it.Delay),
		})
		return nil, err
	}
	in := &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: make([]types.SendMessageBatchRequestEntry, len(batch))}
	for n, i := range batch {
		it := &items[i]
		in.Entries[n] = types.SendMessageBatchRequestEntry{
			Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(string(it.Body)), MessageGroupId: group(it), DelaySeconds: seconds(it.Delay),
		}
	}
	out, err := q.client.SendMessageBatch(ctx, in)
	if err != nil {
		return nil, err
	}
	refused = make(map[int]error, len(batch))
	for _, i := range batch {
		refused[i] = errNoAnswer
	}
	for _, f := range out.Failed {
		if i, err := strconv.Atoi(aws.ToString(f.Id)); err == nil && refused[i] != nil {
			refused[i] = fmt.Errorf("SQS refused it: %s", aws.ToString(f.Code)) // the message may quote the body
		}
	}
	for _, kept := range out.Successful {
		if i, err := strconv.Atoi(aws.ToString(kept.Id)); err == nil {
			delete(refused, i)
		}
	}
	return refused, nil
}

// group is absent, not empty, for an item of nobody: SQS refuses "".
func group(it *queue.Item) *string {
	if it.Group == "" {
		return nil
	}
	return &it.Group
}

// seconds rounds up, so that nothing comes early.
func seconds(d time.Duration) int32 { return int32((d + time.Second - 1) / time.Second) }
