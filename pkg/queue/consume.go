package queue

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// Consumer is how a queue is worked on. A zero number is its default.
type Consumer struct {
	Handler Handler // needed
	Workers int     // how many batches are worked on side by side: 1
	Batch   int     // the most items in a batch: 10. One that waits alone is a batch of one at once
	// Visibility is how long a handler may keep a batch: 180 s. After it the items are handed out again,
	// whatever the handler says later. It is also the longest back-off.
	Visibility time.Duration
	// Grace is how long handlers may go on after the end of Consume's context: 30 s.
	Grace time.Duration
}

// Source hands the items of a queue to a handler, as both queues do that a process works on by itself.
type Source interface {
	// Consume does so until ctx ends; then it takes nothing new and waits for the handlers that run, as long
	// as Grace; only then the context that they were given ends. It returns an error when the queue is not to
	// be found, or when some did not finish; their items come back after the visibility.
	//
	// When a handler panics, or names an ID that was not in its batch, its whole batch comes again. Several
	// Consumes of one queue share its items.
	Consume(ctx context.Context, name Name, c Consumer) error
}

// Fill sets the defaults.
func (c *Consumer) Fill() {
	fill(&c.Workers, 1)
	fill(&c.Batch, 10)
	fill(&c.Visibility, 180*time.Second)
	fill(&c.Grace, 30*time.Second)
}

func fill[T int | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

// Work is the frame of a Source's Consume: it runs as many workers as the consumer wants until ctx ends,
// tells them to stop, and waits for them as long as Grace. What they hand to a handler is inner, which ends
// last.
func (c *Consumer) Work(ctx context.Context, name Name, worker func(inner context.Context), stop func()) error {
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var running sync.WaitGroup
	for range c.Workers {
		running.Go(func() { worker(inner) })
	}
	<-ctx.Done()
	stop()
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

// Call calls the handler; it is not ok when that panicked, which is logged.
func (c *Consumer) Call(ctx context.Context, log *slog.Logger, name Name, batch []Item) (again []string, ok bool) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		what := fmt.Sprintf("%T", p) // its text may hold what it worked on
		if e, is := p.(runtime.Error); is {
			what = e.Error()
		}
		log.Error("queue: a handler panicked; its batch comes again",
			"queue", name, "items", len(batch), "panic", what, "stack", string(debug.Stack()))
	}()
	return c.Handler.Handle(ctx, batch), true
}
