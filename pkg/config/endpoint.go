package config

import (
	"context"
	"slices"
	"strings"

	"github.com/opennotify/notify/pkg/message"
)

// Endpoint is where a tenant is told what becomes of its messages.
type Endpoint struct {
	Name   string `json:"name"`
	Tenant string `json:"tenant"`
	// URL is where callbacks are posted. One without is read instead of called: its callbacks are kept for
	// whoever asks, until Until.
	URL   string       `json:"url,omitzero"`
	Until message.Time `json:"until,omitzero"`
	// Events are the statuses that it is told of; none are all terminal ones.
	Events []message.Status `json:"events,omitzero"`
	// Off tells that nothing is sent to it, Why as a code, and Since when it is on or off.
	Off   bool         `json:"off,omitzero"`
	Why   string       `json:"why,omitzero"`
	Since message.Time `json:"since,omitzero"`
	// Both is until when the secret before the present one signs, too.
	Both    message.Time `json:"both,omitzero"`
	Version int64        `json:"-"`
}

// Why an endpoint is off.
const (
	OffByHand  = "by_hand" // somebody switched it off
	OffGone    = "gone"    // it answered 410
	OffFailing = "failing" // nothing else than failures for days
)

// Live tells whether callbacks are made for it.
func (e *Endpoint) Live(now message.Time) bool { return !e.Off && !e.Over(now) }

// Over tells whether its time is: whoever read it is gone.
func (e *Endpoint) Over(now message.Time) bool { return e.Until != 0 && now >= e.Until }

// Tell is the statuses that it is told of.
func (e *Endpoint) Tell() message.Tell {
	if len(e.Events) == 0 {
		return message.TellEnds()
	}
	return message.TellOf(e.Events...)
}

// EndpointAccount names an endpoint among the accounts, whose names have no slash; in the vault too.
func EndpointAccount(tenant, name string) string { return endpointPrefix + tenant + "/" + name }

const endpointPrefix = "endpoint/"

// The fields of its secrets: those of the provider that calls it.
const (
	EndpointProvider = "webhook"
	EndpointSecret   = "secret"
	EndpointPrevious = "previous_secret"
)

// Account is the account that an endpoint's callbacks are sent over.
func (e *Endpoint) Account(now message.Time) Account {
	a := Account{Name: EndpointAccount(e.Tenant, e.Name), Provider: EndpointProvider, Channel: message.Webhook,
		Secrets: []string{EndpointSecret}, Version: e.Version}
	if now < e.Both {
		a.Secrets = append(a.Secrets, EndpointPrevious)
	}
	return a
}

// Endpoint reads an endpoint; false when there is none.
func (s *Source) Endpoint(ctx context.Context, tenant, name string) (Endpoint, bool, error) {
	snap, err := s.endpoints.get(ctx, s)
	e, ok := snap.byName[tenant+"/"+name]
	return e, ok, err
}

// Endpoints lists a tenant's endpoints by name, those that are off too.
func (s *Source) Endpoints(ctx context.Context, tenant string) ([]Endpoint, error) {
	snap, err := s.endpoints.get(ctx, s)
	if err != nil || len(snap.all) == 0 {
		return nil, err
	}
	prefix := tenant + "/" // documents come in the order of tenant/name
	from, _ := slices.BinarySearchFunc(snap.all, prefix, func(e Endpoint, p string) int {
		return strings.Compare(e.Tenant+"/"+e.Name, p)
	})
	to := from
	for to < len(snap.all) && snap.all[to].Tenant == tenant {
		to++
	}
	return snap.all[from:to:to], nil
}
