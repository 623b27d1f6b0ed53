package operate

import (
	"context"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// KeyRequest asks for a key.
type KeyRequest struct {
	Tenant  string
	Title   string
	Live    bool
	Scopes  []tenant.Scope
	Expires time.Time // the zero time is never
	Reason  string
}

// NewKey is a key that was made. Text is shown this once and kept nowhere.
type NewKey struct {
	Versioned[tenant.Key]
	Text message.Secret
	// Try is a request that the key can make, nil when it can only read. It sends nothing: explain it.
	Try map[string]any
}

var keyID = regexp.MustCompile(`^[0-9a-z]{10}$`)

// Keys lists the keys, of one tenant or all of "". Only their hashes are kept.
func (o *Operate) Keys(ctx context.Context, p tenant.Principal, of string) ([]Versioned[tenant.Key], error) {
	if err := may(p, tenant.Operate); err != nil {
		return nil, err
	}
	keys, err := list[tenant.Key](ctx, o, p, store.APIKeys)
	if err != nil || of == "" {
		return keys, err
	}
	return slices.DeleteFunc(keys, func(k Versioned[tenant.Key]) bool { return k.Body.Tenant != of }), nil
}

// Key reads one by its id.
func (o *Operate) Key(ctx context.Context, p tenant.Principal, id string) (Versioned[tenant.Key], error) {
	if err := may(p, tenant.Operate); err != nil {
		return Versioned[tenant.Key]{}, err
	}
	if !keyID.MatchString(id) {
		return Versioned[tenant.Key]{}, noKey(id)
	}
	return get[tenant.Key](ctx, o, p, store.APIKeys, id)
}

func noKey(id string) error {
	if strings.HasPrefix(id, "nfy_") || len(id) > 10 { // somebody pasted the whole
		return problem.New(problem.NotFound, "there is no such key; name it by its id, the 10 characters after nfy_live_ or nfy_test_")
	}
	return notFound(store.APIKeys, id)
}

// CreateKey makes a key. With the scope operate or admin it is good for the whole installation, whatever
// its tenant; one that sends or reads belongs to a tenant.
func (o *Operate) CreateKey(ctx context.Context, p tenant.Principal, r KeyRequest) (NewKey, error) {
	if err := may(p, tenant.Admin); err != nil {
		return NewKey{}, err
	}
	now := o.now()
	if err := o.checkKey(ctx, r, now); err != nil {
		return NewKey{}, err
	}
	want := tenant.Key{Tenant: r.Tenant, Title: r.Title, Live: r.Live, Scopes: r.Scopes, Expires: message.At(r.Expires), By: p.Name}
	for range 3 { // an id has 50 bits: it is not taken twice in a row by chance
		var random [27]byte
		if _, err := io.ReadFull(o.Random, random[:]); err != nil {
			return NewKey{}, unkept(err)
		}
		k, text := tenant.NewKey(random, want, now)
		meta, err := o.save(ctx, p, store.Doc{Kind: store.APIKeys, Name: k.ID}, k.Tenant, r.Reason, k)
		if isConflict(err) {
			continue
		}
		if err != nil {
			return NewKey{}, err
		}
		return NewKey{Versioned[tenant.Key]{meta, k}, text, o.try(ctx, k)}, nil
	}
	return NewKey{}, unkept(errors.New("three random ids were taken"))
}

func (o *Operate) checkKey(ctx context.Context, r KeyRequest, now message.Time) error {
	var f faults
	f.text("/reason", "reason", r.Reason, MaxReason, false)
	f.text("/title", "title, what the key is for,", r.Title, maxTitle, true)
	if len(r.Scopes) == 0 {
		f.add("/scopes", problem.Required, "scopes is required: one or more of send, read, support, reveal, operate, admin")
	}
	for i, s := range r.Scopes {
		switch {
		case !tenant.ValidScope(s):
			f.add(index("/scopes", i), problem.BadValue, "a scope is one of send, read, support, reveal, operate, admin")
		case slices.Contains(r.Scopes[:i], s):
			f.add(index("/scopes", i), problem.BadValue, "scope %s is there twice", s)
		}
	}
	if r.Tenant == "" && !slices.Contains(r.Scopes, tenant.Operate) && !slices.Contains(r.Scopes, tenant.Admin) {
		f.add("/tenant", problem.Required, "tenant is required: a key that sends or reads belongs to one")
	}
	if !r.Expires.IsZero() && message.At(r.Expires) <= now {
		f.add("/expires_at", problem.BadTime, "expires_at is in the past; leave it out for a key that does not expire")
	}
	if err := o.knownTenant(ctx, &f, "/tenant", r.Tenant); err != nil {
		return err
	}
	return f.err()
}

// RevokeKey ends a key at once. A key that is revoked already stays as it is.
func (o *Operate) RevokeKey(ctx context.Context, p tenant.Principal, id, reason string) (Versioned[tenant.Key], error) {
	none := Versioned[tenant.Key]{}
	if err := may(p, tenant.Admin); err != nil {
		return none, err
	}
	var f faults
	f.text("query:reason", "reason", reason, MaxReason, false)
	if err := f.err(); err != nil {
		return none, err
	}
	for range 4 {
		k, err := o.Key(ctx, p, id)
		if err != nil || k.Body.Revoked {
			return k, err
		}
		k.Body.Revoked = true
		head := store.Doc{Kind: store.APIKeys, Name: id, Version: k.Version}
		k.Meta, err = o.save(ctx, p, head, k.Body.Tenant, reason, k.Body)
		if err == nil || !isConflict(err) {
			return k, err
		}
	}
	return none, problem.New(problem.Conflict, "key %s is being changed by somebody else; try again", id)
}

func isConflict(err error) bool {
	var p *problem.Error
	return errors.As(err, &p) && p.Code == problem.Conflict
}
