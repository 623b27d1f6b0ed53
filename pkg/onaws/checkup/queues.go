package checkup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
)

// lanes lists the queues that functions read.
func (c *Checkup) lanes() []queue.Name {
	names := []queue.Name{queue.Control, queue.Receipts}
	for _, info := range append(message.Channels(), message.ChannelInfo{Channel: message.Other}) {
		if c.on(info.Channel) {
			for _, l := range message.Lanes() {
				names = append(names, queue.Lane(info.Channel, l))
			}
		}
	}
	return names
}

// queues looks whether all are there, and whether anything is dead.
func (c *Checkup) queues(ctx context.Context) {
	waiting, there := 0, map[queue.Name]bool{}
	look := func(name queue.Name) (depth int, ok bool) {
		at, err := c.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(c.Env.Stack + "-" + string(name))})
		if none := (*sqstypes.QueueDoesNotExist)(nil); errors.As(err, &none) {
			c.say("queues", Failed, "there is no queue %s-%s: deploy again", c.Env.Stack, name)
			return 0, false
		}
		if c.unseen("queues", "sqs:GetQueueUrl", err) {
			return 0, false
		}
		out, err := c.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: at.QueueUrl,
			AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameApproximateNumberOfMessages}})
		if c.unseen("queues", "sqs:GetQueueAttributes", err) {
			return 0, false
		}
		depth, err = strconv.Atoi(out.Attributes[string(sqstypes.QueueAttributeNameApproximateNumberOfMessages)])
		return depth, err == nil
	}
	for _, name := range c.lanes() {
		depth, ok := look(name)
		there[name] = ok
		waiting += depth
		if dead := name.DLQ(); !there[dead] {
			depth, ok := look(dead)
			if there[dead] = true; ok && depth > 0 {
				c.say("queues", Warning, "%d entries lie in %s-%s: notify dlq ls, docs/runbook.md#dead-letters", depth, c.Env.Stack, dead)
			}
		}
	}
	c.say("queues", OK, "%d looked at, %d entries wait", len(there), waiting)
}

// readers looks whether every queue is read by its function.
func (c *Checkup) readers(ctx context.Context) {
	read := map[string]string{} // by queue
	pages := lambda.NewListEventSourceMappingsPaginator(c.lambda, &lambda.ListEventSourceMappingsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if c.unseen("mappings", "lambda:ListEventSourceMappings", err) {
			return
		}
		for _, m := range page.EventSourceMappings {
			source := aws.ToString(m.EventSourceArn)
			read[source[strings.LastIndex(source, ":")+1:]] = state(m)
		}
	}
	bad := 0
	for _, name := range c.lanes() {
		switch s := read[c.Env.Stack+"-"+string(name)]; {
		case s == "":
			bad++
			c.say("mappings", Failed, "nobody reads %s-%s: its mapping to a function is gone; deploy again", c.Env.Stack, name)
		case !slices.Contains([]string{"Enabled", "Enabling", "Creating", "Updating"}, s):
			bad++
			c.say("mappings", Failed, "%s-%s is not read: its mapping is %s; enable it (Lambda, the function's triggers)", c.Env.Stack, name, s)
		}
	}
	if bad == 0 {
		c.say("mappings", OK, "every queue is read")
	}
}

// state is that of a mapping, with the reason of the last fault.
func state(m lambdatypes.EventSourceMappingConfiguration) string {
	s := aws.ToString(m.State)
	if last := aws.ToString(m.LastProcessingResult); strings.HasPrefix(last, "PROBLEM") {
		return fmt.Sprintf("%s (%s)", s, last)
	}
	return s
}
