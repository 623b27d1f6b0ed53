package message

import "slices"

// Tell is a set of statuses that somebody is told of. Records keep it as a number, so Statuses never changes
// its order.
type Tell uint16

// ToEndpoints is no status: it says that an endpoint of the tenant's is among those who are told.
const ToEndpoints Tell = 1 << 15

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
