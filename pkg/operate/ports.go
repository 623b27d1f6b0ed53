package operate

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/opennotify/notify/pkg/address"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/secret"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/tenant"
)

// Documents keeps what is edited.
type Documents interface {
	PutDoc(ctx context.Context, p tenant.Principal, now message.Time, d store.Doc) (store.Doc, error)
	Doc(ctx context.Context, k store.Kind, name string) (store.Doc, error)
	DocVersion(ctx context.Context, k store.Kind, name string, version int64) (store.Doc, error)
	Docs(ctx context.Context, k store.Kind) ([]store.Doc, []error, error)
	History(ctx context.Context, k store.Kind, name string) ([]store.Doc, error)
}

// Suppressions keeps addresses that must not be written to.
type Suppressions interface {
	Suppressions(ctx context.Context, kind message.AddressKind, key string) ([]suppress.Entry, error)
	PutSuppression(ctx context.Context, p tenant.Principal, now message.Time, kind message.AddressKind, key string, e suppress.Entry) error
	LiftSuppression(ctx context.Context, p tenant.Principal, now message.Time, kind message.AddressKind, key string, e suppress.Entry, l suppress.Lift) error
	ListSuppressions(ctx context.Context, p tenant.Principal, limit int, after string) ([]suppress.Entry, string, error)
}

// Messages finds messages, and changes those that are dead.
type Messages interface {
	ByTenant(ctx context.Context, p tenant.Principal, tenant, day string, shard int, in store.Range, limit int, after string) (store.Found, error)
	ListShards() int
	Message(ctx context.Context, p tenant.Principal, id message.ID) (*store.Record, error)
	Update(ctx context.Context, p tenant.Principal, now message.Time, r *store.Record, e message.Event) (*store.Record, error)
	Partitions(kind message.AddressKind, key string, shards int) []string
	ByRecipient(ctx context.Context, p tenant.Principal, partition string, in store.Range, limit int, after string) (store.Found, error)
	Erase(ctx context.Context, p tenant.Principal, now message.Time, r *store.Record) (*store.Record, error)
}

// Deeds keeps what was done that leaves no version of a document. It is asked before the thing is done: nothing
// is done that is not kept.
type Deeds interface {
	AddDeed(ctx context.Context, p tenant.Principal, now message.Time, d store.Deed) error
}

// Config is told of every change, so that it is in force here at once.
type Config interface {
	Changed(k store.Kind)
}

// Catalog describes the providers, and the channels, those that recipes declare too.
type Catalog interface {
	Get(ctx context.Context, name string) (provider.Descriptor, bool, error)
	All(ctx context.Context) ([]provider.Descriptor, error)
	Channel(ctx context.Context, name message.Channel) (provider.Channel, bool, error)
	Shipped(name string) (provider.Descriptor, bool)
	ShippedChannels() []provider.Channel
}

// Ports is everything that operating needs.
type Ports struct {
	Documents    Documents
	Suppressions Suppressions
	Messages     Messages
	Accounting   Accounting
	Deeds        Deeds
	Vault        secret.Vault
	Config       Config
	Catalog      Catalog
	Queue        queue.Queue
	Addresses    address.Reader
	// Check tries an account's credentials without sending; its error is what the provider said. It
	// returns ErrNoCheck where the provider has no way to. Nil where accounts cannot be opened at all.
	Check func(ctx context.Context, a config.Account) error
	// Approval asks an account's provider for the state of a bound template; its error is what the provider
	// said. Nil like Check.
	Approval func(ctx context.Context, a config.Account, binding map[string]string) (provider.Approval, string, error)
	// CallbackSecret is the secret part of the address that an account's provider calls. Nil where none is called.
	CallbackSecret func(account string) string
	// Try sends over an account. Nil like Check.
	Try Sending
	// Compile reads a recipe as what sends would, and finds everything that is wrong with it. Nil where nothing
	// sends.
	Compile func(name string, text []byte) (provider.Descriptor, error)
	// Deployed tells whether a channel's queues exist; nil is every channel's.
	Deployed func(message.Channel) bool
	// PublicURL is where the API is seen from outside; "" where the deployment does not say.
	PublicURL string
	// Egress is the one address that providers are called from; "" where it is not fixed.
	Egress string
	Now    func() time.Time
	Random io.Reader // for keys
	Log    *slog.Logger
}

// ErrNoCheck is returned by Ports.Check for a provider that can only be tried by sending.
var ErrNoCheck = errors.New("operate: this provider can only be tried by sending a message")

// Operate changes what is edited. It is safe for concurrent use.
type Operate struct {
	Ports
	// secrets lets one account's secrets and document be written together, in this process.
	secrets sync.Mutex
}

// New checks that nothing is missing.
func New(p Ports) (*Operate, error) {
	if p.Documents == nil || p.Suppressions == nil || p.Messages == nil || p.Accounting == nil || p.Deeds == nil || p.Vault == nil || p.Config == nil || p.Catalog == nil ||
		p.Queue == nil || p.Addresses.Phone == nil || p.Now == nil || p.Random == nil || p.Log == nil {
		return nil, errors.New("operate: a port is missing")
	}
	return &Operate{Ports: p}, nil
}

func (o *Operate) now() message.Time { return message.At(o.Now()) }

// may refuses a principal that has none of the scopes.
func may(p tenant.Principal, scopes ...tenant.Scope) error {
	for _, s := range scopes {
		if p.May(s) {
			return nil
		}
	}
	return problem.New(problem.Forbidden, "this needs a key with the scope %v", scopes)
}
