// Package control wires the control queue: the sweep, the runs of schedules, to which it hands the intake,
// and whatever else is done in pages.
package control

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/opennotify/notify/pkg/campaign"
	"github.com/opennotify/notify/pkg/canary"
	"github.com/opennotify/notify/pkg/job"
	"github.com/opennotify/notify/pkg/notice"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/redrive"
	"github.com/opennotify/notify/pkg/stats"
	"github.com/opennotify/notify/pkg/sweep"
	"github.com/opennotify/notify/pkg/wire"
	wirecampaign "github.com/opennotify/notify/pkg/wire/campaign"
	wirejob "github.com/opennotify/notify/pkg/wire/job"
	wirenotice "github.com/opennotify/notify/pkg/wire/notice"
	wireredrive "github.com/opennotify/notify/pkg/wire/redrive"
	wirestats "github.com/opennotify/notify/pkg/wire/stats"
	wiresweep "github.com/opennotify/notify/pkg/wire/sweep"
)

// Control shares the entries out by their kind.
type Control struct {
	wire  *wire.Backend
	sweep *sweep.Sweep
	jobs  *job.Jobs
	stats *stats.Stats
	runs  *campaign.Campaigns
	again *redrive.Redrive
	notes *notice.Notices
	bird  *canary.Canary // nil where there are none
}

// New makes the control of a backend.
func New(b *wire.Backend) (*Control, error) {
	sw, err := wiresweep.New(b)
	if err != nil {
		return nil, err
	}
	runs, err := wirecampaign.New(b)
	if err != nil {
		return nil, err
	}
	again, err := wireredrive.New(b)
	if err != nil {
		return nil, err
	}
	jobs, err := wirejob.New(b, map[string]job.Kind{campaign.KindRun: runs.Kind(), redrive.Kind: {Page: again.Page}})
	if err != nil {
		return nil, err
	}
	figures, err := wirestats.New(b)
	if err != nil {
		return nil, err
	}
	notes, err := wirenotice.New(b, figures)
	if err != nil {
		return nil, err
	}
	c := &Control{wire: b, sweep: sw, jobs: jobs, stats: figures, runs: runs, again: again, notes: notes}
	if b.Canary != nil {
		c.bird, err = canary.New(canary.Ports{Order: b.Canary, HTTP: &http.Client{Timeout: 10 * time.Second}, Now: b.Now, Metrics: b.Metrics, Log: b.Log})
	}
	return c, err
}

// Handle works on a batch. An entry of a kind that nobody knows is reported and comes again, until the
// dead-letter queue has it: it may be a newer version's.
func (c *Control) Handle(ctx context.Context, batch []queue.Item) []string {
	var sweeps, pages, runs, redrives []queue.Item
	var birds sync.WaitGroup // beside the rest: an API that does not answer holds up no tick
	defer birds.Wait()
	again := []string{}
	for _, it := range batch {
		switch kind := sweep.Kind(it.Body); kind {
		case canary.KindCanary:
			if c.bird != nil { // else they were just switched off
				birds.Go(func() { c.bird.Send(ctx) })
			}
		case sweep.KindTick, sweep.KindPass:
			sweeps = append(sweeps, it)
		case job.KindJob:
			pages = append(pages, it)
		case redrive.KindRedrive:
			redrives = append(redrives, it)
		case campaign.KindFire, campaign.KindSend:
			runs = append(runs, it)
		default:
			c.wire.Log.ErrorContext(ctx, "control entry of an unknown kind", "item", it.ID, "kind", kind)
			again = append(again, it.ID)
		}
	}
	if len(sweeps) > 0 {
		again = append(again, c.sweep.Handle(ctx, sweeps)...)
		c.requeue(ctx)
		c.fold(ctx)
		c.owed(ctx)
		c.polls(ctx)
		c.notice(ctx)
		if slices.ContainsFunc(sweeps, func(it queue.Item) bool { return sweep.Kind(it.Body) == sweep.KindTick }) {
			c.Reconcile(ctx, lookBack)
			if c.wire.Now().Minute() == tidyMinute {
				c.Tidy(ctx)
			}
		}
	}
	if len(runs) > 0 {
		again = append(again, c.runs.Handle(ctx, runs)...)
	}
	if len(redrives) > 0 {
		again = append(again, c.again.Handle(ctx, redrives)...)
	}
	if len(pages) > 0 {
		again = append(again, c.jobs.Handle(ctx, pages)...)
	}
	return again
}

