// Package receipt applies what providers say after the sending: it finds the message, joins the receipt
// to its attempt, and sees to what the new status leaves behind.
package receipt

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
)

// Store is what receipts need of the store.
type Store interface {
	Message(ctx context.Context, p tenant.Principal, id message.ID) (*store.Record, error)
	Update(ctx context.Context, p tenant.Principal, now message.Time, r *store.Record, e message.Event) (*store.Record, error)
	Resolve(ctx context.Context, p tenant.Principal, now message.Time, account, id string, said message.Reported) (store.Known, error)
	Early(ctx context.Context, p tenant.Principal, now message.Time, at string) (store.Known, error)
	Joined(ctx context.Context, p tenant.Principal, now message.Time, k store.Known) error
	Answered(ctx context.Context, p tenant.Principal, now message.Time, k store.Known) error
	TakePace(ctx context.Context, p tenant.Principal, now message.Time, account string, every time.Duration) (store.Pace, bool, error)
	PutPace(ctx context.Context, p tenant.Principal, now message.Time, have store.Pace) (bool, error)
	Partitions(kind message.AddressKind, key string, shards int) []string
	ByRecipient(ctx context.Context, p tenant.Principal, partition string, in store.Range, limit int, after string) (store.Found, error)
	AddSuppression(ctx context.Context, p tenant.Principal, now message.Time, kind message.AddressKind, key string, e suppress.Entry) (bool, error)
	LiftSuppression(ctx context.Context, p tenant.Principal, now message.Time, kind message.AddressKind, key string, e suppress.Entry, l suppress.Lift) error
	Address(ctx context.Context, r *store.Record) (message.Address, error)
	ReadOptOutToken(token string) (message.ID, bool)
	Conceal(ctx context.Context, now message.Time, plain []byte) ([]byte, error)
	Reveal(ctx context.Context, now message.Time, sealed []byte) ([]byte, error)
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
	Metrics telemetry.Metrics
	Log     *slog.Logger
}

// Receipts applies receipts.
type Receipts struct {
	Ports
	as tenant.Principal
}

// New checks that nothing is missing.
func New(p Ports) (*Receipts, error) {
	if p.Store == nil || p.Secrets == nil || p.Config == nil || p.Senders == nil || p.Queue == nil || p.Now == nil || p.Metrics == nil || p.Log == nil {
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

// via is over what a receipt came: one account, or any account of a provider; or it lay beside an id that one
// of our own attempts wrote.
type via struct {
	account, provider string
	ours              bool
}

func (s *Receipts) apply(ctx context.Context, from via, rc provider.Receipt) error {
	said := s.reported(rc)
	if _, err := message.ParseID(string(rc.ID)); err != nil { // a provider echoes what it was sent, or not
		return s.byID(ctx, from, said)
	}
	return s.join(ctx, from, rc.ID, said)
}

func (s *Receipts) reported(rc provider.Receipt) message.Reported {
	if rc.At == 0 {
		rc.At = message.At(s.Now())
	}
	return message.Reported{Epoch: rc.Epoch, ProviderID: rc.ProviderID,
		Receipt: message.Receipt{Part: rc.Part, State: rc.State, At: rc.At, Code: rc.Code, Text: rc.Text, Suppress: rc.Suppress}}
}

// join adds receipts to the message that they are about.
func (s *Receipts) join(ctx context.Context, from via, id message.ID, said ...message.Reported) error {
	r, err := s.Store.Message(ctx, s.as, id)
	if errors.Is(err, store.ErrNotFound) {
		return ErrUnknown
	}
	if err != nil {
		return err
	}
	ctx = telemetry.InTrace(ctx, telemetry.ParseTrace(r.Trace))
	var todo bool
	for _, e := range said {
		if e.Epoch, e.Guess = attempt(r, from, e); e.Epoch == 0 {
			return ErrUnknown
		}
		saved, err := s.Store.Update(ctx, s.as, message.At(s.Now()), r, e)
		if refused := (*message.Refused)(nil); errors.As(err, &refused) {
			s.Log.WarnContext(ctx, "receipt refused", "message", id, "account", from.account, "why", refused.Why)
			continue
		}
		if err != nil {
			return err
		}
		r, todo = saved, saved.Todo != 0
	}
	if todo {
		if err := s.Queue.Send(ctx, queue.Lane(r.Channel, r.Lane()), queue.Item{Body: store.BareHint(r.ID), Group: r.Tenant}); err != nil {
			s.Log.WarnContext(ctx, "hint not queued; the sweep will", "message", r.ID, "error", err)
		}
	}
	return nil
}

// attempt is the epoch of the attempt that a receipt is about; 0 when none went that way. It is the one
// that the receipt names, by epoch or by the provider's id. Else it is a guess, unless only one went that way:
// the one that was guessed for this id before; else the newest whose answer is on its way or was lost; else the
// newest whose id is not known; else the newest.
func attempt(r *store.Record, from via, rc message.Reported) (epoch int, guess bool) {
	went, best := 0, 0
	for i := range r.Attempts {
		a := &r.Attempts[i]
		switch {
		case !from.ours && a.Account != from.account && (from.provider == "" || a.Provider != from.provider), rc.Epoch != 0 && a.Epoch != rc.Epoch:
			continue
		case rc.Epoch != 0, rc.ProviderID != "" && a.ProviderID == rc.ProviderID:
			return a.Epoch, false
		}
		likely := 0
		switch {
		case rc.ProviderID != "" && slices.ContainsFunc(a.Receipts, func(have message.Receipt) bool { return have.Of == rc.ProviderID }):
			likely = 3
		case a.ProviderID == "" && a.Outcome == message.Unknown:
			likely = 2
		case a.ProviderID == "":
			likely = 1
		}
		if went++; likely >= best {
			epoch, best = a.Epoch, likely
		}
	}
	return epoch, went > 1
}
