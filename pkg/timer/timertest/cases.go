package timertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/timer"
)

func (b *bench) check(what string, want, got any) {
	b.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		b.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func once(b *bench) {
	b.putAt("one", b.at(1), "1")
	b.check("listed before", []string{"one"}, b.list("one"))
	if got := b.next(); got != "1" {
		b.Errorf("%q fired", got)
	}
	if now := time.Now(); now.Before(b.at(1)) {
		b.Errorf("it fired %v early", b.at(1).Sub(now))
	}
	b.check("fired later", map[string]int{}, b.until(2))
	b.check("listed after", []string{}, b.list("one"))
}

func past(b *bench) {
	b.putAt("past", b.start.Add(-24*time.Hour), "late")
	if got := b.next(); got != "late" {
		b.Errorf("%q fired", got)
	}
}

func deleted(b *bench) {
	b.putAt("kept", b.at(1), "kept")
	b.putAt("gone", b.at(1), "gone")
	if err := b.Timer.Delete(b.ctx, "gone"); err != nil {
		b.Fatalf("Delete: %v", err)
	}
	b.check("fired", map[string]int{"kept": 1}, b.until(1))
}

func replaced(b *bench) {
	b.putAt("later", b.at(1), "first")
	b.putAt("later", b.at(2), "second")
	b.putAt("sooner", b.at(9), "third")
	b.putAt("sooner", b.at(1), "fourth")
	b.put(timer.Schedule{Name: "kind", Cron: "* * * * ? *", Payload: []byte("fifth")})
	b.putAt("kind", b.at(1), "sixth")
	b.check("listed", []string{"kind", "later", "sooner"}, b.list(""))
	b.check("fired", map[string]int{"second": 1, "fourth": 1, "sixth": 1}, b.until(2))
}

func paused(b *bench) {
	s := timer.Schedule{Name: "p", At: b.at(1), Paused: true, Payload: []byte("paused")}
	b.put(s)
	b.check("fired", map[string]int{}, b.until(1))
	b.check("listed", []string{"p"}, b.list("p"))
	s.At, s.Paused = b.at(3), false
	b.put(s)
	b.check("fired after all", map[string]int{"paused": 1}, b.until(4))
}

func due(b *bench) {
	at := b.at(1).In(time.FixedZone("", 8*60*60))
	b.putAt("d", at, `{"due":"<due>","key":"x/<due>"}`)
	want := at.UTC().Format(time.RFC3339)
	b.check("payload", fmt.Sprintf(`{"due":"%s","key":"x/%s"}`, want, want), b.next())
}

func many(b *bench) {
	want := map[string]int{}
	at := b.at(1 + b.Many/50) // a service takes 50 a second
	for i := range b.Many {
		b.putAt(fmt.Sprint("many-", i), at, fmt.Sprint(i))
		want[fmt.Sprint(i)] = 1
	}
	got := map[string]int{}
	for range b.Many {
		got[b.next()]++
	}
	b.check("fired", want, got)
}

// fullMinute is the first one that is at least a step ahead.
func (b *bench) fullMinute() time.Time { return b.at(1).Add(time.Minute - 1).Truncate(time.Minute) }

// stepsTo is how many steps there are to an instant.
func (b *bench) stepsTo(t time.Time) int { return int(t.Sub(b.start)/b.Step) + 1 }

func every(b *bench) {
	start := b.fullMinute()
	end := start.Add(90 * time.Second)
	b.put(timer.Schedule{Name: "e", Every: time.Minute, Start: start, End: end, Payload: []byte("tick")})
	b.check("fired", map[string]int{"tick": 2}, b.until(b.stepsTo(end.Add(time.Minute))))
}

func cronInZone(b *bench) {
	zone, err := time.LoadLocation("Asia/Kolkata") // half an hour from the others
	if err != nil {
		b.Fatal(err)
	}
	at := b.fullMinute()
	local := at.In(zone)
	expr := fmt.Sprintf("%d %d ? * %s %d", local.Minute(), local.Hour(),
		strings.ToUpper(local.Weekday().String()[:3]), local.Year())
	b.put(timer.Schedule{Name: "here", Cron: expr, Zone: "Asia/Kolkata", Payload: []byte("here")})
	b.put(timer.Schedule{Name: "elsewhere", Cron: expr, Zone: "Asia/Tokyo", Start: at, Payload: []byte("elsewhere")})
	b.check("fired", map[string]int{"here": 1}, b.until(b.stepsTo(at)))
}

func cronGoesOn(b *bench) {
	b.put(timer.Schedule{Name: "c", Cron: "* * * * ? *", Payload: []byte("minute")})
	b.next()
	b.next()
	if err := b.Timer.Delete(b.ctx, "c"); err != nil {
		b.Fatalf("Delete: %v", err)
	}
	now := b.stepsTo(time.Now())
	if n := b.until(now + b.stepsTo(b.start.Add(2*time.Minute)))["minute"]; n > 1 { // one may be on its way
		b.Errorf("it fired %d times after it was deleted", n)
	}
}

func listed(b *bench) {
	longest := "a" + strings.Repeat("z", 63)
	for _, name := range []string{"b", "a-2", "a-10", "a_1", "a.1", "A-1", longest, "0"} {
		b.putAt(name, b.start.Add(24*time.Hour), "never")
	}
	b.check("all", []string{"0", "A-1", "a-10", "a-2", "a.1", "a_1", longest, "b"}, b.list(""))
	b.check("a-", []string{"a-10", "a-2"}, b.list("a-"))
	b.check("nothing", []string{}, b.list("c"))
}

func unknown(b *bench) {
	if err := b.Timer.Delete(b.ctx, "x"); !errors.Is(err, timer.ErrNotFound) {
		b.Errorf("Delete of what never was: %v", err)
	}
	b.putAt("x", b.start.Add(time.Hour), "never")
	if err := b.Timer.Delete(b.ctx, "x"); err != nil {
		b.Errorf("Delete: %v", err)
	}
	if err := b.Timer.Delete(b.ctx, "x"); !errors.Is(err, timer.ErrNotFound) {
		b.Errorf("Delete of what was deleted: %v", err)
	}
}

func invalid(b *bench) {
	valid := timer.Schedule{Name: "x", At: b.at(100), Queue: Queue, Payload: []byte("{}")}
	clock := timer.Schedule{Name: "x", Cron: "0 9 * * ? *", Queue: Queue, Payload: []byte("{}")}
	change := func(s timer.Schedule, f func(*timer.Schedule)) timer.Schedule { f(&s); return s }
	for _, c := range []struct {
		field string
		s     timer.Schedule
	}{
		{"name", change(valid, func(s *timer.Schedule) { s.Name = "" })},
		{"name", change(valid, func(s *timer.Schedule) { s.Name = "two words" })},
		{"name", change(valid, func(s *timer.Schedule) { s.Name = "任务" })},
		{"name", change(valid, func(s *timer.Schedule) { s.Name = strings.Repeat("x", 65) })},
		{"at", change(valid, func(s *timer.Schedule) { s.At = time.Time{} })},
		{"every", change(valid, func(s *timer.Schedule) { s.Every = time.Hour })},
		{"cron", change(valid, func(s *timer.Schedule) { s.Cron = clock.Cron })},
		{"cron", change(clock, func(s *timer.Schedule) { s.Every = time.Hour })},
		{"every", change(clock, func(s *timer.Schedule) { s.Cron, s.Every = "", 59*time.Second })},
		{"every", change(clock, func(s *timer.Schedule) { s.Cron, s.Every = "", 90*time.Second })},
		{"every", change(clock, func(s *timer.Schedule) { s.Cron, s.Every = "", -time.Hour })},
		{"cron", change(clock, func(s *timer.Schedule) { s.Cron = "0 9 * * *" })},
		{"cron", change(clock, func(s *timer.Schedule) { s.Cron = "0 9 * * MON *" })},
		{"zone", change(clock, func(s *timer.Schedule) { s.Zone = "Mars/Olympus" })},
		{"zone", change(clock, func(s *timer.Schedule) { s.Zone = "Local" })},
		{"start", change(valid, func(s *timer.Schedule) { s.Start = b.start })},
		{"end", change(valid, func(s *timer.Schedule) { s.End = b.at(200) })},
		{"end", change(clock, func(s *timer.Schedule) { s.Start, s.End = b.at(2), b.at(1) })},
		{"queue", change(valid, func(s *timer.Schedule) { s.Queue = "" })},
		{"payload", change(valid, func(s *timer.Schedule) { s.Payload = nil })},
		{"payload", change(valid, func(s *timer.Schedule) { s.Payload = []byte("\xff") })},
		{"payload", change(valid, func(s *timer.Schedule) { s.Payload = make([]byte, queue.MaxBody+1) })},
	} {
		var field *timer.FieldError
		if err := b.Timer.Put(b.ctx, c.s); !errors.As(err, &field) || field.Field != c.field {
			b.Errorf("%+v: %v, want a *timer.FieldError of %s", c.s.Name, err, c.field)
		}
	}
	b.check("listed", []string{}, b.list(""))
}

func ended(b *bench) {
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	s := timer.Schedule{Name: "x", At: b.at(100), Queue: Queue, Payload: []byte("{}")}
	if err := b.Timer.Put(ctx, s); !errors.Is(err, context.Canceled) {
		b.Errorf("Put: %v", err)
	}
	if err := b.Timer.Delete(ctx, "x"); !errors.Is(err, context.Canceled) {
		b.Errorf("Delete: %v", err)
	}
	if _, err := b.Timer.List(ctx, ""); !errors.Is(err, context.Canceled) {
		b.Errorf("List: %v", err)
	}
}
