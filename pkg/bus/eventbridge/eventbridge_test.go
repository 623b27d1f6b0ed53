package eventbridge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awseventbridge "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/opennotify/notify/deploy/emulators"
	"github.com/opennotify/notify/pkg/bus"
	"github.com/opennotify/notify/pkg/bus/eventbridge"
)

// fake takes calls, and refuses as it is told.
type fake struct {
	calls [][]types.PutEventsRequestEntry
	err   error
	code  *string
}

func (f *fake) PutEvents(_ context.Context, in *awseventbridge.PutEventsInput, _ ...func(*awseventbridge.Options)) (*awseventbridge.PutEventsOutput, error) {
	f.calls = append(f.calls, in.Entries)
	return &awseventbridge.PutEventsOutput{Entries: []types.PutEventsResultEntry{{}, {ErrorCode: f.code}}}, f.err
}

func TestPut(t *testing.T) {
	t.Parallel()
	var events []bus.Event
	for i := range 23 {
		events = append(events, bus.Event{ID: fmt.Sprint(i), Type: "message.sent", Detail: []byte(`{}`)})
	}
	f := &fake{}
	if err := eventbridge.Open(f, "main").Put(t.Context(), events...); err != nil || len(f.calls) != 3 || len(f.calls[2]) != 3 || f.calls[2][2].Resources[0] != "22" {
		t.Errorf("%d calls, %v", len(f.calls), err)
	}
	for _, bad := range []*fake{{err: errors.New("no network")}, {code: aws.String("ThrottlingException")}} {
		if err := eventbridge.Open(bad, "main").Put(t.Context(), events...); err == nil || len(bad.calls) != 1 {
			t.Errorf("%v after %d calls", err, len(bad.calls))
		}
	}
}

// An event arrives at a queue that a rule names: over the real SDK and an emulator.
func TestArrives(t *testing.T) {
	t.Parallel()
	cfg := emulators.Need(t, emulators.MiniStack).AWS()
	events, queues := awseventbridge.NewFromConfig(cfg), sqs.NewFromConfig(cfg)
	const name = "bus-test"
	if _, err := events.CreateEventBus(t.Context(), &awseventbridge.CreateEventBusInput{Name: aws.String(name)}); err != nil {
		t.Fatal(err)
	}
	made, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(name)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_, _ = events.RemoveTargets(ctx, &awseventbridge.RemoveTargetsInput{EventBusName: aws.String(name), Rule: aws.String(name), Ids: []string{"q"}})
		_, _ = events.DeleteRule(ctx, &awseventbridge.DeleteRuleInput{EventBusName: aws.String(name), Name: aws.String(name)})
		_, err1 := events.DeleteEventBus(ctx, &awseventbridge.DeleteEventBusInput{Name: aws.String(name)})
		_, err2 := queues.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: made.QueueUrl})
		if err := errors.Join(err1, err2); err != nil {
			t.Error(err)
		}
	})
	if _, err := events.PutRule(t.Context(), &awseventbridge.PutRuleInput{EventBusName: aws.String(name), Name: aws.String(name),
		EventPattern: aws.String(`{"source":["notify"],"detail-type":["message.delivered"]}`)}); err != nil {
		t.Fatal(err)
	}
	if _, err := events.PutTargets(t.Context(), &awseventbridge.PutTargetsInput{EventBusName: aws.String(name), Rule: aws.String(name),
		Targets: []types.Target{{Id: aws.String("q"), Arn: aws.String("arn:aws:sqs:us-east-1:000000000000:" + name)}}}); err != nil {
		t.Fatal(err)
	}
	if err := eventbridge.Open(events, name).Put(t.Context(), bus.Event{ID: "e1", Type: "message.sent", Detail: []byte(`{"n":0}`)},
		bus.Event{ID: "e2", Type: "message.delivered", Detail: []byte(`{"type":"message.delivered","data":{"id":"msg_1"}}`)}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	for {
		out, err := queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: made.QueueUrl, WaitTimeSeconds: 2})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			continue
		}
		var got struct {
			Source     string
			DetailType string `json:"detail-type"`
			Resources  []string
			Detail     json.RawMessage
		}
		if err := json.Unmarshal([]byte(aws.ToString(out.Messages[0].Body)), &got); err != nil || got.DetailType != "message.delivered" || got.Source != "notify" ||
			len(got.Resources) != 1 || got.Resources[0] != "e2" || !strings.Contains(string(got.Detail), "msg_1") {
			t.Errorf("%+v, %v", got, err)
		}
		return
	}
}
