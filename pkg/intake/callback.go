package intake

import (
	"context"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Callback is the news of one status of a message, for one endpoint of its tenant.
type Callback struct {
	Tenant, Endpoint string
	ULID             string // tells it from all others: made a second time, it is the one that was there
	Event            []byte // a JSON object
	Trace            string
	Kept             bool // nobody is called: it waits to be read
	ResendOf         message.ID
}

// reasonKept is why a callback stays sent that nobody was called for.
const reasonKept = "kept"

// Callback accepts a callback: a message to an endpoint, that nobody is told of in its turn. It has no claim
// and no suppression, as its id says what it is.
func (in *Intake) Callback(ctx context.Context, p tenant.Principal, c Callback) (*store.Record, error) {
	now := in.now()
	info, _ := message.Webhook.Info()
	to := config.EndpointAccount(c.Tenant, c.Endpoint)
	m := message.New(message.Message{
		ID: message.NewID(in.Store.Partition(info.Address, to, info.Shards, c.ULID), c.ULID), Tenant: c.Tenant, Endpoint: c.Endpoint,
		Trace: c.Trace, ResendOf: c.ResendOf, Channel: message.Webhook, Class: message.Callback,
		Created: now, Expires: now.Add(message.Callback.Defaults().TTL),
	}, now)
	if c.Kept {
		m.End(message.Sent, reasonKept, now)
	}
	verdicts, err := in.accept(ctx, p, now, []*store.Draft{{Message: m, To: message.Address(to), Vars: c.Event}})
	if err != nil {
		return nil, err
	}
	return verdicts[0].Record, nil
}

// told is the statuses that somebody is told of: a tenant's endpoints, and the bus.
func (in *Intake) told(ctx context.Context, owner string, now message.Time) (message.Tell, error) {
	endpoints, err := in.Config.Endpoints(ctx, owner)
	if err != nil {
		return 0, unavailable(err)
	}
	tell := in.Tell
	for i := range endpoints {
		if endpoints[i].Live(now) {
			tell |= endpoints[i].Tell() | message.ToEndpoints
		}
	}
	return tell, nil
}
