package memory

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/queue/queuetest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, func(t *testing.T) queuetest.Harness {
		q := open(Options{})
		return queuetest.Harness{
			Queue: q,
			Consume: func(name queue.Name, h queue.Handler) func() {
				return consume(t, q, name, queue.Consumer{Workers: 3, Handler: h})
			},
		}
	}, queuetest.Features{Bubble: true, Exact: true, Fair: true, Recovers: true, Patience: time.Hour})
}

func open(opts Options) *Queue {
	opts.Now, opts.Rand = time.Now, rand.Float64
	return New(opts)
}

// consume runs a consumer until stop is called.
func consume(t *testing.T, q *Queue, name queue.Name, c queue.Consumer) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := q.Consume(ctx, name, c); err != nil {
			t.Errorf("Consume: %v", err)
		}
	}()
	return func() { cancel(); <-done }
}
