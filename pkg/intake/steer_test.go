package intake_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/tenant"
)

var system = tenant.System("test")

// apply moves a message on as a worker would.
func apply(t testing.TB, w *intaketest.World, id message.ID, events ...message.Event) *store.Record {
	t.Helper()
	r, err := w.Store.Message(t.Context(), system, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if r, err = w.Store.Update(t.Context(), system, w.Time(), r, e); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestCancel(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	lease := message.Lease{Account: "sms-a", Until: w.Time().Add(time.Minute)}
	for name, c := range map[string]struct {
		change []change
		events []message.Event
		want   message.Status // "": refused
	}{
		"queued":    {want: message.Cancelled},
		"scheduled": {change: []change{at(time.Hour)}, want: message.Cancelled},
		"cancelled": {events: []message.Event{message.Cancel{}}, want: message.Cancelled},
		"sending":   {events: []message.Event{lease}},
		"sent":      {events: []message.Event{lease, message.Finish{Epoch: 1, Result: message.Result{Outcome: message.Accepted}}}},
		"dead":      {events: []message.Event{message.Poison{}}},
	} {
		id := send(t, w.Intake, intaketest.Shop, hello(anna, append(c.change, window(0))...)).Verdicts[0].Record.ID
		apply(t, w, id, c.events...)
		r, err := w.Intake.Cancel(t.Context(), intaketest.Shop, id, "wrong price")
		if c.want == "" {
			refused(t, err, "", problem.NotAllowedNow)
		} else if err != nil || r.Status != c.want {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	// What a cancellation leaves to do is hinted at: the claim.
	id := send(t, w.Intake, intaketest.Shop, hello(berta, at(time.Hour))).Verdicts[0].Record.ID
	before := len(w.Hints(message.SMS, message.Normal))
	if _, err := w.Intake.Cancel(t.Context(), intaketest.Shop, id, ""); err != nil {
		t.Fatal(err)
	}
	if h := w.Hints(message.SMS, message.Normal); len(h) != before+1 || h[before].ID != id {
		t.Errorf("%d hints, then %d", before, len(h))
	}
	_, err := w.Intake.Cancel(t.Context(), intaketest.Shop, message.NewID(id.Partition(), w.NewULID(w.Time())), "")
	refused(t, err, "", problem.NotFound)
}

func TestResend(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	resend := func(id message.ID, change ...change) (*store.Verdict, error) {
		r := &intake.Request{}
		for _, f := range change {
			f(r)
		}
		a, err := w.Intake.Resend(t.Context(), intaketest.Shop, id, r)
		if err != nil {
			return nil, err
		}
		return &a.Verdicts[0], nil
	}
	first := send(t, w.Intake, intaketest.Shop, hello(anna, func(r *intake.Request) { r.Reference, r.Locale = "order-1", "zh" })).Verdicts[0].Record
	v, err := resend(first.ID, keyed("k"))
	if err != nil || !v.New || v.Record.ResendOf != first.ID || v.Record.Reference != "order-1" || v.Record.Template != first.Template || v.Record.Claim != "" {
		t.Fatalf("inside the window: %+v, %v", v, err)
	}
	again, err := resend(first.ID, keyed("k"))
	if err != nil || !again.Replay || again.Record.ID != v.Record.ID {
		t.Errorf("a repeated resend: %+v, %v", again, err)
	}
	// The window is still the first one's.
	if a := send(t, w.Intake, intaketest.Shop, hello(anna)); a.Verdicts[0].Record.ID != first.ID {
		t.Errorf("%+v", a.Verdicts[0])
	}
	// The template's class and version of now.
	next := helloTemplate(w, 2)
	next.Class = message.Marketing
	w.Template(next, 2)
	if v, err = resend(first.ID); err != nil || v.Record.Class != message.Marketing || v.Record.Template.Version != 2 {
		t.Errorf("after a new version: %+v, %v", v, err)
	}
	c := send(t, w.Intake, intaketest.Shop, hello("", content(message.Content{Subject: "s", Text: "t"}), func(r *intake.Request) { r.Class = message.Marketing })).Verdicts[0].Record
	if v, err = resend(c.ID); err != nil || v.Record.Class != message.Marketing || !v.Record.Free {
		t.Fatalf("content: %+v, %v", v, err)
	}
	if got, err := w.Store.Content(t.Context(), v.Record); err != nil || got.Text != "t" {
		t.Errorf("content: %+v, %v", got, err)
	}
	code := send(t, w.Intake, intaketest.Shop, hello(anna, tmpl("login"), vars(map[string]any{"code": "4711"}))).Verdicts[0].Record
	apply(t, w, code.ID, message.Cancel{})
	_, err = resend(code.ID)
	refused(t, err, "", problem.NotAllowedNow)
	_, err = w.Intake.Resend(t.Context(), intaketest.Bank, first.ID, &intake.Request{})
	refused(t, err, "", problem.NotFound)
	if a, err := w.Intake.Resend(t.Context(), intaketest.Operator, first.ID, &intake.Request{}); err != nil || a.Verdicts[0].Record.Tenant != "shop" {
		t.Errorf("an operator: %v", err)
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	const n = 450 // more than two pages
	for i := range n / 50 {
		var list []string
		for j := range 50 {
			list = append(list, fmt.Sprintf("+86138001%05d", i*50+j))
		}
		send(t, w.Intake, intaketest.Shop, hello("", to(list...), at(time.Duration(i)*time.Hour)))
	}
	promo := send(t, w.Intake, intaketest.Shop, hello("", tmpl("promo"), to(anna, berta, anna)))
	held := send(t, w.Intake, intaketest.Bank, hello(anna, tmpl("notice")))
	sending := send(t, w.Intake, intaketest.Shop, hello(anna)).Verdicts[0].Record
	apply(t, w, sending.ID, message.Lease{Account: "a", Until: w.Time().Add(time.Minute)})
	stop := func(p tenant.Principal, f intake.StopFilter, dry bool, want intake.Stopped) {
		t.Helper()
		before := w.DB.Stats().Commits
		got, err := w.Intake.Stop(t.Context(), p, f, dry, "wrong price")
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%+v: %v\n%s", f, err, diff)
		}
		if dry && w.DB.Stats().Commits != before {
			t.Errorf("%+v: a dry run wrote", f)
		}
	}
	stop(intaketest.Shop, intake.StopFilter{}, true, intake.Stopped{Matched: n + 2})
	stop(intaketest.Shop, intake.StopFilter{Template: "promo"}, true, intake.Stopped{Matched: 2})
	stop(intaketest.Shop, intake.StopFilter{Template: "shop/hello", Version: 1}, true, intake.Stopped{Matched: n})
	stop(intaketest.Shop, intake.StopFilter{Template: "hello", Version: 2}, true, intake.Stopped{})
	stop(intaketest.Shop, intake.StopFilter{Group: promo.Group.ID}, true, intake.Stopped{Matched: 2})
	stop(intaketest.Operator, intake.StopFilter{Group: promo.Group.ID, Template: "hello"}, true, intake.Stopped{})
	stop(intaketest.Operator, intake.StopFilter{Group: promo.Group.ID}, false, intake.Stopped{Matched: 2, Cancelled: 2})
	stop(intaketest.Shop, intake.StopFilter{Group: promo.Group.ID}, false, intake.Stopped{})
	stop(intaketest.Shop, intake.StopFilter{Template: "hello"}, false, intake.Stopped{Matched: n, Cancelled: n})
	stop(intaketest.Shop, intake.StopFilter{}, true, intake.Stopped{})
	stop(intaketest.Root, intake.StopFilter{Tenant: "bank"}, true, intake.Stopped{Matched: 1})
	if r, err := w.Store.Message(t.Context(), system, held.Verdicts[0].Record.ID); err != nil || r.Status != message.Queued {
		t.Errorf("another tenant's: %+v, %v", r, err)
	}
	if r, err := w.Store.Message(t.Context(), system, sending.ID); err != nil || r.Status != message.Sending {
		t.Errorf("one that a worker has: %+v, %v", r, err)
	}
	for _, c := range []struct {
		f       intake.StopFilter
		pointer string
		code    problem.Code
	}{
		{intake.StopFilter{Tenant: "bank"}, "/tenant", problem.UnknownTenant}, {intake.StopFilter{Version: 1}, "/version", problem.BadValue},
		{intake.StopFilter{Group: "grp_1"}, "", problem.NotFound}, {intake.StopFilter{Group: string(make([]byte, 1000))}, "", problem.NotFound},
		{intake.StopFilter{Group: store.GroupPrefix + w.NewULID(w.Time())}, "", problem.NotFound},
	} {
		_, err := w.Intake.Stop(t.Context(), intaketest.Shop, c.f, true, "")
		refused(t, err, c.pointer, c.code)
	}
}

// Explain tells the truth about what Send does next, and writes nothing.
func TestExplain(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	w.Put(store.Routes, "sms", "", route.Route{Name: "sms", Match: route.Match{Channel: message.SMS}, Accounts: []route.Weighted{{Account: "sms-b"}, {Account: "sms-off"}, {Account: "sms-a"}}})
	explain := func(p tenant.Principal, r *intake.Request) intake.Explanation {
		t.Helper()
		before, hints := w.DB.Stats(), len(w.Hints(message.SMS, message.Normal))
		x, err := w.Intake.Explain(t.Context(), p, r)
		if err != nil || len(x) != 1 {
			t.Fatalf("%+v, %v", x, err)
		}
		if after := w.DB.Stats(); after.Commits != before.Commits || after.Sequences != before.Sequences || len(w.Hints(message.SMS, message.Normal)) != hints {
			t.Error("explain wrote")
		}
		return x[0]
	}
	long := func() *intake.Request {
		return hello("138 0013 8000", tmpl("bill"), vars(map[string]any{"amount": 1.0, "lines": []any{map[string]any{"sku": strings.Repeat("雷", 60)}}}))
	}
	x := explain(intaketest.Shop, long())
	if x.Route != "sms" || !slices.Equal(x.Accounts, []string{"sms-b", "sms-a"}) || x.Segments == nil || x.Segments.Count != 2 || x.Cost != 0.08 || x.Currency != "CNY" || x.Duplicate != nil || x.Stopped != nil ||
		x.To != anna || x.Message.Region != "CN" || x.Message.Status != message.Queued {
		t.Errorf("%+v", x)
	}
	first := send(t, w.Intake, intaketest.Shop, long()).Verdicts[0].Record
	if first.Segments != 2 {
		t.Errorf("%d segments", first.Segments)
	}
	x = explain(intaketest.Shop, long())
	second := send(t, w.Intake, intaketest.Shop, long()).Verdicts[0]
	if x.Duplicate == nil || x.Duplicate.ID != first.ID || !second.Duplicate || x.WindowEnds != second.WindowEnds {
		t.Errorf("%+v, then %+v", x, second)
	}
	if x := explain(intaketest.ShopTest, long()); x.Message.Status != message.Simulated || x.Duplicate != nil {
		t.Errorf("with a test key: %+v", x)
	}
	if err := w.Store.PutSuppression(t.Context(), system, w.Time(), message.Phone, berta, suppress.Entry{Reason: suppress.Manual, Source: "wang", Masked: "x", At: w.Time()}); err != nil {
		t.Fatal(err)
	}
	if x := explain(intaketest.Shop, hello(berta)); x.Stopped == nil || x.Stopped.Source != "wang" || x.Message.Status != message.Suppressed || x.Message.Reason != "manual" {
		t.Errorf("suppressed: %+v", x)
	}
	if v := send(t, w.Intake, intaketest.Shop, hello(berta)).Verdicts[0]; v.Record.Status != message.Suppressed {
		t.Errorf("%+v", v)
	}
	w.Put(store.Routes, "sms", "", route.Route{Name: "sms", Match: route.Match{Template: "shop/bill"}, DedupSeconds: -1})
	if x := explain(intaketest.Shop, long()); x.Duplicate != nil || x.Route != "" || !slices.Equal(x.Accounts, []string{"sms-a", "sms-b"}) {
		t.Errorf("a route without a window: %+v", x)
	}
}

// The request's word on the window comes first, then the route's, then the class's.
func TestWindows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		route   int // -2: no route
		request *int
		want    time.Duration // 0: none
	}{
		"class": {-2, nil, 5 * time.Minute}, "route": {60, nil, time.Minute}, "route, off": {-1, nil, 0}, "route, default": {0, nil, 5 * time.Minute},
		"request": {60, new(3600), time.Hour}, "request, off": {60, new(0), 0}, "request, route off": {-1, new(1), time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := intaketest.New(t)
			if c.route > -2 {
				w.Put(store.Routes, "r", "", route.Route{Name: "r", Match: route.Match{Tenant: "shop"}, DedupSeconds: c.route})
			}
			ask := func() store.Verdict {
				return send(t, w.Intake, intaketest.Shop, hello(anna, func(r *intake.Request) { r.DedupSeconds = c.request })).Verdicts[0]
			}
			ask()
			w.Advance(max(c.want-time.Millisecond, 0))
			if v := ask(); v.Duplicate != (c.want > 0) {
				t.Errorf("inside: %+v", v)
			}
			w.Advance(time.Second + 2*time.Millisecond)
			if v := ask(); c.want > 0 && !v.New {
				t.Errorf("after: %+v, ends %s", v, v.WindowEnds)
			}
		})
	}
	// A code's own digits do not make another message.
	w := intaketest.New(t)
	code := func(c string) store.Verdict {
		return send(t, w.Intake, intaketest.Shop, hello(anna, tmpl("login"), vars(map[string]any{"code": c}))).Verdicts[0]
	}
	if a, b := code("1111"), code("2222"); !b.Duplicate || a.Record.ID != b.Record.ID {
		t.Errorf("%+v", b)
	}
}

func TestMagicRecipients(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	for _, c := range []struct {
		ch   message.Channel
		to   string
		want message.Status
	}{
		{message.SMS, anna, message.Delivered}, {message.SMS, "+8613800130001", message.Undelivered}, {message.SMS, "13800130002", message.Failed},
		{message.SMS, "+8613800130008", message.Dead}, {message.SMS, "+8613800130007", message.InDoubt}, {message.WhatsApp, "+8613800130006", message.Suppressed},
		{message.Email, "Bounced@example.com", message.Bounced}, {message.Email, "complained+1@example.com", message.Complained}, {message.Email, "x.bounced@example.com", message.Delivered},
		{message.Webhook, "https://example.com/expired", message.Expired}, {message.Feishu, "ops-failed", message.Failed}, {message.Push, "t-in_doubt", message.InDoubt}, {"pager", "x", message.Delivered},
	} {
		v := send(t, w.Intake, intaketest.ShopTest, hello(c.to, on(c.ch, c.to))).Verdicts[0]
		if r := v.Record; !v.New || r.Status != message.Simulated || r.Reason != "test_key" || r.Outcome != c.want || r.Due != 0 || r.Claim != "" {
			t.Errorf("%s %s: %s %s %s", c.ch, c.to, r.Status, r.Reason, r.Outcome)
		}
		if h := w.Hints(c.ch.Queue(), message.Normal); len(h) > 0 {
			t.Errorf("%s: a hint", c.to)
		}
	}
	// A code is kept no longer than its message lives: a simulated one has ended.
	r := send(t, w.Intake, intaketest.ShopTest, hello(anna, tmpl("login"), vars(map[string]any{"code": "4711"}))).Verdicts[0].Record
	if vars, err := w.Store.Vars(t.Context(), r); err == nil {
		t.Errorf("%v", vars)
	}
}

// A stage that is not production writes only to its allow-list.
func TestStage(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	in := w.Over(w.Store, w.Queue, func(p *intake.Ports) {
		p.Allowed = func(kind message.AddressKind, key message.Address) bool { return kind == message.Phone && key == anna }
	})
	for to, want := range map[string]message.Status{anna: message.Queued, berta: message.Simulated} {
		if r := send(t, in, intaketest.Shop, hello(to)).Verdicts[0].Record; r.Status != want || want == message.Simulated && r.Reason != "stage" {
			t.Errorf("%s: %s %s", to, r.Status, r.Reason)
		}
	}
}

// A suppression is of a tenant, channel and class, until its time; a code goes past an opt-out.
func TestSuppression(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		e      suppress.Entry
		change []change
		stops  bool
	}{
		"all":                   {suppress.Entry{Reason: suppress.Bounce}, nil, true},
		"of the tenant":         {suppress.Entry{Tenant: "shop", Reason: suppress.Manual}, nil, true},
		"of another":            {suppress.Entry{Tenant: "bank", Reason: suppress.Manual}, nil, false},
		"of the channel":        {suppress.Entry{Channel: message.SMS, Reason: suppress.Bounce}, nil, true},
		"of another channel":    {suppress.Entry{Channel: message.WhatsApp, Reason: suppress.Bounce}, nil, false},
		"over":                  {suppress.Entry{Reason: suppress.Bounce, Until: message.At(intaketest.Start)}, nil, false},
		"over when it is sent":  {suppress.Entry{Reason: suppress.Bounce, Until: message.At(intaketest.Start.Add(time.Hour))}, []change{at(time.Hour)}, false},
		"not over yet":          {suppress.Entry{Reason: suppress.Bounce, Until: message.At(intaketest.Start.Add(time.Hour))}, nil, true},
		"opt-out":               {suppress.Entry{Reason: suppress.OptOut}, nil, true},
		"opt-out, a code":       {suppress.Entry{Reason: suppress.OptOut}, []change{tmpl("login"), vars(map[string]any{"code": "4711"})}, false},
		"bounce, a code":        {suppress.Entry{Reason: suppress.Bounce}, []change{tmpl("login"), vars(map[string]any{"code": "4711"})}, true},
		"of codes, a code":      {suppress.Entry{Class: message.OTP, Reason: suppress.OptOut}, []change{tmpl("login"), vars(map[string]any{"code": "4711"})}, true},
		"of marketing, another": {suppress.Entry{Class: message.Marketing, Reason: suppress.OptOut}, nil, false},
	} {
		w := intaketest.New(t)
		c.e.Masked, c.e.At = "x", w.Time()
		if err := w.Store.PutSuppression(t.Context(), system, w.Time(), message.Phone, anna, c.e); err != nil {
			t.Fatal(err)
		}
		r := send(t, w.Intake, intaketest.Shop, hello(anna, c.change...)).Verdicts[0].Record
		if (r.Status == message.Suppressed) != c.stops || c.stops && (r.Reason != string(c.e.Reason) || r.Claim != "" || r.Due != 0) {
			t.Errorf("%s: %s %s", name, r.Status, r.Reason)
		}
	}
}

