package limit_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
)

var t0 = message.At(time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC))

// In any window no more goes through than a second's worth and the window's; a caller who waits as long as
// he is told gets a token then, and not a millisecond later than he could.
func TestRateIsNeverExceeded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.OneOf(rapid.Float64Range(0.01, 5), rapid.Float64Range(1, 5000)).Draw(t, "rate")
		now, b := t0, limit.Bucket{}
		var taken []message.Time
		for range rapid.IntRange(1, 400).Draw(t, "calls") {
			var wait time.Duration
			if b, wait = b.Take(rate, now); wait == 0 {
				taken = append(taken, now)
				now = now.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "pause")) * 100 * time.Microsecond * 7)
				continue
			}
			if wait%time.Millisecond != 0 || wait < 0 {
				t.Fatalf("wait %s", wait)
			}
			if _, early := b.Take(rate, now.Add(wait-time.Millisecond)); early == 0 {
				t.Fatalf("told to wait %s, a millisecond less was enough", wait)
			}
			if _, again := b.Take(rate, now.Add(wait)); again != 0 {
				t.Fatalf("waited %s as told, then told to wait %s", wait, again)
			}
			now = now.Add(wait)
		}
		burst := max(rate, 1)
		for i := range taken {
			for j := i; j < len(taken); j++ {
				if n, most := float64(j-i+1), burst+rate*taken[j].Sub(taken[i]).Seconds()+1e-6; n > most {
					t.Fatalf("%g within %s at %g a second", n, taken[j].Sub(taken[i]), rate)
				}
			}
		}
	})
}

func TestBucket(t *testing.T) {
	t.Parallel()
	var b limit.Bucket
	for range 100 {
		if _, wait := b.Take(0, t0); wait != 0 {
			t.Fatal("a rate of 0 is no limit")
		}
	}
	for range 10 {
		var wait time.Duration
		if b, wait = b.Take(10, t0); wait != 0 {
			t.Fatal("a new bucket is not full")
		}
	}
	if _, wait := b.Take(10, t0); wait != 100*time.Millisecond {
		t.Error(wait)
	}
	if _, wait := b.Take(10, t0.Add(-time.Hour)); wait != 100*time.Millisecond {
		t.Error("a clock that went back", wait)
	}
	// A lower rate holds at once, whatever was saved up under the higher one.
	full, _ := limit.Bucket{}.Take(1000, t0)
	n := 0
	for wait := time.Duration(0); ; n++ {
		if full, wait = full.Take(2, t0); wait > 0 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d at once at 2 a second", n)
	}
	if _, wait := (limit.Bucket{}).Take(1e-12, t0); wait != 0 {
		t.Error("the first is free", wait)
	}
	slow, _ := limit.Bucket{}.Take(1e-12, t0)
	if _, wait := slow.Take(1e-12, t0); wait <= 0 || wait > 366*24*time.Hour {
		t.Error(wait)
	}
}
