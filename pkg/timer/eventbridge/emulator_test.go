package eventbridge_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	awstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/opennotify/notify/deploy/emulators"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/queue/sqs"
	"github.com/opennotify/notify/pkg/timer"
	"github.com/opennotify/notify/pkg/timer/eventbridge"
	"github.com/opennotify/notify/pkg/timer/timertest"
)

// MiniStack looks for what is due every 10 s (Step). It reads cron in UTC whatever the zone, and counts a
// rate from when it was put, not from its start (Recurs); TestInput checks what AWS is told of these.
func TestMiniStack(t *testing.T) {
	t.Parallel()
	stack := emulators.Need(t, emulators.MiniStack)
	timertest.Run(t, func(t *testing.T) timertest.Harness { return open(t, stack) },
		timertest.Features{Step: 12 * time.Second, Due: true, Past: true, Patience: 8 * time.Minute})
}

// TestRecurring: MiniStack passes the service's attribute through as it is; AWS puts the time there.
func TestRecurring(t *testing.T) {
	t.Parallel()
	h := open(t, emulators.Need(t, emulators.MiniStack))
	for name, s := range map[string]timer.Schedule{"cron": {Cron: "* * * * ? *"}, "every": {Every: time.Minute}} {
		s.Name, s.Queue, s.Payload = name, timertest.Queue, []byte(name+" at "+timer.Due)
		if err := h.Timer.Put(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for fired := map[string]bool{}; len(fired) < 2; {
		select {
		case got := <-h.Fired:
			if got != "cron at "+eventbridge.DueAttribute && got != "every at "+eventbridge.DueAttribute {
				t.Errorf("%q fired", got)
			}
			fired[got] = true
		case <-ctx.Done():
			t.Fatalf("fired: %v", fired)
		}
	}
}

// open makes a group and a queue of the test's own.
func open(t *testing.T, stack *emulators.Emulator) timertest.Harness {
	t.Helper()
	name := "test-" + strings.ToLower(rand.Text()[:10])
	client, arn := scheduler.NewFromConfig(stack.AWS()), newQueue(t, awssqs.NewFromConfig(stack.AWS()), name)
	if _, err := client.CreateScheduleGroup(t.Context(), &scheduler.CreateScheduleGroupInput{Name: &name}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in := &scheduler.DeleteScheduleGroupInput{Name: &name}
		if _, err := client.DeleteScheduleGroup(context.WithoutCancel(t.Context()), in); err != nil {
			t.Logf("delete the group: %v", err)
		}
	})
	fired := make(chan string, 1000)
	consume(t, sqs.Open(awssqs.NewFromConfig(stack.AWS()), sqs.Options{Stack: name}), fired)
	return timertest.Harness{Fired: fired, Timer: eventbridge.Open(client, eventbridge.Options{
		Now: time.Now, Group: name, Role: "arn:aws:iam::000000000000:role/scheduler",
		Queue: map[queue.Name]string{timertest.Queue: arn},
	})}
}

func newQueue(t *testing.T, client *awssqs.Client, stack string) (arn string) {
	t.Helper()
	made, err := client.CreateQueue(t.Context(), &awssqs.CreateQueueInput{QueueName: aws.String(stack + "-" + string(timertest.Queue))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in := &awssqs.DeleteQueueInput{QueueUrl: made.QueueUrl}
		if _, err := client.DeleteQueue(context.WithoutCancel(t.Context()), in); err != nil {
			t.Logf("delete the queue: %v", err)
		}
	})
	got, err := client.GetQueueAttributes(t.Context(), &awssqs.GetQueueAttributesInput{
		QueueUrl: made.QueueUrl, AttributeNames: []awstypes.QueueAttributeName{awstypes.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatal(err)
	}
	return got.Attributes["QueueArn"]
}

// consume hands over what fires until the end of the test.
func consume(t *testing.T, q *sqs.Queue, fired chan<- string) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := q.Consume(ctx, timertest.Queue, queue.Consumer{Handler: queue.HandlerFunc(func(_ context.Context, batch []queue.Item) []string {
			for _, it := range batch {
				fired <- string(it.Body)
			}
			return []string{}
		})})
		if err != nil {
			t.Errorf("Consume: %v", err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
}
