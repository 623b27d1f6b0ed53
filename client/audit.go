package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// AuditEntry is who did what, when and why.
type AuditEntry struct {
	At        time.Time     `json:"at"`
	By        string        `json:"by"`   // key:<id>, user:<name>, or a worker's name
	What      string        `json:"what"` // made, changed, deleted, cancelled, resent, revealed, …
	Kind      string        `json:"kind"` // of what: tenant, route, message, address, run, …
	Name      string        `json:"name"` // its name or id; an address is masked
	Tenant    string        `json:"tenant,omitzero"`
	Version   int64         `json:"version,omitzero"` // of what has versions
	Reason    string        `json:"reason,omitzero"`
	IP        string        `json:"ip,omitzero"`
	RequestID string        `json:"request_id,omitzero"`
	Changes   []AuditChange `json:"changes,omitzero"` // of what has no versions: what came of it
}

// AuditChange is a value that was changed.
type AuditChange struct {
	Path   string `json:"path"`            // a JSON pointer
	Before string `json:"before,omitzero"` // as JSON; "" where it was not set
	After  string `json:"after,omitzero"`
}

// AuditFilter says which entries are asked for. What is empty does not narrow.
type AuditFilter struct {
	By       string // key:<id>, user:<name>, or what follows the colon
	What     string
	Kind     string
	Name     string    // a part of the name
	From, To time.Time // 7 days up to now; at most 92 days
	Limit    int       // of a page, 1 to 100; 50 without it
	After    string    // Next of the page before
}

// AuditPage is a page of the audit. It may be short, or empty, and have a Next.
type AuditPage struct {
	Items []AuditEntry `json:"items"`
	Next  string       `json:"next,omitzero"`
}

// Audit reads one page of the audit, the newest first. It takes the scope operate.
func (c *Client) Audit(ctx context.Context, f AuditFilter) (*AuditPage, error) {
	return get[AuditPage](ctx, c, query("/v1/audit", "by", f.By, "what", f.What, "kind", f.Kind, "name", f.Name, "from", instant(f.From), "to", instant(f.To), "limit", number(f.Limit), "after", f.After))
}

// AllAudit goes through the audit page by page. It ends with the first error.
func (c *Client) AllAudit(ctx context.Context, f AuditFilter) iter.Seq2[*AuditEntry, error] {
	return pages(f.After, func(after string) ([]AuditEntry, string, error) {
		f.After = after
		page, err := c.Audit(ctx, f)
		if err != nil {
			return nil, "", err
		}
		return page.Items, page.Next, nil
	})
}

// Reveal gives the recipient of a message in full, which everything else masks. Who asked, and the reason, are
// kept in the audit. It takes the scope reveal.
func (c *Client) Reveal(ctx context.Context, id, reason string) (string, error) {
	out := &revealed{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/messages/" + url.PathEscape(id) + "/reveal", body: why{reason}}, out)
	return out.To, err
}

type revealed struct {
	To string `json:"to"`
}
