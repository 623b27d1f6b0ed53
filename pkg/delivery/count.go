package delivery

import (
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/telemetry"
)

// The metrics beside those named like the statuses: sent, failed, dead, in_doubt, expired, suppressed.
const (
	metricThrottled = "throttled" // put off by a limit, ours or the provider's
	metricRetried   = "retried"   // put back for another try after a fault
	metricToSent    = "accept_to_sent"
)

func labels(m *message.Message) telemetry.Labels {
	return telemetry.Labels{Channel: string(m.Channel), Lane: string(m.Lane()), Tenant: m.Tenant}
}

// count measures a change of status.
func (d *Delivery) count(before, after *message.Message, now message.Time) {
	if before.Status == after.Status {
		return
	}
	switch after.Status {
	case message.Sent:
		d.Metrics.Observe(metricToSent, float64(now.Sub(max(after.Created, after.SendAt)).Milliseconds()), telemetry.Milliseconds, labels(after))
		fallthrough
	case message.Failed, message.Dead, message.InDoubt, message.Expired, message.Suppressed:
		d.Metrics.Count(string(after.Status), 1, labels(after))
	case message.Queued:
		if last := after.Last(); last == nil || last.Outcome == message.Throttled || last.Outcome == message.Defer {
			d.Metrics.Count(metricThrottled, 1, labels(after))
		} else {
			d.Metrics.Count(metricRetried, 1, labels(after))
		}
	}
}
