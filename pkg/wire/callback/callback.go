// Package callback wires the callbacks over an intake of their own: one that reads no addresses, because
// endpoints have names, so that no function links the numbering plans for them.
package callback

import (
	"context"

	"github.com/opennotify/notify/pkg/callback"
	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
	"github.com/opennotify/notify/pkg/wire"
)

// New makes the callbacks of a backend.
func New(b *wire.Backend) (*callback.Callbacks, error) {
	in, err := intake.New(intake.Ports{Store: b.Store, Config: b.Config, Queue: b.Queue, Providers: b.Catalog,
		Now: b.Now, NewULID: b.NewULID, Metrics: b.Metrics, Log: b.Log})
	if err != nil {
		return nil, err
	}
	return callback.New(callback.Ports{Store: b.Store, Config: b.Config, Make: Make(in), Bus: b.Bus, Now: b.Now, NewULID: b.NewULID, Log: b.Log})
}

// Make hands orders to an intake.
func Make(in *intake.Intake) func(context.Context, tenant.Principal, callback.Order) (*store.Record, error) {
	return func(ctx context.Context, p tenant.Principal, o callback.Order) (*store.Record, error) {
		return in.Callback(ctx, p, intake.Callback(o))
	}
}
