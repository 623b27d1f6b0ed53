// Package delivery wires the delivery, and with it all providers.
package delivery

import (
	"encoding/hex"
	"io"
	"strings"

	"github.com/opennotify/notify/pkg/delivery"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/accounts"
	"github.com/opennotify/notify/pkg/provider/devinbox"
	"github.com/opennotify/notify/pkg/provider/guard"
	"github.com/opennotify/notify/pkg/provider/senders"
	"github.com/opennotify/notify/pkg/provider/token"
	"github.com/opennotify/notify/pkg/wire"
	"github.com/opennotify/notify/pkg/wire/callback"
)

// Accounts opens the senders of a backend; inbox may be nil.
func Accounts(b *wire.Backend, inbox *devinbox.Inbox) *accounts.Accounts {
	return accounts.New(accounts.Ports{Catalog: b.Catalog, Senders: senders.All(inbox), Uploaded: senders.UploadsOf(b.Config).Open, Vault: b.Vault, Env: provider.Env{
		Client:  guard.Client(guard.Options{}),
		Guarded: guard.Client(guard.Options{Public: true, Allow: b.Reach}),
		Now:     b.Now,
		Nonce:   func() string { return nonce(b) },
		Tokens:  token.Shared(b.Now, b.Store, nonce(b)),
		Log:     b.Log,
	}})
}

func nonce(b *wire.Backend) string {
	var n [16]byte
	if _, err := io.ReadFull(b.Random, n[:]); err != nil {
		panic("no randomness: " + err.Error()) // a signature without it would be forgeable
	}
	return hex.EncodeToString(n[:])
}

// New makes the delivery of a backend.
func New(b *wire.Backend, senders delivery.Senders) (*delivery.Delivery, error) {
	told, err := callback.New(b)
	if err != nil {
		return nil, err
	}
	return delivery.New(delivery.Ports{Store: b.Store, Config: b.Config, Providers: b.Catalog, Senders: senders, Callbacks: told, Queue: b.Queue, Now: b.Now, Random: b.Chance, Metrics: b.Metrics, PublicURL: strings.TrimSuffix(b.PublicURL, "/"), Log: b.Log})
}
