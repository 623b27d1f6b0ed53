package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/seal"
)

// ErrNotFound: there is no such thing, or the principal may not know of it.
var ErrNotFound = errors.New("store: not found")

// Options fit a Store to its load.
type Options struct {
	// DueShards spreads the index of due messages; at least peak messages a second / 250. Raising it is
	// safe, lowering it hides what lies in the dropped shards.
	DueShards int
	// ListShards spreads a tenant's lists of a day: of all its messages, and of those that went wrong.
	ListShards int
	Random     io.Reader
	// Moved is told of every write that made or changed a message; before is nil of a new one. Nil is told
	// nothing.
	Moved func(before, after *message.Message, now message.Time)
}

// Store keeps records over a Driver. It is safe for concurrent use.
type Store struct {
	driver Driver
	opts   Options
	hmac   []byte
	keys   *keyring
	macs   sync.Pool
}

// Open reads, or makes, the key that all hashed keys are made with. That key is kept wrapped, and is
// never changed: it is what finds a recipient's messages.
func Open(ctx context.Context, d Driver, keeper seal.Keeper, now message.Time, o Options) (*Store, error) {
	if o.DueShards < 1 || o.ListShards < 1 || o.Random == nil {
		return nil, errors.New("store: Options need shards of at least 1 and Random")
	}
	if o.Moved == nil {
		o.Moved = func(_, _ *message.Message, _ message.Time) {}
	}
	s := &Store{driver: d, opts: o, keys: newKeyring(d, keeper)}
	key, _, err := s.keys.key(ctx, Key{"key", "hmac"}, now, 0)
	if err != nil {
		return nil, fmt.Errorf("store: the key of the hashes: %w", err)
	}
	s.hmac = key
	s.macs.New = func() any { return hmac.New(sha256.New, s.hmac) }
	return s, nil
}

// Driver is for what needs no types: health checks, and the counters' flush.
func (s *Store) Driver() Driver { return s.driver }

// digest is a keyed hash of parts, in 24 characters of base 32: equal parts give equal keys, and nobody
// without the key learns or tests them. Each part is preceded by its length.
func (s *Store) digest(parts ...string) string {
	type mac interface {
		io.Writer
		Sum([]byte) []byte
		Reset()
	}
	m := s.macs.Get().(mac)
	defer s.macs.Put(m)
	m.Reset()
	var n [4]byte
	for _, p := range parts {
		binary.BigEndian.PutUint32(n[:], uint32(len(p)))
		m.Write(n[:])
		io.WriteString(m, p)
	}
	return base32(m.Sum(make([]byte, 0, sha256.Size))[:15])
}

// CallbackSecret is the secret part of an account's callback URL. It needs no keeping: it follows from the
// key of the hashes.
func (s *Store) CallbackSecret(account string) string { return s.digest("callback", account) }

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// base32 encodes 15 bytes to 24 characters.
func base32(b []byte) string {
	var out [24]byte
	for i := range 3 {
		var v uint64
		for _, c := range b[i*5 : i*5+5] {
			v = v<<8 | uint64(c)
		}
		for j := 7; j >= 0; j-- {
			out[i*8+j] = alphabet[v&31]
			v >>= 5
		}
	}
	return string(out[:])
}

// Partition is where all messages to one recipient are. The salt spreads those of a busy endpoint over
// its shards; of a person there is one.
func (s *Store) Partition(kind message.AddressKind, key string, shards int, salt string) string {
	shard := byte('0')
	if shards > 1 {
		h := fnv(salt)
		shard = alphabet[h%uint32(min(shards, len(alphabet)))]
	}
	return s.digest("recipient", string(kind), key) + string(shard)
}

// Partitions are all partitions of a recipient.
func (s *Store) Partitions(kind message.AddressKind, key string, shards int) []string {
	base := s.digest("recipient", string(kind), key)
	out := make([]string, 0, shards)
	for i := range max(1, min(shards, len(alphabet))) {
		out = append(out, base+string(alphabet[i]))
	}
	return out
}

func fnv(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}

func (s *Store) dueShard(id message.ID) string {
	return "due#" + strconv.Itoa(int(fnv(string(id)))%s.opts.DueShards)
}

// DueShards names the shards that the sweep reads.
func (s *Store) DueShards() []string {
	out := make([]string, s.opts.DueShards)
	for i := range out {
		out[i] = "due#" + strconv.Itoa(i)
	}
	return out
}

func (s *Store) list(tenant string, day string, shard int) string {
	return "list#" + tenant + "#" + day + "#" + strconv.Itoa(shard)
}

// trouble names a shard of what went wrong with a tenant's messages of a day.
func trouble(tenant, day string, shard int) string {
	name := "trouble#" + tenant + "#" + day
	if shard > 0 { // there was one before there were several
		name += "#" + strconv.Itoa(shard)
	}
	return name
}

// shard is where the lists of a day have a message.
func (s *Store) shard(id message.ID) int { return int(fnv(id.ULID())) % s.opts.ListShards }

// Day is the UTC day of an instant as keys have it.
func Day(t message.Time) string { return t.Std().Format("20060102") }

func seconds(t message.Time) int64 { return int64(t) / 1000 }

const gcMargin = 48 * time.Hour
