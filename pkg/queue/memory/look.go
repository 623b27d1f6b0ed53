package memory

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/queue"
)

// Len counts the items of a queue: those that could be handed out now, those that wait for their time, and
// those that handlers have.
func (q *Queue) Len(name queue.Name) (ready, delayed, inflight int) {
	l := q.known(name)
	if l == nil {
		return 0, 0, 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for w := range l.workers {
		inflight += len(w.entries)
	}
	return l.ready.len, len(l.delayed), inflight
}

// Peek shows the first n items, in the order of sending, that no handler has. It sorts all there are: it is
// for people.
func (q *Queue) Peek(name queue.Name, n int) []queue.Item {
	l := q.known(name)
	if l == nil {
		return nil
	}
	l.mu.Lock()
	type numbered struct {
		n    uint64
		item queue.Item
	}
	all := make([]numbered, 0, l.ready.len+len(l.delayed))
	for e := range l.ready.all() {
		all = append(all, numbered{e.n, e.item})
	}
	for _, e := range l.delayed {
		all = append(all, numbered{e.n, e.item})
	}
	l.mu.Unlock()
	slices.SortFunc(all, func(a, b numbered) int { return cmp.Compare(a.n, b.n) })
	items := make([]queue.Item, max(0, min(n, len(all))))
	for i := range items {
		items[i] = all[i].item
	}
	return items
}

// Take removes an item by its ID and gives it to the caller; false when no such item waits. It searches
// from the front.
func (q *Queue) Take(name queue.Name, id string) (queue.Item, bool) {
	l := q.known(name)
	if l == nil {
		return queue.Item{}, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.ready.take(id)
	if i := slices.IndexFunc(l.delayed, func(e *entry) bool { return e.item.ID == id }); e == nil && i >= 0 {
		e = heap.Remove(&l.delayed, i).(*entry)
	}
	if e == nil {
		return queue.Item{}, false
	}
	q.release(len(e.item.Body))
	return e.item, true
}

// OldestAge is how long the oldest item that is not done could have been handled: 0 when there is none. The
// delay it was sent with does not count; its back-offs do. It looks at every item.
func (q *Queue) OldestAge(name queue.Name) time.Duration {
	l := q.known(name)
	if l == nil {
		return 0
	}
	now := q.now()
	oldest := now
	l.mu.Lock()
	defer l.mu.Unlock()
	for e := range l.ready.all() {
		oldest = min(oldest, e.from)
	}
	for _, e := range l.delayed {
		oldest = min(oldest, e.from)
	}
	for w := range l.workers {
		for _, e := range w.entries {
			oldest = min(oldest, e.from)
		}
	}
	return now - oldest
}
