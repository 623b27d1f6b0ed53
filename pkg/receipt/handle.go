package receipt

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/telemetry"
)

// entry is something on its way through the queue: a receipt or a reply over an account, the name of what
// waits beside a provider's id, or an account whose provider is to be asked.
type entry struct {
	Account string            `json:"account,omitempty"`
	Receipt *provider.Receipt `json:"receipt,omitempty"`
	Early   string            `json:"early,omitempty"`
	Reply   []byte            `json:"reply,omitempty"` // sealed: it names the recipient
	Poll    string            `json:"poll,omitempty"`
}

// Encode makes the queue item of a receipt that was verified.
func Encode(account string, rc provider.Receipt) (queue.Item, error) {
	return encode(entry{Account: account, Receipt: &rc})
}

func encode(e entry) (queue.Item, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return queue.Item{}, fmt.Errorf("receipt: encode: %w", err)
	}
	return queue.Item{Body: queue.Text(body)}, nil
}

// Handle works on a batch from the queue: on what was told one by one, on what has to be asked side by side,
// because a vendor may take long to answer.
func (s *Receipts) Handle(ctx context.Context, batch []queue.Item) []string {
	again := []string{}
	var mu sync.Mutex
	var asking sync.WaitGroup
	for _, it := range batch {
		if asks(it) {
			asking.Go(func() {
				if !s.try(ctx, it) {
					mu.Lock()
					defer mu.Unlock()
					again = append(again, it.ID)
				}
			})
		}
	}
	for _, it := range batch {
		if !asks(it) && !s.try(ctx, it) {
			mu.Lock()
			again = append(again, it.ID)
			mu.Unlock()
		}
	}
	asking.Wait()
	return again
}

// asks tells whether a provider may have to be asked for an item.
func asks(it queue.Item) bool {
	return bytes.HasPrefix(it.Body, []byte(`{"poll":`)) || bytes.HasPrefix(it.Body, []byte(`{"early":`))
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
			err = s.work(ctx, e)
		}
	}
	if errors.Is(err, ErrUnknown) {
		s.unknown(ctx, e)
		return true
	}
	if err != nil {
		s.Log.ErrorContext(ctx, "receipt failed; it comes again", "item", it.ID, "account", e.Account, "error", err)
	}
	return err == nil
}

func (s *Receipts) work(ctx context.Context, e entry) error {
	switch {
	case e.Early != "":
		return s.early(ctx, e.Early)
	case e.Poll != "":
		return s.poll(ctx, e.Poll)
	case e.Reply != nil:
		return s.reply(ctx, e.Account, e.Reply)
	case e.Receipt != nil:
		return s.Apply(ctx, e.Account, *e.Receipt)
	}
	return ErrUnknown
}

func (s *Receipts) unknown(ctx context.Context, e entry) {
	s.Metrics.Count(telemetry.ReceiptUnknown, 1, telemetry.Labels{})
	about := []any{"account", e.Account}
	if e.Receipt != nil {
		about = append(about, "message", e.Receipt.ID)
	}
	s.Log.WarnContext(ctx, "receipt of an unknown message", about...)
}
