package store_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
)

func TestLinkIsTakenOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	put := func(token string) error {
		return w.PutLink(w.Context(), sys, t0, t0.Add(time.Hour), token, "nfy_live_secret")
	}
	if err := w.PutLink(w.Context(), shop, t0, t0.Add(time.Hour), "a", "x"); err == nil {
		t.Error("a tenant made a link")
	}
	if err := put("a"); err != nil {
		t.Fatal(err)
	}
	take := func(now message.Time, token string) (message.Secret, bool) {
		key, ok, err := w.over(w.db).TakeLink(w.Context(), now, token)
		if err != nil {
			t.Error(err)
		}
		return key, ok
	}
	if _, ok := take(t0, "b"); ok {
		t.Error("a token that nobody has")
	}
	var taken atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if key, ok := take(t0, "a"); ok {
				taken.Add(1)
				if string(key) != "nfy_live_secret" {
					t.Error("another key")
				}
			}
		})
	}
	all.Wait()
	if n := taken.Load(); n != 1 {
		t.Errorf("taken %d times", n)
	}
	if err := put("c"); err != nil {
		t.Fatal(err)
	}
	if _, ok := take(t0.Add(time.Hour), "c"); ok {
		t.Error("an old link opened")
	}
}
