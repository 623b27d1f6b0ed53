package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// CreateCampaignRequest orders one content to an audience, once.
type CreateCampaignRequest struct {
	// IdempotencyKey makes this request one campaign however often it is made; random without one.
	IdempotencyKey string `json:"-"`

	Tenant string `json:"tenant,omitzero"` // who sends; the key's own without it
	Title  string `json:"title,omitzero"`
	TimedContent
	Audience  Audience `json:"audience"`
	PerSecond int      `json:"per_second,omitzero"` // messages at most; what the accounts take without it
	Send      bool     `json:"send,omitzero"`       // at once; without it the audience is checked and weighed, and SendCampaign lets it go
	Reason    string   `json:"reason,omitzero"`
}

// RunState is what a run is at.
type RunState string

// The life of a run. A run that Waits has been checked and weighed: SendCampaign lets it go.
const (
	RunReading  RunState = "reading"
	RunWeighing RunState = "weighing"
	RunWaiting  RunState = "waiting"
	RunSending  RunState = "sending"
	RunDone     RunState = "done"
	RunPaused   RunState = "paused"
	RunStopping RunState = "stopping"
	RunStopped  RunState = "stopped"
	RunFailed   RunState = "failed"
)

// Ended tells whether a run makes no more messages, and none of those that it made is on its way.
func (s RunState) Ended() bool { return s == RunDone || s == RunStopped || s == RunFailed }

// Run is a campaign, or a run of a schedule: what is sent to whom, and how far it is.
type Run struct {
	ID       string    `json:"id"`
	URL      string    `json:"url"`
	Tenant   string    `json:"tenant"`
	Title    string    `json:"title,omitzero"`
	Schedule string    `json:"schedule,omitzero"` // whose run it is; "" of a campaign
	External bool      `json:"external,omitzero"` // of a schedule that somebody made with AWS tools
	DueAt    time.Time `json:"due_at,omitzero"`
	Date     string    `json:"run_date,omitzero"` // {run_date} of a schedule's run
	Late     string    `json:"late,omitzero"`     // why it began late
	TimedContent
	Class    Class          `json:"class,omitzero"`
	Audience AudienceSource `json:"audience"`
	State    RunState       `json:"state"`
	Fault    string         `json:"fault,omitzero"` // why it failed, is paused, or tries a page again
	Rows     RunRows        `json:"rows"`
	Dry      *DryRun        `json:"dry_run,omitzero"` // of a campaign that was weighed
	Made     RunMade        `json:"made"`
	Messages RunMessages    `json:"messages"`

	PerSecond     float64 `json:"per_second,omitzero"` // so far
	PerSecondMost int     `json:"per_second_most,omitzero"`
	SecondsLeft   int     `json:"seconds_left,omitzero"` // at that speed

	Author     string    `json:"author"`
	Reason     string    `json:"reason,omitzero"`
	Owner      string    `json:"owner,omitzero"` // whom to call
	CreatedAt  time.Time `json:"created_at"`
	StartedAt  time.Time `json:"started_at,omitzero"`
	ExpandedAt time.Time `json:"expanded_at,omitzero"` // when every row was a message
	FinishedAt time.Time `json:"finished_at,omitzero"` // when none of them was on its way any more
	Steps      []RunStep `json:"steps,omitzero"`       // who steered it, the newest last
}

// RunRows counts an audience, as it was read.
type RunRows struct {
	Total   int64 `json:"total"`
	Bad     int64 `json:"bad"`     // nothing can be sent to: see BadRows
	Repeats int64 `json:"repeats"` // whose recipient had a row before: he gets one message
}

// DryRun is what would become of an audience.
type DryRun struct {
	Valid      int64              `json:"valid"`
	Suppressed int64              `json:"suppressed"`
	Capped     int64              `json:"capped"`
	Duplicate  int64              `json:"duplicate"` // equal content went there a short time ago
	Segments   int64              `json:"segments,omitzero"`
	Cost       map[string]float64 `json:"cost,omitzero"`    // by currency, where the accounts have prices
	Minutes    float64            `json:"minutes,omitzero"` // at the accounts' limits, where they have some
}

