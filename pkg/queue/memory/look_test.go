package memory

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/queue"
)

func bodies(items []queue.Item) (s []string) {
	for _, it := range items {
		s = append(s, string(it.Body))
	}
	return s
}

func TestLimits(t *testing.T) {
	t.Parallel()
	ten := queue.Item{Body: []byte("0123456789")}
	for name, c := range map[string]struct {
		opts Options
		fits int
	}{
		"items": {Options{Max: 3}, 3},
		"bytes": {Options{MaxBytes: 25}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := open(c.opts)
			var failed *queue.SendError
			if err := q.Send(t.Context(), lane, ten, ten, ten, ten); !errors.As(err, &failed) || len(failed.Failed) != 4-c.fits {
				t.Fatalf("Send: %v, want %d refused", err, 4-c.fits)
			}
			for i, err := range failed.Failed {
				if i < c.fits || !errors.Is(err, queue.ErrFull) {
					t.Errorf("item %d: %v, want %v", i, err, queue.ErrFull)
				}
			}
			if _, ok := q.Take(lane, q.Peek(lane, 1)[0].ID); !ok {
				t.Fatal("Take took nothing")
			}
			if err := q.Send(t.Context(), lane, ten); err != nil {
				t.Errorf("Send after one was taken: %v", err)
			}
		})
	}
}

// The dead never keep the living out: a full dead-letter queue drops what has been in it for long.
func TestMaxDead(t *testing.T) {
	t.Parallel()
	q := open(Options{MaxDead: 2, Max: 3})
	send(t, q, lane.DLQ(), "1", "2", "3", "4", "5")
	if diff := cmp.Diff([]string{"4", "5"}, bodies(q.Peek(lane.DLQ(), 10))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	send(t, q, lane, "there is room")
}

func TestPeekAndTake(t *testing.T) {
	t.Parallel()
	q := open(Options{})
	for i, group := range strings.Split("b a b c a", " ") {
		it := queue.Item{Body: []byte{byte('0' + i)}, Group: group, Delay: time.Duration(i%2) * time.Minute}
		if err := q.Send(t.Context(), lane, it); err != nil {
			t.Fatal(err)
		}
	}
	for n, want := range map[int]string{-1: "", 0: "", 2: "0 1", 100: "0 1 2 3 4"} {
		if got := strings.Join(bodies(q.Peek(lane, n)), " "); got != want {
			t.Errorf("Peek %d: %q, want %q", n, got, want)
		}
	}
	items := q.Peek(lane, 5)
	for _, i := range []int{3, 0, 2} {
		if it, ok := q.Take(lane, items[i].ID); !ok || string(it.Body) != string(items[i].Body) {
			t.Errorf("Take of %q: %+v, %v", items[i].Body, it, ok)
		}
		if _, ok := q.Take(lane, items[i].ID); ok {
			t.Errorf("took %q twice", items[i].Body)
		}
	}
	if got := strings.Join(bodies(q.Peek(lane, 5)), " "); got != "1 4" {
		t.Errorf("left: %q", got)
	}
	if diff := cmp.Diff(counts{Ready: 1, Delayed: 1}, count(q, lane)); diff != "" {
		t.Error(diff)
	}
	if _, ok := q.Take("nobody-sent", "1"); ok || q.Peek("nobody-sent", 1) != nil || len(q.lines) != 2 {
		t.Errorf("looking made a queue: %d", len(q.lines))
	}
}

func TestOldestAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := open(Options{})
		check := func(when string, want time.Duration) {
			t.Helper()
			if got := q.OldestAge(lane); got != want {
				t.Errorf("%s: %v, want %v", when, got, want)
			}
		}
		check("empty", 0)
		if err := q.Send(t.Context(), lane, queue.Item{Body: []byte("x"), Delay: 10 * time.Second}); err != nil {
			t.Fatal(err)
		}
		<-time.After(9 * time.Second)
		check("not due", 0)
		<-time.After(3 * time.Second)
		check("ready", 2*time.Second)
		stop := consume(t, q, lane, queue.Consumer{Handler: queue.HandlerFunc(func(_ context.Context, batch []queue.Item) []string {
			<-time.After(5 * time.Second)
			if batch[0].Receives == 1 {
				return all(batch)
			}
			return nil
		})})
		<-time.After(2 * time.Second)
		check("in flight", 4*time.Second)
		<-time.After(3*time.Second + time.Millisecond)
		check("backed off", 7*time.Second+time.Millisecond)
		<-time.After(time.Minute)
		check("done", 0)
		stop()
	})
}

// Nothing runs when nothing waits: after the last item there is one timer at most, and then none.
func TestIdle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := open(Options{})
		stop := consume(t, q, lane, queue.Consumer{Handler: queue.HandlerFunc(func(context.Context, []queue.Item) []string { return nil })})
		send(t, q, lane, "x")
		<-time.After(time.Hour)
		stop()
		if l := q.line(lane); l.armed != 0 {
			t.Errorf("a timer runs at %v", l.armed)
		}
	})
}
