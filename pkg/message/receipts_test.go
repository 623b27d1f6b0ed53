package message_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	m "github.com/opennotify/notify/pkg/message"
)

// bases are messages with an attempt or two that receipts may come for.
func bases(t testing.TB) map[string]m.Message {
	out := map[string]m.Message{}
	for _, fallback := range []bool{false, true} {
		x := fresh(m.Transactional)
		x.Fallback, x.Watch = fallback, 60
		if fallback {
			x.Tell = m.TellOf(m.Sent, m.Delivered, m.Bounced)
		}
		sending := play(t, m.New(x, t0), leased(0))
		retry := play(t, sending, answered(time.Second, 1, m.Retry))
		resend := play(t, sending, unanswered(time.Second, 1, m.Resend))
		for name, base := range map[string]m.Message{
			"sending":   sending,
			"sent":      play(t, sending, answered(time.Second, 1, m.Accepted)),
			"in_doubt":  play(t, sending, unanswered(time.Second, 1, m.Await)),
			"lost":      play(t, sending, after(lease, m.Lost{Doubt: m.Await})),
			"retry":     retry,
			"resend":    resend,
			"failed":    play(t, sending, answered(time.Second, 1, m.Permanent)),
			"given_up":  play(t, sending, after(lease, m.Lost{Doubt: m.GiveUp})),
			"dead":      play(t, retry, after(time.Minute, m.Poison{})),
			"expired":   play(t, resend, after(24*time.Hour, m.Expire{})),
			"cancelled": play(t, resend, after(time.Minute, m.Cancel{})),
			"second":    play(t, resend, leased(time.Minute)),
			"second_in_doubt": play(t, resend, leased(time.Minute),
				unanswered(61*time.Second, 2, m.Await)),
			"second_resend":  play(t, resend, leased(time.Minute), unanswered(61*time.Second, 2, m.Resend)),
			"second_refused": play(t, resend, leased(time.Minute), answered(61*time.Second, 2, m.Permanent)),
		} {
			out[fmt.Sprintf("%s fallback=%v", name, fallback)] = base
		}
	}
	return out
}

// alphabet is every kind of receipt that two attempts of two parts can have. At differs, so that an order
// shows in what is kept.
func alphabet(epochs int) []m.Event {
	var out []m.Event
	for epoch := 1; epoch <= epochs; epoch++ {
		for part := range 2 {
			for s := m.ReceiptSent; s <= m.ReceiptComplained; s++ {
				at := t0.Add(time.Duration(len(out)%4) * time.Second)
				rc := m.Receipt{Part: part, State: s, At: at, Code: fmt.Sprint(len(out))}
				if part == 1 && (s == m.ReceiptUndelivered || s == m.ReceiptBounced) {
					rc.Suppress = []string{"opt_out", "bounce"}[epoch-1]
				}
				out = append(out, m.Reported{Epoch: epoch, Receipt: rc})
			}
		}
	}
	return out
}

// ending is what must not depend on an order.
type ending struct {
	Status, Base m.Status
	Todo         m.Todo
	Attempts     []m.Attempt
}

// run applies events and counts the refused ones.
func run(x m.Message, events []m.Event) (end ending, refused int) {
	for _, e := range events {
		next, err := x.Apply(e, t0.Add(25*time.Hour))
		if err != nil {
			refused++
			continue
		}
		x = next
	}
	return ending{x.Status, x.Base, x.Todo, x.Attempts}, refused
}

// permutations calls f with every order of events.
func permutations(events []m.Event, f func([]m.Event)) {
	var rec func(int)
	rec = func(k int) {
		if k == len(events) {
			f(events)
			return
		}
		for i := k; i < len(events); i++ {
			events[k], events[i] = events[i], events[k]
			rec(k + 1)
			events[k], events[i] = events[i], events[k]
		}
	}
	rec(0)
}

func TestReceiptsJoinInAnyOrder(t *testing.T) {
	t.Parallel()
	for name, base := range bases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := alphabet(base.Epoch)
			for i := range all { // every multiset of three: repeats are among them
				for j := i; j < len(all); j++ {
					for k := j; k < len(all); k++ {
						sameInAnyOrder(t, base, []m.Event{all[i], all[j], all[k]})
					}
				}
			}
		})
	}
}

