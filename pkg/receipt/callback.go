package receipt

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/telemetry"
)

// Config is what callbacks read of the configuration.
type Config interface {
	Account(ctx context.Context, name string) (config.Account, bool, error)
	RenewAccounts(since message.Time)
}

// Senders opens the sender of an account: the one that can read its callbacks.
type Senders interface {
	Open(ctx context.Context, a config.Account) (provider.Sender, provider.Descriptor, error)
}

// Secrets gives the secret part of an account's callback URL.
type Secrets interface {
	CallbackSecret(account string) string
}

// account is one that somebody knew who made a call over it. It may be news here, as the one is whose first message is a
// trial: then it is looked for once more, but not for every callback to one that is gone.
func (s *Receipts) account(ctx context.Context, name string) (config.Account, bool, error) {
	a, ok, err := s.Config.Account(ctx, name)
	if err != nil || ok {
		return a, ok, err
	}
	s.Config.RenewAccounts(message.At(s.Now().Add(-time.Second)))
	return s.Config.Account(ctx, name)
}

// Callback takes a provider's request: it checks where it came from, reads it, and puts what it says into
// the queue. Only then is the provider told that it was heard. Whatever is not taken is answered alike: who has
// no secret, or the secret and no key, learns neither which accounts there are nor what is wrong with a forgery.
func (s *Receipts) Callback(ctx context.Context, account, secret string, r *http.Request, body []byte) (provider.Callback, error) {
	refused := problem.New(problem.NotFound, "there is no such callback address")
	if subtle.ConstantTimeCompare([]byte(secret), []byte(s.Secrets.CallbackSecret(account))) != 1 {
		s.Metrics.Count(telemetry.ReceiptForged, 1, telemetry.Labels{})
		return provider.Callback{}, refused
	}
	a, ok, err := s.account(ctx, account)
	if err != nil {
		return provider.Callback{}, problem.New(problem.Unavailable, "try again").Because(err)
	}
	if !ok { // it was removed
		s.Metrics.Count(telemetry.ReceiptUnknown, 1, telemetry.Labels{})
		return provider.Callback{}, refused
	}
	sender, desc, err := s.Senders.Open(ctx, a)
	if err != nil {
		return provider.Callback{}, problem.New(problem.Unavailable, "try again").Because(err)
	}
	receiver, ok := sender.(provider.Receiver)
	if !ok { // nothing that its provider could say
		s.Metrics.Count(telemetry.ReceiptUnknown, 1, telemetry.Labels{Channel: string(a.Channel)})
		return provider.Callback{}, refused
	}
	cb, err := receiver.Receive(ctx, r, body)
	if err != nil {
		s.Metrics.Count(telemetry.ReceiptForged, 1, telemetry.Labels{Channel: string(a.Channel)})
		s.Log.WarnContext(ctx, "callback refused", "account", account, "why", err)
		return provider.Callback{}, refused
	}
	items, err := s.items(ctx, account, desc, cb.Receipts, cb.Replies)
	if err != nil {
		return cb, problem.New(problem.Unavailable, "not kept; send it again").Because(err)
	}
	if len(items) > 0 {
		if err := s.Queue.Send(ctx, queue.Receipts, items...); err != nil {
			return cb, problem.New(problem.Unavailable, "not kept; send it again").Because(fmt.Errorf("receipt: queue: %w", err))
		}
	}
	return cb, nil
}

// items is what a provider told over an account, as it travels through the queue.
func (s *Receipts) items(ctx context.Context, account string, desc provider.Descriptor, receipts []provider.Receipt, replies []provider.Reply) ([]queue.Item, error) {
	items := make([]queue.Item, 0, len(receipts)+len(replies))
	for _, rc := range receipts {
		it, err := Encode(account, suppressed(rc, desc))
		if err != nil {
			return items, err
		}
		items = append(items, it)
	}
	for _, rp := range replies {
		it, err := s.EncodeReply(ctx, account, rp)
		if err != nil {
			return items, err
		}
		items = append(items, it)
	}
	return items, nil
}

// suppressed adds to a receipt why the recipient must not be written to again, where its code says so.
func suppressed(rc provider.Receipt, desc provider.Descriptor) provider.Receipt {
	if rc.Suppress == "" && rc.State != message.ReceiptDelivered {
		rc.Suppress = desc.Suppress(rc.Code)
	}
	return rc
}

// Foreign reads queue items that a cloud service put there itself, not our callback: it gives the provider
// that they are of, and false for what is not of its form.
type Foreign func(body []byte) (providerName string, receipts []provider.Receipt, ok bool, err error)

// foreign applies an item that some Foreign understands.
func (s *Receipts) foreign(ctx context.Context, body []byte) (handled bool, err error) {
	for _, read := range s.Foreign {
		name, receipts, ok, err := read(body)
		if !ok {
			continue
		}
		if err != nil {
			return true, err
		}
		var faults []error
		for _, rc := range receipts {
			switch err := s.apply(ctx, via{provider: name}, rc); {
			case errors.Is(err, ErrUnknown):
				s.unknown(ctx, entry{Receipt: &rc})
			case err != nil:
				faults = append(faults, err)
			}
		}
		return true, errors.Join(faults...)
	}
	return false, nil
}
