package sweep

import (
	"context"
	"fmt"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
)

// owedRate is how many messages a second are tried again over an account that has just come back.
const owedRate = 10

// Owed looks for accounts that work again, and asks the control queue for a redrive of what died over them
// meanwhile. An account is paid only when the queue has the entry, so a crash in between asks twice, which is
// one redrive.
func (s *Sweep) Owed(ctx context.Context) error {
	all, err := s.Store.Breakers(ctx)
	if err != nil {
		return err
	}
	for _, b := range all {
		if b.Owed == 0 {
			continue
		}
		s.Log.InfoContext(ctx, "an account works again: its dead are redriven", "account", b.Account, "since", b.Owed)
		entry := fmt.Appendf(nil, `{"kind":"redrive","account":%q,"since":%d,"reason":"breaker_closed","rate":%d}`, b.Account, int64(b.Owed), owedRate)
		if err := s.Queue.Send(ctx, queue.Control, queue.Item{Body: entry}); err != nil {
			s.Log.WarnContext(ctx, "not asked for; the next pass tries", "account", b.Account, "error", err)
			continue
		}
		if err := s.Store.Pay(ctx, message.At(s.Now()), b.Account, b.Owed); err != nil {
			return err
		}
	}
	return nil
}
