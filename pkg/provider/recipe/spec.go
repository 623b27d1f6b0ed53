package recipe

import (
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"
)

// spec is the second document of a recipe.
type spec struct {
	Before   []row         `yaml:"before"`   // what is refused or put off before anything leaves
	Token    *tokenSpec    `yaml:"token"`    // the access token that the request carries
	Request  requestSpec   `yaml:"request"`  // how a message is sent
	Answer   answerSpec    `yaml:"answer"`   // what the provider's answer means
	Check    *checkSpec    `yaml:"check"`    // how credentials are tested without sending
	Approval *approvalSpec `yaml:"approval"` // how the state of a bound template is asked for
	Receipts *receiptSpec  `yaml:"receipts"` // how callbacks about messages are read
	Replies  *replySpec    `yaml:"replies"`  // how callbacks with a recipient's words are read
	Callback callbackSpec  `yaml:"callback"` // how all callbacks are verified and answered
	Polls    []pollSpec    `yaml:"polls"`    // how it is asked what became of messages
}

type requestSpec struct {
	Method  source            `yaml:"method"` // POST if missing
	URL     source            `yaml:"url"`
	Query   map[string]source `yaml:"query"`
	Headers map[string]source `yaml:"headers"`
	JSON    node              `yaml:"json"`
	Form    map[string]source `yaml:"form"`
	Sign    map[string]source `yaml:"sign"` // scheme, and its parameters
}

// row says what follows from an answer. The first one that matches counts.
type row struct {
	Codes   []source `yaml:"codes"` // one of them, or one that begins with what is before a *
	When    source   `yaml:"when"`
	Outcome source   `yaml:"outcome"`
	Code    source   `yaml:"code"` // instead of the provider's own
	Wait    source   `yaml:"wait"` // a duration, or an expression for seconds
}

type answerSpec struct {
	Code  source `yaml:"code"` // the provider's code; http_STATUS if it gives none
	ID    source `yaml:"id"`
	Text  source `yaml:"text"`
	Wait  source `yaml:"wait"` // seconds that the provider asks for, if not in Retry-After
	Table []row  `yaml:"table"`
}

type tokenSpec struct {
	JWT     *jwtSpec     `yaml:"jwt"`
	Request *requestSpec `yaml:"request"`
	Answer  answerSpec   `yaml:"answer"`
	Token   source       `yaml:"token"` // where the answer has the token
	Life    source       `yaml:"life"`  // a duration, or an expression for seconds
}

type jwtSpec struct {
	Alg    source `yaml:"alg"`
	Key    source `yaml:"key"` // a private key in PEM
	Header node   `yaml:"header"`
	Claims node   `yaml:"claims"`
}

type checkSpec struct {
	Request requestSpec `yaml:"request"`
	Answer  answerSpec  `yaml:"answer"`
}

type approvalSpec struct {
	Request requestSpec       `yaml:"request"`
	Answer  answerSpec        `yaml:"answer"` // sent: the vendor has answered
	State   source            `yaml:"state"`
	States  map[string]source `yaml:"states"` // the vendor's word: unchecked, pending, approved, rejected
	Note    source            `yaml:"note"`   // the vendor's reason
}

type callbackSpec struct {
	Verify map[string]source `yaml:"verify"` // scheme, and its parameters
	Parse  source            `yaml:"parse"`  // json, form or xml
	JSON   node              `yaml:"json"`   // what the provider wants to hear
	Text   source            `yaml:"text"`
}

type receiptSpec struct {
	Each   source            `yaml:"each"` // the path to the events, as entry[].changes[]
	When   source            `yaml:"when"`
	Ref    source            `yaml:"ref"` // what the request gave as ${ref}
	ID     source            `yaml:"id"`  // the provider's
	Part   source            `yaml:"part"`
	State  source            `yaml:"state"`
	States map[string]source `yaml:"states"` // the provider's word: our state; others are not of interest
	At     source            `yaml:"at"`     // milliseconds since 1970
	Code   source            `yaml:"code"`
	Codes  []source          `yaml:"codes"` // those of them that are known, each with its sentence
	Text   source            `yaml:"text"`
}

type replySpec struct {
	Each source `yaml:"each"`
	When source `yaml:"when"`
	From source `yaml:"from"`
	Text source `yaml:"text"`
	At   source `yaml:"at"`
}

type pollSpec struct {
	Request  requestSpec  `yaml:"request"`
	Answer   answerSpec   `yaml:"answer"` // sent: the provider has answered
	Cursor   source       `yaml:"cursor"` // where the answer says that the next question begins
	More     source       `yaml:"more"`   // whether there is more now
	Receipts *receiptSpec `yaml:"receipts"`
	Replies  *replySpec   `yaml:"replies"`
}

// source is a scalar and where it stands.
type source struct {
	text string
	line int
}

// UnmarshalYAML keeps the line.
func (s *source) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: a text is wanted here", n.Line)
	}
	s.text, s.line = n.Value, n.Line
	return nil
}

func (s source) empty() bool { return s.line == 0 }

// duration reads a wait that is a duration; false if it is an expression.
func (s source) duration() (time.Duration, bool) {
	d, err := time.ParseDuration(s.text)
	return d, err == nil && d >= 0
}

// node is a tree that is read later.
type node struct{ *yaml.Node }

// UnmarshalYAML keeps it as it is.
func (n *node) UnmarshalYAML(y *yaml.Node) error {
	n.Node = y
	return nil
}
