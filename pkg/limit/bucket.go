// Package limit is rates: how much may go when. It is pure: buckets, windows and tallies are values, now is
// an argument.
package limit

import (
	"math"
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
		b.tokens += perSecond * float64(now-b.at) / 1000
		b.at = now
	}
	b.tokens = min(top, b.tokens)
	if b.tokens < 1-rounding {
		// In whole milliseconds, as instants are: a waiter that came back sooner would have to wait again.
		wait := math.Ceil((1 - rounding - b.tokens) / perSecond * 1000)
		return b, time.Duration(min(wait, maxWait)) * time.Millisecond
	}
	b.tokens--
	return b, 0
}

// rounding is less than any token, and more than sums of fractions are off by.
const rounding = 1e-9

// maxWait keeps the wait of an absurdly low rate a duration; in milliseconds, a year.
const maxWait = 365 * 24 * 3600 * 1000
