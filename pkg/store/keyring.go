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

	mu     sync.Mutex
	boxes  map[Key]keptBox
	latest message.Time // the latest instant that a writer told
}

// keptBox opens what its key sealed until the key's time is over, though a driver removes keys late.
type keptBox struct {
	box     *seal.Box
	expires int64
}

// maxBoxes bounds what is remembered; past it everything is read anew.
const maxBoxes = 4096

func newKeyring(d Driver, k seal.Keeper) *keyring {
	return &keyring{driver: d, keeper: k, boxes: map[Key]keptBox{}}
}

// errNoKey: the data key was dropped, so what it sealed is erased.
var errNoKey = errors.New("store: the data key is gone: what it sealed is erased")

// box gives the box of a data key, making the key if it may.
func (r *keyring) box(ctx context.Context, at Key, now message.Time, expires int64, make bool) (*seal.Box, error) {
	r.mu.Lock()
	r.latest = max(r.latest, now)
	latest, b := seconds(r.latest), r.boxes[at]
	r.mu.Unlock()
	if b.box == nil {
		var key []byte
		var err error
		if make {
			key, b.expires, err = r.key(ctx, at, now, expires)
		} else {
			key, b.expires, err = r.read(ctx, at)
		}
		if err != nil {
			return nil, err
		}
		if b.box, err = seal.NewBox(key); err != nil {
			return nil, err
		}
		r.keep(at, b)
	}
	if !make && b.expires > 0 && b.expires <= latest {
		return nil, errNoKey
	}
	return b.box, nil
}

func (r *keyring) keep(at Key, b keptBox) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.boxes) >= maxBoxes {
		clear(r.boxes)
	}
	r.boxes[at] = b
}

func (r *keyring) read(ctx context.Context, at Key) (key []byte, expires int64, err error) {
	items, err := r.driver.Get(ctx, at)
	if err != nil {
		return nil, 0, fmt.Errorf("read data key: %w", err)
	}
	if items[0] == nil {
		return nil, 0, errNoKey
	}
	return r.unwrap(ctx, items[0])
}

func (r *keyring) unwrap(ctx context.Context, it *Item) (key []byte, expires int64, err error) {
	if key, err = r.keeper.Unwrap(ctx, it.Data, it.PK+"#"+it.SK); err != nil {
		return nil, 0, fmt.Errorf("unwrap data key: %w", err)
	}
	return key, it.Expires, nil
}

// key reads a data key, or makes it.
func (r *keyring) key(ctx context.Context, at Key, now message.Time, expires int64) ([]byte, int64, error) {
	key, kept, err := r.read(ctx, at)
	if !errors.Is(err, errNoKey) {
		return key, kept, err
	}
	key, wrapped, err := r.keeper.Generate(ctx, at.PK+"#"+at.SK)
	if err != nil {
		return nil, 0, fmt.Errorf("make data key: %w", err)
	}
	res, err := r.driver.Write(ctx, now, []Op{{Cond: Absent, Item: Item{Key: at, Rev: 1, Data: wrapped, Expires: expires}}})
	if err != nil {
		return nil, 0, fmt.Errorf("keep data key: %w", err)
	}
	switch {
	case res[0].Applied == 1:
		return key, expires, nil
	case res[0].Holder == nil: // nothing may be sealed with a key that is not kept
		return nil, 0, errContended
	}
	return r.unwrap(ctx, res[0].Holder)
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
