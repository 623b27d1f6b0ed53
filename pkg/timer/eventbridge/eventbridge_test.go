package eventbridge_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/timer"
	"github.com/opennotify/notify/pkg/timer/eventbridge"
)

// fake answers the n-th create or update, and list; it remembers what it was asked.
type fake struct {
	eventbridge.Client
	put     func(n int) error
	pages   [][]string
	asked   []string
	created scheduler.CreateScheduleInput
	updated scheduler.UpdateScheduleInput
	listed  scheduler.ListSchedulesInput
}

func (f *fake) CreateSchedule(_ context.Context, in *scheduler.CreateScheduleInput, _ ...func(*scheduler.Options)) (*scheduler.CreateScheduleOutput, error) {
	f.asked, f.created = append(f.asked, "create"), *in
	return &scheduler.CreateScheduleOutput{}, f.put(len(f.asked))
}

func (f *fake) UpdateSchedule(_ context.Context, in *scheduler.UpdateScheduleInput, _ ...func(*scheduler.Options)) (*scheduler.UpdateScheduleOutput, error) {
	f.asked, f.updated = append(f.asked, "update"), *in
	return &scheduler.UpdateScheduleOutput{}, f.put(len(f.asked))
}

func (f *fake) ListSchedules(_ context.Context, in *scheduler.ListSchedulesInput, _ ...func(*scheduler.Options)) (*scheduler.ListSchedulesOutput, error) {
	f.listed = *in
	if len(f.pages) == 0 {
		return nil, errors.New("no answer")
	}
	out := &scheduler.ListSchedulesOutput{}
	for _, name := range f.pages[0] {
		out.Schedules = append(out.Schedules, types.ScheduleSummary{Name: aws.String(name)})
	}
	if f.pages = f.pages[1:]; len(f.pages) > 0 {
		out.NextToken = aws.String("more")
	}
	return out, nil
}

var now = time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)

func openFake(f *fake) *eventbridge.Timer {
	return eventbridge.Open(f, eventbridge.Options{
		Now: func() time.Time { return now }, Group: "prod", Role: "role", DLQ: "dead",
		Queue: map[queue.Name]string{queue.Control: "control"},
	})
}

