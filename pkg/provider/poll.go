package provider

import (
	"context"

	"github.com/opennotify/notify/pkg/message"
)

// What a question to a provider may be about.
const (
	OfAccount = "account" // everything that is new since the last question
	OfMessage = "message" // one message, by the provider's own id
)

// Polls says how a provider is asked that does not tell by itself, or not everybody.
type Polls struct {
	Of string `yaml:"of" json:"of" enum:"account,message"`
	// Every is how long between two questions; about one message it doubles, up to an hour.
	Every int `yaml:"every_seconds" json:"every_seconds"`
	// After is how long after its sending a message is first asked about, Until how long after that last.
	After int `yaml:"after_seconds" json:"after_seconds,omitempty"`
	Until int `yaml:"until_seconds" json:"until_seconds,omitempty"`
	// Switch names the account's field that says whether it is asked at all; "" is always.
	Switch string `yaml:"switch" json:"switch,omitempty"`
}

// Asks tells whether an account of the provider is asked, and about what.
func (d Descriptor) Asks(of string, config map[string]string) bool {
	return d.Polls != nil && d.Polls.Of == of && (d.Polls.Switch == "" || config[d.Polls.Switch] == "true")
}

// Poller is what a provider can do that can be asked what became of messages. Descriptor.Polls says how often.
type Poller interface {
	// Poll asks once, by ctx's deadline. News is what was heard, also beside an error: a vendor may say a thing
	// once and never again. The error says what was not heard; it holds no secret and no address.
	Poll(ctx context.Context, q Question) (News, error)
}

// Question is what a provider is asked.
type Question struct {
	Cursor string // of the news before, where the question is of the account; "" at the first
	// The rest is of the message, where the question is.
	ID         message.ID
	Epoch      int
	ProviderID string
	To         message.Address
	At         message.Time // of the attempt
}

// News is what a provider answered.
type News struct {
	Receipts []Receipt
	Replies  []Reply
	Cursor   string // where the next question begins
	More     bool   // there is more now
}
