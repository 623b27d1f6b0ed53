package message

import "slices"

// Tell is a set of statuses. Records keep it as a number, so Statuses never changes its order.
type Tell uint16

// TellOf makes a set.
func TellOf(statuses ...Status) Tell {
	var t Tell
	for _, s := range statuses {
		if i := slices.Index(Statuses(), s); i >= 0 {
			t |= 1 << i
		}
	}
	return t
}

// TellEnds is the set of the terminal statuses.
func TellEnds() Tell {
	return TellOf(slices.DeleteFunc(Statuses(), func(s Status) bool { return !s.Terminal() })...)
}

// Has tells whether a status is in the set.
func (t Tell) Has(s Status) bool { return t != 0 && t&TellOf(s) != 0 }