// What AWS is told of a schedule.
func TestInput(t *testing.T) {
	t.Parallel()
	payload := func(in string) string { return `{"at":"` + in + `","also":"` + in + `"}` }
	tokyo := time.FixedZone("", 9*60*60)
	for name, c := range map[string]struct {
		s                 timer.Schedule
		expression, input string
		zone              string
		start, end        time.Time
		state             types.ScheduleState
	}{
		"once": {s: timer.Schedule{At: time.Date(2026, 5, 2, 8, 30, 0, 0, tokyo)},
			expression: "at(2026-05-01T23:30:00)", input: "2026-05-01T23:30:00Z"},
		"once, between two seconds": {s: timer.Schedule{At: now.Add(time.Minute + time.Millisecond)},
			expression: "at(2026-05-01T10:01:01)", input: "2026-05-01T10:01:00Z"},
		"once, passed": {s: timer.Schedule{At: now.Add(-48 * time.Hour)},
			expression: "at(2026-05-01T10:00:05)", input: "2026-04-29T10:00:00Z"},
		"once, now": {s: timer.Schedule{At: now.Add(time.Second)},
			expression: "at(2026-05-01T10:00:05)", input: "2026-05-01T10:00:01Z"},
		"every minute": {s: timer.Schedule{Every: time.Minute}, expression: "rate(1 minute)", input: eventbridge.DueAttribute},
		"every three hours from the next on": {
			s:          timer.Schedule{Every: 3 * time.Hour, Start: now.Add(time.Hour).In(tokyo), End: now.Add(4 * time.Hour).In(tokyo)},
			expression: "rate(180 minutes)", input: eventbridge.DueAttribute, start: now.Add(time.Hour), end: now.Add(4*time.Hour + time.Second)},
		"every three hours, since yesterday": {
			s:          timer.Schedule{Every: 3 * time.Hour, Start: now.Add(-25 * time.Hour)},
			expression: "rate(180 minutes)", input: eventbridge.DueAttribute, start: now.Add(2 * time.Hour)},
		"cron, from tomorrow on": {s: timer.Schedule{Cron: "0 9 * * ? *", Start: now.Add(24 * time.Hour)},
			expression: "cron(0 9 * * ? *)", input: eventbridge.DueAttribute, start: now.Add(24 * time.Hour)},
		"cron, since yesterday": {s: timer.Schedule{Cron: "0 9 * * ? *", Start: now.Add(-24 * time.Hour), End: now.Add(24 * time.Hour)},
			expression: "cron(0 9 * * ? *)", input: eventbridge.DueAttribute, end: now.Add(24*time.Hour + time.Second)},
		"cron": {s: timer.Schedule{Cron: "0 9 ? * MON-FRI *", Zone: "Asia/Shanghai", Paused: true},
			expression: "cron(0 9 ? * MON-FRI *)", zone: "Asia/Shanghai", input: eventbridge.DueAttribute, state: types.ScheduleStateDisabled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.s.Name, c.s.Queue, c.s.Payload = "x", queue.Control, []byte(payload(timer.Due))
			f := &fake{put: func(n int) error {
				if n == 1 {
					return &types.ConflictException{}
				}
				return nil
			}}
			if err := openFake(f).Put(t.Context(), c.s); err != nil {
				t.Fatal(err)
			}
			want := scheduler.CreateScheduleInput{
				Name: aws.String("x"), GroupName: aws.String("prod"), ScheduleExpression: aws.String(c.expression),
				ActionAfterCompletion: "DELETE", FlexibleTimeWindow: &types.FlexibleTimeWindow{Mode: "OFF"}, State: "ENABLED",
				Target: &types.Target{
					Arn: aws.String("control"), RoleArn: aws.String("role"), Input: aws.String(payload(c.input)),
					DeadLetterConfig: &types.DeadLetterConfig{Arn: aws.String("dead")},
					RetryPolicy:      &types.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(3600), MaximumRetryAttempts: aws.Int32(185)},
				},
			}
			if c.state != "" {
				want.State = c.state
			}
			if c.zone != "" {
				want.ScheduleExpressionTimezone = &c.zone
			}
			if !c.start.IsZero() {
				want.StartDate = &c.start
			}
			if !c.end.IsZero() {
				want.EndDate = &c.end
			}
			exported := cmpopts.IgnoreUnexported(want, types.FlexibleTimeWindow{}, types.Target{}, types.DeadLetterConfig{}, types.RetryPolicy{})
			if diff := cmp.Diff(want, f.created, exported); diff != "" {
				t.Errorf("created (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want, scheduler.CreateScheduleInput(f.updated), exported); diff != "" {
				t.Errorf("updated (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPutTriesBothWays(t *testing.T) {
	t.Parallel()
	conflict, gone, fault := &types.ConflictException{}, &types.ResourceNotFoundException{}, errors.New("fault")
	for name, c := range map[string]struct {
		answers []error
		asked   []string
		err     error
	}{
		"new":                        {[]error{nil}, []string{"create"}, nil},
		"there":                      {[]error{conflict, nil}, []string{"create", "update"}, nil},
		"fired meanwhile":            {[]error{conflict, gone, nil}, []string{"create", "update", "create"}, nil},
		"never the same":             {[]error{conflict, gone, conflict, gone}, []string{"create", "update", "create", "update"}, gone},
		"no such group":              {[]error{gone}, []string{"create"}, gone},
		"fault":                      {[]error{fault}, []string{"create"}, fault},
		"fault of the update":        {[]error{conflict, fault}, []string{"create", "update"}, fault},
		"update while it is deleted": {[]error{conflict, conflict}, []string{"create", "update"}, conflict},
	} {
		f := &fake{put: func(n int) error { return c.answers[n-1] }}
		err := openFake(f).Put(t.Context(), timer.Schedule{Name: "x", At: now, Queue: queue.Control, Payload: []byte("{}")})
		if !errors.Is(err, c.err) || !slices.Equal(f.asked, c.asked) {
			t.Errorf("%s: %v after %v, want %v after %v", name, err, f.asked, c.err, c.asked)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for field, s := range map[string]timer.Schedule{
		"queue": {At: now, Queue: queue.Receipts},
		"end":   {Every: time.Hour, Start: now.Add(-2 * time.Hour), End: now.Add(-time.Minute), Queue: queue.Control},
		"cron":  {Cron: "0 9 1 1 ? 2025", Queue: queue.Control},
		"name":  {Name: "no name", At: now, Queue: queue.Control},
	} {
		if s.Name == "" {
			s.Name = "x"
		}
		s.Payload = []byte("{}")
		f := &fake{}
		var wrong *timer.FieldError
		if err := openFake(f).Put(t.Context(), s); !errors.As(err, &wrong) || wrong.Field != field || len(f.asked) > 0 {
			t.Errorf("%s: %v after %v", field, err, f.asked)
		}
	}
}

func TestListTakesAllPages(t *testing.T) {
	t.Parallel()
	f := &fake{pages: [][]string{{"b", "c"}, {}, {"a"}}}
	got, err := openFake(f).List(t.Context(), "")
	if diff := cmp.Diff([]string{"a", "b", "c"}, got); diff != "" || err != nil || f.listed.NamePrefix != nil || *f.listed.GroupName != "prod" {
		t.Errorf("%v (-want +got):\n%s\nasked: %+v", err, diff, f.listed)
	}
	f = &fake{pages: [][]string{{}}}
	if got, err := openFake(f).List(t.Context(), "p-"); err != nil || got == nil || len(got) != 0 || *f.listed.NamePrefix != "p-" {
		t.Errorf("%v %v, asked: %+v", got, err, f.listed)
	}
	if _, err := openFake(&fake{}).List(t.Context(), ""); err == nil {
		t.Error("List without an answer: no error")
	}
}
