package token

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Cache keeps tokens in this process. It is a provider.Tokens, safe for concurrent use.
type Cache struct {
	now func() time.Time

	mu      sync.Mutex
	entries map[string]*entry
}

type entry struct {
	token  string
	until  time.Time // when to fetch the next one
	flight *flight   // a fetch under way
}

type flight struct {
	done  chan struct{}
	token string
	err   error
}

// New makes an empty cache.
func New(now func() time.Time) *Cache { return &Cache{now: now, entries: map[string]*entry{}} }

// early is which part of its life a token is not used any more, so that none ends on its way.
const early = 10

// Token gives the token of that key, and fetches it if there is none or it is about to end.
func (c *Cache) Token(ctx context.Context, key string, fetch func(context.Context) (string, time.Duration, error)) (string, error) {
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
			c.mu.Unlock()
			return c.fetch(ctx, e, f, fetch)
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

func (c *Cache) fetch(ctx context.Context, e *entry, f *flight, fetch func(context.Context) (string, time.Duration, error)) (string, error) {
	var life time.Duration
	f.err = errPanic // unless fetch returns
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		e.flight = nil
		if f.err == nil {
			e.token, e.until = f.token, c.now().Add(life-life/early)
		}
		close(f.done)
	}()
	f.token, life, f.err = fetch(ctx)
	return f.token, f.err
}

var errPanic = errors.New("token: the fetch did not end")

// ended tells whether an error is the end of somebody's time.
func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// Drop forgets a token that the vendor did not take. Of many who were refused with the same one, only the
// first makes a difference: a token that was fetched since stays.
func (c *Cache) Drop(key, token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[key]; e != nil && e.token == token {
		e.token = ""
	}
}
