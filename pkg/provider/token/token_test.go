package token_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/token"
)

var _ provider.Tokens = (*token.Cache)(nil)

// vendor counts how often it is asked.
type vendor struct{ asked atomic.Int64 }

func (v *vendor) fetch(context.Context) (string, time.Duration, error) {
	time.Sleep(time.Second) // of the bubble
	return fmt.Sprint("t", v.asked.Add(1)), 2 * time.Hour, nil
}

func TestOneFetchForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, v := token.New(time.Now), &vendor{}
		all := func(want string) {
			t.Helper()
			var wg sync.WaitGroup
			for range 1000 {
				wg.Go(func() {
					if got, err := c.Token(t.Context(), "a", v.fetch); got != want || err != nil {
						t.Errorf("%q %v, want %q", got, err, want)
					}
				})
			}
			wg.Wait()
		}
		all("t1")
		for range 1000 { // all of them were refused with it
			c.Drop("a", "t1")
		}
		all("t2")
		c.Drop("a", "t1") // who comes late does no harm
		all("t2")
		time.Sleep(2*time.Hour - 13*time.Minute) // a tenth of its life is left
		all("t2")
		time.Sleep(2 * time.Minute)
		all("t3")
		if got, _ := c.Token(t.Context(), "b", v.fetch); got != "t4" {
			t.Errorf("another key: %s", got)
		}
	})
}

func TestFaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := token.New(time.Now)
		fault := errors.New("bad secret")
		asked := 0
		refuse := func(context.Context) (string, time.Duration, error) {
			asked++
			time.Sleep(time.Second)
			return "", 0, fault
		}
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if _, err := c.Token(t.Context(), "a", refuse); !errors.Is(err, fault) {
					t.Errorf("%v", err)
				}
			})
		}
		wg.Wait()
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
		if got, err := c.Token(t.Context(), "a", (&vendor{}).fetch); got != "t1" || err != nil {
			t.Errorf("after a fault: %q %v", got, err)
		}
	})
}

// TestLeaderGone: the one that fetches is cancelled; another one takes over.
func TestLeaderGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, v := token.New(time.Now), &vendor{}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := c.Token(ctx, "a", func(ctx context.Context) (string, time.Duration, error) {
				<-ctx.Done()
				return "", 0, ctx.Err()
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("leader: %v", err)
			}
		})
		synctest.Wait()
		short, end := context.WithTimeout(t.Context(), time.Millisecond)
		defer end()
		if _, err := c.Token(short, "a", v.fetch); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a waiter whose time is up: %v", err)
		}
		wg.Go(func() {
			if got, err := c.Token(t.Context(), "a", v.fetch); got != "t1" || err != nil {
				t.Errorf("follower: %q %v", got, err)
			}
		})
		synctest.Wait()
		cancel()
		wg.Wait()
	})
}

// TestPanic: a fetch that panics does not lock the others out.
func TestPanic(t *testing.T) {
	t.Parallel()
	c := token.New(func() time.Time { return time.Unix(1, 0) })
	func() {
		defer func() { _ = recover() }()
		_, _ = c.Token(t.Context(), "a", func(context.Context) (string, time.Duration, error) { panic("x") })
	}()
	got, err := c.Token(t.Context(), "a", func(context.Context) (string, time.Duration, error) { return "t", time.Hour, nil })
	if got != "t" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}
