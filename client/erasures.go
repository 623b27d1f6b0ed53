package client

import (
	"context"
	"net/http"
	"time"
)

// EraseRequest names a recipient that is to be forgotten.
type EraseRequest struct {
	Address string  `json:"address"`
	Channel Channel `json:"channel,omitzero"` // all channels with addresses of this kind without it
	Tenant  string  `json:"tenant,omitzero"`  // all tenants without it
	Reason  string  `json:"reason"`
}

// Erasure says what was erased: keep it as the proof.
type Erasure struct {
	Version   int64     `json:"version"`
	Author    string    `json:"author"`
	Reason    string    `json:"reason"`
	ChangedAt time.Time `json:"changed_at"`
	Address   string    `json:"address"` // masked
	Channel   Channel   `json:"channel,omitzero"`
	Tenant    string    `json:"tenant,omitzero"`
	Messages  int       `json:"messages"`
	Cancelled int       `json:"cancelled"` // of these, those that were waiting
	Left      int       `json:"left"`      // being sent just then: ask again
}

// Erase forgets a recipient: address, variables and content of every message to it are blanked.
func (c *Client) Erase(ctx context.Context, r EraseRequest) (*Erasure, error) {
	out := &Erasure{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/erasures", body: r, repeat: true}, out)
	return orNil(out, err)
}

// Erasures lists who was forgotten.
func (c *Client) Erasures(ctx context.Context) ([]Erasure, error) {
	page, err := get[struct {
		Items []Erasure `json:"items"`
	}](ctx, c, "/v1/erasures")
	if err != nil {
		return nil, err
	}
	return page.Items, nil
}
