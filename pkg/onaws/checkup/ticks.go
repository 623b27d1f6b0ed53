package checkup

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
)

// ticks looks whether the schedules that start the sweep, and the canaries where there are any, are there and enabled.
func (c *Checkup) ticks(ctx context.Context) {
	names := []string{c.Env.Stack + "-tick"}
	if c.Env.Canary != "" {
		names = append(names, c.Env.Stack+"-canary")
	}
	good := 0
	for _, name := range names {
		out, err := c.timers.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: aws.String(name)})
		if none := (*types.ResourceNotFoundException)(nil); errors.As(err, &none) {
			c.say("ticks", Failed, "there is no schedule %s: deploy again", name)
			continue
		}
		switch {
		case c.unseen("ticks", "scheduler:GetSchedule", err):
		case out.State != types.ScheduleStateEnabled:
			c.say("ticks", Failed, "schedule %s is %s: enable it (EventBridge, Schedules)", name, out.State)
		default:
			good++
		}
	}
	if good == len(names) {
		c.say("ticks", OK, "%d schedules are enabled", good)
	}
}
