package local

import (
	"context"
	"time"

	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/wire"
)

// World is what notify runs over in this process: a Backend, and what on AWS comes from outside of it. [File]
// is one; the command knows another, on AWS.
type World struct {
	wire.Backend
	// Source hands out what is in the Backend's Queue.
	Source queue.Source
	// Folder is the data folder that its records lie in; "" for another's, as a table's.
	Folder string
	// Forgets tells that the queues are empty after a start, and are to be filled from the records.
	Forgets bool
	// Demo tells that there is to be a demo tenant.
	Demo bool
	// Totals are served at /metrics; nil where metrics go elsewhere.
	Totals *telemetry.Prometheus
	// Chores are done as long as notify runs.
	Chores []Chore
	// Close ends it; it is called once, after everything else.
	Close func() error
}

// Chore is something that is done again and again.
type Chore struct {
	What  string
	Every time.Duration
	Do    func(context.Context) error
	// AtEnd chores are done once more when notify has stopped working.
	AtEnd bool
}

// chores are the world's, and those of every world. On AWS the sweep has a tick a minute and two passes in
// between.
func (l *Local) chores() []Chore {
	return append([]Chore{
		{What: "sweep", Every: 20 * time.Second, Do: l.pass},
		{What: "keep what was refused", Every: time.Second, Do: l.refused, AtEnd: true},
	}, l.world.Chores...)
}

func (l *Local) every(ctx context.Context, c Chore) {
	t := time.NewTicker(c.Every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			l.do(ctx, c)
		}
	}
}

func (l *Local) do(ctx context.Context, c Chore) {
	if err := c.Do(ctx); err != nil && ctx.Err() == nil {
		l.Log.Error("not done; it is tried again", "chore", c.What, "error", err)
	}
}
