package operate

import (
	"context"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/redrive"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Redrives is what redrives need of the use case.
type Redrives interface {
	Dead(ctx context.Context, p tenant.Principal, f redrive.Filter, day time.Time, limit int, after string) ([]*store.Record, string, error)
	Count(ctx context.Context, p tenant.Principal, f redrive.Filter) (redrive.Count, error)
	Start(ctx context.Context, p tenant.Principal, f redrive.Filter, rate int, why string) (store.Job, error)
	Get(ctx context.Context, p tenant.Principal, id string) (store.Job, error)
	List(ctx context.Context, p tenant.Principal, limit int, after string) ([]store.Job, string, error)
	Stop(ctx context.Context, p tenant.Principal, id, why string) (store.Job, error)
}

// DeadFilter says which dead messages are meant.
type DeadFilter struct {
	Tenant   string          `json:"tenant,omitzero"`
	Channel  message.Channel `json:"channel,omitzero"`
	Account  string          `json:"account,omitzero" doc:"Of the last attempt."`
	Template string          `json:"template,omitzero" doc:"tenant/name, or name with tenant."`
	Reason   string          `json:"reason,omitzero" doc:"Why they died, as a dead letter says it."`
	From     *time.Time      `json:"from,omitzero" doc:"Inclusive: when they died."`
	To       *time.Time      `json:"to,omitzero" doc:"Exclusive: when they died."`
}

// RedriveRequest asks for a redrive, or what it would do.
type RedriveRequest struct {
	Filter DeadFilter `json:"filter,omitzero" doc:"What is empty does not narrow: without a filter it is all of the last 7 days."`
	DryRun bool       `json:"dry_run,omitzero" doc:"Only count."`
	Rate   int        `json:"rate,omitzero" doc:"At most so many messages a second; 50 without it." minimum:"1" maximum:"500"`
	Reason string     `json:"reason,omitzero" doc:"Why: kept with each message and with the redrive, beside the key. A dry run needs none." maxLength:"200"`
}

// RedriveAnswer is the one or the other.
type RedriveAnswer struct {
	DryRun  *RedriveCount `json:"dry_run,omitzero"`
	Redrive *Redrive      `json:"redrive,omitzero"`
}

// RedriveCount is what a redrive would do now.
type RedriveCount struct {
	Matched int             `json:"matched"`
	Expired int             `json:"expired" doc:"Of those: they are too late, and stay dead."`
	Reasons []RedriveReason `json:"reasons" doc:"The most frequent first."`
	More    bool            `json:"more,omitzero" doc:"There are more than were counted."`
}

// RedriveReason is how many died of one.
type RedriveReason struct {
	Reason  string `json:"reason"`
	Matched int    `json:"matched"`
	Expired int    `json:"expired"`
}

// Redrive is a redrive and how far it is.
type Redrive struct {
	ID         string     `json:"id"`
	URL        string     `json:"url"`
	State      string     `json:"state" enum:"running,stopping,stopped,failed,done"`
	Filter     DeadFilter `json:"filter"`
	Rate       int        `json:"rate"`
	Redriven   int64      `json:"redriven" doc:"Tried again so far. After a crash it may be short; nothing is left out."`
	Expired    int64      `json:"expired" doc:"Too late: they stay dead."`
	Skipped    int64      `json:"skipped" doc:"Somebody else was quicker, another way of a fallback was, or the same was asked for anew."`
	Author     string     `json:"author"`
	Reason     string     `json:"reason"`
	Fault      string     `json:"fault,omitzero" doc:"Why it failed, or why a page is tried again."`
	StoppedBy  string     `json:"stopped_by,omitzero"`
	StopReason string     `json:"stop_reason,omitzero"`
	CreatedAt  time.Time  `json:"created_at"`
	FinishedAt *time.Time `json:"finished_at,omitzero"`
}

// RedriveList is a page of redrives, the newest first.
type RedriveList struct {
	Items []Redrive `json:"items"`
	Next  string    `json:"next,omitzero" doc:"Send it as after to go on; absent at the end."`
}

// StopRedrive says why.
type StopRedrive struct {
	Reason string `json:"reason,omitzero" maxLength:"200"`
}

func (f *DeadFilter) filter() redrive.Filter {
	return redrive.Filter{Tenant: f.Tenant, Channel: f.Channel, Account: f.Account, Template: f.Template, Reason: f.Reason,
		From: message.At(orZero(f.From)), To: message.At(orZero(f.To))}
}

func redriveOf(j store.Job) Redrive {
	var f redrive.Filter
	_ = json.Unmarshal(j.Spec, &f) // our own: what cannot be read is left out
	out := Redrive{ID: j.ID, URL: "/v1/redrives/" + j.ID, State: string(j.State), Rate: j.Rate,
		Filter:   DeadFilter{f.Tenant, f.Channel, f.Account, f.Template, f.Reason, at(f.From), at(f.To)},
		Redriven: j.Counts[redrive.Redriven], Expired: j.Counts[redrive.Expired], Skipped: j.Counts[redrive.Skipped],
		Author: j.Author, Reason: j.Reason, Fault: j.Fault, CreatedAt: j.Created.Std(), FinishedAt: at(j.Finished)}
	if n := len(j.Steps); n > 0 {
		out.StoppedBy, out.StopReason = j.Steps[n-1].By, j.Steps[n-1].Why
	}
	return out
}

func countOf(c redrive.Count) *RedriveCount {
	out := &RedriveCount{Matched: c.Matched, Expired: c.Expired, Reasons: make([]RedriveReason, len(c.Reasons)), More: c.More}
	for i, r := range c.Reasons {
		out.Reasons[i] = RedriveReason(r)
	}
	return out
}

// Redriving mounts the list of dead messages, and their redrives.
func Redriving(o Redrives) []httpapi.Endpoint {
	start := op(post, "dlq/redrive", "redriveDeadLetters", "Try many dead messages again, or count them", operators(), problem.UnknownTenant, problem.UnknownChannel, problem.BadTime)
	start.Instead = http.StatusAccepted
	start.Description = "They go through their lanes anew and keep their expiry. Count first: `dry_run` says how many there are, why they died, and how many are too late."
	list := op(get, "redrives", "listRedrives", "List redrives, the newest first", operators())
	list.Query = httpapi.PageParams()
	stop := op(post, "redrives/{id}/stop", "stopRedrive", "Stop a redrive before its next second", operators(), problem.NotFound, problem.NotAllowedNow)
	stop.BodyOptional = true
	for _, o := range []*httpapi.Op{&list, &stop} {
		o.Tags = []string{"dlq"}
	}
	read := op(get, "redrives/{id}", "getRedrive", "Tell how far a redrive is", operators(), problem.NotFound)
	read.Tags = []string{"dlq"}
	return []httpapi.Endpoint{
		listDead(o),
		httpapi.Route(start, func(ctx context.Context, c *httpapi.Call, r *RedriveRequest) (*RedriveAnswer, error) {
			if r.DryRun {
				n, err := o.Count(ctx, c.Principal, r.Filter.filter())
				if err != nil {
					return nil, err
				}
				return &RedriveAnswer{DryRun: countOf(n)}, nil
			}
			j, err := one(redriveOf)(o.Start(ctx, c.Principal, r.Filter.filter(), r.Rate, r.Reason))
			if err != nil {
				return nil, err
			}
			c.Instead()
			return &RedriveAnswer{Redrive: j}, nil
		}),
		httpapi.Route(list, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*RedriveList, error) {
			limit, err := c.Limit()
			if err != nil {
				return nil, err
			}
			page, next, err := o.List(ctx, c.Principal, limit, c.Query("after"))
			items, err := many(redriveOf)(page, err)
			return &RedriveList{items, next}, err
		}),
		httpapi.Route(read, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*Redrive, error) {
			return one(redriveOf)(o.Get(ctx, c.Principal, c.Path("id")))
		}),
		httpapi.Route(stop, func(ctx context.Context, c *httpapi.Call, r *StopRedrive) (*Redrive, error) {
			return one(redriveOf)(o.Stop(ctx, c.Principal, c.Path("id"), r.Reason))
		}),
	}
}
