package token_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/token"
	"github.com/opennotify/notify/pkg/seal"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/sqlite/sqlitetest"
	"github.com/opennotify/notify/pkg/store/storetest"
)

// keeper wraps nothing.
type keeper struct{}

func (keeper) Generate(context.Context, string) (key, wrapped []byte, err error) {
	key = make([]byte, seal.KeySize)
	_, err = rand.Read(key)
	return key, key, err
}
func (keeper) Unwrap(_ context.Context, wrapped []byte, _ string) ([]byte, error) {
	return wrapped, nil
}

// over opens records, as a process does.
func over(t testing.TB, d store.Driver) *store.Store {
	t.Helper()
	s, err := storeOver(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func storeOver(ctx context.Context, d store.Driver) (*store.Store, error) {
	return store.Open(ctx, d, keeper{}, message.At(time.Now()), store.Options{DueShards: 1, ListShards: 1, Random: rand.Reader})
}

// account is a vendor's side: the tokens that it gave and those that it takes.
type account struct {
	mu     sync.Mutex
	asked  int
	says   string // if set, the same text each time
	denied error
	slow   time.Duration
}

func (a *account) fetch(ctx context.Context) (string, time.Duration, error) {
	a.mu.Lock()
	a.asked++
	n, says, denied, slow := a.asked, a.says, a.denied, a.slow
	a.mu.Unlock()
	if slow == 0 {
		slow = 300 * time.Millisecond
	}
	select {
	case <-time.After(slow):
	case <-ctx.Done():
		return "", 0, ctx.Err()
	}
	if says == "" {
		says = fmt.Sprint("t", n)
	}
	return says, 2 * time.Hour, denied
}

func (a *account) fetches(t testing.TB, want int, when string) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked != want {
		t.Errorf("%s: %d fetches, want %d", when, a.asked, want)
	}
}

// fleet is processes that start cold over the same records.
type fleet []*token.Cache

func start(records token.Records, n int) fleet {
	f := make(fleet, n)
	for i := range f {
		f[i] = token.Shared(time.Now, records, fmt.Sprint("process ", i))
	}
	return f
}

// all asks every process at once.
func (f fleet) all(t testing.TB, a *account, want string) {
	t.Helper()
	var wg sync.WaitGroup
	for _, c := range f {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if got, err := c.Token(ctx, "k", a.fetch); got != want || err != nil {
				t.Errorf("%q %v, want %q", got, err, want)
			}
		})
	}
	wg.Wait()
}

func (f fleet) drop(text string) {
	for _, c := range f {
		c.Drop("k", text)
	}
}

// TestColdStarts: a thousand processes make one fetch, one when the token is about to end, and one when the
// vendor refuses it, however many are refused.
func TestColdStarts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := sqlitetest.Open(t)
		a := &account{}
		f := start(over(t, d), 1000)
		f.all(t, a, "t1")
		f.all(t, a, "t1")
		a.fetches(t, 1, "cold")
		start(over(t, d), 1000).all(t, a, "t1")
		a.fetches(t, 1, "cold, later")
	})
}

// TestRenewal: near its end one process fetches the next token, and the others go on with the old one.
func TestRenewal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := sqlitetest.Open(t)
		a := &account{}
		f := start(over(t, d), 100)
		f.all(t, a, "t1")
		time.Sleep(2*time.Hour - 11*time.Minute)
		var old, fresh atomic.Int64
		var wg sync.WaitGroup
		for _, c := range f {
			wg.Go(func() {
				switch got, err := c.Token(t.Context(), "k", a.fetch); {
				case err != nil:
					t.Error(err)
				case got == "t1":
					old.Add(1)
				case got == "t2":
					fresh.Add(1)
				}
			})
		}
		wg.Wait()
		if fresh.Load() != 1 || old.Load() != 99 {
			t.Errorf("%d have the new one, %d the old one", fresh.Load(), old.Load())
		}
		time.Sleep(2 * time.Second)
		f.all(t, a, "t2")
		a.fetches(t, 2, "renewed")
		f.drop("t2")
		f.all(t, a, "t3")
		f.drop("t2") // who comes late with the old one does no harm
		f.all(t, a, "t3")
		a.fetches(t, 3, "refused")
	})
}

// TestTheSameAgain: a vendor that gives the same text again (WeCom) is asked once, though its former
// callers cannot be told from its new ones by it.
func TestTheSameAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := sqlitetest.Open(t)
		a := &account{says: "same"}
		f := start(over(t, d), 200)
		f.all(t, a, "same")
		f.drop("same")
		f.all(t, a, "same")
		f.drop("same") // calls that began with it before
		f.all(t, a, "same")
		a.fetches(t, 2, "refused once")
		time.Sleep(time.Minute)
		f.drop("same")
		f.all(t, a, "same")
		a.fetches(t, 3, "refused again, later")
	})
}

// mortal is the records of a process that dies: nothing that it does after that reaches them.
type mortal struct {
	token.Records
	dead bool
}

func (m *mortal) Sealed(ctx context.Context, now message.Time, purpose, name string) ([]byte, int64, error) {
	if m.dead {
		return nil, 0, errors.New("dead")
	}
	return m.Records.Sealed(ctx, now, purpose, name)
}

func (m *mortal) PutSealed(ctx context.Context, now message.Time, purpose, name string, value []byte, read int64, expires message.Time) (int64, error) {
	if m.dead {
		return 0, errors.New("dead")
	}
	return m.Records.PutSealed(ctx, now, purpose, name, value, read, expires)
}

