package operate

import (
	"context"
	"time"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/tenant"
)

// Routes is what /v1/routes needs.
type Routes interface {
	Routes(ctx context.Context, p tenant.Principal) ([]operate.Versioned[route.Route], error)
	Route(ctx context.Context, p tenant.Principal, name string) (operate.Versioned[route.Route], error)
	RouteHistory(ctx context.Context, p tenant.Principal, name string) ([]operate.Versioned[route.Route], error)
	PutRoute(ctx context.Context, p tenant.Principal, r route.Route, c operate.Change) (operate.Versioned[route.Route], error)
	UndoRoute(ctx context.Context, p tenant.Principal, name string, c operate.Change) (operate.Versioned[route.Route], error)
	DeleteRoute(ctx context.Context, p tenant.Principal, name string, c operate.Change) error
	SimulateRoute(ctx context.Context, p tenant.Principal, draft route.Route) (operate.Simulation, error)
}

// RouteFields are what can be changed of a route.
type RouteFields struct {
	Match        RouteMatch            `json:"match,omitzero" doc:"Which messages it is for. Of the routes that match, the one that says most decides."`
	Strategy     route.Strategy        `json:"strategy,omitzero" enum:"one,fallback,all" doc:"How the steps are used for one person."`
	Steps        []RouteStep           `json:"steps,omitzero" doc:"The channels for requests that name none."`
	Accounts     []RouteAccount        `json:"accounts,omitzero" doc:"Who carries a channel: in this order, or by weight if any is above 0. All are of one channel."`
	NoFailover   bool                  `json:"no_failover,omitzero" doc:"A message stays with the account that it was given first."`
	DedupSeconds int                   `json:"dedup_seconds,omitzero" doc:"How long equal content to one recipient is one message; -1 switches it off, 0 keeps the class's." minimum:"-1" maximum:"604800"`
	InDoubt      message.InDoubtPolicy `json:"in_doubt,omitzero" enum:"resend,await,give_up" doc:"What becomes of a message whose provider did not answer; without it the account, the provider and the class decide."`
	Quiet        *RouteQuiet           `json:"quiet,omitzero" doc:"Hours in which recipients are left alone: marketing, and the class that the route names."`
	Cap          *RouteCap             `json:"cap,omitzero" doc:"How many messages one recipient gets within a time."`
	Silence      *RouteSilence         `json:"silence,omitzero" doc:"Stops all that the route matches, until its end."`
}

// RouteQuiet is quiet hours.
type RouteQuiet struct {
	From string     `json:"from" example:"22:00"`
	To   string     `json:"to" doc:"The first minute that is not quiet." example:"08:00"`
	Zone string     `json:"zone" doc:"Whose hours they are, for recipients whose own zone their number does not tell." example:"Asia/Shanghai"`
	Mode route.Mode `json:"mode" enum:"hold,drop" doc:"hold waits until the end, drop ends the message as suppressed."`
}

// RouteCap is a frequency.
type RouteCap struct {
	Messages int        `json:"messages" minimum:"1" maximum:"100"`
	Seconds  int        `json:"seconds" minimum:"60" maximum:"2592000"`
	Mode     route.Mode `json:"mode" enum:"hold,drop"`
}

// RouteSilence is a stop with an end.
type RouteSilence struct {
	Until time.Time  `json:"until"`
	Mode  route.Mode `json:"mode" enum:"hold,drop"`
	Why   string     `json:"why" doc:"For those who ask where their messages are."`
}

// RouteMatch says which messages a route is for; what is left out matches all.
type RouteMatch struct {
	Tenant   string          `json:"tenant,omitzero"`
	Template string          `json:"template,omitzero" doc:"Name, or tenant/name."`
	Class    message.Class   `json:"class,omitzero" enum:"otp,transactional,marketing"`
	Channel  message.Channel `json:"channel,omitzero"`
	Region   string          `json:"region,omitzero" doc:"Of a phone number, ISO 3166-1."`
}

// RouteStep is one channel of a strategy.
type RouteStep struct {
	Channel     message.Channel `json:"channel"`
	WaitSeconds int             `json:"wait_seconds,omitzero" doc:"Of a fallback: how long after sent a receipt is waited for before the next step goes; 0: sent is enough."`
}

// RouteAccount is an account and its share.
type RouteAccount struct {
	Account string   `json:"account"`
	Weight  int      `json:"weight,omitzero" minimum:"0"`
	Regions []string `json:"regions,omitzero" doc:"Only phone numbers of these countries, ISO 3166-1."`
	Tenants []string `json:"tenants,omitzero" doc:"Only messages of these tenants."`
}

