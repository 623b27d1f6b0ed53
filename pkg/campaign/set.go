package campaign

import (
	"encoding/binary"
	"hash/fnv"
)

// set tells which recipients were there before: 8 bytes for each, so a million take 16 MB. It counts only,
// so it may mistake two of a million million million for one.
type set struct {
	slots []uint64 // a power of two; 0 is empty
	n     int
}

func newSet() *set { return &set{slots: make([]uint64, 1<<10)} }

// add tells whether a recipient is new.
func (s *set) add(recipient string) bool {
	h := fnv.New64a()
	h.Write([]byte(recipient))
	return s.put(max(h.Sum64(), 1))
}

func (s *set) put(v uint64) bool {
	if s.n*2 >= len(s.slots) {
		old := s.slots
		s.slots, s.n = make([]uint64, 2*len(old)), 0
		for _, v := range old {
			if v != 0 {
				s.put(v)
			}
		}
	}
	for i := v * 0x9e3779b97f4a7c15 >> 20; ; i++ {
		switch at := &s.slots[i&uint64(len(s.slots)-1)]; *at {
		case v:
			return false
		case 0:
			*at = v
			s.n++
			return true
		}
	}
}

// bytes is what load reads.
func (s *set) bytes() []byte {
	out := make([]byte, 0, 8*s.n)
	for _, v := range s.slots {
		if v != 0 {
			out = binary.BigEndian.AppendUint64(out, v)
		}
	}
	return out
}

func (s *set) load(b []byte) {
	for ; len(b) >= 8; b = b[8:] {
		s.put(binary.BigEndian.Uint64(b))
	}
}
