package limit

import (
	"math"
	"time"

	"github.com/opennotify/notify/pkg/message"
)

// Limits bound how much may go in a span of time; 0 is no bound.
type Limits struct {
	PerSecond float64
	PerMinute int
	PerHour   int
	PerDay    int
	PerMonth  int // of the calendar
	// Urgent is the share of every bound that only urgent messages may use.
	Urgent float64
	// Zone is how far ahead of UTC the days and months are.
	Zone time.Duration
}

// None tells whether nothing is bounded.
func (l Limits) None() bool {
	return l.PerSecond <= 0 && l.PerMinute <= 0 && l.PerHour <= 0 && l.PerDay <= 0 && l.PerMonth <= 0
}

// Kind is what a window belongs to.
type Kind string

// The kinds.
const (
	Second Kind = "second"
	Minute Kind = "minute"
	Hour   Kind = "hour"
	Day    Kind = "day"
	Month  Kind = "month"
	Span   Kind = "span" // of any length
)

// SpanAt is the window of a length that now is in, with most places.
func SpanAt(now message.Time, length time.Duration, most int) Window {
	ms := message.Time(length / time.Millisecond)
	from := now / ms * ms
	return Window{Kind: Span, From: from, Until: from + ms, Most: most}
}

// Window is a span of time with so many places in it. The windows of a kind follow one another on
// everybody's clock, each with a count of its own: whatever two clocks differ by, no window is overfull.
type Window struct {
	Kind        Kind
	From, Until message.Time
	// Most is how many places there are, and Kept how many of them are for the urgent only.
	Most, Kept int
}

// Windows lists the windows that now is in, the shortest first.
//
// A limit a second is counted in seconds. Of a minute and an hour no provider says where they begin, and some
// punish who sends too much in them, so they are cut into parts that are small enough that no sixty seconds
// or minutes, wherever they begin, see more than the limit. A day begins where the provider's does, and so
// does a month.
func (l Limits) Windows(now message.Time) []Window {
	var out []Window
	add := func(k Kind, length, zone time.Duration, most int) {
		ms := message.Time(length / time.Millisecond)
		ahead := message.Time(zone / time.Millisecond)
		from := (now+ahead)/ms*ms - ahead
		out = append(out, Window{k, from, from + ms, most, l.kept(most)})
	}
	switch {
	case l.PerSecond >= 1:
		add(Second, time.Second, 0, int(min(l.PerSecond, math.MaxInt32)))
	case l.PerSecond > 0: // one, now and then
		add(Second, time.Duration(min(math.Ceil(1000/l.PerSecond), maxWait))*time.Millisecond, 0, 1)
	}
	if l.PerMinute > 0 {
		parts, most := cut(l.PerMinute)
		add(Minute, time.Minute/time.Duration(parts), 0, most)
	}
	if l.PerHour > 0 {
		parts, most := cut(l.PerHour)
		add(Hour, time.Hour/time.Duration(parts), 0, most)
	}
	if l.PerDay > 0 {
		add(Day, 24*time.Hour, l.Zone, l.PerDay)
	}
	if l.PerMonth > 0 {
		local := now.Add(l.Zone).Std().UTC()
		from := time.Date(local.Year(), local.Month(), 1, 0, 0, 0, 0, time.UTC)
		out = append(out, Window{Month, message.At(from).Add(-l.Zone), message.At(from.AddDate(0, 1, 0)).Add(-l.Zone), l.PerMonth, l.kept(l.PerMonth)})
	}
	return out
}

// kept is how many of the places are for the urgent only, to the nearest; one is left to the others.
func (l Limits) kept(most int) int { return min(int(math.Round(float64(most)*l.Urgent)), most-1) }

// cut finds into how many parts a minute or an hour is cut, and what each may have: as much as possible in
// all of them. Sixty seconds that begin anywhere touch one part more than a minute has.
func cut(limit int) (parts, most int) {
	parts, most = 1, 1 // one a minute may be followed by another at once; there is no smaller part of it
	for n := 1; n <= 60; n++ {
		if each := limit / (n + 1); 60%n == 0 && n*each > parts*most {
			parts, most = n, each
		}
	}
	return parts, most
}

// Level is how many places of a window were asked for so far: more than there are, once it is full.
type Level struct{ Urgent, Others int }

// taken is how many places the others have, who are not given those that are kept.
func (w Window) taken(l Level) int { return min(l.Others, w.Most-w.Kept) }

// Grant tells how many of the n places that were just asked for are given, l being the level afterwards.
// Places are given in the order in which they were counted; all who ask apply this rule to what they are
// told, and need to know nothing of each other.
func (w Window) Grant(l Level, n int, urgent bool) int {
	if urgent {
		return min(max(w.Most-w.taken(l)-(l.Urgent-n), 0), n)
	}
	return min(max(min(w.Most-w.Kept, w.Most-l.Urgent)-(l.Others-n), 0), n)
}

// Full tells whether nothing is left for one who asks now.
func (w Window) Full(l Level, urgent bool) bool {
	return l.Urgent+w.taken(l) >= w.Most || !urgent && l.Others >= w.Most-w.Kept
}

// Left is how many places are left for one who asks now.
func (w Window) Left(l Level, urgent bool) int {
	left := w.Most - l.Urgent - w.taken(l)
	if !urgent {
		left = min(left, w.Most-w.Kept-l.Others)
	}
	return max(left, 0)
}

// Refused tells whether somebody asked in vain.
func (w Window) Refused(l Level) bool {
	return l.Urgent+w.taken(l) > w.Most || l.Others > w.Most-w.Kept
}

// Used is how many places are given away.
func (w Window) Used(l Level) int { return min(l.Urgent+w.taken(l), w.Most) }
