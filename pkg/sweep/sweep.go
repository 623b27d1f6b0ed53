// Package sweep finds what is due and puts a hint for it into its queue: messages whose hint was lost,
// whose time has come, whose lease ran out, whose follow-up was not done. It decides nothing: delivery
// looks at the record. The hints of one message are spaced 1, 2, 4 … minutes, so that a long queue is not
// made longer.
package sweep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
)

// Store is what the sweep needs of the store.
type Store interface {
	DueShards() []string
	Due(ctx context.Context, shard string, now message.Time, limit int, after string) ([]store.Due, string, error)
	Messages(ctx context.Context, p tenant.Principal, ids ...message.ID) ([]*store.Record, []*store.Unreadable, error)
	Save(ctx context.Context, p tenant.Principal, now message.Time, r *store.Record, next message.Message) (*store.Record, error)
	Postpone(ctx context.Context, p tenant.Principal, now message.Time, early string) (bool, error)
	Hint(r *store.Record) ([]byte, error)
	Breakers(ctx context.Context) ([]store.Breaker, error)
	Pay(ctx context.Context, now message.Time, account string, owed message.Time) error
	Paces(ctx context.Context, p tenant.Principal) ([]store.Pace, error)
}

// Ports is everything that the sweep needs.
type Ports struct {
	Store   Store
	Queue   queue.Queue
	Now     func() time.Time
	Metrics telemetry.Metrics
	Log     *slog.Logger
	// Channels are those that have queues: each tick says that they sent nothing, so that silence can be told from
	// the lack of a metric.
	Channels []message.Channel
	// Config and Providers say which accounts are asked what became of their messages; without them none is.
	Config    Config
	Providers Providers
}

// Sweep is one sweeper; several may run at once.
type Sweep struct {
	Ports
	as tenant.Principal
}

// New checks that nothing is missing.
func New(p Ports) (*Sweep, error) {
	if p.Store == nil || p.Queue == nil || p.Now == nil || p.Metrics == nil || p.Log == nil {
		return nil, errors.New("sweep: a port is missing")
	}
	return &Sweep{p, tenant.System("sweep")}, nil
}

const (
	page = 200
	// maxFailed is how many records may fail for a pass to go on: one that cannot be written does not
	// hold up those behind it, a store that takes no writes ends the pass.
	maxFailed = 10
	// stuck is how many hints in a row nobody took up for a message to count as stuck: it is seven minutes late.
	stuck = 4
	// sideBySide is how many records of a page are written at a time, and few how many are too few for that. What was held
	// for one moment, as the end of quiet hours, is due at once.
	sideBySide = 16
	few        = 64
)

// Count says what a pass did.
type Count struct {
	Due, Queued, Unreadable, Failed int
}

// Pass looks at everything that is due now, once. It ends early with ctx; the next pass goes on, because
// what was queued is due later. It begins at another shard: else those behind one that is never done would wait for it.
func (s *Sweep) Pass(ctx context.Context) (Count, error) {
	var n Count
	now := message.At(s.Now())
	shards := s.Store.DueShards()
	first := int(now / message.Time(passes[0]/time.Millisecond) % message.Time(len(shards)))
	for _, shard := range slices.Concat(shards[first:], shards[:first]) {
		for after := ""; ; {
			due, next, err := s.Store.Due(ctx, shard, now, page, after)
			if err != nil {
				return n, err
			}
			if err := s.queue(ctx, due, now, &n); err != nil {
				return n, err
			}
			if after = next; after == "" {
				break
			}
		}
	}
	return n, nil
}

