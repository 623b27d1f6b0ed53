package onlambda

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-lambda-go/events"
)

// Either is a function that both API Gateway and queues call: a batch of records goes to the one handler,
// everything else to the other.
func Either(http func(context.Context, json.RawMessage) (any, error), sqs func(context.Context, json.RawMessage) (events.SQSEventResponse, error)) func(context.Context, json.RawMessage) (any, error) {
	return func(ctx context.Context, payload json.RawMessage) (any, error) {
		var e struct{ Records json.RawMessage }
		if json.Unmarshal(payload, &e) == nil && e.Records != nil {
			return sqs(ctx, payload)
		}
		return http(ctx, payload)
	}
}
