package receipt

import (
	"context"
	"errors"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/telemetry"
)

// byID joins a receipt that carries the provider's id only. One whose attempt nobody knows yet is kept: the
// write that learns the id joins it.
func (s *Receipts) byID(ctx context.Context, from via, said message.Reported) error {
	if from.account == "" || said.ProviderID == "" {
		return ErrUnknown
	}
	a, ok, err := s.account(ctx, from.account)
	if err != nil {
		return err
	}
	if !ok {
		return ErrUnknown
	}
	if _, desc, _ := s.Senders.Open(ctx, a); !desc.ReceiptsByID { // the descriptor is there without the vault too
		return ErrUnknown
	}
	k, err := s.Store.Resolve(ctx, s.as, message.At(s.Now()), from.account, said.ProviderID, said)
	if err != nil {
		return err
	}
	if k.ID == "" {
		s.Metrics.Count(telemetry.ReceiptParked, 1, telemetry.Labels{Channel: string(a.Channel)})
		return nil
	}
	said.Epoch = k.Epoch
	if err := s.join(ctx, from, k.ID, said); err != nil {
		return err
	}
	return s.joinEarly(ctx, k)
}

// early joins what a delivery that was cut off left waiting beside an id, or asks the provider about it.
func (s *Receipts) early(ctx context.Context, at string) error {
	k, err := s.Store.Early(ctx, s.as, message.At(s.Now()), at)
	if err != nil {
		return err
	}
	if len(k.Early) == 0 && k.Ask.Next > 0 {
		return s.question(ctx, k)
	}
	return s.joinEarly(ctx, k)
}

// joinEarly joins what waited, once: where its record or its attempt is gone nothing else will ever take it.
func (s *Receipts) joinEarly(ctx context.Context, k store.Known) error {
	if len(k.Early) == 0 {
		return nil
	}
	for i := range k.Early {
		k.Early[i].Epoch = k.Epoch
	}
	unknown := s.join(ctx, via{ours: true}, k.ID, k.Early...)
	if unknown != nil && !errors.Is(unknown, ErrUnknown) {
		return unknown
	}
	if err := s.Store.Joined(ctx, s.as, message.At(s.Now()), k); err != nil {
		return err
	}
	return unknown
}
