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