// TestHolderDies: whoever dies in the middle of a fetch is not waited for longer than its lease.
func TestHolderDies(t *testing.T) {
	t.Parallel()
	for name, gone := range map[string]time.Duration{"watched": 0, "long ago": 25 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			d := sqlitetest.Open(t)
			records := &mortal{Records: over(t, d)}
			_, err := start(records, 1)[0].Token(t.Context(), "k", func(context.Context) (string, time.Duration, error) {
				records.dead = true
				return "lost", time.Hour, nil
			})
			if err != nil {
				t.Error(err)
			}
			time.Sleep(gone)
			a, began := &account{}, time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			got, err := start(over(t, d), 1)[0].Token(ctx, "k", a.fetch)
			if took := time.Since(began); got != "t1" || err != nil || took > 17*time.Second || gone > 0 && took > time.Second {
				t.Errorf("%s: %q %v after %s", name, got, err, took)
			}
		})
	}
}

// TestCallersGo: who has no time left leaves no lease behind.
func TestCallersGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := sqlitetest.Open(t)
		a := &account{slow: 5 * time.Second}
		f := start(over(t, d), 2)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := f[0].Token(ctx, "k", a.fetch); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		a.slow = 0
		f.all(t, a, "t2")
		a.fetches(t, 2, "the first was cancelled")
	})
}

// TestRests: a vendor that gives no token is not asked by everybody in turn, and not for ever.
func TestRests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := sqlitetest.Open(t)
		denied := errors.New("bad secret")
		a := &account{denied: denied}
		f := start(over(t, d), 10)
		ask := func() (told, rested int) {
			for _, c := range f {
				switch _, err := c.Token(t.Context(), "k", a.fetch); {
				case errors.Is(err, denied):
					told++
				case errors.Is(err, provider.ErrNoToken):
					rested++
				default:
					t.Error(err)
				}
			}
			return told, rested
		}
		if told, rested := ask(); told != 1 || rested != 9 {
			t.Errorf("%d were told, %d not", told, rested)
		}
		for range 60 * 12 { // an hour of asking
			time.Sleep(5 * time.Second)
			ask()
		}
		if a.asked < 10 || a.asked > 30 {
			t.Errorf("asked %d times in an hour", a.asked)
		}
		a.denied, a.asked = nil, 0
		time.Sleep(5 * time.Minute)
		f.all(t, a, "t1")
		a.fetches(t, 1, "after it was mended")
	})
}

// TestSkew: clocks that differ by a little change nothing; one that is wrong costs a fetch for each life of
// a token at most, and keeps nobody waiting.
func TestSkew(t *testing.T) {
	t.Parallel()
	for off, most := range map[time.Duration]int{-3 * time.Second: 1, 3 * time.Second: 1, -3 * time.Hour: 2, 3 * time.Hour: 2, -time.Hour: 2, time.Hour: 2} {
		synctest.Test(t, func(t *testing.T) {
			d := sqlitetest.Open(t)
			records, a := over(t, d), &account{slow: 4 * time.Second}
			odd := func() time.Time { return time.Now().Add(off) }
			f := fleet{token.Shared(odd, records, "odd")}
			f = append(f, start(records, 20)...)
			var wg sync.WaitGroup
			for _, c := range f {
				wg.Go(func() {
					if _, err := c.Token(t.Context(), "k", a.fetch); err != nil {
						t.Errorf("%s: %v", off, err)
					}
				})
			}
			wg.Wait()
			if a.asked > most {
				t.Errorf("%s: %d fetches", off, a.asked)
			}
			// Whoever has a token that is over by now is told so by the vendor.
			for life := range 5 {
				time.Sleep(2 * time.Hour)
				before := a.asked
				for _, c := range f {
					got, err := c.Token(t.Context(), "k", a.fetch)
					if err != nil {
						t.Error(err)
					}
					if got != fmt.Sprint("t", a.asked) {
						c.Drop("k", got)
						if _, err = c.Token(t.Context(), "k", a.fetch); err != nil {
							t.Error(err)
						}
					}
				}
				if n := a.asked - before; n > 2 {
					t.Errorf("%s, life %d: %d fetches", off, life, n)
				}
			}
		})
	}
}

// TestFaultyRecords: a store that fails, before or after it wrote, costs no more than a fetch for each
// fault, and leaves nobody without a token for long.
func TestFaultyRecords(t *testing.T) {
	t.Parallel()
	away := errors.New("the store is away")
	for n := range 8 { // the call that fails
		for name, fault := range map[string]storetest.Fault{"before": {Before: away}, "after": {After: away}} {
			synctest.Test(t, func(t *testing.T) {
				d := sqlitetest.Open(t)
				if _, err := over(t, d).Box(t.Context(), 0, "token"); err != nil { // the key is there already
					t.Fatal(err)
				}
				var calls atomic.Int64
				var armed atomic.Bool
				records := over(t, storetest.Faults(d, func(string) storetest.Fault {
					if armed.Load() && calls.Add(1) == int64(n+1) {
						return fault
					}
					return storetest.Fault{}
				}))
				if _, err := records.Box(t.Context(), 0, "token"); err != nil {
					t.Fatal(err)
				}
				armed.Store(true)
				a := &account{}
				f := append(start(records, 1), start(over(t, d), 5)...)
				failed := 0
				for _, c := range f {
					got, err := c.Token(t.Context(), "k", a.fetch)
					if err != nil {
						failed++
						got, err = c.Token(t.Context(), "k", a.fetch)
					}
					if err != nil || got == "" {
						t.Errorf("call %d, %s: %q %v", n, name, got, err)
					}
				}
				time.Sleep(2 * time.Second)
				for _, c := range f {
					if _, err := c.Token(t.Context(), "k", a.fetch); err != nil {
						t.Error(err)
					}
				}
				if a.asked > 2 || failed > 1 {
					t.Errorf("call %d, %s: %d fetches, %d failed", n, name, a.asked, failed)
				}
			})
		}
	}
}
