package storetest

import (
	"context"
	"math/rand/v2"
	"sync"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// Fault is what goes wrong with one call. The zero value is nothing.
type Fault struct {
	// Hold is called first, and the call waits until it returns: for a slow store, or to let others act
	// at that very moment.
	Hold func(ctx context.Context)
	// Before is returned in place of making the call.
	Before error
	// After is returned in place of the answer: the call was made, and what it wrote is written.
	After error
}

// Faults is the driver d with faults. decide is called once for each call with the method's name (Get,
// Write, Add or Query), possibly from several goroutines at a time. Close never fails on purpose.
func Faults(d store.Driver, decide func(call string) Fault) store.Driver {
	return &faulty{Driver: d, decide: decide}
}

// Sometimes decides by chance: a call fails with err in share of the cases, half of them after it was
// applied. The same random numbers give the same faults to the same calls.
func Sometimes(random *rand.Rand, share float64, err error) func(call string) Fault {
	var mu sync.Mutex
	return func(string) Fault {
		mu.Lock()
		defer mu.Unlock()
		switch x := random.Float64(); {
		case x < share/2:
			return Fault{Before: err}
		case x < share:
			return Fault{After: err}
		}
		return Fault{}
	}
}

type faulty struct {
	store.Driver
	decide func(call string) Fault
}

// call makes a call with whatever fault it meets.
func (f *faulty) call(ctx context.Context, name string, do func() error) error {
	fault := f.decide(name)
	if fault.Hold != nil {
		fault.Hold(ctx)
	}
	if fault.Before != nil {
		return fault.Before
	}
	if err := do(); err != nil {
		return err
	}
	return fault.After
}

// Get reads items, or fails.
func (f *faulty) Get(ctx context.Context, keys ...store.Key) (items []*store.Item, err error) {
	err = f.call(ctx, "Get", func() (err error) {
		items, err = f.Driver.Get(ctx, keys...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return items, nil
}

// Write writes, or fails, or both.
func (f *faulty) Write(ctx context.Context, now message.Time, sequences ...[]store.Op) (results []store.Result, err error) {
	err = f.call(ctx, "Write", func() (err error) {
		results, err = f.Driver.Write(ctx, now, sequences...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// Add adds, or fails, or both.
func (f *faulty) Add(ctx context.Context, deltas ...store.Delta) (sums []int64, err error) {
	err = f.call(ctx, "Add", func() (err error) {
		sums, err = f.Driver.Add(ctx, deltas...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return sums, nil
}

// Query reads a page, or fails.
func (f *faulty) Query(ctx context.Context, q store.Query) (page store.Page, err error) {
	err = f.call(ctx, "Query", func() (err error) {
		page, err = f.Driver.Query(ctx, q)
		return err
	})
	if err != nil {
		return store.Page{}, err
	}
	return page, nil
}
