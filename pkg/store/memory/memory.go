package memory

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// Driver is a store.Driver in memory.
type Driver struct {
	mu     sync.Mutex
	closed bool
	items  map[store.Key]*store.Item
	// index holds, for each value of each index, its entries in their order.
	index   map[place][]entry
	changed func(before, after *store.Item)
}

type place struct {
	index store.Index
	value string
}

type entry struct {
	sort string
	item *store.Item
}

// New makes an empty one.
func New() *Driver {
	return &Driver{items: map[store.Key]*store.Item{}, index: map[place][]entry{}}
}

// Watch has f told of every change, in their order, before any other call goes on; nil stands for nothing. It
// is called before the driver is used. f may ask for items by Item, and nothing else of the driver.
func (d *Driver) Watch(f func(before, after *store.Item)) { d.changed = f }

// Item is what is there now; nil without it. Only who is told of a change may ask.
func (d *Driver) Item(k store.Key) *store.Item { return d.items[k] }

const (
	maxItem = 400 << 10
	maxKey  = 512
)

var errBadCall = errors.New("memory: the call is not as drivers take it")

func (d *Driver) open(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.closed {
		return store.ErrClosed
	}
	return nil
}

// Get implements store.Driver.
func (d *Driver) Get(ctx context.Context, keys ...store.Key) ([]*store.Item, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.open(ctx); err != nil {
		return nil, err
	}
	out := make([]*store.Item, len(keys))
	for i, k := range keys {
		if it := d.items[k]; it != nil {
			copied := *it
			out[i] = &copied
		}
	}
	return out, nil
}

// Write implements store.Driver.
func (d *Driver) Write(ctx context.Context, now message.Time, sequences ...[]store.Op) ([]store.Result, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.open(ctx); err != nil {
		return nil, err
	}
	for _, seq := range sequences {
		for _, op := range seq {
			if err := check(op); err != nil {
				return nil, err
			}
		}
	}
	out := make([]store.Result, len(sequences))
	for i, seq := range sequences {
		out[i] = d.sequence(now, seq)
	}
	return out, nil
}

func check(op store.Op) error {
	k, it := op.Item.Key, op.Item
	switch {
	case op.Cond == store.Vacant && k.SK == "" && !op.Delete && len(k.PK) >= 1 && len(k.PK) <= maxKey:
		return nil
	case len(k.PK) < 1 || len(k.PK) > maxKey || len(k.SK) < 1 || len(k.SK) > maxKey:
		return fmt.Errorf("%w: a key of %d and %d bytes", errBadCall, len(k.PK), len(k.SK))
	case op.Cond >= store.Vacant:
		return fmt.Errorf("%w: condition %d", errBadCall, op.Cond)
	case op.Delete:
		return nil
	case it.Rev < 1:
		return fmt.Errorf("%w: revision %d", errBadCall, it.Rev)
	case len(it.Data)+len(k.PK)+len(k.SK)+len(it.List)+len(it.ListSort)+len(it.DueShard)+len(it.Trouble) > maxItem:
		return store.ErrTooLarge
	}
	return nil
}

func (d *Driver) sequence(now message.Time, seq []store.Op) store.Result {
	for i, op := range seq {
		old := d.items[op.Item.Key]
		holds := true
		switch op.Cond {
		case store.Absent:
			holds = old == nil
		case store.AbsentOrExpired:
			holds = old == nil || old.Expires != 0 && old.Expires*1000 <= int64(now)
		case store.AtRev:
			holds = old != nil && old.Rev == op.At
		case store.Vacant:
			if in := d.index[place{store.ByPartition, op.Item.PK}]; len(in) > 0 {
				old, holds = in[0].item, false
			}
		}
		switch {
		case !holds && old != nil:
			holder := *old
			return store.Result{Applied: i, Holder: &holder}
		case !holds:
			return store.Result{Applied: i}
		case op.Cond == store.Vacant:
		case op.Delete:
			d.set(op.Item.Key, nil)
		default:
			it := op.Item
			d.set(it.Key, &it)
		}
	}
	return store.Result{Applied: len(seq)}
}

// set puts an item in place of what is there; nil removes it. Items never change.
func (d *Driver) set(k store.Key, it *store.Item) {
	old := d.items[k]
	if old != nil {
		for i := range store.ByTrouble + 1 {
			if value, sort := placed(i, old); value != "" {
				at := place{i, value}
				n, _ := find(d.index[at], sort, k)
				d.index[at] = slices.Delete(d.index[at], n, n+1)
			}
		}
		delete(d.items, k)
	}
	if it != nil {
		d.items[k] = it
		for i := range store.ByTrouble + 1 {
			if value, sort := placed(i, it); value != "" {
				at := place{i, value}
				n, _ := find(d.index[at], sort, k)
				d.index[at] = slices.Insert(d.index[at], n, entry{sort, it})
			}
		}
	}
	if d.changed != nil && (old != nil || it != nil) {
		d.changed(old, it)
	}
}

