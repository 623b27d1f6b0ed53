// Package accounts opens the senders of configured accounts, with their secrets, and keeps them open until
// the account changes.
package accounts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/secret"
)

// Catalog describes providers by name.
type Catalog interface {
	Get(name string) (provider.Descriptor, bool)
}

// Ports is what opening needs.
type Ports struct {
	Catalog Catalog
	Senders map[string]provider.OpenFunc
	Vault   secret.Vault
	Env     provider.Env
}

// Accounts keeps senders open. It is safe for concurrent use.
type Accounts struct {
	Ports

	mu   sync.Mutex
	open map[string]*opened
}

// opened is a sender with what it was opened with. Its lock is held while it is opened, so that a crowd
// opens it once.
type opened struct {
	mu      sync.Mutex
	version int64
	until   time.Time // secrets may be rotated without a new version of the account
	secrets map[string]message.Secret
	sender  provider.Sender
	desc    provider.Descriptor
}

const (
	// secretsFor is how long secrets are used before they are read again.
	secretsFor = 5 * time.Minute
	// secretsAgain is how long until then after they could not be read.
	secretsAgain = 10 * time.Second
)

// New makes an empty set.
func New(p Ports) *Accounts { return &Accounts{Ports: p, open: map[string]*opened{}} }

// Open gives the sender of an account. It stays the same, with the tokens that it holds, until the account
// or its secrets change; it serves on while the vault is away. The error names the account and the field at
// fault, no secret; the descriptor is given beside an error too, if there is one.
func (s *Accounts) Open(ctx context.Context, a config.Account) (provider.Sender, provider.Descriptor, error) {
	s.mu.Lock()
	o := s.open[a.Name]
	if o == nil {
		o = &opened{}
		s.open[a.Name] = o
	}
	s.mu.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	now := s.Env.Now()
	known := o.sender != nil && o.version == a.Version
	if known && now.Before(o.until) {
		return o.sender, o.desc, nil
	}
	secrets, err := s.secrets(ctx, a)
	switch {
	case err != nil && known:
		s.Env.Log.WarnContext(ctx, "secrets not read again; the last ones serve on", "account", a.Name, "error", err)
		o.until = now.Add(secretsAgain)
		return o.sender, o.desc, nil
	case err != nil:
		desc, _ := s.Catalog.Get(a.Provider)
		return nil, desc, fmt.Errorf("account %s: %w", a.Name, err)
	case known && maps.Equal(secrets, o.secrets):
		o.until = now.Add(secretsFor)
		return o.sender, o.desc, nil
	}
	sender, desc, err := s.fresh(a, maps.Clone(secrets))
	if err != nil {
		return nil, desc, err
	}
	o.version, o.until, o.secrets, o.sender, o.desc = a.Version, now.Add(secretsFor), secrets, sender, desc
	return sender, desc, nil
}

// secrets reads what the vault keeps of the fields that an account names; whether something is missing is the
// form's to say.
func (s *Accounts) secrets(ctx context.Context, a config.Account) (map[string]message.Secret, error) {
	if len(a.Secrets) == 0 {
		return nil, nil
	}
	kept, err := s.Vault.Get(ctx, a.Name)
	if errors.Is(err, secret.ErrNotFound) {
		return nil, nil
	}
	maps.DeleteFunc(kept, func(name string, _ message.Secret) bool { return !slices.Contains(a.Secrets, name) })
	return kept, err
}

func (s *Accounts) fresh(a config.Account, secrets map[string]message.Secret) (provider.Sender, provider.Descriptor, error) {
	desc, ok := s.Catalog.Get(a.Provider)
	if !ok {
		return nil, desc, fmt.Errorf("account %s: there is no provider %q", a.Name, a.Provider)
	}
	open, ok := s.Senders[a.Provider]
	if !ok {
		return nil, desc, fmt.Errorf("account %s: provider %q cannot be used here", a.Name, a.Provider)
	}
	pa := provider.Account{Name: a.Name, Provider: a.Provider, Channel: a.Channel, Config: maps.Clone(a.Config), Secrets: secrets}
	if err := desc.Check(&pa); err != nil {
		return nil, desc, fmt.Errorf("account %s: %w", a.Name, err)
	}
	sender, err := open(pa, s.Env)
	if err != nil {
		return nil, desc, fmt.Errorf("account %s: %w", a.Name, err)
	}
	return sender, desc, nil
}
