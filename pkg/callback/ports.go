package callback

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/opennotify/notify/pkg/bus"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Store is what callbacks need of the store.
type Store interface {
	Address(ctx context.Context, r *store.Record) (message.Address, error)
	Event(ctx context.Context, r *store.Record) ([]byte, error)
	Message(ctx context.Context, p tenant.Principal, id message.ID) (*store.Record, error)
	Partitions(kind message.AddressKind, key string, shards int) []string
	ByRecipient(ctx context.Context, p tenant.Principal, partition string, in store.Range, limit int, after string) (store.Found, error)
	Health(ctx context.Context, p tenant.Principal, owner, name string) (store.Health, error)
	PutHealth(ctx context.Context, p tenant.Principal, now message.Time, owner, name string, h store.Health) (store.Health, error)
	Doc(ctx context.Context, k store.Kind, name string) (store.Doc, error)
	AddDeed(ctx context.Context, p tenant.Principal, now message.Time, d store.Deed) error
	PutDoc(ctx context.Context, p tenant.Principal, now message.Time, d store.Doc) (store.Doc, error)
}

// Config is what callbacks read of the configuration.
type Config interface {
	Endpoint(ctx context.Context, tenant, name string) (config.Endpoint, bool, error)
	Endpoints(ctx context.Context, tenant string) ([]config.Endpoint, error)
	RenewEndpoints(since message.Time)
	Changed(k store.Kind)
}

// Order is a callback that the intake, which alone makes messages, is asked for. One with the ULID of another
// is that one.
type Order struct {
	Tenant, Endpoint string
	ULID             string
	Event            []byte
	Trace            string
	Kept             bool // nobody is called
	ResendOf         message.ID
}

// Ports is everything that callbacks need.
type Ports struct {
	Store  Store
	Config Config
	// Make hands an order to the intake.
	Make func(ctx context.Context, p tenant.Principal, o Order) (*store.Record, error)
	// Bus gets every event beside the endpoints; it may be nil.
	Bus     bus.Bus
	Now     func() time.Time
	NewULID func(message.Time) string
	Log     *slog.Logger
}

// Callbacks makes callbacks and hears how they went. It is safe for concurrent use.
type Callbacks struct {
	Ports
	as tenant.Principal

	mu     sync.Mutex
	pulses map[string]*pulse
}

// New checks that nothing is missing.
func New(p Ports) (*Callbacks, error) {
	if p.Store == nil || p.Config == nil || p.Make == nil || p.Now == nil || p.NewULID == nil || p.Log == nil {
		return nil, errors.New("callback: a port is missing")
	}
	return &Callbacks{Ports: p, as: tenant.System("callback"), pulses: map[string]*pulse{}}, nil
}

func (c *Callbacks) now() message.Time { return message.At(c.Now()) }
