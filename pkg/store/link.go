package store

import (
	"context"
	"fmt"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// A one-time link is an item under the hash of its token, which nobody can learn from the store; what it
// signs in with is sealed.
func (s *Store) linkKey(token string) Key { return Key{"link#" + s.digest("link", token), "link"} }

const linkPlace = "one-time link"

// PutLink keeps what a one-time link signs in with. Only the service itself makes links.
func (s *Store) PutLink(ctx context.Context, p tenant.Principal, now, until message.Time, token string, key message.Secret) error {
	if !p.IsSystem() {
		return ErrNotFound
	}
	box, err := s.Box(ctx, now, linkPlace)
	if err != nil {
		return fmt.Errorf("store: link: %w", err)
	}
	at := s.linkKey(token)
	sealed, err := box.Seal(s.opts.Random, []byte(string(key)), at.PK)
	if err != nil {
		return fmt.Errorf("store: link: %w", err)
	}
	if _, err := s.driver.Write(ctx, now, []Op{{Cond: Absent, Item: Item{Key: at, Rev: 1, Data: sealed, Expires: seconds(until)}}}); err != nil {
		return fmt.Errorf("store: link: %w", err)
	}
	return nil
}

// TakeLink gives what a link signs in with, once: of two who open it at the same time one gets it. A lost
// answer loses the link, never its being used once.
func (s *Store) TakeLink(ctx context.Context, now message.Time, token string) (message.Secret, bool, error) {
	at := s.linkKey(token)
	items, err := s.driver.Get(ctx, at)
	if err != nil {
		return "", false, fmt.Errorf("store: link: %w", err)
	}
	if items[0] == nil || items[0].Expires <= seconds(now) {
		return "", false, nil
	}
	box, err := s.Box(ctx, now, linkPlace)
	if err != nil {
		return "", false, fmt.Errorf("store: link: %w", err)
	}
	key, err := box.Open(items[0].Data, at.PK)
	if err != nil {
		return "", false, nil
	}
	res, err := s.driver.Write(ctx, now, []Op{{Delete: true, Cond: AtRev, At: 1, Item: Item{Key: at}}})
	if err != nil {
		return "", false, fmt.Errorf("store: link: %w", err)
	}
	return message.Secret(key), res[0].Applied == 1, nil
}