func (s *Sweep) queue(ctx context.Context, due []store.Due, now message.Time, n *Count) error {
	if len(due) == 0 {
		return nil
	}
	n.Due += len(due)
	ids := make([]message.ID, len(due))
	for i, d := range due {
		ids[i] = d.ID
		if d.Early != "" {
			s.early(ctx, d.Early, now, n)
		}
	}
	records, bad, err := s.Store.Messages(ctx, s.as, ids...)
	if err != nil {
		return err
	}
	for _, u := range bad { // the rest goes on
		n.Unreadable++
		s.Log.ErrorContext(ctx, "record unreadable", "message", u.ID, "error", u.Err)
	}
	records = slices.DeleteFunc(records, func(r *store.Record) bool {
		return r == nil || r.Due == 0 || r.Due > now // the index lags behind the records
	})
	var fault error
	byQueue := map[queue.Name][]queue.Item{}
	for i, p := range s.putAll(ctx, records, now, maxFailed-n.Failed) {
		saved := p.saved
		switch {
		case p.err != nil && ctx.Err() != nil:
			fault = p.err
		case p.err != nil:
			s.Log.ErrorContext(telemetry.InTrace(ctx, telemetry.ParseTrace(records[i].Trace)), "record not requeued", "message", records[i].ID, "error", p.err)
			if n.Failed++; n.Failed >= maxFailed {
				fault = p.err
			}
		}
		if saved == nil {
			continue
		}
		body, err := s.Store.Hint(saved)
		if err != nil || len(body) > queue.MaxBody {
			body = store.BareHint(saved.ID)
		}
		name := queue.Lane(saved.Channel, saved.Lane())
		byQueue[name] = append(byQueue[name], queue.Item{Body: body, Group: saved.Tenant})
		n.Queued++
		if saved.Requeues >= stuck {
			s.Metrics.Count(telemetry.Stuck, 1, telemetry.Of(&saved.Message, ""))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byQueue)) { // also after a fault, and the end of the time: these records say that they are queued
		items := byQueue[name]
		if err := s.Queue.Send(context.WithoutCancel(ctx), name, items...); err != nil {
			s.Log.WarnContext(ctx, "hints not queued; a later pass will", "queue", name, "messages", len(items), "error", err)
		}
	}
	return fault
}

// early asks for the receipts that wait beside a provider's id, or for the provider to be asked about it. It stays
// due, whatever goes wrong here.
func (s *Sweep) early(ctx context.Context, at string, now message.Time, n *Count) {
	due, err := s.Store.Postpone(ctx, s.as, now, at)
	if err == nil && due {
		n.Queued++
		err = s.Queue.Send(ctx, queue.Receipts, queue.Item{Body: []byte(`{"early":"` + at + `"}`)})
	}
	if err != nil {
		s.Log.WarnContext(ctx, "early receipts not asked for; a later pass will", "error", err)
	}
}

// putting is what became of a record: neither, where somebody else is at work on it or the pass has ended.
type putting struct {
	saved *store.Record
	err   error
}

// putAll puts the records of a page, until its time is over or so many have failed.
func (s *Sweep) putAll(ctx context.Context, records []*store.Record, now message.Time, most int) []putting {
	out := make([]putting, len(records))
	var next, failed atomic.Int64
	work := func() {
		for failed.Load() < int64(most) {
			i := int(next.Add(1)) - 1
			if i >= len(records) {
				return
			}
			saved, err := s.put(ctx, records[i], now)
			switch {
			case errors.As(err, new(*store.Stale)), errors.Is(err, store.ErrNotFound): // somebody is at work on it
			case err != nil:
				out[i].err = err
				if failed.Add(1); ctx.Err() != nil {
					failed.Add(int64(most))
				}
			default:
				out[i].saved = saved
			}
		}
	}
	if len(records) <= few {
		work()
		return out
	}
	var all sync.WaitGroup
	for range sideBySide {
		all.Go(work)
	}
	all.Wait()
	return out
}

func (s *Sweep) put(ctx context.Context, r *store.Record, now message.Time) (saved *store.Record, err error) {
	defer func() {
		if v := recover(); v != nil { // beside others nobody else would catch it; its text may hold what was worked on
			saved, err = nil, fmt.Errorf("panic: %T\n%s", v, debug.Stack())
		}
	}()
	next, err := r.Apply(message.Requeue{}, now)
	if err != nil {
		return nil, err
	}
	return s.Store.Save(ctx, s.as, now, r, next)
}

// Rebuild puts a hint for everything that is due soon into the queues, without touching the records: for
// queues in memory, which are empty after a start. What a worker held comes when its lease is over.
func (s *Sweep) Rebuild(ctx context.Context) (int, error) {
	n := 0
	now := message.At(s.Now())
	horizon := now.Add(queue.MaxDelay)
	for _, shard := range s.Store.DueShards() {
		for after := ""; ; {
			due, next, err := s.Store.Due(ctx, shard, horizon, page, after)
			if err != nil {
				return n, err
			}
			ids := make([]message.ID, len(due))
			for i, d := range due {
				ids[i] = d.ID
			}
			records, _, err := s.Store.Messages(ctx, s.as, ids...) // what is unreadable is the passes' to report
			if err != nil {
				return n, err
			}
			for _, r := range records {
				if r == nil {
					continue
				}
				wait := min(max(r.Lease.Sub(now), 0), queue.MaxDelay)
				if err := s.Queue.Send(ctx, queue.Lane(r.Channel, r.Lane()), queue.Item{Body: store.BareHint(r.ID), Group: r.Tenant, Delay: wait}); err != nil {
					return n, nil // full: the passes find the rest
				}
				n++
			}
			if after = next; after == "" {
				break
			}
		}
	}
	return n, nil
}
