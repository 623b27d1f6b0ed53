// Package sweep wires the sweep.
package sweep

import (
	"github.com/opennotify/notify/pkg/sweep"
	"github.com/opennotify/notify/pkg/wire"
)

// New makes the sweep of a backend.
func New(b *wire.Backend) (*sweep.Sweep, error) {
	return sweep.New(sweep.Ports{Store: b.Store, Queue: b.Queue, Now: b.Now, Metrics: b.Metrics, Log: b.Log, Config: b.Config, Providers: b.Catalog})
}
