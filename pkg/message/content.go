package message

import (
	"encoding/json"
	"log/slog"
)

// Content is what a recipient reads, after rendering. A channel uses the fields of its ContentKind.
type Content struct {
	Subject     string          `json:"subject,omitempty"`     // mail
	Title       string          `json:"title,omitempty"`       // chat, push
	Text        string          `json:"text,omitempty"`        // all; Markdown in chats
	HTML        string          `json:"html,omitempty"`        // mail
	Data        json.RawMessage `json:"data,omitempty"`        // webhook: the event's payload
	Attachments []Attachment    `json:"attachments,omitempty"` // mail
}

// Attachment is a file of a mail.
type Attachment struct {
	Name string `json:"name"`
	Type string `json:"type"` // MIME type
	Data []byte `json:"data"` // base64 in JSON
}

// Address is a recipient's address. It prints itself masked, so that no log or error shows it; only
// string(a) gives the address.
type Address string

// String is the masked form.
func (a Address) String() string { return Mask(string(a)) }

// GoString is the masked form too.
func (a Address) GoString() string { return Mask(string(a)) }

// LogValue is the masked form too.
func (a Address) LogValue() slog.Value { return slog.StringValue(Mask(string(a))) }

// Secret is a value that must never be shown. string(s) gives it.
type Secret string

const redacted = "[redacted]"

// String hides the value.
func (Secret) String() string { return redacted }

// GoString hides the value.
func (Secret) GoString() string { return redacted }

// LogValue hides the value.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON hides the value.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
