package console

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/opennotify/notify/pkg/message"
)

// Links holds one-time links in this process's memory: for one machine, whose terminal shows them.
type Links struct {
	mu   sync.Mutex
	open map[[sha256.Size]byte]link
}

type link struct {
	key  message.Secret
	ends time.Time
}

// linkLasts is how long a link waits to be opened.
const linkLasts = time.Hour

// Make gives the path of a link that signs in with key, once. The token stands behind #, which browsers
// send nobody.
func (l *Links) Make(random io.Reader, key message.Secret, now time.Time) (string, error) {
	var token [20]byte
	if _, err := io.ReadFull(random, token[:]); err != nil {
		return "", fmt.Errorf("one-time link: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString(token[:])
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		l.open = map[[sha256.Size]byte]link{}
	}
	l.open[sha256.Sum256([]byte(text))] = link{key, now.Add(linkLasts)}
	return root + "login#" + text, nil
}

// Open uses a link up.
func (l *Links) Open(token string, now time.Time) (message.Secret, bool) {
	if l == nil {
		return "", false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	id := sha256.Sum256([]byte(token))
	found, ok := l.open[id]
	delete(l.open, id)
	return found.key, ok && now.Before(found.ends)
}
