package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Status is where a message stands.
type Status string

// The life of a message. Sent means that the provider took it; only Delivered says that it arrived.
const (
	StatusScheduled   Status = "scheduled"
	StatusQueued      Status = "queued"
	StatusSending     Status = "sending"
	StatusSent        Status = "sent"
	StatusInDoubt     Status = "in_doubt"
	StatusDelivered   Status = "delivered"
	StatusUndelivered Status = "undelivered"
	StatusBounced     Status = "bounced"
	StatusComplained  Status = "complained"
	StatusFailed      Status = "failed"
	StatusExpired     Status = "expired"
	StatusCancelled   Status = "cancelled"
	StatusSuppressed  Status = "suppressed"
	StatusDead        Status = "dead"
	StatusSimulated   Status = "simulated"
)

// Terminal tells whether nothing more is tried. A receipt may still change it, and an operator may send a
// dead one again.
func (s Status) Terminal() bool {
	switch s {
	case "", StatusScheduled, StatusQueued, StatusSending, StatusSent, StatusInDoubt:
		return false
	}
	return true
}

// Message is a message as it may be shown: the recipient masked, secrets blanked.
type Message struct {
	ID        string       `json:"id"`
	URL       string       `json:"url"`
	Status    Status       `json:"status"`
	Reason    string       `json:"reason,omitzero"`
	Outcome   Status       `json:"simulated_outcome,omitzero"` // what a simulated message would have become
	Verdict   Verdict      `json:"verdict"`
	Tenant    string       `json:"tenant"`
	Owner     string       `json:"owner,omitzero"` // the person to call
	Key       string       `json:"key,omitzero"`   // id of the API key that sent it
	To        string       `json:"to"`             // masked
	Channel   Channel      `json:"channel"`
	Class     Class        `json:"class"`
	Template  *TemplateRef `json:"template,omitzero"`
	Free      bool         `json:"free_content,omitzero"`
	Reference string       `json:"reference,omitzero"`
	ResendOf  string       `json:"resend_of,omitzero"`
	Trial     string       `json:"trial,omitzero"` // the account that an operator tested with it
	Group     string       `json:"group,omitzero"`
	Segments  int          `json:"segments,omitzero"`
	Region    string       `json:"region,omitzero"`
	Provider  string       `json:"provider,omitzero"` // of the last attempt
	Account   string       `json:"account,omitzero"`
	Calls     int          `json:"calls"` // attempts so far

	CreatedAt   time.Time `json:"created_at,omitzero"`
	SendAt      time.Time `json:"send_at,omitzero"`
	ExpiresAt   time.Time `json:"expires_at,omitzero"`
	NextTryAt   time.Time `json:"next_try_at,omitzero"`
	CompletedAt time.Time `json:"completed_at,omitzero"`

	// Only Get has these.
	Timeline []Event  `json:"timeline,omitzero"`
	Content  *Content `json:"content,omitzero"`
	Hidden   string   `json:"content_hidden,omitzero"` // why there is no content: erased, template_gone, not_rendered
}

// Verdict says in words what happened.
type Verdict struct {
	Code string `json:"code"` // stable: what programs compare
	Zh   Words  `json:"zh"`
	En   Words  `json:"en"`
}

// Words are a verdict in one language.
type Words struct {
	What string `json:"what"`          // what happened
	Tell string `json:"tell,omitzero"` // what to tell the user who asks
	Fix  string `json:"fix,omitzero"`  // who can do something about it
}

// Settled tells whether waiting longer is of no use: the message has ended, or it was sent over a channel
// that tells nothing more.
func (m *Message) Settled() bool {
	return m.Status.Terminal() || m.Verdict.Code == "sent_final" || m.Verdict.Code == "sent_silent"
}

