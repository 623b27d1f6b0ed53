package operate

import (
	"context"
	"time"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/problem"
)

// SimulateRoute is a draft of a route.
type SimulateRoute struct {
	Name string `json:"name" doc:"The route that it would replace, or a new one."`
	RouteFields
}

// RouteSimulation is what a draft would have made of the last hour.
type RouteSimulation struct {
	From     time.Time     `json:"from"`
	To       time.Time     `json:"to"`
	Messages int           `json:"messages" doc:"How many were looked at."`
	Cut      bool          `json:"cut,omitzero" doc:"There were more than are looked at."`
	Changed  int           `json:"changed"`
	Moves    []RouteMove   `json:"moves" doc:"What changes alike, the most frequent first."`
	Examples []RouteChange `json:"examples" doc:"Some of the messages that change."`
}

// RouteFate is what the routes make of a message.
type RouteFate struct {
	Account string `json:"account,omitzero" doc:"The account that is tried first."`
	Held    string `json:"held,omitzero" doc:"Why it would not go out at once: quiet_hours, silenced."`
	Drop    bool   `json:"drop,omitzero" doc:"It ends as suppressed."`
	Route   string `json:"route,omitzero" doc:"The route that decides."`
}

// RouteMove is a change that some messages have in common.
type RouteMove struct {
	Before   RouteFate `json:"before"`
	After    RouteFate `json:"after"`
	Messages int       `json:"messages"`
}

// RouteChange is one message that changes.
type RouteChange struct {
	ID       message.ID `json:"id"`
	Tenant   string     `json:"tenant"`
	Template string     `json:"template,omitzero"`
	Before   RouteFate  `json:"before"`
	After    RouteFate  `json:"after"`
}

func simulationOf(s operate.Simulation) RouteSimulation {
	out := RouteSimulation{From: s.From.Std(), To: s.To.Std(), Messages: s.Messages, Cut: s.Cut, Changed: s.Changed,
		Moves: make([]RouteMove, 0, len(s.Moves)), Examples: make([]RouteChange, 0, len(s.Examples))}
	for _, m := range s.Moves {
		out.Moves = append(out.Moves, RouteMove{RouteFate(m.Before), RouteFate(m.After), m.Messages})
	}
	for _, m := range s.Examples {
		out.Examples = append(out.Examples, RouteChange{m.ID, m.Tenant, m.Template, RouteFate(m.Before), RouteFate(m.After)})
	}
	return out
}

func simulations(o Routes) []httpapi.Endpoint {
	simulate := op(post, "routes/simulate", "simulateRoute", "Play the last hour's messages through a draft", operators(), problem.UnknownChannel, problem.UnknownTenant)
	simulate.Description = "Nothing is written. It tells which account would have carried them and which would have been held; the channel that steps choose is not played again, because a request's other addresses are not kept."
	return []httpapi.Endpoint{httpapi.Route(simulate, func(ctx context.Context, c *httpapi.Call, r *SimulateRoute) (*RouteSimulation, error) {
		return one(simulationOf)(o.SimulateRoute(ctx, c.Principal, r.route(r.Name)))
	})}
}
