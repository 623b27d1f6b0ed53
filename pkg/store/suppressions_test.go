package store_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
)

func (w *world) suppressions() (force, past []suppress.Entry) {
	w.Helper()
	all, err := w.Suppressions(w.Context(), message.Phone, anna)
	if err != nil {
		w.Fatal(err)
	}
	for _, e := range all {
		if e.InForce(t0.Add(time.Hour)) {
			force = append(force, e)
		} else {
			past = append(past, e)
		}
	}
	return force, past
}

// Many say the same at once: it is news once. What different ones say stands side by side, and one lift ends all of
// it, once; what was said before the lift does not come back.
func TestSuppressionsSideBySide(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	optOut := suppress.Entry{Tenant: "shop", Channel: message.SMS, Reason: suppress.OptOut, Masked: "x", At: t0}
	manual, bounce := optOut, optOut
	manual.Reason, manual.Until, bounce.Reason, bounce.Until = suppress.Manual, t0.Add(2*time.Hour), suppress.Bounce, t0.Add(2*time.Hour)
	add := func(e suppress.Entry, now message.Time) bool {
		t.Helper()
		news, err := w.AddSuppression(t.Context(), sys, now, message.Phone, anna, e)
		if err != nil {
			t.Error(err)
		}
		return news
	}
	at := func(n int, do func() bool) (times int64) {
		var count atomic.Int64
		var all sync.WaitGroup
		for range n {
			all.Go(func() {
				if do() {
					count.Add(1)
				}
			})
		}
		all.Wait()
		return count.Load()
	}
	if n := at(20, func() bool { return add(optOut, t0) }); n != 1 {
		t.Errorf("news %d times", n)
	}
	add(bounce, t0)
	if err := w.PutSuppression(t.Context(), sys, t0, message.Phone, anna, manual); err != nil {
		t.Fatal(err)
	}
	if force, _ := w.suppressions(); len(force) != 3 {
		t.Errorf("%+v", force)
	}
	listed, _, err := w.ListSuppressions(t.Context(), sys, 10, "")
	if err != nil || len(listed) != 3 {
		t.Errorf("%+v %v", listed, err)
	}
	lift := func(e suppress.Entry, by string) func() bool {
		return func() bool {
			err := w.LiftSuppression(t.Context(), sys, t0.Add(time.Minute), message.Phone, anna, e, suppress.Lift{At: t0.Add(time.Minute), By: by})
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Error(err)
			}
			return err == nil
		}
	}
	target := suppress.Entry{Tenant: "shop", Channel: message.SMS}
	if lift(suppress.Entry{Channel: message.SMS}, "x")() || lift(suppress.Entry{Tenant: "shop", Channel: message.SMS, Class: message.OTP}, "x")() {
		t.Error("another target was lifted")
	}
	one := target
	one.Reason = suppress.Bounce
	if n := at(5, lift(one, "ann")); n != 1 {
		t.Errorf("lifted %d times", n)
	}
	if force, past := w.suppressions(); len(force) != 2 || len(past) != 1 || past[0].Lifted.By != "ann" {
		t.Errorf("%+v %+v", force, past)
	}
	lift(target, "bob")()
	if force, past := w.suppressions(); len(force) != 0 || len(past) != 3 {
		t.Errorf("%+v %+v", force, past)
	}
	if listed, _, _ = w.ListSuppressions(t.Context(), sys, 10, ""); len(listed) != 0 {
		t.Errorf("%+v", listed)
	}
	if add(optOut, t0.Add(2*time.Minute)) {
		t.Error("what was said before the lift came back")
	}
	optOut.At = t0.Add(2 * time.Minute)
	if !add(optOut, t0.Add(2*time.Minute)) {
		t.Error("what was said after the lift does not count")
	}
	if force, _ := w.suppressions(); len(force) != 1 || len(force[0].Past) != 1 || force[0].Past[0].By != "bob" {
		t.Errorf("%+v", force)
	}
}
