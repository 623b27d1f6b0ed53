package provider

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/opennotify/notify/pkg/message"
)

// Call is one attempt to send one message.
type Call struct {
	ID       message.ID
	Epoch    int    // counts the attempts
	Key      string // stays the same over all attempts of a message: for providers that deduplicate by a key
	Tenant   string
	Channel  message.Channel
	Class    message.Class
	To       message.Address
	Content  message.Content
	Template string // its name; "" for free content
	Locale   string
	Vars     map[string]any    // for providers that fill in a template of their own
	Binding  map[string]string // that template's id, sign name, parameter order, by name
	// Unsubscribe is where one click of the recipient opts out; "" where there is no such place.
	Unsubscribe string
	Trace       string       // W3C traceparent, "" if none
	Expires     message.Time // the provider need not try later than this
}

// Sender sends over one account. Send is called by many goroutines at once.
type Sender interface {
	// Send makes one attempt. It returns by ctx's deadline, does not retry by itself, and has no error:
	// every fault is an outcome. Result's texts hold no secret and no address.
	Send(ctx context.Context, c Call) message.Result
}

// Receiver is what a provider can do whose callbacks we understand.
type Receiver interface {
	// Receive checks the callback's signature, then reads it. The error says why it is refused; it goes to
	// the log only, and names nothing of the callback.
	Receive(ctx context.Context, r *http.Request, body []byte) (Callback, error)
}

// Checker is what a provider can do that can test its credentials without sending.
type Checker interface {
	Check(ctx context.Context) error
}

// Callback is what a provider told us in one request.
type Callback struct {
	Receipts []Receipt
	Replies  []Reply
	// Status and Body are what the provider wants to hear; 0 is 200.
	Status int
	Body   []byte
}

// Receipt says what became of a message. It names it by our ID, or by the provider's.
type Receipt struct {
	ID         message.ID
	Epoch      int // 0: the attempt that has ProviderID, or the newest
	ProviderID string
	Part       int // of a message in several parts, from 0
	State      message.ReceiptState
	At         message.Time
	Code, Text string
	// Suppress is why the recipient must not be written to again, where it is not for the descriptor's codes
	// or the state to say.
	Suppress string `json:",omitempty"`
}

// Reply is what a recipient wrote back.
type Reply struct {
	From    message.Address
	Channel message.Channel
	Text    string
	At      message.Time
}

// Account is one configured account as Open gets it.
type Account struct {
	Name     string            // unique in this installation
	Provider string            // the descriptor's name
	Channel  message.Channel   // the channel that it sends on
	Config   map[string]string // the descriptor's fields that are not secret
	Secrets  map[string]message.Secret
}

// Env is what a Sender may use of the world. Nothing else: no environment variables, no globals.
type Env struct {
	// Client has no redirects, no proxy, no compression, and time-outs. Guarded does in addition refuse
	// addresses that are not public; use it wherever a tenant chose the URL.
	Client, Guarded *http.Client
	Now             func() time.Time
	// Nonce is random text for signatures, 16 bytes in hex.
	Nonce func() string
	// Tokens keeps the access tokens that have to be fetched; nil where no account needs one.
	Tokens Tokens
	Log    *slog.Logger
}

// Tokens keeps access tokens by a key that tells accounts apart, and changes with their credentials.
type Tokens interface {
	// Token gives a token that is still good. Without one it calls fetch, once for all who wait, which says
	// for how long the token is good.
	Token(ctx context.Context, key string, fetch func(context.Context) (token string, life time.Duration, err error)) (string, error)
	// Drop forgets a token that the vendor refused, unless there is a newer one.
	Drop(key, token string)
}

// ErrNoToken is Tokens' error while a vendor rests that has just given no token, maybe to another process.
var ErrNoToken = errors.New("provider: the vendor gave no token a moment ago")

// OpenFunc makes a Sender of an account. The error names the field that is wrong, never a secret.
type OpenFunc func(a Account, e Env) (Sender, error)

// MaxAnswer is how many bytes of a provider's answer are read.
const MaxAnswer = 64 << 10

// Timeout bounds one call to a provider.
const Timeout = 10 * time.Second
