package sqs

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/opennotify/notify/pkg/queue"
)

// longestPoll is how long SQS may wait for an item before it answers.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
const longestPoll = 20 * time.Second

// Waits after a receive that failed.
const (
	firstPause   = time.Second
	longestPause = 30 * time.Second
)

// Consume implements [queue.Source]. What was received at the very end comes back after the visibility too.
func (q *Queue) Consume(ctx context.Context, name queue.Name, c queue.Consumer) error {
	c.Fill()
	url, err := q.url(ctx, name)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("queue: consume %s: %w", name, err)
	}
	return c.Work(ctx, name, func(inner context.Context) {
		w := worker{Consumer: &c, queue: q, name: name, url: url}
		w.work(ctx, inner)
	}, func() {})
}

// worker is one goroutine of a consumer.
type worker struct {
	*queue.Consumer
	queue *Queue
	name  queue.Name
	url   string
}

// work receives until ctx ends; what it handles and settles then may go on until inner ends.
func (w *worker) work(ctx, inner context.Context) {
	for pause := firstPause; ctx.Err() == nil; {
		got, err := w.receive(ctx)
		if err == nil {
			pause = firstPause
			if len(got) > 0 {
				w.settle(inner, got, w.handle(inner, got))
			}
			continue
		}
		if ctx.Err() != nil {
			return
		}
		w.queue.opts.Log.Warn("queue: could not receive; it is tried again",
			"queue", w.name, "wait", pause.String(), "error", err)
		wait := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-wait.C:
		}
		wait.Stop()
		pause = min(2*pause, longestPause)
	}
}

// received is an item and what SQS wants to hear of it.
type received struct {
	item    queue.Item
	receipt *string
}

func (w *worker) receive(ctx context.Context) ([]received, error) {
	out, err := w.queue.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:            &w.url,
		MaxNumberOfMessages: int32(min(w.Batch, maxEntries)),
		WaitTimeSeconds:     int32(longestPoll / time.Second),
		VisibilityTimeout:   seconds(w.Visibility),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameApproximateReceiveCount, types.MessageSystemAttributeNameMessageGroupId,
		},
	})
	if err != nil {
		return nil, err
	}
	got := make([]received, len(out.Messages))
	for i, m := range out.Messages {
		n, err := strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
		if err != nil {
			n = 1
		}
		got[i] = received{
			item: queue.Item{
				ID: aws.ToString(m.MessageId), Body: []byte(aws.ToString(m.Body)), Receives: n,
				Group: m.Attributes[string(types.MessageSystemAttributeNameMessageGroupId)],
			},
			receipt: m.ReceiptHandle,
		}
	}
	return got, nil
}

// handle calls the handler and tells which items must come again, by index.
func (w *worker) handle(ctx context.Context, got []received) (again []bool) {
	batch := make([]queue.Item, len(got))
	for i := range got {
		batch[i] = got[i].item
	}
	again = make([]bool, len(got))
	ids, ok := w.Call(ctx, w.queue.opts.Log, w.name, batch)
	for _, id := range ids {
		known := false
		for i := range got {
			if got[i].item.ID == id {
				again[i], known = true, true
			}
		}
		ok = ok && known
	}
	if !ok {
		for i := range again {
			again[i] = true
		}
	}
	return again
}

// settle deletes what was done and puts off the rest. What SQS does not take of that comes back after the
// visibility: late, or once more.
func (w *worker) settle(ctx context.Context, got []received, again []bool) {
	var (
		done   []types.DeleteMessageBatchRequestEntry
		putOff []types.ChangeMessageVisibilityBatchRequestEntry
	)
	for i, r := range got {
		id := aws.String(strconv.Itoa(i))
		if again[i] {
			wait := seconds(w.backoff(r.item.Receives))
			putOff = append(putOff, types.ChangeMessageVisibilityBatchRequestEntry{Id: id, ReceiptHandle: r.receipt, VisibilityTimeout: wait})
		} else {
			done = append(done, types.DeleteMessageBatchRequestEntry{Id: id, ReceiptHandle: r.receipt})
		}
	}
	if len(done) > 0 {
		out, err := w.queue.client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &w.url, Entries: done})
		if err != nil {
			w.logUnsettled("could not delete items that are done; they come again", len(done), err)
		} else if len(out.Failed) > 0 {
			w.logUnsettled("could not delete items that are done; they come again", len(out.Failed), reason(out.Failed))
		}
	}
	if len(putOff) > 0 {
		out, err := w.queue.client.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &w.url, Entries: putOff})
		if err != nil {
			w.logUnsettled("could not bring items back early; they come after the visibility", len(putOff), err)
		} else if len(out.Failed) > 0 {
			w.logUnsettled("could not bring items back early; they come after the visibility", len(out.Failed), reason(out.Failed))
		}
	}
}

func reason(failed []types.BatchResultErrorEntry) error {
	return fmt.Errorf("%s: %s", aws.ToString(failed[0].Code), aws.ToString(failed[0].Message))
}

func (w *worker) logUnsettled(what string, items int, err error) {
	w.queue.opts.Log.Warn("queue: "+what, "queue", w.name, "items", items, "error", err)
}

// backoff is how long an item waits after it was handed out so often: up to a limit that doubles each
// time, spread over all of it.
func (w *worker) backoff(receives int) time.Duration {
	limit := w.Visibility
	if shift, first := max(receives-1, 0), w.queue.opts.Backoff; shift < 16 && first<<shift < limit {
		limit = first << shift
	}
	return time.Duration(w.queue.opts.Rand() * float64(limit)).Truncate(time.Second)
}
