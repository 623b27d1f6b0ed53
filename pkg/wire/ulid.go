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
	var entropy *ulid.MonotonicEntropy // made when it is needed: most processes make no ids, and it has a buffer
	return func(t message.Time) string {
		mu.Lock()
		defer mu.Unlock()
		if entropy == nil {
			entropy = ulid.Monotonic(random, 0)
		}
		id, err := ulid.New(uint64(t), entropy)
		if err != nil { // 2^80 in one millisecond, or no randomness: nothing can go on
			panic("no ULID: " + err.Error())
		}
		return strings.ToLower(id.String())
	}
}
