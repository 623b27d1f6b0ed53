package sqs_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	awstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/opennotify/notify/deploy/emulators"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/queue/queuetest"
	"github.com/opennotify/notify/pkg/queue/sqs"
)

// Neither emulator serves groups in turns (Fair), and both count whole seconds from the wall clock (Early).
// MiniStack takes delays over 900 s; no test can see that, as Item.Check refuses them first.

func TestMiniStack(t *testing.T) {
	t.Parallel()
	suite(t, emulators.MiniStack, queuetest.Features{Items: 1000})
}

func TestLocalStack(t *testing.T) {
	t.Parallel()
	suite(t, emulators.LocalStack, queuetest.Features{Items: 300})
}

func suite(t *testing.T, name emulators.Name, f queuetest.Features) {
	client := awssqs.NewFromConfig(emulators.Need(t, name).AWS())
	f.Recovers, f.Early, f.Comeback, f.Patience = true, time.Second, 5*time.Second, 3*time.Minute
	queuetest.Run(t, func(t *testing.T) queuetest.Harness {
		stack := newStack(t, client)
		q := sqs.Open(client, sqs.Options{Stack: stack, Rand: func() float64 { return 0.05 }, Log: slog.New(slog.DiscardHandler)})
		return queuetest.Harness{
			Queue: q,
			Consume: func(name queue.Name, h queue.Handler) func() {
				// What a stopped consumer had just received comes back after the visibility.
				return consume(t, q, name, queue.Consumer{Workers: 3, Handler: h, Visibility: 45 * time.Second})
			},
		}
	}, f)
}

// newStack makes the suite's queues under a name that no other test has.
func newStack(t *testing.T, client *awssqs.Client) (stack string) {
	t.Helper()
	stack = "test-" + strings.ToLower(rand.Text()[:10])
	dlq := create(t, client, stack, queuetest.Lane.DLQ(), nil)
	create(t, client, stack, queuetest.Lane, map[string]string{
		"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, dlq, queue.MaxReceives),
	})
	return stack
}

func create(t *testing.T, client *awssqs.Client, stack string, name queue.Name, attributes map[string]string) (arn string) {
	t.Helper()
	made, err := client.CreateQueue(t.Context(), &awssqs.CreateQueueInput{
		QueueName: aws.String(stack + "-" + string(name)), Attributes: attributes,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := client.DeleteQueue(context.WithoutCancel(t.Context()), &awssqs.DeleteQueueInput{QueueUrl: made.QueueUrl})
		if err != nil {
			t.Logf("delete %s: %v", aws.ToString(made.QueueUrl), err)
		}
	})
	got, err := client.GetQueueAttributes(t.Context(), &awssqs.GetQueueAttributesInput{QueueUrl: made.QueueUrl, AttributeNames: []awstypes.QueueAttributeName{"QueueArn"}})
	if err != nil {
		t.Fatal(err)
	}
	return got.Attributes["QueueArn"]
}

// consume runs a consumer until stop is called.
func consume(t *testing.T, q *sqs.Queue, name queue.Name, c queue.Consumer) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := q.Consume(ctx, name, c); err != nil {
			t.Errorf("Consume: %v", err)
		}
	}()
	return func() { cancel(); <-done }
}
