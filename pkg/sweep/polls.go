package sweep

import (
	"context"
	"fmt"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/queue"
)

// Config lists the accounts of all channels for "".
type Config interface {
	Accounts(ctx context.Context, ch message.Channel) ([]config.Account, error)
}

// Providers describes providers by name.
type Providers interface {
	Get(ctx context.Context, name string) (provider.Descriptor, bool, error)
}

// Polls puts an entry into the queue of receipts for every account whose provider is to be asked what became of
// its messages. An account that is off is asked too: what went over it before may still arrive. Who works on the
// entry sees whether it is his turn, so one too many asks nothing. Where no account is asked, nothing is read.
func (s *Sweep) Polls(ctx context.Context) error {
	if s.Config == nil || s.Providers == nil {
		return nil
	}
	accounts, err := s.Config.Accounts(ctx, "")
	if err != nil {
		return err
	}
	var asked []string
	for _, a := range accounts {
		desc, ok, err := s.Providers.Get(ctx, a.Provider)
		if err != nil {
			s.Log.WarnContext(ctx, "provider unreadable; its account is asked later", "account", a.Name, "error", err)
		} else if ok && desc.Asks(provider.OfAccount, a.Config) {
			asked = append(asked, a.Name)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	paces, err := s.Store.Paces(ctx, s.as)
	if err != nil {
		return err
	}
	next := make(map[string]message.Time, len(paces))
	for _, p := range paces {
		next[p.Account] = p.Next
	}
	now := message.At(s.Now())
	var due []queue.Item
	for _, name := range asked {
		if next[name] <= now {
			due = append(due, queue.Item{Body: fmt.Appendf(nil, `{"poll":%q}`, name)})
		}
	}
	if len(due) == 0 {
		return nil
	}
	return s.Queue.Send(ctx, queue.Receipts, due...)
}
