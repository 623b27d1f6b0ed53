// Package accounts opens the senders of configured accounts, with their secrets, and keeps them open until
// the account changes.
package accounts

import (
	"context"
	"errors"
	"fmt"
	"maps"
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

type opened struct {
	version int64
	until   time.Time // secrets may be rotated without a new version of the account
	sender  provider.Sender
	desc    provider.Descriptor
}

// secretsFor is how long secrets are used before they are read again.
const secretsFor = 5 * time.Minute

// New makes an empty set.
func New(p Ports) *Accounts { return &Accounts{Ports: p, open: map[string]*opened{}} }

// Open gives the sender of an account. The error names the account and the field at fault, no secret.
func (s *Accounts) Open(ctx context.Context, a config.Account) (provider.Sender, provider.Descriptor, error) {
	now := s.Env.Now()
	s.mu.Lock()
	o := s.open[a.Name]
	s.mu.Unlock()
	if o != nil && o.version == a.Version && now.Before(o.until) {
		return o.sender, o.desc, nil
	}
	sender, desc, err := s.fresh(ctx, a)
	if err != nil {
		return nil, desc, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[a.Name] = &opened{a.Version, now.Add(secretsFor), sender, desc}
	return sender, desc, nil
}

func (s *Accounts) fresh(ctx context.Context, a config.Account) (provider.Sender, provider.Descriptor, error) {
	desc, ok := s.Catalog.Get(a.Provider)
	if !ok {
		return nil, desc, fmt.Errorf("account %s: there is no provider %q", a.Name, a.Provider)
	}
	open, ok := s.Senders[a.Provider]
	if !ok {
		return nil, desc, fmt.Errorf("account %s: provider %q cannot be used here", a.Name, a.Provider)
	}
	var secrets map[string]message.Secret
	if len(a.Secrets) > 0 {
		var err error
		if secrets, err = s.Vault.Get(ctx, a.Name); err != nil && !errors.Is(err, secret.ErrNotFound) {
			return nil, desc, fmt.Errorf("account %s: %w", a.Name, err)
		}
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
