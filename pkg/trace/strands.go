package trace

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/address"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// legs gives the legs of a search that goes back to from.
func (t *Trace) legs(ctx context.Context, p tenant.Principal, f *Filter, index Index, from message.Time) (func(to message.Time) (leg, bool), error) {
	switch index {
	case ByRecipient:
		strands, err := t.toRecipient(ctx, p, f)
		return whole(from, strands), err
	case ByReference:
		tenants, err := t.searched(ctx, f)
		var strands []reader
		for _, name := range tenants {
			strands = append(strands, func(ctx context.Context, in store.Range, limit int, after string) (store.Found, error) {
				return t.Store.ByReference(ctx, p, name, f.Reference, in, limit, after)
			})
		}
		return whole(from, strands), err
	}
	tenants, err := t.searched(ctx, f)
	if err != nil {
		return nil, err
	}
	return days(from, func(day string) (strands []reader) {
		for _, name := range tenants {
			strands = append(strands, t.ofDay(p, index, name, day)...)
		}
		return strands
	}), nil
}

// ofDay reads one day of one tenant.
func (t *Trace) ofDay(p tenant.Principal, index Index, name, day string) (strands []reader) {
	if index == ByTrouble {
		return []reader{func(ctx context.Context, in store.Range, limit int, after string) (store.Found, error) {
			return t.Store.Troubles(ctx, p, name, day, in, limit, after)
		}}
	}
	for shard := range t.Store.ListShards() {
		strands = append(strands, func(ctx context.Context, in store.Range, limit int, after string) (store.Found, error) {
			return t.Store.ByTenant(ctx, p, name, day, shard, in, limit, after)
		})
	}
	return strands
}

// whole is one leg for the whole range.
func whole(from message.Time, strands []reader) func(to message.Time) (leg, bool) {
	return func(to message.Time) (leg, bool) {
		return leg{store.Range{From: from, To: to}, strands}, to > from
	}
}

// days is a leg for every UTC day, the newest first.
func days(from message.Time, strands func(day string) []reader) func(to message.Time) (leg, bool) {
	return func(to message.Time) (leg, bool) {
		if to <= from {
			return leg{}, false
		}
		last := to - 1
		midnight := message.At(last.Std().Truncate(24 * time.Hour))
		return leg{store.Range{From: max(from, midnight), To: to}, strands(store.Day(last))}, true
	}
}

// searched is the tenants whose lists are read.
func (t *Trace) searched(ctx context.Context, f *Filter) ([]string, error) {
	if f.Tenant != "" {
		return []string{f.Tenant}, nil
	}
	all, err := t.Config.Tenants(ctx)
	if err != nil {
		return nil, unread(err)
	}
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].Name
	}
	return names, nil
}

// toRecipient reads everything that was sent to what was typed. A partition holds all tenants' messages
// to one recipient; they are read as a worker and judged one by one in look, because only then is it
// known how far the search came when others' messages are many.
func (t *Trace) toRecipient(ctx context.Context, p tenant.Principal, f *Filter) (strands []reader, err error) {
	keys, err := t.recipients(ctx, p, f)
	if err != nil {
		return nil, err
	}
	as := tenant.System("trace")
	for _, k := range keys {
		for _, partition := range t.Store.Partitions(k.kind, string(k.key), k.shards) {
			strands = append(strands, func(ctx context.Context, in store.Range, limit int, after string) (store.Found, error) {
				return t.Store.ByRecipient(ctx, as, partition, in, limit, after)
			})
		}
	}
	return strands, nil
}

// recipientKey is one way to understand what was typed.
type recipientKey struct {
	kind   message.AddressKind
	key    message.Address
	shards int
}

// recipients understands a text as every kind of address that it could be: digits may be a phone number
// or a user's id, and a number without a country one of the tenant's or of the installation's.
func (t *Trace) recipients(ctx context.Context, p tenant.Principal, f *Filter) ([]recipientKey, error) {
	regions := []string{t.Region}
	if own, ok, err := t.Config.Tenant(ctx, cmp.Or(f.Tenant, p.Tenant)); err != nil {
		return nil, unread(err)
	} else if ok && own.Region != "" && own.Region != t.Region {
		regions = append(regions, own.Region)
	}
	channels, err := t.channels(ctx, f.Channel)
	if err != nil {
		return nil, unread(err)
	}
	var keys []recipientKey
	faults := map[message.AddressKind]error{}
	for _, ch := range channels {
		for _, region := range regions {
			n, err := ch.Read(t.Addresses, f.Recipient, region)
			if err != nil {
				faults[ch.Address] = err
				continue
			}
			// The shards of a recipe's channel are among those of accounts.
			same := func(k recipientKey) bool { return k.kind == ch.Address && k.key == n.Key }
			if i := slices.IndexFunc(keys, same); i >= 0 {
				keys[i].shards = max(keys[i].shards, ch.Shards)
				continue
			}
			keys = append(keys, recipientKey{ch.Address, n.Key, ch.Shards})
		}
	}
	if len(keys) > 0 {
		return keys, nil
	}
	if err := faults[channels[0].Address]; f.Channel != "" && err != nil {
		return nil, problem.Invalid(problem.At("/recipient", problem.BadAddress, "%s", err))
	}
	kind, guessed := address.Guess(f.Recipient)
	if err := faults[kind]; guessed && err != nil {
		return nil, problem.Invalid(problem.At("/recipient", problem.BadAddress, "%s", err))
	}
	return nil, problem.Invalid(problem.At("/recipient", problem.BadAddress, "recipient is no address of any channel: write a number with its country code, a mail address, a URL, or an alias"))
}

// channels is the one that is looked for, or of all those whose addresses are read differently.
func (t *Trace) channels(ctx context.Context, name message.Channel) ([]provider.Channel, error) {
	if name != "" {
		ch, _, err := t.Providers.Channel(ctx, name)
		return []provider.Channel{ch}, err
	}
	var out []provider.Channel
	for _, info := range message.Channels() {
		same := func(c provider.Channel) bool { return c.Address == info.Address }
		if i := slices.IndexFunc(out, same); i >= 0 {
			out[i].Shards = max(out[i].Shards, info.Shards)
			continue
		}
		out = append(out, provider.Channel{ChannelInfo: info})
	}
	own, err := t.Providers.Declared(ctx)
	return append(out, own...), err
}
