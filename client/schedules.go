package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// When says when: one of At, EveryMinutes and Cron.
type When struct {
	At           string    `json:"at,omitzero"` // once: RFC 3339, or 2026-03-31T09:00 on the Zone's clock
	EveryMinutes int       `json:"every_minutes,omitzero"`
	Cron         string    `json:"cron,omitzero"` // six fields as EventBridge has them: minutes hours day-of-month month day-of-week year
	Zone         string    `json:"zone,omitzero"` // IANA, of At and Cron; UTC without it
	Start        time.Time `json:"start,omitzero"`
	End          time.Time `json:"end,omitzero"`
}

// TimedContent is what a schedule or a campaign sends, but for what is each recipient's own.
type TimedContent struct {
	Template        string         `json:"template"`                  // name, or tenant/name
	TemplateVersion int            `json:"template_version,omitzero"` // the one that is published when it begins without it
	Channel         Channel        `json:"channel,omitzero"`          // of all; each row's, or what its address is for, without it
	Locale          string         `json:"locale,omitzero"`
	Vars            map[string]any `json:"vars,omitzero"` // of all; a row's own go before
	Reference       string         `json:"reference,omitzero"`
	TTLSeconds      int            `json:"ttl_seconds,omitzero"`
}

// Audience says where the recipients are: one of Rows, Upload, Path and URL.
type Audience struct {
	Rows       []AudienceRow   `json:"rows,omitzero"`   // at most 1,000
	Upload     string          `json:"upload,omitzero"` // id of UploadAudience
	Path       string          `json:"path,omitzero"`   // a file in the tenant's folder of sources; {run_date} is the run's day
	URL        string          `json:"url,omitzero"`    // the tenant's own system, asked page by page
	Generation int             `json:"secret_generation,omitzero"`
	Unchanged  bool            `json:"unchanged,omitzero"` // of a schedule that is changed: the one that it has stays
	Format     string          `json:"format,omitzero"`    // csv, jsonl
	Columns    AudienceColumns `json:"columns,omitzero"`
}

// AudienceRow is one recipient. It does not show itself when printed.
type AudienceRow struct {
	To      string         `json:"to"`
	Channel Channel        `json:"channel,omitzero"`
	Locale  string         `json:"locale,omitzero"`
	Vars    map[string]any `json:"vars,omitzero"`
}

// String hides the recipient.
func (AudienceRow) String() string { return redacted }

// GoString hides the recipient.
func (AudienceRow) GoString() string { return redacted }

// AudienceColumns are names of columns of a CSV file; what is left out is found by its name.
type AudienceColumns struct {
	To      string            `json:"to,omitzero"`
	Channel string            `json:"channel,omitzero"`
	Locale  string            `json:"locale,omitzero"`
	Vars    map[string]string `json:"vars,omitzero"` // columns by variable
}

// AudienceSource is where the recipients of a schedule or a run are, without them.
type AudienceSource struct {
	Kind       string           `json:"kind"`           // rows, path, url, failures
	Count      int              `json:"count,omitzero"` // where that is known without reading
	Path       string           `json:"path,omitzero"`
	URL        string           `json:"url,omitzero"`
	Generation int              `json:"secret_generation,omitzero"`
	Run        string           `json:"run,omitzero"` // whose failures
	Format     string           `json:"format,omitzero"`
	Columns    *AudienceColumns `json:"columns,omitzero"`
}

// Schedule is a timed send, once or again and again.
type Schedule struct {
	Tenant string `json:"tenant"`
	Name   string `json:"name"`
	Title  string `json:"title,omitzero"`
	When
	TimedContent
	Class       Class          `json:"class,omitzero"`
	Audience    AudienceSource `json:"audience"`
	LateMinutes int            `json:"late_minutes,omitzero"`
	Paused      bool           `json:"paused,omitzero"`
	External    bool           `json:"external,omitzero"` // made with AWS tools, and steered with them
	Owner       string         `json:"owner,omitzero"`
	Next        []time.Time    `json:"next"` // at most five
	Meta
}

// PutScheduleRequest makes or changes a schedule; what is left out is empty afterwards.
type PutScheduleRequest struct {
	Title string `json:"title,omitzero"`
	When
	TimedContent
	Audience    Audience `json:"audience"`
	LateMinutes int      `json:"late_minutes,omitzero"` // how late a run may begin; 60 without it
	Version     int64    `json:"version,omitzero"`      // the one that you read; 0 makes a new schedule
	Reason      string   `json:"reason,omitzero"`
}

func schedulePath(tenant, name, verb string) string {
	return "/v1/schedules/" + url.PathEscape(tenant) + "/" + url.PathEscape(name) + verb
}

