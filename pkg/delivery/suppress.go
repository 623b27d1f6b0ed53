package delivery

import (
	"context"
	"errors"
	"strings"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
)

// recipient is who a message is for, as suppressions know him.
func (d *Delivery) recipient(ctx context.Context, r *store.Record) (message.AddressKind, message.Address, error) {
	info, _, err := d.Providers.Channel(ctx, r.Channel)
	if err != nil {
		return "", "", err
	}
	to, err := d.Store.Address(ctx, r)
	return info.Address, to, err
}

// suppressed tells whether the recipient must not be written to, and why.
func (d *Delivery) suppressed(ctx context.Context, r *store.Record, now message.Time) (suppress.Entry, bool, error) {
	kind, to, err := d.recipient(ctx, r)
	if errors.Is(err, store.ErrErased) { // nobody is written to: pack says so
		return suppress.Entry{}, false, nil
	}
	if err != nil {
		return suppress.Entry{}, false, err
	}
	entries, err := d.Store.Suppressions(ctx, kind, string(message.SearchKey(kind, to)))
	if err != nil {
		return suppress.Entry{}, false, err
	}
	e, stops := suppress.Find(entries, r.Tenant, r.Channel, r.Class, now)
	return e, stops, nil
}

// suppress keeps what the provider said of the recipient.
func (d *Delivery) suppress(ctx context.Context, r *store.Record, now message.Time) error {
	v := r.Suppresses()
	if v.Why == "" { // it was delivered after all
		return nil
	}
	kind, to, err := d.recipient(ctx, r)
	if errors.Is(err, store.ErrErased) {
		return nil
	}
	if err != nil {
		return err
	}
	e := suppress.Said(suppress.Reason(v.Why), &r.Message, kind, to, v.Since)
	e.Note = strings.TrimSpace("account " + v.Account + " " + v.Code)
	news, err := d.Store.AddSuppression(ctx, d.as, now, kind, string(message.SearchKey(kind, to)), e)
	if err == nil && news {
		d.Log.InfoContext(ctx, "address suppressed", "message", r.ID, "channel", r.Channel, "reason", v.Why)
	}
	return err
}
