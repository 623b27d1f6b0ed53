package redrive_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/job"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/redrive"
	"github.com/opennotify/notify/pkg/seal"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/memory"
	"github.com/opennotify/notify/pkg/store/storetest"
	"github.com/opennotify/notify/pkg/tenant"
)

var (
	start    = message.Time(1_767_312_000_000) // 2026-01-02
	system   = tenant.System("test")
	operator = tenant.Of(tenant.Key{ID: "op", Live: true, Scopes: []tenant.Scope{tenant.Operate}})
	reader   = tenant.Of(tenant.Key{ID: "rd", Tenant: "shop", Live: true, Scopes: []tenant.Scope{tenant.Send, tenant.Read}})
)

type keeper struct{}

func (keeper) Generate(context.Context, string) (key, wrapped []byte, err error) {
	key = make([]byte, seal.KeySize)
	_, err = rand.Read(key)
	return key, key, err
}
func (keeper) Unwrap(_ context.Context, wrapped []byte, _ string) ([]byte, error) {
	return wrapped, nil
}

// waiting is an item of a queue.
type waiting struct {
	to queue.Name
	queue.Item
	at message.Time
}

// world is redrives over a real store, real jobs, and a queue that is a list.
type world struct {
	t       *testing.T
	raw     *store.Store
	clock   message.Time
	fault   func(call string) storetest.Fault
	redrive *redrive.Redrive
	jobs    *job.Jobs
	tenants []string
	items   []waiting
	ids     int
	window  time.Duration        // of equal content: all that is accepted is equal
	seconds map[message.Time]int // when hints were queued
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: start, tenants: []string{"shop", "bank"}, seconds: map[message.Time]int{}}
	db := memory.New()
	open := func(d store.Driver) *store.Store {
		s, err := store.Open(t.Context(), d, keeper{}, start, store.Options{DueShards: 1, ListShards: 1, Random: rand.Reader})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	w.raw = open(db)
	st := open(storetest.Faults(db, func(call string) storetest.Fault {
		if w.fault == nil {
			return storetest.Fault{}
		}
		return w.fault(call)
	}))
	now, log := func() time.Time { return w.clock.Std() }, slog.New(slog.DiscardHandler)
	starts, err := job.New(job.Ports{Store: st, Queue: w, Now: now, Log: log}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.redrive, err = redrive.New(redrive.Ports{Store: st, Tenants: w, Jobs: starts, Queue: w, Now: now, Log: log,
		NewULID: func(at message.Time) string { w.ids++; return message.ULIDFloor(at)[:20] + fmt.Sprintf("%06d", w.ids) }})
	if err != nil {
		t.Fatal(err)
	}
	if w.jobs, err = job.New(job.Ports{Store: st, Queue: w, Now: now, Log: log}, map[string]job.Kind{redrive.Kind: {Page: w.redrive.Page}}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) Tenants(context.Context) ([]tenant.Tenant, error) {
	var all []tenant.Tenant
	for _, name := range w.tenants {
		all = append(all, tenant.Tenant{Name: name})
	}
	return all, nil
}

func (w *world) Send(_ context.Context, to queue.Name, items ...queue.Item) error {
	for _, it := range items {
		w.items = append(w.items, waiting{to, it, w.clock.Add(it.Delay)})
		if to != queue.Control {
			w.seconds[w.clock/1000]++
		}
	}
	return nil
}

// dead makes a dead message.
func (w *world) dead(owner, account string, change ...func(*message.Message)) message.ID {
	w.t.Helper()
	r := w.accept(owner, change...)
	for _, e := range []message.Event{message.Lease{Account: account, Provider: "p", Until: w.clock.Add(time.Second)}, message.Finish{Epoch: 1, Result: message.Result{Outcome: message.AccountFault}},
		message.Poison{}} {
		r = w.update(r, e)
	}
	return r.ID
}

func (w *world) update(r *store.Record, e message.Event) *store.Record {
	w.t.Helper()
	r, err := w.raw.Update(w.t.Context(), system, w.clock, r, e)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) accept(owner string, change ...func(*message.Message)) *store.Record {
	w.t.Helper()
	w.ids++
	ulid := message.ULIDFloor(w.clock)[:20] + fmt.Sprintf("%06d", w.ids)
	m := message.Message{ID: message.NewID(w.raw.Partition(message.Phone, "+8613800138000", 1, ""), ulid), Tenant: owner, Channel: message.SMS, Class: message.Transactional,
		Template: message.Ref{Tenant: owner, Name: "hello", Version: 1}, Created: w.clock, Expires: w.clock.Add(24 * time.Hour)}
	for _, f := range change {
		f(&m)
	}
	v, err := w.raw.Accept(w.t.Context(), system, w.clock, &store.Draft{Message: message.New(m, w.clock), To: "+8613800138000", Vars: []byte(`{}`), Window: w.window, Same: []byte("hello")})
	if err != nil {
		w.t.Fatal(err)
	}
	return v[0].Record
}

// work does what waits in the control queue, for so long.
func (w *world) work(d time.Duration) {
	for end := w.clock.Add(d); ; {
		next := -1
		for i, it := range w.items {
			if it.to == queue.Control && it.at <= end && (next < 0 || it.at < w.items[next].at) {
				next = i
			}
		}
		if next < 0 {
			w.clock = end
			return
		}
		it := w.items[next]
		w.items = append(w.items[:next:next], w.items[next+1:]...)
		w.clock = max(w.clock, it.at)
		it.ID = "x"
		handle := w.jobs.Handle
		if strings.Contains(string(it.Body), `"redrive"`) {
			handle = w.redrive.Handle
		}
		if again := handle(w.t.Context(), []queue.Item{it.Item}); len(again) > 0 {
			it.at = w.clock.Add(3 * time.Minute)
			w.items = append(w.items, it)
		}
	}
}

// redriven is how often a message was.
func (w *world) redriven(id message.ID) (n int, status message.Status) {
	w.t.Helper()
	r, err := w.raw.Message(w.t.Context(), system, id)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, note := range r.Notes {
		if note.What == "redriven" {
			n += 1 + note.N
		}
	}
	return n, r.Status
}

// What a filter means, counted and then done: the same, but for what is too late, and no faster than asked.
func TestFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	soon := func(m *message.Message) { m.Expires = m.Created.Add(10 * time.Minute) }
	mail := func(m *message.Message) { m.Channel, m.Template.Name = message.Email, "bye" }
	all := map[string]message.ID{"a": w.dead("shop", "one"), "expired": w.dead("shop", "one", soon), "mail": w.dead("shop", "two", mail), "bank": w.dead("bank", "two")}
	w.clock = w.clock.Add(time.Hour)
	later := w.clock
	all["later"] = w.dead("bank", "one")
	w.clock = w.clock.Add(time.Minute)
	for _, tc := range []struct {
		filter redrive.Filter
		want   string
	}{
		{redrive.Filter{Tenant: "nobody"}, ""},
		{redrive.Filter{Reason: "attempts_used_up"}, ""},
		{redrive.Filter{From: later}, "later"},
		{redrive.Filter{Channel: message.Email, Template: "shop/bye", Account: "two"}, "mail"},
		{redrive.Filter{Tenant: "shop", Template: "hello", To: later, Reason: "poison"}, "a expired"},
		{redrive.Filter{}, "bank"},
	} {
		count, err := w.redrive.Count(t.Context(), operator, tc.filter)
		if err != nil {
			t.Fatal(err)
		}
		j, err := w.redrive.Start(t.Context(), operator, tc.filter, 100, "topped up")
		if err != nil {
			t.Fatal(err)
		}
		w.work(time.Minute)
		if j, err = w.redrive.Get(t.Context(), operator, j.ID); err != nil || j.State != store.JobDone || j.Author != "key:op" || j.Reason != "topped up" {
			t.Fatalf("%+v, %v", j, err)
		}
		if int64(count.Matched) != j.Counts[redrive.Redriven]+j.Counts[redrive.Expired] || int64(count.Expired) != j.Counts[redrive.Expired] || count.More {
			t.Errorf("%+v: counted %+v, did %v", tc.filter, count, j.Counts)
		}
		for name, id := range all {
			n, status := w.redriven(id)
			if want := strings.Contains(" "+tc.want+" ", " "+name+" ") && name != "expired"; want != (n == 1) && want || n > 1 || (status == message.Dead) != (n == 0) {
				t.Errorf("%+v: %s was redriven %d times and is %s", tc.filter, name, n, status)
			}
		}
	}
	if n, status := w.redriven(all["expired"]); n != 0 || status != message.Dead {
		t.Errorf("what had expired was redriven %d times and is %s", n, status)
	}
	list, next, err := w.redrive.List(t.Context(), operator, 2, "")
	if err != nil || len(list) != 2 || next == "" || list[0].Kind != redrive.Kind {
		t.Errorf("%v, %q, %v", list, next, err)
	}
}

// Of a fallback that went on to another way nothing is tried again: its person would be reached twice.
func TestAnotherWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		then []message.Event // to the second way
		want int
	}{
		"waits":  {nil, 1},
		"goes":   {[]message.Event{message.Activate{}}, 0},
		"sent":   {[]message.Event{message.Activate{}, message.Lease{Account: "two", Until: start.Add(time.Second)}, message.Finish{Epoch: 1, Result: message.Result{Outcome: message.Accepted}}}, 0},
		"failed": {[]message.Event{message.Activate{}, message.Lease{Account: "two", Until: start.Add(time.Second)}, message.Finish{Epoch: 1, Result: message.Result{Outcome: message.Permanent}}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			g := store.Group{ID: store.GroupPrefix + message.ULIDFloor(start), Tenant: "shop", Kind: store.GroupFallback}
			first := w.dead("shop", "one", func(m *message.Message) { m.Group, m.Fallback = g.ID, true })
			second := w.accept("shop", func(m *message.Message) { m.Group, m.Fallback, m.Place, m.Hold = g.ID, true, 1, true })
			g.IDs = []message.ID{first, second.ID}
			if _, _, err := w.raw.OpenGroup(t.Context(), system, w.clock, g, nil, time.Hour); err != nil {
				t.Fatal(err)
			}
			for _, e := range c.then {
				second = w.update(second, e)
			}
			w.clock = w.clock.Add(time.Minute)
			j, err := w.redrive.Start(t.Context(), operator, redrive.Filter{Account: "one"}, 10, "it works again")
			if err != nil {
				t.Fatal(err)
			}
			w.work(time.Minute)
			if j, err = w.redrive.Get(t.Context(), operator, j.ID); err != nil || j.Counts[redrive.Skipped] != int64(1-c.want) {
				t.Errorf("%v, %v", j.Counts, err)
			}
			if n, status := w.redriven(first); n != c.want {
				t.Errorf("redriven %d times, and is %s", n, status)
			}
		})
	}
}

