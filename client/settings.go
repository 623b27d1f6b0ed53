package client

import (
	"context"
	"time"
)

// Settings are what is decided for the whole installation.
type Settings struct {
	Codes     CodeCaps  `json:"codes,omitzero"`
	Version   int64     `json:"version"`
	Author    string    `json:"author,omitzero"`
	Reason    string    `json:"reason,omitzero"`
	ChangedAt time.Time `json:"changed_at,omitzero"`
	// PublicURL is where the API is seen from outside; "" where the deployment does not say.
	PublicURL string `json:"public_url,omitzero"`
	// EgressAddress is the one IP address that providers are called from; "" where it is not fixed.
	EgressAddress string `json:"egress_address,omitzero"`
}

// CodeCaps are the caps on one-time codes.
type CodeCaps struct {
	PerRecipient *Cap        `json:"per_recipient,omitzero"`
	PerRange     *Cap        `json:"per_range,omitzero"`
	Prefixes     []PrefixCap `json:"prefixes,omitzero"`
}

// Cap is at most so many within a time.
type Cap struct {
	Messages int `json:"messages,omitzero"`
	Seconds  int `json:"seconds,omitzero"`
}

// PrefixCap is a cap of the numbers with a prefix.
type PrefixCap struct {
	Prefix string `json:"prefix"`
	Cap
}

// Settings reads them.
func (c *Client) Settings(ctx context.Context) (*Settings, error) {
	return get[Settings](ctx, c, "/v1/settings")
}
