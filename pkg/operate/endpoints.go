package operate

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/secret"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// The bounds of endpoints.
const (
	maxEndpoints = 5
	maxKept      = 24 * time.Hour     // how far ahead one without a URL may live
	maxBoth      = 7 * 24 * time.Hour // how long two secrets may sign
	// DefaultBoth is how long they do where nobody says.
	DefaultBoth = 24 * time.Hour
)

// EndpointRequest is an endpoint as it shall be.
type EndpointRequest struct {
	Tenant, Name string
	URL          string
	Until        time.Time // of one without a URL
	Events       []message.Status
	Off          bool
}

// EndpointSecret is an endpoint with a secret that was just made, shown this once; "" when none was.
type EndpointSecret struct {
	Versioned[config.Endpoint]
	Secret message.Secret
}

// tells refuses who may not say where a tenant is told: that gives what readers may know to an address, in the
// name of the sender.
func tells(p tenant.Principal) error {
	if p.May(tenant.Send) && p.May(tenant.Read) || p.May(tenant.Operate) {
		return nil
	}
	return problem.New(problem.Forbidden, "this needs a key with the scopes send and read, or operate")
}

func endpointName(owner, name string) string { return owner + "/" + name }

// Endpoints lists the endpoints that the principal may know of, by tenant and name; of one tenant, or all of "". Those whose
// time is over are not among them.
func (o *Operate) Endpoints(ctx context.Context, p tenant.Principal, of string) ([]Versioned[config.Endpoint], error) {
	if err := may(p, tenant.Read, tenant.Operate); err != nil {
		return nil, err
	}
	all, err := list[config.Endpoint](ctx, o, p, store.Endpoints)
	now := o.now()
	return slices.DeleteFunc(all, func(e Versioned[config.Endpoint]) bool { return e.Body.Over(now) || of != "" && e.Body.Tenant != of }), err
}

// Endpoint reads one.
func (o *Operate) Endpoint(ctx context.Context, p tenant.Principal, owner, name string) (Versioned[config.Endpoint], error) {
	if err := may(p, tenant.Read, tenant.Operate); err != nil {
		return Versioned[config.Endpoint]{}, err
	}
	if !tenant.ValidName(owner) || !tenant.ValidName(name) {
		return Versioned[config.Endpoint]{}, notFound(store.Endpoints, endpointName(owner, name))
	}
	return get[config.Endpoint](ctx, o, p, store.Endpoints, endpointName(owner, name))
}

// EndpointHistory lists an endpoint's versions, the newest first.
func (o *Operate) EndpointHistory(ctx context.Context, p tenant.Principal, owner, name string) ([]Versioned[config.Endpoint], error) {
	if err := may(p, tenant.Read, tenant.Operate); err != nil {
		return nil, err
	}
	if !tenant.ValidName(owner) || !tenant.ValidName(name) {
		return nil, notFound(store.Endpoints, endpointName(owner, name))
	}
	return history[config.Endpoint](ctx, o, p, store.Endpoints, endpointName(owner, name))
}

