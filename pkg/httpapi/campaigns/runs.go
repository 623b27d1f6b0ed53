package campaigns

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/campaign"
	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// Runs is what /v1/campaigns needs.
type Runs interface {
	Create(ctx context.Context, p tenant.Principal, o campaign.Campaign, key string) (campaign.Run, error)
	Runs(ctx context.Context, p tenant.Principal, of, schedule string, limit int, after string) ([]campaign.Run, string, error)
	Run(ctx context.Context, p tenant.Principal, id string) (campaign.Run, error)
	SendRun(ctx context.Context, p tenant.Principal, id, why string) (campaign.Run, error)
	PauseRun(ctx context.Context, p tenant.Principal, id, why string) (campaign.Run, error)
	ResumeRun(ctx context.Context, p tenant.Principal, id, why string) (campaign.Run, error)
	CancelRun(ctx context.Context, p tenant.Principal, id, why string) (campaign.Run, error)
	ResendFailures(ctx context.Context, p tenant.Principal, id, why, key string) (campaign.Run, error)
	Failures(ctx context.Context, p tenant.Principal, id string) (campaign.Failed, error)
	BadRows(ctx context.Context, p tenant.Principal, id, after string) (columns []string, rows []campaign.BadRow, next string, err error)
}

// CreateCampaign orders a campaign.
type CreateCampaign struct {
	Tenant string `json:"tenant,omitzero" doc:"Who sends. Only operators' keys may name another tenant than their own."`
	Title  string `json:"title,omitzero" doc:"For people." maxLength:"100"`
	Content
	Audience  Audience `json:"audience"`
	PerSecond int      `json:"per_second,omitzero" doc:"Messages a second at most; what the accounts take without it." minimum:"1"`
	Send      bool     `json:"send,omitzero" doc:"Send at once. Without it the audience is checked and weighed, and POST …/send lets it go."`
	Reason    string   `json:"reason,omitzero" maxLength:"200"`
}

// Run is a campaign, or a run of a schedule: what is sent to whom, and how far it is.
type Run struct {
	ID       string     `json:"id" example:"run_4c0f7f26b56ecc27decaec25"`
	URL      string     `json:"url"`
	Tenant   string     `json:"tenant"`
	Title    string     `json:"title,omitzero"`
	Schedule string     `json:"schedule,omitzero" doc:"Whose run it is; absent of a campaign."`
	External bool       `json:"external,omitzero" doc:"Of a schedule that somebody made with AWS tools."`
	DueAt    *time.Time `json:"due_at,omitzero"`
	Date     string     `json:"run_date,omitzero" doc:"Of a schedule's run: {run_date} of its source."`
	Late     string     `json:"late,omitzero" doc:"Why it began late."`
	Content
	Class    message.Class  `json:"class,omitzero" enum:"otp,transactional,marketing"`
	Audience AudienceSource `json:"audience"`
	State    string         `json:"state" enum:"reading,weighing,waiting,sending,done,paused,stopping,stopped,failed" doc:"waiting: for POST …/send."`
	Fault    string         `json:"fault,omitzero" doc:"Why it failed, is paused, or tries a page again."`
	Rows     Rows           `json:"rows" doc:"The audience, as it was read."`
	Dry      *Dry           `json:"dry_run,omitzero" doc:"What would become of it; of a campaign that was weighed."`
	Made     Made           `json:"made" doc:"What became of its rows so far."`
	Messages Messages       `json:"messages" doc:"Where its messages stand."`

	PerSecond     float64 `json:"per_second,omitzero" doc:"How fast messages went out so far."`
	PerSecondMost int     `json:"per_second_most,omitzero" doc:"As it was ordered."`
	SecondsLeft   int     `json:"seconds_left,omitzero" doc:"How long the rest takes at that."`

	Author     string     `json:"author" doc:"Who ordered it."`
	Reason     string     `json:"reason,omitzero"`
	Owner      string     `json:"owner,omitzero" doc:"Whom to call."`
	CreatedAt  time.Time  `json:"created_at"`
	StartedAt  *time.Time `json:"started_at,omitzero"`
	ExpandedAt *time.Time `json:"expanded_at,omitzero" doc:"When every row was a message."`
	FinishedAt *time.Time `json:"finished_at,omitzero" doc:"When none of its messages was on its way any more."`
	Steps      []RunStep  `json:"steps,omitzero" doc:"Who steered it, the newest last."`
}

