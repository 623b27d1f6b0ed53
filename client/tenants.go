package client

import (
	"context"
	"net/url"
	"time"
)

// Meta says which version of a document this is, and who made it when and why.
type Meta struct {
	Version   int64     `json:"version"` // counts the changes
	Author    string    `json:"author"`
	Reason    string    `json:"reason,omitzero"`
	ChangedAt time.Time `json:"changed_at"`
	Deleted   bool      `json:"deleted,omitzero"` // only in a history
}

// Tenant is a business system that sends.
type Tenant struct {
	Name        string  `json:"name"`
	Title       string  `json:"title,omitzero"`
	Owner       Owner   `json:"owner"`
	FreeContent bool    `json:"free_content,omitzero"` // may send text that no template allows
	Region      string  `json:"region,omitzero"`       // country of phone numbers without one, ISO 3166-1
	Locale      string  `json:"locale,omitzero"`       // BCP 47
	PerSecond   int     `json:"per_second,omitzero"`   // messages; 0 is no bound
	PerDay      int     `json:"per_day,omitzero"`
	PerMonth    float64 `json:"per_month,omitzero"` // money, in Currency
	Currency    string  `json:"currency,omitzero"`
	ApproveOver int     `json:"approve_over,omitzero"`     // recipients over which a campaign needs a second person
	Review      bool    `json:"review_templates,omitzero"` // so do publications for sms and marketing
	Disabled    bool    `json:"disabled,omitzero"`
	Meta
}

// Owner is a person to call.
type Owner struct {
	Name  string `json:"name"`
	Phone string `json:"phone,omitzero"`
	Email string `json:"email,omitzero"`
	Group string `json:"group,omitzero"` // a chat group, by name
}

// list is how the API wraps what it lists.
type list[T any] struct {
	Items []T `json:"items"`
}

// listOf reads a list that has no pages.
func listOf[T any](ctx context.Context, c *Client, path string) ([]T, error) {
	l, err := get[list[T]](ctx, c, path)
	if err != nil {
		return nil, err
	}
	return l.Items, nil
}

// query puts a path and its parameters together, without the empty ones.
func query(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// Tenants lists the tenants that the key may know of.
func (c *Client) Tenants(ctx context.Context) ([]Tenant, error) {
	return listOf[Tenant](ctx, c, "/v1/tenants")
}
