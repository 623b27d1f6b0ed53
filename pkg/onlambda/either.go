package onlambda

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/aws/aws-lambda-go/events"
)

// Either is a function that both API Gateway and queues call: a batch of records goes to the one handler,
// everything else to the other.
func Either(http func(context.Context, json.RawMessage) (any, error), sqs func(context.Context, json.RawMessage) (events.SQSEventResponse, error)) func(context.Context, json.RawMessage) (any, error) {
	return func(ctx context.Context, payload json.RawMessage) (any, error) {
		if bytes.Contains(payload[:min(len(payload), 64)], []byte(`"Records"`)) {
			return sqs(ctx, payload)
		}
		return http(ctx, payload)
	}
}