// Event is an entry of the timeline.
type Event struct {
	At      time.Time `json:"at"`
	Event   string    `json:"event"`
	By      string    `json:"by,omitzero"`
	Why     string    `json:"why,omitzero"`
	IP      string    `json:"ip,omitzero"`
	Request string    `json:"request_id,omitzero"`
	Trace   string    `json:"traceparent,omitzero"`
	Until   time.Time `json:"until,omitzero"`
	Status  Status    `json:"status,omitzero"`
	Repeats int       `json:"repeats,omitzero"`
	Attempt *Attempt  `json:"attempt,omitzero"`
	Receipt *Receipt  `json:"receipt,omitzero"`
}

// Attempt is a call to a provider.
type Attempt struct {
	Epoch      int    `json:"epoch"`
	Account    string `json:"account"`
	Provider   string `json:"provider,omitzero"`
	Bound      string `json:"bound_template,omitzero"` // the vendor's own
	Outcome    string `json:"outcome,omitzero"`        // "" while no answer is recorded
	ProviderID string `json:"provider_id,omitzero"`
	HTTPStatus int    `json:"http_status,omitzero"`
	Code       string `json:"code,omitzero"`
	Text       string `json:"text,omitzero"`
	Millis     int64  `json:"ms,omitzero"`
	Repeats    int    `json:"repeats,omitzero"`
	// InDoubt is what was done because no answer came: resend, await or give_up; InDoubtBy is whose word that
	// is: route, account, provider, receipts or class.
	InDoubt   string `json:"in_doubt,omitzero"`
	InDoubtBy string `json:"in_doubt_by,omitzero"`
}

// Receipt is what a provider said later.
type Receipt struct {
	Part  int    `json:"part,omitzero"`
	State string `json:"state"`
	Code  string `json:"code,omitzero"`
	Text  string `json:"text,omitzero"`
}

// GroupMessages is the messages of one request.
type GroupMessages struct {
	ID        string         `json:"id"`
	Tenant    string         `json:"tenant"`
	Kind      string         `json:"kind"` // list, fallback, all, batch
	CreatedAt time.Time      `json:"created_at,omitzero"`
	Counts    map[Status]int `json:"counts"`
	Missing   int            `json:"missing,omitzero"` // whose record is gone or cannot be read
	Messages  []*Message     `json:"messages"`         // in the order of the request; nil where there is none
}

// Get reads a message with its timeline.
func (c *Client) Get(ctx context.Context, id string) (*Message, error) {
	return get[Message](ctx, c, "/v1/messages/"+url.PathEscape(id))
}

// Verdict says in words what became of a message.
func (c *Client) Verdict(ctx context.Context, id string) (*Verdict, error) {
	return get[Verdict](ctx, c, "/v1/messages/"+url.PathEscape(id)+"/verdict")
}

// Group reads the messages of one request.
func (c *Client) Group(ctx context.Context, id string) (*GroupMessages, error) {
	return get[GroupMessages](ctx, c, "/v1/groups/"+url.PathEscape(id))
}

// How often Wait looks: soon at first, as most messages take less than a second.
const (
	firstLook = 100 * time.Millisecond
	lastLook  = 2 * time.Second
)

// Wait reads a message until it is settled. When ctx ends first, the message as it was last seen comes
// with ctx's error.
func (c *Client) Wait(ctx context.Context, id string) (*Message, error) {
	var seen *Message
	for pause := firstLook; ; pause = min(pause*3/2, lastLook) {
		m, err := c.Get(ctx, id)
		switch {
		case ctx.Err() != nil && err != nil:
			return seen, fmt.Errorf("notify: wait for %s: %w", id, ctx.Err())
		case err != nil:
			return seen, err
		case m.Settled():
			return m, nil
		}
		seen = m
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return seen, fmt.Errorf("notify: wait for %s: %w", id, ctx.Err())
		}
	}
}

// get reads something.
func get[T any](ctx context.Context, c *Client, path string) (*T, error) {
	out := new(T)
	_, err := c.do(ctx, call{method: http.MethodGet, path: path, repeat: true}, out)
	return orNil(out, err)
}
