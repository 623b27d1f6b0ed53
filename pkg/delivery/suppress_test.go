package delivery_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
)

func (w *world) suppressions() []suppress.Entry {
	w.t.Helper()
	all, err := w.raw.Suppressions(w.t.Context(), message.Phone, "+8613800138000")
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// A code that the descriptor names stops further messages, with its source and its end; any other does not.
func TestSuppressingCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.suppress = map[string]string{"gone": "bounce", "stop*": "opt_out"}
	const month = 30 * 24 * time.Hour
	for i, c := range []struct {
		code  string
		class message.Class
		o     message.Outcome
		want  suppress.Entry
	}{
		{"E1", message.Transactional, message.Permanent, suppress.Entry{}},
		{"gone", message.Marketing, message.Unknown, suppress.Entry{}}, // nobody said so
		{"gone", message.OTP, message.Permanent, suppress.Entry{Reason: suppress.Bounce}},
		{"stopped", message.Transactional, message.Permanent, suppress.Entry{Tenant: "shop", Reason: suppress.OptOut}},
		{"stopped", message.Marketing, message.Permanent, suppress.Entry{Tenant: "shop", Class: message.Marketing, Reason: suppress.OptOut}},
	} {
		before := w.suppressions()
		w.send = func(context.Context, provider.Call) message.Result { return message.Result{Outcome: c.o, Code: c.code} }
		r := w.accept(c.class)
		w.handle(w.hint(r))
		now := w.record(r.ID)
		if now.Todo&message.SuppressAddress != 0 {
			t.Errorf("%d: something is left to do", i)
		}
		if c.want.Reason == "" {
			if got := w.suppressions(); len(got) != len(before) {
				t.Errorf("%d: %+v", i, got)
			}
			continue
		}
		c.want.Channel, c.want.At, c.want.Until = message.SMS, now.Last().End, now.Last().End.Add(month)
		c.want.Source, c.want.Note, c.want.Masked = string(r.ID), "account a1 "+c.code, message.Mask("+8613800138000")
		found := false
		for _, e := range w.suppressions() {
			found = found || reflect.DeepEqual(e, c.want)
		}
		if !found || len(w.suppressions()) != len(before)+1 {
			t.Errorf("%d: %+v\nwant %+v", i, w.suppressions(), c.want)
		}
	}
}

// Whatever goes wrong on the way, the address is suppressed in the end; and once an operator has lifted that, no
// hint that comes again brings it back.
func TestSuppressCrashes(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]func(*world, *store.Record){
		"an answer": func(w *world, _ *store.Record) {
			w.send = func(context.Context, provider.Call) message.Result {
				return message.Result{Outcome: message.Permanent, Code: "gone"}
			}
		},
		"a receipt": func(w *world, r *store.Record) {
			w.send = func(context.Context, provider.Call) message.Result {
				e := message.Reported{Epoch: 1, Receipt: message.Receipt{State: message.ReceiptBounced, At: w.now()}}
				if _, err := w.raw.Update(w.t.Context(), system, w.now(), w.record(r.ID), e); err != nil {
					w.t.Error(err)
				}
				return message.Result{Outcome: message.Accepted}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, a := range accidents() {
				for n := 1; suppressCrash(t, says, a, n); n++ {
				}
			}
		})
	}
}

// suppressCrash tells whether there was an n-th call.
func suppressCrash(t *testing.T, says func(*world, *store.Record), a accident, n int) bool {
	w := newWorld(t)
	w.suppress = map[string]string{"gone": "bounce"}
	r := w.accept(message.Transactional)
	says(w, r)
	hint := w.hint(r)
	missed := w.crash(n, a)
	w.settle(80 * time.Hour)
	w.fault = nil
	now := w.record(r.ID)
	stopped := len(w.suppressions()) == 1 && w.suppressions()[0].InForce(w.now())
	if ended := now.Status == message.Failed && now.Reason == "gone" || now.Status == message.Bounced; stopped != ended || now.Todo != 0 {
		t.Fatalf("%s at call %d: %+v, %+v", a.name, n, w.suppressions(), now.Message)
	}
	if !stopped { // the answer was lost
		return !missed()
	}
	lift := suppress.Lift{At: w.now(), By: "ann", Why: "a mistake"}
	if err := w.raw.LiftSuppression(t.Context(), system, w.now(), message.Phone, "+8613800138000", suppress.Entry{Channel: message.SMS}, lift); err != nil {
		t.Fatal(err)
	}
	late := now.Message
	late.Todo |= message.SuppressAddress // as if the word had been lost
	if _, err := w.raw.Save(t.Context(), system, w.now(), now, late); err != nil {
		t.Fatal(err)
	}
	w.handle(hint)
	if got := w.suppressions(); len(got) != 1 || got[0].Lifted != lift {
		t.Fatalf("%s at call %d, lifted: %+v", a.name, n, got)
	}
	return !missed()
}

// Marketing carries the address by which its recipient opts out; nothing else does, nor where there is none.
func TestUnsubscribe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, w.public = range []string{"", "http://127.0.0.1:8080", "https://notify.example.com"} {
		w.restart()
		for _, class := range message.Classes() {
			r := w.accept(class)
			w.handle(w.hint(r))
			want := ""
			if class == message.Marketing && strings.HasPrefix(w.public, "https") {
				want = w.public + "/v1/unsubscribe/" + w.raw.OptOutToken(r.ID)
			}
			if got := w.callsOf(r.ID)[0].Unsubscribe; got != want {
				t.Errorf("%s: %q, want %q", class, got, want)
			}
		}
	}
}

// One whose recipient was erased meanwhile ends, and says why: it is no poison.
func TestErasedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send = func(context.Context, provider.Call) message.Result { return message.Result{} }
	r := w.accept(message.Transactional)
	w.hint(r)
	w.deliver()
	r = w.want(r.ID, message.InDoubt, 1)
	if _, err := w.raw.Erase(t.Context(), system, w.now(), r); err != nil {
		t.Fatal(err)
	}
	w.hint(w.apply(r.ID, message.Redrive{By: "key:op"}))
	w.deliver()
	if r = w.want(r.ID, message.Failed, 1); r.Reason != "erased" {
		t.Error(r.Reason)
	}
}
