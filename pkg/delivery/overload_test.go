//go:build !race

package delivery_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opennotify/notify/pkg/delivery"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/queue/memory"
	memstore "github.com/opennotify/notify/pkg/store/memory"
)

// 5,000 messages a second for an account that takes 3,000, and eight processes to send them: no second sees
// more than 3,000, all are sent, no wait counts as an attempt, and codes hardly wait.
func TestOverload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const (
			offered, limit = 5000, 3000 // a second
			seconds        = 2
			processes      = 8
		)
		w := worldOver(t, memstore.New())
		w.live = true
		w.accounts[0].PerSecond = limit
		q := memory.New(memory.Options{Now: time.Now, Rand: w.chance})
		w.into = q
		var mu sync.Mutex
		calls := map[int64]int{} // by second
		var sent atomic.Int64
		w.send = func(context.Context, provider.Call) message.Result {
			mu.Lock()
			calls[time.Now().Unix()]++
			mu.Unlock()
			time.Sleep(40 * time.Millisecond)
			sent.Add(1)
			return message.Result{Outcome: message.Accepted}
		}
		var crew []*delivery.Delivery
		for range processes {
			w.restart()
			crew = append(crew, w.delivery)
		}
		ctx, stop := context.WithCancel(t.Context())
		var workers sync.WaitGroup
		for _, lane := range message.Lanes() {
			for _, d := range crew {
				workers.Go(func() {
					_ = q.Consume(ctx, queue.Lane(message.SMS, lane), queue.Consumer{Workers: 40, Batch: 1, Handler: d})
				})
			}
		}
		var codes []message.ID
		for range seconds * 100 {
			for i := range offered / 100 {
				class := message.Transactional
				if i%10 == 0 {
					class = message.OTP
				}
				r := w.accept(class)
				if class == message.OTP {
					codes = append(codes, r.ID)
				}
				body, err := w.raw.Hint(r)
				if err != nil {
					t.Fatal(err)
				}
				if err := q.Send(ctx, queue.Lane(message.SMS, r.Lane()), queue.Item{Body: body, Group: "shop"}); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(10 * time.Millisecond)
		}
		for sent.Load() < offered*seconds {
			time.Sleep(time.Second)
			mu.Lock()
			passed := len(calls)
			mu.Unlock()
			if passed > 60 {
				t.Fatalf("only %d are sent", sent.Load())
			}
		}
		stop()
		workers.Wait()
		for second, n := range calls {
			if n > limit {
				t.Errorf("second %d saw %d calls", second, n)
			}
		}
		var waits []time.Duration
		for _, id := range codes {
			r := w.record(id)
			if waits = append(waits, r.Last().At.Sub(r.Created)); r.Status != message.Sent || r.Tries != 0 {
				t.Errorf("not sent, or a wait counted: %+v", r.Message)
			}
		}
		slices.Sort(waits)
		if p99 := waits[len(waits)*99/100]; p99 > 2*time.Second {
			t.Errorf("a code in a hundred waits for %s", p99)
		}
		t.Logf("%v; codes: p50 %s, p99 %s", calls, waits[len(waits)/2], waits[len(waits)*99/100])
	})
}
