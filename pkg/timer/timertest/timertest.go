package timertest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/timer"
)

// Harness is an opened timer that runs until the end of its test.
type Harness struct {
	Timer timer.Timer
	// Fired gives the payloads that arrive in Queue.
	Fired <-chan string
}

// Queue is where the cases' schedules fire.
const Queue = queue.Control

// Features are where timers differ.
type Features struct {
	// Bubble: the timer does no I/O, so its cases run in testing/synctest bubbles and waiting is free.
	Bubble bool
	// Step is how far ahead a schedule must be to be put in time, and how far apart two must be so that
	// they surely fire in order: 2 s. A service that fires within the minute needs 2 min.
	Step time.Duration
	// Due: timer.Due is replaced; an emulator may not do that.
	Due bool
	// Past: a time that has passed fires at once.
	Past bool
	// Recurs: there is time for the cases that wait for several periods of a minute.
	Recurs bool
	// Many is how many schedules are put for one instant: 100.
	Many int
	// Patience is how long a case waits before it fails: 10 min.
	Patience time.Duration
}

// Run runs every case. open gives a timer without schedules; it is called once a case, and cases run side by
// side.
func Run(t *testing.T, open func(t *testing.T) Harness, f Features) {
	if f.Step == 0 {
		f.Step = 2 * time.Second
	}
	if f.Many == 0 {
		f.Many = 100
	}
	if f.Patience == 0 {
		f.Patience = 10 * time.Minute
	}
	for _, c := range cases {
		if c.needs != nil && !c.needs(f) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			run := func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), f.Patience)
				defer cancel()
				c.run(&bench{T: t, Harness: open(t), Features: f, ctx: ctx, start: time.Now()})
			}
			if f.Bubble {
				synctest.Test(t, run)
			} else {
				run(t)
			}
		})
	}
}

func recurs(f Features) bool { return f.Recurs }

var cases = []struct {
	name  string
	needs func(Features) bool
	run   func(*bench)
}{
	{"at fires once and is gone", nil, once},
	{"one that has passed fires at once", func(f Features) bool { return f.Past }, past},
	{"deleted before it fires", nil, deleted},
	{"replaced before it fires", nil, replaced},
	{"paused does not fire, put again it does", nil, paused},
	{"the due time in the payload", func(f Features) bool { return f.Due }, due},
	{"many at one instant", nil, many},
	{"every fires from start to end", recurs, every},
	{"cron in a zone", recurs, cronInZone},
	{"cron goes on until it is deleted", recurs, cronGoesOn},
	{"names are listed by prefix, in order", nil, listed},
	{"nobody deletes what is not there", nil, unknown},
	{"invalid ones are refused by field", nil, invalid},
	{"nothing is done after the end of the context", nil, ended},
}

// bench is what a case works with.
type bench struct {
	*testing.T
	Harness
	Features
	ctx   context.Context
	start time.Time
}

// at is an instant n steps after the start, in whole seconds.
func (b *bench) at(n int) time.Time {
	return b.start.Add(time.Duration(n)*b.Step + time.Second).Truncate(time.Second)
}

func (b *bench) put(s timer.Schedule) {
	b.Helper()
	s.Queue = Queue
	if err := b.Timer.Put(b.ctx, s); err != nil {
		b.Fatalf("Put %q: %v", s.Name, err)
	}
}

func (b *bench) putAt(name string, at time.Time, payload string) {
	b.Helper()
	b.put(timer.Schedule{Name: name, At: at, Payload: []byte(payload)})
}

func (b *bench) next() string {
	b.Helper()
	select {
	case s := <-b.Fired:
		return s
	case <-b.ctx.Done():
		b.Fatal("waited in vain for a schedule to fire")
		return ""
	}
}

// until collects what fires until one step after an instant n steps from the start; how often each did.
func (b *bench) until(n int) map[string]int {
	b.Helper()
	b.putAt("the-last", b.at(n+1), "the last")
	counts := map[string]int{}
	for {
		s := b.next()
		if s == "the last" {
			return counts
		}
		counts[s]++
	}
}

func (b *bench) list(prefix string) []string {
	b.Helper()
	names, err := b.Timer.List(b.ctx, prefix)
	if err != nil {
		b.Fatalf("List %q: %v", prefix, err)
	}
	return names
}
