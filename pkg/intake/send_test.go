package intake_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/storetest"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

const (
	anna  = "+8613800138000"
	berta = "+8613800138001"
)

// hello asks for the template hello over sms.
func hello(to string, change ...func(*intake.Request)) *intake.Request {
	r := &intake.Request{To: intake.To{One: to}, Channel: message.SMS, Template: "hello", Vars: map[string]any{"name": "Anna"}}
	for _, f := range change {
		f(r)
	}
	return r
}

func keyed(key string) func(*intake.Request) {
	return func(r *intake.Request) { r.IdempotencyKey, r.Hash = key, []byte("hash of the body") }
}

// send must succeed; the answer to a single message is its verdict.
func send(t testing.TB, in *intake.Intake, p tenant.Principal, r *intake.Request) *intake.Answer {
	t.Helper()
	a, err := in.Send(t.Context(), p, r)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// refused must be refused with one fault, and leaves nothing.
func refused(t testing.TB, err error, pointer string, code problem.Code) {
	t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) {
		t.Errorf("want %s at %s, got %v", code, pointer, err)
		return
	}
	if pointer == "" && p.Code == code {
		return
	}
	for _, f := range p.Fields {
		if f.Pointer == pointer && f.Code == code && f.Detail != "" {
			return
		}
	}
	t.Errorf("want %s at %s, got %v", code, pointer, p)
}

func TestReplayIsTheLiveRecord(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	a := send(t, w.Intake, intaketest.Shop, hello(anna, keyed("order-1")))
	first := a.Verdicts[0]
	if a.Replay || a.Group != nil || !first.New || first.Record.Status != message.Queued || first.Record.Owner != "Wang" || first.Record.Key != "key0000001" {
		t.Fatalf("%+v", first)
	}
	if h := w.Hints(message.SMS, message.Normal); len(h) != 1 || h[0].ID != first.Record.ID || h[0].Record == nil {
		t.Errorf("hints %+v", h)
	}
	if _, err := w.Intake.Cancel(t.Context(), intaketest.Shop, first.Record.ID, ""); err != nil {
		t.Fatal(err)
	}
	a = send(t, w.Intake, intaketest.Shop, hello(anna, keyed("order-1")))
	if v := a.Verdicts[0]; !a.Replay || v.New || v.Record.ID != first.Record.ID || v.Record.Status != message.Cancelled {
		t.Errorf("replay: %+v", v)
	}
	_, err := w.Intake.Send(t.Context(), intaketest.Shop, hello(anna, keyed("order-1"), func(r *intake.Request) { r.Hash = []byte("another") }))
	refused(t, err, "", problem.KeyReused)
	// The same key of another tenant, and of a test key, is another key.
	if a := send(t, w.Intake, intaketest.Bank, hello(berta, keyed("order-1"), func(r *intake.Request) { r.Template = "notice" })); !a.Verdicts[0].New {
		t.Error("another tenant's key answered")
	}
	if a := send(t, w.Intake, intaketest.ShopTest, hello(anna, keyed("order-1"))); !a.Verdicts[0].New || a.Verdicts[0].Record.Status != message.Simulated {
		t.Errorf("a live message answered a test: %+v", a.Verdicts[0])
	}
	send(t, w.Intake, intaketest.ShopTest, hello(anna, keyed("tried-first")))
	if a := send(t, w.Intake, intaketest.Shop, hello(anna, keyed("tried-first"))); !a.Verdicts[0].New || a.Verdicts[0].Record.Status != message.Queued {
		t.Errorf("a test answered the live request: %+v", a.Verdicts[0])
	}
}

