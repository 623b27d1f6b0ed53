// Package receipt applies what providers say after the sending: it finds the message, joins the receipt
// to its attempt, and sees to what the new status leaves behind.
package receipt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
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
	if _, err := message.ParseID(string(rc.ID)); err != nil { // a provider echoes what it was sent, or not
		return ErrUnknown
	}
	r, err := s.Store.Message(ctx, s.as, rc.ID)
	if errors.Is(err, store.ErrNotFound) {
		return ErrUnknown
	}
	if err != nil {
		return err
	}
	epoch := attempt(r, from, rc)
	if epoch == 0 {
		return ErrUnknown
	}
	now := message.At(s.Now())
	if rc.At == 0 {
		rc.At = now
	}
	saved, err := s.Store.Update(ctx, s.as, now, r, message.Reported{Epoch: epoch, ProviderID: rc.ProviderID,
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

// attempt is the epoch of the attempt that a receipt is about; 0 when none went that way. It is the one
// that the receipt names, by epoch or by the provider's id; else the newest whose id is not known, because
// its answer is on its way or was lost; else the newest.
func attempt(r *store.Record, from via, rc provider.Receipt) int {
	epoch, open := 0, false
	for i := range r.Attempts {
		a := &r.Attempts[i]
		went := a.Account == from.account || from.provider != "" && a.Provider == from.provider
		switch {
		case !went, rc.Epoch != 0 && a.Epoch != rc.Epoch:
		case rc.Epoch != 0, rc.ProviderID != "" && a.ProviderID == rc.ProviderID:
			return a.Epoch
		case a.ProviderID == "":
			epoch, open = a.Epoch, true
		case !open:
			epoch = a.Epoch
		}
	}
	return epoch
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
		if !s.try(ctx, it) {
			again = append(again, it.ID)
		}
	}
	return again
}

// try works on one item and tells whether it is done.
func (s *Receipts) try(ctx context.Context, it queue.Item) (done bool) {
	var e entry
	defer func() {
		if v := recover(); v != nil { // its text may hold what was worked on
			s.Log.ErrorContext(ctx, "panic while applying a receipt", "item", it.ID, "account", e.Account, "panic", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
		}
	}()
	handled, err := s.foreign(ctx, it.Body)
	if !handled {
		if err = json.Unmarshal(it.Body, &e); err == nil {
			err = s.Apply(ctx, e.Account, e.Receipt)
		}
	}
	if errors.Is(err, ErrUnknown) {
		s.Log.WarnContext(ctx, "receipt of an unknown message", "account", e.Account, "message", e.Receipt.ID)
		return true
	}
	if err != nil {
		s.Log.ErrorContext(ctx, "receipt failed; it comes again", "item", it.ID, "account", e.Account, "error", err)
	}
	return err == nil
}
