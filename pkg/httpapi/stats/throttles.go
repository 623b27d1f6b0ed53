package stats

import (
	"context"
	"net/http"
	"time"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/stats"
	"github.com/opennotify/notify/pkg/tenant"
)

// Ledger tells when accounts were at their limits, and who held the quota.
type Ledger struct {
	From      time.Time  `json:"from"`
	To        time.Time  `json:"to"`
	Seconds   int        `json:"seconds" doc:"In how many seconds an account's messages were put off; all of them are summed up here."`
	PutOff    int64      `json:"put_off"`
	Refused   int64      `json:"refused_by_provider"`
	Tenants   []Holder   `json:"tenants" doc:"Who made the most calls in those seconds."`
	Templates []Holder   `json:"templates"`
	Waiting   []Holder   `json:"waiting" doc:"The tenants that had to wait most."`
	Items     []Throttle `json:"items" doc:"The newest seconds first."`
}

// Throttle is a second in which messages were put off that an account should have carried.
type Throttle struct {
	At        time.Time `json:"at"`
	Account   string    `json:"account"`
	Calls     int64     `json:"calls" doc:"That were made in it over the account."`
	PutOff    int64     `json:"put_off" doc:"Messages that had to wait: the account's limit was reached, or its provider said so. They used up no attempt."`
	Refused   int64     `json:"refused_by_provider,omitzero" doc:"Of the calls, how many the provider refused because there were too many."`
	Tenants   []Holder  `json:"tenants" doc:"Who made the most calls: at most five."`
	Templates []Holder  `json:"templates" doc:"tenant/name; free is free content."`
	Waiting   []Holder  `json:"waiting" doc:"Whose messages were put off."`
}

// Holder is a part of it.
type Holder struct {
	Name string `json:"name"`
	N    int64  `json:"n"`
}

func throttles(s Stats) httpapi.Endpoint {
	op := httpapi.Op{Method: http.MethodGet, Path: "/v1/stats/throttles", ID: "getThrottles", Tags: []string{"stats"}, Scope: tenant.Operate,
		Summary:     "Tell in which seconds accounts were at their limits or throttled, and which tenants and templates held the quota",
		Description: "The throttle ledger: one entry for each account and second in which messages were put off, kept 30 days. At most 6 hours at once.",
		Query: []httpapi.Param{timeParam("from", "Inclusive, to the minute; an hour ago without it."), timeParam("to", "Exclusive; now without it."),
			{Name: "account", Description: "Only of this account."}, {Name: "limit", Description: "How many seconds, 1 to 500; 100 without it.", Example: "100"}},
		Codes: []problem.Code{problem.BadTime}}
	return httpapi.Route(op, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*Ledger, error) {
		q := stats.ThrottleQuery{Account: c.Query("account")}
		var err error
		if q.From, q.To, err = c.Span(); err != nil {
			return nil, err
		}
		if q.Limit, err = c.Number("limit", 0, 1, 1<<31-1); err != nil {
			return nil, err
		}
		l, err := s.Throttles(ctx, c.Principal, q)
		if err != nil {
			return nil, err
		}
		out := &Ledger{From: l.From.Std(), To: l.To.Std(), Seconds: l.Seconds, PutOff: l.PutOff, Refused: l.Refused,
			Tenants: held(l.Tenants), Templates: held(l.Templates), Waiting: held(l.Waiting), Items: make([]Throttle, len(l.Items))}
		for i, t := range l.Items {
			out.Items[i] = Throttle{t.At.Std(), t.Account, t.Called, t.PutOff, t.Refused, held(t.Tenants), held(t.Templates), held(t.Waiting)}
		}
		return out, nil
	})
}

func held(list []stats.Holder) []Holder {
	out := make([]Holder, len(list))
	for i, h := range list {
		out[i] = Holder(h)
	}
	return out
}
