package delivery_test

import (
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/template"
)

// settle lets time pass until there is nothing to do, at most for long.
func (w *world) settle(long time.Duration) {
	w.t.Helper()
	for end := w.Now().Add(long); w.Now().Before(end); {
		w.deliver()
		w.pass()
		w.deliver()
		next := w.next()
		if next.IsZero() {
			return
		}
		w.mu.Lock()
		w.clock = next
		w.mu.Unlock()
	}
	w.t.Errorf("not settled within %s", long)
}

// pass sweeps once; the sweep may die of it.
func (w *world) pass() {
	drop := w.drop
	w.drop = false
	w.goroutine(func() {
		if _, err := w.sweep.Pass(w.t.Context()); err != nil && w.fault == nil {
			w.t.Errorf("sweep: %v", err)
		}
	})
	w.drop = drop
}

// settleUntil is settle that stops as soon as a message has a status.
func (w *world) settleUntil(id message.ID, s message.Status) {
	w.t.Helper()
	for range 1000 {
		w.deliver()
		if w.record(id).Status == s {
			return
		}
		w.pass()
		w.advance(10 * time.Second)
	}
	w.t.Fatalf("never %s", s)
}

// next is when something is next to be done: an item, or the sweep's tick after something is due.
func (w *world) next() time.Time {
	var next time.Time
	earlier := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	for _, shard := range w.raw.DueShards() {
		due, _, err := w.raw.Due(w.t.Context(), shard, message.At(start.AddDate(10, 0, 0)), 1, "")
		if err != nil {
			w.t.Fatal(err)
		}
		for _, d := range due {
			earlier(d.At.Std().Truncate(20 * time.Second).Add(20 * time.Second))
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.items {
		if !strings.HasSuffix(string(h.to), "-dlq") {
			earlier(h.at)
		}
	}
	if !next.IsZero() && !next.After(w.clock) {
		next = w.clock.Add(20 * time.Second)
	}
	return next
}

// compile makes the template that every message has.
func compile(t testing.TB, channels ...message.Channel) *template.Compiled {
	t.Helper()
	tmpl := template.Template{Name: "hello", Tenant: "shop", Version: 1, Class: message.OTP, Variables: []template.Variable{{Name: "code"}}}
	for _, ch := range channels {
		tmpl.Variants = append(tmpl.Variants, template.Variant{Channel: ch, Locale: "en", Text: "Your code is {{code}}"})
	}
	compiled, faults := template.Compile(tmpl)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return compiled
}
