package operate

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/address"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/tenant"
)

// Target names an address and which messages to it are meant. An empty Channel is all channels whose
// addresses are of this kind, which must then be told from the address; an empty Class or Tenant is all.
type Target struct {
	Address string
	Channel message.Channel
	Class   message.Class
	Tenant  string
}

// Suppression is a target with why it is not to be written to, and until when; the zero time is for good.
type Suppression struct {
	Target
	Reason suppress.Reason
	Note   string
	Until  time.Time
}

// place is a target that was understood.
type place struct {
	kind   message.AddressKind
	key    string
	shards int // of its messages
	entry  suppress.Entry
}

// Suppress stops messages to an address. It replaces an entry for the same target.
func (o *Operate) Suppress(ctx context.Context, p tenant.Principal, s Suppression) (suppress.Entry, error) {
	if err := may(p, tenant.Operate); err != nil {
		return suppress.Entry{}, err
	}
	var f faults
	if s.Reason == "" {
		s.Reason = suppress.Manual
	}
	if !suppress.ValidReason(s.Reason) {
		f.add("/reason", problem.BadValue, "reason must be one of bounce, complaint, opt_out, manual")
	}
	f.text("/note", "note", s.Note, maxNote, false)
	now, until := o.now(), message.At(s.Until)
	if !s.Until.IsZero() && until <= now {
		f.add("/until", problem.BadTime, "until is in the past; leave it out for good")
	}
	at, err := o.locate(ctx, &f, s.Target)
	if err != nil {
		return suppress.Entry{}, err
	}
	e := at.entry
	e.Reason, e.Source, e.Note, e.At, e.Until = s.Reason, p.Name, s.Note, now, until
	if err := o.Deeds.AddDeed(ctx, p, now, store.Deed{What: "suppressed", Kind: "address", Object: e.Masked, Tenant: e.Tenant, Reason: s.Note}); err != nil {
		return suppress.Entry{}, unkept(err)
	}
	if err := o.Suppressions.PutSuppression(ctx, p, now, at.kind, at.key, e); err != nil {
		return suppress.Entry{}, unkept(err)
	}
	return e, nil
}

// Unsuppress lifts what is in force for exactly this target, whoever said it. Who did that and why stays with
// the entry; what was said before counts no more, should it be heard again.
func (o *Operate) Unsuppress(ctx context.Context, p tenant.Principal, t Target, reason string) error {
	if err := may(p, tenant.Operate); err != nil {
		return err
	}
	var f faults
	f.text("/reason", "reason", reason, MaxReason, false)
	at, err := o.locate(ctx, &f, t)
	if err != nil {
		return err
	}
	now := o.now()
	if err := o.Deeds.AddDeed(ctx, p, now, store.Deed{What: "unsuppressed", Kind: "address", Object: at.entry.Masked, Tenant: at.entry.Tenant, Reason: reason}); err != nil {
		return unkept(err)
	}
	err = o.Suppressions.LiftSuppression(ctx, p, now, at.kind, at.key, at.entry, suppress.Lift{At: now, By: p.Name, Why: reason})
	if errors.Is(err, store.ErrNotFound) {
		return problem.New(problem.NotFound, "there is no suppression of this address for exactly this channel, class and tenant; check shows those there are")
	}
	if err != nil {
		return unkept(err)
	}
	o.Log.InfoContext(ctx, "suppression lifted", "by", p.Name, "reason", reason, "channel", t.Channel, "class", t.Class, "tenant", t.Tenant)
	return nil
}

// Suppressed lists what is in force for an address, and what was lifted or is over. Of the target, Class and
// Tenant do not narrow.
func (o *Operate) Suppressed(ctx context.Context, p tenant.Principal, t Target) (now, past []suppress.Entry, err error) {
	if err := may(p, tenant.Operate); err != nil {
		return nil, nil, err
	}
	var f faults
	at, err := o.locate(ctx, &f, t)
	if err != nil {
		return nil, nil, err
	}
	entries, err := o.Suppressions.Suppressions(ctx, at.kind, at.key)
	if err != nil {
		return nil, nil, unreadable(err)
	}
	for _, e := range entries {
		if e.InForce(o.now()) {
			now = append(now, e)
		} else {
			past = append(past, e)
		}
	}
	return now, past, nil
}

// ListSuppressed reads a page of all entries, the newest first, and where the next one begins. A page may
// be short, as what is over is left out.
func (o *Operate) ListSuppressed(ctx context.Context, p tenant.Principal, limit int, after string) ([]suppress.Entry, string, error) {
	if err := may(p, tenant.Operate); err != nil {
		return nil, "", err
	}
	var at string
	if err := openCursor(after, &at); err != nil {
		return nil, "", err
	}
	entries, next, err := o.Suppressions.ListSuppressions(ctx, p, limit, at)
	if err != nil {
		return nil, "", unreadable(err)
	}
	if next != "" {
		next = cursor(next)
	}
	return o.inForce(entries), next, nil
}

func (o *Operate) inForce(entries []suppress.Entry) []suppress.Entry {
	now := o.now()
	return slices.DeleteFunc(entries, func(e suppress.Entry) bool { return !e.InForce(now) })
}

// locate reads a target's address, or reports all that is wrong, with what f has already.
func (o *Operate) locate(ctx context.Context, f *faults, t Target) (place, error) {
	f.class("/class", t.Class)
	if err := o.knownTenant(ctx, f, "/tenant", t.Tenant); err != nil {
		return place{}, err
	}
	ch, err := o.addressed(ctx, f, t)
	if err != nil {
		return place{}, err
	}
	var n address.Normal
	switch {
	case t.Address == "":
		f.add("/address", problem.Required, "address is required")
	case ch.Address != "":
		region, err := o.region(ctx, t.Tenant)
		if err != nil {
			return place{}, err
		}
		if n, err = ch.Read(o.Addresses, t.Address, region); err != nil {
			f.add("/address", problem.BadAddress, "%s", err)
		}
	}
	if err := f.err(); err != nil {
		return place{}, err
	}
	return place{ch.Address, string(n.Key), max(1, ch.Shards), suppress.Entry{Tenant: t.Tenant, Channel: t.Channel, Class: t.Class, Masked: n.Send.String()}}, nil
}

// addressed is how the address is to be read; the zero Channel when that cannot be told, which is then reported.
func (o *Operate) addressed(ctx context.Context, f *faults, t Target) (provider.Channel, error) {
	var ch provider.Channel
	if t.Channel == "" {
		kind, ok := address.Guess(t.Address)
		if ch.Address = kind; !ok && t.Address != "" {
			f.add("/channel", problem.UnknownChannel, "the kind of this address cannot be told; name its channel, such as sms, email or feishu")
		}
		return ch, nil
	}
	ch, known, err := o.Catalog.Channel(ctx, t.Channel)
	if err != nil {
		return ch, unreadable(err)
	}
	if !known {
		f.add("/channel", problem.UnknownChannel, noChannel)
		return provider.Channel{}, nil
	}
	return ch, nil
}

// noChannel is what a channel is told that nothing knows.
const noChannel = "there is no such channel: it is not built in, and no recipe declares it"

// region is the country of phone numbers that have none.
func (o *Operate) region(ctx context.Context, name string) (string, error) {
	if !tenant.ValidName(name) {
		return "", nil
	}
	d, live, err := o.document(ctx, store.Tenants, name)
	if err != nil || !live {
		return "", err
	}
	t, err := decode[tenant.Tenant](d)
	return t.Body.Region, err
}
