package wire

import (
	"io"
	"strings"
	"sync"

	"github.com/oklog/ulid/v2"

	"github.com/opennotify/notify/pkg/message"
)

// ULIDs makes ULIDs in lower case that grow within a millisecond.
func ULIDs(random io.Reader) func(message.Time) string {
	var mu sync.Mutex
	entropy := ulid.Monotonic(random, 0)
	return func(t message.Time) string {
		mu.Lock()
		defer mu.Unlock()
		id, err := ulid.New(uint64(t), entropy)
		if err != nil { // 2^80 in one millisecond, or no randomness: nothing can go on
			panic("no ULID: " + err.Error())
		}
		return strings.ToLower(id.String())
	}
}
