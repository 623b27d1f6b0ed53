package callback

import (
	"time"

	"github.com/opennotify/notify/pkg/message"
)

// Event is what endpoints and the bus are sent. Its names are part of the API.
type Event struct {
	Type      string    `json:"type" enum:"message.sent,message.in_doubt,message.delivered,message.undelivered,message.bounced,message.complained,message.failed,message.expired,message.cancelled,message.suppressed,message.dead,message.simulated,endpoint.test" doc:"message. and the status, or endpoint.test."`
	Timestamp time.Time `json:"timestamp" doc:"When the message took the status. It grows with each event of one message."`
	Data      EventData `json:"data" doc:"The message as it stands; of a test the tenant and the endpoint."`
}

// Test is the type of an event that tells of no message.
const Test = "endpoint.test"

// EventData is a message as it stands.
type EventData struct {
	ID        message.ID      `json:"id,omitzero"`
	Status    message.Status  `json:"status,omitzero"`
	Reason    string          `json:"reason,omitzero" doc:"Why it ended, as a code."`
	Outcome   message.Status  `json:"simulated_outcome,omitzero" doc:"What a simulated message would have become."`
	Tenant    string          `json:"tenant"`
	Channel   message.Channel `json:"channel,omitzero"`
	Class     message.Class   `json:"class,omitzero"`
	To        string          `json:"to,omitzero" doc:"Masked; missing where it is erased." example:"+86138****8000"`
	Template  string          `json:"template,omitzero" doc:"tenant/name" example:"shop/login-code"`
	Version   int             `json:"version,omitzero"`
	Reference string          `json:"reference,omitzero" doc:"The caller's own."`
	Group     string          `json:"group,omitzero"`
	ResendOf  message.ID      `json:"resend_of,omitzero"`
	CreatedAt time.Time       `json:"created_at,omitzero"`
	Calls     int             `json:"calls,omitzero" doc:"How often a provider was called."`
	Attempt   *LastAttempt    `json:"attempt,omitzero" doc:"The last call."`
	Receipt   *LastReceipt    `json:"receipt,omitzero" doc:"The last that was heard."`
	Endpoint  string          `json:"endpoint,omitzero" doc:"What a test is of."`
}

// LastAttempt is a call to a provider, without its words.
type LastAttempt struct {
	At         time.Time `json:"at"`
	Provider   string    `json:"provider,omitzero"`
	Account    string    `json:"account"`
	ProviderID string    `json:"provider_id,omitzero"`
	HTTPStatus int       `json:"http_status,omitzero"`
	Code       string    `json:"code,omitzero"`
}

// LastReceipt is what the provider said later.
type LastReceipt struct {
	At    time.Time `json:"at"`
	State string    `json:"state"`
	Code  string    `json:"code,omitzero"`
}

func typeOf(s message.Status) string { return "message." + string(s) }

// eventOf tells of a message's present status. to is its recipient, "" where it is erased.
func eventOf(m *message.Message, to message.Address) Event {
	d := EventData{ID: m.ID, Status: m.Status, Reason: m.Reason, Outcome: m.Outcome, Tenant: m.Tenant, Channel: m.Channel, Class: m.Class,
		Version: m.Template.Version, Reference: m.Reference, Group: m.Group, ResendOf: m.ResendOf, CreatedAt: m.Created.Std(), Calls: m.Epoch}
	if to != "" {
		d.To = to.String()
	}
	if m.Template.Name != "" {
		d.Template = m.Template.Tenant + "/" + m.Template.Name
	}
	if a := m.Last(); a != nil {
		d.Attempt = &LastAttempt{a.At.Std(), a.Provider, a.Account, a.ProviderID, a.HTTPStatus, a.Code}
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
		d.Receipt = &LastReceipt{last.At.Std(), last.State.String(), last.Code}
	}
	at := m.Told
	if at == 0 || !m.Tell.Has(m.Status) { // it was asked for, and nobody was told
		at = max(m.Completed(), m.Created)
	}
	return Event{typeOf(m.Status), at.Std(), d}
}
