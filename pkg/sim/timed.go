package sim

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/blob"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/timer"
)

// timers is the scheduler as a process reaches it.
type timers struct{ p *process }

// armed is a timer that the scheduler keeps.
type armed struct {
	timer.Schedule
	plan timer.Plan
}

// Put implements timer.Timer.
func (t timers) Put(_ context.Context, s timer.Schedule) error {
	w := t.p.w
	return t.p.call("arm", StoreFails, StoreForgets, func() error {
		plan, err := s.Plan()
		if err != nil {
			return err
		}
		due := s.At
		if due.IsZero() {
			if due = plan.Next(w.now.Std()); due.IsZero() {
				return &timer.FieldError{Field: "end", Problem: "it would never fire until then"}
			}
		}
		a := &armed{s, plan}
		w.timers[s.Name] = a
		w.await(a, due)
		return nil
	})
}

// Delete implements timer.Timer.
func (t timers) Delete(_ context.Context, name string) error {
	return t.p.call("disarm", StoreFails, StoreForgets, func() error {
		if t.p.w.timers[name] == nil {
			return timer.ErrNotFound
		}
		delete(t.p.w.timers, name)
		return nil
	})
}

// List implements timer.Timer.
func (t timers) List(_ context.Context, prefix string) (names []string, err error) {
	err = t.p.call("list timers", StoreFails, StoreForgets, func() error {
		names = slices.DeleteFunc(slices.Sorted(maps.Keys(t.p.w.timers)), func(n string) bool { return !strings.HasPrefix(n, prefix) })
		return nil
	})
	return names, err
}

// await fires a timer at an instant, and then at its next. While there is chaos it fires not at all, late, several
// times, and now and then although it was taken away.
func (w *world) await(a *armed, due time.Time) {
	w.at(message.At(due), func() {
		if w.timers[a.Name] != a && !(w.chaos && w.percent(30)) {
			return
		}
		w.fire(a.Body(due))
		if w.timers[a.Name] != a {
			return
		}
		if next := a.plan.Next(due); next.IsZero() {
			delete(w.timers, a.Name)
		} else {
			w.await(a, next)
		}
	})
}

// fire puts what a scheduler puts into the control queue.
func (w *world) fire(body []byte) {
	fires := 1
	if w.chaos {
		fires = []int{0, 1, 1, 1, 2, 3}[w.chance.IntN(6)]
	}
	for range fires {
		late := time.Duration(0)
		if w.chaos && w.percent(30) {
			late = w.between(0, 5*time.Minute)
		}
		w.put(queue.Control, body, late)
	}
}

// blobs is the store of objects as a process reaches it.
type blobs struct{ p *process }

func (b blobs) call(what string, do func() error) error {
	return b.p.call(what, StoreFails, StoreForgets, do)
}

// Put implements blob.Store.
func (b blobs) Put(_ context.Context, key string, body []byte) error {
	return b.call("put object", func() error {
		b.p.w.objects[key] = bytes.Clone(body)
		return nil
	})
}

// Copy implements blob.Store.
func (b blobs) Copy(_ context.Context, from, to string) error {
	return b.call("copy object", func() error {
		body, there := b.p.w.objects[from]
		if !there {
			return blob.ErrNotFound
		}
		b.p.w.objects[to] = body
		return nil
	})
}

// Open implements blob.Store.
func (b blobs) Open(_ context.Context, key string, from int64) (r io.ReadCloser, err error) {
	err = b.call("open object", func() error {
		if b.p.w.Bug == BugUploadAnew {
			key = b.p.w.plans.uploadOf(key)
		}
		body, there := b.p.w.objects[key]
		if !there {
			return blob.ErrNotFound
		}
		r = io.NopCloser(bytes.NewReader(body[min(from, int64(len(body))):]))
		return nil
	})
	return r, err
}

