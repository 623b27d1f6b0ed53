package dynamo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/dynamo"
)

// Each of DynamoDB's ways to throttle is ErrThrottled after three attempts, and the log tells which limit
// was met.
func TestThrottled(t *testing.T) {
	t.Parallel()
	for code, tt := range map[string]struct{ reasons, limit string }{
		"ProvisionedThroughputExceededException": {`{"reason":"TableWriteAccountLimitExceeded","resource":"arn:t"},{"reason":"IndexWriteKeyRangeThroughputExceeded","resource":"arn:t/index/due"}`, "hot key"},
		"RequestLimitExceeded":                   {`{"reason":"TableWriteAccountLimitExceeded","resource":"arn:t"}`, "account"},
		"ThrottlingException":                    {`{"reason":"TableReadMaxOnDemandThroughputExceeded","resource":"arn:t"}`, "table"},
		"Throttling":                             {"", "unknown"},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				wire := answering(func(string, string) (int, string) {
					// The list is spelt in two ways, by exception.
					return 400, fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"slow down","Message":"slow down","ThrottlingReasons":[%s],"throttlingReasons":[%s]}`, code, tt.reasons, tt.reasons)
				})
				db := dynamo.Open(wire.client, dynamo.Options{Table: "t", Log: slog.New(slog.NewJSONHandler(&log, nil))})
				for name, call := range calls(db) {
					if err := call(t.Context()); !errors.Is(err, store.ErrThrottled) || !strings.Contains(err.Error(), tt.limit) {
						t.Errorf("%s: %v", name, err)
					}
				}
				if n := wire.calls.Load(); n != 6*3 {
					t.Errorf("%d calls", n)
				}
				if n := strings.Count(log.String(), `"limit":"`+tt.limit+`"`); n != 6 {
					t.Errorf("the log tells the limit %d times:\n%s", n, &log)
				}
				if tt.reasons != "" && !strings.Contains(log.String(), " of arn:t") {
					t.Errorf("the log does not tell the resource:\n%s", &log)
				}
			})
		})
	}
}

// calls are all that may fail.
func calls(db *dynamo.DB) map[string]func(context.Context) error {
	k := store.Key{PK: "p", SK: "s"}
	put := store.Op{Item: store.Item{Key: k, Rev: 1}}
	return map[string]func(context.Context) error{
		"get":   func(ctx context.Context) error { _, err := db.Get(ctx, k); return err },
		"batch": func(ctx context.Context) error { _, err := db.Get(ctx, k, store.Key{PK: "p", SK: "t"}); return err },
		"put":   func(ctx context.Context) error { _, err := db.Write(ctx, now, []store.Op{put, put}); return err },
		"delete": func(ctx context.Context) error {
			_, err := db.Write(ctx, now, []store.Op{{Item: store.Item{Key: k}, Delete: true}})
			return err
		},
		"query": func(ctx context.Context) error {
			_, err := db.Query(ctx, store.Query{Value: "p", Limit: 1})
			return err
		},
		"add": func(ctx context.Context) error {
			_, err := db.Add(ctx, store.Delta{Key: k, Field: "n", N: 1})
			return err
		},
	}
}

// A fault of another kind is neither throttling nor the caller's.
func TestOtherFaults(t *testing.T) {
	t.Parallel()
	for code, status := range map[string]int{"ResourceNotFoundException": 400, "InternalServerError": 500, "AccessDeniedException": 400} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				wire := answering(func(string, string) (int, string) {
					return status, `{"__type":"com.amazonaws.dynamodb.v20120810#` + code + `","message":"no"}`
				})
				for name, call := range calls(dynamo.Open(wire.client, dynamo.Options{Table: "t"})) {
					if err := call(t.Context()); err == nil || errors.Is(err, store.ErrThrottled) || errors.Is(err, store.ErrTooLarge) || !strings.Contains(err.Error(), code) {
						t.Errorf("%s: %v", name, err)
					}
				}
			})
		})
	}
}

// Keys that a batch leaves out are asked for again, at once if others came, and not for ever.
func TestUnprocessed(t *testing.T) {
	t.Parallel()
	const (
		a       = `{"pk":{"S":"p"},"sk":{"S":"a"},"v":{"N":"1"}}`
		b       = `{"pk":{"S":"p"},"sk":{"S":"b"},"v":{"N":"2"}}`
		onlyB   = `"UnprocessedKeys":{"t":{"Keys":[{"pk":{"S":"p"},"sk":{"S":"b"}}]}}`
		nothing = `{"Responses":{},"UnprocessedKeys":{"t":{"Keys":[{"pk":{"S":"p"},"sk":{"S":"a"}},{"pk":{"S":"p"},"sk":{"S":"b"}}]}}}`
	)
	for name, tt := range map[string]struct {
		answers []string // the last one repeats
		calls   int64
		err     error
	}{
		"at once":          {[]string{`{"Responses":{"t":[` + a + `,` + b + `]}}`}, 1, nil},
		"in two":           {[]string{`{"Responses":{"t":[` + a + `]},` + onlyB + `}`, `{"Responses":{"t":[` + b + `]}}`}, 2, nil},
		"after a wait":     {[]string{nothing, nothing, `{"Responses":{"t":[` + b + `,` + a + `]}}`}, 3, nil},
		"never":            {[]string{nothing}, 6, store.ErrThrottled},
		"one of two never": {[]string{`{"Responses":{"t":[` + a + `]},` + onlyB + `}`, `{"Responses":{},` + onlyB + `}`}, 7, store.ErrThrottled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				i := 0
				wire := answering(func(string, string) (int, string) {
					answer := tt.answers[min(i, len(tt.answers)-1)]
					i++
					return 200, answer
				})
				items, err := dynamo.Open(wire.client, dynamo.Options{Table: "t"}).Get(t.Context(), store.Key{PK: "p", SK: "a"}, store.Key{PK: "p", SK: "b"})
				if !errors.Is(err, tt.err) {
					t.Errorf("error is %v, want %v", err, tt.err)
				}
				if tt.err == nil && (err != nil || len(items) != 2 || items[0].Rev != 1 || items[1].Rev != 2) {
					t.Errorf("%v, %v", items, err)
				}
				if n := wire.calls.Load(); n != tt.calls {
					t.Errorf("%d calls, want %d", n, tt.calls)
				}
			})
		})
	}
}

// A caller who gives up between two attempts gets its own error, at once.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var giveUp context.CancelFunc
		wire := answering(func(operation, body string) (int, string) {
			giveUp()
			if operation == "BatchGetItem" {
				return 200, `{"UnprocessedKeys":{"t":{"Keys":[{"pk":{"S":"p"},"sk":{"S":"s"}},{"pk":{"S":"p"},"sk":{"S":"t"}}]}}}`
			}
			return 500, `{"__type":"InternalServerError"}`
		})
		for name, call := range calls(dynamo.Open(wire.client, dynamo.Options{Table: "t"})) {
			ctx, cancel := context.WithCancel(t.Context())
			giveUp = cancel
			before := wire.calls.Load()
			if err := call(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
			if n := wire.calls.Load() - before; n != 1 {
				t.Errorf("%s: %d calls", name, n)
			}
			cancel()
		}
	})
}

// After an error no other sequence is begun, and all that were begun have ended.
func TestStopsAtAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wire := answering(func(string, string) (int, string) {
			return 400, `{"__type":"AccessDeniedException","message":"no"}`
		})
		sequences := make([][]store.Op, 1000)
		for i := range sequences {
			sequences[i] = []store.Op{{Item: store.Item{Key: store.Key{PK: "p", SK: fmt.Sprint(i)}, Rev: 1}}}
		}
		r, err := dynamo.Open(wire.client, dynamo.Options{Table: "t"}).Write(t.Context(), now, sequences...)
		if err == nil || r != nil {
			t.Errorf("%d results, %v", len(r), err)
		}
		if n := wire.calls.Load(); n > 64 {
			t.Errorf("%d calls", n)
		}
	})
}

// FuzzCursor: whatever comes as a cursor, it is refused or used, and never leads out of the query's value.
func FuzzCursor(f *testing.F) {
	for _, s := range []string{"", "?", "MABwAHMA", "MQBwAHMAYQ", "MgBwAHMAMDAwMDAwMDAwMDAwMDE", "MwBwAHMA"} {
		for index := range uint8(5) {
			f.Add(index, "p", s)
		}
	}
	var asked string
	wire := answering(func(_, body string) (int, string) {
		asked = body
		return 200, `{"Items":[]}`
	})
	db := dynamo.Open(wire.client, dynamo.Options{Table: "t"})
	f.Fuzz(func(t *testing.T, index uint8, value, after string) {
		asked = ""
		if _, err := db.Query(t.Context(), store.Query{Index: store.Index(index), Value: value, Limit: 1, After: after}); err != nil {
			return
		}
		if after != "" && !strings.Contains(asked, "ExclusiveStartKey") {
			t.Errorf("cursor %q was ignored: %s", after, asked)
		}
	})
}
