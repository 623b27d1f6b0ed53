package store_test

import (
	"sync"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/breaker"
)

// What many processes see at once is all told, and everybody reads the same.
func TestBreakersAreShared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if _, _, err := w.Observe(t.Context(), t0, "a", breaker.Seen{Bad: 2}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got, err := w.Breakers(t.Context())
	if err != nil || len(got) != 1 || got[0].Account != "a" || got[0].State(t0) != breaker.Open {
		t.Fatalf("%+v %v", got, err)
	}
}

// A healthy account has no record, and costs no write.
func TestHealthyBreakersAreNotKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	observe := func(seen breaker.Seen, later time.Duration) {
		t.Helper()
		if _, _, err := w.Observe(t.Context(), t0.Add(later), "a", seen); err != nil {
			t.Fatal(err)
		}
	}
	before := w.sql.Stats().Commits
	observe(breaker.Seen{Good: 100}, 0)
	if n := w.sql.Stats().Commits - before; n != 0 {
		t.Errorf("%d commits", n)
	}
	observe(breaker.Seen{Good: 100, Bad: 1}, 0)
	if got, err := w.Breakers(t.Context()); err != nil || len(got) != 1 {
		t.Errorf("%+v %v", got, err)
	}
	observe(breaker.Seen{Good: 100}, time.Minute)
	if got, err := w.Breakers(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("%+v %v", got, err)
	}
}

// What is owed is kept until it is paid, once.
func TestOwed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := t0
	for _, seen := range []breaker.Seen{{Bad: 30}, {Good: 9}, {Good: 9}, {Good: 9}, {Good: 9}, {Good: 9}, {Good: 9}, {Good: 9}} {
		if _, _, err := w.Observe(t.Context(), now, "a", seen); err != nil {
			t.Fatal(err)
		}
		now = now.Add(20 * time.Second)
	}
	got, err := w.Breakers(t.Context())
	if err != nil || len(got) != 1 || got[0].Owed != t0.Add(-30*time.Second) {
		t.Fatalf("%+v %v", got, err)
	}
	now = now.Add(time.Minute)
	for _, owed := range []bool{false, true} { // another's payment changes nothing
		pay := got[0].Owed
		if !owed {
			pay++
		}
		if err := w.Pay(t.Context(), now, "a", pay); err != nil {
			t.Fatal(err)
		}
		if left, err := w.Breakers(t.Context()); err != nil || len(left) != map[bool]int{false: 1, true: 0}[owed] {
			t.Errorf("%+v %v", left, err)
		}
	}
}