// requeue is the jobs' part of a pass.
func (c *Control) requeue(ctx context.Context) {
	if n, err := c.jobs.Requeue(ctx); err != nil && ctx.Err() == nil {
		c.wire.Log.ErrorContext(ctx, "pages not put again; the next pass does", "error", err)
	} else if n > 0 {
		c.wire.Log.InfoContext(ctx, "pages put again", "jobs", n)
	}
}

// fold is the figures' part of a pass.
func (c *Control) fold(ctx context.Context) {
	if err := c.stats.Fold(ctx); err != nil && ctx.Err() == nil {
		c.wire.Log.ErrorContext(ctx, "counters not folded; the next pass goes on", "error", err)
	}
}

// owed is the accounts' part of a pass.
func (c *Control) owed(ctx context.Context) {
	if err := c.sweep.Owed(ctx); err != nil && ctx.Err() == nil {
		c.wire.Log.ErrorContext(ctx, "what accounts are owed cannot be seen; the next pass looks again", "error", err)
	}
}

// polls is the part of a pass of providers that do not tell by themselves.
func (c *Control) polls(ctx context.Context) {
	if err := c.sweep.Polls(ctx); err != nil && ctx.Err() == nil {
		c.wire.Log.ErrorContext(ctx, "providers not asked; the next pass does", "error", err)
	}
}

// notice is the limits' part of a pass.
func (c *Control) notice(ctx context.Context) {
	if err := c.notes.Pass(ctx); err != nil && ctx.Err() == nil {
		c.wire.Log.ErrorContext(ctx, "not everybody is told of a limit that is nearly used up; the next pass tries", "error", err)
	}
}

// lookBack is how far a tick looks for runs that no timer started; a start looks further, as nothing ran
// before it.
const (
	lookBack      = 2 * time.Hour
	lookBackFirst = 24 * time.Hour
)

// Reconcile sees to it that the timers are what the schedules say.
func (c *Control) Reconcile(ctx context.Context, back time.Duration) {
	if err := c.runs.Reconcile(ctx, back); err != nil && ctx.Err() == nil {
		c.wire.Log.ErrorContext(ctx, "schedules not settled; the next tick does", "error", err)
	}
}

// tidyMinute is that of each hour in which a tick tidies up as well: no hour's nor quarter's first, when runs begin.
const tidyMinute = 17

// Tidy removes what is kept for nothing.
func (c *Control) Tidy(ctx context.Context) {
	if n, err := c.runs.Tidy(ctx); err != nil && ctx.Err() == nil {
		c.wire.Log.ErrorContext(ctx, "schedules' lists not tidied up; the next hour does", "error", err)
	} else if n > 0 {
		c.wire.Log.InfoContext(ctx, "lists removed that no schedule names any more", "lists", n)
	}
}

// Pass is a pass of the sweep where no ticks come: on one machine.
func (c *Control) Pass(ctx context.Context) (sweep.Count, error) {
	n, err := c.sweep.Pass(ctx)
	c.requeue(ctx)
	c.fold(ctx)
	c.owed(ctx)
	c.polls(ctx)
	c.notice(ctx)
	c.Reconcile(ctx, lookBack)
	return n, err
}

// Rebuild puts what is due into queues in memory, which are empty after a start.
func (c *Control) Rebuild(ctx context.Context) (int, error) {
	n, err := c.sweep.Rebuild(ctx)
	if err != nil {
		return n, err
	}
	pages, err := c.jobs.Rebuild(ctx)
	c.Reconcile(ctx, lookBackFirst)
	return n + pages, err
}