// Route is a strategy for the messages that match.
type Route struct {
	Name string `json:"name"`
	RouteFields
	Meta
}

// RouteList is all routes, or the history of one.
type RouteList struct {
	Items []Route `json:"items"`
}

// PutRoute makes or changes a route; what is left out is empty afterwards.
type PutRoute struct {
	RouteFields
	ChangeFields
}

func routeOf(v operate.Versioned[route.Route]) Route {
	r := v.Body
	return Route{Name: r.Name, RouteFields: fieldsOf(r), Meta: metaOf(v.Meta)}
}

func fieldsOf(r route.Route) RouteFields {
	out := RouteFields{Match: RouteMatch(r.Match), Strategy: r.Strategy, NoFailover: r.NoFailover, DedupSeconds: r.DedupSeconds, InDoubt: r.InDoubt,
		Quiet: (*RouteQuiet)(r.Quiet), Cap: (*RouteCap)(r.Cap)}
	if s := r.Silence; s != nil {
		out.Silence = &RouteSilence{Until: s.Until.Std(), Mode: s.Mode, Why: s.Why}
	}
	for _, s := range r.Steps {
		out.Steps = append(out.Steps, RouteStep(s))
	}
	for _, a := range r.Accounts {
		out.Accounts = append(out.Accounts, RouteAccount(a))
	}
	return out
}

func (f RouteFields) route(name string) route.Route {
	out := route.Route{Name: name, Match: route.Match(f.Match), Strategy: f.Strategy, NoFailover: f.NoFailover, DedupSeconds: f.DedupSeconds, InDoubt: f.InDoubt,
		Quiet: (*route.Quiet)(f.Quiet), Cap: (*route.Cap)(f.Cap)}
	if s := f.Silence; s != nil {
		out.Silence = &route.Silence{Until: message.At(s.Until), Mode: s.Mode, Why: s.Why}
	}
	for _, s := range f.Steps {
		out.Steps = append(out.Steps, route.Step(s))
	}
	for _, a := range f.Accounts {
		out.Accounts = append(out.Accounts, route.Weighted(a))
	}
	return out
}

func routes(o Routes) []httpapi.Endpoint {
	undo := op(post, "routes/{name}/undo", "undoRoute", "Restore the version before the newest, as a new one", operators(), problem.NotFound, problem.Conflict, problem.NotAllowedNow)
	undo.Description = "It undoes a change or a deletion; done twice it undoes itself."
	del := op(remove, "routes/{name}", "deleteRoute", "Delete a route", operators(), problem.NotFound, problem.Conflict)
	del.Query = []httpapi.Param{versionParam, reasonParam}
	return []httpapi.Endpoint{
		httpapi.Route(op(get, "routes", "listRoutes", "List the routes", operators()),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*RouteList, error) {
				items, err := many(routeOf)(o.Routes(ctx, c.Principal))
				return &RouteList{items}, err
			}),
		httpapi.Route(op(get, "routes/{name}", "getRoute", "Read a route", operators(), problem.NotFound),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*Route, error) {
				return one(routeOf)(o.Route(ctx, c.Principal, c.Path("name")))
			}),
		httpapi.Route(op(get, "routes/{name}/history", "listRouteHistory", "List a route's versions, the newest first", operators(), problem.NotFound),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*RouteList, error) {
				items, err := many(routeOf)(o.RouteHistory(ctx, c.Principal, c.Path("name")))
				return &RouteList{items}, err
			}),
		httpapi.Route(making(op(put, "routes/{name}", "putRoute", "Make or change a route", operators(), problem.Conflict, problem.UnknownChannel, problem.UnknownTenant)),
			func(ctx context.Context, c *httpapi.Call, r *PutRoute) (*Route, error) {
				v, err := o.PutRoute(ctx, c.Principal, r.route(c.Path("name")), r.change())
				made(c, r.Version, err)
				return one(routeOf)(v, err)
			}),
		httpapi.Route(undo, func(ctx context.Context, c *httpapi.Call, r *ChangeFields) (*Route, error) {
			return one(routeOf)(o.UndoRoute(ctx, c.Principal, c.Path("name"), r.change()))
		}),
		httpapi.Route(del, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*struct{}, error) {
			change, err := changeOf(c)
			if err == nil {
				err = o.DeleteRoute(ctx, c.Principal, c.Path("name"), change)
			}
			return nil, err
		}),
	}
}
