package operate

import (
	"context"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
	"github.com/opennotify/notify/pkg/wire"
	wireintake "github.com/opennotify/notify/pkg/wire/intake"
)

const (
	// trialFor is how long a trial's answer is waited for: a call's time, and some for the queue.
	trialFor = provider.Timeout + 5*time.Second
	// The record is looked at sooner at first: most providers answer within a second.
	firstLook, lastLook = 50 * time.Millisecond, time.Second
)

// try sends a trial the way that every message goes, through the queue to whoever delivers the channel: what
// that one may not do shows here too.
func try(b *wire.Backend) (operate.Sending, error) {
	in, err := wireintake.New(b)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, p tenant.Principal, a config.Account, t operate.Trial, free *message.Content) (*store.Record, error) {
		req := &intake.Request{Tenant: t.Tenant, To: intake.To{One: t.To}, Channel: a.Channel, Template: t.Template, Version: t.Version, Vars: t.Vars, Locale: t.Locale,
			Content: free, Origin: intake.Origin{IP: t.IP, RequestID: t.RequestID, Why: t.Reason}}
		r, err := in.Try(ctx, p, a.Name, req)
		if err != nil {
			return nil, err
		}
		return await(ctx, b.Store, p, r), nil
	}, nil
}

// await looks until the attempt has ended, or the time is over.
func await(ctx context.Context, s *store.Store, p tenant.Principal, r *store.Record) *store.Record {
	over := time.NewTimer(trialFor)
	defer over.Stop()
	for wait := firstLook; !answered(r); wait = min(2*wait, lastLook) {
		look := time.NewTimer(wait)
		select {
		case <-look.C:
		case <-over.C:
			look.Stop()
			return r
		case <-ctx.Done():
			look.Stop()
			return r
		}
		if now, err := s.Message(ctx, p, r.ID); err == nil {
			r = now
		}
	}
	return r
}

// answered tells whether there is nothing more to wait for: a provider's receipt may be quicker than the write of what
// it answered, and ends the message while its worker still has it.
func answered(r *store.Record) bool {
	last := r.Last()
	return last != nil && last.End > 0 || r.Status.Terminal() && r.Base != message.Sending
}
