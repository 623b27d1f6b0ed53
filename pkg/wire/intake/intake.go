// Package intake wires the intake.
package intake

import (
	"github.com/opennotify/notify/pkg/address"
	"github.com/opennotify/notify/pkg/address/phone"
	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/wire"
)

// Addresses reads addresses as a backend does: where webhooks may reach private networks, their URLs may
// name them.
func Addresses(b *wire.Backend) address.Reader {
	local := len(b.Reach) > 0
	return address.Reader{Phone: phone.Normalise, AllowHTTP: local, AllowPorts: local}
}

// New makes the intake of a backend.
func New(b *wire.Backend) (*intake.Intake, error) {
	return intake.New(intake.Ports{Store: b.Store, Config: b.Config, Queue: b.Queue, Addresses: Addresses(b), Providers: b.Catalog,
		Now: b.Now, NewULID: b.NewULID, Allowed: b.Allowed, Metrics: b.Metrics, Log: b.Log})
}