// Schedules lists the schedules that the key may know of, those too that somebody made with AWS tools; of
// one tenant, or all of "".
func (c *Client) Schedules(ctx context.Context, tenant string) ([]Schedule, error) {
	return listOf[Schedule](ctx, c, query("/v1/schedules", "tenant", tenant))
}

// Schedule reads one.
func (c *Client) Schedule(ctx context.Context, tenant, name string) (*Schedule, error) {
	return get[Schedule](ctx, c, schedulePath(tenant, name, ""))
}

// ScheduleHistory lists a schedule's versions, the newest first.
func (c *Client) ScheduleHistory(ctx context.Context, tenant, name string) ([]Schedule, error) {
	return listOf[Schedule](ctx, c, schedulePath(tenant, name, "/history"))
}

// PreviewSchedule says when a schedule would be due next, before it is saved.
func (c *Client) PreviewSchedule(ctx context.Context, w When) ([]time.Time, error) {
	var out struct {
		Next []time.Time `json:"next"`
	}
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/schedules/preview", body: w, repeat: true}, &out)
	return out.Next, err
}

// PutSchedule makes or changes a schedule. When somebody else changed it since Version was read, it is an
// Error with CodeConflict.
func (c *Client) PutSchedule(ctx context.Context, tenant, name string, r PutScheduleRequest) (*Schedule, error) {
	out := &Schedule{}
	_, err := c.do(ctx, call{method: http.MethodPut, path: schedulePath(tenant, name, ""), body: r}, out)
	return orNil(out, err)
}

// DeleteSchedule cancels a schedule, and stops the runs that it has under way; version 0 is any.
func (c *Client) DeleteSchedule(ctx context.Context, tenant, name string, version int64, reason string) error {
	_, err := c.do(ctx, call{method: http.MethodDelete, path: query(schedulePath(tenant, name, ""), "version", number(int(version)), "reason", reason)}, nil)
	return err
}

// PauseSchedule keeps a schedule from starting runs; runs that go on, go on.
func (c *Client) PauseSchedule(ctx context.Context, tenant, name, reason string) (*Schedule, error) {
	return steered[Schedule](ctx, c, schedulePath(tenant, name, "/pause"), reason)
}

// ResumeSchedule lets a paused schedule start runs again.
func (c *Client) ResumeSchedule(ctx context.Context, tenant, name, reason string) (*Schedule, error) {
	return steered[Schedule](ctx, c, schedulePath(tenant, name, "/resume"), reason)
}

// RunSchedule starts a run now, whatever the time. It is not tried again when its answer is lost: look at
// ScheduleRuns then.
func (c *Client) RunSchedule(ctx context.Context, tenant, name string, r RunNow) (*Run, error) {
	out := &Run{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: schedulePath(tenant, name, "/run"), body: r}, out)
	return orNil(out, err)
}

// RunNow is how a run is started by hand.
type RunNow struct {
	Date   string `json:"run_date,omitzero"` // {run_date} of it, as 2026-03-31; today in the schedule's zone without it
	Reason string `json:"reason,omitzero"`
}

// ScheduleRuns reads a page of a schedule's runs, the newest first; after is Next of the page before.
func (c *Client) ScheduleRuns(ctx context.Context, tenant, name string, limit int, after string) (*RunPage, error) {
	return get[RunPage](ctx, c, query(schedulePath(tenant, name, "/runs"), "limit", number(limit), "after", after))
}

// AllScheduleRuns goes through a schedule's runs, the newest first. It ends with the first error.
func (c *Client) AllScheduleRuns(ctx context.Context, tenant, name string) iter.Seq2[*Run, error] {
	return runs(func(after string) (*RunPage, error) { return c.ScheduleRuns(ctx, tenant, name, 0, after) })
}

// steered asks for what changes nothing when it is asked for twice.
func steered[T any](ctx context.Context, c *Client, path, reason string) (*T, error) {
	out := new(T)
	_, err := c.do(ctx, call{method: http.MethodPost, path: path, body: why{reason}, repeat: true}, out)
	return orNil(out, err)
}

// SourceSecret is what requests for a tenant's rows are signed with: see VerifyWebhook. The tenant may be
// "", which is the key's.
func (c *Client) SourceSecret(ctx context.Context, tenant string, generation int) (Key, error) {
	body := struct {
		Tenant     string `json:"tenant,omitzero"`
		Generation int    `json:"generation,omitzero"`
	}{tenant, generation}
	var out struct {
		Secret string `json:"secret"`
	}
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/audiences/secret", body: body, repeat: true}, &out)
	return Key(out.Secret), err
}