// A fast redrive keeps its pace over a table that takes its time: messages are tried side by side.
func TestFastOverASlowTable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for range 400 {
			w.dead("shop", "one")
		}
		w.clock = w.clock.Add(time.Minute)
		if _, err := w.redrive.Start(t.Context(), operator, redrive.Filter{}, 400, "x"); err != nil {
			t.Fatal(err)
		}
		w.fault = func(call string) (f storetest.Fault) {
			if call == "Write" {
				f.Hold = func(context.Context) { time.Sleep(10 * time.Millisecond) }
			}
			return f
		}
		began := time.Now()
		w.work(time.Second)
		n := 0
		for _, k := range w.seconds {
			n += k
		}
		if took := time.Since(began); n != 400 || took > time.Second { // one after the other: four
			t.Errorf("%d in %s", n, took)
		}
	})
}

// What a message makes panic ends its page, which is tried again, and nothing else: nobody else would catch it.
func TestPanicSideBySide(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := make([]message.ID, 100)
	for i := range ids {
		ids[i] = w.dead("shop", "one")
	}
	w.clock = w.clock.Add(time.Minute)
	j, err := w.redrive.Start(t.Context(), operator, redrive.Filter{}, 100, "x")
	if err != nil {
		t.Fatal(err)
	}
	var writes atomic.Int64
	w.fault = func(call string) (f storetest.Fault) {
		if call == "Write" && writes.Add(1) == 50 {
			f.Hold = func(context.Context) { panic("what nobody thought of") }
		}
		return f
	}
	w.work(time.Minute)
	if j, err = w.redrive.Get(t.Context(), operator, j.ID); err != nil || j.State != store.JobDone {
		t.Fatalf("%+v, %v", j, err)
	}
	for _, id := range ids {
		if n, status := w.redriven(id); n != 1 {
			t.Errorf("redriven %d times, and is %s", n, status)
		}
	}
}

