// Package campaign wires schedules and runs, to which it hands the intake.
package campaign

import (
	"context"
	"maps"
	"time"

	"github.com/opennotify/notify/pkg/campaign"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider/guard"
	"github.com/opennotify/notify/pkg/tenant"
	"github.com/opennotify/notify/pkg/wire"
	wireintake "github.com/opennotify/notify/pkg/wire/intake"
	wirejob "github.com/opennotify/notify/pkg/wire/job"
)

// New makes the campaigns of a backend. Their pages are done by whoever does jobs of their kind.
func New(b *wire.Backend) (*campaign.Campaigns, error) {
	in, err := wireintake.New(b)
	if err != nil {
		return nil, err
	}
	jobs, err := wirejob.New(b, nil)
	if err != nil {
		return nil, err
	}
	return campaign.New(campaign.Ports{Store: b.Store, Config: b.Config, Blobs: b.Blobs, Timer: b.Timer, Jobs: jobs, Intake: Take(in),
		Rate: func(ctx context.Context, ch message.Channel) (float64, error) { return rate(ctx, b, ch) },
		HTTP: guard.Client(guard.Options{Public: true, Allow: b.Reach}), PlainHTTP: len(b.Reach) > 0, Now: b.Now, NewULID: b.NewULID, Log: b.Log})
}

// rate is what the accounts of a channel that are on take together; 0 where one of them has no limit.
func rate(ctx context.Context, b *wire.Backend, ch message.Channel) (float64, error) {
	if ch == "" {
		return 0, nil
	}
	accounts, err := b.Config.Accounts(ctx, ch)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, a := range accounts {
		if a.Off {
			continue
		}
		one, err := limit(ctx, b, a)
		if one == 0 || err != nil {
			return 0, err
		}
		sum += one
	}
	return sum, nil
}

// limit is an account's own, or its provider's as documented, in messages a second.
func limit(ctx context.Context, b *wire.Backend, a config.Account) (float64, error) {
	d, _, err := b.Catalog.Get(ctx, a.Provider)
	if err != nil {
		return 0, err
	}
	l := a.Limits(d.Limits)
	second, minute := float64(l.PerSecond), float64(l.PerMinute)/60
	if second == 0 || minute > 0 && minute < second {
		return minute, nil
	}
	return second, nil
}

// taker is the intake as campaigns have it.
type taker struct{ in *intake.Intake }

// Take makes an intake one that campaigns can use.
func Take(in *intake.Intake) campaign.Intake { return taker{in} }

// requests are the rows of an order, each a request of its own.
func requests(o campaign.Order) []*intake.Request {
	out := make([]*intake.Request, len(o.Lines))
	for i, l := range o.Lines {
		ttl := min(time.Duration(o.TTLSeconds)*time.Second, message.MaxTTL) // a schedule may be older than this bound
		r := &intake.Request{Tenant: o.Tenant, To: intake.To{One: l.To}, Channel: o.Channel, Template: o.Template, Version: o.Version, Locale: o.Locale,
			Reference: o.Reference, TTL: ttl, Origin: intake.Origin{RequestID: o.Run, ResendOf: l.ResendOf},
			Run: &intake.Run{ID: o.Run, Began: o.Began, Row: l.N, Window: o.Window}}
		if l.Channel != "" {
			r.Channel = l.Channel
		}
		if l.Locale != "" {
			r.Locale = l.Locale
		}
		if r.Vars = l.Vars; len(o.Vars) > 0 {
			r.Vars = maps.Clone(o.Vars)
			maps.Copy(r.Vars, l.Vars)
		}
		out[i] = r
	}
	return out
}

func (t taker) Check(ctx context.Context, p tenant.Principal, o campaign.Order) ([]campaign.Checked, error) {
	rows, err := t.in.Check(ctx, p, requests(o))
	if err != nil {
		return nil, err
	}
	out := make([]campaign.Checked, len(rows))
	for i, r := range rows {
		out[i] = campaign.Checked(r)
	}
	return out, nil
}

func (t taker) Weigh(ctx context.Context, p tenant.Principal, o campaign.Order) ([]campaign.Weight, error) {
	rows, err := t.in.Weigh(ctx, p, requests(o))
	if err != nil {
		return nil, err
	}
	out := make([]campaign.Weight, len(rows))
	for i, r := range rows {
		out[i] = campaign.Weight(r)
	}
	return out, nil
}

func (t taker) Rows(ctx context.Context, p tenant.Principal, o campaign.Order) ([]campaign.Fate, error) {
	rows, err := t.in.Rows(ctx, p, requests(o))
	if err != nil {
		return nil, err
	}
	out := make([]campaign.Fate, len(rows))
	for i, r := range rows {
		out[i] = campaign.Fate{What: string(r.Fate), Problem: r.Problem}
		if r.Record != nil {
			out[i].ID = r.Record.ID
		}
	}
	return out, nil
}

// Cancel cancels a message; false when a worker has it, or it has ended.
func (t taker) Cancel(ctx context.Context, p tenant.Principal, id message.ID, why string) (bool, error) {
	_, err := t.in.Cancel(ctx, p, id, why)
	if err != nil && problem.From(err).Code == problem.NotAllowedNow {
		return false, nil
	}
	return err == nil, err
}
