// Package intake wires the intake.
package intake

import (
	"context"

	"github.com/opennotify/notify/pkg/address"
	"github.com/opennotify/notify/pkg/address/phone"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/wire"
)

// Addresses reads addresses as a backend does: where webhooks may reach private networks, their URLs may
// name them.
func Addresses(b *wire.Backend) address.Reader {
	local := len(b.Reach) > 0
	return address.Reader{Phone: phone.Normalise, AllowHTTP: local, AllowPorts: local}
}

// deployed is a configuration without the accounts whose channel has no queues: who would send over them
// is told so, and no message is accepted that nothing carries.
type deployed struct {
	*config.Source
	has func(message.Channel) bool
}

// Accounts lists the accounts of a channel.
func (d deployed) Accounts(ctx context.Context, ch message.Channel) ([]config.Account, error) {
	if d.has != nil && !d.has(ch) {
		return nil, nil
	}
	return d.Source.Accounts(ctx, ch)
}

// New makes the intake of a backend.
func New(b *wire.Backend) (*intake.Intake, error) {
	return intake.New(intake.Ports{Store: b.Store, Config: deployed{b.Config, b.Deployed}, Queue: b.Queue, Addresses: Addresses(b), Providers: b.Catalog,
		Now: b.Now, NewULID: b.NewULID, Allowed: b.Allowed, PublicURL: b.PublicURL, Tell: b.Tell(), Metrics: b.Metrics, Log: b.Log})
}
