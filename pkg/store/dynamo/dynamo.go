package dynamo

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/opennotify/notify/pkg/store"
)

// Options fit a driver to its table.
type Options struct {
	// Table is the table's name or ARN; [Definition] tells how it is made.
	Table string
	// Log is told why DynamoDB throttled; nil discards.
	Log *slog.Logger
	// Random marks conditional puts; nil is crypto/rand's.
	Random io.Reader
	// Consumed, if there is one, is told what each call that succeeded has cost, by the table and its
	// indexes. It may be called by several goroutines at a time. It makes answers larger.
	Consumed func(operation string, cost types.ConsumedCapacity)
}

// DB is an open table. It implements [store.Driver].
type DB struct {
	client *dynamodb.Client
	opts   Options
	table  *string
	report types.ReturnConsumedCapacity
	wait   retry.BackoffDelayer
	retry  func(*dynamodb.Options)
	closed atomic.Bool
}

var _ store.Driver = (*DB)(nil)

const (
	// maxAttempts of one call. More would outlast a Lambda's patience: the callers try again too.
	maxAttempts = 3
	// maxBeside is how many calls of one Write, Add or Get are under way at a time. The client's HTTP
	// transport should keep as many idle connections to one host (the SDK's default is 10).
	maxBeside = 32
)

// Open uses the table through the client; it makes no call. Retries are the driver's own: the client's
// settings for them do not count.
func Open(client *dynamodb.Client, opts Options) *DB {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Random == nil {
		opts.Random = rand.Reader
	}
	db := &DB{client: client, opts: opts, table: aws.String(opts.Table), report: types.ReturnConsumedCapacityNone}
	if opts.Consumed != nil {
		db.report = types.ReturnConsumedCapacityIndexes
	}
	// The SDK begins with up to two seconds. DynamoDB answers in milliseconds, and its other SDKs begin
	// with 50 ms: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
	slow := retry.NewExponentialJitterBackoff(retry.DefaultMaxBackoff)
	db.wait = retry.BackoffDelayerFunc(func(attempt int, err error) (time.Duration, error) {
		d, err := slow.BackoffDelay(attempt, err)
		return d / 40, err
	})
	retryer := retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.Backoff = db.wait
	})
	db.retry = func(o *dynamodb.Options) { o.Retryer, o.RetryMaxAttempts = retryer, maxAttempts }
	return db
}

// Close makes later calls of the other methods return [store.ErrClosed]. Calls under way go on.
func (db *DB) Close() error {
	db.closed.Store(true)
	return nil
}

// begin is what every method does first.
func (db *DB) begin(ctx context.Context) error {
	if db.closed.Load() {
		return store.ErrClosed
	}
	return ctx.Err()
}

// consumed reports what a call has cost.
func (db *DB) consumed(operation string, costs ...types.ConsumedCapacity) {
	if db.opts.Consumed == nil {
		return
	}
	for _, c := range costs {
		db.opts.Consumed(operation, c)
	}
}

// each runs do for 0 to n-1, at most maxBeside at a time; a single one in this goroutine. After the first
// error it begins no other one, and returns that error when all that were begun have ended.
func each(n int, do func(i int) error) error {
	if n == 1 {
		return do(0)
	}
	var (
		wg     sync.WaitGroup
		next   atomic.Int64
		failed atomic.Bool
		once   sync.Once
		first  error
	)
	for range min(n, maxBeside) {
		wg.Go(func() {
			for !failed.Load() {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(i); err != nil {
					once.Do(func() { first = err })
					failed.Store(true)
				}
			}
		})
	}
	wg.Wait()
	return first
}
