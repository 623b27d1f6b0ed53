package redrive_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/redrive"
	"github.com/opennotify/notify/pkg/store/storetest"
)

// What lies in dead-letter queues is counted by the channel of the queue, with the oldest, for as long as entries are kept.
func TestLying(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	watch := w.redrive.Watch()
	want := func(want map[message.Channel]redrive.Lying) {
		t.Helper()
		if got, err := watch.Look(t.Context()); err != nil || !cmp.Equal(want, got) {
			t.Errorf("%v %v, want %v", got, err, want)
		}
	}
	want(map[message.Channel]redrive.Lying{})
	w.dead("shop", "a")
	first := w.clock
	w.clock = w.clock.Add(10 * 24 * time.Hour)
	w.dead("bank", "b")
	w.dead("shop", "c", func(m *message.Message) { m.Channel = "courier" })
	want(map[message.Channel]redrive.Lying{"sms": {N: 2, Oldest: first}, "other": {N: 1, Oldest: w.clock}})
	w.clock = w.clock.Add(6 * 24 * time.Hour)
	want(map[message.Channel]redrive.Lying{"sms": {N: 1, Oldest: first.Add(10 * 24 * time.Hour)}, "other": {N: 1, Oldest: first.Add(10 * 24 * time.Hour)}})
	w.tenants = w.tenants[1:]
	want(map[message.Channel]redrive.Lying{"sms": {N: 1, Oldest: first.Add(10 * 24 * time.Hour)}})
}

// However many tenants there are, what is dead of each is seen within a few looks, each of which reads a bounded part of
// the index; what died today, within one or two.
func TestLyingOfManyTenants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 198 {
		w.tenants = append(w.tenants, fmt.Sprintf("tenant-%03d", i))
	}
	w.dead("bank", "a")
	w.dead("tenant-197", "a")
	old := w.clock
	w.clock = w.clock.Add(13 * 24 * time.Hour)
	watch, reads := w.redrive.Watch(), 0
	w.fault = func(call string) storetest.Fault {
		if call == "Query" {
			reads++
		}
		return storetest.Fault{}
	}
	look := func() redrive.Lying {
		t.Helper()
		before := reads
		got, err := watch.Look(t.Context())
		if err != nil || reads == before || reads > before+300 {
			t.Fatalf("a look read %d times: %v", reads-before, err)
		}
		return got[message.SMS]
	}
	for range 20 {
		look()
	}
	if got, want := look(), (redrive.Lying{N: 2, Oldest: old}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
	w.dead("bank", "b")
	w.dead("tenant-197", "b")
	for range 3 {
		look()
	}
	if got, want := look(), (redrive.Lying{N: 4, Oldest: old}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

// A look that the store interrupts is gone on with: nothing is left out, and nothing counts twice.
func TestLyingInterrupted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.dead("shop", "a")
	for range 500 {
		w.dead("bank", "a")
	}
	watch, reads := w.redrive.Watch(), 0
	w.fault = func(call string) storetest.Fault {
		if call == "Query" {
			if reads++; reads == 3 {
				return storetest.Fault{Before: errors.New("throttled")}
			}
		}
		return storetest.Fault{}
	}
	if _, err := watch.Look(t.Context()); err == nil {
		t.Error("the store failed, and nobody was told")
	}
	for range 2 {
		if got, err := watch.Look(t.Context()); err != nil || got[message.SMS].N != 501 {
			t.Errorf("%v %v", got, err)
		}
	}
}
