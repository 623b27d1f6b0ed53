package callback

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// MaxPage is the longest page of a list, and how many callbacks one Again looks at.
const MaxPage = 100

// Sent is a callback with what it says.
type Sent struct {
	*store.Record
	Event []byte // nil when it is erased
}

// Filter narrows a list of callbacks.
type Filter struct {
	From, To time.Time  // of their making; To is exclusive. Without From as long as they are kept
	Limit    int        // 1 to MaxPage
	Before   message.ID // the last of the page before
}

func (f Filter) in(now message.Time) store.Range {
	in := store.Range{From: message.At(f.From), To: message.At(f.To)}
	if in.To == 0 {
		in.To = now.Add(time.Hour) // the clock of who made it may be ahead
	}
	return in
}

// find reads an endpoint that the principal may know of.
func (c *Callbacks) find(ctx context.Context, p tenant.Principal, owner, name string) (*config.Endpoint, error) {
	e, ok, err := c.Config.Endpoint(ctx, owner, name)
	if err != nil {
		return nil, unavailable(err)
	}
	if !ok || !p.Sees(owner) {
		return nil, problem.New(problem.NotFound, "there is no such endpoint; see GET /v1/endpoints")
	}
	return &e, nil
}

func reads(p tenant.Principal) error {
	if p.May(tenant.Read) || p.May(tenant.Operate) {
		return nil
	}
	return problem.New(problem.Forbidden, "this needs a key with the scope read or operate")
}

// sends refuses who may not have callbacks made: they carry what only a reader may know, for a sender.
func sends(p tenant.Principal) error {
	if p.May(tenant.Read) && p.May(tenant.Send) || p.May(tenant.Operate) {
		return nil
	}
	return problem.New(problem.Forbidden, "this needs a key with the scopes send and read, or operate")
}

func unavailable(err error) error {
	var p *problem.Error
	if errors.As(err, &p) {
		return p
	}
	return problem.New(problem.Unavailable, "try again").After(time.Second).Because(err)
}

// List reads an endpoint's callbacks, the newest first; more tells whether there are older ones.
func (c *Callbacks) List(ctx context.Context, p tenant.Principal, owner, name string, f Filter) (out []Sent, more bool, err error) {
	if err := reads(p); err != nil {
		return nil, false, err
	}
	e, err := c.find(ctx, p, owner, name)
	if err != nil {
		return nil, false, err
	}
	records, more, err := c.list(ctx, p, e, f.in(c.now()), f.Limit, f.Before)
	if err != nil {
		return nil, false, unavailable(err)
	}
	for _, r := range records {
		event, err := c.Store.Event(ctx, r)
		if err != nil && !errors.Is(err, store.ErrErased) {
			return nil, false, unavailable(err)
		}
		out = append(out, Sent{r, event})
	}
	return out, more, nil
}

// Health reads how an endpoint has answered of late.
func (c *Callbacks) Health(ctx context.Context, p tenant.Principal, owner, name string) (store.Health, error) {
	if err := reads(p); err != nil {
		return store.Health{}, err
	}
	if _, err := c.find(ctx, p, owner, name); err != nil {
		return store.Health{}, err
	}
	h, err := c.Store.Health(ctx, p, owner, name)
	if err != nil {
		return h, unavailable(err)
	}
	return h, nil
}

// Test makes a callback that tells of nothing.
func (c *Callbacks) Test(ctx context.Context, p tenant.Principal, owner, name string) (Sent, error) {
	e, err := c.on(ctx, p, owner, name)
	if err != nil {
		return Sent{}, err
	}
	now := c.now()
	if err := c.deed(ctx, p, "tested", e); err != nil {
		return Sent{}, err
	}
	body, err := json.Marshal(Event{Test, now.Std(), EventData{Tenant: owner, Endpoint: name}})
	if err != nil {
		return Sent{}, unavailable(err)
	}
	r, err := c.Make(ctx, p, Order{Tenant: owner, Endpoint: name, ULID: c.NewULID(now), Event: body, Kept: e.URL == ""})
	if err != nil {
		return Sent{}, unavailable(err)
	}
	return Sent{r, body}, nil
}

// deed keeps in the audit, before it is done, that somebody has callbacks made by hand. What a tenant's own system does
// for its endpoints is its traffic: the endpoint's list shows it.
func (c *Callbacks) deed(ctx context.Context, p tenant.Principal, what string, e *config.Endpoint, about ...store.Change) error {
	if !p.ByHand() {
		return nil
	}
	err := c.Store.AddDeed(ctx, p, c.now(), store.Deed{What: what, Kind: string(store.Endpoints), Object: e.Tenant + "/" + e.Name, Tenant: e.Tenant, Changes: about})
	if err != nil {
		return unavailable(err)
	}
	return nil
}

