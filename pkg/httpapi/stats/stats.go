// Package stats mounts what the service counts: /v1/stats, /v1/alarms and /v1/refused.
package stats

import (
	"context"
	"net/http"
	"time"

	"github.com/opennotify/notify/pkg/alarm"
	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/refused"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/stats"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Stats is the use case.
type Stats interface {
	Read(ctx context.Context, p tenant.Principal, q stats.Query) (*stats.Answer, error)
	Throttles(ctx context.Context, p tenant.Principal, q stats.ThrottleQuery) (*stats.Ledger, error)
	Alarms(ctx context.Context, p tenant.Principal) ([]alarm.Alarm, error)
	Refused(ctx context.Context, p tenant.Principal, f stats.RefusedFilter) ([]store.Refusal, string, error)
}

// Figures is what was counted.
type Figures struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	AsOf   time.Time `json:"as_of" doc:"Counts come in for some seconds more."`
	Step   string    `json:"step" enum:"minute,hour,day"`
	By     string    `json:"by,omitzero" enum:"tenant,channel,account,template,status"`
	Total  Group     `json:"total"`
	Groups []Group   `json:"groups,omitzero" doc:"The largest first; with by only."`
	Other  *Group    `json:"other,omitzero" doc:"What is in none of the groups: beyond the top, or without such a value, as a message that no account has carried yet."`
}

// Group is the figures of one value, or of all.
type Group struct {
	Name string `json:"name,omitzero" doc:"A template's is tenant/name; free is free content, other are templates beyond what is told apart."`
	// Counts are by counter; one that is not there is 0.
	Counts   map[string]int64 `json:"counts" doc:"By counter, when it was reached: accepted, duplicate, refused, sent, delivered, undelivered, bounced, complained, failed, expired, suppressed, cancelled, simulated, throttled, retried, in_doubt, dead, redriven; called are calls to providers, pushed_back those that one refused as too many; tracked is what was sent over accounts that give receipts. One that is absent is 0."`
	Peaks    map[string]Peak  `json:"peaks,omitzero" doc:"The second with the most accepted, sent, throttled, called, pushed_back; with minutes, and where no more than one thing narrows the figures."`
	Failure  Rate             `json:"failure_rate" doc:"(failed + dead) / (sent + failed + dead)"`
	Delivery Rate             `json:"delivery_rate" doc:"delivered / tracked"`
	Points   []Point          `json:"points" doc:"Steps in which something was counted, in the order of time."`
}

// Point is the figures of one step.
type Point struct {
	At     time.Time        `json:"at" doc:"Its beginning."`
	Counts map[string]int64 `json:"counts"`
	Peaks  map[string]Peak  `json:"peaks,omitzero"`
}

// Peak is the second in which most was counted.
type Peak struct {
	At time.Time `json:"at"`
	N  int64     `json:"n"`
}

// Rate is a part of something.
type Rate struct {
	Value  float64 `json:"value" doc:"0 to 1."`
	Of     int64   `json:"of" doc:"How many it is a part of."`
	TooFew bool    `json:"too_few,omitzero" doc:"They are too few for the value to mean much."`
}

// RefusedList is a page, the newest first.
type RefusedList struct {
	Items []refused.Refused `json:"items"`
	Next  string            `json:"next,omitzero" doc:"Send it as after to go on; absent at the end."`
}

