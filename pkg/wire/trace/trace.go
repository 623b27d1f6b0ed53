// Package trace wires the reading of messages.
package trace

import (
	"github.com/opennotify/notify/pkg/trace"
	"github.com/opennotify/notify/pkg/wire"
	"github.com/opennotify/notify/pkg/wire/intake"
)

// New makes the trace of a backend.
func New(b *wire.Backend) (*trace.Trace, error) {
	return trace.New(trace.Ports{Store: b.Store, Config: b.Config, Known: b.Known, Providers: b.Catalog, Addresses: intake.Addresses(b), Region: "CN", Egress: b.Egress, Now: b.Now, Log: b.Log})
}
