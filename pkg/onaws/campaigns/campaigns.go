// Package campaigns adds to a function's Backend what only campaigns need: the bucket of their audiences and
// EventBridge Scheduler. The other functions do not link it.
package campaigns

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"

	blobs3 "github.com/opennotify/notify/pkg/blob/s3"
	"github.com/opennotify/notify/pkg/onaws"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/timer/eventbridge"
)

// Open adds both.
func Open(a *onaws.AWS) error {
	e := a.Env
	if e.Bucket == "" || e.Schedules == "" || e.ScheduleRole == "" {
		return errors.New("one of the environment variables NOTIFY_BUCKET, NOTIFY_SCHEDULES and NOTIFY_SCHEDULE_ROLE is missing")
	}
	path := a.SDK.BaseEndpoint != nil // an emulator has no host for each bucket
	a.Blobs = blobs3.Open(s3.NewFromConfig(a.SDK, func(o *s3.Options) { o.UsePathStyle = path }), e.Bucket, a.Now)
	arn := func(name string) string {
		return fmt.Sprintf("arn:%s:sqs:%s:%s:%s-%s", e.Partition(), a.SDK.Region, e.Account, e.Stack, name)
	}
	a.Timer = eventbridge.Open(scheduler.NewFromConfig(a.SDK), eventbridge.Options{Now: a.Now, Group: e.Schedules, Role: e.ScheduleRole,
		Queue: map[queue.Name]string{queue.Control: arn("control")}, DLQ: arn("control-dlq")})
	return nil
}
