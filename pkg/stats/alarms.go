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

// Alarms tells which rules hold now, by what was counted in the last half hour; the minute that runs is the last.
// Operators are told.
func (s *Stats) Alarms(ctx context.Context, p tenant.Principal) ([]alarm.Alarm, error) {
	if !p.May(tenant.Operate) {
		return nil, problem.New(problem.Forbidden, "this needs a key with the scope operate")
	}
	now := s.now()
	last := minutes.floor(now)
	n := int(alarm.Lookback() / time.Minute)
	a, err := s.Read(ctx, p, Query{By: "channel", Top: maxTop, From: last.Add(-time.Duration(n-1) * time.Minute).Std(), To: now.Std().Add(time.Millisecond)})
	if err != nil {
		return nil, err
	}
	var open []alarm.Alarm
	for _, g := range a.Groups {
		if g.Name == string(message.Callback) { // the health of an endpoint is its tenant's, and told there
			continue
		}
		line := make([]alarm.Counts, n)
		for _, point := range g.Points {
			if at := n - 1 - int(last.Sub(point.At)/time.Minute); at >= 0 && at < n {
				line[at] = point.Counts
			}
		}
		open = append(open, alarm.Judge(g.Name, line)...)
	}
	slices.SortStableFunc(open, func(a, b alarm.Alarm) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Name, b.Name))
	})
	return open, nil
}
