package delivery

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/store"
)

// How long to wait where neither provider nor class says.
const (
	throttledFor = 2 * time.Second
	deferredFor  = time.Minute
	maxAfter     = 6 * time.Hour
	// retryEndpoint is the wait for the secrets of an endpoint.
	retryEndpoint = time.Minute
)

// finish records the outcome and does what follows from it. The write is tried harder than others: if it
// is lost, a message that was sent stays in doubt.
func (d *Delivery) finish(ctx context.Context, r *store.Record, p *parcel, res message.Result) (*store.Record, error) {
	now := d.now()
	if r.Class == message.Callback {
		res = patient(res)
	}
	if last := len(r.Attempts) - 2; res.Outcome == message.Refresh && last >= 0 && r.Attempts[last].Outcome == message.Refresh {
		res.Outcome = message.AccountFault // a new token did not help
	}
	e := message.Finish{Epoch: r.Epoch, Result: res, Next: d.next(r, p, res, now), Suppress: p.desc.Suppress(res.Code)}
	e.Doubt, e.Ground = d.doubt(ctx, r, p.account, p.desc)
	d.logAttempt(ctx, r, p, res, now)
	// The caller's deadline is not the outcome's: it is written even when the time is up.
	ctx = context.WithoutCancel(ctx)
	saved, err := r, error(nil)
	for range 4 {
		saved, err = d.record(ctx, saved, e, p, now)
		if err == nil {
			break
		}
		if refused := (*message.Refused)(nil); errors.As(err, &refused) {
			// An earlier try of this write was applied, though its answer was lost.
			err = nil
			break
		}
		if saved == nil {
			saved = r
		}
	}
	if err != nil {
		return nil, err
	}
	if r.Class == message.Callback {
		d.Callbacks.Heard(ctx, saved, res)
	}
	d.observe(ctx, r, p, res, now)
	d.settle(ctx, p, res.Outcome)
	if saved.Status == message.Queued || saved.Todo != 0 {
		return saved, nil
	}
	return nil, nil
}

// record writes an outcome, and the provider's id where its receipts carry no other.
func (d *Delivery) record(ctx context.Context, r *store.Record, e message.Finish, p *parcel, now message.Time) (*store.Record, error) {
	if !p.desc.ReceiptsByID || e.Result.ProviderID == "" {
		return d.Store.Update(ctx, d.as, now, r, e)
	}
	t := store.Trail{Account: p.account.Name, ProviderID: e.Result.ProviderID, Epoch: e.Epoch}
	if e.Result.Outcome == message.Accepted && p.desc.Asks(provider.OfMessage, p.account.Config) {
		at := func(seconds int) message.Time { return now.Add(time.Duration(seconds) * time.Second) }
		t.Ask = store.Ask{Next: at(p.desc.Polls.After), Every: p.desc.Polls.Every, Until: at(p.desc.Polls.Until)}
	}
	return d.Store.Finish(ctx, d.as, now, r, e, t)
}

// next is when to try again, if the outcome asks for it.
func (d *Delivery) next(r *store.Record, p *parcel, res message.Result, now message.Time) message.Time {
	class := r.Class.Defaults()
	back := class.Backoff(r.Tries+1, d.Random())
	after := min(res.After, maxAfter)
	switch res.Outcome {
	case message.Refresh:
		return now
	case message.AccountFault:
		if p.others {
			return now
		}
	case message.Throttled:
		back = throttledFor + time.Duration(d.Random()*float64(throttledFor))
	case message.Defer:
		back = deferredFor
	}
	return now.Add(max(back, after))
}

// lost follows the policy for a worker that died or hangs.
func (d *Delivery) lost(ctx context.Context, r *store.Record, now message.Time) (*store.Record, error) {
	e := message.Lost{Next: now.Add(r.Class.Defaults().Backoff(r.Tries+1, d.Random()))}
	a, desc, err := d.account(ctx, r, r.Last())
	if err != nil {
		return nil, err
	}
	e.Doubt, e.Ground = d.doubt(ctx, r, a, desc)
	return d.save(ctx, r, e, now)
}

// doubt is the policy for an attempt over an account that is left without an answer: an operator's word for
// these messages, or for this account, else what the table of the classes says. Callbacks are nobody's route.
func (d *Delivery) doubt(ctx context.Context, r *store.Record, a config.Account, desc provider.Descriptor) (message.InDoubtPolicy, message.Ground) {
	if r.Class != message.Callback {
		routes, err := d.Config.Routes(ctx)
		if err != nil {
			d.Log.WarnContext(ctx, "routes not read", "message", r.ID, "error", err)
		}
		if p := route.InDoubt(routes, subject(r)); p != "" {
			return p, message.ByRoute
		}
		if a.InDoubt != "" {
			return a.InDoubt, message.ByAccount
		}
	}
	// Without an answer there is no provider's id, so receipts that come by it alone would never find the message.
	return message.DoubtOf(r.Class, desc.Dedup, desc.Receipts && !desc.ReceiptsByID)
}

// account finds the account of an attempt, and what its provider can do: that is known of one that cannot be
// opened just now, too.
func (d *Delivery) account(ctx context.Context, r *store.Record, last *message.Attempt) (config.Account, provider.Descriptor, error) {
	if last == nil {
		return config.Account{}, provider.Descriptor{}, nil
	}
	accounts, err := d.Config.Accounts(ctx, r.Channel)
	if err != nil {
		return config.Account{}, provider.Descriptor{}, err
	}
	for _, a := range accounts {
		if a.Name == last.Account {
			_, desc, err := d.Senders.Open(ctx, a)
			if err != nil {
				d.Log.WarnContext(ctx, "account cannot be opened", "account", a.Name, "error", err)
			}
			return a, desc, nil
		}
	}
	return config.Account{}, provider.Descriptor{}, nil
}

func (d *Delivery) logAttempt(ctx context.Context, r *store.Record, p *parcel, res message.Result, now message.Time) {
	level := slog.LevelInfo
	if res.Outcome != message.Accepted {
		level = slog.LevelWarn
	}
	if !d.Log.Enabled(ctx, level) {
		return
	}
	d.Log.Log(ctx, level, "attempt", "message", r.ID, "tenant", r.Tenant, "channel", r.Channel, "account", p.account.Name,
		"epoch", r.Epoch, "outcome", res.Outcome.String(), "code", res.Code, "http", res.HTTPStatus,
		"ms", now.Sub(r.Last().At).Milliseconds(), "request_id", r.Request)
}
