package checkup

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/opennotify/notify/pkg/message"
)

// Ours tells whether an alarm is a stack's, by its name. Stacks that begin with the name of another lie in one account,
// as notify and notify-dev do: what the templates name is <stack>-<channel>-… or one of these few.
func Ours(stack, name string) bool {
	rest, ok := strings.CutPrefix(name, stack+"-")
	first, _, _ := strings.Cut(rest, "-")
	_, channel := message.Channel(first).Info()
	return ok && (channel || slices.Contains([]string{string(message.Other), "control", "receipts", "tick", "api", "function", "ses", "canary", "page"}, first))
}

// told looks which alarms are open, and whether anybody is told.
func (c *Checkup) told(ctx context.Context) {
	topics, n, silent := map[string]bool{}, 0, 0
	see := func(name, what *string, state types.StateValue, actions []string) {
		if !Ours(c.Env.Stack, aws.ToString(name)) {
			return
		}
		n++
		if len(actions) == 0 {
			silent++
		}
		for _, a := range actions {
			topics[a] = true
		}
		if state == types.StateValueAlarm {
			c.say("alarms", Warning, "%s: %s", aws.ToString(name), aws.ToString(what))
		}
	}
	pages := cloudwatch.NewDescribeAlarmsPaginator(c.alarms, &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String(c.Env.Stack + "-"),
		AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if c.unseen("alarms", "cloudwatch:DescribeAlarms", err) {
			return
		}
		for _, a := range page.MetricAlarms {
			see(a.AlarmName, a.AlarmDescription, a.StateValue, a.AlarmActions)
		}
		for _, a := range page.CompositeAlarms {
			see(a.AlarmName, a.AlarmDescription, a.StateValue, a.AlarmActions)
		}
	}
	switch {
	case n == 0:
		c.say("alarms", Warning, "there are none: deploy with Alarms=on")
		return
	case silent > 0:
		c.say("alarms", Warning, "%d of %d tell nobody: deploy with AlarmTopic or without it, so that the stack makes a topic", silent, n)
	}
	for _, topic := range slices.Sorted(maps.Keys(topics)) {
		c.subscribers(ctx, topic)
	}
	c.say("alarms", OK, "%d are set", n)
}

func (c *Checkup) subscribers(ctx context.Context, topic string) {
	heard, pending := 0, 0
	pages := sns.NewListSubscriptionsByTopicPaginator(c.topics, &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if c.unseen("alarms", "sns:ListSubscriptionsByTopic", err) {
			return
		}
		for _, s := range page.Subscriptions {
			if strings.HasPrefix(aws.ToString(s.SubscriptionArn), "arn:") {
				heard++
			} else { // PendingConfirmation: https://docs.aws.amazon.com/sns/latest/api/API_Subscription.html
				pending++
			}
		}
	}
	if heard == 0 {
		c.say("alarms", Failed, "nobody is subscribed to %s (%d have not confirmed): set AlarmRobot, or subscribe an address (docs/deploy.md)", topic, pending)
	}
}

// Secret looks whether a secret that the stack was told of is there: the robot's, or the canary's.
func (c *Checkup) Secret(ctx context.Context, what, id string) Finding {
	c.found = nil
	_, err := c.secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &id})
	if !c.unseen("secrets", "secretsmanager:DescribeSecret", err) {
		c.say("secrets", OK, "that of the %s is there", what)
	}
	return c.found[0]
}
