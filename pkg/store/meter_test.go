package store_test

import (
	"sync"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/store"
)

// Windows of a kind are counted apart, and so are subjects; those of a second and of a minute that begin
// together do not meet.
func TestMeterCountsApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := limit.Limits{PerSecond: 3, PerMinute: 30, PerDay: 100, Urgent: 0.2, Zone: 8 * time.Hour}
	minute := t0.Add(-t0.Sub(0) % time.Minute)
	first := l.Windows(minute)
	count := func(of store.Subject, windows []limit.Window, n int, urgent bool, want ...limit.Level) {
		t.Helper()
		got, err := w.Meter(t.Context(), of, windows, n, urgent)
		if err != nil {
			t.Fatal(err)
		}
		all, err := w.Levels(t.Context(), store.Metered{Of: store.AccountLimits("nobody"), Windows: windows}, store.Metered{Of: of, Windows: windows})
		if err != nil {
			t.Fatal(err)
		}
		read := all[1]
		if all[0][0] != (limit.Level{}) {
			t.Errorf("nobody has used %+v", all[0])
		}
		for i := range want {
			if got[i] != want[i] || read[i] != want[i] {
				t.Errorf("%s: told %+v, read %+v, want %+v", windows[i].Kind, got[i], read[i], want[i])
			}
		}
	}
	a, b := store.AccountLimits("a"), store.TenantLimits("a", limit.Day)
	count(a, first, 2, false, limit.Level{Others: 2}, limit.Level{Others: 2}, limit.Level{Others: 2})
	count(a, first, 1, true, limit.Level{Urgent: 1, Others: 2}, limit.Level{Urgent: 1, Others: 2}, limit.Level{Urgent: 1, Others: 2})
	count(b, first, 1, false, limit.Level{Others: 1}, limit.Level{Others: 1}, limit.Level{Others: 1})
	second := l.Windows(minute + 1000)
	count(a, second, 1, false, limit.Level{Others: 1}, limit.Level{Urgent: 1, Others: 3}, limit.Level{Urgent: 1, Others: 3})
	later := l.Windows(minute.Add(time.Minute))
	count(a, later, 1, false, limit.Level{Others: 1}, limit.Level{Others: 1}, limit.Level{Urgent: 1, Others: 4})
}

// Many ask at once: the places that they are given are each one's own, and no more than there are.
func TestMeterIsShared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	windows := limit.Limits{PerSecond: 100, Urgent: 0.2}.Windows(t0)
	given := make([]int, 40)
	var all sync.WaitGroup
	for i := range given {
		all.Go(func() {
			urgent := i%4 == 0
			levels, err := w.Meter(t.Context(), store.AccountLimits("a"), windows, 4, urgent)
			if err != nil {
				t.Error(err)
				return
			}
			given[i] = windows[0].Grant(levels[0], 4, urgent)
		})
	}
	all.Wait()
	sum := 0
	for _, n := range given {
		sum += n
	}
	if sum != 100 {
		t.Errorf("%d of 100 were given", sum)
	}
}
