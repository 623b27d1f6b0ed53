package queuetest

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opennotify/notify/pkg/queue"
)

// Harness is an opened queue.
type Harness struct {
	Queue queue.Queue
	// Consume has h handle the items of a queue, in batches of at most 10, until stop is called: stop takes
	// nothing new and returns when the handlers that run have ended. It may be called twice.
	Consume func(name queue.Name, h queue.Handler) (stop func())
}

// Features are where queues differ.
type Features struct {
	// Bubble: the queue does no I/O, so its cases run in testing/synctest bubbles and waiting is free.
	Bubble bool
	// Exact: an item comes at the very instant of its delay.
	Exact bool
	// Fair: groups are served in turns, even with little in flight.
	Fair bool
	// Recovers: the consumer turns a handler's panic into a batch that comes again.
	Recovers bool
	// Early is how much too early an item may come because the queue counts in coarse steps.
	Early time.Duration
	// Comeback is the longest wait of an item after its first receive, if it must come again: 30 s.
	Comeback time.Duration
	// Patience is how long a case waits before it fails: 2 min. The longest case waits for all receives
	// of an item.
	Patience time.Duration
	// Items is how many items are sent at once in the case of many: 5,000.
	Items int
}

// Lane is the queue that the cases use; besides it they need its DLQ.
const Lane queue.Name = "sms-urgent"

// Run runs every case. open gives a queue in which Lane and its DLQ exist and are empty; it is called once a
// case, and cases run side by side.
func Run(t *testing.T, open func(t *testing.T) Harness, f Features) {
	if f.Comeback == 0 {
		f.Comeback = 30 * time.Second
	}
	if f.Patience == 0 {
		f.Patience = 2 * time.Minute
	}
	if f.Items == 0 {
		f.Items = 5000
	}
	for _, c := range cases {
		if c.needs != nil && !c.needs(f) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			run := func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), f.Patience)
				defer cancel()
				c.run(&bench{T: t, Harness: open(t), Features: f, ctx: ctx})
			}
			if f.Bubble {
				synctest.Test(t, run)
			} else {
				run(t)
			}
		})
	}
}

var cases = []struct {
	name  string
	needs func(Features) bool
	run   func(*bench)
}{
	{"bodies and groups come as they were sent", nil, bodies},
	{"the queue keeps copies", nil, copies},
	{"the same item twice is two items", nil, twice},
	{"refused items are named and the others kept", nil, refused},
	{"the longest delay is accepted", nil, longestDelay},
	{"more than ten items at once", nil, manyAtOnce},
	{"more than a mebibyte at once", nil, muchAtOnce},
	{"nothing is sent after the end of the context", nil, ended},
	{"a delayed item does not come early", nil, delay},
	{"what is done is gone", nil, done},
	{"what is named comes again, and only that", nil, again},
	{"receives are counted", nil, receives},
	{"poison moves to the dead-letter queue", nil, poison},
	{"many senders", nil, manySenders},
	{"stopping loses nothing", nil, stopping},
	{"a panic brings the batch again", func(f Features) bool { return f.Recovers }, panics},
	{"a noisy group does not keep the others waiting", func(f Features) bool { return f.Fair }, fair},
}

// bench is what a case works with.
type bench struct {
	*testing.T
	Harness
	Features
	ctx context.Context
}

func (b *bench) send(items ...queue.Item) {
	b.Helper()
	if err := b.Queue.Send(b.ctx, Lane, items...); err != nil {
		b.Fatalf("Send of %d items: %v", len(items), err)
	}
}

// delivery is an item as a handler got it.
type delivery struct {
	queue.Item
	at time.Time
}

// consume collects the items of a queue. Those for which again says so come again; nil is never.
func (b *bench) consume(name queue.Name, again func(queue.Item) bool) (got <-chan delivery, stop func()) {
	ch := make(chan delivery, 4*b.Items)
	stop = b.Consume(name, queue.HandlerFunc(func(_ context.Context, batch []queue.Item) []string {
		ids := []string{}
		for _, it := range batch {
			ch <- delivery{it, time.Now()}
			if again != nil && again(it) {
				ids = append(ids, it.ID)
			}
		}
		return ids
	}))
	b.Cleanup(stop)
	return ch, stop
}

// next waits for a delivery.
func (b *bench) next(got <-chan delivery) delivery {
	b.Helper()
	select {
	case d := <-got:
		return d
	case <-b.ctx.Done():
		b.Fatal("waited in vain for an item")
		return delivery{}
	}
}

// until collects bodies until the one that is given has come; how often each came.
func (b *bench) until(got <-chan delivery, last string) map[string]int {
	b.Helper()
	counts := map[string]int{}
	for counts[last] == 0 {
		counts[string(b.next(got).Body)]++
	}
	return counts
}

// distinct waits until so many different bodies have come, in any order.
func (b *bench) distinct(got <-chan delivery, n int) map[string]queue.Item {
	b.Helper()
	items := map[string]queue.Item{}
	for len(items) < n {
		select {
		case d := <-got:
			items[string(d.Body)] = d.Item
		case <-b.ctx.Done():
			b.Fatalf("%d of %d items came", len(items), n)
		}
	}
	return items
}

func text(s string) queue.Item { return queue.Item{Body: []byte(s)} }

// after is an item that comes when everything that was to come again has come.
func (b *bench) after(s string) queue.Item {
	return queue.Item{Body: []byte(s), Delay: b.Comeback + 2*time.Second}
}

func keys[V any](m map[int]V) []int {
	ks := make([]int, 0, len(m))
	for k := range m {
		ks = append(ks, k)
	}
	slices.Sort(ks)
	return ks
}
