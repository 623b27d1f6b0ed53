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
	Get(ctx context.Context, name string) (provider.Descriptor, bool, error)
}

// Ports is what opening needs.
type Ports struct {
	Catalog Catalog
	Senders map[string]provider.OpenFunc
	// Uploaded opens the recipe of that name that an operator uploaded, in the version that it describes.
	// Nil where none can be.
	Uploaded func(ctx context.Context, name string) (provider.OpenFunc, provider.Descriptor, error)
	Vault    secret.Vault
	Env      provider.Env
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
	refused int64 // the version of an uploaded recipe that cannot be used
}

const (
	// secretsFor is how long secrets are used before they are read again.
	secretsFor = 5 * time.Minute
	// secretsAgain is how long until then after they could not be read.
	secretsAgain = 10 * time.Second
)

// New makes an empty set.
func New(p Ports) *Accounts { return &Accounts{Ports: p, open: map[string]*opened{}} }

// Open gives the sender of an account. It stays the same, with the tokens that it holds, until the account,
// its secrets or its provider's uploaded recipe change; it serves on while the vault is away, or where the new
// recipe cannot be used. The error names the account and the field at fault, no secret; the descriptor is
// given beside an error too, if there is one.
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
	desc, there, err := s.Catalog.Get(ctx, a.Provider)
	if err != nil && known {
		desc, there = o.desc, true
	} else if err != nil {
		return nil, desc, fmt.Errorf("account %s: provider %q: %w", a.Name, a.Provider, err)
	}
	if !there {
		return nil, desc, fmt.Errorf("account %s: there is no provider %q", a.Name, a.Provider)
	}
	current := known && (o.desc.Uploaded == desc.Uploaded || desc.Uploaded == o.refused)
	if current && now.Before(o.until) {
		return o.sender, o.desc, nil
	}
	secrets, err := s.secrets(ctx, a)
	switch {
	case err != nil && known:
		s.Env.Log.WarnContext(ctx, "secrets not read again; the last ones serve on", "account", a.Name, "error", err)
		o.until = now.Add(secretsAgain)
		return o.sender, o.desc, nil
	case err != nil:
		return nil, desc, fmt.Errorf("account %s: %w", a.Name, err)
	case current && maps.Equal(secrets, o.secrets):
		o.until = now.Add(secretsFor)
		return o.sender, o.desc, nil
	}
	sender, fresh, err := s.fresh(ctx, a, desc, maps.Clone(secrets))
	if err != nil && known && !current {
		s.Env.Log.ErrorContext(ctx, "the new version of an uploaded recipe cannot be used; the last one serves on", "account", a.Name, "version", desc.Uploaded, "error", err)
		o.refused, o.until = desc.Uploaded, now.Add(secretsFor)
		return o.sender, o.desc, nil
	}
	if err != nil {
		return nil, fresh, err
	}
	o.version, o.until, o.secrets, o.sender, o.desc, o.refused = a.Version, now.Add(secretsFor), secrets, sender, fresh, 0
	return sender, fresh, nil
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

func (s *Accounts) fresh(ctx context.Context, a config.Account, desc provider.Descriptor, secrets map[string]message.Secret) (provider.Sender, provider.Descriptor, error) {
	open, desc, err := s.opener(ctx, desc, a.Provider)
	if err != nil {
		return nil, desc, fmt.Errorf("account %s: %w", a.Name, err)
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

// opener is what opens a provider's accounts; of an uploaded recipe with the description of the same version.
func (s *Accounts) opener(ctx context.Context, desc provider.Descriptor, name string) (provider.OpenFunc, provider.Descriptor, error) {
	if desc.Uploaded > 0 && s.Uploaded != nil {
		return s.Uploaded(ctx, name)
	}
	open, ok := s.Senders[name]
	if !ok {
		return nil, desc, fmt.Errorf("provider %q cannot be used here", name)
	}
	return open, desc, nil
}
