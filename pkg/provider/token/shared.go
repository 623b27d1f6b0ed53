package token

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

// Records keeps small secrets that processes share; *store.Store does. A write over another revision than
// the one that is there gives revision 0.
type Records interface {
	Sealed(ctx context.Context, now message.Time, purpose, name string) (value []byte, rev int64, err error)
	PutSealed(ctx context.Context, now message.Time, purpose, name string, value []byte, read int64, expires message.Time) (rev int64, err error)
}

// Shared makes a cache of a process that shares its tokens with others. Me tells it apart from them.
//
// A key has one record. Who needs a token and finds none takes the record's lease by writing it, and only
// then asks the vendor; the others wait for the record, or go on with the old token while it is good. A
// lease ends by itself, for its holder may die.
func Shared(now func() time.Time, records Records, me string) *Cache {
	c := New(now)
	c.records, c.me = records, me
	return c
}

// purpose names the records of this package.
const purpose = "token"

const (
	// fetchFor bounds a fetch, so that it ends within the lease.
	fetchFor = 10 * time.Second
	leaseFor = 15 * time.Second
	// skew is how far the clocks of two processes may be apart. Beyond that a lease may be ended while its
	// holder lives, which costs a fetch.
	skew = 5 * time.Second
	// keepFor is how long a record is kept that nobody writes any more.
	keepFor = 7 * 24 * time.Hour
	// writeFor bounds the write that ends a lease, which is tried although the caller has gone.
	writeFor = 3 * time.Second

	firstLook, lastLook = 50 * time.Millisecond, time.Second
	maxRests            = 8 // 1 s, 2 s, … up to about 4 minutes
)

// record is what processes agree on.
type record struct {
	Token string       `json:"t,omitempty"`
	Gen   int64        `json:"g,omitempty"`
	Until message.Time `json:"u,omitempty"` // when to fetch the next one
	End   message.Time `json:"e,omitempty"` // when it is over
	// Holder fetches the next one, until Lease.
	Holder string       `json:"h,omitempty"`
	Lease  message.Time `json:"l,omitempty"`
	// Fails are the fetches since the last token that gave none. Nobody asks again before Rest.
	Fails int          `json:"f,omitempty"`
	Rest  message.Time `json:"r,omitempty"`
}

// sighting is since when a lease was seen to be held. It does not depend on the holder's clock.
type sighting struct {
	rev int64
	at  time.Time
}

// agree gives the token that all processes use, newer than the generation that was refused, and fetches it
// if that falls to this one.
func (c *Cache) agree(ctx context.Context, key string, refused int64, seen *sighting, fetch Fetch) (grant, error) {
	for look := firstLook; ; look = min(2*look, lastLook) {
		now := c.now()
		r, rev, err := c.read(ctx, key, now)
		if err != nil {
			return grant{}, err
		}
		at := message.At(now)
		switch {
		case r.Gen > refused && at < r.Until:
			return grant{r.Token, r.Gen, r.Until.Std()}, nil
		case r.Holder == c.me: // the answer to our own write was lost
			return c.fetch(ctx, key, r, rev, fetch)
		}
		held := seen.holds(r, rev, now)
		switch {
		case (held || at < r.Rest) && r.Gen > refused && at < r.End: // good enough while there is no other
			return grant{r.Token, r.Gen, now.Add(lastLook)}, nil
		case held:
			if err := pause(ctx, look); err != nil {
				return grant{}, err
			}
			continue
		case at < r.Rest:
			return grant{}, provider.ErrNoToken
		}
		next := r
		next.Holder, next.Lease = c.me, at.Add(leaseFor)
		taken, err := c.write(ctx, key, next, rev, now)
		switch {
		case err != nil: // it may be written all the same
			if err := pause(ctx, look); err != nil {
				return grant{}, err
			}
		case taken > 0:
			return c.fetch(ctx, key, next, taken, fetch)
		}
	}
}

// holds tells whether a record's lease is another one's. It ends when its holder said, with some room for
// his clock being another, or when it was watched for as long as a lease lasts.
func (s *sighting) holds(r record, rev int64, now time.Time) bool {
	if r.Holder == "" {
		return false
	}
	if s.rev != rev {
		s.rev, s.at = rev, now
	}
	return message.At(now) < r.Lease.Add(skew) && now.Sub(s.at) < leaseFor
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// fetch asks the vendor as the holder of the lease, and ends the lease with what came of it.
func (c *Cache) fetch(ctx context.Context, key string, r record, rev int64, fetch Fetch) (grant, error) {
	gone := true // fetch panics
	defer func() {
		if gone {
			c.give(ctx, key, r.failed(c.now()), rev)
		}
	}()
	asking, cancel := context.WithTimeout(ctx, fetchFor)
	defer cancel()
	token, life, err := fetch(asking)
	gone = false
	now := c.now()
	if err != nil {
		if errors.Is(err, context.Canceled) { // the caller went; that is not the vendor's
			r.Holder, r.Lease = "", 0
		} else {
			r = r.failed(now)
		}
		c.give(ctx, key, r, rev)
		return grant{}, err
	}
	next := record{Token: token, Gen: r.Gen + 1, Until: message.At(now.Add(life - life/early)), End: message.At(now.Add(life))}
	if c.give(ctx, key, next, rev) || c.kept(ctx, key, next) {
		return grant{token, next.Gen, next.Until.Std()}, nil
	}
	return grant{token, r.Gen, now.Add(lastLook)}, nil // another one has ended our lease, or nobody knows of this token
}

// failed is the record after a fetch that gave no token.
func (r record) failed(now time.Time) record {
	r.Holder, r.Lease = "", 0
	r.Rest = message.At(now.Add(time.Second << min(r.Fails, maxRests)))
	r.Fails++
	return r
}

// give ends our lease, and tells whether it was still ours.
func (c *Cache) give(ctx context.Context, key string, r record, rev int64) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeFor)
	defer cancel()
	written, err := c.write(ctx, key, r, rev, c.now())
	return err == nil && written > 0
}

// kept tells whether a record was written whose answer was lost.
func (c *Cache) kept(ctx context.Context, key string, r record) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeFor)
	defer cancel()
	have, _, err := c.read(ctx, key, c.now())
	return err == nil && have == r
}

func (c *Cache) read(ctx context.Context, key string, now time.Time) (r record, rev int64, err error) {
	value, rev, err := c.records.Sealed(ctx, message.At(now), purpose, key)
	if err != nil {
		return r, 0, fmt.Errorf("token: read: %w", err)
	}
	if rev == 0 {
		return r, 0, nil
	}
	if err := json.Unmarshal(value, &r); err != nil {
		return record{}, rev, nil // of another version of notify: a fetch mends it
	}
	return r, rev, nil
}

func (c *Cache) write(ctx context.Context, key string, r record, rev int64, now time.Time) (int64, error) {
	value, err := json.Marshal(r)
	if err != nil {
		return 0, fmt.Errorf("token: %w", err)
	}
	return c.records.PutSealed(ctx, message.At(now), purpose, key, value, rev, message.At(now.Add(keepFor)))
}