// Endpoints mounts all of it.
func Endpoints(s Stats) []httpapi.Endpoint {
	tags := []string{"stats"}
	figures := httpapi.Op{Method: http.MethodGet, Path: "/v1/stats", ID: "getStats", Tags: tags, Scope: tenant.Read, OrScope: tenant.Operate,
		Summary:     "Tell how much was sent, failed, was throttled: by time, tenant, channel, account, template",
		Description: "Minutes are kept 2 days, hours 60, days (of UTC) 400; days of a zone are made of hours. A key without operate is told of its own tenant. At most 750 points.",
		Query: []httpapi.Param{timeParam("from", "Inclusive; an hour, a day or 30 days ago without it, as the step is."), timeParam("to", "Exclusive; now without it."),
			{Name: "step", Description: "The length of a point; minute without it.", Enum: stats.Steps()},
			{Name: "zone", Description: "With step=day: whose days; UTC's without it.", Example: "Asia/Shanghai"},
			{Name: "by", Description: "What to tell apart; nothing without it.", Enum: stats.By()},
			{Name: "top", Description: "How many groups, the largest first; 10 without it.", Example: "10"},
			{Name: "tenant", Description: "Only this tenant's."}, {Name: "channel", Description: "Only of this channel."},
			{Name: "account", Description: "Only over this account."}, {Name: "template", Description: "Only of this template: tenant/name, or name with tenant."}},
		Codes: []problem.Code{problem.UnknownTenant, problem.UnknownChannel, problem.BadTime}}
	list := httpapi.Op{Method: http.MethodGet, Path: "/v1/refused", ID: "listRefused", Tags: tags, Scope: tenant.Read, OrScope: tenant.Operate,
		Summary:     "List the requests that were refused in the last 7 days, the newest first",
		Description: "For \"we called you and nothing came\". A batch of which items were refused is one of them, with its items' faults. Of many that are alike in one minute only some are listed; the counter refused has them all. A page may be short and not be the last: go on while there is a next.",
		Query: []httpapi.Param{{Name: "tenant", Description: "Only this tenant's."}, {Name: "code", Description: "Only with this code, of the request or of a value.", Example: "missing_variable"},
			{Name: "request", Description: "Only the one with this id, which its answer said.", Example: "req_01kbwersrwg91ydyhc5m2hbze9"},
			timeParam("from", "Inclusive."), timeParam("to", "Exclusive."), httpapi.LimitParam(), httpapi.AfterParam()},
		Codes: []problem.Code{problem.UnknownTenant, problem.BadTime}}
	return []httpapi.Endpoint{
		throttles(s),
		alarms(s),
		httpapi.Route(figures, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*Figures, error) {
			q := stats.Query{Step: c.Query("step"), Zone: c.Query("zone"), By: c.Query("by"), Tenant: c.Query("tenant"), Channel: c.Query("channel"), Account: c.Query("account"), Template: c.Query("template")}
			var err error
			if q.From, q.To, err = c.Span(); err != nil {
				return nil, err
			}
			if q.Top, err = c.Number("top", 0, 1, 1<<31-1); err != nil {
				return nil, err
			}
			a, err := s.Read(ctx, c.Principal, q)
			if err != nil {
				return nil, err
			}
			return figuresOf(a), nil
		}),
		httpapi.Route(list, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*RefusedList, error) {
			f := stats.RefusedFilter{Tenant: c.Query("tenant"), Code: c.Query("code"), Request: c.Query("request"), After: c.Query("after")}
			var err error
			if f.From, f.To, err = c.Span(); err != nil {
				return nil, err
			}
			if f.Limit, err = c.Limit(); err != nil {
				return nil, err
			}
			found, next, err := s.Refused(ctx, c.Principal, f)
			if err != nil {
				return nil, err
			}
			return &RefusedList{refused.Of(found), next}, nil
		}),
	}
}

func timeParam(name, says string) httpapi.Param {
	return httpapi.Param{Name: name, Description: says, Example: "2026-01-02T10:30:00Z"}
}

func figuresOf(a *stats.Answer) *Figures {
	out := &Figures{From: a.From.Std(), To: a.To.Std(), AsOf: a.AsOf.Std(), Step: a.Step, By: a.By, Total: groupOf(a.Total)}
	for _, g := range a.Groups {
		out.Groups = append(out.Groups, groupOf(g))
	}
	if a.Other != nil {
		g := groupOf(*a.Other)
		out.Other = &g
	}
	return out
}

func groupOf(g stats.Group) Group {
	out := Group{Name: g.Name, Counts: g.Counts, Peaks: peaksOf(g.Peaks), Failure: Rate(g.Failure), Delivery: Rate(g.Delivery), Points: make([]Point, len(g.Points))}
	for i, p := range g.Points {
		out.Points[i] = Point{p.At.Std(), p.Counts, peaksOf(p.Peaks)}
	}
	return out
}

func peaksOf(peaks map[string]stats.Peak) map[string]Peak {
	if len(peaks) == 0 {
		return nil
	}
	out := make(map[string]Peak, len(peaks))
	for name, p := range peaks {
		out[name] = Peak{p.At.Std(), p.N}
	}
	return out
}
