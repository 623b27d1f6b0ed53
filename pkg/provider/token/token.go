package token

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Fetch asks the vendor for a token, and says for how long it is good.
type Fetch = func(context.Context) (token string, life time.Duration, err error)

// Cache keeps tokens in this process, and agrees with others on them if it has records. It is a
// provider.Tokens, safe for concurrent use.
type Cache struct {
	now     func() time.Time
	records Records // nil: this process is alone
	me      string  // this cache, in leases

	mu      sync.Mutex
	entries map[string]*entry
}

type entry struct {
	grant
	flight *flight // a fetch under way
	// refused is the newest generation that the vendor refused, and refusedToken its text.
	refused      int64
	refusedToken string
	// holds is until when a refusal says nothing: see Drop.
	holds time.Time
	seen  sighting
}

// grant is a token that was had.
type grant struct {
	token string
	// gen counts the fetches of a key: a vendor may give the same text again.
	gen   int64
	until time.Time // when to fetch the next one
}

type flight struct {
	done chan struct{}
	grant
	err error
}

// New makes an empty cache of a process that is alone.
func New(now func() time.Time) *Cache { return &Cache{now: now, entries: map[string]*entry{}} }

const (
	// early is which part of its life a token is not used any more, so that none ends on its way.
	early = 10
	// inFlight is how long a call may take that began with a former token.
	inFlight = 15 * time.Second
)

// Token gives the token of that key, and fetches it if there is none or it is about to end.
func (c *Cache) Token(ctx context.Context, key string, fetch Fetch) (string, error) {
	for {
		c.mu.Lock()
		e := c.entries[key]
		if e == nil {
			e = &entry{}
			c.entries[key] = e
		}
		if token := e.token; token != "" && c.now().Before(e.until) {
			c.mu.Unlock()
			return token, nil
		}
		f := e.flight
		if f == nil {
			f = &flight{done: make(chan struct{})}
			e.flight = f
			have, refused := e.gen, e.refused
			c.mu.Unlock()
			return c.fly(ctx, e, f, func() (grant, error) {
				if c.records != nil {
					return c.agree(ctx, key, refused, &e.seen, fetch)
				}
				token, life, err := fetch(ctx)
				return grant{token, have + 1, c.now().Add(life - life/early)}, err
			})
		}
		c.mu.Unlock()
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-f.done:
		}
		if f.err == nil || !ended(f.err) {
			return f.token, f.err
		}
		// Who fetched had no more time; that says nothing about us.
	}
}

func (c *Cache) fly(ctx context.Context, e *entry, f *flight, get func() (grant, error)) (string, error) {
	f.err = errPanic // unless get returns
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		e.flight = nil
		if f.err == nil {
			e.grant = f.grant
			if f.token == e.refusedToken {
				e.holds = c.now().Add(inFlight)
			}
		}
		close(f.done)
	}()
	f.grant, f.err = get()
	return f.token, f.err
}

var errPanic = errors.New("token: the fetch did not end")

// ended tells whether an error is the end of somebody's time.
func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// Drop forgets a token that the vendor did not take. Of many who were refused with the same one, only the
// first makes a difference: a token that was fetched since stays. That may have the same text, if the vendor
// gave it once more; then those who come late with it cannot be told apart, and are not heard for as long as
// their calls may take.
func (c *Cache) Drop(key, token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[key]; e != nil && e.token == token && !c.now().Before(e.holds) {
		e.token, e.refused, e.refusedToken = "", e.gen, token
	}
}
