// Package job wires work in pages.
package job

import (
	"github.com/opennotify/notify/pkg/job"
	"github.com/opennotify/notify/pkg/wire"
)

// New makes the jobs of a backend, with the kinds that are done here; with none they are only started and
// steered.
func New(b *wire.Backend, kinds map[string]job.Kind) (*job.Jobs, error) {
	return job.New(job.Ports{Store: b.Store, Queue: b.Queue, Now: b.Now, Log: b.Log}, kinds)
}
