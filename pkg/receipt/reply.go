package receipt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
)

// reply is a recipient's answer on its way through the queue: who, and what in a word. What else he wrote goes
// no further than the callback.
type reply struct {
	From    string
	Channel message.Channel
	Ask     suppress.Ask
	At      message.Time
}

// EncodeReply makes the queue item of a reply that was verified. It is sealed: it names the recipient.
func (s *Receipts) EncodeReply(ctx context.Context, account string, rp provider.Reply) (queue.Item, error) {
	now := message.At(s.Now())
	if rp.At == 0 {
		rp.At = now
	}
	plain, err := json.Marshal(reply{string(rp.From), rp.Channel, suppress.Read(rp.Text), rp.At})
	if err != nil {
		return queue.Item{}, fmt.Errorf("receipt: reply: %w", err)
	}
	sealed, err := s.Store.Conceal(ctx, now, plain)
	if err != nil {
		return queue.Item{}, err
	}
	return encode(entry{Account: account, Reply: sealed})
}

var e164 = regexp.MustCompile(`^\+[0-9]{5,15}$`)

// reply notes an answer at the newest message that had gone to its sender over the account, and does what it asks
// for: STOP suppresses the sender's address, START lifts that. An opt-out is the tenant's of that message;
// where there is none, everybody's.
func (s *Receipts) reply(ctx context.Context, account string, sealed []byte) error {
	now := message.At(s.Now())
	plain, err := s.Store.Reveal(ctx, now, sealed)
	if err != nil {
		return err
	}
	var rp reply
	if err := json.Unmarshal(plain, &rp); err != nil {
		return fmt.Errorf("receipt: reply: %w", err)
	}
	info := provider.Kept(rp.Channel)
	from := message.Address(rp.From)
	if info.Address == message.Phone && !e164.MatchString(rp.From) {
		return ErrUnknown
	}
	key := string(message.SearchKey(info.Address, from))
	r, err := s.answered(ctx, account, rp, s.Store.Partitions(info.Address, key, info.Shards))
	if err != nil {
		return err
	}
	e := suppress.Entry{Channel: rp.Channel, Reason: suppress.OptOut, Source: "reply over " + account, Masked: from.String(), At: rp.At}
	if r != nil {
		e.Tenant, e.Note = r.Tenant, "in answer to "+string(r.ID)
	}
	switch rp.Ask {
	case suppress.Stop:
		_, err = s.Store.AddSuppression(ctx, s.as, now, info.Address, key, e)
	case suppress.Start:
		err = s.lift(ctx, info.Address, key, e)
	}
	if err != nil || r == nil {
		return err
	}
	_, err = s.Store.Update(ctx, s.as, now, r, message.Replied{At: rp.At, Word: string(rp.Ask)})
	if refused := (*message.Refused)(nil); errors.As(err, &refused) {
		return nil
	}
	return err
}

// lift ends the address's opt-outs, from the tenant's messages and from everybody's, of all and of marketing. That START
// was said is kept where there is none: a STOP from before it may still be on its way.
func (s *Receipts) lift(ctx context.Context, kind message.AddressKind, key string, e suppress.Entry) error {
	lift := suppress.Lift{At: e.At, By: "the recipient", Why: "answered START"}
	now, lifted := message.At(s.Now()), e
	lifted.Lifted = lift
	for _, tenant := range []string{e.Tenant, ""} {
		for _, class := range []message.Class{"", message.Marketing} {
			e.Tenant, e.Class = tenant, class
			err := s.Store.LiftSuppression(ctx, s.as, now, kind, key, e, lift)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
	}
	_, err := s.Store.AddSuppression(ctx, s.as, now, kind, key, lifted)
	return err
}

// recent is how many of an address's newest messages are looked at.
const recent = 50

// skew is how far a provider's clock may be behind ours. Nobody answers so soon.
const skew = 10 * time.Second

// answered finds the newest message to an address that had gone over an account when it answered, or else the newest
// that has since; nil where there is none.
func (s *Receipts) answered(ctx context.Context, account string, rp reply, partitions []string) (newest *store.Record, err error) {
	var since *store.Record
	for _, p := range partitions {
		found, err := s.Store.ByRecipient(ctx, s.as, p, store.Range{}, recent, "")
		if err != nil {
			return nil, err
		}
		for _, r := range found.Records {
			i := slices.IndexFunc(r.Attempts, func(a message.Attempt) bool { return a.Account == account })
			switch {
			case i < 0 || r.Channel != rp.Channel:
			case r.Attempts[i].At <= rp.At.Add(skew):
				newest = later(newest, r)
			default:
				since = later(since, r)
			}
		}
	}
	if newest == nil {
		return since, nil
	}
	return newest, nil
}

// later is the message that was accepted later.
func later(a, b *store.Record) *store.Record {
	if a == nil || b.ID.ULID() > a.ID.ULID() {
		return b
	}
	return a
}
