package template

import (
	"cmp"

	"github.com/opennotify/notify/pkg/message"
)

// Template is one version of a template. Versions are immutable; which one is published is kept beside
// them, so that a message renders the same years later.
type Template struct {
	Name    string        `json:"name"`    // unique within the tenant: lower-case letters, digits, - and _, at most 64
	Tenant  string        `json:"tenant"`  // who owns it
	Version int           `json:"version"` // counts from 1
	Class   message.Class `json:"class"`
	// Shared lets other tenants send it.
	Shared    bool       `json:"shared,omitempty"`
	Variables []Variable `json:"variables,omitempty"`
	Variants  []Variant  `json:"variants"`
	// DedupExclude names variables that do not make two messages different, as an otp's code does not.
	DedupExclude []string `json:"dedup_exclude,omitempty"`
}

// Variable is declared before it may be used or sent.
type Variable struct {
	Name      string `json:"name"`
	Type      string `json:"type"`                 // string (default), number, boolean, url, list (of objects of strings, numbers and booleans, for sections)
	MaxLength int    `json:"max_length,omitempty"` // in characters, of a list of each of its strings; 0: 1,000
	Pattern   string `json:"pattern,omitempty"`    // RE2, must match the whole value
	Optional  bool   `json:"optional,omitempty"`   // absent renders as ""
	Secret    bool   `json:"secret,omitempty"`     // never shown in the console or a timeline
	Example   string `json:"example,omitempty"`    // used by previews
}

// Variant is the content for one channel and locale. Which fields count follows from the channel's kind
// of content; all of them may hold {{variable}}.
type Variant struct {
	Channel message.Channel `json:"channel"`
	Locale  string          `json:"locale"` // BCP 47: zh, en, zh-Hant
	Subject string          `json:"subject,omitempty"`
	Title   string          `json:"title,omitempty"`
	Text    string          `json:"text,omitempty"`
	HTML    string          `json:"html,omitempty"`
	Data    string          `json:"data,omitempty"` // a JSON document whose string leaves are rendered
	// Kind is the kind of content of a channel that a recipe declares. It stays with the version, so that the
	// version renders the same when the recipe is another one, or gone.
	Kind message.ContentKind `json:"kind,omitempty"`
}

// Content is the channel's kind of content: the table's, or Kind, or that of a chat where nobody says.
func (v Variant) Content() message.ContentKind {
	if info, ok := v.Channel.Info(); ok {
		return info.Content
	}
	return cmp.Or(v.Kind, message.ChatText)
}