// PutEndpoint makes or changes an endpoint. One that is made, and has a URL, gets a secret. The document is
// written first: whoever was quicker has made it, and its secret stays his.
func (o *Operate) PutEndpoint(ctx context.Context, p tenant.Principal, r EndpointRequest, c Change) (EndpointSecret, error) {
	none, now := EndpointSecret{}, o.now()
	if err := tells(p); err != nil {
		return none, err
	}
	if !p.Sees(r.Tenant) {
		return none, notFound(store.Tenants, r.Tenant)
	}
	var f faults
	c.check(&f)
	o.checkEndpoint(&f, &r, now)
	if err := o.knownTenant(ctx, &f, "path:tenant", r.Tenant); err != nil {
		return none, err
	}
	if err := f.err(); err != nil {
		return none, err
	}
	head, live, err := o.document(ctx, store.Endpoints, endpointName(r.Tenant, r.Name))
	if err == nil {
		err = expect(head, live, c)
	}
	if err != nil {
		return none, err
	}
	e := config.Endpoint{Name: r.Name, Tenant: r.Tenant, URL: r.URL, Until: message.At(r.Until), Events: r.Events, Off: r.Off, Since: now}
	if live {
		was, err := decode[config.Endpoint](head)
		if err != nil {
			return none, err
		}
		if (was.Body.URL == "") != (e.URL == "") {
			return none, problem.Invalid(problem.At("/url", problem.BadValue, "an endpoint with a url keeps having one, and one without stays without; make another endpoint"))
		}
		if e.Both = was.Body.Both; was.Body.URL == e.URL && was.Body.Off == e.Off {
			e.Since, e.Why = was.Body.Since, was.Body.Why
		}
	} else if err := o.roomForEndpoint(ctx, r.Tenant, now); err != nil {
		return none, err
	}
	if e.Off && e.Why == "" {
		e.Why = config.OffByHand
	}
	out := EndpointSecret{Versioned: Versioned[config.Endpoint]{Body: e}}
	if out.Meta, err = o.save(ctx, p, head, r.Tenant, c.Reason, e); err != nil || live || e.URL == "" {
		return out, err
	}
	out.Secret, err = o.newSecret(ctx, &e, "")
	return out, err
}

func (o *Operate) checkEndpoint(f *faults, r *EndpointRequest, now message.Time) {
	f.name(r.Name)
	until := message.At(r.Until)
	switch {
	case r.URL == "" && r.Until.IsZero():
		f.add("/url", problem.Required, "url is required: where callbacks are posted; or until, for an endpoint that is only read")
	case r.URL == "" && (until <= now || until > now.Add(maxKept)):
		f.add("/until", problem.BadTime, "until must be in the next %d hours: an endpoint without a url keeps what nobody may ever read", int(maxKept.Hours()))
	case r.URL != "" && !r.Until.IsZero():
		f.add("/until", problem.BadValue, "until is for endpoints without a url; leave it out")
	}
	if r.URL != "" {
		n, err := o.Addresses.Normalise(message.URL, r.URL, "")
		if err != nil {
			f.add("/url", problem.BadAddress, "%s", err)
		}
		if r.URL = string(n.Send); o.Deployed != nil && !o.Deployed(message.Webhook) {
			f.add("/url", problem.ChannelOff, "channel webhook, which carries callbacks, is off in this installation; leave url out, and read the callbacks")
		}
	}
	for i, s := range r.Events {
		at := index("/events", i)
		switch {
		case !s.Terminal() && s != message.Sent && s != message.InDoubt, !s.Valid():
			f.add(at, problem.BadValue, "an event is sent, in_doubt or a status in which a message ends; leave events out for all of the latter")
		case slices.Contains(r.Events[:i], s):
			f.add(at, problem.BadValue, "%s is there twice", s)
		}
	}
}

// roomForEndpoint refuses one too many. Those whose time is over do not count, and are deleted: who made them was cut off.
func (o *Operate) roomForEndpoint(ctx context.Context, owner string, now message.Time) error {
	system := tenant.System("operate")
	all, err := list[config.Endpoint](ctx, o, system, store.Endpoints)
	if err != nil {
		return err
	}
	n := 0
	for _, e := range all {
		switch {
		case e.Body.Tenant != owner:
		case !e.Body.Over(now):
			n++
		default:
			if err := o.remove(ctx, system, store.Endpoints, endpointName(owner, e.Body.Name), Change{Version: e.Meta.Version, Reason: "its time was over"}, nil); err != nil {
				o.Log.WarnContext(ctx, "endpoint whose time is over not deleted; the next one that is made tries", "tenant", owner, "endpoint", e.Body.Name, "error", err)
			}
		}
	}
	if n >= maxEndpoints {
		return problem.New(problem.NotAllowedNow, "tenant %s has %d endpoints, the most that one may have; delete one first", owner, n)
	}
	return nil
}

