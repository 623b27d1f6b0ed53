package intake_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/tenant"
)

var errCrash = errors.New("the process is gone")

// dying is a driver without transactions that dies after so many elements were written; below 0 never.
type dying struct {
	store.Driver
	mu   sync.Mutex
	left int
}

func (d *dying) step() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left == 0 {
		return errCrash
	}
	d.left--
	return nil
}

func (d *dying) Write(ctx context.Context, now message.Time, sequences ...[]store.Op) ([]store.Result, error) {
	out := make([]store.Result, len(sequences))
	for i, ops := range sequences {
		for j := range ops {
			if err := d.step(); err != nil {
				return nil, err
			}
			res, err := d.Driver.Write(ctx, now, ops[j:j+1])
			if err != nil {
				return nil, err
			}
			if res[0].Applied == 0 {
				out[i].Holder = res[0].Holder
				break
			}
			out[i].Applied++
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left == 0 {
		return nil, errCrash
	}
	return out, nil
}

func to(addresses ...string) func(*intake.Request) {
	return func(r *intake.Request) { r.To = intake.To{List: addresses} }
}

func way(ways map[message.Channel]string) func(*intake.Request) {
	return func(r *intake.Request) { r.Channel, r.To = "", intake.To{Ways: ways} }
}

func ids(a *intake.Answer) []message.ID {
	out := make([]message.ID, len(a.Verdicts))
	for i, v := range a.Verdicts {
		out[i] = v.Record.ID
	}
	return out
}

// whole checks that a group's item, its answer and the messages agree.
func whole(t testing.TB, w *intaketest.World, a *intake.Answer) {
	t.Helper()
	g, err := w.Store.Group(t.Context(), intaketest.Shop, a.Group.ID)
	if err != nil || !slices.Equal(g.IDs, ids(a)) {
		t.Errorf("the group has %v, the answer %v, %v", g.IDs, ids(a), err)
	}
	for i, v := range a.Verdicts {
		if v.New && (v.Record.Group != g.ID || v.Record.Place != i) {
			t.Errorf("%d is of group %s, place %d", i, v.Record.Group, v.Record.Place)
		}
	}
}

// A crash after any element of a group's writes: the retry ends with the same group, one message for each
// recipient, and the ids that the group's item promised.
func TestGroupCrashes(t *testing.T) {
	t.Parallel()
	shapes := map[string][]func(*intake.Request){
		"list":              {to(anna, berta, "+8613800138002")},
		"list, one twice":   {to(anna, berta, anna)},
		"list, one was had": {to(anna, berta), func(r *intake.Request) { r.Vars["name"] = "had" }},
		"all":               {way(map[message.Channel]string{message.SMS: anna, message.Email: "a@example.com"}), func(r *intake.Request) { r.Template = "promo" }},
		"fallback":          {way(map[message.Channel]string{message.SMS: anna, message.Email: "a@example.com", message.Feishu: "anna"})},
	}
	for name, shape := range shapes {
		for crash, over := 0, false; !over && crash < 40; crash++ {
			w := intaketest.New(t)
			routes(w)
			send(t, w.Intake, intaketest.Shop, hello("+8613800138999")) // the day's data keys
			send(t, w.Intake, intaketest.Shop, hello("+8613800138999", func(r *intake.Request) { r.Template = "promo" }))
			hour := 3600
			had := send(t, w.Intake, intaketest.Shop, hello(anna, func(r *intake.Request) { r.Vars["name"], r.DedupSeconds = "had", &hour })).Verdicts[0].Record
			d := &dying{Driver: w.DB, left: -1}
			in := w.Over(w.Open(d), w.Queue)
			d.left = crash
			request := func() *intake.Request { return hello("", append(shape, keyed("k"))...) }
			_, err := in.Send(t.Context(), intaketest.Shop, request())
			over = err == nil
			promised := store.Group{}
			if _, g, err := w.Store.ByKey(t.Context(), intaketest.Shop, w.Time(), "shop", &store.KeyClaim{Key: "k", Hash: request().Hash}); err == nil {
				promised = *g
			}
			w.Advance(time.Second)
			a, err := w.Intake.Send(t.Context(), intaketest.Shop, request())
			if name == "list, one was had" && problem.From(err).Code == problem.Unavailable { // the first try may still be at work
				w.Advance(5 * time.Minute)
				a, err = w.Intake.Send(t.Context(), intaketest.Shop, request())
			}
			if err != nil {
				t.Fatalf("%s, %d: %v", name, crash, err)
			}
			whole(t, w, a)
			want := len(a.Verdicts)
			if name == "list, one twice" {
				want--
				if a.Verdicts[0].Record.ID != a.Verdicts[2].Record.ID {
					t.Errorf("%s, %d: %v", name, crash, ids(a))
				}
			}
			if name == "list, one was had" && (a.Verdicts[0].Record.ID != had.ID || !a.Verdicts[0].Duplicate) {
				t.Errorf("%s, %d: %+v", name, crash, a.Verdicts[0])
			}
			if got := slices.Compact(slices.Sorted(slices.Values(ids(a)))); len(got) != want {
				t.Errorf("%s, %d: %d messages, want %d", name, crash, len(got), want)
			}
			for i, id := range promised.IDs {
				if a.Group.ID != promised.ID || a.Verdicts[i].Record.ID != id && !a.Verdicts[i].Duplicate {
					t.Errorf("%s, %d: promised %v, made %v", name, crash, promised.IDs, ids(a))
				}
			}
			for _, v := range a.Verdicts {
				if v.Record.Group == a.Group.ID && a.Group.Kind == store.GroupFallback && v.Record.Hold != (v.Record.Place > 0) {
					t.Errorf("%s, %d: place %d holds %t", name, crash, v.Record.Place, v.Record.Hold)
				}
			}
			again := send(t, w.Intake, intaketest.Shop, request())
			if !again.Replay || !slices.Equal(ids(a), ids(again)) {
				t.Errorf("%s, %d: %v, then %v", name, crash, ids(a), ids(again))
			}
			for _, n := range []int{len(w.Records(message.Phone, anna)) - 1, len(w.Records(message.Phone, berta)), len(w.Records(message.Mail, "a@example.com"))} {
				if n > 1 {
					t.Errorf("%s, %d: %d records of one recipient", name, crash, n)
				}
			}
		}
	}
}

func routes(w *intaketest.World) {
	w.Helper()
	steps := []route.Step{{Channel: message.SMS, WaitSeconds: 60}, {Channel: message.Email}, {Channel: message.Feishu}}
	w.Put(store.Routes, "fallback", "", route.Route{Name: "fallback", Match: route.Match{Class: message.Transactional}, Strategy: route.Fallback, Steps: steps})
	w.Put(store.Routes, "all", "", route.Route{Name: "all", Match: route.Match{Class: message.Marketing}, Strategy: route.All, Steps: steps})
}

// Two that send one group at once make one.
func TestGroupRaces(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	send(t, w.Intake, intaketest.Shop, hello("+8613800138999"))
	in := w.Over(w.Open(&dying{Driver: w.DB, left: -1}), w.Queue)
	answers := make([]*intake.Answer, 32)
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() {
			var err error
			if answers[i], err = in.Send(t.Context(), intaketest.Shop, hello("", to(anna, berta), keyed("k"))); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, a := range answers[1:] {
		if a == nil || a.Group.ID != answers[0].Group.ID || !slices.Equal(ids(a), ids(answers[0])) {
			t.Fatalf("%+v and %+v", a, answers[0])
		}
	}
	if len(w.Records(message.Phone, anna)) != 1 || len(w.Records(message.Phone, berta)) != 1 {
		t.Error("more than one message")
	}
}

// Equal requests at once without a key, groups and single ones: the same content goes to nobody twice, though the
// elements of a request are written one by one, and who has a claim has no record yet.
func TestEqualGroupsRace(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	send(t, w.Intake, intaketest.Shop, hello("+8613800138999"))
	in := w.Over(w.Open(&dying{Driver: w.DB, left: -1}), w.Queue)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			r := hello(anna)
			if i%2 == 0 {
				r = hello("", to(anna, berta))
			}
			if _, err := in.Send(t.Context(), intaketest.Shop, r); err != nil && problem.From(err).Code != problem.Unavailable {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if a, b := len(w.Records(message.Phone, anna)), len(w.Records(message.Phone, berta)); a != 1 || b > 1 {
		t.Errorf("%d and %d messages", a, b)
	}
}

// A replay of a group is read only: it opens no window again, and its members stay when equal content was
// sent anew meanwhile.
func TestGroupReplayOpensNoWindow(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	first := send(t, w.Intake, intaketest.Shop, hello("", to(anna, berta), keyed("k")))
	w.Advance(10 * time.Minute)
	anew := send(t, w.Intake, intaketest.Shop, hello(anna))
	if !anew.Verdicts[0].New {
		t.Fatalf("%+v", anew.Verdicts[0])
	}
	again := send(t, w.Intake, intaketest.Shop, hello("", to(anna, berta), keyed("k")))
	if !slices.Equal(ids(first), ids(again)) {
		t.Errorf("%v, then %v", ids(first), ids(again))
	}
	whole(t, w, again)
	if a := send(t, w.Intake, intaketest.Shop, hello(berta)); !a.Verdicts[0].New {
		t.Errorf("the replay opened a window: %+v", a.Verdicts[0])
	}
}

func TestStrategies(t *testing.T) {
	t.Parallel()
	ways := map[message.Channel]string{message.Feishu: "anna", message.Email: "Anna@Example.com", message.SMS: "138 0013 8000"}
	suppressed := func(w *intaketest.World, kind message.AddressKind, key string) {
		if err := w.Store.PutSuppression(t.Context(), tenant.System("test"), w.Time(), kind, key, suppress.Entry{Reason: suppress.Bounce, Masked: "x", At: w.Time()}); err != nil {
			t.Fatal(err)
		}
	}
	queued, held, stopped := message.Queued, message.Scheduled, message.Suppressed
	for name, c := range map[string]struct {
		template string
		ways     map[message.Channel]string
		before   func(w *intaketest.World)
		kind     store.GroupKind
		channels []message.Channel
		statuses []message.Status
	}{
		"no route: the first of the table": {"draft2", ways, nil, "", []message.Channel{message.SMS}, []message.Status{queued}},
		"fallback":                         {"hello", ways, nil, store.GroupFallback, []message.Channel{message.SMS, message.Email, message.Feishu}, []message.Status{queued, held, held}},
		"fallback of one":                  {"hello", map[message.Channel]string{message.Email: "a@example.com"}, nil, "", []message.Channel{message.Email}, []message.Status{queued}},
		"fallback, the first suppressed": {"hello", ways, func(w *intaketest.World) { suppressed(w, message.Phone, anna) },
			store.GroupFallback, []message.Channel{message.SMS, message.Email, message.Feishu}, []message.Status{stopped, queued, held}},
		"fallback, two suppressed": {"hello", ways, func(w *intaketest.World) {
			suppressed(w, message.Phone, anna)
			suppressed(w, message.Mail, "anna@example.com")
		}, store.GroupFallback, []message.Channel{message.SMS, message.Email, message.Feishu}, []message.Status{stopped, stopped, queued}},
		"all":               {"promo", ways, nil, store.GroupAll, []message.Channel{message.SMS, message.Email, message.Feishu}, []message.Status{queued, queued, queued}},
		"all, without one":  {"promo", map[message.Channel]string{message.SMS: anna, message.Feishu: "anna"}, nil, store.GroupAll, []message.Channel{message.SMS, message.Feishu}, []message.Status{queued, queued}},
		"a channel of ours": {"draft2", map[message.Channel]string{"pager": "anna"}, nil, "", []message.Channel{"pager"}, []message.Status{queued}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := intaketest.New(t)
			if c.template == "draft2" {
				c.template = "hello"
			} else {
				routes(w)
			}
			if c.before != nil {
				c.before(w)
			}
			a := send(t, w.Intake, intaketest.Shop, hello("", way(c.ways), func(r *intake.Request) { r.Template = c.template }))
			if (a.Group == nil) != (c.kind == "") || a.Group != nil && a.Group.Kind != c.kind || len(a.Verdicts) != len(c.channels) {
				t.Fatalf("%+v of %d", a.Group, len(a.Verdicts))
			}
			for i, v := range a.Verdicts {
				r := v.Record
				if r.Channel != c.channels[i] || r.Status != c.statuses[i] || r.Hold != (c.statuses[i] == held) || r.Fallback != (c.kind == store.GroupFallback) || r.Place != i {
					t.Errorf("%d: %s %s, holds %t, fallback %t, place %d", i, r.Channel, r.Status, r.Hold, r.Fallback, r.Place)
				}
				if watch := map[bool]int{true: 60}[c.kind == store.GroupFallback && r.Channel == message.SMS]; r.Watch != watch {
					t.Errorf("%d: watches %d s", i, r.Watch)
				}
				if hints := len(w.Hints(r.Channel, r.Lane())); hints != map[bool]int{true: 1}[r.Status == queued] {
					t.Errorf("%d: %d hints of a %s one", i, hints, r.Status)
				}
				if r.Hold && r.Due != r.Expires {
					t.Errorf("%d: due %s", i, r.Due)
				}
			}
		})
	}
}

// The route's steps choose the channel of an address that names none; else the address's kind does.
func TestGuess(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	w.Put(store.Routes, "r", "", route.Route{Name: "r", Match: route.Match{Template: "promo"}, Strategy: route.One,
		Steps: []route.Step{{Channel: message.Email}, {Channel: message.WhatsApp}, {Channel: message.SMS}}})
	for _, c := range []struct {
		template, to string
		want         message.Channel
	}{
		{"hello", "+86 138 0013 8000", message.SMS}, {"hello", "13800138000", message.SMS}, {"hello", "a@example.com", message.Email},
		{"hello", "https://example.com/hook", message.Webhook}, {"promo", "13800138000", message.WhatsApp}, {"promo", "a@example.com", message.Email},
		{"promo", "https://example.com/hook", message.Webhook},
	} {
		r := send(t, w.Intake, intaketest.Shop, hello(c.to, func(r *intake.Request) { r.Channel, r.Template = "", c.template })).Verdicts[0].Record
		if r.Channel != c.want {
			t.Errorf("%s %s: %s", c.template, c.to, r.Channel)
		}
	}
	_, err := w.Intake.Send(t.Context(), intaketest.Shop, hello("ops-alerts", func(r *intake.Request) { r.Channel = "" }))
	refused(t, err, "/to", problem.UnknownChannel)
	_, err = w.Intake.Send(t.Context(), intaketest.Shop, hello("", to(anna, "ops-alerts"), func(r *intake.Request) { r.Channel = "" }))
	refused(t, err, "/to/1", problem.UnknownChannel)
}

// A fallback whose first way is a duplicate of another request's message: nobody would ever let the others
// go, so they do not wait.
func TestFallbackBehindADuplicate(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	routes(w)
	alone := send(t, w.Intake, intaketest.Shop, hello(anna)).Verdicts[0].Record
	ways := way(map[message.Channel]string{message.SMS: anna, message.Email: "a@example.com", message.Feishu: "anna"})
	a := send(t, w.Intake, intaketest.Shop, hello("", ways, keyed("k")))
	whole(t, w, a)
	if v := a.Verdicts[0]; !v.Duplicate || v.Record.ID != alone.ID {
		t.Errorf("%+v", v)
	}
	for _, v := range a.Verdicts[1:] {
		if v.Record.Status != message.Cancelled || v.Record.Reason != "duplicate" {
			t.Errorf("%s %s", v.Record.Status, v.Record.Reason)
		}
	}
	// In a group of its own, a later duplicate is no reason: the first will tell the third.
	w = intaketest.New(t)
	routes(w)
	send(t, w.Intake, intaketest.Shop, hello("a@example.com", func(r *intake.Request) { r.Channel = message.Email }))
	a = send(t, w.Intake, intaketest.Shop, hello("", ways))
	if v := a.Verdicts; v[0].Record.Status != message.Queued || !v[1].Duplicate || v[2].Record.Status != message.Scheduled {
		t.Errorf("%+v", v)
	}
}