// Nor is what was asked for anew since it died, inside the window: the caller's own second try has its place.
func TestAskedForAnew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		anew    bool
		then    []message.Event // to what was asked for anew
		settled bool            // the claim of the dead one is given back
		later   time.Duration
		want    int
	}{
		"not":              {later: time.Minute, settled: true, want: 1},
		"it goes":          {anew: true, later: time.Minute, settled: true},
		"it goes, at once": {anew: true, later: time.Minute},
		"it failed":        {anew: true, then: []message.Event{message.Lease{Account: "two", Until: start.Add(time.Second)}, message.Finish{Epoch: 1, Result: message.Result{Outcome: message.Permanent}}}, later: time.Minute, settled: true, want: 1},
		"window over":      {anew: true, later: 2 * time.Hour, settled: true, want: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.window = time.Hour
			first := w.dead("shop", "one")
			r, err := w.raw.Message(t.Context(), system, first)
			if err != nil {
				t.Fatal(err)
			}
			if c.settled {
				if err := w.raw.Release(t.Context(), system, w.clock, r); err != nil {
					t.Fatal(err)
				}
				w.update(r, message.Settle{Done: message.ReleaseClaim})
			}
			if c.anew {
				second := w.accept("shop")
				for _, e := range c.then {
					second = w.update(second, e)
				}
			}
			w.clock = w.clock.Add(c.later)
			j, err := w.redrive.Start(t.Context(), operator, redrive.Filter{Account: "one"}, 10, "it works again")
			if err != nil {
				t.Fatal(err)
			}
			w.work(time.Minute)
			if j, err = w.redrive.Get(t.Context(), operator, j.ID); err != nil || j.Counts[redrive.Redriven] != int64(c.want) || j.Counts[redrive.Skipped] != int64(1-c.want) {
				t.Errorf("%v, %v", j.Counts, err)
			}
		})
	}
}

