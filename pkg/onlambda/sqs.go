package onlambda

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/opennotify/notify/pkg/queue"
)

// reserve is kept of an invocation's time for the answer: records that are not done by then come again.
const reserve = 1500 * time.Millisecond

// SQS makes a Lambda handler of a queue's handler. What has to come again is named in a partial batch
// response: an empty list when all is done, never null, and never an error for one record, which would
// bring the whole batch back
// (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).
func SQS(h queue.Handler, f Flusher, log *slog.Logger) func(ctx context.Context, payload json.RawMessage) (events.SQSEventResponse, error) {
	return func(ctx context.Context, payload json.RawMessage) (events.SQSEventResponse, error) {
		out := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
		var e events.SQSEvent
		if err := json.Unmarshal(payload, &e); err != nil {
			log.ErrorContext(ctx, "event unreadable", "request", requestID(ctx), "error", err)
			return out, fmt.Errorf("onlambda: no SQS event: %w", err)
		}
		batch := make([]queue.Item, 0, len(e.Records))
		for _, r := range e.Records {
			receives, err := strconv.Atoi(r.Attributes["ApproximateReceiveCount"])
			if err != nil {
				receives = 1
			}
			batch = append(batch, queue.Item{ID: r.MessageId, Body: []byte(r.Body), Group: r.Attributes["MessageGroupId"], Receives: receives})
		}
		if deadline, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, deadline.Add(-reserve))
			defer cancel()
		}
		for _, id := range handle(ctx, h, batch, log) {
			out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
		}
		if err := f.Flush(ctx); err != nil {
			log.ErrorContext(ctx, "metrics not written", "error", err) // no reason to send again
		}
		return out, nil
	}
}

// handle brings a batch back whose handler panicked: handlers catch what one item does, and have to bear a
// second time for the rest.
func handle(ctx context.Context, h queue.Handler, batch []queue.Item, log *slog.Logger) (again []string) {
	defer func() {
		if v := recover(); v != nil {
			log.ErrorContext(ctx, "panic in a handler; its batch comes again", "request", requestID(ctx), "panic", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
			again = again[:0]
			for _, it := range batch {
				again = append(again, it.ID)
			}
		}
	}()
	return h.Handle(ctx, batch)
}

// requestID is the invocation's, by which Lambda's own lines are found.
func requestID(ctx context.Context) string {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		return lc.AwsRequestID
	}
	return ""
}
