package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
)

// packCallback is pack for a callback: its endpoint is address and account in one, and its event is kept as
// it is sent. What the endpoint was when the callback was made does not matter.
func (d *Delivery) packCallback(ctx context.Context, r *store.Record, now message.Time) (*parcel, message.Event, error) {
	e, there, err := d.endpoint(ctx, r)
	switch {
	case err != nil:
		return nil, nil, err
	case !there:
		return nil, message.Cancel{By: "delivery", Code: "endpoint_deleted"}, nil
	case e.Off:
		return nil, message.Cancel{By: "delivery", Code: "endpoint_off"}, nil
	}
	p := &parcel{account: e.Account(now)}
	if p.sender, p.desc, err = d.Senders.Open(ctx, p.account); err != nil {
		d.Log.ErrorContext(ctx, "endpoint cannot be opened", "account", p.account.Name, "error", err)
		return nil, message.Wait{Until: now.Add(retryEndpoint), Why: "account_unusable"}, nil
	}
	// The endpoint sees one webhook-id on all tries, and on copies that somebody asked for.
	p.call = provider.Call{ID: r.ID, Key: string(cmp.Or(r.ResendOf, r.ID)), Tenant: r.Tenant, Channel: r.Channel, Class: r.Class,
		To: message.Address(e.URL), Trace: r.Trace, Expires: r.Expires}
	event, err := d.Store.Event(ctx, r)
	if errors.Is(err, store.ErrErased) {
		return nil, message.Fail{Why: "erased", Text: "its event is gone"}, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("event: %w", err)
	}
	p.call.Content.Data = event
	return p, nil, nil
}

// endpoint finds a callback's endpoint. If it does not look as it did when the callback was made, the
// configuration may be older than that.
func (d *Delivery) endpoint(ctx context.Context, r *store.Record) (e config.Endpoint, there bool, err error) {
	e, there, err = d.Config.Endpoint(ctx, r.Tenant, r.Endpoint)
	if err == nil && (!there || e.Off) {
		d.Config.RenewEndpoints(r.Created)
		e, there, err = d.Config.Endpoint(ctx, r.Tenant, r.Endpoint)
	}
	return e, there, err
}

// patient is what an endpoint's answer means for a callback: it is a program that somebody is repairing, so
// whatever it says but "gone", it is asked again when its time comes.
func patient(res message.Result) message.Result {
	switch res.Outcome {
	case message.Throttled, message.AccountFault:
		res.Outcome = message.Retry
	case message.Permanent:
		if res.HTTPStatus != 0 && res.HTTPStatus != http.StatusGone {
			res.Outcome = message.Retry
		}
	}
	return res
}
