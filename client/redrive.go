package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// RedriveFilter says which dead messages are meant. What is empty does not narrow.
type RedriveFilter struct {
	Tenant   string    `json:"tenant,omitzero"`
	Channel  Channel   `json:"channel,omitzero"`
	Account  string    `json:"account,omitzero"`  // of the last attempt
	Template string    `json:"template,omitzero"` // tenant/name, or name with Tenant
	Reason   string    `json:"reason,omitzero"`   // why they died, as a dead letter says it
	From     time.Time `json:"from,omitzero"`     // inclusive: when they died
	To       time.Time `json:"to,omitzero"`       // exclusive
}

// RedriveRequest asks for a redrive.
type RedriveRequest struct {
	Filter RedriveFilter `json:"filter,omitzero"`
	DryRun bool          `json:"dry_run,omitzero"` // only count: CountRedrive sets it
	Rate   int           `json:"rate,omitzero"`    // messages a second at most, to 500; 50 without it
	Reason string        `json:"reason,omitzero"`  // why; a count needs none
}

// RedriveCount is what a redrive would do now.
type RedriveCount struct {
	Matched int             `json:"matched"`
	Expired int             `json:"expired"` // of those: too late, they stay dead
	Reasons []RedriveReason `json:"reasons"` // the most frequent first
	More    bool            `json:"more,omitzero"`
}

// RedriveReason is how many died of one.
type RedriveReason struct {
	Reason  string `json:"reason"`
	Matched int    `json:"matched"`
	Expired int    `json:"expired"`
}

// Redrive is a redrive and how far it is.
type Redrive struct {
	ID         string        `json:"id"`
	URL        string        `json:"url"`
	State      string        `json:"state"` // running, stopping, stopped, failed, done
	Filter     RedriveFilter `json:"filter"`
	Rate       int           `json:"rate"`
	Redriven   int64         `json:"redriven"`
	Expired    int64         `json:"expired"`
	Skipped    int64         `json:"skipped"` // somebody else was quicker
	Author     string        `json:"author"`
	Reason     string        `json:"reason"`
	Fault      string        `json:"fault,omitzero"`
	StoppedBy  string        `json:"stopped_by,omitzero"`
	StopReason string        `json:"stop_reason,omitzero"`
	CreatedAt  time.Time     `json:"created_at"`
	FinishedAt time.Time     `json:"finished_at,omitzero"`
}

// Ended tells whether nothing more is done.
func (r *Redrive) Ended() bool {
	return r.State == "done" || r.State == "stopped" || r.State == "failed"
}

// redriveAnswer is the one or the other.
type redriveAnswer struct {
	DryRun  *RedriveCount `json:"dry_run,omitzero"`
	Redrive *Redrive      `json:"redrive,omitzero"`
}

func (c *Client) redrive(ctx context.Context, r RedriveRequest) (redriveAnswer, error) {
	out := redriveAnswer{DryRun: &RedriveCount{}, Redrive: &Redrive{}}
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/dlq/redrive", body: r, repeat: r.DryRun}, &out)
	return out, err
}

// CountRedrive tells what a redrive would do.
func (c *Client) CountRedrive(ctx context.Context, f RedriveFilter) (*RedriveCount, error) {
	out, err := c.redrive(ctx, RedriveRequest{Filter: f, DryRun: true})
	return orNil(out.DryRun, err)
}

// StartRedrive tries many dead messages again. They keep their expiry.
func (c *Client) StartRedrive(ctx context.Context, r RedriveRequest) (*Redrive, error) {
	r.DryRun = false
	out, err := c.redrive(ctx, r)
	return orNil(out.Redrive, err)
}

// Redrive tells how far a redrive is.
func (c *Client) Redrive(ctx context.Context, id string) (*Redrive, error) {
	return get[Redrive](ctx, c, "/v1/redrives/"+url.PathEscape(id))
}

// RedrivePage is a page of redrives, the newest first.
type RedrivePage struct {
	Items []Redrive `json:"items"`
	Next  string    `json:"next,omitzero"`
}

// Redrives reads a page of them; after is Next of the page before.
func (c *Client) Redrives(ctx context.Context, limit int, after string) (*RedrivePage, error) {
	return get[RedrivePage](ctx, c, query("/v1/redrives", "limit", number(limit), "after", after))
}

// StopRedrive stops one before its next second.
func (c *Client) StopRedrive(ctx context.Context, id, reason string) (*Redrive, error) {
	out := &Redrive{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/redrives/" + url.PathEscape(id) + "/stop", body: why{reason}, repeat: true}, out)
	return orNil(out, err)
}
