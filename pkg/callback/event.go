package callback

import (
	"time"

	"github.com/opennotify/notify/pkg/message"
)

// Event is what endpoints and the bus are sent. Its names are part of the API.
type Event struct {
	// Type is "message." and the status, or endpoint.test.
	Type string `json:"type"`
	// Timestamp is when the message took the status. It grows with each event of one message.
	Timestamp time.Time `json:"timestamp"`
	Data      Data      `json:"data"`
}

// Test is the type of an event that tells of no message.
const Test = "endpoint.test"

// Data is a message as it stands.
type Data struct {
	ID        message.ID      `json:"id,omitzero"`
	Status    message.Status  `json:"status,omitzero"`
	Reason    string          `json:"reason,omitzero"`            // why it ended, as a code
	Outcome   message.Status  `json:"simulated_outcome,omitzero"` // what a simulated message would have become
	Tenant    string          `json:"tenant"`
	Channel   message.Channel `json:"channel,omitzero"`
	Class     message.Class   `json:"class,omitzero"`
	To        string          `json:"to,omitzero"`       // masked
	Template  string          `json:"template,omitzero"` // tenant/name
	Version   int             `json:"version,omitzero"`
	Reference string          `json:"reference,omitzero"` // the caller's own
	Group     string          `json:"group,omitzero"`
	ResendOf  message.ID      `json:"resend_of,omitzero"`
	CreatedAt time.Time       `json:"created_at,omitzero"`
	// Calls is how often a provider was called; Attempt is the last call, Receipt the last that was heard.
	Calls   int      `json:"calls,omitzero"`
	Attempt *Attempt `json:"attempt,omitzero"`
	Receipt *Receipt `json:"receipt,omitzero"`
	// Endpoint is what a test is of.
	Endpoint string `json:"endpoint,omitzero"`
}

// Attempt is a call to a provider, without its words.
type Attempt struct {
	At         time.Time `json:"at"`
	Provider   string    `json:"provider,omitzero"`
	Account    string    `json:"account"`
	ProviderID string    `json:"provider_id,omitzero"`
	HTTPStatus int       `json:"http_status,omitzero"`
	Code       string    `json:"code,omitzero"`
}

// Receipt is what the provider said later.
type Receipt struct {
	At    time.Time `json:"at"`
	State string    `json:"state"`
	Code  string    `json:"code,omitzero"`
}

func typeOf(s message.Status) string { return "message." + string(s) }

// eventOf tells of a message's present status. to is its recipient, "" where it is erased.
func eventOf(m *message.Message, to message.Address) Event {
	d := Data{ID: m.ID, Status: m.Status, Reason: m.Reason, Outcome: m.Outcome, Tenant: m.Tenant, Channel: m.Channel, Class: m.Class,
		Version: m.Template.Version, Reference: m.Reference, Group: m.Group, ResendOf: m.ResendOf, CreatedAt: m.Created.Std(), Calls: m.Epoch}
	if to != "" {
		d.To = to.String()
	}
	if m.Template.Name != "" {
		d.Template = m.Template.Tenant + "/" + m.Template.Name
	}
	if a := m.Last(); a != nil {
		d.Attempt = &Attempt{a.At.Std(), a.Provider, a.Account, a.ProviderID, a.HTTPStatus, a.Code}
	}
	var last message.Receipt
	for _, a := range m.Attempts {
		for _, r := range a.Receipts {
			if r.At >= last.At {
				last = r
			}
		}
	}
	if last.State != message.ReceiptNone {
		d.Receipt = &Receipt{last.At.Std(), last.State.String(), last.Code}
	}
	at := m.Told
	if at == 0 || !m.Tell.Has(m.Status) { // it was asked for, and nobody was told
		at = max(m.Completed(), m.Created)
	}
	return Event{typeOf(m.Status), at.Std(), d}
}
