package stats_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/stats"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/storetest"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
)

// adder keeps what it is asked to add.
type adder struct {
	mu    sync.Mutex
	calls int
	items int
	sum   int64
}

func (a *adder) Count(_ context.Context, _ tenant.Principal, _ uint32, tallies ...store.Tally) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls, a.items = a.calls+1, a.items+len(tallies)
	for _, t := range tallies {
		for _, n := range t.Fields {
			a.sum += n
		}
	}
	return nil
}

// A batch of ten messages of one tenant costs one item to add to.
func TestOneBatchOneItem(t *testing.T) {
	t.Parallel()
	var to adder
	c := stats.NewCounters(func() time.Time { return start }, 0)
	c.KeepIn(&to)
	l := telemetry.Labels{Tenant: "shop", Channel: "sms", Account: "main", Template: "shop/hello"}
	for range 10 {
		c.Count("sent", 1, l)
		c.Count("tracked", 1, l)
		c.Observe("accept_to_sent", 1, telemetry.Milliseconds, l)
	}
	for range 2 {
		if err := c.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if to.calls != 1 || to.items != 1 || to.sum != 20 {
		t.Errorf("%d calls, %d items, sum %d", to.calls, to.items, to.sum)
	}
}

// Invocations hard on the heels of one another write once a second; one that comes alone writes at once.
func TestSettle(t *testing.T) {
	t.Parallel()
	var to adder
	now := start
	c := stats.NewCounters(func() time.Time { return now }, 0)
	c.KeepIn(&to)
	writes := func(after time.Duration) int {
		before := to.calls
		now = now.Add(after)
		c.Count("accepted", 1, telemetry.Labels{})
		if err := c.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		return to.calls - before
	}
	for i, tc := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {time.Second, 1}, {300 * time.Millisecond, 1}, {100 * time.Millisecond, 0}, {199 * time.Millisecond, 0}, {300 * time.Millisecond, 1}} {
		if got := writes(tc.after); got != tc.want {
			t.Errorf("%d: %s after the last: %d writes, want %d", i, tc.after, got, tc.want)
		}
	}
	n := 0
	for range 100 {
		n += writes(20 * time.Millisecond)
	}
	if n < 1 || n > 2 {
		t.Errorf("%d writes in two busy seconds", n)
	}
	if writes(time.Minute); to.sum != 107 {
		t.Errorf("%d were counted", to.sum)
	}
}

// Many count at once, while it is flushed, and none is lost.
func TestCountingSideBySide(t *testing.T) {
	t.Parallel()
	var to adder
	c := stats.NewCounters(func() time.Time { return start }, 0)
	c.KeepIn(&to)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 500 {
				c.Count("sent", 1, telemetry.Labels{Template: fmt.Sprint(j % 7)})
				if j%100 == i {
					_ = c.Flush(t.Context())
				}
			}
		})
	}
	all.Wait()
	if err := c.Flush(t.Context()); err != nil || to.sum != 4000 {
		t.Errorf("%d, %v", to.sum, err)
	}
}

// Templates without end are told as other ones, and nothing is missing from the sums.
func TestTooManyTemplates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const many = 1500
	for i := range many {
		for range 1 + many/(i+1) {
			w.procs[0].Count("sent", 1, telemetry.Labels{Tenant: "shop", Channel: "sms", Template: fmt.Sprintf("shop/t%d", i)})
		}
		if i%400 == 0 {
			if err := w.procs[0].Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.procs[0].Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	q := stats.Query{By: "template", Top: 100}
	live, err := w.stats.Read(t.Context(), operator, q)
	if err != nil {
		t.Fatal(err)
	}
	w.clock = w.clock.Add(10 * time.Minute)
	if err := w.stats.Fold(t.Context()); err != nil {
		t.Fatal(err)
	}
	folded, err := w.stats.Read(t.Context(), operator, q)
	if err != nil {
		t.Fatal(err)
	}
	var want int64
	for i := range many {
		want += 1 + many/(int64(i)+1)
	}
	for _, a := range []*stats.Answer{live, folded} {
		top := a.Groups[0]
		if a.Total.Counts["sent"] != want || len(a.Groups) != 100 || top.Name != "shop/t0" || top.Counts["sent"] != 1501 || top.Peaks["sent"].N != 1501 {
			t.Errorf("sent %d of %d, %d groups, %+v", a.Total.Counts["sent"], want, len(a.Groups), top)
		}
	}
}

// A fold that is cut off, before or after whichever call, and begun again, gives what one in peace gives.
func TestFoldCutOff(t *testing.T) {
	t.Parallel()
	figures := func(at int, after bool) (*stats.Answer, int) {
		w := newWorld(t)
		for i := range 24 {
			for j := range 6 {
				w.procs[0].Count("sent", int64(i+j), telemetry.Labels{Tenant: tenants[j%2], Channel: "sms", Account: accounts[j%3]})
			}
			w.clock = w.clock.Add(3 * time.Minute)
			if err := w.procs[0].Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		calls := 0
		w.fault = func(string) storetest.Fault {
			calls++
			switch {
			case calls != at:
				return storetest.Fault{}
			case after:
				return storetest.Fault{After: errors.New("lost")}
			}
			return storetest.Fault{Before: errors.New("down")}
		}
		w.clock = w.clock.Add(time.Hour)
		if err := w.stats.Fold(t.Context()); (err != nil) != (at > 0) {
			t.Fatalf("call %d: %v", at, err)
		}
		if err := w.stats.Fold(t.Context()); err != nil {
			t.Fatal(err)
		}
		n := calls
		w.fault = nil
		a, err := w.stats.Read(t.Context(), operator, stats.Query{Step: "hour", By: "tenant", From: start.Add(-time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		if until, err := w.store.Folded(t.Context()); err != nil || until < message.At(w.clock.Add(-7*time.Minute)) {
			t.Fatalf("folded until %s, %v", until, err)
		}
		return a, n
	}
	want, calls := figures(0, false)
	for at := 1; at < calls-2; at += max(calls/10, 1) {
		for _, after := range []bool{false, true} {
			if got, _ := figures(at, after); !cmp.Equal(want, got) {
				t.Fatalf("cut off at call %d of %d (after: %v):\n%s", at, calls, after, cmp.Diff(want, got))
			}
		}
	}
}
