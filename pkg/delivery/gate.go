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
}

// busyFor is how long a message is put off when all places are taken.
const busyFor = time.Second

func (d *Delivery) gate(a config.Account, desc provider.Descriptor) *gate {
	d.mu.Lock()
	g := d.gates[a.Name]
	if g == nil {
		g = &gate{}
		d.gates[a.Name] = g
	}
	d.mu.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rate, g.most = a.PerSecond, a.Concurrency
	if g.rate == 0 {
		g.rate = float64(desc.Limits.PerSecond)
	}
	if g.most == 0 {
		g.most = desc.Limits.Concurrency
	}
	return g
}

// enter takes a place, or says how long to stay away.
func (g *gate) enter(now message.Time) (leave func(), wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.most > 0 && g.inside >= g.most {
		return nil, busyFor
	}
	if g.bucket, wait = g.bucket.Take(g.rate, now); wait > 0 {
		return nil, wait
	}
	g.inside++
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.inside--
	}, 0
}