// A repeated request is answered with what was accepted, whatever has changed since.
func TestReplayAfterChanges(t *testing.T) {
	t.Parallel()
	soon := func(r *intake.Request) { r.SendAt = intaketest.Start.Add(time.Minute) }
	list := func(r *intake.Request) { r.To = intake.To{List: []string{anna, berta}} }
	ways := func(r *intake.Request) {
		r.Channel, r.To = "", intake.To{Ways: map[message.Channel]string{message.SMS: anna, message.Email: "a@example.com", message.Feishu: "anna"}}
	}
	steps := func(strategy string, channels ...message.Channel) func(*intaketest.World) {
		return func(w *intaketest.World) {
			all := make([]map[string]any, len(channels))
			for i, c := range channels {
				all[i] = map[string]any{"channel": c}
			}
			w.Put(store.Routes, "r", "", map[string]any{"name": "r", "strategy": strategy, "steps": all})
		}
	}
	for name, c := range map[string]struct {
		before func(*intaketest.World)
		shape  []func(*intake.Request)
		change func(*intaketest.World)
	}{
		"its time has passed":         {nil, []func(*intake.Request){soon}, func(w *intaketest.World) { w.Advance(time.Hour) }},
		"its time has passed, a list": {nil, []func(*intake.Request){soon, list}, func(w *intaketest.World) { w.Advance(time.Hour) }},
		"the window is over, a list":  {nil, []func(*intake.Request){list}, func(w *intaketest.World) { w.Advance(time.Hour) }},
		"the template is withdrawn":   {nil, nil, func(w *intaketest.World) { w.Template(helloTemplate(w, 2), 0) }},
		"the template wants more": {nil, []func(*intake.Request){list}, func(w *intaketest.World) {
			t := helloTemplate(w, 2)
			t.Variables = append(t.Variables, variable("more"))
			w.Template(t, 2)
		}},
		"the tenant is switched off": {nil, nil, func(w *intaketest.World) {
			w.Put(store.Tenants, "shop", "shop", tenant.Tenant{Name: "shop", Disabled: true})
		}},
		"one way became three":          {nil, []func(*intake.Request){ways}, steps("all", message.SMS, message.Email, message.Feishu)},
		"three ways became one":         {steps("all", message.SMS, message.Email, message.Feishu), []func(*intake.Request){ways}, steps("one", message.SMS)},
		"two ways became three":         {steps("all", message.SMS, message.Email), []func(*intake.Request){ways}, steps("all", message.SMS, message.Email, message.Feishu)},
		"three ways became two, turned": {steps("fallback", message.SMS, message.Email, message.Feishu), []func(*intake.Request){ways}, steps("fallback", message.Feishu, message.SMS)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := intaketest.New(t)
			if c.before != nil {
				c.before(w)
			}
			request := func() *intake.Request { return hello(anna, append(c.shape, keyed("k"))...) }
			first := send(t, w.Intake, intaketest.Shop, request())
			c.change(w)
			commits := w.DB.Stats().Commits
			again := send(t, w.Intake, intaketest.Shop, request())
			if !again.Replay || len(again.Verdicts) != len(first.Verdicts) || (again.Group == nil) != (first.Group == nil) {
				t.Fatalf("%+v, then %+v", first, again)
			}
			for i, v := range again.Verdicts {
				if v.Record.ID != first.Verdicts[i].Record.ID || v.New || v.Duplicate {
					t.Errorf("%d: %+v", i, v)
				}
			}
			if n := w.DB.Stats().Commits - commits; n != 0 {
				t.Errorf("a replay wrote %d times", n)
			}
			_, err := w.Intake.Send(t.Context(), intaketest.Shop, hello(anna, append(c.shape, keyed("k"), func(r *intake.Request) { r.Hash = []byte("another") })...))
			if problem.From(err).Status() != 422 {
				t.Errorf("another body: %v", err)
			}
		})
	}
}

func helloTemplate(w *intaketest.World, version int) template.Template {
	w.Helper()
	c, err := w.Config.Version(w.Context(), message.Ref{Tenant: "shop", Name: "hello", Version: 1})
	if err != nil {
		w.Fatal(err)
	}
	t := c.Template()
	t.Version = version
	return t
}

func variable(name string) template.Variable { return template.Variable{Name: name} }

// Exactly one synced commit before the 202.
func TestOneCommit(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	free := func(r *intake.Request) {
		r.Channel, r.To.One, r.Template, r.Vars = message.Email, "a@example.com", "", nil
		r.Content = &message.Content{Subject: "s", Text: fmt.Sprint("t", r.IdempotencyKey)}
	}
	reference := func(r *intake.Request) { r.Reference = "order-1" }
	ahead := func(r *intake.Request) { r.SendAt = intaketest.Start.Add(time.Hour) }
	send(t, w.Intake, intaketest.Shop, hello(berta)) // the day's data keys
	for name, shape := range map[string][]func(*intake.Request){
		"plain": {}, "with a key": {keyed("k1")}, "with a reference": {reference}, "with both": {keyed("k2"), reference},
		"scheduled": {ahead, keyed("k3")}, "free content": {free}, "free content, key and reference": {keyed("k4"), free, reference},
	} {
		unique := func(r *intake.Request) {
			if r.Vars != nil {
				r.Vars["name"] = name
			}
		}
		before := w.DB.Stats()
		if a := send(t, w.Intake, intaketest.Shop, hello(anna, append(shape, unique)...)); !a.Verdicts[0].New {
			t.Errorf("%s: %+v", name, a.Verdicts[0])
		}
		if n := w.DB.Stats().Commits - before.Commits; n != 1 {
			t.Errorf("%s: %d commits", name, n)
		}
	}
}

