package store

import (
	"context"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/seal"
)

// Box gives the box of one purpose that is no message's, such as sessions. Its data key is made when it is
// first asked for, wrapped by the keeper, the same for every process, and kept for good.
func (s *Store) Box(ctx context.Context, now message.Time, purpose string) (*seal.Box, error) {
	return s.keys.box(ctx, Key{"key#purpose", purpose}, now, 0, true)
}

// Conceal seals what must not lie open in a queue; Reveal opens it again.
func (s *Store) Conceal(ctx context.Context, now message.Time, plain []byte) ([]byte, error) {
	box, err := s.Box(ctx, now, queueBox)
	if err != nil {
		return nil, err
	}
	return box.Seal(s.opts.Random, plain, queueBox)
}

// Reveal opens what Conceal sealed.
func (s *Store) Reveal(ctx context.Context, now message.Time, sealed []byte) ([]byte, error) {
	box, err := s.Box(ctx, now, queueBox)
	if err != nil {
		return nil, err
	}
	return box.Open(sealed, queueBox)
}

const queueBox = "queue"
