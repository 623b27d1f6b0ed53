package onaws

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/tenant"
	wiredelivery "github.com/opennotify/notify/pkg/wire/delivery"
	wiresweep "github.com/opennotify/notify/pkg/wire/sweep"
)

// A queue of a channel that is off is other's.
func TestQueuesOfWhatIsOff(t *testing.T) {
	t.Parallel()
	some, all := Env{Channels: []message.Channel{message.Other, message.SMS}}, Env{}
	for name, want := range map[queue.Name]queue.Name{
		"push-urgent": "other-urgent", "webhook-bulk": "other-bulk", "push-dlq": "other-dlq", "sms-urgent": "sms-urgent", "sms-dlq": "sms-dlq",
		"other-normal": "other-normal", "other-dlq": "other-dlq", queue.Control: queue.Control, queue.Receipts: queue.Receipts, "receipts-dlq": "receipts-dlq",
	} {
		same := func(n queue.Name) string { return string(n) }
		if got := some.queues(same)(name); got != string(want) {
			t.Errorf("with sms alone, %s is %s, want %s", name, got, want)
		}
		if got := all.queues(same)(name); got != string(name) {
			t.Errorf("with all, %s is %s", name, got)
		}
	}
}

// What waits when its channel is switched off comes to its end: its queue is gone, and the sweep puts it into other's, whose
// function sends it.
func TestSwitchedOff(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.send(t, r.request(1)).Verdicts[0].Record.ID
	if lost := r.drain(t); len(lost) != 1 { // as with the queue
		t.Fatalf("%d hints", len(lost))
	}
	env := r.aws.Env
	env.Channels = []message.Channel{message.Other}
	made, err := r.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(env.Stack + "-other-normal")})
	if err != nil {
		t.Fatal(err)
	}
	r.url = made.QueueUrl
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	a, err := open(t.Context(), r.aws.SDK, env, log, io.Discard, nil)
	if err != nil {
		t.Fatal(err)
	}
	a.Now = func() time.Time { return time.Now().Add(2 * time.Minute) }
	sw, err1 := wiresweep.New(&a.Backend)
	del, err2 := wiredelivery.New(&a.Backend, wiredelivery.Accounts(&a.Backend, nil))
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if n, err := sw.Pass(t.Context()); err != nil || n.Queued != 1 {
		t.Fatalf("%+v %v", n, err)
	}
	items := r.drain(t)
	if again := del.Handle(t.Context(), items); len(items) != 1 || len(again) > 0 {
		t.Fatalf("%d hints for other, of which %d come again", len(items), len(again))
	}
	got, _, err := a.Store.Messages(t.Context(), tenant.System("test"), id)
	if err != nil || len(got) != 1 || got[0].Status != message.Sent {
		t.Errorf("%+v %v", got, err)
	}
}
