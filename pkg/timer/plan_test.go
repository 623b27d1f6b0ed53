package timer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/timer"
)

func TestNext(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		tm, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return tm
	}
	for name, c := range map[string]struct {
		s     timer.Schedule
		after string
		want  []string
	}{
		"once": {timer.Schedule{At: at("2026-05-01T10:00:00+08:00")}, "2026-05-01T01:00:00Z", []string{"2026-05-01T02:00:00Z", ""}},
		"period from start": {timer.Schedule{Every: 90 * time.Minute, Start: at("2026-05-01T00:10:00Z")}, "2026-05-01T03:10:00Z",
			[]string{"2026-05-01T04:40:00Z", "2026-05-01T06:10:00Z"}},
		"period before start": {timer.Schedule{Every: time.Hour, Start: at("2026-05-01T00:10:00Z")}, "2020-05-01T00:00:00Z",
			[]string{"2026-05-01T00:10:00Z", "2026-05-01T01:10:00Z"}},
		"period without start": {timer.Schedule{Every: time.Hour}, "2026-05-01T00:10:01Z", []string{"2026-05-01T01:00:00Z"}},
		"start and end count": {timer.Schedule{Cron: "0 9 * * ? *", Zone: "Asia/Shanghai", Start: at("2026-05-01T01:00:00Z"), End: at("2026-05-02T01:00:00Z")},
			"2026-01-01T00:00:00Z", []string{"2026-05-01T01:00:00Z", "2026-05-02T01:00:00Z", ""}},
		"end of a period": {timer.Schedule{Every: time.Hour, Start: at("2026-05-01T00:00:00Z"), End: at("2026-05-01T01:59:59Z")},
			"2026-05-01T00:00:00Z", []string{"2026-05-01T01:00:00Z", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.s.Name, c.s.Queue, c.s.Payload = "x", queue.Control, []byte("{}")
			plan, err := c.s.Plan()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for next := at(c.after); len(got) < len(c.want); {
				if next = plan.Next(next); next.IsZero() {
					got = append(got, "")
					break
				}
				got = append(got, next.Format(time.RFC3339))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A period fires at start and every period after it, and nothing between.
func TestEvery(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		every := time.Duration(rapid.IntRange(1, 100000).Draw(t, "minutes")) * time.Minute
		start := time.Unix(rapid.Int64Range(1, 4e9).Draw(t, "start"), 0)
		after := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "after"), 0)
		plan, err := timer.Schedule{Name: "x", Queue: queue.Control, Payload: []byte("{}"), Every: every, Start: start}.Plan()
		if err != nil {
			t.Fatal(err)
		}
		next := plan.Next(after)
		switch {
		case !next.After(after), next.Before(start), next.Sub(start)%every != 0:
			t.Fatalf("after %v: %v", after, next)
		case next.Add(-every).After(after) && !next.Equal(start):
			t.Fatalf("after %v: %v left one out", after, next)
		}
	})
}

// All that is wrong is told at once.
func TestAllProblems(t *testing.T) {
	t.Parallel()
	_, err := timer.Schedule{Name: "no/name", Every: time.Second, Cron: "nonsense", Zone: "Mars/Olympus"}.Plan()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%v", err)
	}
	var fields []string
	for _, err := range joined.Unwrap() {
		var e *timer.FieldError
		if errors.As(err, &e) {
			fields = append(fields, e.Field)
		}
	}
	if diff := cmp.Diff([]string{"name", "cron", "every", "cron", "zone", "queue", "payload"}, fields); diff != "" {
		t.Errorf("(-want +got):\n%s\n%v", diff, err)
	}
}
