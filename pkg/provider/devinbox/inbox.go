package devinbox

import (
	"context"
	"slices"
	"sync"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

// Capacity is how many of the newest entries an Inbox keeps.
const Capacity = 1000

// Entry is one message as it arrived. It holds the address in the clear: an inbox is for development.
type Entry struct {
	ID         message.ID      `json:"id"`
	Epoch      int             `json:"epoch"`
	ProviderID string          `json:"provider_id"`
	Time       message.Time    `json:"time"`
	Account    string          `json:"account"`
	Channel    message.Channel `json:"channel"`
	To         string          `json:"to"`
	Content    message.Content `json:"content"`
	Class      message.Class   `json:"class"`
	Tenant     string          `json:"tenant"`
	Template   string          `json:"template,omitempty"`
	Outcome    string          `json:"outcome"` // what the sender was told: sent or unknown
}

// Filter chooses entries; what is empty matches all.
type Filter struct {
	ID      message.ID
	Channel message.Channel
	Tenant  string
	To      string
	Limit   int // 0: no limit
}

func (f Filter) matches(e Entry) bool {
	return (f.ID == "" || f.ID == e.ID) && (f.Channel == "" || f.Channel == e.Channel) &&
		(f.Tenant == "" || f.Tenant == e.Tenant) && (f.To == "" || f.To == e.To)
}

// Inbox keeps the newest entries of all accounts that were opened with it. It is safe for concurrent use.
type Inbox struct {
	receipt func(account string, r provider.Receipt)

	mu      sync.Mutex
	ring    []Entry // the oldest is at next once it is full
	next    int
	held    map[message.ID]struct{} // messages that were put off once
	order   []message.ID            // of held, oldest first
	changed chan struct{}           // closed at the next arrival
}

// New makes an empty inbox. The function gets the receipts that "deliver" and "bounce" send; it is called
// before Send returns, as a fast provider's callback may come, and must not block. It may be nil.
func New(receipt func(account string, r provider.Receipt)) *Inbox {
	return &Inbox{receipt: receipt, held: map[message.ID]struct{}{}, changed: make(chan struct{})}
}

// List returns the entries that match, newest first.
func (in *Inbox) List(f Filter) []Entry {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.list(f)
}

func (in *Inbox) list(f Filter) []Entry {
	out := []Entry{}
	for i := range in.ring {
		e := in.ring[(in.next-1-i+2*len(in.ring))%len(in.ring)]
		if f.matches(e) {
			out = append(out, e)
			if len(out) == f.Limit {
				break
			}
		}
	}
	return out
}

// Get returns the newest entry of a message.
func (in *Inbox) Get(id message.ID) (Entry, bool) {
	found := in.List(Filter{ID: id, Limit: 1})
	if len(found) == 0 {
		return Entry{}, false
	}
	return found[0], true
}

// Wait returns as soon as n entries match, newest first, or with ctx's error and what there is by then.
func (in *Inbox) Wait(ctx context.Context, f Filter, n int) ([]Entry, error) {
	f.Limit = 0
	for {
		in.mu.Lock()
		found, changed := in.list(f), in.changed
		in.mu.Unlock()
		if len(found) >= n {
			return found, nil
		}
		select {
		case <-ctx.Done():
			return found, ctx.Err()
		case <-changed:
		}
	}
}

// Clear empties the inbox.
func (in *Inbox) Clear() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.ring, in.next = nil, 0
}

// Put adds what arrived before the process was started. No receipt follows.
func (in *Inbox) Put(e Entry) { in.add(e) }

func (in *Inbox) add(e Entry) {
	e.Content.Attachments = slices.Clone(e.Content.Attachments)
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.ring) < Capacity {
		in.ring = append(in.ring, e)
		in.next = len(in.ring) % Capacity
	} else {
		in.ring[in.next] = e
		in.next = (in.next + 1) % Capacity
	}
	close(in.changed)
	in.changed = make(chan struct{})
}

// hold tells whether a message is to be put off now: once.
func (in *Inbox) hold(id message.ID) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if _, again := in.held[id]; again {
		return false
	}
	if len(in.order) == Capacity {
		delete(in.held, in.order[0])
		in.order = in.order[1:]
	}
	in.held[id] = struct{}{}
	in.order = append(in.order, id)
	return true
}
