package operate

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/secret"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// AccountRequest is an account as it shall be. Secrets go into the vault and never come back: one that is
// left out keeps its value, "" removes it.
type AccountRequest struct {
	config.Account
	Secrets map[string]message.Secret
}

// Providers lists the providers that accounts may be made of, by name.
func (o *Operate) Providers(ctx context.Context, p tenant.Principal) ([]provider.Descriptor, error) {
	if err := may(p, tenant.Operate); err != nil {
		return nil, err
	}
	all, err := o.Catalog.All(ctx)
	if err != nil {
		return nil, unreadable(err)
	}
	return all, nil
}

// Provider reads one provider's description.
func (o *Operate) Provider(ctx context.Context, p tenant.Principal, name string) (provider.Descriptor, error) {
	if err := may(p, tenant.Operate); err != nil {
		return provider.Descriptor{}, err
	}
	d, ok, err := o.Catalog.Get(ctx, name)
	if err != nil {
		return d, unreadable(err)
	}
	if !ok {
		return d, problem.New(problem.NotFound, "there is no such provider; see GET /v1/providers")
	}
	return d, nil
}

// Accounts lists the accounts by name, those that are off too.
func (o *Operate) Accounts(ctx context.Context, p tenant.Principal) ([]Versioned[config.Account], error) {
	if err := may(p, tenant.Operate); err != nil {
		return nil, err
	}
	return list[config.Account](ctx, o, p, store.Accounts)
}

// Account reads one.
func (o *Operate) Account(ctx context.Context, p tenant.Principal, name string) (Versioned[config.Account], error) {
	if err := may(p, tenant.Operate); err != nil {
		return Versioned[config.Account]{}, err
	}
	if !tenant.ValidName(name) {
		return Versioned[config.Account]{}, notFound(store.Accounts, name)
	}
	return get[config.Account](ctx, o, p, store.Accounts, name)
}

// AccountHistory lists an account's versions, the newest first.
func (o *Operate) AccountHistory(ctx context.Context, p tenant.Principal, name string) ([]Versioned[config.Account], error) {
	if err := may(p, tenant.Operate); err != nil {
		return nil, err
	}
	if !tenant.ValidName(name) {
		return nil, notFound(store.Accounts, name)
	}
	return history[config.Account](ctx, o, p, store.Accounts, name)
}

// PutAccount makes or changes an account. Its secrets are in the vault before the document says so.
func (o *Operate) PutAccount(ctx context.Context, p tenant.Principal, r AccountRequest, c Change) (Versioned[config.Account], error) {
	none := Versioned[config.Account]{}
	if err := may(p, tenant.Admin); err != nil {
		return none, err
	}
	var f faults
	c.check(&f)
	r.check(&f)
	if err := f.err(); err != nil {
		return none, err
	}
	o.secrets.Lock()
	defer o.secrets.Unlock()
	head, live, err := o.document(ctx, store.Accounts, r.Name)
	if err == nil {
		err = expect(head, live, c)
	}
	if err != nil {
		return none, err
	}
	var kept map[string]message.Secret // a new account never inherits a deleted one's
	if live {
		if kept, err = o.keptSecrets(ctx, head, &r.Account); err != nil {
			return none, err
		}
	}
	secrets := r.merge(kept)
	a, err := o.fit(ctx, r.Account, secrets)
	if err != nil {
		return none, err
	}
	changed := !live || !maps.Equal(secrets, kept)
	if changed {
		if err := o.Vault.Put(ctx, r.Name, secrets); err != nil {
			return none, unkept(err)
		}
	}
	meta, err := o.save(ctx, p, head, "", c.Reason, a)
	if isConflict(err) && changed { // by another process, in this very moment
		err = problem.New(problem.Conflict, "%s; the secrets that you sent are kept already: send them again", problem.From(err).Detail)
	}
	return Versioned[config.Account]{meta, a}, err
}

