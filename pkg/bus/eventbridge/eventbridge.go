// Package eventbridge puts events on an Amazon EventBridge bus.
//
// The caller needs events:PutEvents on the bus.
package eventbridge

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/opennotify/notify/pkg/bus"
)

// Client is what a Bus uses of *eventbridge.Client.
type Client interface {
	PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

// Source is what rules match events by, with the detail-type, which is the event's type.
const Source = "notify"

// maxEntries is how many events one call takes:
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
const maxEntries = 10

// Bus is a bus.Bus.
type Bus struct {
	client Client
	name   string
}

var _ bus.Bus = (*Bus)(nil)

// Open makes a Bus of a name or ARN. It asks for nothing yet.
func Open(client Client, name string) *Bus { return &Bus{client, name} }

// Put puts events on the bus. The event's id is its only resource, so that copies can be told.
func (b *Bus) Put(ctx context.Context, events ...bus.Event) error {
	for len(events) > 0 {
		n := min(len(events), maxEntries)
		entries := make([]types.PutEventsRequestEntry, n)
		for i, e := range events[:n] {
			entries[i] = types.PutEventsRequestEntry{EventBusName: &b.name, Source: aws.String(Source), DetailType: aws.String(e.Type),
				Detail: aws.String(string(e.Detail)), Resources: []string{e.ID}}
		}
		out, err := b.client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries})
		if err != nil {
			return fmt.Errorf("bus: %w", err)
		}
		for _, e := range out.Entries { // the call is well though an entry is not
			if e.ErrorCode != nil {
				return fmt.Errorf("bus: an event was refused: %s", aws.ToString(e.ErrorCode))
			}
		}
		events = events[n:]
	}
	return nil
}
