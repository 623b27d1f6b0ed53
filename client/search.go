package client

import (
	"context"
	"iter"
	"net/http"
	"time"
)

// SearchRequest says what to look for. What is empty does not narrow.
type SearchRequest struct {
	Recipient string    `json:"recipient,omitzero"` // as typed: any spelling of a number, an address, an alias
	Tenant    string    `json:"tenant,omitzero"`
	Channel   Channel   `json:"channel,omitzero"`
	Status    Status    `json:"status,omitzero"`
	Class     Class     `json:"class,omitzero"`
	Template  string    `json:"template,omitzero"` // name, or tenant/name
	Reference string    `json:"reference,omitzero"`
	Run       string    `json:"run,omitzero"`    // id of a campaign, or of a schedule's run
	From      time.Time `json:"from,omitzero"`   // inclusive; 7 days ago without it, but for a recipient or a reference
	To        time.Time `json:"to,omitzero"`     // exclusive; now without it
	Limit     int       `json:"limit,omitzero"`  // of a page, 1 to 200; 50 without it
	Cursor    string    `json:"cursor,omitzero"` // Next of the page before, with the same filter
}

// SearchAnswer is a page, the newest messages first.
type SearchAnswer struct {
	Messages   []Message `json:"messages"`
	Index      string    `json:"index"`    // what was read: recipient, reference, trouble, tenant
	Searched   int       `json:"searched"` // records that the call looked at
	From       time.Time `json:"from"`
	To         time.Time `json:"to"`
	Next       string    `json:"next,omitzero"` // goes on; a page may be short, or empty, and have a next
	Unreadable []string  `json:"unreadable,omitzero"`
	Refused    []Refusal `json:"refused,omitzero"` // requests for it that were refused in the last 7 days
	None       *Verdict  `json:"none,omitzero"`    // what it means that nothing was found
}

// Search reads one page.
func (c *Client) Search(ctx context.Context, r SearchRequest) (*SearchAnswer, error) {
	out := &SearchAnswer{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/messages/search", body: r, repeat: true}, out)
	return orNil(out, err)
}

// All goes through everything that matches, page by page, the newest first. It ends with the first error.
func (c *Client) All(ctx context.Context, r SearchRequest) iter.Seq2[*Message, error] {
	return pages(r.Cursor, func(after string) ([]Message, string, error) {
		r.Cursor = after
		page, err := c.Search(ctx, r)
		if err != nil {
			return nil, "", err
		}
		return page.Messages, page.Next, nil
	})
}

// WhoRequest is a text that somebody received.
type WhoRequest struct {
	Text      string `json:"text"`
	Recipient string `json:"recipient,omitzero"` // finds the message itself
}

// WhoAnswer is where a text comes from.
type WhoAnswer struct {
	Verdict    Verdict     `json:"verdict"`
	Candidates []Candidate `json:"candidates"` // the templates that it may be of, the likeliest first
	Messages   []Sighting  `json:"messages,omitzero"`
	Since      time.Time   `json:"since,omitzero"` // how far back messages were looked at
}

// Candidate is a template that a text fits.
type Candidate struct {
	Tenant    string  `json:"tenant"`
	Owner     Owner   `json:"owner"` // whom to call
	Template  string  `json:"template"`
	Version   int     `json:"version"`
	Versions  []int   `json:"versions"` // all that fit
	Channel   Channel `json:"channel"`
	Locale    string  `json:"locale"`
	Class     Class   `json:"class"`
	Shared    bool    `json:"shared,omitzero"`
	Published bool    `json:"published"`
	Fixed     int     `json:"fixed"` // characters of the template's own text that were found
}

// Sighting is a message that a text may be.
type Sighting struct {
	Message
	Exact bool `json:"exact"` // the whole text is this message's, but for secrets
}

// Who tells from its text who sent a message, or that nobody here did.
func (c *Client) Who(ctx context.Context, r WhoRequest) (*WhoAnswer, error) {
	out := &WhoAnswer{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/messages/who", body: r, repeat: true}, out)
	return orNil(out, err)
}