func sameInAnyOrder(t interface{ Fatalf(string, ...any) }, base m.Message, events []m.Event) {
	want, wantRefused := run(base, events)
	permutations(slices.Clone(events), func(order []m.Event) {
		got, refused := run(base, order)
		if !reflect.DeepEqual(want, got) || refused != wantRefused { // cmp is too slow to ask a million times
			t.Fatalf("%v\nthen %v\nrefused %d, %d\n%s", events, order, wantRefused, refused, cmp.Diff(want, got))
		}
	})
}

// Up to six receipts with repeats, which differ in their time and text too, in all 720 orders.
func TestManyReceiptsJoinInAnyOrder(t *testing.T) {
	t.Parallel()
	all := bases(t)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(slices.Sorted(func(yield func(string) bool) {
			for k := range all {
				if !yield(k) {
					return
				}
			}
		})).Draw(t, "base")
		sameInAnyOrder(t, all[name], rapid.SliceOfN(receipts(all[name].Epoch), 4, 6).Draw(t, "receipts"))
	})
}

func receipts(epochs int) *rapid.Generator[m.Event] {
	return rapid.Custom(func(t *rapid.T) m.Event {
		return m.Reported{
			Epoch: rapid.IntRange(0, epochs).Draw(t, "epoch"),
			Receipt: m.Receipt{
				Part:  rapid.IntRange(-1, 20).Draw(t, "part"),
				State: m.ReceiptState(rapid.IntRange(0, 6).Draw(t, "state")),
				At:    t0.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "at")) * time.Second),
				Code:  rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "code"),
				Text:  rapid.SampledFrom([]string{"", "boîte pleine", "\xff\xfe"}).Draw(t, "text"),
			},
		}
	})
}

// Sixty receipts of many parts are more than is kept in words, but the status is still theirs alone.
func TestFloodOfReceiptsJoinsInAnyOrder(t *testing.T) {
	t.Parallel()
	base := bases(t)["second_in_doubt fallback=true"]
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(receipts(2), 20, 60).Draw(t, "receipts")
		want, _ := run(base, events)
		got, _ := run(base, rapid.Permutation(events).Draw(t, "order"))
		if want.Status != got.Status || want.Base != got.Base || want.Todo != got.Todo {
			t.Fatalf("%s/%s, then %s/%s", want.Status, want.Base, got.Status, got.Base)
		}
	})
}

// What was taken does not wait to be sent again, whatever is said of it later: days later its time would be over.
func TestReceiptsBringNothingBack(t *testing.T) {
	t.Parallel()
	waits := func(x m.Message) bool { return x.Status == m.Queued || x.Status == m.Scheduled }
	for name, base := range bases(t) {
		all := alphabet(base.Epoch)
		for _, first := range all {
			for _, then := range all {
				x := play(t, base, after(time.Hour, first))
				if y := play(t, x, after(49*time.Hour, then)); !waits(x) && waits(y) {
					t.Errorf("%s: %v makes it %s, and %v %s again", name, first, x.Status, then, y.Status)
				}
			}
		}
	}
}

// The provider's answer may come before, between or after its receipts.
func TestAnswerAmongReceipts(t *testing.T) {
	t.Parallel()
	var answers []m.Event
	for o := m.Unknown; o <= m.Defer; o++ {
		for _, p := range []m.InDoubtPolicy{m.Resend, m.Await, m.GiveUp} {
			for _, next := range []m.Time{0, t0.Add(200 * time.Hour)} {
				answers = append(answers, m.Finish{Epoch: 1, Result: m.Result{Outcome: o, ProviderID: pid}, Next: next, Doubt: p})
			}
		}
	}
	for _, name := range []string{"sending", "lost", "second"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := bases(t)[name+" fallback=true"]
			if name == "second" { // the first one's answer was lost, not unknown
				base = play(t, m.New(fresh(m.Transactional), t0), leased(0), after(lease, m.Lost{Doubt: m.Resend}), leased(time.Minute))
			}
			base.Expires = t0.Add(100 * time.Hour)
			all := alphabet(base.Epoch)
			for _, answer := range answers {
				for i := range all {
					for j := i; j < len(all); j++ {
						sameInAnyOrder(t, base, []m.Event{answer, all[i], all[j]})
					}
				}
			}
		})
	}
}
