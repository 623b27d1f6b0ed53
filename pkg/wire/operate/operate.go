// Package operate wires what operators and developers change.
package operate

import (
	"context"
	"errors"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/recipe"
	"github.com/opennotify/notify/pkg/wire"
	"github.com/opennotify/notify/pkg/wire/intake"
)

// Senders opens accounts; *accounts.Accounts does.
type Senders interface {
	Open(ctx context.Context, a config.Account) (provider.Sender, provider.Descriptor, error)
}

// New makes the operating of a backend. Without senders (nil) an account's credentials cannot be tried:
// where no provider is to be linked.
func New(b *wire.Backend, senders Senders) (*operate.Operate, error) {
	p := operate.Ports{Documents: b.Store, Suppressions: b.Store, Messages: b.Store, Accounting: b.Store, Deeds: b.Store, Vault: b.Vault, Config: b.Config, Catalog: b.Catalog,
		Compile: compile, CallbackSecret: b.Store.CallbackSecret, Queue: b.Queue, Addresses: intake.Addresses(b), Deployed: b.Deployed, PublicURL: b.PublicURL, Egress: b.Egress, Now: b.Now, Random: b.Random, Log: b.Log}
	if senders != nil {
		var err error
		if p.Try, err = try(b); err != nil {
			return nil, err
		}
		p.Check, p.Approval = check(senders), approval(senders)
	}
	return operate.New(p)
}

// compile reads a recipe as it is uploaded.
func compile(name string, text []byte) (provider.Descriptor, error) {
	r, err := recipe.Upload(name, text)
	if err != nil {
		return provider.Descriptor{}, err
	}
	return r.Descriptor, nil
}

// check asks an account's provider about its credentials, if it has a way to.
func check(senders Senders) func(context.Context, config.Account) error {
	return func(ctx context.Context, a config.Account) error {
		s, _, err := senders.Open(ctx, a)
		if err != nil {
			return err
		}
		c, ok := s.(provider.Checker)
		if !ok {
			return operate.ErrNoCheck
		}
		ctx, cancel := context.WithTimeout(ctx, provider.Timeout)
		defer cancel()
		return c.Check(ctx)
	}
}

// approval asks an account's provider for the state of a bound template.
func approval(senders Senders) func(context.Context, config.Account, map[string]string) (provider.Approval, string, error) {
	return func(ctx context.Context, a config.Account, binding map[string]string) (provider.Approval, string, error) {
		s, _, err := senders.Open(ctx, a)
		if err != nil {
			return "", "", err
		}
		asks, ok := s.(provider.Approver)
		if !ok {
			return "", "", errors.New("the provider cannot be asked")
		}
		ctx, cancel := context.WithTimeout(ctx, provider.Timeout)
		defer cancel()
		return asks.Approval(ctx, binding)
	}
}
