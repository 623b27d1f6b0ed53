package intake

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/opennotify/notify/pkg/address"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/store"
)

// targets chooses the channel of every address, and says in out what the messages are to each other.
func (pl *planner) targets(ctx context.Context, out *plan) ([]target, error) {
	r := pl.req
	if len(r.To.Ways) > 0 {
		return pl.ways(ctx, out)
	}
	raws, pointer := r.To.List, func(i int) string { return index("/to", i) }
	if len(raws) == 0 {
		raws, pointer = []string{r.To.One}, func(int) string { return "/to" }
	} else {
		out.kind = store.GroupList
	}
	targets := make([]target, 0, len(raws))
	for i, raw := range raws {
		ch := r.Channel
		if ch == "" {
			var err error
			if ch, err = pl.guess(ctx, raw); err != nil {
				return nil, err
			}
		}
		if ch == "" && strings.TrimSpace(raw) == "" {
			pl.f.add(pointer(i), problem.BadAddress, "the address is empty")
			continue
		}
		if ch == "" {
			pl.f.add(pointer(i), problem.UnknownChannel, "the channel cannot be told from this address; name one in channel")
			continue
		}
		targets = append(targets, target{channel: ch, raw: raw, pointer: pointer(i)})
	}
	return targets, pl.open(ctx, targets, "/channel")
}

// guess takes the route's first channel that the address fits, or the usual one of its kind.
func (pl *planner) guess(ctx context.Context, raw string) (message.Channel, error) {
	kind, guessed := address.Guess(raw)
	if rt, ok := route.Channels(pl.routes, pl.subject("", "")); ok {
		for _, s := range rt.Steps {
			ch, _, err := pl.in.Providers.Channel(ctx, s.Channel)
			if err != nil {
				return "", unavailable(err)
			}
			if guessed && ch.Address == kind || ch.Own() && ch.Fits(raw) {
				return s.Channel, nil
			}
		}
	}
	for _, info := range message.Channels() {
		if guessed && info.Address == kind && kind != message.Token && kind != message.Account {
			return info.Channel, nil
		}
	}
	return "", nil
}

// ways applies the route's strategy to one person's addresses.
func (pl *planner) ways(ctx context.Context, out *plan) ([]target, error) {
	ways := pl.req.To.Ways
	if err := pl.strays(ctx, ways); err != nil {
		return nil, err
	}
	strategy, steps := route.One, []route.Step(nil)
	if rt, ok := route.Channels(pl.routes, pl.subject("", "")); ok {
		strategy = rt.Strategy
		for _, s := range rt.Steps {
			if _, has := ways[s.Channel]; has {
				steps = append(steps, s)
			}
		}
	}
	if len(steps) == 0 { // no route: the channels in the order of the table
		for _, info := range message.Channels() {
			if _, has := ways[info.Channel]; has {
				steps = append(steps, route.Step{Channel: info.Channel})
			}
		}
		for _, ch := range slices.Sorted(maps.Keys(ways)) {
			if _, builtIn := ch.Info(); !builtIn {
				steps = append(steps, route.Step{Channel: ch})
			}
		}
	}
	switch strategy {
	case route.Fallback:
		out.kind = store.GroupFallback
	case route.All:
		out.kind = store.GroupAll
	default:
		steps = steps[:1]
	}
	targets := make([]target, 0, len(steps))
	for i, s := range steps {
		t := target{channel: s.Channel, raw: ways[s.Channel], pointer: "/to/" + escapePointer.Replace(string(s.Channel))}
		if out.kind == store.GroupFallback {
			t.hold, t.watch = i > 0, s.WaitSeconds
		}
		targets = append(targets, t)
	}
	if len(targets) == 1 {
		out.kind = ""
	}
	return targets, pl.open(ctx, targets, "")
}

