package sqlite_test

import (
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
var rows = flag.Int("rows", 0, "how many messages the benchmark's file holds beforehand")

// BenchmarkDriver measures a file that is as synced as production's.
func BenchmarkDriver(b *testing.B) {
	db, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "notify.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	m := &messages{DB: db}
	if err := m.fill(b, *rows); err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct {
		name    string
		callers []int
		call    func(b *testing.B, n int64) error
	}{
		{"accept", []int{1, 16, 64}, m.accept},
		{"accept, lease, outcome", []int{1, 16, 64}, m.lifecycle},
		{"get", []int{1, 64}, m.get},
		{"recipient", []int{1, 64}, m.recipient},
	} {
		for _, callers := range bench.callers {
			b.Run(fmt.Sprintf("%s/callers=%d", bench.name, callers), func(b *testing.B) {
				before := db.Stats()
				run(b, callers, func() error { return bench.call(b, m.next.Add(1)) })
				after := db.Stats()
				if commits := after.Commits - before.Commits; commits > 0 {
					b.ReportMetric(float64(after.Sequences-before.Sequences)/float64(commits), "sequences/commit")
				}
			})
		}
	}
}

// run shares b.N calls among callers and reports the rate and how long one took.
func run(b *testing.B, callers int, call func() error) {
	b.Helper()
	var wg sync.WaitGroup
	var begun atomic.Int64
	took := make([]time.Duration, b.N)
	b.ResetTimer()
	for range callers {
		wg.Go(func() {
			for i := begun.Add(1) - 1; i < int64(b.N); i = begun.Add(1) - 1 {
				start := time.Now()
				if err := call(); err != nil {
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

// messages are numbered; next is the last number taken.
type messages struct {
	*sqlite.DB
	next atomic.Int64
}

// sequence is what accepting the n-th message writes: a claim, then the record, which is due. The keys
// are as random as HMACs, the record is 600 bytes.
func sequence(n int64) []store.Op {
	sum := sha256.Sum256(strconv.AppendInt(nil, n, 10))
	hash, ulid := hex.EncodeToString(sum[:16]), fmt.Sprintf("%026d", n)
	data := make([]byte, 600)
	copy(data, sum[:])
	shard := string('0' + rune(n%4))
	return []store.Op{
		{Cond: store.Absent, Item: store.Item{Key: store.Key{PK: "c#" + hash, SK: "c"}, Rev: 1, Data: data[:60], Expires: 1_800_000_000 + n/1000}},
		{Cond: store.Absent, Item: store.Item{Key: store.Key{PK: "m#" + hash, SK: ulid}, Rev: 1, Data: data, Expires: 1_900_000_000 + n/1000,
			List: "shop#20260101#" + shard, ListSort: ulid, DueShard: shard, DueAt: message.Time(1_800_000_000_000 + n)}},
	}
}

// fill adds messages, and always a thousand to read.
func (m *messages) fill(b *testing.B, n int) error {
	n = max(n, 1000)
	for m.next.Load() < int64(n) {
		part := make([][]store.Op, 1000)
		for i := range part {
			part[i] = sequence(m.next.Add(1))
		}
		if _, err := m.Write(b.Context(), 1, part...); err != nil {
			return err
		}
	}
	var busy []store.Op // a recipient with many messages
	for i := range int64(50) {
		op := sequence(m.next.Add(1))[1]
		op.Item.PK, op.Item.Rev = "m#busy", i+1
		busy = append(busy, op)
	}
	_, err := m.Write(b.Context(), 1, busy)
	return err
}

func (m *messages) accept(b *testing.B, n int64) error {
	_, err := m.Write(b.Context(), 1, sequence(n))
	return err
}

func (m *messages) lifecycle(b *testing.B, n int64) error {
	seq := sequence(n)
	if _, err := m.Write(b.Context(), 1, seq); err != nil {
		return err
	}
	leased := seq[1].Item
	leased.Rev, leased.DueAt = 2, leased.DueAt+35_000
	if _, err := m.Write(b.Context(), 1, []store.Op{{Item: leased, Cond: store.AtRev, At: 1}}); err != nil {
		return err
	}
	sent := leased
	sent.Rev, sent.DueShard, sent.DueAt = 3, "", 0
	_, err := m.Write(b.Context(), 1, []store.Op{{Item: sent, Cond: store.AtRev, At: 2}})
	return err
}

func (m *messages) get(b *testing.B, n int64) error {
	n = n%1000 + 1
	got, err := m.Get(b.Context(), sequence(n)[1].Item.Key)
	if err == nil && got[0] == nil {
		err = fmt.Errorf("message %d is missing", n)
	}
	return err
}

func (m *messages) recipient(b *testing.B, _ int64) error {
	page, err := m.Query(b.Context(), store.Query{Index: store.ByPartition, Value: "m#busy", Desc: true, Limit: 50})
	if err == nil && len(page.Items) != 50 {
		err = fmt.Errorf("%d items", len(page.Items))
	}
	return err
}
