package operate

import (
	"context"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// Hooks is what /v1/endpoints needs to be kept: where tenants are told what becomes of their messages.
type Hooks interface {
	Endpoints(ctx context.Context, p tenant.Principal, of string) ([]operate.Versioned[config.Endpoint], error)
	Endpoint(ctx context.Context, p tenant.Principal, owner, name string) (operate.Versioned[config.Endpoint], error)
	EndpointHistory(ctx context.Context, p tenant.Principal, owner, name string) ([]operate.Versioned[config.Endpoint], error)
	PutEndpoint(ctx context.Context, p tenant.Principal, r operate.EndpointRequest, c operate.Change) (operate.EndpointSecret, error)
	RotateEndpoint(ctx context.Context, p tenant.Principal, owner, name string, both time.Duration, c operate.Change) (operate.EndpointSecret, error)
	DeleteEndpoint(ctx context.Context, p tenant.Principal, owner, name string, c operate.Change) error
}

// EndpointFields are what can be changed of an endpoint.
type EndpointFields struct {
	URL    string           `json:"url,omitzero" doc:"Where callbacks are posted, https." example:"https://shop.example.com/notify"`
	Until  *time.Time       `json:"until,omitzero" doc:"In place of a url: callbacks are kept to be read until then, at most 24 hours ahead."`
	Events []message.Status `json:"events,omitzero" doc:"The statuses that it is told of; without it all in which a message ends. sent and in_doubt can be named too."`
	Off    bool             `json:"off,omitzero" doc:"Nothing is sent to it. Callbacks that are on their way are cancelled; resend them later."`
}

// Endpoint is where a tenant is told what becomes of its messages.
type Endpoint struct {
	Tenant string `json:"tenant"`
	Name   string `json:"name"`
	EndpointFields
	OffWhy    string     `json:"off_why,omitzero" enum:"by_hand,gone,failing" doc:"gone: it answered 410. failing: it did nothing but fail for 5 days."`
	Since     time.Time  `json:"since" doc:"Since when it is on, or off, at this url."`
	BothUntil *time.Time `json:"both_until,omitzero" doc:"Until when the secret before the present one signs, too."`
	Meta
}

// EndpointList is endpoints by tenant and name, or the history of one.
type EndpointList struct {
	Items []Endpoint `json:"items"`
}

// PutEndpoint makes or changes an endpoint; what is left out is empty afterwards.
type PutEndpoint struct {
	EndpointFields
	ChangeFields
}

// RotateEndpoint asks for a new secret.
type RotateEndpoint struct {
	BothSeconds *int `json:"both_seconds,omitzero" doc:"How long the old secret signs, too: 24 hours without it, at most 7 days." minimum:"0" maximum:"604800"`
	ChangeFields
}

// EndpointSecret is an endpoint with its new secret, this once.
type EndpointSecret struct {
	Endpoint
	Secret string `json:"secret,omitzero" doc:"What callbacks are signed with, as Standard Webhooks has it. It is shown this once, where it was just made: store it now."`
}

func endpointOf(v operate.Versioned[config.Endpoint]) Endpoint {
	e := v.Body
	return Endpoint{e.Tenant, e.Name, EndpointFields{e.URL, at(e.Until), e.Events, e.Off}, e.Why, e.Since.Std(), at(e.Both), metaOf(v.Meta)}
}

func endpointSecretOf(v operate.EndpointSecret) EndpointSecret {
	return EndpointSecret{endpointOf(v.Versioned), string(v.Secret)}
}

func hooks(o Hooks) []httpapi.Endpoint {
	const path = "endpoints/{tenant}/{name}"
	const theirs = "A key with the scopes send and read does this for its own tenant; one that operates for all."
	list := op(get, "endpoints", "listEndpoints", "List the endpoints that tenants are told at", readers())
	list.Query = []httpapi.Param{{Name: "tenant", Description: "Only this tenant's."}}
	change := op(put, path, "putEndpoint", "Make or change an endpoint; the secret of a new one is answered this once", readers(), problem.NotFound, problem.Conflict, problem.NotAllowedNow,
		problem.BadAddress, problem.BadTime, problem.ChannelOff, problem.UnknownTenant)
	change = making(change)
	change.Description = "A tenant has at most 5. Messages that are accepted from then on, elsewhere within 30 seconds, are told. " + theirs
	rotate := op(post, path+"/rotate", "rotateEndpoint", "Give an endpoint a new secret, answered this once; the old one signs too, for a time", readers(), problem.NotFound, problem.Conflict, problem.NotAllowedNow)
	rotate.Description = "The new secret signs within 5 minutes. " + theirs
	del := op(remove, path, "deleteEndpoint", "Delete an endpoint and its secret", readers(), problem.NotFound, problem.Conflict)
	del.Description, del.Query = theirs, []httpapi.Param{versionParam, reasonParam}
	return []httpapi.Endpoint{
		httpapi.Route(list, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*EndpointList, error) {
			items, err := many(endpointOf)(o.Endpoints(ctx, c.Principal, c.Query("tenant")))
			return &EndpointList{items}, err
		}),
		httpapi.Route(op(get, path, "getEndpoint", "Read an endpoint", readers(), problem.NotFound),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*Endpoint, error) {
				return one(endpointOf)(o.Endpoint(ctx, c.Principal, c.Path("tenant"), c.Path("name")))
			}),
		httpapi.Route(op(get, path+"/history", "listEndpointHistory", "List an endpoint's versions, the newest first", readers(), problem.NotFound),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*EndpointList, error) {
				items, err := many(endpointOf)(o.EndpointHistory(ctx, c.Principal, c.Path("tenant"), c.Path("name")))
				return &EndpointList{items}, err
			}),
		httpapi.Route(change, func(ctx context.Context, c *httpapi.Call, r *PutEndpoint) (*EndpointSecret, error) {
			v, err := o.PutEndpoint(ctx, c.Principal, operate.EndpointRequest{Tenant: c.Path("tenant"), Name: c.Path("name"), URL: r.URL,
				Until: orZero(r.Until), Events: r.Events, Off: r.Off}, r.change())
			made(c, r.Version, err)
			return one(endpointSecretOf)(v, err)
		}),
		httpapi.Route(rotate, func(ctx context.Context, c *httpapi.Call, r *RotateEndpoint) (*EndpointSecret, error) {
			both := operate.DefaultBoth
			if r.BothSeconds != nil {
				both = time.Duration(min(max(*r.BothSeconds, -1), 1<<30)) * time.Second
			}
			return one(endpointSecretOf)(o.RotateEndpoint(ctx, c.Principal, c.Path("tenant"), c.Path("name"), both, r.change()))
		}),
		httpapi.Route(del, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*struct{}, error) {
			change, err := changeOf(c)
			if err == nil {
				err = o.DeleteEndpoint(ctx, c.Principal, c.Path("tenant"), c.Path("name"), change)
			}
			return nil, err
		}),
	}
}
