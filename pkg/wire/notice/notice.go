// Package notice wires the notices over the intake, which alone makes messages, and the figures.
package notice

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/notice"
	"github.com/opennotify/notify/pkg/stats"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
	"github.com/opennotify/notify/pkg/wire"
	wireintake "github.com/opennotify/notify/pkg/wire/intake"
)

// New makes the notices of a backend.
func New(b *wire.Backend, figures *stats.Stats) (*notice.Notices, error) {
	in, err := wireintake.New(b)
	if err != nil {
		return nil, err
	}
	return notice.New(notice.Ports{Store: b.Store, Config: b.Config, Providers: b.Catalog, Holders: Holders(figures), Send: Send(in), Metrics: b.Metrics, Now: b.Now, Log: b.Log})
}

var as = tenant.System("notice")

// Send hands orders to an intake. A notice that was sent is found by its key, whatever it says now.
func Send(in *intake.Intake) func(context.Context, notice.Order) error {
	return func(ctx context.Context, o notice.Order) error {
		none := 0
		r := &intake.Request{Tenant: o.Tenant, To: intake.To{One: o.To}, Channel: o.Channel, DedupSeconds: &none, IdempotencyKey: o.Key, Hash: []byte(o.Key), Reference: "notice"}
		if r.Template = o.Template; o.Template != "" {
			r.Vars = map[string]any{"text": o.Text}
		} else {
			r.Class, r.Content = message.Transactional, &message.Content{Text: o.Text}
			if o.Channel == message.Email {
				r.Content.Subject = o.Title
			} else {
				r.Content.Title = o.Title
			}
		}
		_, err := in.Send(ctx, as, r)
		return err
	}
}

// Holders asks the figures who called most over an account.
func Holders(figures *stats.Stats) func(context.Context, string, message.Time) ([]string, error) {
	return func(ctx context.Context, account string, since message.Time) ([]string, error) {
		q := stats.Query{By: "tenant", Account: account, From: since.Std(), Top: 100}
		if figures.Now().Sub(since.Std()) > 6*time.Hour {
			q.Step = "hour"
		}
		a, err := figures.Read(ctx, as, q)
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(a.Groups, func(x, y stats.Group) int { return cmp.Compare(y.Counts[telemetry.Called], x.Counts[telemetry.Called]) })
		var names []string
		for _, g := range a.Groups {
			if g.Counts[telemetry.Called] > 0 {
				names = append(names, g.Name)
			}
		}
		return names, nil
	}
}
