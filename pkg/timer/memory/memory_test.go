package memory

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/timer"
	"github.com/opennotify/notify/pkg/timer/timertest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	timertest.Run(t, func(t *testing.T) timertest.Harness {
		fired := make(sent, 1000)
		tm := New(time.Now, fired, Options{})
		run(t, tm)
		return timertest.Harness{Timer: tm, Fired: fired}
	}, timertest.Features{Bubble: true, Due: true, Past: true, Recurs: true, Many: 500, Patience: time.Hour})
}

// sent is a queue that tells what was put into it.
type sent chan string

func (s sent) Send(_ context.Context, _ queue.Name, items ...queue.Item) error {
	for _, it := range items {
		s <- string(it.Body)
	}
	return nil
}

// sender is a queue of one function.
type sender func(body string) error

func (f sender) Send(_ context.Context, _ queue.Name, items ...queue.Item) error {
	return f(string(items[0].Body))
}

// run runs a timer until the end of the test.
func run(t *testing.T, tm *Timer) {
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { tm.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
}

func put(t *testing.T, tm *Timer, s timer.Schedule) {
	t.Helper()
	s.Queue = queue.Control
	if s.Payload == nil {
		s.Payload = []byte(timer.Due)
	}
	if err := tm.Put(t.Context(), s); err != nil {
		t.Fatalf("Put: %v", err)
	}
}

// What cannot be sent is tried again, ever more slowly, and keeps nothing else waiting.
func TestRetries(t *testing.T) {
	t.Parallel()
	for _, rand := range []float64{0, 0.5} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			var tries []time.Duration
			others := 0
			tm := New(time.Now, sender(func(body string) error {
				if body == "other" {
					others++
					return nil
				}
				if tries = append(tries, time.Since(start)); len(tries) <= 9 {
					return errors.New("no queue today")
				}
				return nil
			}), Options{Rand: func() float64 { return rand }})
			run(t, tm)
			put(t, tm, timer.Schedule{Name: "x", At: start, Payload: []byte("x")})
			for i := range 5 {
				put(t, tm, timer.Schedule{Name: fmt.Sprint("other-", i), At: start.Add(time.Duration(i) * time.Second), Payload: []byte("other")})
			}
			<-time.After(10 * time.Second)
			synctest.Wait()
			if others != 5 {
				t.Errorf("%d others fired, want 5", others)
			}
			<-time.After(time.Hour)
			synctest.Wait()
			want := []time.Duration{0}
			for i, wait := range []float64{1, 2, 4, 8, 16, 32, 60, 60, 60} {
				want = append(want, want[i]+time.Duration(wait*(1-rand/2)*float64(time.Second)))
			}
			if diff := cmp.Diff(want, tries); diff != "" {
				t.Errorf("tries (-want +got):\n%s", diff)
			}
			if names, _ := tm.List(t.Context(), ""); len(names) != 0 {
				t.Errorf("still there: %q", names)
			}
		})
	}
}

// A machine that slept, or whose clock was set, fires once what it missed, for the last instant, within a
// minute.
func TestPauseFiresOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var jump atomic.Int64
		now := func() time.Time { return time.Now().Round(0).Add(time.Duration(jump.Load())) }
		fired := make(sent, 100)
		tm := New(now, fired, Options{})
		run(t, tm)
		start := now() // 2000-01-01T00:00:00Z in a bubble
		put(t, tm, timer.Schedule{Name: "at", At: start.Add(3 * time.Hour), Payload: []byte("at")})
		put(t, tm, timer.Schedule{Name: "every", Every: 7 * time.Minute, Start: start.Add(time.Hour), Payload: []byte("every <due>")})
		put(t, tm, timer.Schedule{Name: "cron", Cron: "0 9 * * ? *", Payload: []byte("cron <due>")})
		<-time.After(30 * time.Second)
		jump.Store(int64(58 * time.Hour)) // slept
		<-time.After(time.Minute)
		synctest.Wait()
		got := map[string]bool{}
		for len(fired) > 0 {
			s := <-fired
			if got[s] {
				t.Errorf("%q fired twice", s)
			}
			got[s] = true
		}
		want := map[string]bool{"at": true, "every 2000-01-03T09:56:00Z": true, "cron 2000-01-03T09:00:00Z": true}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// What is replaced or deleted while it is being sent stays so.
func TestChangedWhileFiring(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sending, sent := make(chan string), make(chan error)
		tm := New(time.Now, sender(func(body string) error { sending <- body; return <-sent }), Options{})
		run(t, tm)
		start := time.Now()
		put(t, tm, timer.Schedule{Name: "x", At: start, Payload: []byte("old")})
		<-sending
		put(t, tm, timer.Schedule{Name: "x", At: start.Add(time.Hour), Payload: []byte("new")})
		sent <- errors.New("no queue today")
		if got := <-sending; got != "new" || time.Since(start) != time.Hour {
			t.Errorf("%q fired after %v", got, time.Since(start))
		}
		if err := tm.Delete(t.Context(), "x"); err != nil {
			t.Errorf("Delete: %v", err)
		}
		sent <- errors.New("no queue today")
		<-time.After(time.Hour)
		if names, _ := tm.List(t.Context(), ""); len(names) != 0 || len(tm.firing) != 0 {
			t.Errorf("still there: %q", names)
		}
	})
}

// What never fires again is gone, and what never would is refused.
func TestEndOfSchedules(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fired := make(sent, 100)
		tm := New(time.Now, fired, Options{})
		run(t, tm)
		start := time.Now()
		put(t, tm, timer.Schedule{Name: "ends", Every: time.Minute, Start: start.Add(time.Minute), End: start.Add(3 * time.Minute)})
		<-time.After(time.Hour)
		if names, _ := tm.List(t.Context(), ""); len(names) != 0 || len(fired) != 3 {
			t.Errorf("still there: %q; %d fired", names, len(fired))
		}
		for field, s := range map[string]timer.Schedule{
			"end":  {Every: time.Hour, End: start.Add(-time.Minute)},
			"cron": {Cron: "0 0 30 2 ? *"},
		} {
			s.Name, s.Queue, s.Payload = "never", queue.Control, []byte("x")
			var wrong *timer.FieldError
			if err := tm.Put(t.Context(), s); !errors.As(err, &wrong) || wrong.Field != field {
				t.Errorf("%+v: %v, want a *timer.FieldError of %s", s, err, field)
			}
		}
	})
}
