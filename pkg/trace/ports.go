package trace

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/opennotify/notify/pkg/address"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

// Store is what trace reads of the store.
type Store interface {
	Message(ctx context.Context, p tenant.Principal, id message.ID) (*store.Record, error)
	Messages(ctx context.Context, p tenant.Principal, ids ...message.ID) ([]*store.Record, []*store.Unreadable, error)
	Group(ctx context.Context, p tenant.Principal, id string) (store.Group, error)
	Address(ctx context.Context, r *store.Record) (message.Address, error)
	Vars(ctx context.Context, r *store.Record) (map[string]any, error)
	Content(ctx context.Context, r *store.Record) (message.Content, error)
	Event(ctx context.Context, r *store.Record) ([]byte, error)

	Job(ctx context.Context, p tenant.Principal, id string) (store.Job, error)

	RefusedTo(kind message.AddressKind, key string) string
	RefusedAs(reference string) string
	RefusalsOf(ctx context.Context, p tenant.Principal, tenant string, in store.Range, limit int, marks ...string) ([]store.Refusal, error)
	Partitions(kind message.AddressKind, key string, shards int) []string
	ListShards() int
	ByRecipient(ctx context.Context, p tenant.Principal, partition string, in store.Range, limit int, after string) (store.Found, error)
	ByReference(ctx context.Context, p tenant.Principal, tenant, reference string, in store.Range, limit int, after string) (store.Found, error)
	ByTenant(ctx context.Context, p tenant.Principal, tenant, day string, shard int, in store.Range, limit int, after string) (store.Found, error)
	Troubles(ctx context.Context, p tenant.Principal, tenant, day string, in store.Range, limit int, after string) (store.Found, error)
}

// Config is what trace reads of the configuration.
type Config interface {
	Tenant(ctx context.Context, name string) (tenant.Tenant, bool, error)
	Tenants(ctx context.Context) ([]tenant.Tenant, error)
	Templates(ctx context.Context) ([]config.Template, error)
	Version(ctx context.Context, ref message.Ref) (*template.Compiled, error)
	Versions(ctx context.Context) ([]*template.Compiled, error)
	Accounts(ctx context.Context, ch message.Channel) ([]config.Account, error)
}

// Providers describes providers by name, and channels, those that recipes declare too.
type Providers interface {
	Get(ctx context.Context, name string) (provider.Descriptor, bool, error)
	Channel(ctx context.Context, name message.Channel) (provider.Channel, bool, error)
	Declared(ctx context.Context) ([]provider.Channel, error)
}

// Ports is everything that trace needs.
type Ports struct {
	Store     Store
	Config    Config
	Providers Providers
	// Addresses reads what is typed into a search.
	Addresses address.Reader
	// Region is the country of phone numbers that are typed without one, where the tenant has none: CN.
	Region string
	// Egress is the one address that providers are called from; "" where it is not fixed.
	Egress string
	// Known refuses names that never were anybody's, where nothing was found; nil takes each for known.
	Known func(ctx context.Context, where, tenant string, ch message.Channel, account string) error
	Now   func() time.Time
	Log   *slog.Logger
}

// Trace reads. It is safe for concurrent use.
type Trace struct {
	Ports
	budget int // records that one search looks at

	mu    sync.Mutex
	known *library // of texts, for Who
}

// maxLook bounds one search, so that it ends inside a request's time.
const maxLook = 5000

// New checks that nothing is missing.
func New(p Ports) (*Trace, error) {
	var missing []string
	for _, port := range []struct {
		name  string
		there bool
	}{
		{"Store", p.Store != nil}, {"Config", p.Config != nil}, {"Providers", p.Providers != nil},
		{"Addresses.Phone", p.Addresses.Phone != nil}, {"Region", p.Region != ""}, {"Now", p.Now != nil}, {"Log", p.Log != nil},
	} {
		if !port.there {
			missing = append(missing, port.name)
		}
	}
	if len(missing) > 0 {
		return nil, errors.New("trace: missing: " + strings.Join(missing, ", "))
	}
	return &Trace{Ports: p, budget: maxLook}, nil
}

func (t *Trace) now() message.Time { return message.At(t.Now()) }

// may refuses a principal that can neither read its tenant's messages nor operate.
func may(p tenant.Principal) error {
	if p.May(tenant.Read) || p.May(tenant.Operate) {
		return nil
	}
	return problem.New(problem.Forbidden, "this key lacks the scope read")
}

// unread is the answer to a fault below us.
func unread(err error) error {
	var p *problem.Error
	if errors.As(err, &p) {
		return p
	}
	if u := (*store.Unreadable)(nil); errors.As(err, &u) {
		return problem.New(problem.Internal, "message %s is damaged and cannot be read; the request id finds the fault in the log", u.ID).Because(err)
	}
	return problem.New(problem.Unavailable, "the records cannot be read right now; ask again").After(time.Second).Because(err)
}