// Size implements blob.Store.
func (b blobs) Size(_ context.Context, key string) (n int64, err error) {
	err = b.call("size of object", func() error {
		body, there := b.p.w.objects[key]
		if n = int64(len(body)); !there {
			return blob.ErrNotFound
		}
		return nil
	})
	return n, err
}

// List implements blob.Store.
func (b blobs) List(_ context.Context, prefix, after string) (keys []string, err error) {
	err = b.call("list objects", func() error {
		keys = slices.DeleteFunc(slices.Sorted(maps.Keys(b.p.w.objects)), func(k string) bool { return !strings.HasPrefix(k, prefix) || k <= after })
		return nil
	})
	return keys, err
}

// Delete implements blob.Store.
func (b blobs) Delete(_ context.Context, keys ...string) error {
	return b.call("delete objects", func() error {
		for _, k := range keys {
			delete(b.p.w.objects, k)
		}
		return nil
	})
}

// Upload implements blob.Store: whoever uploads puts the object into its place.
func (b blobs) Upload(context.Context, string, int64, time.Duration) (blob.Grant, error) {
	return blob.Grant{}, b.call("grant", func() error { return nil })
}

// system is a tenant's own, which is asked for the rows of his plans, two at a time.
type system struct{ p *process }

// RoundTrip implements http.RoundTripper.
func (s system) RoundTrip(req *http.Request) (*http.Response, error) {
	var asked struct{ Run, Cursor string }
	err := json.UnmarshalRead(req.Body, &asked, json.MatchCaseInsensitiveNames(true))
	if err != nil {
		return nil, err
	}
	res := &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Request: req}
	err = s.p.call("pull", ProviderRetry, ProviderSilent, func() error {
		rows := s.p.w.plans.rows(req.URL.Path)
		from := 0
		if _, err := fmt.Sscan(asked.Cursor, &from); err != nil && asked.Cursor != "" || from > len(rows) {
			return fmt.Errorf("sim: no such cursor: %q", asked.Cursor)
		}
		to := min(from+2, len(rows))
		next := ""
		if to < len(rows) {
			next = fmt.Sprint(to)
		}
		body, err := json.Marshal(map[string]any{"rows": rows[from:to], "next": next})
		res.Body = io.NopCloser(bytes.NewReader(body))
		return err
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// timersHave is how long timers have, before what they should have started is started without them; and unmade how
// long what nobody started is looked for.
const (
	timersHave = 90 * time.Second
	unmade     = 2 * time.Hour
)

// due is when the schedules need a tick: when a run is to be made up for, or their timers are not what they are. 0
// is never.
func (c *plans) due() (next message.Time) {
	w := c.w
	for _, p := range c.all {
		at := message.Time(0)
		if p.doc.Version > 0 && !p.schedule.External {
			at = w.attention(p)
		}
		if at != 0 && (next == 0 || at < next) {
			next = at
		}
	}
	return next
}

func (w *world) attention(p *plan) message.Time {
	prefix := p.tenant + "." + p.name + "."
	have, want := 0, ""
	for name := range w.timers {
		if len(name) > len(prefix) && name[:len(prefix)] == prefix {
			have++
		}
	}
	if p.doc.Deleted || p.schedule.Paused {
		if have > 0 {
			return w.now
		}
		return 0
	}
	plan := planOf(&p.schedule)
	next := plan.Next(w.now.Std())
	if !next.IsZero() {
		want = prefix + strconv.FormatInt(p.doc.Version, 10)
	}
	if have > 1 || want != "" && w.timers[want] == nil || want == "" && have > 0 {
		return w.now
	}
	if last := lastOf(plan, max(p.doc.At, w.now.Add(-unmade)), w.now); last != 0 && w.oracle.instants[instant{p.tenant, p.name, last}] == nil {
		return max(w.now, last.Add(timersHave+time.Second))
	}
	if !next.IsZero() {
		return message.At(next).Add(timersHave + time.Second)
	}
	return 0
}
