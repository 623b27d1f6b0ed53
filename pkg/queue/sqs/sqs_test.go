package sqs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	awstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/queue/sqs"
)

// fake is SQS as far as a test sets its functions; a call of one that is not set panics.
type fake struct {
	sqs.Client
	find    func() (*awssqs.GetQueueUrlOutput, error)
	one     func(*awssqs.SendMessageInput) error
	batch   func(*awssqs.SendMessageBatchInput) (*awssqs.SendMessageBatchOutput, error)
	receive func(context.Context, *awssqs.ReceiveMessageInput) ([]awstypes.Message, error)
	remove  func(*awssqs.DeleteMessageBatchInput) (*awssqs.DeleteMessageBatchOutput, error)
	putOff  func(*awssqs.ChangeMessageVisibilityBatchInput) (*awssqs.ChangeMessageVisibilityBatchOutput, error)
}

func (f fake) GetQueueUrl(context.Context, *awssqs.GetQueueUrlInput, ...func(*awssqs.Options)) (*awssqs.GetQueueUrlOutput, error) {
	if f.find == nil {
		return &awssqs.GetQueueUrlOutput{QueueUrl: aws.String("there")}, nil
	}
	return f.find()
}

func (f fake) SendMessage(_ context.Context, in *awssqs.SendMessageInput, _ ...func(*awssqs.Options)) (*awssqs.SendMessageOutput, error) {
	return &awssqs.SendMessageOutput{}, f.one(in)
}

func (f fake) SendMessageBatch(_ context.Context, in *awssqs.SendMessageBatchInput, _ ...func(*awssqs.Options)) (*awssqs.SendMessageBatchOutput, error) {
	return f.batch(in)
}

func (f fake) ReceiveMessage(ctx context.Context, in *awssqs.ReceiveMessageInput, _ ...func(*awssqs.Options)) (*awssqs.ReceiveMessageOutput, error) {
	messages, err := f.receive(ctx, in)
	return &awssqs.ReceiveMessageOutput{Messages: messages}, err
}

func (f fake) DeleteMessageBatch(_ context.Context, in *awssqs.DeleteMessageBatchInput, _ ...func(*awssqs.Options)) (*awssqs.DeleteMessageBatchOutput, error) {
	return f.remove(in)
}

func (f fake) ChangeMessageVisibilityBatch(_ context.Context, in *awssqs.ChangeMessageVisibilityBatchInput, _ ...func(*awssqs.Options)) (*awssqs.ChangeMessageVisibilityBatchOutput, error) {
	return f.putOff(in)
}

// keepAll is an SQS that keeps every entry.
func keepAll(in *awssqs.SendMessageBatchInput) (*awssqs.SendMessageBatchOutput, error) {
	out := &awssqs.SendMessageBatchOutput{}
	for _, e := range in.Entries {
		out.Successful = append(out.Successful, awstypes.SendMessageBatchResultEntry{Id: e.Id})
	}
	return out, nil
}

func TestRequestsFitTheLimits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(1, 40), rapid.IntRange(queue.MaxBody-40, queue.MaxBody+1)), 0, 60).Draw(t, "sizes")
		items := make([]queue.Item, len(sizes))
		want := map[string]int{}
		for i, size := range sizes {
			items[i].Body = bytes.Repeat([]byte{byte('A' + i)}, size)
			if size <= queue.MaxBody {
				want[string(items[i].Body[:1])] = size
			}
		}
		var mu sync.Mutex
		got := map[string]int{}
		keep := func(body string) {
			mu.Lock()
			defer mu.Unlock()
			got[body[:1]] += len(body)
		}
		q := sqs.Open(fake{
			one: func(in *awssqs.SendMessageInput) error { keep(*in.MessageBody); return nil },
			batch: func(in *awssqs.SendMessageBatchInput) (*awssqs.SendMessageBatchOutput, error) {
				total, ids := 0, map[string]bool{}
				for _, e := range in.Entries {
					keep(*e.MessageBody)
					total += len(*e.MessageBody)
					ids[*e.Id] = true
				}
				if n := len(in.Entries); n < 2 || n > 10 || total > 1<<20 || len(ids) != n {
					t.Errorf("a request of %d entries, %d IDs, %d bytes", n, len(ids), total)
				}
				return keepAll(in)
			},
		}, sqs.Options{Stack: "s"})
		var failed *queue.SendError
		if err := q.Send(context.Background(), "sms-urgent", items...); err != nil && !errors.As(err, &failed) {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
	})
}

