package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// DeadLetter is a message whose attempts are used up.
type DeadLetter struct {
	ID        string    `json:"id"`
	URL       string    `json:"url"`
	Status    Status    `json:"status"`
	Reason    string    `json:"reason,omitzero"`
	Tenant    string    `json:"tenant"`
	Owner     string    `json:"owner,omitzero"` // the person to call
	Channel   Channel   `json:"channel"`
	Class     Class     `json:"class"`
	Template  string    `json:"template,omitzero"` // tenant/name; "" for free content
	Account   string    `json:"account,omitzero"`  // of the last attempt
	Provider  string    `json:"provider,omitzero"`
	Code      string    `json:"code,omitzero"` // what the provider answered last
	Text      string    `json:"text,omitzero"`
	Attempts  int       `json:"attempts"`
	CreatedAt time.Time `json:"created_at"`
	DiedAt    time.Time `json:"died_at,omitzero"`
	ExpiresAt time.Time `json:"expires_at"` // after this it is not sent any more, whoever asks
}

// DeadFilter says which dead messages to list.
type DeadFilter struct {
	Tenant   string
	Channel  string
	Account  string // of the last attempt
	Template string // tenant/name, or name with Tenant
	Reason   string // why they died
	Day      string // of acceptance, in UTC, as 2026-01-02; the last 7 days without it
	Limit    int    // of a page, 1 to 100; 50 without it
	After    string // Next of the page before
}

// DeadPage is a page of dead messages. It may be short, or empty, and have a Next.
type DeadPage struct {
	Items []DeadLetter `json:"items"`
	Next  string       `json:"next,omitzero"`
}

// DeadLetters reads one page of dead messages, the newest day first.
func (c *Client) DeadLetters(ctx context.Context, f DeadFilter) (*DeadPage, error) {
	return get[DeadPage](ctx, c, query("/v1/dlq", "tenant", f.Tenant, "channel", f.Channel, "account", f.Account, "template", f.Template, "reason", f.Reason, "day", f.Day, "limit", number(f.Limit), "after", f.After))
}

// AllDeadLetters goes through them page by page. It ends with the first error.
func (c *Client) AllDeadLetters(ctx context.Context, f DeadFilter) iter.Seq2[*DeadLetter, error] {
	return pages(f.After, func(after string) ([]DeadLetter, string, error) {
		f.After = after
		page, err := c.DeadLetters(ctx, f)
		if err != nil {
			return nil, "", err
		}
		return page.Items, page.Next, nil
	})
}

// RetryDeadLetter tries a message again that is dead, failed or in doubt. It keeps its expiry.
func (c *Client) RetryDeadLetter(ctx context.Context, id, reason string) (*DeadLetter, error) {
	out := &DeadLetter{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/dlq/" + url.PathEscape(id) + "/retry", body: why{reason}}, out)
	return orNil(out, err)
}
