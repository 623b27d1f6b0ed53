// Package session wires the sessions of the console, which every part of the API takes.
package session

import (
	"context"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/session"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/seal"
	"github.com/opennotify/notify/pkg/wire"
)

// New makes the sessions of a backend. Secure is for everything but plain http on this machine.
func New(b *wire.Backend, secure bool) *session.Sessions {
	return session.New(session.Config{Keys: httpapi.KeyAuth(b.Config, b.Now), Users: b.Config, Random: b.Random, Now: b.Now, Secure: secure,
		Box: func(ctx context.Context) (*seal.Box, error) { return b.Store.Box(ctx, message.At(b.Now()), "console") }})
}
