// Package stats wires the figures.
package stats

import (
	"github.com/opennotify/notify/pkg/stats"
	"github.com/opennotify/notify/pkg/wire"
)

// New makes the figures of a backend.
func New(b *wire.Backend) (*stats.Stats, error) {
	return stats.New(stats.Ports{Store: b.Store, Known: b.Known, Now: b.Now, Log: b.Log, Watch: b.Watch, Gauges: b.Gauges})
}