// gathering is a driver whose writers wait for each other at the door, as callers at the same moment do.
type gathering struct {
	store.Driver
	mu      sync.Mutex
	waiting int
	of      int
	open    chan struct{}
}

func (g *gathering) Write(ctx context.Context, now message.Time, sequences ...[]store.Op) ([]store.Result, error) {
	g.mu.Lock()
	open := g.open
	if g.waiting++; g.waiting == g.of {
		g.waiting, g.open = 0, make(chan struct{})
		close(open)
	}
	g.mu.Unlock()
	<-open
	return g.Driver.Write(ctx, now, sequences...)
}

// Sixteen callers at once share commits: at most one for two messages.
func TestCallersShareCommits(t *testing.T) {
	t.Parallel()
	const callers, each = 16, 40
	w := intaketest.New(t)
	send(t, w.Intake, intaketest.Shop, hello(berta))
	together := &gathering{Driver: w.DB, of: 1, open: make(chan struct{})}
	s := w.Open(together)
	in := w.Over(s, w.Queue)
	send(t, in, intaketest.Shop, hello(berta, func(r *intake.Request) { r.Vars["name"] = "warm" }))
	together.of = callers
	before := w.DB.Stats().Commits
	var group sync.WaitGroup
	for c := range callers {
		group.Go(func() {
			for i := range each {
				_, err := in.Send(t.Context(), intaketest.Shop, hello(fmt.Sprintf("+861380%03d%04d", c, i), keyed(fmt.Sprint(c, "/", i))))
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if n := w.DB.Stats().Commits - before; n*2 > callers*each {
		t.Errorf("%d commits for %d messages", n, callers*each)
	}
}

// refusing is a queue that refuses, all or in part, and may keep what it refuses.
type refusing struct {
	queue.Queue
	err  error
	keep bool
}

func (q refusing) Send(ctx context.Context, to queue.Name, items ...queue.Item) error {
	if q.keep {
		if err := q.Queue.Send(ctx, to, items...); err != nil {
			return err
		}
	}
	return q.err
}

// A queue that refuses the hint changes nothing: the record is there, and due.
func TestQueueThatRefuses(t *testing.T) {
	t.Parallel()
	for name, q := range map[string]refusing{
		"all": {err: errors.New("no queue")}, "some": {err: &queue.SendError{Failed: map[int]error{0: queue.ErrFull}}}, "kept": {err: errors.New("no answer"), keep: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := intaketest.New(t)
			q.Queue = w.Queue
			in := w.Over(w.Store, q)
			a := send(t, in, intaketest.Shop, hello("", keyed("k"), func(r *intake.Request) { r.To = intake.To{List: []string{anna, berta}} }))
			due := map[message.ID]message.Time{}
			for _, shard := range w.Store.DueShards() {
				list, _, err := w.Store.Due(t.Context(), shard, w.Time().Add(time.Minute), 100, "")
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range list {
					due[d.ID] = d.At
				}
			}
			for _, v := range a.Verdicts {
				if !v.New || due[v.Record.ID] != w.Time().Add(message.Grace) {
					t.Errorf("%+v is due at %s", v, due[v.Record.ID])
				}
			}
			if !strings.Contains(w.Log.String(), "the sweep will") {
				t.Error("nothing in the log")
			}
		})
	}
}

// Whatever a caller's texts hold, a hint goes out at once: one that no queue would take is a bare one.
func TestEveryHintIsTaken(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	a := send(t, w.Intake, intaketest.Shop, hello(anna, func(r *intake.Request) { r.Reference = "a\uffffb\ufffe\u2028<&>" }))
	if h := w.Hints(message.SMS, message.Normal); len(h) != 1 || h[0].ID != a.Verdicts[0].Record.ID {
		t.Errorf("%+v %s", h, w.Log)
	}
	big := strings.Repeat("x", 1000)
	lines := make([]any, 200)
	for i := range lines {
		lines[i] = map[string]any{"sku": big}
	}
	a = send(t, w.Intake, intaketest.Shop, hello(anna, func(r *intake.Request) {
		r.Template, r.Vars = "bill", map[string]any{"amount": json.Number("1"), "lines": lines}
	}))
	h := w.Hints(message.SMS, message.Normal)
	if len(h) != 2 || h[1].ID != a.Verdicts[0].Record.ID || h[1].Record != nil {
		t.Errorf("%d hints %s", len(h), w.Log)
	}
}

func TestSendAt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ahead  time.Duration
		delay  time.Duration // of the hint; -1: none
		due    time.Duration // from now
		status message.Status
	}{
		{-time.Minute, 0, message.Grace, message.Queued}, {0, 0, message.Grace, message.Queued},
		{time.Millisecond, time.Second, time.Millisecond + message.Grace, message.Scheduled},
		{1500 * time.Millisecond, 2 * time.Second, 1500*time.Millisecond + message.Grace, message.Scheduled},
		{15 * time.Minute, 15 * time.Minute, 15*time.Minute + message.Grace, message.Scheduled},
		{15*time.Minute - time.Millisecond, 15 * time.Minute, 15*time.Minute - time.Millisecond + message.Grace, message.Scheduled},
		{15*time.Minute + time.Millisecond, -1, 15*time.Minute + time.Millisecond, message.Scheduled},
		{365 * 24 * time.Hour, -1, 365 * 24 * time.Hour, message.Scheduled},
	} {
		w := intaketest.New(t)
		at := w.Now().Add(c.ahead)
		r := send(t, w.Intake, intaketest.Shop, hello(anna, func(r *intake.Request) { r.SendAt = at })).Verdicts[0].Record
		from := max(w.Time(), message.At(at))
		if r.Status != c.status || r.Due != w.Time().Add(c.due) || r.Expires != from.Add(24*time.Hour) {
			t.Errorf("%s: %s due %s expires %s", c.ahead, r.Status, r.Due, r.Expires)
		}
		items := w.Queue.Peek(queue.Lane(message.SMS, message.Normal), 10)
		if (len(items) == 0) != (c.delay < 0) {
			t.Errorf("%s: %d hints", c.ahead, len(items))
		}
		ready, delayed, _ := w.Queue.Len(queue.Lane(message.SMS, message.Normal))
		if c.delay > 0 && (ready != 0 || delayed != 1) || c.delay == 0 && ready != 1 {
			t.Errorf("%s: %d ready, %d delayed", c.ahead, ready, delayed)
		}
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	at := w.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		change func(*intake.Request)
		want   time.Time
	}{
		"ttl":             {func(r *intake.Request) { r.TTL = time.Minute }, w.Now().Add(time.Minute)},
		"ttl, ahead":      {func(r *intake.Request) { r.TTL, r.SendAt = time.Minute, at }, at.Add(time.Minute)},
		"instant, ahead":  {func(r *intake.Request) { r.ExpiresAt, r.SendAt = at.Add(time.Second), at }, at.Add(time.Second)},
		"the class's":     {func(*intake.Request) {}, w.Now().Add(24 * time.Hour)},
		"a code's":        {func(r *intake.Request) { r.Template, r.Vars = "login", map[string]any{"code": "4711"} }, w.Now().Add(5 * time.Minute)},
		"marketing's":     {func(r *intake.Request) { r.Template = "promo" }, w.Now().Add(72 * time.Hour)},
		"the longest ttl": {func(r *intake.Request) { r.TTL = 365 * 24 * time.Hour }, w.Now().Add(365 * 24 * time.Hour)},
	} {
		r := send(t, w.Intake, intaketest.Shop, hello(anna, c.change, func(r *intake.Request) { r.DedupSeconds = new(int) })).Verdicts[0].Record
		if r.Expires != message.At(c.want) {
			t.Errorf("%s: %s", name, r.Expires)
		}
	}
}

// What the recipient gets is what was accepted: numbers and all, in the version of that time.
func TestContentIsPinned(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	for _, n := range []string{"19.90", "12345678901234567890", "1e3", "-0", "0.10"} {
		bill := func(r *intake.Request) {
			r.Template, r.Vars = "bill", map[string]any{"amount": json.Number(n)}
		}
		x, err := w.Intake.Explain(t.Context(), intaketest.Shop, hello(anna, bill))
		if err != nil {
			t.Fatal(err)
		}
		r := send(t, w.Intake, intaketest.Shop, hello(anna, bill)).Verdicts[0].Record
		vars, err := w.Store.Vars(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		c, err := w.Config.Version(t.Context(), r.Template)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := c.Render(r.Channel, r.Template.Locale, vars)
		if err != nil || got.Text != x[0].Content.Text || len(c.Check(vars)) > 0 {
			t.Errorf("%s: %q, explained %q, %v", n, got.Text, x[0].Content.Text, err)
		}
		if a, err := w.Intake.Resend(t.Context(), intaketest.Shop, r.ID, &intake.Request{}); err != nil || a.Verdicts[0].Record.ResendOf != r.ID {
			t.Errorf("resend: %v", err)
		}
	}
}

func TestIsolation(t *testing.T) {
	t.Parallel()
	of := intaketest.Principal
	for name, c := range map[string]struct {
		p            tenant.Principal
		sends, steer bool // for the tenant shop
	}{
		"own":             {intaketest.Shop, true, true},
		"own, read only":  {of("shop", true, tenant.Read), false, false},
		"own test key":    {intaketest.ShopTest, true, true},
		"another":         {intaketest.Bank, false, false},
		"operator":        {intaketest.Operator, true, true},
		"operates only":   {of("ops", true, tenant.Operate), false, true},
		"admin of none":   {intaketest.Root, true, true},
		"sender of none":  {of("", true, tenant.Send), false, false},
		"zero":            {tenant.Principal{}, false, false},
		"another's admin": {of("bank", true, tenant.Admin), true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := intaketest.New(t)
			first := send(t, w.Intake, intaketest.Shop, hello(anna, keyed("k")))
			list := send(t, w.Intake, intaketest.Shop, hello("", keyed("g"), func(r *intake.Request) { r.To = intake.To{List: []string{anna, berta}}; r.Vars["name"] = "list" }))
			id := first.Verdicts[0].Record.ID
			commits := w.DB.Stats().Commits
			may := func(method string, want bool, err error) {
				t.Helper()
				if p := problem.From(err); err != nil && p.Status() != 404 && p.Status() != 403 && p.Status() != 422 || (err == nil) != want {
					t.Errorf("%s: %v", method, err)
				}
			}
			inShop := func(r *intake.Request) { r.Tenant = "shop" }
			a, err := w.Intake.Send(t.Context(), c.p, hello(anna, keyed("k"), inShop))
			may("send", c.sends, err)
			if err == nil && c.p.Live && a.Verdicts[0].Record.ID != id {
				t.Error("the key does not find the message")
			}
			x, err := w.Intake.Explain(t.Context(), c.p, hello(anna, inShop))
			may("explain", c.sends || name == "own, read only", err)
			if err == nil && c.p.Live && (x[0].Duplicate == nil || x[0].Duplicate.ID != id) {
				t.Error("explain does not see the duplicate")
			}
			_, err = w.Intake.Batch(t.Context(), c.p, "k", []byte("h"), []*intake.Request{hello(anna, inShop)})
			if !c.sends && w.DB.Stats().Commits != commits {
				t.Errorf("batch wrote: %v", err)
			}
			_, err = w.Intake.Resend(t.Context(), c.p, id, &intake.Request{})
			may("resend", c.sends, err)
			_, err = w.Intake.Stop(t.Context(), c.p, intake.StopFilter{Group: list.Group.ID}, true, "")
			may("stop a group", c.steer, err)
			n, err := w.Intake.Stop(t.Context(), c.p, intake.StopFilter{Tenant: "shop"}, true, "")
			may("stop", c.steer, err)
			if !c.steer && n.Matched > 0 {
				t.Errorf("%d were counted", n.Matched)
			}
			_, err = w.Intake.Cancel(t.Context(), c.p, id, "")
			may("cancel", c.steer, err)
			if !c.sends && !c.steer && w.DB.Stats().Commits != commits {
				t.Error("something was written")
			}
		})
	}
}

// A tenant's own template filter cannot reach another's messages, nor its key another's by name.
func TestStopNarrows(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	send(t, w.Intake, intaketest.Shop, hello(anna))
	send(t, w.Intake, intaketest.Bank, hello(anna, func(r *intake.Request) { r.Template = "notice" }))
	n, err := w.Intake.Stop(t.Context(), intaketest.Bank, intake.StopFilter{Template: "shop/hello"}, false, "")
	if err != nil || n != (intake.Stopped{}) {
		t.Errorf("%+v, %v", n, err)
	}
	_, err = w.Intake.Stop(t.Context(), intaketest.Root, intake.StopFilter{}, false, "")
	refused(t, err, "", problem.Required)
}

// faulty is an intake over a driver that fails by chance.
func faulty(w *intaketest.World, decide func(string) storetest.Fault) *intake.Intake {
	w.Helper()
	on := false
	s := w.Open(storetest.Faults(w.DB, func(call string) storetest.Fault {
		if !on {
			return storetest.Fault{}
		}
		return decide(call)
	}))
	on = true
	return w.Over(s, w.Queue)
}
