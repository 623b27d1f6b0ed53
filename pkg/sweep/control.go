package sweep

import (
	"context"
	"encoding/json"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/telemetry"
)

// The kinds of the control queue that are the sweep's. A tick comes once a minute, from EventBridge
// Scheduler; it makes one pass at once and puts two more into the queue, so that there are three a minute.
const (
	KindTick = "tick"
	KindPass = "pass"
)

var passes = []time.Duration{20 * time.Second, 40 * time.Second}

// Kind reads what an item of the control queue is for; "" when it cannot be read.
func Kind(body []byte) string {
	var b struct {
		Kind string `json:"kind"`
	}
	if json.Unmarshal(body, &b) != nil {
		return ""
	}
	return b.Kind
}

// Handle works on ticks and passes. Several in one batch are one pass.
func (s *Sweep) Handle(ctx context.Context, batch []queue.Item) []string {
	again := []string{}
	for _, it := range batch {
		if Kind(it.Body) != KindTick {
			continue
		}
		for _, c := range s.Channels {
			s.Metrics.Count(string(message.Sent), 0, telemetry.Labels{Channel: string(c)})
		}
		for _, d := range passes {
			if err := s.Queue.Send(ctx, queue.Control, queue.Item{Body: []byte(`{"kind":"` + KindPass + `"}`), Delay: d}); err != nil {
				s.Log.WarnContext(ctx, "a pass of this minute is left out", "error", err)
			}
		}
	}
	share, cancel := s.share(ctx)
	defer cancel()
	n, err := s.Pass(share)
	if err == nil || share.Err() != nil {
		s.Metrics.Observe(telemetry.Swept, 1, telemetry.Count, telemetry.Labels{})
	}
	switch {
	case err != nil && share.Err() != nil: // the next one goes on; this one, once more, would be in its way
		s.Log.WarnContext(ctx, "swept in part, for want of time", "due", n.Due, "queued", n.Queued, "unreadable", n.Unreadable)
	case err != nil:
		s.Log.ErrorContext(ctx, "sweep failed; it comes again", "error", err)
		for _, it := range batch {
			again = append(again, it.ID)
		}
	case n.Due > 0:
		s.Log.InfoContext(ctx, "swept", "due", n.Due, "queued", n.Queued, "unreadable", n.Unreadable)
	}
	return again
}

// share is half of the time that there is: what else the control queue is for has its turn, however much is due.
func (s *Sweep) share(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-end.Sub(s.Now())/2))
}