// Marketing mail without a public address, or one of its own, is warned of; nothing else is.
func TestExplainWayOut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		template, to, public string
		channel              message.Channel
		bound                bool
		warned               bool
	}{
		"no address":         {"promo", "li@example.com", "", message.Email, false, true},
		"no https":           {"promo", "li@example.com", "http://localhost:8080", message.Email, false, true},
		"a public address":   {"promo", "li@example.com", "https://notify.example.com", message.Email, false, false},
		"one of its own":     {"promo", "li@example.com", "", message.Email, true, false},
		"not marketing":      {"hello", "li@example.com", "", message.Email, false, false},
		"marketing by phone": {"promo", anna, "", message.SMS, false, false},
	} {
		w := intaketest.New(t)
		w.Put(store.Accounts, "mail", "", config.Account{Name: "mail", Provider: "smtp", Channel: message.Email})
		if c.bound {
			w.Put(store.Bindings, config.VersionName("shop", c.template, 1), "shop", config.Bindings{"mail": {Fields: map[string]string{provider.BindingUnsubscribe: "https://shop.example/u"}}})
		}
		in := w.Over(w.Store, w.Queue, func(p *intake.Ports) { p.PublicURL = c.public })
		x, err := in.Explain(t.Context(), intaketest.Shop, hello(c.to, tmpl(c.template), func(r *intake.Request) { r.Channel = c.channel }))
		if err != nil || len(x) != 1 {
			t.Fatalf("%s: %+v %v", name, x, err)
		}
		if warned := strings.Contains(strings.Join(x[0].Warnings, ""), "List-Unsubscribe"); warned != c.warned {
			t.Errorf("%s: %q over %v", name, x[0].Warnings, x[0].Accounts)
		}
	}
}
