// Package control wires the control queue: the sweep, the runs of schedules, to which it hands the intake,
// and whatever else is done in pages.
package control

import (
	"context"

	"github.com/opennotify/notify/pkg/campaign"
	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/job"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/redrive"
	"github.com/opennotify/notify/pkg/stats"
	"github.com/opennotify/notify/pkg/sweep"
	"github.com/opennotify/notify/pkg/tenant"
	"github.com/opennotify/notify/pkg/wire"
	wireintake "github.com/opennotify/notify/pkg/wire/intake"
	wirejob "github.com/opennotify/notify/pkg/wire/job"
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
	runs  *campaign.Campaign
	again *redrive.Redrive
}

// New makes the control of a backend.
func New(b *wire.Backend) (*Control, error) {
	sw, err := wiresweep.New(b)
	if err != nil {
		return nil, err
	}
	in, err := wireintake.New(b)
	if err != nil {
		return nil, err
	}
	again, err := wireredrive.New(b)
	if err != nil {
		return nil, err
	}
	jobs, err := wirejob.New(b, map[string]job.Kind{redrive.Kind: {Page: again.Page}})
	if err != nil {
		return nil, err
	}
	runs, err := campaign.New(campaign.Ports{Log: b.Log, Send: func(ctx context.Context, p tenant.Principal, o campaign.Order) error {
		_, err := in.Send(ctx, p, request(o))
		return err
	}})
	if err != nil {
		return nil, err
	}
	figures, err := wirestats.New(b)
	if err != nil {
		return nil, err
	}
	return &Control{b, sw, jobs, figures, runs, again}, nil
}

func request(o campaign.Order) *intake.Request {
	return &intake.Request{Tenant: o.Tenant, To: intake.To{List: o.To}, Channel: o.Channel, Template: o.Template, Locale: o.Locale, Vars: o.Vars,
		Reference: o.Reference, IdempotencyKey: o.Key, Hash: o.Hash, Origin: intake.Origin{RequestID: "schedule:" + o.Schedule}}
}

// Handle works on a batch. An entry of a kind that nobody knows is reported and comes again, until the
// dead-letter queue has it: it may be a newer version's.
func (c *Control) Handle(ctx context.Context, batch []queue.Item) []string {
	var sweeps, pages, runs, redrives []queue.Item
	again := []string{}
	for _, it := range batch {
		switch kind := sweep.Kind(it.Body); kind {
		case sweep.KindTick, sweep.KindPass:
			sweeps = append(sweeps, it)
		case job.KindJob:
			pages = append(pages, it)
		case redrive.KindRedrive:
			redrives = append(redrives, it)
		case campaign.KindSend:
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
	if n, err := c.jobs.Requeue(ctx); err != nil {
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

// Pass is a pass of the sweep where no ticks come: on one machine.
func (c *Control) Pass(ctx context.Context) (sweep.Count, error) {
	n, err := c.sweep.Pass(ctx)
	c.requeue(ctx)
	c.fold(ctx)
	c.owed(ctx)
	return n, err
}

// Rebuild puts what is due into queues in memory, which are empty after a start.
func (c *Control) Rebuild(ctx context.Context) (int, error) {
	n, err := c.sweep.Rebuild(ctx)
	if err != nil {
		return n, err
	}
	pages, err := c.jobs.Rebuild(ctx)
	return n + pages, err
}
