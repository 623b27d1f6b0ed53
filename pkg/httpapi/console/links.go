package console

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// Links keeps what one-time links sign in with; *store.Store does.
type Links interface {
	PutLink(ctx context.Context, p tenant.Principal, now, until message.Time, token string, key message.Secret) error
	// TakeLink gives it once; false when it was taken already or is too old.
	TakeLink(ctx context.Context, now message.Time, token string) (message.Secret, bool, error)
}

// LinkLasts is how long a link waits to be opened.
const LinkLasts = time.Hour

// Link makes the path of a link that signs in with key, once. The token stands behind #, which browsers
// send nobody.
func Link(ctx context.Context, links Links, p tenant.Principal, random io.Reader, key message.Secret, now time.Time) (string, error) {
	var token [20]byte
	if _, err := io.ReadFull(random, token[:]); err != nil {
		return "", fmt.Errorf("one-time link: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString(token[:])
	if err := links.PutLink(ctx, p, message.At(now), message.At(now.Add(LinkLasts)), text, key); err != nil {
		return "", fmt.Errorf("one-time link: %w", err)
	}
	return root + "login#" + text, nil
}

// opened uses a link up.
func (c *Console) opened(ctx context.Context, token string) (message.Secret, bool, error) {
	key, ok, err := c.Links.TakeLink(ctx, message.At(c.Now()), token)
	if err != nil {
		return "", false, problem.New(problem.Unavailable, "the link cannot be opened right now; try again").Because(err)
	}
	return key, ok, nil
}
