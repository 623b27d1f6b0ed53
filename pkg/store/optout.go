package store

import (
	"crypto/subtle"

	"github.com/opennotify/notify/pkg/message"
)

// OptOutToken stands for a message in the address by which its recipient opts out. It names the message and
// proves that we made it, so that nobody opts others out; it tells nothing of the recipient.
func (s *Store) OptOutToken(id message.ID) string {
	return id.Partition() + id.ULID() + s.digest("opt-out", string(id))
}

// ReadOptOutToken gives the message of a token, and false for what is none of ours.
func (s *Store) ReadOptOutToken(token string) (message.ID, bool) {
	proof := len(s.digest())
	if len(token) <= proof {
		return "", false
	}
	id, err := message.ParseID("msg_" + token[:len(token)-proof])
	if err != nil || subtle.ConstantTimeCompare([]byte(token), []byte(s.OptOutToken(id))) != 1 {
		return "", false
	}
	return id, true
}
