package redrive

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// Dead lists the messages that a redrive with this filter would be of, by day of acceptance, the newest first,
// and within a day by tenant; and where the next page begins. The zero day is the last 7 days. A page may be
// short, even empty, and not be the last.
func (r *Redrive) Dead(ctx context.Context, p tenant.Principal, f Filter, day time.Time, limit int, after string) ([]*store.Record, string, error) {
	if err := may(p); err != nil {
		return nil, "", err
	}
	now := r.now()
	if err := f.check(now, "query:"); err != nil {
		return nil, "", err
	}
	if limit < 1 || limit > MaxPage {
		return nil, "", problem.Invalid(problem.At("query:limit", problem.BadValue, "limit must be 1 to %d", MaxPage))
	}
	from, err := placeOf(after)
	if err != nil {
		return nil, "", err
	}
	only := ""
	if !day.IsZero() {
		only = store.Day(message.At(day))
	}
	var out []*store.Record
	next, more, err := r.walk(ctx, &f, span(now, only), from, limit, func(some []*store.Record) (int, error) {
		out = append(out, some...)
		return len(some), nil
	})
	if err != nil {
		return nil, "", unread(err)
	}
	if !more {
		if len(out) == 0 && after == "" {
			err = r.known(ctx, &f, "query:")
		}
		return out, "", err
	}
	text, err := json.Marshal(next)
	return out, cursor(base64.RawURLEncoding.EncodeToString(text)), err
}

// placeOf reads the cursor of a list of dead messages.
func placeOf(after string) (from place, err error) {
	text, ok := openCursor(after)
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if ok && err == nil && (text == "" || json.Unmarshal(raw, &from) == nil) {
		return from, nil
	}
	return from, problem.Invalid(problem.At("query:after", problem.BadValue, "after must be the next of an earlier answer; leave it out to begin"))
}
