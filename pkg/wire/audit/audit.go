// Package audit wires the audit.
package audit

import (
	"github.com/opennotify/notify/pkg/audit"
	"github.com/opennotify/notify/pkg/wire"
)

// New makes the audit of a backend.
func New(b *wire.Backend) (*audit.Audit, error) {
	return audit.New(audit.Ports{Store: b.Store, Now: b.Now, Log: b.Log})
}
