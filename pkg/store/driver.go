package store

import (
	"context"
	"errors"

	"github.com/opennotify/notify/pkg/message"
)

// Key addresses an item: a partition, and a place in it. Both are 1 to 512 bytes of ASCII; items of one
// partition are ordered by the bytes of SK.
type Key struct{ PK, SK string }

// Item is what a driver keeps. Data is opaque to it; the attributes beside it are promoted so that
// indexes can be built on them.
type Item struct {
	Key
	// Rev fences writes. The writer chooses it; AtRev compares it. It is above 0.
	Rev int64
	// Data is the record, at most 380 KB.
	Data []byte
	// List puts the item into a list, ordered by ListSort; "" is in no list.
	List, ListSort string
	// DueShard puts the item into the index of things that are due at DueAt; "" is not due.
	DueShard string
	DueAt    message.Time
	// Trouble puts the item into the index of what operators look for, ordered by SK; "" is not there.
	Trouble string
	// Expires is when the item may be removed, in Unix seconds; 0 is never. A driver may remove it at any
	// later time or not at all: whoever cares compares it.
	Expires int64
}

// Cond is what must hold for an element to be written.
type Cond uint8

// The conditions.
const (
	Always          Cond = iota // whatever is there
	Absent                      // no item has this key
	AbsentOrExpired             // no item has this key, or its Expires is not 0 and at or before now
	AtRev                       // the item exists and has revision Op.At
	// Vacant: no item, expired or not, is in the partition Op.Item.PK. It writes nothing, only lets what
	// follows in its sequence be written; its Op has neither SK nor Delete.
	Vacant
)

// Op is one conditional put or delete.
type Op struct {
	Item   Item // for a delete only the Key counts
	Cond   Cond
	At     int64 // for AtRev
	Delete bool
}

// Result says how far a sequence came.
type Result struct {
	// Applied is how many elements were written, or held. If it is less than the sequence's length, element
	// Applied was refused by its condition, and the later ones were not tried.
	Applied int
	// Holder is what is kept under the refused element's key, or first in its partition; nil if there is
	// nothing.
	Holder *Item
}

// Delta adds N to a named counter of an item that holds nothing else. Its item is read like any other:
// Data is then a JSON object of the counters, {"sent":12}. Sums are exact unless a write is repeated
// after a lost answer.
type Delta struct {
	Key
	Field   string
	N       int64
	Expires int64
}

// Index says what Query reads.
type Index uint8

// The indexes.
const (
	ByPartition Index = iota // items whose PK is Value, ordered by SK; whole items
	ByList                   // items whose List is Value, ordered by ListSort; keys only
	ByDue                    // items whose DueShard is Value, ordered by DueAt; keys only
	ByTrouble                // items whose Trouble is Value, ordered by SK; keys only
)

// Query is a range of one index value. Sort keys compare as bytes; for ByDue they are DueAt printed with
// [DueSort].
type Query struct {
	Index Index
	Value string
	// From is inclusive, To exclusive; "" is open.
	From, To string
	Desc     bool
	// Limit is how many items are wanted, 1 to 1,000.
	Limit int
	// After is a cursor from Page.Next.
	After string
}

// Page is a part of a query's answer. "Keys only" pages have Key, ListSort (in a list) and DueAt (of what
// is due), no Data, and Rev may be 0; what they show may lag behind the items by moments.
type Page struct {
	Items []Item
	// Next continues after this page; "" when there is no more. A page may be short, even empty, and have
	// a Next.
	Next string
}

// Driver moves items. Every method is safe for concurrent use. An error means that the outcome of a
// write is unknown: it may have been applied.
type Driver interface {
	// Get reads items, consistently with writes that returned before. The answer has the order of keys,
	// with nil for what does not exist.
	Get(ctx context.Context, keys ...Key) ([]*Item, error)
	// Write applies each sequence in order, every element atomic by its own condition, and stops a
	// sequence at its first refusal; earlier elements stay. Sequences do not wait for each other, share no
	// key, and none writes into a partition that another wants vacant. When it returns without an error, what Applied counts is durable.
	Write(ctx context.Context, now message.Time, sequences ...[]Op) ([]Result, error)
	// Add changes counters, and gives what each delta's counter is afterwards, all deltas of the call
	// counted. Nobody else is given the same: who adds to one counter knows what place it has taken.
	Add(ctx context.Context, deltas ...Delta) ([]int64, error)
	// Query reads one page of an index.
	Query(ctx context.Context, q Query) (Page, error)
	Close() error
}

// The faults that a driver names; anything else is a fault of the machine below it.
var (
	// ErrTooLarge: an item is over 400 KB with its attributes.
	ErrTooLarge = errors.New("store: the item is too large")
	// ErrCursor: Query.After is no cursor of this driver's.
	ErrCursor = errors.New("store: the cursor is not one of this query's")
	// ErrThrottled: the store is over its capacity; nothing is known to be written.
	ErrThrottled = errors.New("store: throttled")
	// ErrFull: the disk is full; nothing was written.
	ErrFull = errors.New("store: the disk is full")
	// ErrNewer: the data was written by a newer version of notify.
	ErrNewer = errors.New("store: the data folder was written by a newer version of notify")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("store: closed")
)

// DueSort prints an instant so that it sorts as text.
func DueSort(t message.Time) string {
	const digits = "0123456789"
	var b [14]byte
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = digits[t%10]
		t /= 10
	}
	return string(b[:])
}
