package intake_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// Exactly one synced commit before the 202.
func TestOneCommit(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	free := func(r *intake.Request) {
		r.Channel, r.To.One, r.Template, r.Vars = message.Email, "a@example.com", "", nil
		r.Content = &message.Content{Subject: "s", Text: fmt.Sprint("t", r.IdempotencyKey)}
	}
	reference := func(r *intake.Request) { r.Reference = "order-1" }
	ahead := func(r *intake.Request) { r.SendAt = intaketest.Start.Add(time.Hour) }
	send(t, w.Intake, intaketest.Shop, hello(berta)) // the day's data keys
	for name, shape := range map[string][]func(*intake.Request){
		"plain": {}, "with a key": {keyed("k1")}, "with a reference": {reference}, "with both": {keyed("k2"), reference},
		"scheduled": {ahead, keyed("k3")}, "free content": {free}, "free content, key and reference": {keyed("k4"), free, reference},
	} {
		unique := func(r *intake.Request) {
			if r.Vars != nil {
				r.Vars["name"] = name
			}
		}
		before := w.DB.Stats()
		if a := send(t, w.Intake, intaketest.Shop, hello(anna, append(shape, unique)...)); !a.Verdicts[0].New {
			t.Errorf("%s: %+v", name, a.Verdicts[0])
		}
		if n := w.DB.Stats().Commits - before.Commits; n != 1 {
			t.Errorf("%s: %d commits", name, n)
		}
	}
}

// gathering is a driver whose writers wait for each other at the door, as callers at the same moment do.
type gathering struct {
	store.Driver
	mu      sync.Mutex
	waiting int
	of      int
	open    chan struct{}
}

func (g *gathering) Write(ctx context.Context, now message.Time, sequences ...[]store.Op) ([]store.Result, error) {
	g.mu.Lock()
	open := g.open
	if g.waiting++; g.waiting == g.of {
		g.waiting, g.open = 0, make(chan struct{})
		close(open)
	}
	g.mu.Unlock()
	<-open
	return g.Driver.Write(ctx, now, sequences...)
}

// Sixteen callers at once share commits: at most one for two messages.
func TestCallersShareCommits(t *testing.T) {
	t.Parallel()
	const callers, each = 16, 40
	w := intaketest.New(t)
	send(t, w.Intake, intaketest.Shop, hello(berta))
	together := &gathering{Driver: w.DB, of: 1, open: make(chan struct{})}
	s := w.Open(together)
	in := w.Over(s, w.Queue)
	send(t, in, intaketest.Shop, hello(berta, func(r *intake.Request) { r.Vars["name"] = "warm" }))
	together.of = callers
	before := w.DB.Stats().Commits
	var group sync.WaitGroup
	for c := range callers {
		group.Go(func() {
			for i := range each {
				_, err := in.Send(t.Context(), intaketest.Shop, hello(fmt.Sprintf("+861380%03d%04d", c, i), keyed(fmt.Sprint(c, "/", i))))
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if n := w.DB.Stats().Commits - before; n*2 > callers*each {
		t.Errorf("%d commits for %d messages", n, callers*each)
	}
}
