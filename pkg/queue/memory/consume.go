package memory

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/opennotify/notify/pkg/queue"
)

// Consumer is how a queue is worked on. A zero number is its default.
type Consumer struct {
	Handler queue.Handler // needed
	Workers int           // how many batches are worked on side by side: 1
	Batch   int           // the most items in a batch: 10. One that waits alone is a batch of one at once
	// Visibility is how long a handler may keep a batch: 180 s. After it the items are handed out again,
	// and what the handler says later is ignored. It is also the longest back-off.
	Visibility time.Duration
	// Grace is how long handlers may go on after the end of Consume's context: 30 s.
	Grace time.Duration
}

// worker is one goroutine of a consumer.
type worker struct {
	*Consumer
	stop    *bool         // of its consumer; under the line's lock
	entries []*entry      // what it works on; empty again when it took too long
	until   time.Duration // it may keep them
}

// Consume hands the items of a queue to the handler until ctx ends; then it takes nothing new and waits for
// the handlers that run, as long as Grace; only then the context that they were given ends. It returns an
// error only when some did not finish; their items come back after the visibility.
//
// When a handler panics, or names an ID that was not in its batch, its whole batch comes again. Several
// Consumes of one queue share its items.
func (q *Queue) Consume(ctx context.Context, name queue.Name, c Consumer) error {
	setDefault(&c.Workers, 1)
	setDefault(&c.Batch, 10)
	setDefault(&c.Visibility, 180*time.Second)
	setDefault(&c.Grace, 30*time.Second)
	l, stop := q.line(name), false
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var running sync.WaitGroup
	for range c.Workers {
		running.Go(func() { l.work(inner, &worker{Consumer: &c, stop: &stop}) })
	}
	<-ctx.Done()
	l.mu.Lock()
	stop = true
	l.filled.Broadcast()
	l.mu.Unlock()
	done := make(chan struct{})
	go func() { running.Wait(); close(done) }()
	grace := time.NewTimer(c.Grace)
	defer grace.Stop()
	select {
	case <-done:
		return nil
	case <-grace.C:
		return fmt.Errorf("queue: handlers of %s did not finish within %s", name, c.Grace)
	}
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
		again, ok := l.handle(ctx, w, batch)
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

// handle calls the handler; it is not ok when it panicked.
func (l *line) handle(ctx context.Context, w *worker, batch []queue.Item) (again []string, ok bool) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case runtime.Error:
			l.logPanic(len(batch), p.Error())
		default: // its text may hold what it worked on
			l.logPanic(len(batch), fmt.Sprintf("%T", p))
		}
	}()
	return w.Handler.Handle(ctx, batch), true
}

func (l *line) logPanic(items int, what string) {
	l.q.opts.Log.Error("queue: a handler panicked; its batch comes again",
		"queue", l.name, "items", items, "panic", what, "stack", string(debug.Stack()))
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
