package intake_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
)

// before calls a func once, before the first write that has an item of a kind.
type before struct {
	store.Driver
	kind string
	call func()
}

func (d *before) Write(ctx context.Context, now message.Time, sequences ...[]store.Op) ([]store.Result, error) {
	for _, ops := range sequences {
		if call := d.call; call != nil && slices.ContainsFunc(ops, func(op store.Op) bool { return strings.HasPrefix(op.Item.PK, d.kind) && op.Cond != store.Absent }) {
			d.call = nil
			call()
		}
	}
	return d.Driver.Write(ctx, now, sequences...)
}

// Two tries of one request at once, between which the message that had equal content ends badly: for one of them its
// recipient has that message, for the other there is none. Whoever is answered is answered the same.
func TestTriesThatDisagree(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]string{"the first makes one, the second points": "k#", "the first points, the second makes one": "g#"} {
		w := intaketest.New(t)
		send(t, w.Intake, intaketest.Shop, hello("+8613800138999"))
		had := send(t, w.Intake, intaketest.Shop, hello(anna)).Verdicts[0].Record
		request := func() *intake.Request { return hello("", to(anna, berta), keyed("k")) }
		var second *intake.Answer
		var errSecond error
		d := &before{Driver: w.DB, kind: kind}
		in := w.Over(w.Open(d), w.Queue)
		try := func() { second, errSecond = w.Intake.Send(t.Context(), intaketest.Shop, request()) }
		fails := func() {
			lease := message.Lease{Account: "sms-a", Until: w.Time().Add(message.Grace)}
			apply(t, w, had.ID, lease)
			apply(t, w, had.ID, message.Finish{Epoch: 1, Result: message.Result{Outcome: message.Permanent}})
		}
		d.call = func() { fails(); try() }
		if kind == "k#" { // its messages' first write, behind that of the group
			d.call = func() { d.call = func() { try(); fails() } }
		}
		first, errFirst := in.Send(t.Context(), intaketest.Shop, request())
		last := send(t, w.Intake, intaketest.Shop, request())
		whole(t, w, last)
		answered := 0
		for _, a := range []*intake.Answer{first, second} {
			if a != nil {
				answered++
				if !slices.Equal(ids(a), ids(last)) {
					t.Errorf("%s: %v, then %v", name, ids(a), ids(last))
				}
			}
		}
		for _, err := range []error{errFirst, errSecond} {
			if err != nil && problem.From(err).Code != problem.Unavailable {
				t.Errorf("%s: %v", name, err)
			}
		}
		if answered != 1 || last.Verdicts[0].Record.ID == had.ID {
			t.Errorf("%s: %d answers, %v", name, answered, ids(last))
		}
	}
}

// A request left its claim behind in a crash, and a group with equal content is cut off, at whichever writes: what there
// is of the group is what its item names, so that of several ways one finds the other.
func TestGroupAfterACrash(t *testing.T) {
	t.Parallel()
	for first, whole := 0, false; !whole; first++ {
		for cut, done := 0, false; !done; cut++ {
			w := intaketest.New(t)
			_, err := w.Over(w.Open(&dying{Driver: w.DB, left: first}), w.Queue).Send(t.Context(), intaketest.Shop, hello(anna))
			whole = err == nil
			w.Advance(time.Minute) // it is not at work any more
			_, err = w.Over(w.Open(&dying{Driver: w.DB, left: cut}), w.Queue).Send(t.Context(), intaketest.Shop, hello("", to(anna, berta)))
			done = err == nil
			for _, r := range w.Records(message.Phone, anna) {
				if r.Group == "" {
					continue
				}
				if g, err := w.Store.Group(t.Context(), intaketest.Shop, r.Group); err != nil || !slices.Contains(g.IDs, r.ID) {
					t.Errorf("cut off at writes %d and %d: %s is not in its group: %v %v", first, cut, r.ID, g.IDs, err)
				}
			}
		}
	}
}
