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

	"github.com/opennotify/notify/deploy/emulators"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/queue/queuetest"
	"github.com/opennotify/notify/pkg/queue/sqs"
	"github.com/opennotify/notify/pkg/store"
)

// AWS's own redrive of a dead-letter queue, with the lane as its destination: the copy of a dead message comes
// to a worker as it was written, and says that it means "try again".
func TestOwnRedrive(t *testing.T) {
	t.Parallel()
	client := awssqs.NewFromConfig(emulators.Need(t, emulators.LocalStack).AWS())
	stack := "test-" + strings.ToLower(rand.Text()[:10])
	dlq := create(t, client, stack, queuetest.Lane.DLQ(), nil)
	lane := create(t, client, stack, queuetest.Lane, map[string]string{
		"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, dlq, queue.MaxReceives),
	})
	q := sqs.Open(client, sqs.Options{Stack: stack, Rand: func() float64 { return 0.05 }, Log: slog.New(slog.DiscardHandler)})
	id := message.NewID(strings.Repeat("0", message.PartitionLen), message.ULIDFloor(1_767_225_600_000))
	if err := q.Send(t.Context(), queuetest.Lane.DLQ(), queue.Item{Body: store.DeadHint(&message.Message{ID: id, Epoch: 3}), Group: "shop"}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.StartMessageMoveTask(t.Context(), &awssqs.StartMessageMoveTaskInput{SourceArn: aws.String(dlq), DestinationArn: aws.String(lane)}); err != nil {
		t.Fatal(err)
	}
	got := make(chan queue.Item, 1)
	stop := consume(t, q, queuetest.Lane, queue.Consumer{Workers: 1, Visibility: 45 * time.Second, Handler: queue.HandlerFunc(func(_ context.Context, batch []queue.Item) []string {
		got <- batch[0]
		return []string{}
	})})
	defer stop()
	select {
	case it := <-got:
		if h, err := store.ReadHint(it.Body); err != nil || h.ID != id || h.Redrive != 3 || h.Record != nil {
			t.Errorf("%+v, %v", h, err)
		}
	case <-time.After(2 * time.Minute):
		t.Error("it was not moved")
	}
}
