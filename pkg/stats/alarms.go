package stats

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/alarm"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// inUse is how long ago a channel has sent something whose silence is a fault.
const inUse = 7 * day

// Alarms tells which rules hold now, by what was counted and, where there are Gauges, measured for as long as the rules
// look back; the minute that runs is the last. Operators are told.
func (s *Stats) Alarms(ctx context.Context, p tenant.Principal) ([]alarm.Alarm, error) {
	if !p.May(tenant.Operate) {
		return nil, problem.New(problem.Forbidden, "this needs a key with the scope operate")
	}
	rules := alarm.Rules(s.Watch)
	known := series{now: s.now(), minutes: int(alarm.Lookback(rules) / time.Minute), of: map[string]*alarm.Series{}}
	if s.Gauges != nil {
		known.since = s.Gauges.since
	}
	if err := s.know(ctx, p, known); err != nil {
		return nil, err
	}
	var open []alarm.Alarm
	for _, of := range known.of {
		open = append(open, alarm.Judge(rules, *of)...)
	}
	slices.SortFunc(open, func(a, b alarm.Alarm) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Name, b.Name))
	})
	return open, nil
}

// know fills the series of all channels, and of the whole.
func (s *Stats) know(ctx context.Context, p tenant.Principal, known series) error {
	from := minutes.floor(known.now).Add(-time.Duration(known.minutes-1) * time.Minute)
	a, err := s.Read(ctx, p, Query{By: "channel", Top: maxTop, From: from.Std(), To: known.now.Std().Add(time.Millisecond)})
	if err != nil {
		return err
	}
	for _, g := range append(a.Groups, a.Total) { // the total has no name, as the whole
		for _, point := range g.Points {
			for name, n := range point.Counts {
				known.add(g.Name, point.At, name, float64(n))
			}
		}
	}
	delete(known.of, string(message.Callback)) // the health of an endpoint is its tenant's, and told there
	known.expect("")
	if s.Gauges != nil {
		s.Gauges.each(known.add)
	}
	if s.Watch.Silent == 0 {
		return nil
	}
	if a, err = s.Read(ctx, p, Query{By: "channel", Top: maxTop, Step: days.name, From: known.now.Add(-inUse).Std()}); err != nil {
		return err
	}
	for _, g := range a.Groups {
		if g.Counts[string(message.Sent)] > 0 && g.Name != string(message.Callback) {
			known.expect(g.Name)
		}
	}
	return nil
}

// series are those of channels, by name.
type series struct {
	now     message.Time
	since   time.Time // somebody looks
	minutes int
	of      map[string]*alarm.Series
}

// channel is a channel's series. Nothing is expected of it at first.
func (s series) channel(name string) *alarm.Series {
	if s.of[name] == nil {
		s.of[name] = &alarm.Series{Channel: name, Minutes: make([]alarm.Counts, s.minutes), Now: s.now.Std(), Since: s.now.Std()}
	}
	return s.of[name]
}

// expect says that the silence of a channel is a fault.
func (s series) expect(channel string) { s.channel(channel).Since = s.since }

func (s series) add(channel string, at message.Time, name string, n float64) {
	line := s.channel(channel).Minutes
	i := len(line) - 1 - int(minutes.floor(s.now).Sub(at)/time.Minute)
	if i < 0 || i >= len(line) {
		return
	}
	if line[i] == nil {
		line[i] = alarm.Counts{}
	}
	line[i][name] += n
}
