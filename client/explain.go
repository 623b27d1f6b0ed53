package client

import (
	"context"
	"net/http"
	"time"
)

// Explained is what sending would do.
type Explained struct {
	Messages []Explanation `json:"messages"`
}

// Explanation is what would become of one message.
type Explanation struct {
	Channel   Channel      `json:"channel"`
	To        string       `json:"to"` // normalised and masked
	Region    string       `json:"region,omitzero"`
	Status    Status       `json:"status"` // that it would begin with
	Reason    string       `json:"reason,omitzero"`
	Class     Class        `json:"class"`
	Lane      string       `json:"lane"`
	Template  *TemplateRef `json:"template,omitzero"`
	Content   Content      `json:"content"` // exactly what the recipient would read
	Segments  *Segments    `json:"segments,omitzero"`
	Accounts  []string     `json:"accounts"`         // in the order in which they would be tried
	Skipped   []Skipped    `json:"skipped,omitzero"` // that are on but cannot carry it
	Route     string       `json:"route,omitzero"`   // that says so
	Cost      float64      `json:"cost,omitzero"`
	Currency  string       `json:"currency,omitzero"`
	Held      *Held        `json:"held,omitzero"`    // a route, or the tenant's budget, would hold it back
	Refused   *ItemFault   `json:"refused,omitzero"` // a limit of the tenant, or a cap on codes, would refuse it right now
	Stopped   *Stopped     `json:"suppressed_by,omitzero"`
	Duplicate *Sent        `json:"duplicate,omitzero"` // that it would be answered with
	Warnings  []string     `json:"warnings,omitzero"`
}

// Skipped is an account that cannot carry a message.
type Skipped struct {
	Account string `json:"account"`
	Why     string `json:"why"` // no_binding, binding_rejected, templates_only
}

// Segments is how a carrier counts an SMS.
type Segments struct {
	Encoding  string `json:"encoding"` // GSM-7, UCS-2
	Units     int    `json:"units"`
	Count     int    `json:"count"`
	Remaining int    `json:"remaining"` // units left in the last segment
}

// Held is what a route's hours or silence would make of a message.
type Held struct {
	Why   string    `json:"why"` // quiet_hours, silenced, budget
	Until time.Time `json:"until,omitzero"`
	Drop  bool      `json:"drop,omitzero"` // it would end as suppressed
	Route string    `json:"route,omitzero"`
}

// Stopped is the suppression that would hold a message back.
type Stopped struct {
	Reason string `json:"reason"`
	Since  string `json:"since"`
	Source string `json:"source,omitzero"`
}

// Explain says what Send would do. It sends nothing and writes nothing.
func (c *Client) Explain(ctx context.Context, r SendRequest) (*Explained, error) {
	out := &Explained{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/messages/explain", body: r, repeat: true}, out)
	return orNil(out, err)
}

// orNil keeps half an answer from being used.
func orNil[T any](out *T, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return out, nil
}
