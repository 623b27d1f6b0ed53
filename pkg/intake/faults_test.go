//go:build !race

package intake_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/storetest"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/tenant"
)

var errDriver = errors.New("the driver failed")

// A store that fails at random calls, before or after they were applied, and callers who repeat what was
// not answered. Whatever was answered with success has its record, and there is one record of a key.
func TestNeverAcceptedWithoutARecord(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		seed := rapid.Uint64().Draw(rt, "seed")
		share := rapid.SampledFrom([]float64{0.05, 0.2, 0.5}).Draw(rt, "share")
		in := faulty(w, storetest.Sometimes(rand.New(rand.NewPCG(seed, 1)), share, errDriver))
		if who := rapid.SampledFrom([]string{"nobody", "bank", ""}).Draw(rt, "suppressed by"); who != "nobody" {
			e := suppress.Entry{Tenant: who, Reason: suppress.Bounce, Masked: "x", At: w.Time()}
			if err := w.Store.PutSuppression(w.Context(), tenant.System("test"), w.Time(), message.Phone, shaped(round, "", 1, 0).To.One, e); err != nil {
				rt.Fatal(err)
			}
		}
		answered, hashes := map[string][]message.ID{}, map[string][]byte{}
		for step := range rapid.IntRange(1, 12).Draw(rt, "requests") {
			key := fmt.Sprintf("r%d-%d", round, rapid.IntRange(0, 3).Draw(rt, "key"))
			who := rapid.IntRange(0, 2).Draw(rt, "who")
			shape := rapid.IntRange(0, 3).Draw(rt, "shape")
			ask := func() *intake.Request { return shaped(round, key, who, shape) }
			tries := rapid.IntRange(1, 4).Draw(rt, "tries")
			if step%4 == 3 {
				w.Advance(time.Duration(rapid.IntRange(0, 400).Draw(rt, "wait")) * time.Second)
			}
			for range tries {
				a, err := in.Send(w.Context(), intaketest.Shop, ask())
				if err != nil {
					if p := problem.From(err); p.Code != problem.Unavailable && p.Code != problem.KeyReused {
						rt.Fatalf("%v", err)
					}
					continue
				}
				kept(rt, w, a)
				if before := answered[key]; before != nil && !slices.Equal(before, ids(a)) {
					rt.Fatalf("key %s was answered %v, then %v", key, before, ids(a))
				}
				answered[key], hashes[key] = ids(a), ask().Hash
				break
			}
		}
		// Healed: every key that was answered is answered the same for good.
		for key, want := range answered {
			r, g, err := w.Store.ByKey(w.Context(), intaketest.Shop, w.Time(), "shop", &store.KeyClaim{Key: key, Hash: hashes[key]})
			switch {
			case err != nil:
				rt.Fatalf("key %s: %v", key, err)
			case g != nil && !slices.Equal(g.IDs, want), g == nil && (len(want) != 1 || r.ID != want[0]):
				rt.Fatalf("key %s holds %v %v, answered %v", key, r, g, want)
			}
		}
	})
}

// shaped is one of a few requests, so that they meet on keys and on contents. A key goes with one body.
func shaped(round int, key string, who, shape int) *intake.Request {
	addresses := []string{fmt.Sprintf("+86138%04d0001", round), fmt.Sprintf("+86138%04d0002", round), fmt.Sprintf("+86138%04d0003", round)}
	r := hello(addresses[who], keyed(key))
	switch shape {
	case 1:
		r.To = intake.To{List: []string{addresses[who], addresses[(who+1)%3], addresses[who]}}
	case 2:
		r.DedupSeconds = new(int)
	case 3:
		r.SendAt, r.Reference = intaketest.Start.Add(300*24*time.Hour), "order"
	}
	r.Hash = fmt.Append(nil, who, shape)
	return r
}

// kept checks that what an answer names is in the store.
func kept(t *rapid.T, w *intaketest.World, a *intake.Answer) {
	for _, v := range a.Verdicts {
		r, err := w.Store.Message(w.Context(), intaketest.Shop, v.Record.ID)
		if err != nil {
			t.Fatalf("accepted without a record: %v", err)
		}
		if !r.Status.Terminal() && r.Due == 0 {
			t.Fatalf("%s is %s and never due", r.ID, r.Status)
		}
		if _, err := w.Store.Address(w.Context(), r); err != nil {
			t.Fatalf("address: %v", err)
		}
		if vars, err := w.Store.Vars(w.Context(), r); err != nil || vars["name"] != "Anna" {
			t.Fatalf("variables: %v, %v", vars, err)
		}
	}
	if a.Group != nil {
		if g, err := w.Store.Group(w.Context(), intaketest.Shop, a.Group.ID); err != nil || !slices.Equal(g.IDs, ids(a)) {
			t.Fatalf("the group has %v, answered %v, %v", g.IDs, ids(a), err)
		}
	}
}

// Whatever fails, before or after it was made, in whatever order pages are repeated: nobody is written to
// twice, nobody is skipped, and the fates are the same.
func TestRowsWithFaults(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		run := fmt.Sprint("run_", round)
		seed := rapid.Uint64().Draw(rt, "seed")
		in := faulty(w, storetest.Sometimes(rand.New(rand.NewPCG(seed, 1)), 0.06, errDriver))
		people := rapid.SliceOfN(rapid.IntRange(0, 5), 1, 12).Draw(rt, "people")
		page := func() []*intake.Request {
			var reqs []*intake.Request
			for i, who := range people {
				reqs = append(reqs, hello(fmt.Sprintf("+86139%04d%04d", round, who), func(r *intake.Request) { r.Vars = map[string]any{"name": fmt.Sprint(i % 2)} }))
			}
			return rows(run, reqs...)
		}
		var last []intake.RowVerdict
		for done := 0; done < 3; {
			got, err := in.Rows(w.Context(), worker, page())
			if err != nil {
				if p := (*problem.Error)(nil); !errors.As(err, &p) || p.Code != problem.Unavailable {
					rt.Fatal(err)
				}
				continue
			}
			if done++; last != nil {
				if diff := cmp.Diff(fates(last), fates(got)); diff != "" {
					rt.Fatal("another fate:", diff)
				}
			}
			last = got
		}
		first := map[int]bool{}
		for i, v := range last {
			want := intake.Repeated
			if !first[people[i]] {
				want = intake.Made
			}
			first[people[i]] = true
			if v.Fate != want {
				rt.Fatalf("row %d of %v: %s", i+1, people, v.Fate)
			}
		}
		for who := range first {
			to, _ := in.Addresses.Normalise(message.Phone, fmt.Sprintf("+86139%04d%04d", round, who), "CN")
			f, err := w.Store.ByRecipient(w.Context(), worker, w.Store.Partition(message.Phone, string(to.Key), 1, ""), store.Range{}, 100, "")
			if err != nil || len(f.Records) != 1 {
				rt.Fatalf("%d messages to %d, %v", len(f.Records), who, err)
			}
		}
	})
}
