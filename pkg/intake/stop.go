package intake

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/seal"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// The bounds of one call of Stop, which has to end inside a request's time. The index of what is due is everybody's:
// a page may hold nothing that matches, and there may be very many of them.
const (
	maxStop  = 10000
	stopFor  = 10 * time.Second // after which no other page is begun
	stopPage = 200
)

// waiting goes through the index of due messages, from a place on: everything that can be stopped is in it.
func (in *Intake) waiting(ctx context.Context, p tenant.Principal, from string, out *Stopped, do func(*store.Record) error) error {
	began := in.now()
	horizon := began.Add(2 * MaxAhead)
	shards := in.Store.DueShards()
	shard, after, err := in.openPlace(ctx, shards, from)
	if err != nil {
		return err
	}
	for shard < len(shards) {
		due, next, err := in.Store.Due(ctx, shards[shard], horizon, stopPage, after)
		if err != nil {
			return unavailable(err)
		}
		ids := make([]message.ID, len(due))
		for i, d := range due {
			ids[i] = d.ID
		}
		if err := in.each(ctx, p, ids, do); err != nil {
			return err
		}
		if after = next; after == "" {
			shard++
		}
		if shard < len(shards) && (out.Matched >= maxStop || in.now().Sub(began) >= stopFor) {
			out.More = true
			out.Next, err = in.place(ctx, shards[shard], after)
			return err
		}
	}
	return nil
}

// place is where a call stopped, for its caller. It is sealed: a driver's cursor names a message, which may be
// another tenant's.
func (in *Intake) place(ctx context.Context, shard, after string) (string, error) {
	sealed, err := in.Store.Conceal(ctx, in.now(), []byte(shard+"\n"+after))
	if err != nil {
		return "", unavailable(err)
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// openPlace reads what place made; "" is the beginning.
func (in *Intake) openPlace(ctx context.Context, shards []string, place string) (shard int, after string, err error) {
	if place == "" {
		return 0, "", nil
	}
	sealed, err := base64.RawURLEncoding.DecodeString(place)
	if err == nil {
		if sealed, err = in.Store.Reveal(ctx, in.now(), sealed); err != nil && !errors.Is(err, seal.ErrOpen) {
			return 0, "", unavailable(err)
		}
	}
	name, after, _ := strings.Cut(string(sealed), "\n")
	if shard = slices.Index(shards, name); err != nil || shard < 0 {
		return 0, "", problem.Invalid(problem.At("/after", problem.BadValue, "after must be the next of an earlier answer; leave it out to begin")).Because(err)
	}
	return shard, after, nil
}
