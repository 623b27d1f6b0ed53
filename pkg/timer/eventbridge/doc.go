// Package eventbridge is a timer on EventBridge Scheduler: each schedule is one of a schedule group, with an
// SQS queue as its target. It fires within a minute of the due time, at least once.
//
// The due time of a schedule that fires once is written into its payload at once. That of a recurring one
// is filled in by the service, in place of the context attribute <aws.scheduler.scheduled-time>; an emulator
// may pass the attribute through as it is, and a consumer that finds it there takes the time of the
// receive instead. So a payload holds no other <aws.scheduler.…>, which would be replaced, too.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
//
// The caller needs scheduler:CreateSchedule, UpdateSchedule, DeleteSchedule and ListSchedules on the group,
// and iam:PassRole on the role, which in turn needs sqs:SendMessage on the queues.
package eventbridge
