// Package sweep wires the sweep.
package sweep

import (
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/sweep"
	"github.com/opennotify/notify/pkg/wire"
)

// New makes the sweep of a backend.
func New(b *wire.Backend) (*sweep.Sweep, error) {
	var on []message.Channel
	for _, info := range message.Channels() {
		if b.Deployed == nil || b.Deployed(info.Channel) {
			on = append(on, info.Channel)
		}
	}
	return sweep.New(sweep.Ports{Channels: on, Store: b.Store, Queue: b.Queue, Now: b.Now, Metrics: b.Metrics, Log: b.Log, Config: b.Config, Providers: b.Catalog})
}
