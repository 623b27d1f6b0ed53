package delivery

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/quota"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

// Store is what delivery needs of the store.
type Store interface {
	Message(ctx context.Context, p tenant.Principal, id message.ID) (*store.Record, error)
	Messages(ctx context.Context, p tenant.Principal, ids ...message.ID) ([]*store.Record, []*store.Unreadable, error)
	Save(ctx context.Context, p tenant.Principal, now message.Time, r *store.Record, next message.Message) (*store.Record, error)
	Update(ctx context.Context, p tenant.Principal, now message.Time, r *store.Record, e message.Event) (*store.Record, error)
	Finish(ctx context.Context, p tenant.Principal, now message.Time, r *store.Record, e message.Event, t store.Trail) (*store.Record, error)
	Blank(ctx context.Context, p tenant.Principal, now message.Time, r *store.Record) error
	Release(ctx context.Context, p tenant.Principal, now message.Time, r *store.Record) error
	Group(ctx context.Context, p tenant.Principal, id string) (store.Group, error)
	GoesOtherwise(ctx context.Context, p tenant.Principal, now message.Time, r *store.Record) (bool, error)
	Address(ctx context.Context, r *store.Record) (message.Address, error)
	Vars(ctx context.Context, r *store.Record) (map[string]any, error)
	Content(ctx context.Context, r *store.Record) (message.Content, error)
	Event(ctx context.Context, r *store.Record) ([]byte, error)
	Breakers
	quota.Store
	Suppressions(ctx context.Context, kind message.AddressKind, key string) ([]suppress.Entry, error)
	AddSuppression(ctx context.Context, p tenant.Principal, now message.Time, kind message.AddressKind, key string, e suppress.Entry) (bool, error)
	Hint(r *store.Record) ([]byte, error)
	OptOutToken(id message.ID) string
	TakePlace(ctx context.Context, p tenant.Principal, now message.Time, route string, id message.ID, most int, within time.Duration) (taken bool, wait time.Duration, err error)
}

// Config is what delivery reads of the configuration.
type Config interface {
	Version(ctx context.Context, ref message.Ref) (*template.Compiled, error)
	Accounts(ctx context.Context, ch message.Channel) ([]config.Account, error)
	Routes(ctx context.Context) ([]route.Route, error)
	Bindings(ctx context.Context, ref message.Ref) (config.Bindings, error)
	Endpoint(ctx context.Context, tenant, name string) (config.Endpoint, bool, error)
	RenewEndpoints(since message.Time)
	Tenant(ctx context.Context, name string) (tenant.Tenant, bool, error)
}

// Providers describes providers by name, and channels, those that recipes declare too.
type Providers interface {
	Get(ctx context.Context, name string) (provider.Descriptor, bool, error)
	Channel(ctx context.Context, name message.Channel) (provider.Channel, bool, error)
}

// Senders opens the sender of an account; what it opened before it gives again.
type Senders interface {
	Open(ctx context.Context, a config.Account) (provider.Sender, provider.Descriptor, error)
}

// Callbacks tells tenants what became of their messages.
type Callbacks interface {
	// Tell makes the callbacks of a message's present status, once however often it is asked.
	Tell(ctx context.Context, r *store.Record) error
	// Heard is told what an endpoint answered to a callback.
	Heard(ctx context.Context, r *store.Record, res message.Result)
}

// Ports is everything that delivery needs.
type Ports struct {
	Store     Store
	Config    Config
	Providers Providers
	Senders   Senders
	Callbacks Callbacks
	Queue     queue.Queue
	Now       func() time.Time
	// Random is a number in [0,1), for jitter and weights.
	Random  func() float64
	Metrics telemetry.Metrics
	// PublicURL is where the API is seen from outside: what marketing mail points to. "" is nowhere.
	PublicURL string
	Log       *slog.Logger
}

// The times of one attempt (DESIGN of the queues: call 10 s, lease 35 s, visibility 180 s).
const (
	leaseFor = 35 * time.Second
	// poisonAt is the receive at which a message that fails again is parked, one before the last.
	poisonAt = queue.MaxReceives - 1
)

// Delivery handles hints. It is a queue.Handler.
type Delivery struct {
	Ports
	as     tenant.Principal
	quota  *quota.Quota
	health *health

	mu    sync.Mutex
	gates map[string]*gate
}

// New checks that nothing is missing.
func New(p Ports) (*Delivery, error) {
	if p.Store == nil || p.Config == nil || p.Providers == nil || p.Senders == nil || p.Callbacks == nil || p.Queue == nil || p.Now == nil || p.Random == nil || p.Metrics == nil || p.Log == nil {
		return nil, errors.New("delivery: a port is missing")
	}
	return &Delivery{Ports: p, as: tenant.System("delivery"), quota: quota.New(p.Store, p.Now), health: newHealth(), gates: map[string]*gate{}}, nil
}

func (d *Delivery) now() message.Time { return message.At(d.Now()) }