// newSecret keeps a new secret beside the one before it; "" is none.
func (o *Operate) newSecret(ctx context.Context, e *config.Endpoint, before message.Secret) (message.Secret, error) {
	var random [32]byte
	if _, err := io.ReadFull(o.Random, random[:]); err != nil {
		return "", unkept(err)
	}
	s := message.Secret("whsec_" + base64.StdEncoding.EncodeToString(random[:]))
	fields := map[string]message.Secret{config.EndpointSecret: s}
	if before != "" {
		fields[config.EndpointPrevious] = before
	}
	if err := o.Vault.Put(ctx, config.EndpointAccount(e.Tenant, e.Name), fields); err != nil {
		return "", problem.New(problem.Unavailable, "endpoint %s is kept, its new secret may not be: rotate it", e.Name).After(time.Second).Because(err)
	}
	return s, nil
}

// RotateEndpoint gives an endpoint a new secret; the one before it signs too, for a time.
func (o *Operate) RotateEndpoint(ctx context.Context, p tenant.Principal, owner, name string, both time.Duration, c Change) (EndpointSecret, error) {
	none := EndpointSecret{}
	if err := tells(p); err != nil {
		return none, err
	}
	var f faults
	c.check(&f)
	if both < 0 || both > maxBoth {
		f.add("/both_seconds", problem.BadValue, "both_seconds must be 0 (the old secret signs no more) to %d", int(maxBoth.Seconds()))
	}
	if c.Version == 0 {
		f.add("/version", problem.Required, "version is required: the one that you read")
	}
	if err := f.err(); err != nil {
		return none, err
	}
	if !tenant.ValidName(owner) || !tenant.ValidName(name) {
		return none, notFound(store.Endpoints, endpointName(owner, name))
	}
	o.secrets.Lock()
	defer o.secrets.Unlock()
	head, live, err := o.document(ctx, store.Endpoints, endpointName(owner, name))
	if err != nil {
		return none, err
	}
	if !live || !p.Sees(head.Tenant) {
		return none, notFound(store.Endpoints, head.Name)
	}
	if err := expect(head, live, c); err != nil {
		return none, err
	}
	v, err := decode[config.Endpoint](head)
	if err != nil {
		return none, err
	}
	if v.Body.URL == "" {
		return none, problem.New(problem.NotAllowedNow, "endpoint %s has no url: nothing is signed for it", name)
	}
	kept, err := o.Vault.Get(ctx, config.EndpointAccount(owner, name))
	if err != nil && !errors.Is(err, secret.ErrNotFound) {
		return none, unreadable(err)
	}
	out := EndpointSecret{Versioned: v}
	out.Body.Both = o.now().Add(both)
	if out.Meta, err = o.save(ctx, p, head, owner, c.Reason, out.Body); err != nil {
		return none, err
	}
	out.Secret, err = o.newSecret(ctx, &out.Body, kept[config.EndpointSecret])
	return out, err
}

// DeleteEndpoint deletes an endpoint and its secrets. Callbacks that are on their way to it are cancelled.
func (o *Operate) DeleteEndpoint(ctx context.Context, p tenant.Principal, owner, name string, c Change) error {
	if err := tells(p); err != nil {
		return err
	}
	if !tenant.ValidName(owner) || !tenant.ValidName(name) {
		return notFound(store.Endpoints, endpointName(owner, name))
	}
	o.secrets.Lock()
	defer o.secrets.Unlock()
	if err := o.remove(ctx, p, store.Endpoints, endpointName(owner, name), c, nil); err != nil {
		return err
	}
	if err := o.Vault.Put(ctx, config.EndpointAccount(owner, name), nil); err != nil {
		// It is gone; a new one of that name gets a secret of its own.
		o.Log.ErrorContext(ctx, "secrets of a deleted endpoint not removed", "tenant", owner, "endpoint", name, "error", err)
	}
	return nil
}