// on finds an endpoint that callbacks may be made for.
func (c *Callbacks) on(ctx context.Context, p tenant.Principal, owner, name string) (*config.Endpoint, error) {
	if err := sends(p); err != nil {
		return nil, err
	}
	e, err := c.find(ctx, p, owner, name)
	if err == nil && !p.Steers(owner) {
		return nil, problem.New(problem.Forbidden, "this key sees what other tenants have, and changes what its own has only")
	}
	if err == nil && !e.Live(c.now()) {
		return nil, problem.New(problem.NotAllowedNow, "endpoint %s is off; switch it on first", name)
	}
	return e, err
}

// Again is what came of sending callbacks again.
type Again struct {
	Matched, Made int
	// Before goes on with older ones; "" when there are no more.
	Before message.ID
}

// Resend makes callbacks anew of those of a page that did not arrive, or of all. Each keeps its webhook-id,
// so that a receiver that had it knows.
func (c *Callbacks) Resend(ctx context.Context, p tenant.Principal, owner, name string, f Filter, all bool) (Again, error) {
	var out Again
	e, err := c.on(ctx, p, owner, name)
	if err != nil {
		return out, err
	}
	records, more, err := c.list(ctx, p, e, f.in(c.now()), f.Limit, f.Before)
	if err != nil {
		return out, unavailable(err)
	}
	if err := c.deed(ctx, p, "resent", e); err != nil {
		return out, err
	}
	for _, r := range records {
		lost := r.Status.Terminal() || r.Status == message.InDoubt
		if r.ResendOf != "" || !lost && !(all && r.Status == message.Sent) {
			continue
		}
		out.Matched++
		_, err := c.resend(ctx, p, e, r)
		switch {
		case errors.Is(err, store.ErrErased):
		case err != nil:
			return out, unavailable(err)
		default:
			out.Made++
		}
	}
	if more {
		out.Before = records[len(records)-1].ID
	}
	return out, nil
}

func (c *Callbacks) resend(ctx context.Context, p tenant.Principal, e *config.Endpoint, r *store.Record) (*store.Record, error) {
	event, err := c.Store.Event(ctx, r)
	if err != nil {
		return nil, err
	}
	first := r.ResendOf
	if first == "" {
		first = r.ID
	}
	return c.Make(ctx, p, Order{Tenant: e.Tenant, Endpoint: e.Name, ULID: c.NewULID(c.now()), Event: event, Trace: r.Trace, Kept: e.URL == "", ResendOf: first})
}

// ResendOne makes the callback of one message anew, as the message stands now, or one of the callbacks.
func (c *Callbacks) ResendOne(ctx context.Context, p tenant.Principal, owner, name string, id message.ID) (Sent, error) {
	e, err := c.on(ctx, p, owner, name)
	if err != nil {
		return Sent{}, err
	}
	r, err := c.Store.Message(ctx, p, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && r.Tenant != owner {
		return Sent{}, problem.New(problem.NotFound, "there is no message %s of this tenant", id)
	}
	if err != nil {
		return Sent{}, unavailable(err)
	}
	if r.Class == message.Callback && r.Endpoint != name {
		return Sent{}, problem.New(problem.NotAllowedNow, "callback %s is of endpoint %s", id, r.Endpoint)
	}
	if err := c.deed(ctx, p, "resent", e, store.Change{Path: "/message", After: strconv.Quote(string(id))}); err != nil {
		return Sent{}, err
	}
	if r.Class == message.Callback {
		made, err := c.resend(ctx, p, e, r)
		if errors.Is(err, store.ErrErased) {
			return Sent{}, problem.New(problem.NotAllowedNow, "what callback %s said is erased; name the message that it was about", id)
		}
		if err != nil {
			return Sent{}, unavailable(err)
		}
		return Sent{Record: made}, nil
	}
	body, err := c.event(ctx, r)
	if err != nil {
		return Sent{}, unavailable(err)
	}
	made, err := c.Make(ctx, p, Order{Tenant: owner, Endpoint: name, ULID: c.NewULID(c.now()), Event: body, Trace: r.Trace, Kept: e.URL == ""})
	if err != nil {
		return Sent{}, unavailable(err)
	}
	return Sent{made, body}, nil
}
