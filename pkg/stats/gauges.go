package stats

import (
	"maps"
	"sync"
	"time"

	"github.com/opennotify/notify/pkg/alarm"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/telemetry"
)

// Gauges is a [telemetry.Metrics] that keeps what alarms ask of what is measured: the highest value of each minute, of
// each channel and its lanes, for as long as rules look back. It is memory, of one process that measures everything: what
// is wrong shows again soon after a start. It is safe for concurrent use.
type Gauges struct {
	now   func() time.Time
	since time.Time

	mu      sync.Mutex
	minutes map[message.Time]map[string]alarm.Counts // by channel; "" is the whole
}

// NewGauges makes gauges that know of nothing before now.
func NewGauges(now func() time.Time) *Gauges {
	return &Gauges{now: now, since: now(), minutes: map[message.Time]map[string]alarm.Counts{}}
}

// Count does nothing: counters are kept.
func (*Gauges) Count(string, int64, telemetry.Labels) {}

// Observe keeps a value, unless it is a distribution's or a tenant's.
func (g *Gauges) Observe(name string, value float64, unit telemetry.Unit, l telemetry.Labels) {
	if unit == telemetry.Milliseconds || unit == telemetry.Bytes || l.Tenant != "" {
		return
	}
	at := minutes.floor(message.At(g.now()))
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.minutes[at] == nil {
		g.forget(at)
		g.minutes[at] = map[string]alarm.Counts{}
	}
	of := g.minutes[at]
	if of[l.Channel] == nil {
		of[l.Channel] = alarm.Counts{}
	}
	name = alarm.Gauge(name, l.Lane)
	of[l.Channel][name] = max(of[l.Channel][name], value)
}

// forget drops what no rule over gauges looks back to.
func (g *Gauges) forget(now message.Time) {
	oldest := now.Add(-alarm.Lookback(alarm.Rules(alarm.Options{})))
	maps.DeleteFunc(g.minutes, func(at message.Time, _ map[string]alarm.Counts) bool { return at < oldest })
}

// each tells what is known. In the minute that runs, a gauge stands where it stood until it is read again.
func (g *Gauges) each(do func(channel string, at message.Time, name string, value float64)) {
	now := minutes.floor(message.At(g.now()))
	g.mu.Lock()
	defer g.mu.Unlock()
	for channel, values := range g.minutes[now.Add(-time.Minute)] {
		for name, v := range values {
			if _, again := g.minutes[now][channel][name]; !again {
				do(channel, now, name, v)
			}
		}
	}
	for at, of := range g.minutes {
		for channel, values := range of {
			for name, v := range values {
				do(channel, at, name, v)
			}
		}
	}
}
