// Package wire puts use cases together over a Backend. There is one Backend on AWS, one on a single
// machine, one in the tests: they are the only difference between the worlds. Each use case has a package
// of its own below, so that a function links no more than it is made of.
package wire

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"github.com/opennotify/notify/pkg/blob"
	"github.com/opennotify/notify/pkg/bus"
	"github.com/opennotify/notify/pkg/canary"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/secret"
	"github.com/opennotify/notify/pkg/stats"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/timer"
)

// Backend is everything that differs between the worlds.
type Backend struct {
	Store   *store.Store
	Config  *config.Source
	Queue   queue.Queue
	Timer   timer.Timer
	Blobs   blob.Store
	Vault   secret.Vault
	Catalog *catalog.Catalog
	Metrics telemetry.Metrics
	// Gauges is the part of Metrics that alarms are about; nil where they are CloudWatch's.
	Gauges *stats.Gauges
	// Canary says whom canaries are sent to; nil where there are none.
	Canary func(context.Context) (canary.Order, error)
	// Bus gets every change of status that settles a message; nil where there is none.
	Bus bus.Bus

	Now    func() time.Time
	Random io.Reader
	// Chance is a number in [0,1): for jitter and weights, not for secrets.
	Chance  func() float64
	NewULID func(message.Time) string
	Log     *slog.Logger

	// Allowed is the allow-list of a stage that is not production; nil allows every address.
	Allowed func(kind message.AddressKind, key message.Address) bool
	// Deployed tells whether a channel's queues exist; nil is every channel's.
	Deployed func(message.Channel) bool
	// Reach lists networks that webhooks may reach although they are not public, and over http: empty but
	// in tests and on one machine.
	Reach []netip.Prefix
	Outside
}

// Moved counts what becomes of messages: for [store.Options].
func Moved(m telemetry.Metrics, c *catalog.Catalog) func(before, after *message.Message, now message.Time) {
	return telemetry.Statuses{Metrics: m, Receipts: func(provider string) bool {
		d, _ := c.Known(provider)
		return d.Receipts
	}}.Moved
}

// Known is that of the configuration, which knows a recipe's channel by its accounts: one that is declared is known
// before somebody makes the first.
func (b *Backend) Known(ctx context.Context, where, owner string, ch message.Channel, account string) error {
	if _, declared, err := b.Catalog.Channel(ctx, ch); declared || err != nil {
		ch = ""
	}
	return b.Config.Known(ctx, where, owner, ch, account)
}

// Tell is what the bus is told of.
func (b *Backend) Tell() message.Tell {
	if b.Bus == nil {
		return 0
	}
	return message.TellEnds() | message.TellOf(message.Sent, message.InDoubt)
}
