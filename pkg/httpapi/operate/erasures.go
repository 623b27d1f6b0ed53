package operate

import (
	"context"
	"net/http"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// Erasures is what /v1/erasures needs.
type Erasures interface {
	Erase(ctx context.Context, p tenant.Principal, t operate.Target, reason string) (operate.Versioned[operate.Erasure], error)
	Erasures(ctx context.Context, p tenant.Principal) ([]operate.Versioned[operate.Erasure], error)
}

// Erase names a recipient that is to be forgotten. It is in a body: an address in a URL ends in logs.
type Erase struct {
	Address string          `json:"address" example:"+8613800138000"`
	Channel message.Channel `json:"channel,omitzero" doc:"All channels with addresses of this kind without it."`
	Tenant  string          `json:"tenant,omitzero" doc:"All tenants without it."`
	Reason  string          `json:"reason" doc:"Why: it is kept with the erasure." maxLength:"200"`
}

// Erasure says what was erased.
type Erasure struct {
	Meta
	Address   string          `json:"address" doc:"Masked."`
	Channel   message.Channel `json:"channel,omitzero"`
	Tenant    string          `json:"tenant,omitzero"`
	Messages  int             `json:"messages" doc:"To whom they went and what they said is gone. That they were sent, when and with what end, stays."`
	Cancelled int             `json:"cancelled" doc:"Of these, those that were waiting."`
	Left      int             `json:"left" doc:"Those that were being sent just then: ask again in a minute."`
}

// ErasureList is all erasures, each with its latest figures.
type ErasureList struct {
	Items []Erasure `json:"items"`
}

func erasureOf(v operate.Versioned[operate.Erasure]) Erasure {
	e := v.Body
	return Erasure{metaOf(v.Meta), e.Address, e.Channel, e.Tenant, e.Messages, e.Cancelled, e.Left}
}

func erasures(o Erasures) []httpapi.Endpoint {
	add := op(post, "erasures", "eraseRecipient", "Forget a recipient: blank the address, variables and content of every message to it", admins(),
		problem.BadAddress, problem.UnknownChannel, problem.UnknownTenant)
	add.Description = "What waits is cancelled. Suppressions stay, so that nobody who opted out is written to again: they know the address by its hash. Lists that were uploaded are files of their own. The answer is kept as the proof."
	add.Status = http.StatusCreated
	return []httpapi.Endpoint{
		httpapi.Route(add, func(ctx context.Context, c *httpapi.Call, r *Erase) (*Erasure, error) {
			return one(erasureOf)(o.Erase(ctx, c.Principal, operate.Target{Address: r.Address, Channel: r.Channel, Tenant: r.Tenant}, r.Reason))
		}),
		httpapi.Route(op(get, "erasures", "listErasures", "List who was forgotten, why and by whom", admins()),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*ErasureList, error) {
				items, err := many(erasureOf)(o.Erasures(ctx, c.Principal))
				return &ErasureList{items}, err
			}),
	}
}
