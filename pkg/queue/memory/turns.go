package memory

import (
	"iter"
	"time"

	"github.com/opennotify/notify/pkg/queue"
)

// entry is an item in the queue.
type entry struct {
	item  queue.Item
	n     uint64        // counts up: the order of sending
	due   time.Duration // when it may be handed out
	from  time.Duration // when it might first have been; its age counts from here
	again bool          // its handler named it
	next  *entry        // behind it in its group
}

// turns holds the items that may be handed out: first in, first out within a group, and the groups take
// turns, so that one with a million items delays another's by one item at a time. The zero value is empty.
type turns struct {
	groups map[string]*group
	turn   *group // whose turn it is; the groups are a ring
	len    int
	spare  *group // the one most recently emptied: a quiet queue makes no garbage
}

// group is a tenant's items; there is none without items.
type group struct {
	head, tail *entry
	prev, next *group
}

func (t *turns) push(e *entry) {
	t.len++
	e.next = nil
	if g := t.groups[e.item.Group]; g != nil {
		g.tail.next = e
		g.tail = e
		return
	}
	g := t.spare
	t.spare = nil
	if g == nil {
		g = &group{}
	}
	g.head, g.tail = e, e
	if t.groups == nil {
		t.groups = map[string]*group{}
	}
	t.groups[e.item.Group] = g
	if t.turn == nil {
		g.prev, g.next, t.turn = g, g, g
		return
	}
	last := t.turn.prev // a new group waits for all others once
	last.next, g.prev = g, last
	g.next, t.turn.prev = t.turn, g
}

// pop takes the item whose turn it is; nil when there is none.
func (t *turns) pop() *entry {
	g := t.turn
	if g == nil {
		return nil
	}
	t.turn = g.next
	return t.unlink(g, nil, g.head)
}

// take removes the item of an id from wherever it is.
func (t *turns) take(id string) *entry {
	for g := range t.ring() {
		var before *entry
		for e := g.head; e != nil; before, e = e, e.next {
			if e.item.ID == id {
				return t.unlink(g, before, e)
			}
		}
	}
	return nil
}

// unlink removes e, which is behind before (nil: it is the head), and its group with its last item.
func (t *turns) unlink(g *group, before, e *entry) *entry {
	t.len--
	if before == nil {
		g.head = e.next
	} else {
		before.next = e.next
	}
	if g.tail == e {
		g.tail = before
	}
	e.next = nil
	if g.head != nil {
		return e
	}
	delete(t.groups, e.item.Group)
	if g.next == g {
		t.turn = nil
	} else {
		g.prev.next, g.next.prev = g.next, g.prev
		if t.turn == g {
			t.turn = g.next
		}
	}
	*g = group{}
	t.spare = g
	return e
}

func (t *turns) ring() iter.Seq[*group] {
	return func(yield func(*group) bool) {
		for g, first := t.turn, true; g != nil && (first || g != t.turn); g, first = g.next, false {
			if !yield(g) {
				return
			}
		}
	}
}

// all goes through the items, one group after the other.
func (t *turns) all() iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		for g := range t.ring() {
			for e := g.head; e != nil; e = e.next {
				if !yield(e) {
					return
				}
			}
		}
	}
}
