package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Account is one set of a provider's credentials and limits.
type Account struct {
	Name         string            `json:"name"`
	Provider     string            `json:"provider"`
	Channel      Channel           `json:"channel,omitzero"`
	Config       map[string]string `json:"config,omitzero"` // the fields of the provider's form that are not secret
	Off          bool              `json:"off,omitzero"`
	PerSecond    float64           `json:"per_second,omitzero"` // calls, of all processes together; 0 is the provider's limit
	PerMinute    int               `json:"per_minute,omitzero"`
	PerDay       int               `json:"per_day,omitzero"`
	Urgent       int               `json:"urgent_percent,omitzero"` // the share of the limits for codes only; 0 is 20
	Concurrency  int               `json:"concurrency,omitzero"`    // calls at once, of each process
	InDoubt      string            `json:"in_doubt,omitzero"`       // resend, await or give_up
	Price        float64           `json:"price,omitzero"`
	Currency     string            `json:"currency,omitzero"`
	Secrets      []string          `json:"secrets"`                // names of the secret fields that have a value
	Health       *AccountHealth    `json:"health,omitzero"`        // how it does right now
	CallbackPath string            `json:"callback_path,omitzero"` // where the provider posts receipts; of one account only
	// EgressAddress is the one IP address that the provider is called from; "" where it is not fixed.
	EgressAddress string `json:"egress_address,omitzero"`
	Meta
}

// AccountHealth is how an account does right now.
type AccountHealth struct {
	State string         `json:"state"`          // closed: it works; open: it is left alone; probing: some messages try it
	Since time.Time      `json:"since,omitzero"` // since when it does not work
	Until time.Time      `json:"until,omitzero"` // when it is tried again
	Share float64        `json:"share,omitzero"` // of its messages, how many try it, 0 to 1
	Used  []AccountUsage `json:"used"`
	Polls *AccountPolls  `json:"polls,omitzero"` // nil where the provider is not asked, or about each message
}

// AccountUsage is how much of a limit is used.
type AccountUsage struct {
	Window string `json:"window"` // second, minute, hour or day
	Limit  int    `json:"limit"`
	Used   int    `json:"used"`
}

// AccountPolls is when an account's provider is asked what became of messages.
type AccountPolls struct {
	Last     time.Time `json:"last,omitzero"` // zero: never yet
	Next     time.Time `json:"next,omitzero"`
	Failures int       `json:"failures,omitzero"` // in a row
}

// Accounts lists the accounts by name, with how they do. It takes the scope operate.
func (c *Client) Accounts(ctx context.Context) ([]Account, error) {
	return listOf[Account](ctx, c, "/v1/accounts")
}

// Account reads one by its name.
func (c *Client) Account(ctx context.Context, name string) (*Account, error) {
	return get[Account](ctx, c, "/v1/accounts/"+url.PathEscape(name))
}

// switched says whether an account is to be used.
type switched struct {
	Off    bool   `json:"off"`
	Reason string `json:"reason,omitzero"`
}

// SwitchAccount takes an account out of use, within 30 seconds everywhere, or back into it. What waits goes over the
// others of its route; where it was the channel's last, it waits, and what is asked for is refused (channel_off). It
// takes the scope operate.
func (c *Client) SwitchAccount(ctx context.Context, name string, off bool, reason string) (*Account, error) {
	out := &Account{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/accounts/" + url.PathEscape(name) + "/switch", body: switched{off, reason}, repeat: true}, out)
	return orNil(out, err)
}