// strays refuses channels that do not exist. Whether one is used depends on routes: a misspelt one might never be, and
// nobody would know.
func (pl *planner) strays(ctx context.Context, ways map[message.Channel]string) error {
	for _, ch := range slices.Sorted(maps.Keys(ways)) {
		_, known, err := pl.in.Providers.Channel(ctx, ch)
		if err != nil {
			return unavailable(err)
		}
		if known {
			continue
		}
		accounts, err := pl.in.Config.Accounts(ctx, ch)
		if err != nil {
			return unavailable(err)
		}
		if len(accounts) == 0 {
			pl.noChannel("/to/"+escapePointer.Replace(string(ch)), ch)
		}
	}
	return pl.f.err()
}

func (pl *planner) noChannel(at string, ch message.Channel) {
	pl.f.add(at, problem.UnknownChannel, "there is no channel %s", quoted(string(ch)))
}

// escapePointer is RFC 6901 §3.
var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

// open refuses channels that no account serves, or none that could carry this template: never a 202 that
// goes nowhere. A test key sends nothing, so it may name any channel.
func (pl *planner) open(ctx context.Context, targets []target, pointer string) error {
	seen := map[message.Channel]provider.Channel{}
	for i, t := range targets {
		if info, ok := seen[t.channel]; ok {
			targets[i].info = info
			continue
		}
		info, known, err := pl.in.Providers.Channel(ctx, t.channel)
		if err != nil {
			return unavailable(err)
		}
		seen[t.channel], targets[i].info = info, info
		accounts, err := pl.in.Config.Accounts(ctx, t.channel)
		if err != nil {
			return unavailable(err)
		}
		at := pointer
		if at == "" || pl.req.Channel == "" {
			at = t.pointer
		}
		if pl.req.Origin.Trial != "" {
			accounts = tried(accounts, pl.req.Origin.Trial)
		}
		bars, err := pl.bars(ctx, accounts)
		if err != nil {
			return unavailable(err)
		}
		on, able := false, false
		for _, a := range accounts {
			on = on || !a.Off
			able = able || !a.Off && bars[a.Name] == ""
		}
		pl.idle[t.channel] = !on
		switch {
		case len(accounts) == 0 && !known:
			pl.noChannel(at, t.channel)
		case !on && pl.p.Live:
			pl.f.add(at, problem.ChannelOff, "channel %s has no account that is switched on; an operator adds one", t.channel)
		case on && !able && pl.p.Live:
			pl.barred(t.channel, accounts, bars)
		}
	}
	return pl.f.err()
}

// tried is the account that is tested, as if it were on.
func tried(accounts []config.Account, name string) []config.Account {
	for _, a := range accounts {
		if a.Name == name {
			a.Off = false
			return []config.Account{a}
		}
	}
	return nil
}

// bars says which accounts cannot carry the request's content.
func (pl *planner) bars(ctx context.Context, accounts []config.Account) (map[string]config.Bar, error) {
	return config.Bars(ctx, accounts, pl.in.Providers.Get, pl.ref, pl.in.Config.Bindings)
}

// barred reports a channel that only accounts serve which cannot carry the content.
func (pl *planner) barred(ch message.Channel, accounts []config.Account, bars map[string]config.Bar) {
	var names []string
	for _, a := range accounts {
		switch bar := bars[a.Name]; {
		case a.Off:
		case bar == config.Rejected:
			names = append(names, a.Name+" (its vendor's template was rejected)")
		default:
			names = append(names, a.Name)
		}
	}
	list := strings.Join(names, ", ")
	if pl.req.Content != nil {
		pl.f.add("/content", problem.ContentRefused, "the accounts of channel %s send only templates that their vendor has approved: %s; send a template that is bound", ch, list)
		return
	}
	r := pl.ref
	pl.f.add("/template", problem.NotBound, "version %d of template %s/%s is bound over no account of channel %s: an operator binds it over one of %s, with PUT /v1/templates/%s/%s/versions/%d/bindings/{account}",
		r.Version, r.Tenant, r.Name, ch, list, r.Tenant, r.Name, r.Version)
}

func (pl *planner) subject(ch message.Channel, region string) route.Subject {
	return route.Subject{Tenant: pl.sender.Name, TemplateTenant: pl.ref.Tenant, Template: pl.ref.Name,
		Class: pl.class, Channel: ch, Region: region}
}
