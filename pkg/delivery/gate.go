package delivery

import (
	"context"
	"sync"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// gate bounds how many calls of this process are under way over one account, and keeps the lines of those
// that have to wait for it.
type gate struct {
	mu     sync.Mutex
	most   int // at once; 0 is no bound
	inside int
	line   map[message.Lane]message.Time // when the last one that was put off comes back
}

const (
	// callFor is what a call is thought to take when all places are taken.
	callFor = time.Second
	// maxLine is how far ahead the line reaches. Who comes after that comes too early, and lines up again.
	maxLine = time.Minute
	// unsure is how long a message waits whose account's limits cannot be looked at.
	unsure = 2 * time.Second
)

func (d *Delivery) gate(p *parcel) *gate {
	d.mu.Lock()
	g := d.gates[p.account.Name]
	if g == nil {
		g = &gate{line: map[message.Lane]message.Time{}}
		d.gates[p.account.Name] = g
	}
	d.mu.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.most = p.account.Concurrency; g.most == 0 {
		g.most = p.desc.Limits.Concurrency
	}
	return g
}

// enter takes a place for one call: one of those at once, which is this process's own, and one of the
// account's limits, which all processes share. Or it says how long to stay away.
func (d *Delivery) enter(ctx context.Context, r *store.Record, p *parcel, now message.Time) (leave func(), wait time.Duration) {
	g := d.gate(p)
	if !g.begin() {
		return nil, g.queue(now, r.Lane(), callFor/time.Duration(g.most))
	}
	if wait := d.take(ctx, r, p); wait > 0 {
		g.end()
		return nil, max(wait, g.queue(now, r.Lane(), d.pace(r, p)))
	}
	return g.end, 0
}

// take takes a place of the account's limits. A store that cannot say is no reason to send, and none to
// have the hint come again, which it may only a few times.
func (d *Delivery) take(ctx context.Context, r *store.Record, p *parcel) (wait time.Duration) {
	var err error
	p.pass, wait, err = d.quota.Take(ctx, store.AccountLimits(p.account.Name), p.account.Limits(p.desc.Limits), r.Class == message.OTP)
	if err != nil {
		d.Log.WarnContext(ctx, "the account's limits cannot be looked at", "account", p.account.Name, "message", r.ID, "error", err)
		return unsure
	}
	return wait
}

// exhausted tells whether an account's limit leaves nothing for longer than another account should be kept
// waiting: the day's is used up.
func (d *Delivery) exhausted(r *store.Record, a config.Account, now message.Time) bool {
	return d.quota.Full(store.AccountLimits(a.Name), r.Class == message.OTP).Sub(now) > maxLine
}

// pace is how far apart those come back who are put off: a little faster than this process gets places, so
// that those of all processes together use what there is, and are handled hardly more often than that.
func (d *Delivery) pace(r *store.Record, p *parcel) time.Duration {
	apart := time.Duration(0)
	for _, w := range p.pass.Windows {
		if w.Kind != limit.Day {
			apart = max(apart, w.Until.Sub(w.From)/time.Duration(w.Most))
		}
	}
	if n := d.quota.Pace(store.AccountLimits(p.account.Name), r.Class == message.OTP); n > 0 {
		apart = max(apart, time.Second/time.Duration(n))
	}
	return apart * 3 / 4
}

func (g *gate) begin() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.most > 0 && g.inside >= g.most {
		return false
	}
	g.inside++
	return true
}

func (g *gate) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
}

// queue gives the next place in a lane's line, which moves at a pace. If all came back at once, all but a
// few would be put off again, and a long queue would be handled as often as it is long.
func (g *gate) queue(now message.Time, lane message.Lane, pace time.Duration) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := max(g.line[lane], now).Add(max(pace, time.Millisecond))
	g.line[lane] = min(at, now.Add(maxLine))
	return g.line[lane].Sub(now)
}
