package store

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/seal"
)

// keyring makes, keeps and remembers data keys. A key is made when it is first needed; of two that are
// made at once the first put wins and both callers get that one.
type keyring struct {
	driver Driver
	keeper seal.Keeper

	mu    sync.Mutex
	boxes map[Key]*seal.Box
}

// maxBoxes bounds what is remembered; past it everything is read anew.
const maxBoxes = 4096

func newKeyring(d Driver, k seal.Keeper) *keyring {
	return &keyring{driver: d, keeper: k, boxes: map[Key]*seal.Box{}}
}

// errNoKey: the data key was dropped, so what it sealed is erased.
var errNoKey = errors.New("store: the data key is gone: what it sealed is erased")

// box gives the box of a data key, making the key if it may.
func (r *keyring) box(ctx context.Context, at Key, now message.Time, expires int64, make bool) (*seal.Box, error) {
	r.mu.Lock()
	b := r.boxes[at]
	r.mu.Unlock()
	if b != nil {
		return b, nil
	}
	var key []byte
	var err error
	if make {
		key, err = r.key(ctx, at, now, expires)
	} else {
		key, err = r.read(ctx, at)
	}
	if err != nil {
		return nil, err
	}
	if b, err = seal.NewBox(key); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.boxes) >= maxBoxes {
		clear(r.boxes)
	}
	r.boxes[at] = b
	return b, nil
}

func (r *keyring) read(ctx context.Context, at Key) ([]byte, error) {
	items, err := r.driver.Get(ctx, at)
	if err != nil {
		return nil, fmt.Errorf("read data key: %w", err)
	}
	if items[0] == nil {
		return nil, errNoKey
	}
	return r.keeper.Unwrap(ctx, items[0].Data, at.PK+"#"+at.SK)
}

// key reads a data key, or makes it.
func (r *keyring) key(ctx context.Context, at Key, now message.Time, expires int64) ([]byte, error) {
	key, err := r.read(ctx, at)
	if !errors.Is(err, errNoKey) {
		return key, err
	}
	key, wrapped, err := r.keeper.Generate(ctx, at.PK+"#"+at.SK)
	if err != nil {
		return nil, err
	}
	res, err := r.driver.Write(ctx, now, []Op{{Cond: Absent, Item: Item{Key: at, Rev: 1, Data: wrapped, Expires: expires}}})
	if err != nil {
		return nil, fmt.Errorf("keep data key: %w", err)
	}
	if holder := res[0].Holder; res[0].Applied == 0 && holder != nil {
		return r.keeper.Unwrap(ctx, holder.Data, at.PK+"#"+at.SK)
	}
	return key, nil
}

// What a data key seals.
const (
	sealRecipient = "recipient"
	sealContent   = "content"
)

// sealKey is the data key of a message's recipient, or of its variables and content: one per tenant,
// class and day of sending, so that dropping a key erases exactly what is due.
func sealKey(m *message.Message, what string) (Key, int64) {
	d := m.Class.Defaults()
	keep := d.KeepRecord
	if what == sealContent {
		keep = d.KeepVars
	}
	at := max(m.Created, m.SendAt)
	day := Day(at)
	return Key{"key#" + m.Tenant, day + "#" + string(m.Class) + "#" + what}, seconds(at.Add(keep + gcMargin))
}
