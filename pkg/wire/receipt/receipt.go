// Package receipt wires the receipts.
package receipt

import (
	"github.com/opennotify/notify/pkg/receipt"
	"github.com/opennotify/notify/pkg/wire"
)

// New makes the receipts of a backend.
func New(b *wire.Backend) (*receipt.Receipts, error) {
	return receipt.New(receipt.Ports{Store: b.Store, Queue: b.Queue, Now: b.Now, Log: b.Log})
}
