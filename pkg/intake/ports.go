package intake

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/opennotify/notify/pkg/address"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/limit"
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

// Store is what intake needs of the store.
type Store interface {
	Accept(ctx context.Context, p tenant.Principal, now message.Time, drafts ...*store.Draft) ([]store.Verdict, error)
	Peek(ctx context.Context, p tenant.Principal, now message.Time, d *store.Draft) (store.Verdict, error)
	ByKey(ctx context.Context, p tenant.Principal, now message.Time, tenant string, k *store.KeyClaim) (*store.Record, *store.Group, error)
	OpenGroup(ctx context.Context, p tenant.Principal, now message.Time, g store.Group, k *store.KeyClaim, keep time.Duration) (store.Group, bool, error)
	SaveGroup(ctx context.Context, p tenant.Principal, now message.Time, g store.Group, keep time.Duration) (store.Group, error)
	Group(ctx context.Context, p tenant.Principal, id string) (store.Group, error)
	Message(ctx context.Context, p tenant.Principal, id message.ID) (*store.Record, error)
	Messages(ctx context.Context, p tenant.Principal, ids ...message.ID) ([]*store.Record, []*store.Unreadable, error)
	Update(ctx context.Context, p tenant.Principal, now message.Time, r *store.Record, e message.Event) (*store.Record, error)
	Due(ctx context.Context, shard string, now message.Time, limit int, after string) ([]store.Due, string, error)
	DueShards() []string
	Partition(kind message.AddressKind, key string, shards int, salt string) string
	RunULID(run string, began message.Time, kind message.AddressKind, key string) string
	Suppressions(ctx context.Context, kind message.AddressKind, key string) ([]suppress.Entry, error)
	Address(ctx context.Context, r *store.Record) (message.Address, error)
	Vars(ctx context.Context, r *store.Record) (map[string]any, error)
	Content(ctx context.Context, r *store.Record) (message.Content, error)
	Hint(r *store.Record) ([]byte, error)
	Conceal(ctx context.Context, now message.Time, plain []byte) ([]byte, error)
	Reveal(ctx context.Context, now message.Time, sealed []byte) ([]byte, error)
	TakePlace(ctx context.Context, p tenant.Principal, now message.Time, of string, id message.ID, most int, within time.Duration) (taken bool, wait time.Duration, err error)
	GivePlace(ctx context.Context, p tenant.Principal, now message.Time, of string, id message.ID, within time.Duration) error
	PlaceIn(ctx context.Context, p tenant.Principal, now message.Time, of string, id message.ID, most int, within time.Duration) (has bool, wait time.Duration, err error)
	Asked(m *message.Message, k *store.KeyClaim) message.ID
	RangeLimits(tenant string, kind message.AddressKind, prefix string) store.Subject
	Levels(ctx context.Context, asks ...store.Metered) ([][]limit.Level, error)
	RefusedTo(kind message.AddressKind, key string) string
	RefusedAs(reference string) string
	AddDeed(ctx context.Context, p tenant.Principal, now message.Time, d store.Deed) error
	quota.Store
}

// Config is what intake reads of the configuration.
type Config interface {
	Tenant(ctx context.Context, name string) (tenant.Tenant, bool, error)
	Template(ctx context.Context, tenant, name string) (config.Template, bool, error)
	Version(ctx context.Context, ref message.Ref) (*template.Compiled, error)
	Accounts(ctx context.Context, ch message.Channel) ([]config.Account, error)
	Routes(ctx context.Context) ([]route.Route, error)
	Bindings(ctx context.Context, ref message.Ref) (config.Bindings, error)
	Endpoints(ctx context.Context, tenant string) ([]config.Endpoint, error)
	Settings(ctx context.Context) (config.Settings, error)
}

// Providers describes providers by name, and channels, those that recipes declare too.
type Providers interface {
	Get(ctx context.Context, name string) (provider.Descriptor, bool, error)
	Channel(ctx context.Context, name message.Channel) (provider.Channel, bool, error)
}

// Ports is everything that intake needs.
type Ports struct {
	Store     Store
	Config    Config
	Queue     queue.Queue
	Addresses address.Reader
	Now       func() time.Time
	// NewULID makes a ULID of an instant, in lower case.
	NewULID func(message.Time) string
	// Providers describes them: which of them need a binding, and how channels are read.
	Providers Providers
	// Allowed tells whether this stage may write to an address; nil is every address.
	Allowed func(kind message.AddressKind, key message.Address) bool
	// PublicURL is where the API is seen from outside, "" where nobody has said: then marketing mail has no address
	// to opt out at.
	PublicURL string
	// Tell is the statuses that somebody is told of, whatever the tenants' endpoints want.
	Tell    message.Tell
	Metrics telemetry.Metrics
	Log     *slog.Logger
}

// Intake accepts messages. It is safe for concurrent use.
type Intake struct {
	Ports
	as    tenant.Principal
	quota *quota.Quota
}

// New checks that nothing is missing.
func New(p Ports) (*Intake, error) {
	if p.Store == nil || p.Config == nil || p.Queue == nil || p.Providers == nil || p.Now == nil || p.NewULID == nil || p.Metrics == nil || p.Log == nil {
		return nil, errors.New("intake: a port is missing")
	}
	return &Intake{p, tenant.System("intake"), quota.New(p.Store, p.Now)}, nil
}

func (in *Intake) now() message.Time { return message.At(in.Now()) }
