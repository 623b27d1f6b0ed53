package store_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store/memory"
)

// Of many workers at once as many get a place as there are; one that asks again has its own; another
// recipient and another route have their own cap.
func TestTakePlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	to := w.Partition(message.Phone, anna, 1, "")
	ids := make([]message.ID, 12)
	for i := range ids {
		ids[i] = message.NewID(to, newULID(t0))
	}
	take := func(now message.Time, route string, id message.ID) time.Duration {
		_, wait, err := w.over(w.db).TakePlace(w.Context(), sys, now, route, id, 3, time.Hour)
		if err != nil {
			t.Error(err)
		}
		return wait
	}
	var got atomic.Int32
	var mu sync.Mutex
	var winner message.ID
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() {
			if take(t0, "sale", id) == 0 {
				got.Add(1)
				mu.Lock()
				winner = id
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if n := got.Load(); n != 3 {
		t.Errorf("%d places of 3", n)
	}
	if wait := take(t0.Add(time.Minute), "sale", winner); wait != 0 {
		t.Errorf("one that has its place waits %s", wait)
	}
	later := message.NewID(to, newULID(t0))
	if wait := take(t0.Add(time.Minute), "sale", later); wait != 59*time.Minute {
		t.Errorf("waits %s", wait)
	}
	if wait := take(t0.Add(time.Minute), "other", later); wait != 0 {
		t.Errorf("another route's: %s", wait)
	}
	if wait := take(t0.Add(time.Minute), "sale", message.NewID(w.Partition(message.Phone, "+8613800138001", 1, ""), newULID(t0))); wait != 0 {
		t.Errorf("another recipient's: %s", wait)
	}
	if wait := take(t0.Add(time.Hour), "sale", later); wait != 0 {
		t.Errorf("an hour later: %s", wait)
	}
	if _, _, err := w.TakePlace(w.Context(), shop, t0, "sale", later, 3, time.Hour); err == nil {
		t.Error("a tenant took a place")
	}
}

// Who takes a place by a clock that is behind does not have the table remove what others took.
func TestPlacesOutliveAClockThatIsBehind(t *testing.T) {
	t.Parallel()
	db := memory.New()
	w := worldOver(t, db)
	to := w.Partition(message.Phone, anna, 1, "")
	for _, now := range []message.Time{t0.Add(5 * time.Minute), t0} {
		if _, wait, err := w.over(w.db).TakePlace(w.Context(), sys, now, "sale", message.NewID(to, newULID(t0)), 2, 10*time.Minute); wait != 0 || err != nil {
			t.Fatal(wait, err)
		}
	}
	for _, k := range db.Expired(int64(t0.Add(14*time.Minute)) / 1000) {
		if strings.HasPrefix(k.PK, "cap#") {
			t.Errorf("%s is removed while it holds a place", k.PK)
		}
	}
}

// What recipients take of one cap lies in as many partitions: a table takes a thousand writes a second to each.
func TestPlacesAreSpread(t *testing.T) {
	t.Parallel()
	db := memory.New()
	w := worldOver(t, db)
	for _, to := range []string{anna, "+8613800138001", "+8613800138002"} {
		if _, _, err := w.TakePlace(w.Context(), sys, t0, "sale", message.NewID(w.Partition(message.Phone, to, 1, ""), newULID(t0)), 2, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	partitions := map[string]bool{}
	for k := range db.Data() {
		if strings.HasPrefix(k.PK, "cap#") {
			partitions[k.PK] = true
		}
	}
	if len(partitions) != 3 {
		t.Errorf("in %v", partitions)
	}
}
