package storetest_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/sqlite/sqlitetest"
	"github.com/opennotify/notify/pkg/store/storetest"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	d := sqlitetest.Open(t)
	broken := errors.New("broken")
	for name, tt := range map[string]struct {
		fault   storetest.Fault
		err     error
		written bool
	}{
		"none":   {storetest.Fault{}, nil, true},
		"before": {storetest.Fault{Before: broken}, broken, false},
		"after":  {storetest.Fault{After: broken}, broken, true},
	} {
		held, calls := false, ""
		tt.fault.Hold = func(context.Context) { held = true }
		f := storetest.Faults(d, func(call string) storetest.Fault {
			calls += call
			return tt.fault
		})
		k := store.Key{PK: name, SK: "k"}
		r, err := f.Write(t.Context(), 1, []store.Op{{Item: store.Item{Key: k, Rev: 1}}})
		if !errors.Is(err, tt.err) || (err == nil) != (len(r) == 1) || !held || calls != "Write" {
			t.Errorf("%s: Write is %v, %v; held=%t calls=%s", name, r, err, held, calls)
		}
		got, err := d.Get(t.Context(), k)
		if err != nil || (got[0] != nil) != tt.written {
			t.Errorf("%s: the item is %v, %v", name, got, err)
		}
	}
}

func TestSometimesRepeats(t *testing.T) {
	t.Parallel()
	draw := func() (kinds string) {
		decide := storetest.Sometimes(rand.New(rand.NewPCG(1, 2)), 0.5, errors.New("broken"))
		for range 100 {
			switch f := decide("Get"); {
			case f.Before != nil:
				kinds += "b"
			case f.After != nil:
				kinds += "a"
			default:
				kinds += "."
			}
		}
		return kinds
	}
	first := draw()
	if first != draw() {
		t.Error("the same seed gives other faults")
	}
	for _, kind := range []string{"b", "a", "."} {
		n := 0
		for _, k := range first {
			if string(k) == kind {
				n++
			}
		}
		if n < 10 {
			t.Errorf("%q comes %d times in 100", kind, n)
		}
	}
}
