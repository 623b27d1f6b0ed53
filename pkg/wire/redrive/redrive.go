// Package redrive wires the redrives.
package redrive

import (
	"github.com/opennotify/notify/pkg/redrive"
	"github.com/opennotify/notify/pkg/wire"
	"github.com/opennotify/notify/pkg/wire/job"
)

// New makes the redrives of a backend. It starts jobs; whoever does them is handed its Page.
func New(b *wire.Backend) (*redrive.Redrive, error) {
	jobs, err := job.New(b, nil)
	if err != nil {
		return nil, err
	}
	return redrive.New(redrive.Ports{Store: b.Store, Tenants: b.Config, Known: b.Known, Jobs: jobs, Queue: b.Queue, Now: b.Now, NewULID: b.NewULID, Log: b.Log})
}
