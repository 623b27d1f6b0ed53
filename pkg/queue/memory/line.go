package memory

import (
	"container/heap"
	"sync"
	"time"

	"github.com/opennotify/notify/pkg/queue"
)

// line is one queue. An item is in ready, in delayed, or with a worker.
type line struct {
	q    *Queue
	name queue.Name
	dead *line // nil for a dead-letter queue. Locks are taken in this order: a line's, then its dead's

	mu      sync.Mutex
	filled  *sync.Cond // there is something ready, or a consumer stops
	ready   turns
	delayed delayed
	workers map[*worker]struct{}

	timer *time.Timer   // runs wake at armed
	armed time.Duration // 0: it does not run
}

func newLine(q *Queue, name queue.Name, dead *line) *line {
	l := &line{q: q, name: name, dead: dead, workers: map[*worker]struct{}{}}
	l.filled = sync.NewCond(&l.mu)
	return l
}

// add puts entries in.
func (l *line) add(entries []*entry, now time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range entries {
		l.put(e, now)
	}
	l.signal()
}

// put files an entry under ready or delayed; the lock is held.
func (l *line) put(e *entry, now time.Duration) {
	if e.due > now {
		heap.Push(&l.delayed, e)
		l.arm(e.due, now)
		return
	}
	l.ready.push(e)
	if l.dead == nil && l.ready.len > l.q.opts.MaxDead {
		l.q.release(len(l.ready.pop().item.Body))
	}
}

// signal wakes one worker; it wakes the next if it leaves something.
func (l *line) signal() {
	if l.ready.len > 0 {
		l.filled.Signal()
	}
}

// arm has wake run at an instant; earlier is fine, as it looks and arms again.
func (l *line) arm(at, now time.Duration) {
	if l.armed != 0 && l.armed <= at {
		return
	}
	l.armed = at
	if l.timer == nil {
		l.timer = time.AfterFunc(at-now, l.wake)
		return
	}
	l.timer.Reset(at - now)
}

// wake moves what is due to ready and takes back what workers have held for too long.
func (l *line) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.q.now()
	l.armed = 0
	for len(l.delayed) > 0 && l.delayed[0].due <= now {
		l.put(heap.Pop(&l.delayed).(*entry), now)
	}
	for w := range l.workers {
		if len(w.entries) == 0 {
			continue
		}
		if w.until > now {
			l.arm(w.until, now)
			continue
		}
		l.q.opts.Log.Warn("queue: a handler held its batch for longer than the visibility; it is handed out again",
			"queue", l.name, "items", len(w.entries), "visibility", w.Visibility.String())
		for _, e := range w.entries {
			l.comeBack(e, now, 0)
		}
		clear(w.entries)
		w.entries = w.entries[:0]
	}
	if len(l.delayed) > 0 {
		l.arm(l.delayed[0].due, now)
	}
	l.signal()
}

// comeBack puts an entry that was not done back, or into the dead-letter queue.
func (l *line) comeBack(e *entry, now, wait time.Duration) {
	e.again = false
	e.due = now + wait
	if l.dead != nil && e.item.Receives >= queue.MaxReceives {
		e.due, e.from = now, now
		l.dead.add([]*entry{e}, now)
		return
	}
	l.put(e, now)
}

// backoff is the wait after an item's n-th receive: Backoff, doubled with each up to most, of which up to
// a half is left off at random so that items that failed together do not come back together.
func (l *line) backoff(n int, most time.Duration) time.Duration {
	d := l.q.opts.Backoff
	for ; n > 1 && d < most; n-- {
		d *= 2
	}
	d = min(d, most)
	return d - time.Duration(l.q.opts.Rand()*float64(d/2))
}

// delayed is a heap, the earliest first.
type delayed []*entry

func (d delayed) Len() int { return len(d) }
func (d delayed) Less(i, j int) bool {
	return d[i].due < d[j].due || d[i].due == d[j].due && d[i].n < d[j].n
}
func (d delayed) Swap(i, j int) { d[i], d[j] = d[j], d[i] }
func (d *delayed) Push(e any)   { *d = append(*d, e.(*entry)) }
func (d *delayed) Pop() any {
	last := len(*d) - 1
	e := (*d)[last]
	(*d)[last] = nil
	*d = (*d)[:last]
	return e
}
