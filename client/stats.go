package client

import (
	"context"
	"iter"
	"strconv"
	"time"
)

// StatsRequest says which figures are asked for. What is empty does not narrow, or has a default.
type StatsRequest struct {
	From, To time.Time // an hour, a day or 30 days up to now, as Step is
	Step     string    // the length of a point: minute, hour or day; minute without it
	Zone     string    // with days: whose they are, as Asia/Shanghai; UTC's without it
	By       string    // what to tell apart: tenant, channel, account, template or status
	Top      int       // how many groups, the largest first; 10 without it
	Tenant   string
	Channel  Channel
	Account  string
	Template string // tenant/name, or name with Tenant
}

// Stats is what was counted.
type Stats struct {
	From   time.Time    `json:"from"`
	To     time.Time    `json:"to"`
	AsOf   time.Time    `json:"as_of"` // counts come in for some seconds more
	Step   string       `json:"step"`
	By     string       `json:"by,omitzero"`
	Total  StatsGroup   `json:"total"`
	Groups []StatsGroup `json:"groups,omitzero"`
	Other  *StatsGroup  `json:"other,omitzero"` // what is in none of the groups
}

// StatsGroup is the figures of one value, or of all.
type StatsGroup struct {
	Name string `json:"name,omitzero"`
	// Counts are by counter: accepted, duplicate, refused, sent, …; one that is absent is 0.
	Counts       map[string]int64     `json:"counts"`
	Peaks        map[string]StatsPeak `json:"peaks,omitzero"` // the second with the most accepted, sent, throttled
	FailureRate  StatsRate            `json:"failure_rate"`   // (failed + dead) / (sent + failed + dead)
	DeliveryRate StatsRate            `json:"delivery_rate"`  // of what was sent over accounts that give receipts
	Points       []StatsPoint         `json:"points"`         // steps in which something was counted
}

// StatsPoint is the figures of one step.
type StatsPoint struct {
	At     time.Time            `json:"at"`
	Counts map[string]int64     `json:"counts"`
	Peaks  map[string]StatsPeak `json:"peaks,omitzero"`
}

// StatsPeak is the second in which most was counted.
type StatsPeak struct {
	At time.Time `json:"at"`
	N  int64     `json:"n"`
}

// StatsRate is a part of something.
type StatsRate struct {
	Value  float64 `json:"value"` // 0 to 1
	Of     int64   `json:"of"`
	TooFew bool    `json:"too_few,omitzero"` // for the value to mean much
}

// Stats tells how much was sent, failed, was throttled. Without the scope operate it is the key's own tenant's.
func (c *Client) Stats(ctx context.Context, r StatsRequest) (*Stats, error) {
	return get[Stats](ctx, c, query("/v1/stats", "from", instant(r.From), "to", instant(r.To), "step", r.Step, "zone", r.Zone, "by", r.By, "top", number(r.Top),
		"tenant", r.Tenant, "channel", string(r.Channel), "account", r.Account, "template", r.Template))
}

// Alarm is something that is wrong now.
type Alarm struct {
	Name      string    `json:"name"`             // of the rule, and of its entry in the runbook
	Channel   Channel   `json:"channel,omitzero"` // "" is notify as a whole
	Value     float64   `json:"value"`            // a share in percent, seconds, or a number, as the rule is
	Threshold float64   `json:"threshold"`
	Page      bool      `json:"page,omitzero"` // somebody should be woken for it
	Title     Bilingual `json:"title"`
	Runbook   string    `json:"runbook"` // where it stands what to do
}

// Alarms lists what is wrong now. It needs the scope operate.
func (c *Client) Alarms(ctx context.Context) ([]Alarm, error) {
	out, err := get[list[Alarm]](ctx, c, "/v1/alarms")
	if err != nil {
		return nil, err
	}
	return out.Items, nil
}

