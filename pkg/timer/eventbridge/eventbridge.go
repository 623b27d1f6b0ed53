package eventbridge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/timer"
)

// DueAttribute is what the service replaces by the due time of a recurring schedule, as timer.Due.
const DueAttribute = "<aws.scheduler.scheduled-time>"

// Client is what a Timer uses of *scheduler.Client.
type Client interface {
	CreateSchedule(context.Context, *scheduler.CreateScheduleInput, ...func(*scheduler.Options)) (*scheduler.CreateScheduleOutput, error)
	UpdateSchedule(context.Context, *scheduler.UpdateScheduleInput, ...func(*scheduler.Options)) (*scheduler.UpdateScheduleOutput, error)
	DeleteSchedule(context.Context, *scheduler.DeleteScheduleInput, ...func(*scheduler.Options)) (*scheduler.DeleteScheduleOutput, error)
	ListSchedules(context.Context, *scheduler.ListSchedulesInput, ...func(*scheduler.Options)) (*scheduler.ListSchedulesOutput, error)
}

// Options are what a Timer needs.
type Options struct {
	Now   func() time.Time      // the present; needed
	Group string                // the schedule group, which exists and holds nothing else; needed
	Role  string                // ARN of the role with which the service sends; needed
	Queue map[queue.Name]string // ARNs of the queues into which schedules may fire; needed
	DLQ   string                // ARN of the queue for what could not be sent; "" for none
}

// Timer is a timer.Timer on EventBridge Scheduler. It is safe for concurrent use.
type Timer struct {
	client Client
	opts   Options
}

var _ timer.Timer = (*Timer)(nil)

// Open makes a Timer. It asks for nothing yet.
func Open(client Client, opts Options) *Timer { return &Timer{client: client, opts: opts} }

// putTries is how often Put makes, and else replaces, a schedule that others make and remove meanwhile.
const putTries = 2

// Put makes or replaces a schedule. One that would never fire, or into a queue that is not among the
// options, is refused, too, with a *timer.FieldError.
//
// The client token is the SDK's own: new in every call, the same in its retries. One made of the content
// would make the service answer a schedule's second Put, after it was fired, deleted or changed in between,
// as a repetition of the first.
func (t *Timer) Put(ctx context.Context, s timer.Schedule) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("timer: put %q: %w", s.Name, err)
	}
	in, err := t.input(s)
	if err != nil {
		return err
	}
	for range putTries {
		var exists *types.ConflictException
		in.ClientToken = nil // the SDK writes its own here
		if _, err = t.client.CreateSchedule(ctx, in); !errors.As(err, &exists) {
			break
		}
		var gone *types.ResourceNotFoundException
		in.ClientToken = nil
		if _, err = t.client.UpdateSchedule(ctx, (*scheduler.UpdateScheduleInput)(in)); !errors.As(err, &gone) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("timer: put %q: %w", s.Name, err)
	}
	return nil
}

// Delete removes a schedule.
func (t *Timer) Delete(ctx context.Context, name string) error {
	_, err := t.client.DeleteSchedule(ctx, &scheduler.DeleteScheduleInput{Name: &name, GroupName: &t.opts.Group})
	var gone *types.ResourceNotFoundException
	if errors.As(err, &gone) {
		return timer.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("timer: delete %q: %w", name, err)
	}
	return nil
}

// List gives the names with a prefix, in order.
func (t *Timer) List(ctx context.Context, prefix string) ([]string, error) {
	in := &scheduler.ListSchedulesInput{GroupName: &t.opts.Group}
	if prefix != "" { // the service refuses an empty one
		in.NamePrefix = &prefix
	}
	names := []string{}
	for pages := scheduler.NewListSchedulesPaginator(t.client, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("timer: list: %w", err)
		}
		for _, s := range page.Schedules {
			names = append(names, aws.ToString(s.Name))
		}
	}
	slices.Sort(names)
	return names, nil
}

// What the service does with a payload that it cannot put into its queue: it tries again for an hour, and
// then puts it into the dead-letter queue.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html
const (
	retryFor   = 3600 // seconds
	retryTimes = 185
)

// lead is how far ahead a time must be for the service to take it as one that is to come.
const lead = 5 * time.Second

// input is a schedule as the service has it.
func (t *Timer) input(s timer.Schedule) (*scheduler.CreateScheduleInput, error) {
	plan, err := s.Plan()
	if err != nil {
		return nil, err
	}
	arn := t.opts.Queue[s.Queue]
	if arn == "" {
		return nil, &timer.FieldError{Field: "queue", Problem: fmt.Sprintf("no schedule can fire into %.70q", s.Queue)}
	}
	in := &scheduler.CreateScheduleInput{
		Name:                  &s.Name,
		GroupName:             &t.opts.Group,
		ActionAfterCompletion: types.ActionAfterCompletionDelete,
		FlexibleTimeWindow:    &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeOff},
		State:                 types.ScheduleStateEnabled,
		Target: &types.Target{
			Arn: &arn, RoleArn: &t.opts.Role,
			RetryPolicy: &types.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(retryFor), MaximumRetryAttempts: aws.Int32(retryTimes)},
		},
	}
	if s.Paused {
		in.State = types.ScheduleStateDisabled
	}
	if t.opts.DLQ != "" {
		in.Target.DeadLetterConfig = &types.DeadLetterConfig{Arn: &t.opts.DLQ}
	}
	now := t.opts.Now()
	if !s.At.IsZero() {
		in.Target.Input = aws.String(string(s.Body(s.At)))
		at := s.At
		if soon := now.Add(lead); at.Before(soon) {
			at = soon // the contract is "at once"; what the service does with a time that has passed is not documented
		}
		in.ScheduleExpression = aws.String(at.Add(time.Second - 1).UTC().Format("at(2006-01-02T15:04:05)"))
		return in, nil
	}
	if plan.Next(now).IsZero() {
		return nil, never(s)
	}
	in.Target.Input = aws.String(string(bytes.ReplaceAll(s.Payload, []byte(timer.Due), []byte(DueAttribute))))
	in.ScheduleExpression = aws.String(expression(s))
	if s.Zone != "" {
		in.ScheduleExpressionTimezone = &s.Zone
	}
	if start := begin(s, plan, now); !start.IsZero() {
		in.StartDate = aws.Time(start.UTC())
	}
	if !s.End.IsZero() {
		in.EndDate = aws.Time(s.End.Add(time.Second).UTC()) // ours is inclusive, the service's is not
	}
	return in, nil
}

// begin is where the service begins; the zero time is at once. It takes no start that is more than five minutes ago
// ("The StartDate you specify cannot be earlier than 5 minutes ago."): a period that began before goes on from its next
// instant, an expression needs no start any more.
func begin(s timer.Schedule, plan timer.Plan, now time.Time) time.Time {
	switch {
	case s.Start.IsZero() || s.Start.After(now):
		return s.Start
	case s.Every > 0:
		return plan.Next(now)
	}
	return time.Time{}
}

func never(s timer.Schedule) error {
	if !s.End.IsZero() {
		return &timer.FieldError{Field: "end", Problem: "it would never fire until then"}
	}
	return &timer.FieldError{Field: "cron", Problem: fmt.Sprintf("%q never fires again: no such day is to come", s.Cron)}
}

// expression is the recurrence: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
func expression(s timer.Schedule) string {
	if s.Cron != "" {
		return "cron(" + s.Cron + ")"
	}
	if n := s.Every / time.Minute; n != 1 {
		return fmt.Sprintf("rate(%d minutes)", n)
	}
	return "rate(1 minute)"
}
