package limit_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
)

// Whoever asks in whatever order: no more is given than there is, the others never get what is kept, and
// nothing is refused while there is room.
func TestGrant(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := limit.Window{Most: rapid.IntRange(1, 60).Draw(t, "most")}
		w.Kept = rapid.IntRange(0, w.Most-1).Draw(t, "kept")
		var l limit.Level
		given, others := 0, 0
		for range rapid.IntRange(1, 60).Draw(t, "asks") {
			urgent, n := rapid.Bool().Draw(t, "urgent"), rapid.IntRange(1, 12).Draw(t, "n")
			left, full := w.Left(l, urgent), w.Full(l, urgent)
			if urgent {
				l.Urgent += n
			} else {
				l.Others += n
			}
			got := w.Grant(l, n, urgent)
			if got != min(n, left) || full != (left == 0) {
				t.Fatalf("%d of %d, though %d were left (full: %v)", got, n, left, full)
			}
			if given += got; !urgent {
				others += got
			}
			want := w.Most - given
			if !urgent {
				want = min(want, w.Most-w.Kept-others)
			}
			if given > w.Most || others > w.Most-w.Kept || got < n && w.Left(l, urgent) != 0 || got == n && w.Left(l, urgent) != want {
				t.Fatalf("%d given, %d of them to others, of %+v at %+v", given, others, w, l)
			}
			if w.Used(l) != given || w.Refused(l) != (w.Refused(l) || got < n) {
				t.Fatalf("%d given, %d used at %+v of %+v", given, w.Used(l), l, w)
			}
			if got < n && !w.Refused(l) {
				t.Fatalf("nobody was refused, it says, at %+v of %+v", l, w)
			}
		}
	})
}

// A share of few places is a place, where one is left.
func TestKept(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		perSecond, urgent float64
		kept              int
	}{{1, 0.2, 0}, {2, 0.2, 0}, {4, 0.2, 1}, {5, 0.2, 1}, {3000, 0.2, 600}, {1, 0.9, 0}, {2, 0.9, 1}, {10, 0, 0}} {
		got := limit.Limits{PerSecond: row.perSecond, Urgent: row.urgent}.Windows(t0)[0].Kept
		if got != row.kept {
			t.Errorf("%v a second, %v of it for the urgent: %d kept, want %d", row.perSecond, row.urgent, got, row.kept)
		}
	}
}

// Windows of a kind lie side by side, and now is in them.
func TestWindows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := limit.Limits{PerSecond: rapid.SampledFrom([]float64{0, 0.01, 0.3, 1, 1.5, 3000}).Draw(t, "s"), PerMinute: rapid.IntRange(0, 20000).Draw(t, "m"),
			PerDay: rapid.IntRange(0, 100).Draw(t, "d"), PerMonth: rapid.IntRange(0, 100).Draw(t, "month"), Urgent: 0.2, Zone: time.Duration(rapid.IntRange(-12, 14).Draw(t, "zone")) * time.Hour}
		now := t0.Add(time.Duration(rapid.IntRange(0, 1e8).Draw(t, "ms")) * time.Millisecond)
		for _, w := range l.Windows(now) {
			if now < w.From || now >= w.Until || w.Most < 1 || w.Kept >= w.Most {
				t.Fatalf("%+v at %s", w, now)
			}
			next := slices.IndexFunc(l.Windows(w.Until), func(n limit.Window) bool { return n.Kind == w.Kind && n.From == w.Until })
			if next < 0 {
				t.Fatalf("nothing follows %+v", w)
			}
		}
	})
}

// No sixty seconds see more than the minute's limit, wherever they begin, even if all of a part comes at
// one moment; and most of the limit can be used.
func TestAnyMinute(t *testing.T) {
	t.Parallel()
	for _, perMinute := range []int{2, 3, 5, 10, 20, 30, 60, 100, 1000, 5000, 10000, 600000} {
		w := limit.Limits{PerMinute: perMinute}.Windows(t0)[0]
		length := int(w.Until - w.From)
		touched := 60_000/length + 1
		if worst := touched * w.Most; worst > perMinute {
			t.Errorf("%d a minute: %d within one", perMinute, worst)
		}
		if all := 60_000 / length * w.Most; all*2 < perMinute {
			t.Errorf("%d a minute: only %d are used", perMinute, all)
		}
	}
	if w := (limit.Limits{PerMinute: 20}).Windows(t0)[0]; w.Most != 4 || w.Until-w.From != 15_000 {
		t.Errorf("20 a minute are %+v", w)
	}
}

func TestDayBeginsWhereTheProvidersDoes(t *testing.T) {
	t.Parallel()
	now := message.At(time.Date(2026, 7, 1, 17, 0, 0, 0, time.UTC)) // 01:00 of the next day in Beijing
	w := limit.Limits{PerDay: 10, Zone: 8 * time.Hour}.Windows(now)[0]
	if got := w.From.Std(); got != time.Date(2026, 7, 1, 16, 0, 0, 0, time.UTC) || w.Until.Sub(w.From) != 24*time.Hour {
		t.Errorf("%s to %s", w.From, w.Until)
	}
}
