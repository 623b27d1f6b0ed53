// Package limit is rates: how much may go when. It is pure: buckets are values, now is an argument.
package limit

import (
	"time"

	"github.com/opennotify/notify/pkg/message"
)

// Bucket is a token bucket: Rate a second, up to a second's worth at once. Its zero value is full.
type Bucket struct {
	tokens float64
	at     message.Time
}

// Take takes one token at now from a bucket of so many a second. When there is none it takes nothing and
// says how long until there is one. A rate of 0 or less is no limit.
func (b Bucket) Take(perSecond float64, now message.Time) (Bucket, time.Duration) {
	if perSecond <= 0 {
		return b, 0
	}
	top := max(perSecond, 1)
	if b.at == 0 {
		b = Bucket{top, now}
	}
	if now > b.at {
		b.tokens = min(top, b.tokens+perSecond*now.Sub(b.at).Seconds())
		b.at = now
	}
	if b.tokens < 1 {
		return b, time.Duration((1 - b.tokens) / perSecond * float64(time.Second))
	}
	b.tokens--
	return b, 0
}