// Rows counts an audience.
type Rows struct {
	Total   int64 `json:"total"`
	Bad     int64 `json:"bad" doc:"Nothing can be sent to; see …/rows."`
	Repeats int64 `json:"repeats" doc:"Rows whose recipient had a row before: he gets one message."`
}

// Dry is what a dry run counted.
type Dry struct {
	Valid      int64              `json:"valid" doc:"Would be sent: a recipient with several rows is one."`
	Suppressed int64              `json:"suppressed"`
	Capped     int64              `json:"capped"`
	Duplicate  int64              `json:"duplicate" doc:"Equal content went to the recipient a short time ago."`
	Segments   int64              `json:"segments,omitzero" doc:"Of SMS."`
	Cost       map[string]float64 `json:"cost,omitzero" doc:"By currency, where the accounts have prices."`
	Minutes    float64            `json:"minutes,omitzero" doc:"How long it would take at the accounts' limits, where they have some."`
}

// Made counts what became of rows.
type Made struct {
	Made       int64 `json:"made"`
	Suppressed int64 `json:"suppressed"`
	Duplicate  int64 `json:"duplicate"`
	Repeated   int64 `json:"repeated"`
	Refused    int64 `json:"refused"`
	Cancelled  int64 `json:"cancelled,omitzero" doc:"By a stop."`
}

// Messages counts a run's messages.
type Messages struct {
	AsOf     *time.Time       `json:"as_of,omitzero" doc:"They are counted every few seconds while it sends, later ever less often, for three days."`
	ByStatus map[string]int64 `json:"by_status"`
}

// RunStep is an operator's word.
type RunStep struct {
	At     time.Time `json:"at"`
	To     string    `json:"to"`
	By     string    `json:"by"`
	Reason string    `json:"reason,omitzero"`
}

// RunList is a page of runs, the newest first.
type RunList struct {
	Items []Run  `json:"items"`
	Next  string `json:"next,omitzero" doc:"Send it as after to go on; absent at the end."`
}

func runOf(r campaign.Run) Run {
	n := r.Counts
	out := Run{ID: r.ID, URL: "/v1/campaigns/" + r.ID, Tenant: r.Tenant, Title: r.Title, Schedule: r.Schedule, External: r.External, DueAt: at(r.Spec.Due), Date: r.Date, Late: r.Late,
		Content: contentOf(r.Content), Class: r.Class, Audience: sourceOf(r.Audience), State: r.State, Fault: r.Fault,
		Rows:     Rows{n["rows"], n["bad"], n["repeats"]},
		Made:     Made{n["made"], n["suppressed"], n["duplicate"], n["repeated"], n["refused"], n["cancelled"]},
		Messages: Messages{at(r.Surveyed), map[string]int64{}}, PerSecond: r.PerSecond, PerSecondMost: r.Rate, SecondsLeft: int(r.Left.Seconds()),
		Author: r.Author, Reason: r.Reason, Owner: r.Owner, CreatedAt: r.Created.Std(), StartedAt: at(r.Started), ExpandedAt: at(r.Expanded), FinishedAt: at(max(r.Ended, r.Finished))}
	for s, k := range r.Statuses {
		out.Messages.ByStatus[string(s)] = k
	}
	for _, s := range r.Steps {
		out.Steps = append(out.Steps, RunStep{s.At.Std(), string(s.To), s.By, s.Why})
	}
	out.Dry = dryOf(r)
	return out
}

