package provider

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
)

// Descriptor is a provider.yaml: the one source of the account's form, its checks, what is secret, the
// limits and the documentation.
type Descriptor struct {
	Name     string            `yaml:"name" json:"name"`
	Title    Text              `yaml:"title" json:"title"`
	Docs     string            `yaml:"docs" json:"docs"` // the vendor's page
	Channels []message.Channel `yaml:"channels" json:"channels"`
	Fields   []Field           `yaml:"fields" json:"fields"`
	// Binding is the form of what a template's version is bound to over an account, where the vendor sends
	// templates of its own: empty where it sends text.
	Binding []Field `yaml:"binding" json:"binding,omitempty"`
	Limits  Limits  `yaml:"limits" json:"limits"`
	// Dedup tells that the provider sends one Call.Key at most once, so an attempt in doubt is repeated.
	Dedup bool `yaml:"dedup" json:"dedup"`
	// Receipts tells that the provider says later what became of a message, by itself or when it is asked.
	Receipts bool `yaml:"receipts" json:"receipts"`
	// Approvals tells that the provider can ask the vendor for the state of a bound template.
	Approvals bool `yaml:"approvals" json:"approvals,omitempty"`
	// ReceiptsByID tells that they may name it by the provider's own id only, which delivery then keeps.
	ReceiptsByID bool `yaml:"receipts_by_id" json:"receipts_by_id,omitempty"`
	// Replies tells that it posts what recipients answer, as STOP is.
	Replies bool `yaml:"replies" json:"replies,omitempty"`
	// Polls says how it is asked; nil where there is nothing to ask.
	Polls *Polls `yaml:"polls" json:"polls,omitempty"`
	// Own is the one of Channels that the table of channels lacks.
	Own *Own `yaml:"channel" json:"channel,omitempty"`
	// Suppresses says which codes mean that the recipient must not be written to again, and why: a suppress.Reason.
	// A code may be a pattern, as in Codes.
	Suppresses map[string]string `yaml:"suppresses" json:"suppresses,omitempty"`
	// AllowList are the codes that mean that the vendor was told which addresses may call, and that ours is not one of
	// them.
	AllowList []string `yaml:"allow_list" json:"allow_list,omitempty"`
	// Codes says in both languages what the provider's codes mean to the people who read them.
	Codes map[string]Text `yaml:"codes" json:"codes,omitempty"`
	// Uploaded is the version of a recipe that an operator uploaded; 0: it is shipped.
	Uploaded int64 `yaml:"-" json:"uploaded,omitempty"`
}

// Own is a channel that a recipe declares. It travels through the queues of message.Other.
type Own struct {
	Name    message.Channel     `yaml:"name" json:"name"`
	Title   Text                `yaml:"title" json:"title"`
	Address string              `yaml:"address" json:"address"` // a regular expression for the whole address
	Example string              `yaml:"example" json:"example"` // an address
	Content message.ContentKind `yaml:"content" json:"content"`
}

// Text is a sentence in both languages.
type Text struct {
	Zh string `yaml:"zh" json:"zh"`
	En string `yaml:"en" json:"en"`
}

// Field is one entry of the form of an account, or of a binding.
type Field struct {
	Name     string   `yaml:"name" json:"name"`
	Label    Text     `yaml:"label" json:"label"`
	Help     Text     `yaml:"help" json:"help"`
	Type     string   `yaml:"type" json:"type"` // string, text (several lines), number, boolean, url, select; in a binding also variables
	Options  []string `yaml:"options" json:"options,omitempty"`
	Default  string   `yaml:"default" json:"default,omitempty"`
	Pattern  string   `yaml:"pattern" json:"pattern,omitempty"`
	Required bool     `yaml:"required" json:"required"`
	Secret   bool     `yaml:"secret" json:"secret"`
}

// Limits are the vendor's, as documented; an account may set lower ones.
type Limits struct {
	PerSecond   int `yaml:"per_second" json:"per_second,omitempty"`
	PerMinute   int `yaml:"per_minute" json:"per_minute,omitempty"`
	PerDay      int `yaml:"per_day" json:"per_day,omitempty"`
	Concurrency int `yaml:"concurrency" json:"concurrency,omitempty"`
	Payload     int `yaml:"payload" json:"payload,omitempty"` // bytes
	// Recipient bounds what one recipient gets. Some vendors drop the rest and still say that they took it.
	Recipient Recipient `yaml:"recipient" json:"recipient,omitzero"`
	// Zone is where the vendor's days begin, such as +08:00; "" is UTC.
	Zone   string `yaml:"zone" json:"zone,omitempty"`
	Source string `yaml:"source" json:"source,omitempty"` // the page that says so
}

// Recipient is how many messages one recipient may get over an account.
type Recipient struct {
	PerMinute int `yaml:"per_minute" json:"per_minute,omitempty"`
	PerHour   int `yaml:"per_hour" json:"per_hour,omitempty"`
	PerDay    int `yaml:"per_day" json:"per_day,omitempty"`
}

// Ahead is how far ahead of UTC the vendor's days are.
func (l Limits) Ahead() (time.Duration, error) {
	if l.Zone == "" {
		return 0, nil
	}
	t, err := time.Parse("-07:00", l.Zone)
	if err != nil {
		return 0, fmt.Errorf("%q is no zone; write it as +08:00", l.Zone)
	}
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second, nil
}

// Has tells whether the provider sends on a channel.
func (d Descriptor) Has(c message.Channel) bool { return slices.Contains(d.Channels, c) }

// Say is the sentence for a code of the provider.
func (d Descriptor) Say(code string) (Text, bool) { return ofCode(d.Codes, code) }

// Unlisted tells whether a code means that our address is not on the vendor's list.
func (d Descriptor) Unlisted(code string) bool { return slices.Contains(d.AllowList, code) }

// Suppress is why a code means that the recipient must not be written to again; "" where it does not.
func (d Descriptor) Suppress(code string) string {
	why, _ := ofCode(d.Suppresses, code)
	return why
}

// ofCode is what a table has for a code: its own entry, or that of the longest pattern, as Missing*, that begins
// like it.
func ofCode[T any](table map[string]T, code string) (found T, ok bool) {
	if found, ok = table[code]; ok {
		return found, true
	}
	longest := -1
	for pattern, v := range table {
		if prefix, wild := strings.CutSuffix(pattern, "*"); wild && strings.HasPrefix(code, prefix) && len(prefix) > longest {
			found, longest = v, len(prefix)
		}
	}
	return found, longest >= 0
}

// Check compares an account with the form; it fills in defaults and names the first faulty field.
func (d Descriptor) Check(a *Account) error {
	if !d.Has(a.Channel) {
		return fmt.Errorf("provider %s does not send on channel %q; it has %v", d.Name, a.Channel, d.Channels)
	}
	known := make(map[string]Field, len(d.Fields))
	for _, f := range d.Fields {
		known[f.Name] = f
		if err := f.check(a); err != nil {
			return fmt.Errorf("provider %s: %w", d.Name, err)
		}
	}
	for name := range a.Config {
		if f, ok := known[name]; !ok || f.Secret {
			return fmt.Errorf("provider %s has no plain field %q", d.Name, name)
		}
	}
	for name := range a.Secrets {
		if f, ok := known[name]; !ok || !f.Secret {
			return fmt.Errorf("provider %s has no secret field %q", d.Name, name)
		}
	}
	return nil
}
