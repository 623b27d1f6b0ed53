package limit

import (
	"cmp"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/message"
)

// Frequency is the places that were taken of a cap: at most so many within any time of a length. Each is
// taken in a name, a message's id or a request's, so that one that asks again, after a crash or for a retry,
// takes none twice while its place lasts. Its zero value is empty.
type Frequency []Taken

// Taken is one place.
type Taken struct {
	Name string       `json:"n"`
	At   message.Time `json:"at"`
}

// MaxFrequency is the most places that a cap may have: they are kept one by one.
const MaxFrequency = 100

// Take takes a place in a name, of at most most within the time. When there is none it says how long until
// there is one. changed tells that the places are others than before, and must be kept.
func (f Frequency) Take(name string, most int, within time.Duration, now message.Time) (_ Frequency, wait time.Duration, changed bool) {
	live := slices.DeleteFunc(slices.Clone(f), func(t Taken) bool { return now.Sub(t.At) >= within })
	if slices.ContainsFunc(live, func(t Taken) bool { return t.Name == name }) {
		return f, 0, false
	}
	slices.SortFunc(live, func(a, b Taken) int { return cmp.Compare(a.At, b.At) })
	if free := len(live) - most; free >= 0 { // so many must end first, and one more
		return f, max(live[free].At.Add(within).Sub(now), time.Millisecond), false
	}
	return append(live, Taken{name, now}), 0, true
}

// Drop gives the place of a name back; false where it has none.
func (f Frequency) Drop(name string) (Frequency, bool) {
	i := slices.IndexFunc(f, func(t Taken) bool { return t.Name == name })
	if i < 0 {
		return f, false
	}
	return slices.Delete(slices.Clone(f), i, i+1), true
}