func dryOf(r campaign.Run) *Dry {
	n := r.Counts
	d := &Dry{n["weighed_valid"], n["weighed_suppressed"], n["weighed_capped"], n["weighed_duplicate"], n["weighed_segments"], nil, r.Minutes}
	if !r.Ask || r.State == "reading" {
		return nil
	}
	for name, micro := range n {
		if currency, ok := strings.CutPrefix(name, "weighed_cost_"); ok && micro > 0 {
			if d.Cost == nil {
				d.Cost = map[string]float64{}
			}
			d.Cost[currency] = float64(micro) / 1e6
		}
	}
	return d
}

func runsOf(list []campaign.Run, next string, err error) (*RunList, error) {
	if err != nil {
		return nil, err
	}
	out := &RunList{make([]Run, len(list)), next}
	for i, r := range list {
		out.Items[i] = runOf(r)
	}
	return out, nil
}

var keyHeader = httpapi.Param{Name: httpapi.KeyHeader, Description: "The same key is the same campaign; one that ordered another is refused."}

func campaigns(s Runs) []httpapi.Endpoint {
	create := op(http.MethodPost, "campaigns", "createCampaign", "Order a campaign: it is checked and weighed, and waits for a word", tenant.Send,
		problem.KeyReused, problem.UnknownTenant, problem.UnknownTemplate, problem.NotPublished, problem.NoVariant, problem.UnknownVariable, problem.BadAddress)
	create.Status, create.Headers = http.StatusAccepted, []httpapi.Param{keyHeader}
	create.Description = "Each row becomes a message of its own, through the same intake as POST /v1/messages: suppressions, dedup, limits. A recipient gets one message of a campaign, however many rows he has."
	list := op(http.MethodGet, "campaigns", "listCampaigns", "List the campaigns, the newest first", tenant.Read)
	list.Query = []httpapi.Param{{Name: "tenant", Description: "Only this tenant's."}, httpapi.LimitParam(), httpapi.AfterParam()}
	return []httpapi.Endpoint{
		httpapi.Route(create, func(ctx context.Context, c *httpapi.Call, r *CreateCampaign) (*Run, error) {
			key, err := c.IdempotencyKey()
			if err != nil {
				return nil, err
			}
			return one(runOf)(s.Create(ctx, c.Principal, campaign.Campaign{Tenant: of(c, r.Tenant), Title: r.Title, Content: r.Content.content(), Audience: r.Audience.draft(),
				PerSecond: r.PerSecond, Send: r.Send, Reason: r.Reason}, key))
		}),
		httpapi.Route(list, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*RunList, error) {
			limit, err := c.Limit()
			if err != nil {
				return nil, err
			}
			return runsOf(s.Runs(ctx, c.Principal, c.Query("tenant"), "", limit, c.Query("after")))
		}),
		httpapi.Route(op(http.MethodGet, "campaigns/{id}", "getCampaign", "Read a campaign, or a run of a schedule", tenant.Read, problem.NotFound),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*Run, error) {
				return one(runOf)(s.Run(ctx, c.Principal, c.Path("id")))
			}),
		steer(s, "send", "sendCampaign", "Let a campaign go that waits for a word", Runs.SendRun),
		steer(s, "pause", "pauseCampaign", "Keep a run from making more messages", Runs.PauseRun),
		steer(s, "resume", "resumeCampaign", "Let a paused run go on", Runs.ResumeRun),
		steer(s, "cancel", "cancelCampaign", "Stop a run for good, and take back what is not with a provider yet", Runs.CancelRun),
		resendFailures(s),
	}
}

func resendFailures(s Runs) httpapi.Endpoint {
	o := op(http.MethodPost, "campaigns/{id}/resend-failures", "resendFailures", "Order a campaign to those whose message failed, with the same content", tenant.Send, problem.NotFound, problem.NotAllowedNow)
	o.BodyOptional, o.Headers = true, []httpapi.Param{keyHeader}
	return httpapi.Route(o, func(ctx context.Context, c *httpapi.Call, w *Why) (*Run, error) {
		key, err := c.IdempotencyKey()
		if err != nil {
			return nil, err
		}
		return one(runOf)(s.ResendFailures(ctx, c.Principal, c.Path("id"), w.Reason, key))
	})
}
