// Package gate holds tenants to their requests a second: a Gate for httpapi.Config. It counts in this
// process, so on AWS a tenant may reach its limit once per running instance; the accounts' limits, which
// providers care about, are kept elsewhere.
package gate

import (
	"context"
	"sync"
	"time"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// Tenants reads tenants.
type Tenants interface {
	Tenant(ctx context.Context, name string) (tenant.Tenant, bool, error)
}

// Gate counts requests that send.
type Gate struct {
	tenants Tenants
	now     func() time.Time

	mu      sync.Mutex
	buckets map[string]limit.Bucket
}

// New makes a gate at which nobody has been yet.
func New(tenants Tenants, now func() time.Time) *Gate {
	return &Gate{tenants: tenants, now: now, buckets: map[string]limit.Bucket{}}
}

// Enter lets a request in, or refuses it with rate_limited and the time to wait.
func (g *Gate) Enter(ctx context.Context, c *httpapi.Call) error {
	if c.Op().Scope != tenant.Send || c.Principal.Tenant == "" {
		return nil
	}
	t, ok, err := g.tenants.Tenant(ctx, c.Principal.Tenant)
	if err != nil || !ok || t.PerSecond <= 0 {
		return nil // who cannot be looked up is the operation's to refuse
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	b, wait := g.buckets[t.Name].Take(float64(t.PerSecond), message.At(g.now()))
	g.buckets[t.Name] = b
	if wait > 0 {
		return problem.New(problem.RateLimited, "tenant %s may send %d requests a second; wait, or ask an operator for more", t.Name, t.PerSecond).After(wait)
	}
	return nil
}
