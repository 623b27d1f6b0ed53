package campaign_test

import (
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/audience"
	"github.com/opennotify/notify/pkg/campaign"
)

// A schedule's list stays while it sends to it, however old it is, and for 30 days after it was cancelled or got
// another one; then it goes, and nothing else does.
func TestTidy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	put := func(name string, d campaign.AudienceDraft, version int64) campaign.Versioned {
		s := daily()
		s.Name = name
		v, err := w.camp.PutSchedule(t.Context(), shop, s, d, campaign.Change{Version: version})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	cancel := func(name string) {
		if err := w.camp.DeleteSchedule(t.Context(), shop, "shop", name, campaign.Change{}); err != nil {
			t.Fatal(err)
		}
	}
	upload := campaign.AudienceDraft{Upload: w.upload("to,name\n+8613800138000,Li\n"), Columns: audience.Columns{Vars: map[string]string{"order": "name"}}}
	stays, over := put("stays", upload, 0), put("over", rows(), 0)
	first := put("changed", rows(), 0)
	unsaved := "audiences/shop/unsaved/" + w.NewULID(w.Time()) + ".jsonl"
	for _, key := range []string{unsaved, "audiences/shop/stays/theirs", "audiences/readme", "sources/shop/bills.csv"} {
		if err := w.blobs.Put(t.Context(), key, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	day := func(n int) { w.Advance(time.Duration(n) * 24 * time.Hour) }
	left := func(removed int, keys ...string) {
		t.Helper()
		for again := range 2 { // the second time there is nothing to do
			if n, err := w.camp.Tidy(t.Context()); err != nil || n != removed*(1-again) {
				t.Fatalf("%d removed: %v", n, err)
			}
		}
		got, err := w.blobs.List(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		has := map[string]bool{}
		for _, key := range got {
			has[key] = true
		}
		for _, key := range append(keys, stays.Audience.Kept, "audiences/shop/stays/theirs", "audiences/readme", "sources/shop/bills.csv") {
			if !has[key] {
				t.Errorf("%s is gone", key)
			}
		}
		if want := len(keys) + 5; len(got) != want { // the upload, which goes by its own rule, too
			t.Errorf("%d are left, want %d: %v", len(got), want, got)
		}
	}
	day(29)
	left(0, over.Audience.Kept, first.Audience.Kept, unsaved)
	day(2)
	left(1, over.Audience.Kept, first.Audience.Kept)
	second := put("changed", rows(), first.Version)
	day(20)
	third := put("changed", campaign.AudienceDraft{Unchanged: true}, second.Version)
	if third.Audience.Kept != second.Audience.Kept {
		t.Fatal(third.Audience)
	}
	cancel("over")
	day(11) // 31 since it got another list, 11 since that was cancelled
	left(1, over.Audience.Kept, second.Audience.Kept)
	day(20)
	again := put("over", rows(), 0) // the name only
	left(1, second.Audience.Kept, again.Audience.Kept)
	cancel("changed")
	cancel("over")
	day(31)
	left(2)
	// A tick does so too, once an hour.
	put("ticked", rows(), 0)
	cancel("ticked")
	day(31)
	w.until(w.Now().Truncate(time.Hour).Add(time.Hour + 17*time.Minute))
	w.put(`{"kind":"tick"}`)
	w.step()
	left(0)
}
