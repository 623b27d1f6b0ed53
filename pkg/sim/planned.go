package sim

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/opennotify/notify/pkg/campaign"
	pages "github.com/opennotify/notify/pkg/job"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/redrive"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/sweep"
	"github.com/opennotify/notify/pkg/tenant"
	"github.com/opennotify/notify/pkg/wire"
	wirecampaign "github.com/opennotify/notify/pkg/wire/campaign"
)

// bootPlans makes what works in pages.
func (p *process) bootPlans(seen bugged) error {
	w := p.w
	ports := pages.Ports{Store: seen, Queue: line{p}, Now: p.clock, Log: w.log}
	starter, err := pages.New(ports, nil)
	if err != nil {
		return err
	}
	log := slog.New(owners{ears{w.oracle}})
	if w.Bug == BugOwnerUntold {
		log = w.log
	}
	if p.campaigns, err = campaign.New(campaign.Ports{Store: seen, Config: p.config, Blobs: blobs{p}, Timer: timers{p}, Jobs: starters{starter, p},
		Intake: takers{wirecampaign.Take(p.intake), p}, Rate: func(context.Context, message.Channel) (float64, error) { return w.rate(), nil },
		HTTP: &http.Client{Transport: system{p}}, Now: p.clock, NewULID: wire.ULIDs(w.random), Log: log}); err != nil {
		return err
	}
	if p.redrive, err = redrive.New(redrive.Ports{Store: seen, Tenants: p.config, Jobs: starter, Queue: line{p}, Now: p.clock, NewULID: wire.ULIDs(w.random), Log: w.log}); err != nil {
		return err
	}
	if w.parts&Erasures != 0 {
		if err := p.bootOperate(seen); err != nil {
			return err
		}
	}
	p.jobs, err = pages.New(ports, map[string]pages.Kind{campaign.KindRun: w.Bug.runs(p.campaigns.Kind()), redrive.Kind: w.Bug.redrives(p.redrive.Page)})
	return err
}

// control does what the control queue's function does with an entry.
func (p *process) control(ctx context.Context, batch []queue.Item) []string {
	kind := sweep.Kind(batch[0].Body)
	switch kind {
	case pages.KindJob:
		return p.jobs.Handle(ctx, batch)
	case redrive.KindRedrive:
		return p.redrive.Handle(ctx, batch)
	case campaign.KindFire, campaign.KindSend:
		return p.campaigns.Handle(ctx, batch)
	}
	again := p.sweep.Handle(ctx, batch)
	parts := p.w.parts
	if parts&(Schedules|Campaigns|Redrives|Outages) != 0 {
		_, _ = p.jobs.Requeue(ctx) // the next pass does what this one could not
	}
	if parts&Outages != 0 && p.w.Bug != BugNotPaid {
		_ = p.sweep.Owed(ctx)
	}
	if kind == sweep.KindTick && parts&Schedules != 0 && p.w.Bug != BugFireLost {
		_ = p.campaigns.Reconcile(ctx, unmade)
	}
	return again
}

// starters start and steer runs, but for the bug that is planted.
type starters struct {
	*pages.Jobs
	p *process
}

// Start implements campaign.Jobs.
func (s starters) Start(ctx context.Context, p tenant.Principal, j store.Job) (store.Job, bool, error) {
	if b := s.p.w.Bug; b == BugFireAnew && j.Topic != "" || b == BugResendAnew && bytes.Contains(j.Spec, []byte(`"failures":`)) {
		s.p.w.serial++
		j.ID += "_" + strconv.Itoa(s.p.w.serial)
	}
	return s.Jobs.Start(ctx, p, j)
}

// Steer implements campaign.Jobs.
func (s starters) Steer(ctx context.Context, p tenant.Principal, id string, to store.JobState, why string, only ...store.JobState) (store.Job, error) {
	if s.p.w.Bug == BugAnyWord {
		only = nil
	}
	return s.Jobs.Steer(ctx, p, id, to, why, only...)
}

// takers hand rows to the intake, but for the bug that is planted.
type takers struct {
	campaign.Intake
	p *process
}

// Rows implements campaign.Intake.
func (t takers) Rows(ctx context.Context, p tenant.Principal, o campaign.Order) ([]campaign.Fate, error) {
	w := t.p.w
	switch w.Bug {
	case BugRowsAnew:
		o.Began = w.now
	case BugRunUnpinned:
		if h, ok, err := t.p.config.Template(ctx, o.Tenant, o.Template); err == nil && ok {
			o.Version = h.Published
		}
	}
	fates, err := t.Intake.Rows(ctx, p, o)
	if err != nil && w.Bug == BugPageSkipped {
		fates = make([]campaign.Fate, len(o.Lines))
		for i := range fates {
			fates[i].What = "made"
		}
		return fates, nil
	}
	return fates, err
}

// runs is how runs are done, but for the bug that is planted.
func (b Bug) runs(k pages.Kind) pages.Kind {
	if b == BugNothingTakenBack {
		k.Stop = nil
	}
	return k
}