func TestEveryItemThatWasNotKeptIsNamed(t *testing.T) {
	t.Parallel()
	throttled := errors.New("throttled")
	q := sqs.Open(fake{
		batch: func(in *awssqs.SendMessageBatchInput) (*awssqs.SendMessageBatchOutput, error) {
			if *in.Entries[0].MessageBody == "10" { // the second request
				return nil, throttled
			}
			out, _ := keepAll(in)
			out.Successful = out.Successful[2:] // the first is refused, of the second nothing is said
			out.Failed = []awstypes.BatchResultErrorEntry{{Id: in.Entries[0].Id, Code: aws.String("InternalError")}, {Id: aws.String("999")}, {}}
			return out, nil
		},
		one: func(*awssqs.SendMessageInput) error { return nil },
	}, sqs.Options{Stack: "s"})
	items := make([]queue.Item, 21)
	for i := range items {
		items[i].Body = fmt.Append(nil, i)
	}
	var failed *queue.SendError
	if err := q.Send(t.Context(), "sms-urgent", items...); !errors.As(err, &failed) {
		t.Fatalf("Send: %v", err)
	}
	got := map[int]string{}
	for i, err := range failed.Failed {
		got[i] = err.Error()
	}
	want := map[int]string{0: "SQS refused it: InternalError", 1: "SQS did not say that it kept the item"}
	for i := 10; i < 20; i++ {
		want[i] = "throttled"
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
}

func TestNothingWasKept(t *testing.T) {
	t.Parallel()
	fault := errors.New("no connection")
	down := fake{
		one:   func(*awssqs.SendMessageInput) error { return fault },
		batch: func(*awssqs.SendMessageBatchInput) (*awssqs.SendMessageBatchOutput, error) { return nil, fault },
	}
	lost := fake{find: func() (*awssqs.GetQueueUrlOutput, error) { return nil, fault }}
	item := queue.Item{Body: []byte("x")}
	for name, c := range map[string]struct {
		client fake
		items  []queue.Item
	}{
		"one":      {down, []queue.Item{item}},
		"many":     {down, []queue.Item{item, item, item, item, item, item, item, item, item, item, item, item}},
		"and some": {down, []queue.Item{item, {}}},
		"unknown":  {lost, []queue.Item{item}},
	} {
		err := sqs.Open(c.client, sqs.Options{Stack: "s"}).Send(t.Context(), "sms-urgent", c.items...)
		var partial *queue.SendError
		if !errors.Is(err, fault) || errors.As(err, &partial) {
			t.Errorf("%s: %v, want %v", name, err, fault)
		}
	}
}

func TestQueuesAreLookedUpOnce(t *testing.T) {
	t.Parallel()
	asked, sent := 0, ""
	client := fake{
		find: func() (*awssqs.GetQueueUrlOutput, error) {
			asked++
			return &awssqs.GetQueueUrlOutput{QueueUrl: aws.String("there")}, nil
		},
		one: func(in *awssqs.SendMessageInput) error { sent = *in.QueueUrl; return nil },
	}
	q := sqs.Open(client, sqs.Options{Stack: "s"})
	for range 3 {
		if err := q.Send(t.Context(), "sms-urgent", queue.Item{Body: []byte("x")}); err != nil || sent != "there" {
			t.Errorf("sent to %q: %v", sent, err)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	q = sqs.Open(client, sqs.Options{URL: sqs.URLs("cn-north-1", "123456789012", "prod")})
	if err := q.Send(t.Context(), "sms-urgent", queue.Item{Body: []byte("x")}); err != nil || sent != "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/prod-sms-urgent" {
		t.Errorf("sent to %q: %v", sent, err)
	}
	if got := sqs.URLs("eu-west-1", "1", "p")("x"); got != "https://sqs.eu-west-1.amazonaws.com/1/p-x" || asked != 1 {
		t.Errorf("%s, asked %d times", got, asked)
	}
}

// messages are what a receive brings: an ID, and how often it came.
func messages(receives map[string]string) (out []awstypes.Message) {
	for id, n := range receives {
		out = append(out, awstypes.Message{
			MessageId: aws.String(id), ReceiptHandle: aws.String("receipt of " + id), Body: aws.String("body of " + id),
			Attributes: map[string]string{"ApproximateReceiveCount": n},
		})
	}
	return out
}

// once is a receive that brings messages the first time and then waits, as a long poll does.
func once(m []awstypes.Message) func(context.Context, *awssqs.ReceiveMessageInput) ([]awstypes.Message, error) {
	return func(ctx context.Context, _ *awssqs.ReceiveMessageInput) ([]awstypes.Message, error) {
		if got := m; got != nil {
			m = nil
			return got, nil
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}
}

func TestSettling(t *testing.T) {
	t.Parallel()
	came := map[string]string{"a": "1", "b": "2", "c": "9", "d": "40", "e": "none"}
	for name, c := range map[string]struct {
		handle func([]queue.Item) []string
		want   map[string]int32 // seconds until an item comes again; -1: deleted
	}{
		"all done":           {func([]queue.Item) []string { return []string{} }, map[string]int32{"a": -1, "b": -1, "c": -1, "d": -1, "e": -1}},
		"some again":         {func([]queue.Item) []string { return []string{"b", "d"} }, map[string]int32{"a": -1, "b": 2, "c": -1, "d": 90, "e": -1}},
		"named twice":        {func([]queue.Item) []string { return []string{"b", "b"} }, map[string]int32{"a": -1, "b": 2, "c": -1, "d": -1, "e": -1}},
		"an unknown ID":      {func([]queue.Item) []string { return []string{"b", "z"} }, map[string]int32{"a": 1, "b": 2, "c": 90, "d": 90, "e": 1}},
		"an empty ID":        {func([]queue.Item) []string { return []string{""} }, map[string]int32{"a": 1, "b": 2, "c": 90, "d": 90, "e": 1}},
		"a panic":            {func([]queue.Item) []string { panic("secret") }, map[string]int32{"a": 1, "b": 2, "c": 90, "d": 90, "e": 1}},
		"an index too large": {func(b []queue.Item) []string { return []string{b[len(b)].ID} }, map[string]int32{"a": 1, "b": 2, "c": 90, "d": 90, "e": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				got := map[string]int32{}
				var log bytes.Buffer
				settle := func(receipt *string, wait int32) { got[strings.TrimPrefix(*receipt, "receipt of ")] = wait }
				q := sqs.Open(fake{
					receive: once(messages(came)),
					remove: func(in *awssqs.DeleteMessageBatchInput) (*awssqs.DeleteMessageBatchOutput, error) {
						for _, e := range in.Entries {
							settle(e.ReceiptHandle, -1)
						}
						return &awssqs.DeleteMessageBatchOutput{}, nil
					},
					putOff: func(in *awssqs.ChangeMessageVisibilityBatchInput) (*awssqs.ChangeMessageVisibilityBatchOutput, error) {
						for _, e := range in.Entries {
							settle(e.ReceiptHandle, e.VisibilityTimeout)
						}
						return &awssqs.ChangeMessageVisibilityBatchOutput{}, nil
					},
				}, sqs.Options{Stack: "s", Log: slog.New(slog.NewTextHandler(&log, nil))})
				stop := consume(t, q, "sms-urgent", queue.Consumer{Visibility: 90 * time.Second, Handler: queue.HandlerFunc(
					func(_ context.Context, b []queue.Item) []string { return c.handle(b) })})
				synctest.Wait()
				stop()
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if strings.Contains(log.String(), "secret") {
					t.Errorf("the log shows what a handler worked on: %s", log.String())
				}
			})
		})
	}
}

// What SQS does not settle is told, and the consumer goes on.
func TestTroubles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fault := errors.New("trouble")
		var log bytes.Buffer
		var at []time.Duration
		start := time.Now()
		handled := 0
		one := []awstypes.BatchResultErrorEntry{{Code: aws.String("ReceiptHandleIsInvalid"), Message: aws.String("expired")}}
		q := sqs.Open(fake{
			receive: func(ctx context.Context, _ *awssqs.ReceiveMessageInput) ([]awstypes.Message, error) {
				at = append(at, time.Since(start))
				switch n := len(at); {
				case n <= 7:
					return nil, fault
				case n <= 9:
					return messages(map[string]string{"a": "1", "b": "1"}), nil
				case n == 10:
					return nil, fault
				}
				<-ctx.Done()
				return nil, ctx.Err()
			},
			remove: func(*awssqs.DeleteMessageBatchInput) (*awssqs.DeleteMessageBatchOutput, error) {
				if handled == 1 {
					return nil, fault
				}
				return &awssqs.DeleteMessageBatchOutput{Failed: one}, nil
			},
			putOff: func(*awssqs.ChangeMessageVisibilityBatchInput) (*awssqs.ChangeMessageVisibilityBatchOutput, error) {
				if handled == 1 {
					return nil, fault
				}
				return &awssqs.ChangeMessageVisibilityBatchOutput{Failed: one}, nil
			},
		}, sqs.Options{Stack: "s", Log: slog.New(slog.NewTextHandler(&log, nil))})
		stop := consume(t, q, "sms-urgent", queue.Consumer{Handler: queue.HandlerFunc(func(context.Context, []queue.Item) []string {
			handled++
			return []string{"a"}
		})})
		time.Sleep(5 * time.Minute) // of the bubble
		stop()
		var seconds []int
		for _, d := range at {
			seconds = append(seconds, int(d/time.Second))
		}
		if diff := cmp.Diff([]int{0, 1, 3, 7, 15, 31, 61, 91, 91, 91, 92}, seconds); diff != "" {
			t.Errorf("received at (-want +got):\n%s", diff)
		}
		if n := strings.Count(log.String(), "level=WARN"); n != 12 || strings.Count(log.String(), "ReceiptHandleIsInvalid") != 2 {
			t.Errorf("%d warnings:\n%s", n, log.String())
		}
	})
}

func TestAHandlerThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := false
		q := sqs.Open(fake{
			receive: once(messages(map[string]string{"a": "1"})),
			remove: func(*awssqs.DeleteMessageBatchInput) (*awssqs.DeleteMessageBatchOutput, error) {
				return nil, context.Canceled
			},
		}, sqs.Options{Stack: "s"})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := q.Consume(ctx, "sms-urgent", queue.Consumer{Grace: time.Minute, Handler: queue.HandlerFunc(func(ctx context.Context, _ []queue.Item) []string {
			<-ctx.Done()
			ended = true
			return nil
		})})
		synctest.Wait()
		if err == nil || !ended {
			t.Errorf("Consume: %v; the handler's context ended: %v", err, ended)
		}
	})
	q := sqs.Open(fake{find: func() (*awssqs.GetQueueUrlOutput, error) { return nil, &awstypes.QueueDoesNotExist{} }}, sqs.Options{Stack: "s"})
	var missing *awstypes.QueueDoesNotExist
	if err := q.Consume(t.Context(), "sms-urgent", queue.Consumer{}); !errors.As(err, &missing) {
		t.Errorf("Consume of what does not exist: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Consume(ctx, "sms-urgent", queue.Consumer{}); err != nil {
		t.Errorf("Consume after the end: %v", err)
	}
}