// No second sees more than the rate, and a stop is in force before the next page.
func TestRateAndStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 45 {
		w.dead("shop", "one")
	}
	w.clock = w.clock.Add(time.Minute)
	j, err := w.redrive.Start(t.Context(), operator, redrive.Filter{}, 10, "x")
	if err != nil {
		t.Fatal(err)
	}
	w.work(2500 * time.Millisecond)
	if j, err = w.redrive.Stop(t.Context(), operator, j.ID, "wrong account"); err != nil {
		t.Fatal(err)
	}
	w.work(time.Minute)
	if j, err = w.redrive.Get(t.Context(), operator, j.ID); err != nil || j.State != store.JobStopped || j.Counts[redrive.Redriven] != 30 || j.Steps[0].Why != "wrong account" {
		t.Errorf("%+v, %v", j, err)
	}
	if _, err = w.redrive.Start(t.Context(), operator, redrive.Filter{}, 10, "now"); err != nil {
		t.Fatal(err)
	}
	w.work(time.Minute)
	sum := 0
	for at, n := range w.seconds {
		if sum += n; n > 10 {
			t.Errorf("%d in second %d", n, at)
		}
	}
	if sum != 45 {
		t.Errorf("%d were redriven", sum)
	}
	if _, err := w.redrive.Stop(t.Context(), operator, j.ID, ""); err != nil {
		t.Errorf("to stop again is no fault: %v", err)
	}
}

