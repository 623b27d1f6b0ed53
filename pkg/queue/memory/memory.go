package memory

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opennotify/notify/pkg/queue"
)

// Options are what a Queue needs. A zero limit is its default.
type Options struct {
	Now  func() time.Time // the present; needed; called side by side
	Rand func() float64   // spreads back-offs, 0 <= x < 1; needed; called side by side
	Log  *slog.Logger     // where panics of handlers go; nowhere when nil

	// Max is how many items all queues hold together: 200,000. More are refused with queue.ErrFull; the
	// sweep sends them again, as their records say that they are due.
	Max int
	// MaxBytes is how much their bodies hold together: 256 MiB.
	MaxBytes int
	// MaxDead is how many items one dead-letter queue holds: 10,000. Old ones make room, so that dead
	// items never keep the living out.
	MaxDead int
	// Backoff is the first wait of an item that was not done; it doubles up to Consumer.Visibility: 1 s.
	Backoff time.Duration
}

// Queue is a queue.Queue in memory. It is safe for concurrent use and needs no Close.
type Queue struct {
	opts  Options
	start time.Time // instants are kept as the time since then: the wall clock may step
	ids   atomic.Uint64
	items atomic.Int64
	bytes atomic.Int64

	mu    sync.RWMutex
	lines map[queue.Name]*line
}

var (
	_ queue.Queue  = (*Queue)(nil)
	_ queue.Source = (*Queue)(nil)
)

// New makes an empty queue.
func New(opts Options) *Queue {
	setDefault(&opts.Max, 200_000)
	setDefault(&opts.MaxBytes, 256<<20)
	setDefault(&opts.MaxDead, 10_000)
	setDefault(&opts.Backoff, time.Second)
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	return &Queue{opts: opts, start: opts.Now(), lines: map[queue.Name]*line{}}
}

func setDefault[T int | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

// Send keeps copies of the items. It never waits.
func (q *Queue) Send(ctx context.Context, to queue.Name, items ...queue.Item) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("queue: send to %s: %w", to, err)
	}
	var refused map[int]error
	entries := make([]*entry, 0, len(items))
	now := q.now()
	for i := range items {
		err := items[i].Check()
		if err == nil && !q.reserve(len(items[i].Body)) {
			err = queue.ErrFull
		}
		if err != nil {
			if refused == nil {
				refused = map[int]error{}
			}
			refused[i] = err
			continue
		}
		entries = append(entries, q.entry(&items[i], now))
	}
	if len(entries) > 0 {
		q.line(to).add(entries, now)
	}
	if refused != nil {
		return &queue.SendError{Failed: refused}
	}
	return nil
}

// entry makes the queue's own copy of an item.
func (q *Queue) entry(it *queue.Item, now time.Duration) *entry {
	n := q.ids.Add(1)
	due := now + (it.Delay + time.Second - 1).Truncate(time.Second)
	return &entry{
		item: queue.Item{ID: strconv.FormatUint(n, 36), Body: bytes.Clone(it.Body), Group: it.Group},
		n:    n,
		due:  due,
		from: due,
	}
}

func (q *Queue) reserve(size int) bool {
	if q.items.Add(1) > int64(q.opts.Max) {
		q.items.Add(-1)
		return false
	}
	if q.bytes.Add(int64(size)) > int64(q.opts.MaxBytes) {
		q.release(size)
		return false
	}
	return true
}

func (q *Queue) release(size int) {
	q.items.Add(-1)
	q.bytes.Add(-int64(size))
}

// now is the time since the queue was made; by the monotonic clock where Now has it.
func (q *Queue) now() time.Duration { return q.opts.Now().Sub(q.start) }

// line finds or makes the queue of a name.
func (q *Queue) line(name queue.Name) *line {
	if l := q.known(name); l != nil {
		return l
	}
	var dead *line
	if dlq := name.DLQ(); dlq != "" {
		dead = q.line(dlq)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lines[name]
	if l == nil {
		l = newLine(q, name, dead)
		q.lines[name] = l
	}
	return l
}

// known is the queue of a name, or nil when nothing was ever put into it.
func (q *Queue) known(name queue.Name) *line {
	q.mu.RLock()
	defer q.mu.RUnlock()
	return q.lines[name]
}
