package operate

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Erasure says what was done to forget a recipient. It is kept for good, under the recipient's hash.
type Erasure struct {
	Address   string          `json:"address"` // masked
	Channel   message.Channel `json:"channel,omitzero"`
	Tenant    string          `json:"tenant,omitzero"`
	Messages  int             `json:"messages"`  // whose recipient and content are gone now
	Cancelled int             `json:"cancelled"` // of these, those that had not been sent
	Left      int             `json:"left"`      // being sent just now: ask again
}

// Erase forgets a recipient: what waits is cancelled, and of every message to it the address, the variables and the
// content are blanked. That something was sent stays, with its end; so do suppressions, which know a hash. The reason
// is kept. It may be asked again, as it must be where some were left, or where a backup was brought back.
func (o *Operate) Erase(ctx context.Context, p tenant.Principal, t Target, reason string) (Versioned[Erasure], error) {
	if err := may(p, tenant.Admin); err != nil {
		return Versioned[Erasure]{}, err
	}
	var f faults
	f.text("/reason", "reason", reason, MaxReason, true)
	at, err := o.locate(ctx, &f, t)
	if err != nil {
		return Versioned[Erasure]{}, err
	}
	e := Erasure{Address: at.entry.Masked, Channel: t.Channel, Tenant: t.Tenant}
	partitions := o.Messages.Partitions(at.kind, at.key, at.shards)
	for _, partition := range partitions {
		if err := o.erase(ctx, p, t, partition, reason, &e); err != nil {
			return Versioned[Erasure]{}, err
		}
	}
	meta, err := o.prove(ctx, p, t.Tenant+"/"+partitions[0], t.Tenant, reason, e)
	if err == nil {
		o.Log.InfoContext(ctx, "recipient erased", "by", p.Name, "reason", reason, "messages", e.Messages, "left", e.Left)
	}
	return Versioned[Erasure]{meta, e}, err
}

// prove keeps what was done. Who asks at the same time has done so too, and has a version of his own.
func (o *Operate) prove(ctx context.Context, p tenant.Principal, name, of, reason string, e Erasure) (Meta, error) {
	for tries := 0; ; tries++ {
		head, _, err := o.document(ctx, store.Erasures, name)
		if err != nil {
			return Meta{}, err
		}
		meta, err := o.save(ctx, p, head, of, reason, e)
		if pr := (*problem.Error)(nil); !errors.As(err, &pr) || pr.Code != problem.Conflict || tries == 3 {
			return meta, err
		}
	}
}

// erase goes through one partition of a recipient. Content of its own lies beside a message: who was cut off may have
// blanked the one, and not the other.
func (o *Operate) erase(ctx context.Context, p tenant.Principal, t Target, partition, reason string, e *Erasure) error {
	for after := ""; ; {
		page, err := o.Messages.ByRecipient(ctx, p, partition, store.Range{}, 100, after)
		if err != nil {
			return unreadable(err)
		}
		for _, r := range page.Records {
			if r.Erased() && !r.Free || t.Tenant != "" && r.Tenant != t.Tenant || t.Channel != "" && r.Channel != t.Channel {
				continue
			}
			if err := o.forget(ctx, p, r, reason, e); err != nil {
				return err
			}
		}
		if after = page.Next; after == "" {
			return nil
		}
	}
}

// forget cancels a message that waits, and blanks it.
func (o *Operate) forget(ctx context.Context, p tenant.Principal, r *store.Record, reason string, e *Erasure) error {
	again := r.Erased()
	for {
		was := r
		if r.Status == message.Queued || r.Status == message.Scheduled {
			saved, err := o.Messages.Update(ctx, p, o.now(), r, message.Cancel{By: p.Name, Why: reason, Code: "erased"})
			if err == nil {
				r = saved
			} else if refused := (*message.Refused)(nil); errors.As(err, &refused) { // it was sent meanwhile
				e.Left++
				return nil
			} else {
				return unkept(err)
			}
		}
		if r.Status == message.Sending {
			e.Left++
			return nil
		}
		_, err := o.Messages.Erase(ctx, p, o.now(), r)
		var stale *store.Stale
		switch {
		case errors.As(err, &stale):
			r = stale.Now
			continue
		case err != nil:
			return unkept(err)
		}
		if again {
			return nil
		}
		e.Messages++
		if was.Status != r.Status {
			e.Cancelled++
		}
		return nil
	}
}

// Erasures lists what was erased, the newest first: their names are hashes.
func (o *Operate) Erasures(ctx context.Context, p tenant.Principal) ([]Versioned[Erasure], error) {
	if err := may(p, tenant.Admin); err != nil {
		return nil, err
	}
	all, err := list[Erasure](ctx, o, p, store.Erasures)
	slices.SortFunc(all, func(a, b Versioned[Erasure]) int { return cmp.Compare(b.At, a.At) })
	return all, err
}
