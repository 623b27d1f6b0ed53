package campaign_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/campaign"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// written counts what is put into the store, by what its partition begins with: m for messages, k for claims.
type written struct {
	store.Driver
	mu   sync.Mutex
	puts map[string]int
	lags int // so many answers of the list's index lack their newest
}

// Query implements store.Driver.
func (w *written) Query(ctx context.Context, q store.Query) (store.Page, error) {
	out, err := w.Driver.Query(ctx, q)
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(out.Items); n > 0 && q.Index == store.ByList && w.lags > 0 {
		w.lags--
		out.Items = out.Items[:n-1]
	}
	return out, err
}

// Write implements store.Driver.
func (w *written) Write(ctx context.Context, now message.Time, sequences ...[]store.Op) ([]store.Result, error) {
	w.mu.Lock()
	for _, ops := range sequences {
		for _, op := range ops {
			if op.Cond != store.Vacant && !op.Delete {
				kind, _, _ := strings.Cut(op.Item.PK, "#")
				w.puts[kind]++
			}
		}
	}
	w.mu.Unlock()
	return w.Driver.Write(ctx, now, sequences...)
}

// What a row costs on AWS: a claim and a record, and a tenth of a call of SQS; a page costs one more call and
// its job's record; a schedule is one of EventBridge.
func TestBudget(t *testing.T) {
	t.Parallel()
	const rows = 600
	w := newWorld(t)
	o := hello(w.upload(list(rows)))
	o.Send = true
	r := w.create(o)
	w.written.puts, w.calls = map[string]int{}, 0 // nothing else is at work
	w.work(3 * time.Second)
	j := w.job(r.ID)
	if j.Counts["made"] != rows {
		t.Fatal(j.Counts, j.State)
	}
	pages := int(j.Page)
	if most := rows/10 + pages; w.calls > most {
		t.Errorf("%d calls of SQS for %d rows in %d pages, more than %d", w.calls, rows, pages, most)
	}
	// Beside the claims (k) and the records (m): the job's record after each page, and data keys.
	if n := w.written.puts; n["m"] != rows || n["k"] > rows || n["j"] > pages+2 || n["key"] > 2 {
		t.Errorf("%d rows in %d pages wrote %v", rows, pages, n)
	}
	w.schedule(daily(), campaign.AudienceDraft{Path: "bills.csv"})
	if n := len(w.timer.kept); n != 1 {
		t.Errorf("%d schedules of EventBridge for one of ours", n)
	}
}
