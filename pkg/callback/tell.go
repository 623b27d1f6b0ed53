package callback

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/bus"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// Tell makes the callbacks of a message's present status, and puts it on the bus. It can be asked any number
// of times: each endpoint gets one, the bus copies of one.
func (c *Callbacks) Tell(ctx context.Context, r *store.Record) error {
	to, err := c.wanting(ctx, r)
	if err != nil || len(to) == 0 && c.Bus == nil {
		return err
	}
	body, err := c.event(ctx, r)
	if err != nil {
		return err
	}
	for i := range to {
		if _, err := c.Make(ctx, c.as, Order{Tenant: r.Tenant, Endpoint: to[i].Name, ULID: numbered(r.ID, r.Told, to[i].Name),
			Event: body, Trace: r.Trace, Kept: to[i].URL == ""}); err != nil {
			return fmt.Errorf("callback: %w", err)
		}
	}
	if c.Bus == nil {
		return nil
	}
	return c.Bus.Put(ctx, bus.Event{ID: numbered(r.ID, r.Told, ""), Type: typeOf(r.Status), Detail: body})
}

// event tells of a message as it stands.
func (c *Callbacks) event(ctx context.Context, r *store.Record) ([]byte, error) {
	to, err := c.Store.Address(ctx, r)
	if err != nil && !errors.Is(err, store.ErrErased) {
		return nil, fmt.Errorf("callback: %w", err)
	}
	body, err := json.Marshal(eventOf(&r.Message, to))
	if err != nil {
		return nil, fmt.Errorf("callback: event of %s: %w", r.ID, err)
	}
	return body, nil
}

// wanting is the endpoints that want to hear of a message. If none does though one was there when the message
// was accepted, the configuration is older than the endpoint.
func (c *Callbacks) wanting(ctx context.Context, r *store.Record) ([]config.Endpoint, error) {
	for range 2 {
		all, err := c.Config.Endpoints(ctx, r.Tenant)
		if err != nil {
			return nil, fmt.Errorf("callback: %w", err)
		}
		var out []config.Endpoint
		for i := range all {
			if all[i].Live(c.now()) && all[i].Tell().Has(r.Status) {
				out = append(out, all[i])
			}
		}
		if len(out) > 0 || r.Tell&message.ToEndpoints == 0 {
			return out, nil
		}
		c.Config.RenewEndpoints(r.Created)
	}
	return nil, nil
}

// numbered is the ULID of a callback: the same for the same change of status and endpoint.
func numbered(id message.ID, told message.Time, endpoint string) string {
	sum := sha256.Sum256([]byte(string(id) + "/" + told.String() + "/" + endpoint))
	return message.ULIDOf(told, [10]byte(sum[:10]))
}
