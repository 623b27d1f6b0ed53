package memory

import (
	"context"
	"time"

	"github.com/opennotify/notify/pkg/queue"
)

// worker is one goroutine of a consumer.
type worker struct {
	*queue.Consumer
	stop    *bool         // of its consumer; under the line's lock
	entries []*entry      // what it works on; empty again when it took too long
	until   time.Duration // it may keep them
}

// Consume implements [queue.Source].
func (q *Queue) Consume(ctx context.Context, name queue.Name, c queue.Consumer) error {
	c.Fill()
	l, stop := q.line(name), false
	return c.Work(ctx, name,
		func(inner context.Context) { l.work(inner, &worker{Consumer: &c, stop: &stop}) },
		func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			stop = true
			l.filled.Broadcast()
		})
}

// work is the life of a worker.
func (l *line) work(ctx context.Context, w *worker) {
	l.mu.Lock()
	l.workers[w] = struct{}{}
	l.mu.Unlock()
	defer func() {
		l.settle(w, nil, false) // what a handler left that ended its goroutine
		l.mu.Lock()
		delete(l.workers, w)
		l.signal() // it may have been woken for something
		l.mu.Unlock()
	}()
	for {
		batch := l.next(w)
		if batch == nil {
			return
		}
		again, ok := w.Call(ctx, l.q.opts.Log, l.name, batch)
		l.settle(w, again, ok)
	}
}

// next waits for items and takes them; nil when the consumer stops.
func (l *line) next(w *worker) []queue.Item {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.ready.len == 0 && !*w.stop {
		l.filled.Wait()
	}
	if *w.stop {
		return nil
	}
	batch := make([]queue.Item, min(l.ready.len, w.Batch))
	for i := range batch {
		e := l.ready.pop()
		e.item.Receives++
		batch[i] = e.item
		w.entries = append(w.entries, e)
	}
	now := l.q.now()
	w.until = now + w.Visibility
	l.arm(w.until, now)
	l.signal()
	return batch
}

// settle does what the handler said of the worker's items: those in again come back, the others are gone.
// If it said nothing (not ok), all come back.
func (l *line) settle(w *worker, again []string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(w.entries) == 0 {
		return
	}
	all := !ok || !mark(w.entries, again)
	now := l.q.now()
	for i, e := range w.entries {
		if all || e.again {
			l.comeBack(e, now, l.backoff(e.item.Receives, w.Visibility))
		} else {
			l.q.release(len(e.item.Body))
		}
		w.entries[i] = nil
	}
	w.entries = w.entries[:0]
}

// mark marks the entries that are named; false when an ID is of none. Handlers name them in order, mostly,
// so the search goes on from the last one found.
func mark(entries []*entry, again []string) bool {
	at := 0
	for _, id := range again {
		for n := 0; entries[at].item.ID != id; n++ {
			if n == len(entries) {
				return false
			}
			at = (at + 1) % len(entries)
		}
		entries[at].again = true
	}
	return true
}
