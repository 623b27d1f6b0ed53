package local

import (
	"context"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/queue/memory"
	"github.com/opennotify/notify/pkg/redrive"
	"github.com/opennotify/notify/pkg/telemetry"
	wireredrive "github.com/opennotify/notify/pkg/wire/redrive"
)

// measure adds to a world what SQS tells CloudWatch: how long entries wait, and what is dead.
func (w *World) measure(q *memory.Queue) error {
	again, err := wireredrive.New(&w.Backend)
	if err != nil {
		return err
	}
	watch := again.Watch()
	w.Chores = append(w.Chores,
		Chore{What: "measure the queues", Every: 10 * time.Second, Do: func(context.Context) error { w.queues(q); return nil }},
		Chore{What: "count the dead", Every: 30 * time.Second, Do: func(ctx context.Context) error { return w.dead(ctx, watch) }})
	return nil
}

// queues measures how long the oldest entry of each lane waits, and the queues that are no channel's.
func (w *World) queues(q *memory.Queue) {
	for _, info := range append(message.Channels(), message.ChannelInfo{Channel: message.Other}) {
		for _, lane := range message.Lanes() {
			age := q.OldestAge(queue.Lane(info.Channel, lane))
			w.Metrics.Observe(telemetry.QueueAge, age.Seconds(), telemetry.Seconds, telemetry.Labels{Channel: string(info.Channel), Lane: string(lane)})
		}
	}
	for _, name := range []queue.Name{queue.Control, queue.Receipts} {
		of := telemetry.Labels{Lane: string(name)}
		w.Metrics.Observe(telemetry.QueueAge, q.OldestAge(name).Seconds(), telemetry.Seconds, of)
		dead, _, _ := q.Len(name.DLQ())
		w.Metrics.Observe(telemetry.DeadLetters, float64(dead), telemetry.Count, of)
	}
}

// dead counts the dead by their records: the dead-letter queues of channels are empty after a start, and nobody can take
// an entry out of them.
func (w *World) dead(ctx context.Context, watch *redrive.Watch) error {
	lying, err := watch.Look(ctx)
	if err != nil {
		return err
	}
	for channel, l := range lying {
		of := telemetry.Labels{Channel: string(channel)}
		w.Metrics.Observe(telemetry.DeadLetters, float64(l.N), telemetry.Count, of)
		w.Metrics.Observe(telemetry.DeadAge, message.At(w.Now()).Sub(l.Oldest).Seconds(), telemetry.Seconds, of)
	}
	return nil
}
