package deploy_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// An operator's own rule on the stack's bus hears of a status, as the tenant's endpoint does.
func (d *deployment) bus(t *testing.T) {
	client := eventbridge.NewFromConfig(d.aws.AWS())
	rule, name := aws.String("all"), aws.String(d.name+"-heard")
	queue, err := d.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: name})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: rule, EventBusName: &d.name,
		EventPattern: aws.String(`{"source":["notify"],"detail-type":["message.sent"],"detail":{"data":{"channel":["email"]}}}`)}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: rule, EventBusName: &d.name, Targets: []types.Target{
		{Id: name, Arn: aws.String("arn:aws:sqs:us-east-1:" + d.outputs["Account"] + ":" + *name)}}}); err != nil {
		t.Fatal(err)
	}
	id := d.send(t, map[string]any{"to": "bus@example.com", "channel": "email", "template": "notice", "locale": "en", "vars": map[string]any{"n": "8"}})
	eventually(t, "the rule's queue holds the event", func() (string, bool) {
		got, err := d.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10})
		if err != nil {
			return err.Error(), false
		}
		for _, m := range got.Messages {
			var e struct {
				Source     string
				DetailType string `json:"detail-type"`
				Resources  []string
				Detail     struct{ Data map[string]any }
			}
			if err := json.Unmarshal([]byte(*m.Body), &e); err != nil {
				t.Fatal(err)
			}
			if e.Detail.Data["id"] != id {
				continue
			}
			if e.Source != "notify" || e.DetailType != "message.sent" || len(e.Resources) != 1 || strings.Contains(*m.Body, "bus@example.com") {
				t.Errorf("the event is %s", *m.Body)
			}
			return "", true
		}
		return fmt.Sprint(len(got.Messages), " events"), false
	})
}
