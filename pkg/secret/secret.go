// Package secret keeps the providers' credentials apart from everything else. Vaults live in folders of
// their own (file, secretsmanager).
package secret

import (
	"context"
	"errors"

	"github.com/opennotify/notify/pkg/message"
)

// ErrNotFound: nothing is kept under the name.
var ErrNotFound = errors.New("secret: not found")

// Vault keeps the secret fields of an account under its name.
type Vault interface {
	Get(ctx context.Context, name string) (map[string]message.Secret, error)
	// Put replaces all fields of a name; an empty map removes it.
	Put(ctx context.Context, name string, fields map[string]message.Secret) error
}
