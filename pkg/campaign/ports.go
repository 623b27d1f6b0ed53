package campaign

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/opennotify/notify/pkg/blob"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/job"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
	"github.com/opennotify/notify/pkg/timer"
)

// Store is what campaigns need of the store.
type Store interface {
	PutDoc(ctx context.Context, p tenant.Principal, now message.Time, d store.Doc) (store.Doc, error)
	Doc(ctx context.Context, k store.Kind, name string) (store.Doc, error)
	Docs(ctx context.Context, k store.Kind) ([]store.Doc, []error, error)
	History(ctx context.Context, k store.Kind, name string) ([]store.Doc, error)

	Job(ctx context.Context, p tenant.Principal, id string) (store.Job, error)
	Jobs(ctx context.Context, p tenant.Principal, tenant, kind, topic string, limit int, after string) (store.FoundJobs, error)
	NewestJobs(ctx context.Context, p tenant.Principal, tenants []string, kind string, limit int, before string) (store.FoundJobs, error)
	DueJobs(ctx context.Context, before message.Time, limit int, after string) (store.FoundJobs, error)

	ListShards() int
	ByRun(ctx context.Context, p tenant.Principal, of, run string, began message.Time, shard, limit int, after string) (store.Found, error)
	RunTroubles(ctx context.Context, p tenant.Principal, of, run string, began message.Time, limit int, after string) (store.Found, error)
	Messages(ctx context.Context, p tenant.Principal, ids ...message.ID) ([]*store.Record, []*store.Unreadable, error)
	Address(ctx context.Context, r *store.Record) (message.Address, error)
	Vars(ctx context.Context, r *store.Record) (map[string]any, error)
	SourceSecret(tenant string, generation int) message.Secret
	AddDeed(ctx context.Context, p tenant.Principal, now message.Time, d store.Deed) error
}

// Config is what campaigns read of the configuration.
type Config interface {
	Tenant(ctx context.Context, name string) (tenant.Tenant, bool, error)
	Template(ctx context.Context, tenant, name string) (config.Template, bool, error)
	RenewTemplates(since message.Time)
	Version(ctx context.Context, ref message.Ref) (*template.Compiled, error)
}

// Jobs does work in pages; *job.Jobs does.
type Jobs interface {
	Start(ctx context.Context, p tenant.Principal, j store.Job) (store.Job, bool, error)
	Steer(ctx context.Context, p tenant.Principal, id string, to store.JobState, why string, only ...store.JobState) (store.Job, error)
}

// Ports is everything that campaigns need.
type Ports struct {
	Store  Store
	Config Config
	Blobs  blob.Store
	Timer  timer.Timer
	Jobs   Jobs
	Intake Intake
	// Rate is how many messages a second the accounts of a channel take together; 0 is not known.
	Rate func(ctx context.Context, ch message.Channel) (float64, error)
	// HTTP asks tenants' systems for their rows: a client that reaches nothing that is not public.
	HTTP *http.Client
	// PlainHTTP lets those systems be named without TLS: in tests and on one machine.
	PlainHTTP bool
	Now       func() time.Time
	NewULID   func(message.Time) string
	Log       *slog.Logger
}

// Campaigns keeps schedules, and starts, does and steers runs. It is safe for concurrent use.
type Campaigns struct {
	Ports
	as tenant.Principal
}

// New checks that nothing is missing.
func New(p Ports) (*Campaigns, error) {
	if p.Store == nil || p.Config == nil || p.Blobs == nil || p.Timer == nil || p.Jobs == nil || p.Intake == nil || p.Rate == nil || p.HTTP == nil ||
		p.Now == nil || p.NewULID == nil || p.Log == nil {
		return nil, errors.New("campaign: a port is missing")
	}
	return &Campaigns{Ports: p, as: tenant.System("schedule")}, nil
}

// Kind is how runs are done.
func (c *Campaigns) Kind() job.Kind { return job.Kind{Page: c.page, Stop: c.withdraw} }

func (c *Campaigns) now() message.Time { return message.At(c.Now()) }

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