// keptSecrets reads what the vault holds for an account, which stays one of its provider and channel.
func (o *Operate) keptSecrets(ctx context.Context, head store.Doc, want *config.Account) (map[string]message.Secret, error) {
	have, err := decode[config.Account](head)
	if err != nil {
		return nil, err
	}
	want.Channel = cmp.Or(want.Channel, have.Body.Channel)
	var f faults
	if have.Body.Provider != want.Provider {
		f.add("/provider", problem.BadValue, "account %s is of provider %s; make another account for another provider", want.Name, have.Body.Provider)
	}
	if have.Body.Channel != want.Channel {
		f.add("/channel", problem.BadValue, "account %s is of channel %s; make another account for another channel", want.Name, have.Body.Channel)
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	kept, err := o.Vault.Get(ctx, want.Name)
	if err != nil && !errors.Is(err, secret.ErrNotFound) {
		return nil, unreadable(err)
	}
	return kept, nil
}

// merge adds the secrets that were sent to those that are kept.
func (r *AccountRequest) merge(kept map[string]message.Secret) map[string]message.Secret {
	out := map[string]message.Secret{}
	maps.Copy(out, kept)
	maps.Copy(out, r.Secrets)
	maps.DeleteFunc(out, func(_ string, s message.Secret) bool { return s == "" })
	return out
}

// SwitchAccount takes an account out of use, or back into it: what an operator does while it burns.
func (o *Operate) SwitchAccount(ctx context.Context, p tenant.Principal, name string, off bool, reason string) (Versioned[config.Account], error) {
	none := Versioned[config.Account]{}
	if err := may(p, tenant.Operate); err != nil {
		return none, err
	}
	var f faults
	f.text("/reason", "reason", reason, MaxReason, false)
	if err := f.err(); err != nil {
		return none, err
	}
	o.secrets.Lock() // a change of the secrets must not lose against this
	defer o.secrets.Unlock()
	for range 4 {
		a, err := o.Account(ctx, p, name)
		if err != nil || a.Body.Off == off {
			return a, err
		}
		a.Body.Off = off
		a.Meta, err = o.save(ctx, p, store.Doc{Kind: store.Accounts, Name: name, Version: a.Version}, "", reason, a.Body)
		if err == nil || !isConflict(err) {
			return a, err
		}
	}
	return none, problem.New(problem.Conflict, "account %s is being changed by somebody else; try again", name)
}

// DeleteAccount deletes an account that no route names, and its secrets.
func (o *Operate) DeleteAccount(ctx context.Context, p tenant.Principal, name string, c Change) error {
	if err := may(p, tenant.Admin); err != nil {
		return err
	}
	if !tenant.ValidName(name) {
		return notFound(store.Accounts, name)
	}
	o.secrets.Lock()
	defer o.secrets.Unlock()
	err := o.remove(ctx, p, store.Accounts, name, c, func() error {
		routes, err := list[route.Route](ctx, o, p, store.Routes)
		if err != nil {
			return err
		}
		var using []string
		for _, r := range routes {
			if slices.ContainsFunc(r.Body.Accounts, func(w route.Weighted) bool { return w.Account == name }) {
				using = append(using, r.Body.Name)
			}
		}
		if len(using) > 0 {
			return problem.New(problem.NotAllowedNow, "account %s is named by the routes %s; take it out of them first", name, some(using))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := o.Vault.Put(ctx, name, nil); err != nil {
		// The account is gone; a new one of that name does not take its secrets over.
		o.Log.ErrorContext(ctx, "secrets of a deleted account not removed", "account", name, "error", err)
	}
	return nil
}

// Tested is what came of trying an account's credentials.
type Tested struct {
	OK bool
	// Detail is the provider's own words, or why there was nothing to ask.
	Detail string
}

// maxDetail is how many bytes of a provider's words are shown.
const maxDetail = 500

// TestAccount tries an account's credentials without sending anything. That they are wrong is an answer,
// not an error.
func (o *Operate) TestAccount(ctx context.Context, p tenant.Principal, name string) (Tested, error) {
	a, err := o.Account(ctx, p, name)
	if err != nil {
		return Tested{}, err
	}
	if o.Check == nil {
		return Tested{Detail: "accounts cannot be tried here; send a message"}, nil
	}
	a.Body.Version = a.Version
	err = o.Check(ctx, a.Body)
	switch {
	case err == nil:
		return Tested{OK: true}, nil
	case errors.Is(err, ErrNoCheck):
		return Tested{Detail: "provider " + a.Body.Provider + " has no way to try credentials; send a message"}, nil
	}
	text, err := o.told(ctx, name, err.Error())
	return Tested{Detail: text}, err
}

// told is a provider's words as they may be shown. No provider should repeat a secret; should one do, it
// does not get any further.
func (o *Operate) told(ctx context.Context, account, text string) (string, error) {
	secrets, err := o.Vault.Get(ctx, account)
	if err != nil && !errors.Is(err, secret.ErrNotFound) {
		return "", unreadable(err)
	}
	for _, s := range secrets {
		text = strings.ReplaceAll(text, string(s), s.String())
	}
	if len(text) > maxDetail {
		text = strings.ToValidUTF8(text[:maxDetail], "") + "…"
	}
	return text, nil
}
