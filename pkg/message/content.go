package message

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
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

// Address is a recipient's address. It prints itself masked, so that no log or error shows it; string(a)
// gives the address, and so does JSON, because records and requests carry it: never log a struct that has
// one. No type can hide what is in a field that is not exported.
type Address string

// String is the masked form.
func (a Address) String() string { return Mask(string(a)) }

// GoString is the masked form too.
func (a Address) GoString() string { return Mask(string(a)) }

// Format is the masked form for every verb; without it a wrong verb would show the address.
func (a Address) Format(f fmt.State, verb rune) {
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), a.String())
}

// LogValue is the masked form too.
func (a Address) LogValue() slog.Value { return slog.StringValue(Mask(string(a))) }

// SearchKey is the form of a normalised address that claims, suppressions and searches hash: mail
// addresses count as equal whatever the case.
func SearchKey(kind AddressKind, a Address) Address {
	if kind == Mail {
		return Address(strings.ToLower(string(a)))
	}
	return a
}

// Secret is a value that must never be shown, not in JSON either. string(s) gives it. No type can hide
// what is in a field that is not exported, or is a map's key.
type Secret string

const redacted = "[redacted]"

// String hides the value.
func (Secret) String() string { return redacted }

// GoString hides the value.
func (Secret) GoString() string { return redacted }

// Format hides the value for every verb; without it a wrong verb would show it.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue hides the value.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON hides the value.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
