package delivery_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/queue/memory"
	"github.com/opennotify/notify/pkg/store"
)

// plant is a delivery with real workers over a real queue, in virtual time.
type plant struct {
	*world
	queue *memory.Queue
	mu    sync.Mutex
	sent  int // items into the queue
	most  int // receives of an item
	began time.Time
	times []time.Duration // of the calls
	in    int             // calls at once
	inMax int
}

func newPlant(t *testing.T, takes time.Duration) *plant {
	p := &plant{world: newWorld(t), began: time.Now()}
	p.live = true
	p.into = p
	p.queue = memory.New(memory.Options{Now: time.Now, Rand: p.chance})
	p.restart()
	p.send = func(context.Context, provider.Call) message.Result {
		p.mu.Lock()
		p.times = append(p.times, time.Since(p.began))
		p.in++
		p.inMax = max(p.inMax, p.in)
		p.mu.Unlock()
		time.Sleep(takes)
		p.mu.Lock()
		p.in--
		p.mu.Unlock()
		return message.Result{Outcome: message.Accepted}
	}
	return p
}

func (p *plant) Send(ctx context.Context, to queue.Name, items ...queue.Item) error {
	p.mu.Lock()
	p.sent += len(items)
	p.mu.Unlock()
	return p.queue.Send(ctx, to, items...)
}

// run works on messages of each class until all are done, and gives them.
func (p *plant) run(counts map[message.Class]int) map[message.Class][]*store.Record {
	ctx, stop := context.WithCancel(p.t.Context())
	var workers sync.WaitGroup
	for _, lane := range message.Lanes() {
		workers.Go(func() {
			_ = p.queue.Consume(ctx, queue.Lane(message.SMS, lane), queue.Consumer{Workers: 16, Batch: 1,
				Handler: queue.HandlerFunc(func(ctx context.Context, batch []queue.Item) []string {
					p.mu.Lock()
					p.most = max(p.most, batch[0].Receives)
					p.mu.Unlock()
					return p.delivery.Handle(ctx, batch)
				})})
		})
	}
	out := map[message.Class][]*store.Record{}
	for _, class := range []message.Class{message.Marketing, message.Transactional, message.OTP} {
		for range counts[class] {
			r := p.accept(class)
			out[class] = append(out[class], r)
			body, err := p.raw.Hint(r)
			if err != nil {
				p.t.Fatal(err)
			}
			if err := p.Send(ctx, queue.Lane(message.SMS, r.Lane()), queue.Item{Body: body}); err != nil {
				p.t.Fatal(err)
			}
		}
	}
	total := counts[message.OTP] + counts[message.Transactional] + counts[message.Marketing]
	for done := 0; done < total; {
		time.Sleep(time.Second)
		p.mu.Lock()
		done = len(p.times) - p.in
		p.mu.Unlock()
		if time.Since(p.began) > time.Hour {
			p.t.Errorf("only %d of %d after an hour", done, total)
			break
		}
	}
	stop()
	workers.Wait()
	for _, list := range out {
		for i, r := range list {
			if list[i] = p.want(r.ID, message.Sent, 1); list[i].Tries != 0 || list[i].Epoch != 1 {
				p.t.Errorf("a wait used an attempt up: %+v", list[i].Message)
			}
		}
	}
	if p.most != 1 {
		p.t.Errorf("a wait used up receives: %d", p.most)
	}
	return out
}

// window is the most calls within a time.
func (p *plant) window(d time.Duration) int {
	slices.Sort(p.times)
	most := 0
	for i := range p.times {
		n, _ := slices.BinarySearch(p.times, p.times[i]+d)
		most = max(most, n-i)
	}
	return most
}

func TestRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(t, 50*time.Millisecond)
		p.accounts[0].PerSecond = 10
		const n = 300
		p.run(map[message.Class]int{message.Transactional: n})
		// The bucket holds one second's worth, so a second may see two.
		if a, b := p.window(time.Second), p.window(20*time.Second); a > 21 || b > 211 {
			t.Errorf("%d calls in 1 s, %d in 20 s", a, b)
		}
		if took := p.times[n-1]; took > 45*time.Second {
			t.Errorf("%d messages at 10 a second took %s", n, took)
		}
		if p.sent > 8*n {
			t.Errorf("%d items for %d messages", p.sent, n)
		}
	})
}

func TestConcurrency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(t, 900*time.Millisecond)
		p.limits.Concurrency = 3
		const n = 90
		p.run(map[message.Class]int{message.Transactional: n})
		if p.inMax != 3 || p.times[n-1] > 70*time.Second || p.sent > 8*n {
			t.Errorf("%d at once, took %s, %d items", p.inMax, p.times[n-1], p.sent)
		}
	})
}

// Codes do not stand behind a campaign, and none is given up before its time.
func TestCodesPassTheCampaign(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(t, 50*time.Millisecond)
		p.accounts[0].PerSecond = 4
		out := p.run(map[message.Class]int{message.Marketing: 400, message.OTP: 40})
		for _, r := range out[message.OTP] {
			if wait := r.Last().At.Sub(r.Created); wait > 40*time.Second {
				t.Errorf("a code waited for %s", wait)
			}
		}
	})
}

// A line as long as the messages' time: whoever can be sent in time is.
func TestLineAndExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(t, 0)
		p.accounts[0].PerSecond = 1
		p.run(map[message.Class]int{message.OTP: 200})
	})
}

// The line was longer than it is: who joined it behind messages that were cancelled is not given up.
func TestLineOfTheCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts[0].PerSecond = 1
	for range 40 {
		r := w.accept(message.OTP)
		w.handle(w.hint(r))
		if now := w.record(r.ID); now.Status == message.Queued {
			w.apply(r.ID, message.Cancel{})
		}
	}
	w.items = nil
	short := w.accept(message.OTP, func(m *message.Message) { m.Expires = w.now().Add(20 * time.Second) })
	w.handle(w.hint(short))
	w.want(short.ID, message.Queued, 0)
	w.settle(time.Hour)
	w.want(short.ID, message.Sent, 1)
}
