package callback

import (
	"cmp"
	"context"
	"slices"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// newer is the order of the lists: by ULID, then by partition.
func newer(a, b message.ID) int {
	return cmp.Or(cmp.Compare(b.ULID(), a.ULID()), cmp.Compare(b.Partition(), a.Partition()))
}

// list reads an endpoint's callbacks, the newest first: at most limit of a range, older than before if that
// is not "". more tells whether there are others.
func (c *Callbacks) list(ctx context.Context, p tenant.Principal, e *config.Endpoint, in store.Range, limit int, before message.ID) (out []*store.Record, more bool, err error) {
	info, _ := message.Webhook.Info()
	if before != "" {
		in.To = min(in.To, before.Created()+1)
	}
	for _, partition := range c.Store.Partitions(info.Address, config.EndpointAccount(e.Tenant, e.Name), info.Shards) {
		of, err := c.shard(ctx, p, partition, in, limit+1, before)
		if err != nil {
			return nil, false, err
		}
		out = append(out, of...)
	}
	slices.SortFunc(out, func(a, b *store.Record) int { return newer(a.ID, b.ID) })
	if more = len(out) > limit; more {
		out = out[:limit]
	}
	return out, more, nil
}

// shard reads as many of one partition.
func (c *Callbacks) shard(ctx context.Context, p tenant.Principal, partition string, in store.Range, limit int, before message.ID) ([]*store.Record, error) {
	var out []*store.Record
	for after := ""; ; {
		found, err := c.Store.ByRecipient(ctx, p, partition, in, limit, after)
		if err != nil {
			return nil, err
		}
		for _, u := range found.Bad {
			c.Log.ErrorContext(ctx, "record unreadable", "message", u.ID, "error", u.Err)
		}
		for _, r := range found.Records {
			if before == "" || newer(r.ID, before) > 0 {
				out = append(out, r)
			}
		}
		if after = found.Next; after == "" || len(out) >= limit {
			return out, nil
		}
	}
}
