package config

import (
	"context"
	"time"

	"github.com/opennotify/notify/pkg/message"
)

// SettingsName is the name of the one document of its kind.
const SettingsName = "settings"

// Settings are what operators decide for the whole installation. What nobody decided has its default.
type Settings struct {
	Codes   Codes   `json:"codes,omitzero"`
	Notices Notices `json:"notices,omitzero"`
}

// Codes bound the one-time codes that a tenant may ask for, against floods: of one person's phone, and of
// ranges of numbers that cost more than they bring.
type Codes struct {
	// PerRecipient is what one recipient is sent; nil is three in ten minutes.
	PerRecipient *Cap `json:"per_recipient,omitzero"`
	// PerRange is what numbers are sent together that differ in their last four digits; nil is no bound.
	PerRange *Cap `json:"per_range,omitzero"`
	// Prefixes bound what all numbers with a prefix are sent together; of several the longest that matches counts.
	Prefixes []PrefixCap `json:"prefixes,omitzero"`
}

// Cap is at most so many messages within a time. Without messages and seconds it bounds nothing.
type Cap struct {
	Messages int `json:"messages"`
	Seconds  int `json:"seconds"`
}

// None tells whether nothing is bounded.
func (c Cap) None() bool { return c.Seconds <= 0 }

// Within is the time.
func (c Cap) Within() time.Duration { return time.Duration(c.Seconds) * time.Second }

// PrefixCap is a cap of the numbers that begin with a prefix, as +8617.
type PrefixCap struct {
	Prefix string `json:"prefix"`
	Cap
}

// defaultCodes is three codes in ten minutes, a reference rate of those who run such checks.
var defaultCodes = Cap{Messages: 3, Seconds: 600}

// Recipient is the cap of one recipient.
func (c Codes) Recipient() Cap {
	if c.PerRecipient != nil {
		return *c.PerRecipient
	}
	return defaultCodes
}

// Notices say who is told when a limit is nearly used up, and how.
type Notices struct {
	// Tenant is in whose name notices are sent; "" sends none.
	Tenant string `json:"tenant,omitzero"`
	// To are the operators.
	To []NoticeTo `json:"to,omitzero"`
	// Template is what notices are sent as, name or tenant/name, with the variable text. "" sends them as free
	// content, which no SMS can be.
	Template string `json:"template,omitzero"`
}

// NoticeTo is an address on a channel.
type NoticeTo struct {
	Channel message.Channel `json:"channel"`
	To      string          `json:"to"`
}

// Settings reads what operators decided; the zero Settings when they did not.
func (s *Source) Settings(ctx context.Context) (Settings, error) {
	snap, err := s.settings.get(ctx, s)
	return snap.byName[SettingsName], err
}
