package store_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Of all who want to ask an account's provider at one time, one does; and who was overtaken keeps nothing.
func TestPace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := t0
	var mine atomic.Int32
	var first store.Pace
	for round := range 3 {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				p, ok, err := w.TakePace(t.Context(), sys, now, "a", time.Minute)
				if err != nil {
					t.Error(err)
				}
				if ok {
					mine.Add(1)
					first = p
				}
			})
		}
		all.Wait()
		if n := int(mine.Load()); n != round+1 {
			t.Fatalf("%d asked in %d rounds", n, round+1)
		}
		now = now.Add(time.Minute)
	}
	late := first
	first.Cursor, first.Failures = "c", 2
	if ok, err := w.PutPace(t.Context(), sys, now, first); !ok || err != nil {
		t.Error(ok, err)
	}
	late.Cursor = "old"
	if ok, err := w.PutPace(t.Context(), sys, now, late); ok || err != nil {
		t.Error("an old cursor replaced a new one", err)
	}
	got, err := w.Paces(t.Context(), sys)
	if err != nil || len(got) != 1 || got[0].Account != "a" || got[0].Cursor != "c" || got[0].Failures != 2 || got[0].Next != now || got[0].Asked != now.Add(-time.Minute) {
		t.Errorf("%+v %v", got, err)
	}
	for name, who := range principals() {
		if who.p.IsSystem() {
			continue
		}
		_, err := w.Paces(t.Context(), who.p)
		_, _, err2 := w.TakePace(t.Context(), who.p, now, "a", time.Minute)
		_, err3 := w.PutPace(t.Context(), who.p, now, first)
		if errors.Is(err, store.ErrNotFound) == who.p.May(tenant.Operate) || !errors.Is(err2, store.ErrNotFound) || !errors.Is(err3, store.ErrNotFound) {
			t.Errorf("%s: %v %v %v", name, err, err2, err3)
		}
	}
}
