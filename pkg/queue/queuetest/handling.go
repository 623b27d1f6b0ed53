package queuetest

import (
	"context"
	"fmt"
	"sync"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/queue"
)

func done(b *bench) {
	b.send(text("a"), text("b"), b.after("last"))
	got, _ := b.consume(Lane, nil)
	if diff := cmp.Diff(map[string]int{"a": 1, "b": 1, "last": 1}, b.until(got, "last")); diff != "" {
		b.Errorf("handled (-want +got):\n%s", diff)
	}
}

func again(b *bench) {
	b.send(text("a"), text("twice b"), text("c"), text("twice d"), text("e"))
	got, _ := b.consume(Lane, func(it queue.Item) bool {
		return string(it.Body[:1]) == "t" && it.Receives == 1
	})
	counts := map[string]int{}
	for counts["twice b"] < 2 || counts["twice d"] < 2 {
		counts[string(b.next(got).Body)]++
	}
	b.send(b.after("last"))
	for body, n := range b.until(got, "last") {
		counts[body] += n
	}
	want := map[string]int{"a": 1, "twice b": 2, "c": 1, "twice d": 2, "e": 1, "last": 1}
	if diff := cmp.Diff(want, counts); diff != "" {
		b.Errorf("handled (-want +got):\n%s", diff)
	}
}

func receives(b *bench) {
	b.send(queue.Item{Body: []byte("x"), Group: "shop"})
	got, _ := b.consume(Lane, func(it queue.Item) bool { return it.Receives < 3 })
	first := b.next(got)
	for n := 1; n <= 3; n++ {
		d := first
		if n > 1 {
			d = b.next(got)
		}
		if d.Receives != n || d.ID != first.ID || d.Group != "shop" || string(d.Body) != "x" {
			b.Errorf("receive %d: %+v, the first was %+v", n, d, first)
		}
	}
}

func poison(b *bench) {
	b.send(queue.Item{Body: []byte("poison"), Group: "shop"}, text("fine"))
	got, _ := b.consume(Lane, func(it queue.Item) bool { return string(it.Body) == "poison" })
	dead, _ := b.consume(Lane.DLQ(), nil)
	if d := b.next(dead); string(d.Body) != "poison" || d.Group != "shop" {
		b.Errorf("in the dead-letter queue is %q of %q", d.Body, d.Group)
	}
	counts := map[string]int{}
	for len(got) > 0 {
		counts[string(b.next(got).Body)]++
	}
	if diff := cmp.Diff(map[string]int{"poison": queue.MaxReceives, "fine": 1}, counts); diff != "" {
		b.Errorf("handled (-want +got):\n%s", diff)
	}
}

func manySenders(b *bench) {
	const senders, atOnce = 8, 7
	got, _ := b.consume(Lane, nil)
	var sending sync.WaitGroup
	for s := range senders {
		sending.Go(func() {
			var items []queue.Item
			for i := s; i < b.Items; i += senders {
				items = append(items, queue.Item{Body: fmt.Append(nil, "item ", i), Group: fmt.Sprint("tenant-", i%5)})
				if len(items) < atOnce && i+senders < b.Items {
					continue
				}
				if err := b.Queue.Send(b.ctx, Lane, items...); err != nil {
					b.Errorf("Send: %v", err)
					return
				}
				items = nil
			}
		})
	}
	sending.Wait()
	b.distinct(got, b.Items)
}

func stopping(b *bench) {
	const n = 60
	for i := range n {
		b.send(text(fmt.Sprint("item ", i)))
	}
	got, stop := b.consume(Lane, nil)
	first := b.next(got)
	stop()
	seen := map[string]bool{string(first.Body): true}
	for len(got) > 0 {
		seen[string(b.next(got).Body)] = true
	}
	got, _ = b.consume(Lane, nil)
	for len(seen) < n {
		seen[string(b.next(got).Body)] = true
	}
}

func panics(b *bench) {
	first := make(chan string, 1)
	second := make(chan queue.Item, 10)
	stop := b.Consume(Lane, queue.HandlerFunc(func(_ context.Context, batch []queue.Item) []string {
		for _, it := range batch {
			second <- it
		}
		select {
		case first <- batch[0].ID:
			panic("a bug in a handler")
		default:
			return nil
		}
	}))
	b.Cleanup(stop)
	b.send(text("x"))
	for n := 1; n <= 2; n++ {
		select {
		case it := <-second:
			if it.Receives != n {
				b.Errorf("receive %d says %d", n, it.Receives)
			}
		case <-b.ctx.Done():
			b.Fatalf("receive %d did not come", n)
		}
	}
}

func fair(b *bench) {
	const noisy, quiet = 500, 5
	for i := range noisy {
		b.send(queue.Item{Body: fmt.Append(nil, "noisy ", i), Group: "noisy"})
	}
	for i := range quiet {
		b.send(queue.Item{Body: fmt.Append(nil, "quiet ", i), Group: "quiet"})
	}
	got, _ := b.consume(Lane, nil)
	seen := 0
	for n := 1; seen < quiet; n++ {
		if d := b.next(got); d.Group == "quiet" {
			seen++
		}
		if n > noisy/5 {
			b.Fatalf("of the first %d items %d were the quiet group's, want %d", n, seen, quiet)
		}
	}
}