// placed is where an item stands in an index; "" is nowhere.
func placed(i store.Index, it *store.Item) (value, sort string) {
	switch i {
	case store.ByList:
		return it.List, it.ListSort
	case store.ByDue:
		if it.DueShard == "" {
			return "", ""
		}
		return it.DueShard, store.DueSort(it.DueAt)
	case store.ByTrouble:
		return it.Trouble, it.SK
	}
	return it.PK, it.SK
}

func find(entries []entry, sort string, k store.Key) (int, bool) {
	return slices.BinarySearchFunc(entries, entry{}, func(e, _ entry) int {
		return cmp.Or(strings.Compare(e.sort, sort), strings.Compare(e.item.PK, k.PK), strings.Compare(e.item.SK, k.SK))
	})
}

// Add implements store.Driver.
func (d *Driver) Add(ctx context.Context, deltas ...store.Delta) ([]int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.open(ctx); err != nil {
		return nil, err
	}
	after := map[store.Key]map[string]int64{}
	for _, delta := range deltas {
		it := store.Item{Key: delta.Key}
		sums := map[string]int64{}
		if old := d.items[delta.Key]; old != nil {
			it = *old
			if err := json.Unmarshal(it.Data, &sums); err != nil {
				return nil, fmt.Errorf("sim: %s is no counter: %w", delta.PK, err)
			}
		}
		sums[delta.Field] += delta.N
		var err error
		if it.Data, err = json.Marshal(sums); err != nil {
			return nil, fmt.Errorf("sim: counter: %w", err)
		}
		after[delta.Key] = sums
		it.Rev++
		if delta.Expires != 0 {
			it.Expires = delta.Expires
		}
		d.set(it.Key, &it)
	}
	out := make([]int64, len(deltas))
	for i, delta := range deltas {
		out[i] = after[delta.Key][delta.Field]
	}
	return out, nil
}

// Query implements store.Driver.
func (d *Driver) Query(ctx context.Context, q store.Query) (store.Page, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.open(ctx); err != nil {
		return store.Page{}, err
	}
	if q.Limit < 1 || q.Limit > 1000 || q.Index > store.ByTrouble || q.Index == store.ByDue && (!isDue(q.From) || !isDue(q.To)) {
		return store.Page{}, errBadCall
	}
	entries := d.index[place{q.Index, q.Value}]
	low, high := 0, len(entries)
	low, _ = find(entries, q.From, store.Key{})
	if q.To != "" {
		high, _ = find(entries, q.To, store.Key{})
	}
	if q.After != "" {
		var at [3]string
		if err := json.Unmarshal([]byte(q.After), &at); err != nil {
			return store.Page{}, fmt.Errorf("%w: %w", store.ErrCursor, err)
		}
		n, found := find(entries, at[0], store.Key{PK: at[1], SK: at[2]})
		switch {
		case q.Desc:
			high = min(high, n)
		case found:
			low = max(low, n+1)
		default:
			low = max(low, n)
		}
	}
	var page store.Page
	for n := max(high-low, 0); n > 0 && len(page.Items) < q.Limit; n-- {
		e := entries[low]
		if q.Desc {
			e = entries[high-1]
			high--
		} else {
			low++
		}
		page.Items = append(page.Items, shown(q.Index, e.item))
		if len(page.Items) == q.Limit && n > 1 {
			cursor, err := json.Marshal([3]string{e.sort, e.item.PK, e.item.SK})
			if err != nil {
				return store.Page{}, fmt.Errorf("sim: cursor: %w", err)
			}
			page.Next = string(cursor)
		}
	}
	return page, nil
}

func isDue(s string) bool { return s == "" || len(s) == 14 && strings.Trim(s, "0123456789") == "" }

func shown(i store.Index, it *store.Item) store.Item {
	switch i {
	case store.ByPartition:
		return *it
	case store.ByList:
		return store.Item{Key: it.Key, ListSort: it.ListSort}
	case store.ByDue:
		return store.Item{Key: it.Key, DueAt: it.DueAt}
	}
	return store.Item{Key: it.Key}
}

// Data is what all items hold.
func (d *Driver) Data() map[store.Key][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make(map[store.Key][]byte, len(d.items))
	for k, it := range d.items {
		out[k] = it.Data
	}
	return out
}

// Close implements store.Driver.
func (d *Driver) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	return nil
}

// Expired lists the keys of what may be removed at a time, in seconds, in their order.
func (d *Driver) Expired(now int64) []store.Key {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []store.Key
	for k, it := range d.items {
		if it.Expires != 0 && it.Expires <= now {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b store.Key) int {
		return cmp.Or(strings.Compare(a.PK, b.PK), strings.Compare(a.SK, b.SK))
	})
	return out
}

// Remove takes an item away, as a table does when it has expired.
func (d *Driver) Remove(k store.Key) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.set(k, nil)
}

// NextDue is when something is due first; false without anything.
func (d *Driver) NextDue() (message.Time, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var next message.Time
	for at, entries := range d.index {
		if at.index == store.ByDue && len(entries) > 0 && (next == 0 || entries[0].item.DueAt < next) {
			next = entries[0].item.DueAt
		}
	}
	return next, next != 0
}