// Whatever call fails, before or after it was made: nothing is left out, and nothing is redriven twice, though
// it dies again meanwhile.
func TestCrashAtEveryCall(t *testing.T) {
	t.Parallel()
	run := func(at int, after bool) (calls int) {
		w := newWorld(t)
		var ids []message.ID
		for i := range 6 {
			ids = append(ids, w.dead([]string{"shop", "bank"}[i%2], "one"))
		}
		w.clock = w.clock.Add(time.Minute)
		j, err := w.redrive.Start(t.Context(), operator, redrive.Filter{}, 2, "x")
		if err != nil {
			t.Fatal(err)
		}
		w.fault = func(string) storetest.Fault {
			calls++
			switch {
			case calls != at:
				return storetest.Fault{}
			case after:
				return storetest.Fault{After: errors.New("lost")}
			}
			return storetest.Fault{Before: errors.New("down")}
		}
		for range 40 {
			w.work(20 * time.Second)
			for _, id := range ids { // it dies again at once
				r, err := w.raw.Message(t.Context(), system, id)
				if err == nil && r.Status == message.Queued {
					_, err = w.raw.Update(t.Context(), system, w.clock, r, message.Poison{})
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if _, err := w.jobs.Requeue(t.Context()); err != nil && at == 0 {
				t.Fatal(err)
			}
		}
		w.fault = nil
		if j, err = w.redrive.Get(t.Context(), operator, j.ID); err != nil || j.State != store.JobDone {
			t.Errorf("call %d (after: %v): %+v, %v", at, after, j, err)
		}
		for _, id := range ids {
			if n, _ := w.redriven(id); n != 1 {
				t.Errorf("call %d (after: %v): redriven %d times", at, after, n)
			}
		}
		return calls
	}
	for at := 1; at <= min(run(0, false), 60); at++ {
		run(at, false)
		run(at, true)
	}
}

// An account that works again: its dead since then, once, however often it is asked for.
func TestBreakerCloses(t *testing.T) {
	t.Parallel()
	for _, since := range []string{fmt.Sprint(int64(start.Add(time.Minute))), `"2026-01-02T00:01:00Z"`} {
		w := newWorld(t)
		before := w.dead("shop", "main")
		w.clock = w.clock.Add(2 * time.Minute)
		during, other := w.dead("shop", "main"), w.dead("shop", "spare")
		w.clock = w.clock.Add(time.Minute)
		body := []byte(`{"kind":"redrive","account":"main","since":` + since + `,"reason":"breaker_closed","rate":20}`)
		for range 2 {
			_ = w.Send(t.Context(), queue.Control, queue.Item{Body: body})
		}
		_ = w.Send(t.Context(), queue.Control, queue.Item{Body: []byte(`{"kind":"redrive"}`)})
		w.work(time.Minute)
		got := map[string]int{}
		got["before"], _ = w.redriven(before)
		got["during"], _ = w.redriven(during)
		got["other"], _ = w.redriven(other)
		if diff := cmp.Diff(map[string]int{"before": 0, "during": 1, "other": 0}, got); diff != "" {
			t.Error(diff)
		}
		list, _, err := w.redrive.List(t.Context(), operator, 10, "")
		if err != nil || len(list) != 1 || list[0].Reason != "breaker_closed" || list[0].Rate != 20 {
			t.Errorf("%+v, %v", list, err)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code := func(err error) string {
		var p *problem.Error
		if !errors.As(err, &p) {
			return fmt.Sprint(err)
		}
		out := string(p.Code)
		for _, f := range p.Fields {
			out += " " + f.Pointer + " " + string(f.Code)
		}
		return out
	}
	start := func(p tenant.Principal, f redrive.Filter, rate int, why string) error {
		_, err := w.redrive.Start(t.Context(), p, f, rate, why)
		return err
	}
	_, count := w.redrive.Count(t.Context(), reader, redrive.Filter{})
	_, get := w.redrive.Get(t.Context(), operator, "rdr_nothing")
	_, foreign := w.redrive.Get(t.Context(), reader, "rdr_nothing")
	_, stop := w.redrive.Stop(t.Context(), operator, "../x", "")
	_, _, list := w.redrive.List(t.Context(), reader, 10, "")
	for want, err := range map[string]error{
		"forbidden":                                     errors.Join(count, start(reader, redrive.Filter{}, 1, "x"), foreign, list),
		"not_found":                                     errors.Join(get, stop),
		"invalid_request /rate bad_value":               start(operator, redrive.Filter{}, 501, "x"),
		"invalid_request /reason required":              start(operator, redrive.Filter{}, 1, ""),
		"invalid_request /reason too_long":              start(operator, redrive.Filter{}, 1, strings.Repeat("x", 201)),
		"invalid_request /filter/from bad_time":         start(operator, redrive.Filter{From: 2, To: 1}, 1, "x"),
		"invalid_request /filter/tenant unknown_tenant": start(operator, redrive.Filter{Tenant: "A"}, 1, "x"),
		"invalid_request /filter/template bad_value":    start(operator, redrive.Filter{Template: "hello"}, 1, "x"),
	} {
		errs := []error{err}
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			errs = many.Unwrap()
		}
		for _, err := range errs {
			if got := code(err); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
	}
}
