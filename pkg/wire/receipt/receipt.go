// Package receipt wires the receipts, and with them the coded providers that read their own callbacks.
package receipt

import (
	"github.com/opennotify/notify/pkg/provider/senders"
	"github.com/opennotify/notify/pkg/receipt"
	"github.com/opennotify/notify/pkg/wire"
)

// New makes the receipts of a backend.
func New(b *wire.Backend, opened receipt.Senders) (*receipt.Receipts, error) {
	return receipt.New(receipt.Ports{Store: b.Store, Secrets: b.Store, Config: b.Config, Senders: opened, Foreign: senders.Foreign(), Queue: b.Queue, Now: b.Now, Metrics: b.Metrics, Log: b.Log})
}
