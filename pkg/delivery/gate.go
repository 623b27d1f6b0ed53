package delivery

import (
	"sync"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

// gate bounds the calls of this process over one account: so many at once, so many a second.
type gate struct {
	mu     sync.Mutex
	rate   float64
	most   int
	inside int
	bucket limit.Bucket
	line   map[message.Lane]message.Time // when the last one that was put off comes back
}

const (
	// callFor is what a call is thought to take when all places are taken.
	callFor = time.Second
	// maxLine is how far ahead the line reaches. Who comes after that comes too early, and lines up again.
	maxLine = time.Minute
)

func (d *Delivery) gate(a config.Account, desc provider.Descriptor) *gate {
	d.mu.Lock()
	g := d.gates[a.Name]
	if g == nil {
		g = &gate{line: map[message.Lane]message.Time{}}
		d.gates[a.Name] = g
	}
	d.mu.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rate, g.most = a.PerSecond, a.Concurrency
	if g.rate == 0 {
		g.rate = desc.Limits.Rate()
	}
	if g.most == 0 {
		g.most = desc.Limits.Concurrency
	}
	return g
}

// enter takes a place, or says how long to stay away.
func (g *gate) enter(now message.Time, lane message.Lane) (leave func(), wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.most > 0 && g.inside >= g.most {
		return nil, g.queue(now, lane, callFor/time.Duration(g.most))
	}
	if g.bucket, wait = g.bucket.Take(g.rate, now); wait > 0 {
		return nil, max(wait, g.queue(now, lane, time.Duration(float64(time.Second)/g.rate)))
	}
	g.inside++
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.inside--
	}, 0
}

// queue gives the next place in a lane's line, which moves at a pace. If all came back at once, all but a
// few would be put off again, and a long queue would be handled as often as it is long.
func (g *gate) queue(now message.Time, lane message.Lane, pace time.Duration) time.Duration {
	at := max(g.line[lane], now).Add(max(pace, time.Millisecond))
	g.line[lane] = min(at, now.Add(maxLine))
	return g.line[lane].Sub(now)
}
