package memory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/queue"
)

const lane queue.Name = "sms-urgent"

func send(t *testing.T, q *Queue, to queue.Name, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if err := q.Send(t.Context(), to, queue.Item{Body: []byte(body)}); err != nil {
			t.Fatalf("Send: %v", err)
		}
	}
}

// all says of every item that it must come again.
func all(batch []queue.Item) []string {
	ids := make([]string, len(batch))
	for i, it := range batch {
		ids[i] = it.ID
	}
	return ids
}

type counts struct{ Ready, Delayed, Inflight int }

func count(q *Queue, name queue.Name) counts {
	r, d, i := q.Len(name)
	return counts{r, d, i}
}

func TestBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := open(Options{})
		sizes := make(chan int, 10)
		next := make(chan struct{})
		stop := consume(t, q, lane, queue.Consumer{Batch: 4, Handler: queue.HandlerFunc(func(_ context.Context, batch []queue.Item) []string {
			sizes <- len(batch)
			<-next
			return nil
		})})
		send(t, q, lane, "one that waits alone is not kept waiting")
		synctest.Wait()
		send(t, q, lane, "1", "2", "3", "4", "5", "6")
		if diff := cmp.Diff(counts{Ready: 6, Inflight: 1}, count(q, lane)); diff != "" {
			t.Error(diff)
		}
		close(next)
		for _, want := range []int{1, 4, 2} {
			if got := <-sizes; got != want {
				t.Errorf("a batch of %d, want %d", got, want)
			}
		}
		stop()
		if diff := cmp.Diff(counts{}, count(q, lane)); diff != "" {
			t.Error(diff)
		}
	})
}

// The waits double from Backoff to the visibility, and up to a half is left off.
func TestBackoff(t *testing.T) {
	t.Parallel()
	for _, rand := range []float64{0, 0.5, 0.999} {
		synctest.Test(t, func(t *testing.T) {
			q := New(Options{Now: time.Now, Rand: func() float64 { return rand }, Backoff: 2 * time.Second})
			var at []time.Time
			stop := consume(t, q, lane, queue.Consumer{Visibility: 20 * time.Second,
				Handler: queue.HandlerFunc(func(_ context.Context, batch []queue.Item) []string {
					at = append(at, time.Now())
					return all(batch)
				})})
			start := time.Now()
			send(t, q, lane, "poison")
			<-time.After(time.Hour)
			stop()
			var waits []time.Duration
			for i := range at {
				waits = append(waits, at[i].Sub(start))
				start = at[i]
			}
			want := []time.Duration{0}
			for _, full := range []float64{2, 4, 8, 16, 20, 20, 20, 20, 20} {
				half := time.Duration(full * float64(time.Second) / 2)
				want = append(want, 2*half-time.Duration(rand*float64(half)))
			}
			if diff := cmp.Diff(want, waits); diff != "" {
				t.Errorf("rand %v: waits (-want +got):\n%s", rand, diff)
			}
			if items := q.Peek(lane.DLQ(), 10); len(items) != 1 || items[0].Receives != queue.MaxReceives {
				t.Errorf("in the dead-letter queue: %+v", items)
			}
		})
	}
}

// A handler that keeps a batch too long loses it to another, and its late answer changes nothing.
func TestVisibility(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := open(Options{})
		start := time.Now()
		type got struct {
			Receives int
			After    time.Duration
		}
		handled := make(chan got, 9)
		stop := consume(t, q, lane, queue.Consumer{Workers: 2, Visibility: time.Minute,
			Handler: queue.HandlerFunc(func(_ context.Context, batch []queue.Item) []string {
				handled <- got{batch[0].Receives, time.Since(start)}
				if batch[0].Receives == 1 {
					<-time.After(90 * time.Second)
					return all(batch)
				}
				return nil
			})})
		send(t, q, lane, "slow")
		<-time.After(time.Hour)
		stop()
		close(handled)
		var receives []got
		for g := range handled {
			receives = append(receives, g)
		}
		if diff := cmp.Diff([]got{{1, 0}, {2, time.Minute}}, receives); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(counts{}, count(q, lane)); diff != "" || q.items.Load() != 0 || q.bytes.Load() != 0 {
			t.Errorf("left: %s%d items, %d bytes", diff, q.items.Load(), q.bytes.Load())
		}
	})
}

func TestBatchComesAgain(t *testing.T) {
	t.Parallel()
	for name, bug := range map[string]func() []string{
		"an ID of none":  func() []string { return []string{"none of these"} },
		"a panic":        func() []string { panic("secret") },
		"an index":       func() []string { return []string{}[len(lane):] },
		"a panic of nil": func() []string { panic(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				q := open(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
				send(t, q, lane, "a", "b", "c")
				seen := map[string]int{}
				stop := consume(t, q, lane, queue.Consumer{Handler: queue.HandlerFunc(func(_ context.Context, batch []queue.Item) []string {
					for _, it := range batch {
						seen[string(it.Body)]++
					}
					if batch[0].Receives == 1 {
						return bug()
					}
					return nil
				})})
				<-time.After(time.Hour)
				stop()
				if diff := cmp.Diff(map[string]int{"a": 2, "b": 2, "c": 2}, seen); diff != "" {
					t.Errorf("handled (-want +got):\n%s", diff)
				}
				if strings.Contains(log.String(), "secret") {
					t.Errorf("the log tells what a panic said: %s", log.String())
				}
			})
		})
	}
}

func TestDrain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		takes time.Duration
		fails bool
	}{
		"within the grace": {takes: 20 * time.Second},
		"too slow":         {takes: time.Hour, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q := open(Options{})
				send(t, q, lane, "in flight", "waits")
				ctx, cancel := context.WithCancel(t.Context())
				started, ended := make(chan struct{}), make(chan error, 1)
				consumer := queue.Consumer{Batch: 1, Grace: 30 * time.Second,
					Handler: queue.HandlerFunc(func(ctx context.Context, _ []queue.Item) []string {
						close(started) // a second batch would panic
						select {
						case <-time.After(c.takes):
						case <-ctx.Done():
						}
						ended <- ctx.Err()
						return nil
					})}
				go func() { <-started; cancel() }()
				begin := time.Now()
				err := q.Consume(ctx, lane, consumer)
				if (err != nil) != c.fails {
					t.Errorf("Consume: %v", err)
				}
				if took, want := time.Since(begin), min(c.takes, consumer.Grace); took != want {
					t.Errorf("Consume took %v, want %v", took, want)
				}
				if err := <-ended; errors.Is(err, context.Canceled) != c.fails {
					t.Errorf("the handler's context: %v", err)
				}
				if ready, _, _ := q.Len(lane); ready != 1 {
					t.Errorf("%d are ready, want 1", ready)
				}
			})
		})
	}
}

// Two consumers share a queue; when one leaves, the other goes on with everything.
func TestConsumersShare(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := open(Options{})
		handled := make(chan struct{}, 100)
		c := queue.Consumer{Workers: 2, Batch: 1, Handler: queue.HandlerFunc(func(context.Context, []queue.Item) []string {
			handled <- struct{}{}
			return nil
		})}
		stopOne, stopTwo := consume(t, q, lane, c), consume(t, q, lane, c)
		for i := range 50 {
			send(t, q, lane, fmt.Sprint(i))
			if i == 25 {
				go stopOne()
			}
		}
		for range 50 {
			<-handled
		}
		stopTwo()
	})
}
