package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Channel is a kind of address and content: sms, email, webhook, ….
type Channel string

// Class is what a message is for.
type Class string

// The classes.
const (
	OTP           Class = "otp"
	Transactional Class = "transactional"
	Marketing     Class = "marketing"
)

// SendRequest asks for one content to be sent. To, and Template or Content, are needed.
type SendRequest struct {
	// IdempotencyKey makes this request one message however often it is made, by this process or another;
	// a name of your own event serves best, as order-4711-shipped. Without one, Send makes a random key for
	// its own tries. Of an item of a batch it is not used.
	IdempotencyKey string `json:"-"`

	Tenant  string  `json:"tenant,omitzero"` // who sends; only operators' keys may name another than their own
	To      To      `json:"to"`
	Channel Channel `json:"channel,omitzero"` // without it the route chooses

	Template string         `json:"template,omitzero"` // a name, or tenant/name of one that another tenant shares
	Version  int            `json:"version,omitzero"`  // the published one without it
	Locale   string         `json:"locale,omitzero"`   // BCP 47
	Vars     map[string]any `json:"vars,omitzero"`

	Content *Content `json:"content,omitzero"` // instead of a template, where the tenant may
	Class   Class    `json:"class,omitzero"`   // the template's without it

	Reference    string    `json:"reference,omitzero"` // your own id of it
	SendAt       time.Time `json:"send_at,omitzero"`   // not before
	TTLSeconds   int       `json:"ttl_seconds,omitzero"`
	ExpiresAt    time.Time `json:"expires_at,omitzero"`
	DedupSeconds *int      `json:"dedup_seconds,omitzero"` // how long equal content is one message; 0 is off
}

// To is who gets it. Address, Addresses and Ways make one. It does not show itself when printed.
type To struct {
	one  string
	list []string
	ways map[Channel]string
}

// Address is one recipient: a phone number, a mail address, a URL, an id, as the channel wants it.
func Address(address string) To { return To{one: address} }

// Addresses is many recipients of the same content, at most 100; each gets a message of its own.
func Addresses(list ...string) To { return To{list: append([]string{}, list...)} }

// Ways is one person's addresses by channel: the route says which are used, and in which order.
func Ways(byChannel map[Channel]string) To { return To{ways: byChannel} }

// MarshalJSON writes the form that was chosen.
func (t To) MarshalJSON() ([]byte, error) {
	switch {
	case t.ways != nil:
		return json.Marshal(t.ways)
	case t.list != nil:
		return json.Marshal(t.list)
	}
	return json.Marshal(t.one)
}

// Format hides the addresses for every verb.
func (To) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// Content is what a recipient reads. A channel uses some of the fields.
type Content struct {
	Subject     string          `json:"subject,omitempty"` // mail
	Title       string          `json:"title,omitempty"`   // chat, push
	Text        string          `json:"text,omitempty"`    // Markdown in chats
	HTML        string          `json:"html,omitempty"`    // mail
	Data        json.RawMessage `json:"data,omitempty"`    // webhook
	Attachments []Attachment    `json:"attachments,omitempty"`
}

// Attachment is a file of a mail.
type Attachment struct {
	Name string `json:"name"`
	Type string `json:"type"` // MIME type
	Data []byte `json:"data"`
}

// Sent is a message as it stood when it was asked for, or several.
type Sent struct {
	ID        string       `json:"id,omitzero"` // "" when there are several: see Messages
	URL       string       `json:"url,omitzero"`
	Status    Status       `json:"status,omitzero"`
	Reason    string       `json:"reason,omitzero"`
	Outcome   Status       `json:"simulated_outcome,omitzero"` // what a simulated message would have become
	Channel   Channel      `json:"channel,omitzero"`
	Template  *TemplateRef `json:"template,omitzero"`
	Class     Class        `json:"class,omitzero"`
	Reference string       `json:"reference,omitzero"`
	Segments  int          `json:"segments,omitzero"`
	CreatedAt time.Time    `json:"created_at,omitzero"`
	SendAt    time.Time    `json:"send_at,omitzero"`
	ExpiresAt time.Time    `json:"expires_at,omitzero"`

	// DuplicateOf is set when equal content went to this recipient already: this is that message.
	DuplicateOf  string    `json:"duplicate_of,omitzero"`
	WindowEndsAt time.Time `json:"window_ends_at,omitzero"`

	Group    *Group `json:"group,omitzero"` // set for many recipients, or several channels
	Messages []Sent `json:"messages,omitzero"`

	// Replayed tells that the Idempotency-Key was known: nothing new was made.
	Replayed bool `json:"-"`
}

// TemplateRef is a pinned version of a template.
type TemplateRef struct {
	Tenant  string `json:"tenant"`
	Name    string `json:"name"`
	Version int    `json:"version"`
	Locale  string `json:"locale,omitzero"`
}

// Group names the messages of one request.
type Group struct {
	ID   string `json:"id"`
	Kind string `json:"kind"` // list, fallback, all, batch
	URL  string `json:"url"`
}

// Send sends a message. When it returns without an error, the message is kept: it will be sent, or its
// timeline says why not. A duplicate is no error: see Sent.DuplicateOf and Sent.Replayed.
func (c *Client) Send(ctx context.Context, r SendRequest) (*Sent, error) {
	out := &Sent{}
	h, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/messages", body: r, key: keyOr(r.IdempotencyKey), repeat: true}, out)
	if err != nil {
		return nil, err
	}
	out.Replayed = replayed(h)
	return out, nil
}

// BatchRequest is many different messages, at most 500, each to one address.
type BatchRequest struct {
	IdempotencyKey string        `json:"-"` // of the whole; random without one
	Messages       []SendRequest `json:"messages"`
}

// BatchAnswer has a result for every item, in the order of the request.
type BatchAnswer struct {
	Group    *Group      `json:"group,omitzero"`
	Results  []BatchItem `json:"results"`
	Accepted int         `json:"accepted"` // duplicates included
	Refused  int         `json:"refused"`
	Replayed bool        `json:"-"`
}

// BatchItem is a message or a problem.
type BatchItem struct {
	Message *Sent      `json:"message,omitzero"`
	Problem *ItemFault `json:"problem,omitzero"`
}

// ItemFault is why an item was refused.
type ItemFault struct {
	Status int          `json:"status"`
	Code   string       `json:"code"`
	Detail string       `json:"detail"`
	Errors []FieldError `json:"errors,omitzero"`
}

// Batch sends many different messages. One item's fault does not touch the others, and is no error.
func (c *Client) Batch(ctx context.Context, r BatchRequest) (*BatchAnswer, error) {
	out := &BatchAnswer{}
	h, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/messages/batch", body: r, key: keyOr(r.IdempotencyKey), repeat: true}, out)
	if err != nil {
		return nil, err
	}
	out.Replayed = replayed(h)
	return out, nil
}

func keyOr(key string) string {
	if key == "" {
		return rand.Text()
	}
	return key
}

func replayed(h http.Header) bool { return h.Get("Idempotency-Replay") == "true" }
