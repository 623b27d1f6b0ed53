package stats

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
)

// Other stands for the templates that are too many to be told apart.
const Other = "other"

const (
	// maxCells bounds what is summed between two flushes. Tenants, channels and accounts are few, as people
	// made them; templates need not be.
	maxCells = 500
	// late is how old a count may be and still go to its own minute. Older ones, of a process that was
	// frozen or could not write, count for the minute in which they are added: theirs may be folded.
	late = 2 * time.Minute
)

// peaked are the counters whose peak second is asked for, and what their slots begin with: names are
// written with every addition, so they are short.
var peaked = map[string]string{telemetry.Accepted: "a", string(message.Sent): "s", telemetry.Throttled: "t",
	telemetry.Called: "c", telemetry.PushedBack: "p"}

// slot is the field of a second of a peaked counter.
func slot(prefix string, second int) string { return prefix + strconv.Itoa(100 + second)[1:] }

// readSlot is the counter of a field, and its second; -1 when it has none.
func readSlot(field string) (name string, second int) {
	if len(field) != 3 {
		return field, -1
	}
	for name, prefix := range peaked {
		if n, err := strconv.Atoi(field[1:]); err == nil && prefix == field[:1] {
			return name, n
		}
	}
	return field, -1
}

// Adder takes tallies.
type Adder interface {
	Count(ctx context.Context, p tenant.Principal, process uint32, tallies ...store.Tally) error
}

// Counters is a [telemetry.Metrics] that keeps what is counted. It is safe for concurrent use.
type Counters struct {
	now     func() time.Time
	process uint32
	as      tenant.Principal

	mu    sync.Mutex
	store Adder
	sums  map[cell]map[string]int64
	// When it was flushed and settled last.
	flushed, settled message.Time
}

// cell is what is summed together.
type cell struct {
	store.Cell
	minute message.Time
}

// NewCounters makes counters that begin with nothing. process tells processes apart, so that they do not
// all write to one item. Nothing is kept before KeepIn says where.
func NewCounters(now func() time.Time, process uint32) *Counters {
	return &Counters{now: now, process: process, as: tenant.System("stats"), sums: map[cell]map[string]int64{}}
}

// KeepIn says where to keep what is counted: the store is opened with the counters, so they are made first.
func (c *Counters) KeepIn(s Adder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.store = s
}

// Count adds to a counter; nothing is not kept.
func (c *Counters) Count(name string, n int64, l telemetry.Labels) {
	if n == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(store.Cell{Tenant: l.Tenant, Channel: l.Channel, Account: l.Account, Template: l.Template}, name, n, message.At(c.now()))
}

func (c *Counters) add(of store.Cell, name string, n int64, now message.Time) {
	at := now.Std()
	if prefix, ok := peaked[name]; ok {
		name = slot(prefix, at.Second())
	}
	to := cell{of, message.At(at.Truncate(time.Minute))}
	if c.sums[to] == nil && len(c.sums) >= maxCells {
		to.Template = Other
	}
	if c.sums[to] == nil {
		c.sums[to] = map[string]int64{}
	}
	c.sums[to][name] += n
}

// Observe does nothing: distributions are CloudWatch's.
func (*Counters) Observe(string, float64, telemetry.Unit, telemetry.Labels) {}

// Flush keeps what was counted since the last one. What cannot be kept is tried again with the next.
func (c *Counters) Flush(ctx context.Context) error {
	tallies, to := c.take()
	if len(tallies) == 0 {
		return nil
	}
	err := to.Count(ctx, c.as, c.process, tallies...)
	if err == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range tallies {
		c.merge(cell{t.Cell, t.Minute}, t.Fields)
	}
	return fmt.Errorf("stats: counts are kept for the next time: %w", err)
}

// take gives what there is to be kept, in an order of its own.
func (c *Counters) take() ([]store.Tally, Adder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := message.At(c.now())
	c.flushed = now
	if c.store == nil {
		return nil, nil
	}
	for of, fields := range c.sums {
		if of.minute.Add(time.Minute+late) > now {
			continue
		}
		delete(c.sums, of)
		for field, n := range fields {
			name, _ := readSlot(field)
			c.add(of.Cell, name, n, now)
		}
	}
	tallies := make([]store.Tally, 0, len(c.sums))
	for of, fields := range c.sums {
		tallies = append(tallies, store.Tally{Cell: of.Cell, Minute: of.minute, Fields: fields})
	}
	clear(c.sums)
	slices.SortFunc(tallies, func(a, b store.Tally) int {
		return cmp.Or(cmp.Compare(a.Minute, b.Minute), strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Channel, b.Channel),
			strings.Compare(a.Account, b.Account), strings.Compare(a.Template, b.Template))
	})
	return tallies, c.store
}

func (c *Counters) merge(of cell, fields map[string]int64) {
	if c.sums[of] == nil {
		c.sums[of] = fields
		return
	}
	for name, n := range fields {
		c.sums[of][name] += n
	}
}

const (
	// busy is how soon another invocation follows where there are many.
	busy = 200 * time.Millisecond
	// hold is how long a busy process may hold counts back.
	hold = time.Second
	// settling is how long the end of an invocation may take.
	settling = time.Second
)

// Settle flushes at the end of an invocation. One that came hard on the heels of another leaves its counts
// to the next, for a second at most: else each request of a busy process would cost a write of its own.
// What the last of them leaves is kept when the process is invoked again, or lost with it.
func (c *Counters) Settle(ctx context.Context) error {
	c.mu.Lock()
	now := message.At(c.now())
	wait := now.Sub(c.settled) < busy && now.Sub(c.flushed) < hold
	c.settled = now
	c.mu.Unlock()
	if wait {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settling)
	defer cancel()
	return c.Flush(ctx)
}
