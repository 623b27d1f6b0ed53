package campaign

import (
	"context"
	"time"

	"github.com/opennotify/notify/pkg/audience"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// Content is what is sent, but for the recipients and what is theirs.
type Content struct {
	Template string          `json:"template"` // name, or tenant/name
	Version  int             `json:"version,omitzero"`
	Channel  message.Channel `json:"channel,omitzero"`
	Locale   string          `json:"locale,omitzero"`
	Vars     audience.Vars   `json:"vars,omitzero"` // of all; a row's own go before
	// Reference is every message's; TTLSeconds is counted from when it is made.
	Reference  string `json:"reference,omitzero"`
	TTLSeconds int    `json:"ttl_seconds,omitzero"`
}

// Line is a row of an audience on its way to a message.
type Line struct {
	N int
	audience.Recipient
	ResendOf message.ID
}

// Order is a page of a run, as the intake is asked for it.
type Order struct {
	Tenant string
	Content
	Run    string
	Began  message.Time
	Window time.Duration // bounds the content window; 0 is no bound
	Lines  []Line
}

// Fate is what became of a row.
type Fate struct {
	What    string     // a key of a run's counts: made, suppressed, duplicate, repeated, refused
	ID      message.ID // "" where there is none
	Problem *problem.Error
}

// Checked is a row of which no more was looked at than what is in it.
type Checked struct {
	Recipient string // the same for the same recipient
	Channel   message.Channel
	Problem   *problem.Error
}

// Weight is what a row would be, if it were sent now.
type Weight struct {
	Channel   message.Channel
	Stopped   string // why it would end at once
	Duplicate bool
	Segments  int
	Cost      float64
	Currency  string
	Problem   *problem.Error
}

// Intake is what runs need of the intake.
type Intake interface {
	// Check looks at rows without reading anything of their recipients, Weigh says what Rows would do.
	Check(ctx context.Context, p tenant.Principal, o Order) ([]Checked, error)
	Weigh(ctx context.Context, p tenant.Principal, o Order) ([]Weight, error)
	// Rows makes messages. Asked again for the same rows it makes none, and says the same.
	Rows(ctx context.Context, p tenant.Principal, o Order) ([]Fate, error)
	// Cancel stops a message that is not with a provider yet; false when it is too late.
	Cancel(ctx context.Context, p tenant.Principal, id message.ID, why string) (bool, error)
}
