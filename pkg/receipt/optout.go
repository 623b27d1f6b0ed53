package receipt

import (
	"context"
	"errors"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
)

// Recipient finds the message whose recipient holds a link by which he opts out. A token that is not ours and
// one whose message is gone look alike.
func (s *Receipts) Recipient(ctx context.Context, token string) (*store.Record, error) {
	none := problem.New(problem.NotFound, "this link is not valid, or no longer")
	id, ok := s.Store.ReadOptOutToken(token)
	if !ok {
		return nil, none
	}
	r, err := s.Store.Message(ctx, s.as, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, none
	}
	if err != nil {
		return nil, problem.New(problem.Unavailable, "try again").Because(err)
	}
	return r, nil
}

// OptOut suppresses marketing of a message's tenant to its recipient, for good.
func (s *Receipts) OptOut(ctx context.Context, token string) error {
	r, err := s.Recipient(ctx, token)
	if err != nil {
		return err
	}
	now := message.At(s.Now())
	to, err := s.Store.Address(ctx, r)
	if errors.Is(err, store.ErrErased) {
		return problem.New(problem.NotFound, "this link is not valid, or no longer")
	}
	if err == nil {
		info := provider.Kept(r.Channel)
		e := suppress.Entry{Tenant: r.Tenant, Channel: r.Channel, Class: message.Marketing, Reason: suppress.OptOut,
			Source: string(r.ID), Note: "unsubscribed by link", Masked: to.String(), At: now}
		_, err = s.Store.AddSuppression(ctx, s.as, now, info.Address, string(message.SearchKey(info.Address, to)), e)
	}
	if err != nil {
		return problem.New(problem.Unavailable, "not kept; try again").Because(err)
	}
	return nil
}
