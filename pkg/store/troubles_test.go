package store_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// stingy gives a few items at a time, as DynamoDB may.
type stingy struct{ store.Driver }

func (s stingy) Query(ctx context.Context, q store.Query) (store.Page, error) {
	q.Limit = min(q.Limit, 1+len(q.Value+q.After+q.To)%3)
	return s.Driver.Query(ctx, q)
}

// Whatever the shards and the pages are, all that went wrong is given once, newest first, those of one instant and
// those that share a ULID too, and nothing else.
func TestTroubles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := rand.New(rand.NewPCG(1, 2))
	var want []message.ID
	ulid := newULID(t0)
	for n := range 80 {
		if r.IntN(4) > 0 {
			ulid = newULID(t0 + message.Time(r.IntN(20)))
		}
		id := message.NewID(w.Partition(message.Phone, fmt.Sprintf("+86138%08d", n), 1, ""), ulid)
		bad := r.IntN(5) > 0
		accept(t, w.Store, t0, w.draft(fmt.Sprintf("+86138%08d", n), t0, func(d *store.Draft) {
			d.Message.ID, d.Same = id, []byte(id)
			if bad {
				d.Message.Status = message.Failed
			}
		}))
		if bad {
			want = append(want, id)
		}
	}
	slices.SortFunc(want, func(a, b message.ID) int {
		return cmp.Or(cmp.Compare(b.ULID(), a.ULID()), cmp.Compare(b.Partition(), a.Partition()))
	})
	for _, db := range []store.Driver{w.db, stingy{w.db}} {
		for _, limit := range []int{1, 2, 7, 200} {
			var got []message.ID
			for after := ""; ; {
				page, err := w.over(db).Troubles(t.Context(), shop, "shop", store.Day(t0), store.Range{}, limit, after)
				if err != nil {
					t.Fatal(err)
				}
				for _, rec := range page.Records {
					got = append(got, rec.ID)
				}
				if after = page.Next; after == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d at a time: got %d, want %d: %v, want %v", limit, len(got), len(want), got, want)
			}
		}
	}
}
