package dynamo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/opennotify/notify/pkg/store"
)

// fault names an error of the SDK in the words of package store. A caller that has given up gets its own
// error.
func (db *DB) fault(ctx context.Context, operation string, err error) error {
	if gone := ctx.Err(); gone != nil {
		return gone
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return fmt.Errorf("dynamo: %s: %w", operation, err)
	}
	if _, throttled := retry.DefaultThrottleErrorCodes[api.ErrorCode()]; throttled {
		return db.throttled(ctx, operation, api.ErrorCode(), reasonsOf(err))
	}
	// What counters have grown to is known to DynamoDB only, and it has no code of its own for it.
	if api.ErrorCode() == "ValidationException" && strings.Contains(api.ErrorMessage(), "Item size") {
		return fmt.Errorf("dynamo: %s: %w: %w", operation, store.ErrTooLarge, err)
	}
	return fmt.Errorf("dynamo: %s: %w", operation, err)
}

// throttled logs which limit was met and returns a [store.ErrThrottled].
func (db *DB) throttled(ctx context.Context, operation, code string, reasons []types.ThrottlingReason) error {
	limit := limitOf(reasons)
	told := make([]string, len(reasons))
	for i, r := range reasons {
		told[i] = aws.ToString(r.Reason) + " of " + aws.ToString(r.Resource)
	}
	db.opts.Log.WarnContext(ctx, "dynamodb throttled", slog.String("operation", operation), slog.String("code", code),
		slog.String("limit", limit), slog.String("reasons", strings.Join(told, "; ")))
	return fmt.Errorf("dynamo: %s: %w: %s (%s)", operation, store.ErrThrottled, limit, code)
}

func reasonsOf(err error) []types.ThrottlingReason {
	var (
		table    *types.ProvisionedThroughputExceededException
		account  *types.RequestLimitExceeded
		throttle *types.ThrottlingException
	)
	switch {
	case errors.As(err, &table):
		return table.ThrottlingReasons
	case errors.As(err, &account):
		return account.ThrottlingReasons
	case errors.As(err, &throttle):
		return throttle.ThrottlingReasons
	}
	return nil
}

// limitOf tells what an operator must know: a hot key is a matter of how keys are spread, and no setting
// helps; the other limits are settings of the table or quotas of the account. A reason is composed of
// resource, operation and limit: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ThrottlingReason.html
func limitOf(reasons []types.ThrottlingReason) string {
	limit := "unknown"
	for _, r := range reasons {
		switch reason := aws.ToString(r.Reason); {
		case strings.HasSuffix(reason, "KeyRangeThroughputExceeded"):
			return "hot key"
		case strings.HasSuffix(reason, "AccountLimitExceeded"):
			limit = "account"
		case strings.HasSuffix(reason, "ThroughputExceeded"):
			limit = "table"
		}
	}
	return limit
}