// ThrottlesRequest says which seconds are asked for. What is empty does not narrow, or has a default.
type ThrottlesRequest struct {
	From, To time.Time // an hour up to now; at most 6 hours
	Account  string
	Limit    int // seconds, 1 to 500; 100 without it
}

// Throttles tells when accounts were at their limits, and who held the quota.
type Throttles struct {
	From      time.Time   `json:"from"`
	To        time.Time   `json:"to"`
	Seconds   int         `json:"seconds"` // in which messages were put off
	PutOff    int64       `json:"put_off"`
	Refused   int64       `json:"refused_by_provider"`
	Tenants   []QuotaPart `json:"tenants"` // who made the most calls in those seconds
	Templates []QuotaPart `json:"templates"`
	Waiting   []QuotaPart `json:"waiting"` // the tenants that had to wait most
	Items     []Throttle  `json:"items"`   // the newest first
}

// Throttle is a second in which messages were put off that an account should have carried.
type Throttle struct {
	At        time.Time   `json:"at"`
	Account   string      `json:"account"`
	Calls     int64       `json:"calls"`
	PutOff    int64       `json:"put_off"`
	Refused   int64       `json:"refused_by_provider,omitzero"`
	Tenants   []QuotaPart `json:"tenants"`
	Templates []QuotaPart `json:"templates"`
	Waiting   []QuotaPart `json:"waiting"`
}

// QuotaPart is how much somebody had of a quota, or waited for it.
type QuotaPart struct {
	Name string `json:"name"`
	N    int64  `json:"n"`
}

// Throttles reads the throttle ledger. It takes the scope operate.
func (c *Client) Throttles(ctx context.Context, r ThrottlesRequest) (*Throttles, error) {
	return get[Throttles](ctx, c, query("/v1/stats/throttles", "from", instant(r.From), "to", instant(r.To), "account", r.Account, "limit", number(r.Limit)))
}

// Refusal is a request that was refused.
type Refusal struct {
	At        time.Time       `json:"at"`
	RequestID string          `json:"request_id"`
	Tenant    string          `json:"tenant,omitzero"` // "" where the key was not known
	Key       string          `json:"key,omitzero"`    // its id
	IP        string          `json:"ip,omitzero"`
	Method    string          `json:"method"`
	Route     string          `json:"route"`
	Status    int             `json:"status"`
	Code      string          `json:"code"`
	Errors    []RefusedMember `json:"errors,omitzero"`
}

// RefusedMember is a value that was refused.
type RefusedMember struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
}

// RefusedFilter says which refused requests to list.
type RefusedFilter struct {
	Tenant   string
	Code     string // of the request, or of one of its values
	Request  string // only the one with this id
	From, To time.Time
	Limit    int    // of a page, 1 to 100; 50 without it
	After    string // Next of the page before
}

// RefusedPage is a page of refused requests. It may be short, or empty, and have a Next.
type RefusedPage struct {
	Items []Refusal `json:"items"`
	Next  string    `json:"next,omitzero"`
}

// Refused reads one page of the requests that were refused in the last 7 days, the newest first.
func (c *Client) Refused(ctx context.Context, f RefusedFilter) (*RefusedPage, error) {
	return get[RefusedPage](ctx, c, query("/v1/refused", "tenant", f.Tenant, "code", f.Code, "request", f.Request, "from", instant(f.From), "to", instant(f.To),
		"limit", number(f.Limit), "after", f.After))
}

// AllRefused goes through them page by page. It ends with the first error.
func (c *Client) AllRefused(ctx context.Context, f RefusedFilter) iter.Seq2[*Refusal, error] {
	return pages(f.After, func(after string) ([]Refusal, string, error) {
		f.After = after
		page, err := c.Refused(ctx, f)
		if err != nil {
			return nil, "", err
		}
		return page.Items, page.Next, nil
	})
}

// number is a parameter of the query; "" for 0.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// instant is a parameter of the query; "" for the zero time.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
