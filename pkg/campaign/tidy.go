package campaign

import (
	"context"
	"errors"
	"path"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// lists is the folder of schedules' lists of recipients: <tenant>/<schedule>/<ULID>, with an ending or none.
const lists = "audiences/"

// keepList is how long a list stays that no schedule names any more: as an upload does. A run that began with it
// reads it meanwhile.
const keepList = 30 * 24 * time.Hour

// Tidy removes the lists of schedules that were cancelled or got other ones: nobody is sent to by them, and they
// hold addresses in the clear. It tells how many those were.
func (c *Campaigns) Tidy(ctx context.Context) (n int, err error) {
	before := message.At(c.Now().Add(-keepList))
	for after := ""; ; {
		keys, err := c.Blobs.List(ctx, lists, after)
		if err != nil {
			return n, err
		}
		for _, key := range keys {
			if since, err := c.unnamed(ctx, key, before); err != nil {
				return n, err
			} else if since == 0 || since > before {
				continue
			}
			if err := c.Blobs.Delete(ctx, key); err != nil {
				return n, err
			}
			n++
		}
		if len(keys) == 0 {
			return n, nil
		}
		after = keys[len(keys)-1]
	}
}

// unnamed tells since when no schedule has named a list that is older than a time; 0 is that one does, or may.
func (c *Campaigns) unnamed(ctx context.Context, key string, before message.Time) (message.Time, error) {
	of, name, _ := strings.Cut(path.Dir(strings.TrimPrefix(key, lists)), "/")
	made := message.ULIDTime(strings.TrimSuffix(path.Base(key), ".jsonl"))
	if !tenant.ValidName(name) || made == 0 || made > before { // none of ours, or young
		return 0, nil
	}
	versions, err := c.Store.History(ctx, store.Schedules, docName(of, name)) // the newest first
	if errors.Is(err, store.ErrNotFound) {
		return made, nil // nobody saved what it was kept for
	}
	if err != nil {
		return 0, err
	}
	since := message.Time(0)
	for _, d := range versions {
		s, err := readSchedule(d)
		if err != nil {
			c.Log.ErrorContext(ctx, "document unreadable", "kind", store.Schedules, "error", err)
			return 0, nil
		}
		if !d.Deleted && s.Audience.Kept == key {
			return since, nil
		}
		since = d.At
	}
	return made, nil
}
