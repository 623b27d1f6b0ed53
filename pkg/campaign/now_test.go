package campaign_test

import (
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
)

// Who starts a schedule by hand is refused while a run of it is under way, though the list does not show that one
// yet; when it has ended there may be another.
func TestRunNowOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.schedule(daily(), rows())
	w.written.lags = 100
	first, err := w.camp.RunSchedule(t.Context(), shop, "shop", "bills", "", "now")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.Advance(time.Second)
		for _, day := range []string{"", "2026-03-31"} {
			if r, err := w.camp.RunSchedule(t.Context(), shop, "shop", "bills", day, "now"); problem.From(err).Code != problem.NotAllowedNow {
				t.Errorf("beside %s there is %s: %v", first.ID, r.ID, err)
			}
		}
	}
	j, err := w.Store.Job(t.Context(), system, first.ID)
	if err != nil {
		t.Fatal(err)
	}
	j.State, j.Due = store.JobDone, 0
	if _, err := w.Store.SaveJob(t.Context(), system, w.Time(), j); err != nil {
		t.Fatal(err)
	}
	if r, err := w.camp.RunSchedule(t.Context(), shop, "shop", "bills", "", "again"); err != nil || r.ID == first.ID {
		t.Errorf("after its end: %s, %v", r.ID, err)
	}
}
