package sqlite_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/sqlite"
)

// A million rows take minutes to make: go test -bench . -rows 1000000
var rows = flag.Int("rows", 0, "how many messages the benchmarks' files hold beforehand")

// BenchmarkWrite does what accepting a message does: a claim, then the record with a due time.
func BenchmarkWrite(b *testing.B) {
	db := filled(b)
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			before := db.Stats()
			run(b, callers, func(n int64) error {
				_, err := db.Write(b.Context(), 1, accept(n))
				return err
			})
			after := db.Stats()
			b.ReportMetric(float64(after.Sequences-before.Sequences)/float64(after.Commits-before.Commits), "seq/commit")
		})
	}
}

// BenchmarkLifecycle adds what delivering does: the lease and the outcome, each at a revision.
func BenchmarkLifecycle(b *testing.B) {
	db := filled(b)
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			run(b, callers, func(n int64) error {
				seq := accept(n)
				if _, err := db.Write(b.Context(), 1, seq); err != nil {
					return err
				}
				record := seq[1].Item
				for rev := int64(1); rev < 3; rev++ {
					record.Rev, record.DueAt = rev+1, record.DueAt+35_000
					if rev == 2 {
						record.DueShard = ""
					}
					_, err := db.Write(b.Context(), 1, []store.Op{{Item: record, Cond: store.AtRev, At: rev}})
					if err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
}

func BenchmarkGet(b *testing.B) {
	db := filled(b)
	for n := range int64(1000) {
		if _, err := db.Write(b.Context(), 1, accept(-n-1)); err != nil {
			b.Fatal(err)
		}
	}
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			run(b, callers, func(n int64) error {
				got, err := db.Get(b.Context(), accept(-(n % 1000) - 1)[1].Item.Key)
				if err == nil && got[0] == nil {
					err = fmt.Errorf("message %d is missing", n)
				}
				return err
			})
		})
	}
}

// BenchmarkByPartition reads a recipient's newest messages.
func BenchmarkByPartition(b *testing.B) {
	db := filled(b)
	var seq []store.Op
	for n := range int64(50) {
		op := accept(-n - 1)[1]
		op.Item.PK = "m#recipient"
		seq = append(seq, op)
	}
	if _, err := db.Write(b.Context(), 1, seq); err != nil {
		b.Fatal(err)
	}
	run(b, 1, func(int64) error {
		page, err := db.Query(b.Context(), store.Query{Index: store.ByPartition, Value: "m#recipient", Desc: true, Limit: 50})
		if err == nil && len(page.Items) != 50 {
			err = fmt.Errorf("%d items", len(page.Items))
		}
		return err
	})
}

// run shares b.N calls among callers and reports the rate and how long one took.
func run(b *testing.B, callers int, call func(n int64) error) {
	b.Helper()
	var wg sync.WaitGroup
	took := make([]time.Duration, b.N)
	var next atomic.Int64
	b.ResetTimer()
	for range callers {
		wg.Go(func() {
			for {
				i := next.Add(1) - 1
				if i >= int64(b.N) {
					return
				}
				start := time.Now()
				if err := call(serial.Add(1)); err != nil {
					b.Error(err)
					return
				}
				took[i] = time.Since(start)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
	b.ReportMetric(float64(took[b.N/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[b.N*99/100].Microseconds())/1000, "p99-ms")
}

var serial atomic.Int64 // so that repeated benchmarks find no key taken

// accept is the sequence of the n-th message: keys as random as HMACs, 600 bytes.
func accept(n int64) []store.Op {
	sum := sha256.Sum256(strconv.AppendInt(nil, n, 10))
	hash := hex.EncodeToString(sum[:16])
	data := make([]byte, 600)
	copy(data, sum[:])
	return []store.Op{
		{Cond: store.Absent, Item: store.Item{Key: store.Key{PK: "c#" + hash, SK: "c"}, Rev: 1, Data: data[:60], Expires: 1_800_000_000 + n/1000}},
		{Cond: store.Absent, Item: store.Item{Key: store.Key{PK: "m#" + hash, SK: fmt.Sprintf("%026d", n)}, Rev: 1, Data: data,
			List: "shop#20260101#" + hash[:1], ListSort: fmt.Sprintf("%026d", n),
			DueShard: hash[:1], DueAt: message.Time(1_800_000_000_000 + n), Expires: 1_900_000_000}},
	}
}

// filled opens a file with as many messages as the flag says, as synced as production.
func filled(b *testing.B) *sqlite.DB {
	b.Helper()
	db, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "notify.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	for n := 0; n < *rows; {
		var part [][]store.Op
		for ; n < *rows && len(part) < 1000; n++ {
			part = append(part, accept(int64(n)+1<<40))
		}
		if _, err := db.Write(context.Background(), 1, part...); err != nil {
			b.Fatal(err)
		}
	}
	return db
}
