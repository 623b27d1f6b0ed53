package memory

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/queue"
)

// BenchmarkThrough sends items of 200 bytes and handles them, one op an item.
func BenchmarkThrough(b *testing.B) {
	for _, size := range []int{1, 10} {
		b.Run(fmt.Sprintf("send=%d", size), func(b *testing.B) {
			q := New(Options{Now: time.Now, Rand: rand.Float64, Max: b.N + size})
			ctx, cancel := context.WithCancel(b.Context())
			var left atomic.Int64
			left.Store(int64(b.N))
			count := queue.HandlerFunc(func(_ context.Context, batch []queue.Item) []string {
				if left.Add(-int64(len(batch))) == 0 {
					cancel()
				}
				return nil
			})
			items := make([]queue.Item, size)
			for i := range items {
				items[i] = queue.Item{Body: make([]byte, 200), Group: fmt.Sprint("tenant-", i)}
				for j := range items[i].Body {
					items[i].Body[j] = 'x'
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			var sender sync.WaitGroup
			sender.Go(func() {
				for n := b.N; n > 0; n -= size {
					if err := q.Send(ctx, "sms-urgent", items[:min(n, size)]...); err != nil {
						b.Error(err)
						return
					}
				}
			})
			if err := q.Consume(ctx, "sms-urgent", queue.Consumer{Workers: 4, Handler: count}); err != nil {
				b.Error(err)
			}
			sender.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "items/s")
		})
	}
}