// RunMade counts what became of rows so far.
type RunMade struct {
	Made       int64 `json:"made"`
	Suppressed int64 `json:"suppressed"`
	Duplicate  int64 `json:"duplicate"`
	Repeated   int64 `json:"repeated"`
	Refused    int64 `json:"refused"`
	Cancelled  int64 `json:"cancelled,omitzero"` // by a stop
}

// Rows is how many rows something became of.
func (m RunMade) Rows() int64 { return m.Made + m.Suppressed + m.Duplicate + m.Repeated + m.Refused }

// RunMessages counts a run's messages.
type RunMessages struct {
	AsOf     time.Time        `json:"as_of,omitzero"`
	ByStatus map[Status]int64 `json:"by_status"`
}

// RunStep is an operator's word.
type RunStep struct {
	At     time.Time `json:"at"`
	To     string    `json:"to"`
	By     string    `json:"by"`
	Reason string    `json:"reason,omitzero"`
}

// RunPage is a page of runs, the newest first.
type RunPage struct {
	Items []Run  `json:"items"`
	Next  string `json:"next,omitzero"`
}

// CreateCampaign orders a campaign.
func (c *Client) CreateCampaign(ctx context.Context, r CreateCampaignRequest) (*Run, error) {
	out := &Run{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/campaigns", body: r, key: keyOr(r.IdempotencyKey), repeat: true}, out)
	return orNil(out, err)
}

func campaignPath(id, verb string) string { return "/v1/campaigns/" + url.PathEscape(id) + verb }

// Campaign reads a campaign, or a run of a schedule.
func (c *Client) Campaign(ctx context.Context, id string) (*Run, error) {
	return get[Run](ctx, c, campaignPath(id, ""))
}

// Campaigns reads a page of a tenant's campaigns, the newest first: of all whom the key sees without a tenant. After is
// Next of the page before.
func (c *Client) Campaigns(ctx context.Context, tenant string, limit int, after string) (*RunPage, error) {
	return get[RunPage](ctx, c, query("/v1/campaigns", "tenant", tenant, "limit", number(limit), "after", after))
}

// AllCampaigns goes through a tenant's campaigns, the newest first. It ends with the first error.
func (c *Client) AllCampaigns(ctx context.Context, tenant string) iter.Seq2[*Run, error] {
	return runs(func(after string) (*RunPage, error) { return c.Campaigns(ctx, tenant, 0, after) })
}

func runs(read func(after string) (*RunPage, error)) iter.Seq2[*Run, error] {
	return pages("", func(after string) ([]Run, string, error) {
		page, err := read(after)
		if err != nil {
			return nil, "", err
		}
		return page.Items, page.Next, nil
	})
}

// SendCampaign lets a campaign go that waits for a word. Where its tenant wants a second person for so many
// recipients, it is not its author's to say: an Error with CodeNotAllowedNow.
func (c *Client) SendCampaign(ctx context.Context, id, reason string) (*Run, error) {
	return steered[Run](ctx, c, campaignPath(id, "/send"), reason)
}

// PauseCampaign keeps a run from making more messages.
func (c *Client) PauseCampaign(ctx context.Context, id, reason string) (*Run, error) {
	return steered[Run](ctx, c, campaignPath(id, "/pause"), reason)
}

// ResumeCampaign lets a paused run go on.
func (c *Client) ResumeCampaign(ctx context.Context, id, reason string) (*Run, error) {
	return steered[Run](ctx, c, campaignPath(id, "/resume"), reason)
}

// CancelCampaign stops a run for good, and takes back what is not with a provider yet.
func (c *Client) CancelCampaign(ctx context.Context, id, reason string) (*Run, error) {
	return steered[Run](ctx, c, campaignPath(id, "/cancel"), reason)
}

// ResendFailures orders a campaign to those whose message of a run failed, with the same content. It begins at
// once; asked for again when the answer is lost, it is the same campaign.
func (c *Client) ResendFailures(ctx context.Context, id, reason string) (*Run, error) {
	out := &Run{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: campaignPath(id, "/resend-failures"), body: why{reason}, key: keyOr(""), repeat: true}, out)
	return orNil(out, err)
}
