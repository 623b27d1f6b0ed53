// Package receipt applies what providers say after the sending: it finds the message, joins the receipt
// to its attempt, and sees to what the new status leaves behind.
package receipt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Store is what receipts need of the store.
type Store interface {
	Message(ctx context.Context, p tenant.Principal, id message.ID) (*store.Record, error)
	Update(ctx context.Context, p tenant.Principal, now message.Time, r *store.Record, e message.Event) (*store.Record, error)
}

// Ports is everything that receipts need.
type Ports struct {
	Store   Store
	Secrets Secrets
	Config  Config
	Senders Senders
	Foreign []Foreign
	Queue   queue.Queue
	Now     func() time.Time
	Log     *slog.Logger
}

// Receipts applies receipts.
type Receipts struct {
	Ports
	as tenant.Principal
}

// New checks that nothing is missing.
func New(p Ports) (*Receipts, error) {
	if p.Store == nil || p.Secrets == nil || p.Config == nil || p.Senders == nil || p.Queue == nil || p.Now == nil || p.Log == nil {
		return nil, errors.New("receipt: a port is missing")
	}
	return &Receipts{p, tenant.System("receipt")}, nil
}

// ErrUnknown: no attempt of this account could have caused the receipt.
var ErrUnknown = errors.New("receipt: no message of this account")

// Apply joins one receipt of an account's provider. A receipt can only change a message that was sent
// over that account. It may come early, late, twice, or out of order.
func (s *Receipts) Apply(ctx context.Context, account string, rc provider.Receipt) error {
	return s.apply(ctx, via{account: account}, rc)
}

// via is over what a receipt came: one account, or any account of a provider.
type via struct{ account, provider string }

func (s *Receipts) apply(ctx context.Context, from via, rc provider.Receipt) error {
	if rc.ID == "" {
		return ErrUnknown
	}
	r, err := s.Store.Message(ctx, s.as, rc.ID)
	if errors.Is(err, store.ErrNotFound) {
		return ErrUnknown
	}
	if err != nil {
		return err
	}
	if !sentOver(r, from, rc) {
		return ErrUnknown
	}
	now := message.At(s.Now())
	if rc.At == 0 {
		rc.At = now
	}
	saved, err := s.Store.Update(ctx, s.as, now, r, message.Reported{Epoch: rc.Epoch, ProviderID: rc.ProviderID,
		Receipt: message.Receipt{Part: rc.Part, State: rc.State, At: rc.At, Code: rc.Code, Text: rc.Text}})
	if refused := (*message.Refused)(nil); errors.As(err, &refused) {
		s.Log.WarnContext(ctx, "receipt refused", "message", rc.ID, "account", from.account, "why", refused.Why)
		return nil
	}
	if err != nil {
		return err
	}
	if saved.Todo != 0 {
		if err := s.Queue.Send(ctx, queue.Lane(saved.Channel, saved.Lane()), queue.Item{Body: store.BareHint(saved.ID), Group: saved.Tenant}); err != nil {
			s.Log.WarnContext(ctx, "hint not queued; the sweep will", "message", saved.ID, "error", err)
		}
	}
	return nil
}

// sentOver tells whether the attempt that a receipt is about, or any if it names none, went that way.
func sentOver(r *store.Record, from via, rc provider.Receipt) bool {
	for i := range r.Attempts {
		a := &r.Attempts[i]
		if (a.Account == from.account || from.provider != "" && a.Provider == from.provider) && (rc.Epoch == 0 || a.Epoch == rc.Epoch) {
			return true
		}
	}
	return false
}

// entry is a receipt on its way through the queue.
type entry struct {
	Account string           `json:"account"`
	Receipt provider.Receipt `json:"receipt"`
}

// Encode makes the queue item of a receipt that was verified.
func Encode(account string, rc provider.Receipt) (queue.Item, error) {
	body, err := json.Marshal(entry{account, rc})
	if err != nil {
		return queue.Item{}, fmt.Errorf("receipt: encode: %w", err)
	}
	return queue.Item{Body: body}, nil
}

// Handle applies a batch of receipts from the queue.
func (s *Receipts) Handle(ctx context.Context, batch []queue.Item) []string {
	again := []string{}
	for _, it := range batch {
		var e entry
		handled, err := s.foreign(ctx, it.Body)
		if !handled {
			if err = json.Unmarshal(it.Body, &e); err == nil {
				err = s.Apply(ctx, e.Account, e.Receipt)
			}
		}
		if errors.Is(err, ErrUnknown) {
			s.Log.WarnContext(ctx, "receipt of an unknown message", "account", e.Account, "message", e.Receipt.ID)
			continue
		}
		if err != nil {
			s.Log.ErrorContext(ctx, "receipt failed; it comes again", "item", it.ID, "account", e.Account, "error", err)
			again = append(again, it.ID)
		}
	}
	return again
}
