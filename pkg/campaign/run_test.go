package campaign_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/audience"
	"github.com/opennotify/notify/pkg/campaign"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/storetest"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/tenant"
)

// list is a CSV file of n people.
func list(n int) string {
	var b strings.Builder
	b.WriteString("phone,name\n")
	for i := range n {
		fmt.Fprintf(&b, "+86138%08d,N%d\n", i, i)
	}
	return b.String()
}

func hello(upload string) campaign.Campaign {
	return campaign.Campaign{Tenant: "shop", Title: "Spring", Content: campaign.Content{Template: "hello", Channel: message.SMS}, Audience: campaign.AudienceDraft{Upload: upload}}
}

func (w *world) create(o campaign.Campaign) campaign.Run {
	w.t.Helper()
	r, err := w.camp.Create(w.t.Context(), shop, o, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) send(id string) {
	w.t.Helper()
	if _, err := w.camp.SendRun(w.t.Context(), shop, id, ""); err != nil {
		w.t.Fatal(err)
	}
}

// counts are the named ones of a run.
func counts(r campaign.Run, names ...string) string {
	var out []string
	for _, n := range names {
		out = append(out, fmt.Sprintf("%s %d", n, r.Counts[n]))
	}
	return strings.Join(out, ", ")
}

// A campaign from a file to its end: it is checked and weighed, waits for a word, sends, and counts.
func TestCampaign(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.Store.PutSuppression(t.Context(), system, w.Time(), message.Phone, "+8613800000003", suppress.Entry{Reason: suppress.OptOut, Tenant: "shop"}); err != nil {
		t.Fatal(err)
	}
	file := list(250) + "nobody,X\n+8613800000001,again\n+8613800000999\n"
	r := w.create(hello(w.upload(file)))
	w.work(3 * time.Second)
	r = w.run(r.ID)
	if r.State != "waiting" || len(w.messages(r.ID)) > 0 || r.Minutes != 0 {
		t.Fatal(r.State, r.Fault, len(w.messages(r.ID)))
	}
	if got := counts(r, "rows", "bad", "repeats", "weighed_valid", "weighed_suppressed", "weighed_refused", "weighed_cost_CNY"); got != "rows 253, bad 2, repeats 1, weighed_valid 249, weighed_suppressed 1, weighed_refused 2, weighed_cost_CNY 12450000" {
		t.Error(got)
	}
	w.send(r.ID)
	w.work(3 * time.Second)
	r = w.run(r.ID)
	if got := counts(r, "made", "suppressed", "repeated", "refused", "duplicate"); got != "made 249, suppressed 1, repeated 1, refused 2, duplicate 0" || r.State != "sending" || r.Expanded == 0 {
		t.Error(got, r.State, r.Fault)
	}
	w.deliver(r.ID, func(m *store.Record) message.Outcome {
		if m.Place%50 == 0 {
			return message.Permanent
		}
		return message.Accepted
	})
	w.work(time.Minute)
	r = w.run(r.ID)
	want := map[message.Status]int64{message.Sent: 244, message.Failed: 5, message.Suppressed: 1}
	if diff := cmp.Diff(want, r.Statuses); diff != "" || r.State != "done" || r.PerSecond <= 0 {
		t.Error(r.State, r.PerSecond, "(-want +got):", diff)
	}
	for _, m := range w.messages(r.ID) {
		if m.Request != r.ID || m.Created < r.Created {
			t.Error(m.Request, m.Created)
		}
	}
	w.failures(r)
}

// failed reads a page of a run's failures.
func (w *world) failed(p tenant.Principal, id string, limit int, after string) ([]campaign.Failure, string, error) {
	f, err := w.camp.Failures(w.t.Context(), p, id)
	if err != nil {
		return nil, "", err
	}
	return f.Page(w.t.Context(), limit, after)
}

func (w *world) failures(r campaign.Run) {
	w.t.Helper()
	found, next, err := w.failed(shop, r.ID, 100, "")
	if err != nil || len(found) != 5 || next != "" || found[0].Row%50 != 0 || !strings.HasPrefix(found[0].To, "+86138") || found[0].Code != "x" {
		w.t.Errorf("%+v %v", found, err)
	}
	columns, rows, next, err := w.camp.BadRows(w.t.Context(), shop, r.ID, "")
	if err != nil || next != "" || len(rows) != 2 {
		w.t.Fatalf("%+v %v", rows, err)
	}
	if diff := cmp.Diff([]string{"phone", "name"}, columns); diff != "" {
		w.t.Error(diff)
	}
	if f := rows[1]; f.Row != 251 && rows[0].Row != 251 {
		w.t.Errorf("%+v", f)
	}
	again, err := w.camp.ResendFailures(w.t.Context(), shop, r.ID, "the account was empty", "k")
	if err != nil {
		w.t.Fatal(err)
	}
	w.work(3 * time.Second)
	if got := len(w.messages(again.ID)); got != 5 {
		w.t.Error(got, "of the failures were sent again:", w.run(again.ID))
	}
	for _, m := range w.messages(again.ID) {
		if m.ResendOf == "" {
			w.t.Errorf("%+v", m)
		}
	}
	// Asked for again with its key, as when its answer was lost, it is the same; with another it is another.
	if same, err := w.camp.ResendFailures(w.t.Context(), shop, r.ID, "the account was empty", "k"); err != nil || same.ID != again.ID {
		w.t.Error(same.ID, again.ID, err)
	}
	if other, err := w.camp.ResendFailures(w.t.Context(), shop, r.ID, "once more", "l"); err != nil || other.ID == again.ID {
		w.t.Error(other.ID, again.ID, err)
	}
}

// Every call takes minutes: go test ./pkg/campaign -run Crash -campaign.every 1. A sample begins anywhere, so that
// many of them are all.
var every = flag.Int("campaign.every", 131, "crash at each so-manyth call of the store")

// A run survives a crash at every call of the store, before and after it was made, and with it the loss of
// its entry: everybody has one message, and the counts are right.
func TestCrashAtEveryCall(t *testing.T) {
	t.Parallel()
	const people = 7
	for at, hit := rand.IntN(*every), true; hit; at += *every {
		for _, after := range []bool{false, true} {
			w := newWorld(t)
			o := hello(w.upload(list(people) + "+8613800000002,again\n"))
			o.Send = true
			r := w.create(o)
			n := 0
			hit = false
			w.fault = func(string) (f storetest.Fault) {
				if n++; n-1 == at {
					if hit = true; after {
						f.After = errors.New("lost answer")
					} else {
						f.Before = errors.New("not reached")
					}
					w.items = nil // and the process with what it held
				}
				return f
			}
			w.work(3 * time.Minute)
			w.fault = nil
			w.deliver(r.ID, nil)
			w.work(2 * time.Minute)
			r = w.run(r.ID)
			if got := counts(r, "rows", "made", "repeated", "refused", "duplicate"); got != "rows 8, made 7, repeated 1, refused 0, duplicate 0" || len(w.messages(r.ID)) != people || r.State != "done" {
				t.Fatalf("call %d (after it was made: %v): %s, %d messages, %s %s", at, after, got, len(w.messages(r.ID)), r.State, r.Fault)
			}
		}
	}
}

// What was made before waits for the accounts: a run is never further ahead than they take in 20 s, and all
// runs together are not.
func TestRoom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"sms-a", "sms-b"} {
		w.Put(store.Accounts, name+"-l", "", config.Account{Name: name + "-l", Provider: "devinbox", Channel: message.SMS, PerSecond: 2})
		w.Put(store.Accounts, name, "", config.Account{Name: name, Provider: "devinbox", Channel: message.SMS, Off: true})
	}
	w.Config.Changed(store.Accounts)
	var ids []string
	for i, template := range []string{"promo", "promo", "hello"} {
		o := hello(w.upload(strings.ReplaceAll(list(100), "+86138", fmt.Sprint("+8613", i+5))))
		o.Template, o.Send = template, true
		ids = append(ids, w.create(o).ID)
	}
	for range 10 {
		w.work(time.Second)
		a, b, c := w.queued(ids[0]), w.queued(ids[1]), w.queued(ids[2])
		if a+b > 80 || c > 8 {
			t.Fatalf("%d + %d queued in the bulk lane, %d in the normal one", a, b, c)
		}
		for _, id := range ids {
			w.deliver(id, nil)
		}
	}
	for _, id := range ids {
		if r := w.run(id); r.Counts["made"] < 60 {
			t.Error("no way on:", r.Counts, r.State, r.Fault)
		}
	}
}

// A run with a speed of its own makes a second's messages at a time.
func TestPerSecond(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := hello(w.upload(list(20)))
	o.Send, o.PerSecond = true, 4
	r := w.create(o)
	w.work(3 * time.Second)
	if n := len(w.messages(r.ID)); n < 4 || n > 12 {
		t.Error(n, "in three seconds")
	}
	w.work(5 * time.Second)
	if r = w.run(r.ID); r.Counts["made"] != 20 {
		t.Error(r.Counts, r.State)
	}
}

// How fast it goes, and how long the rest takes, is told of the time in which it went.
func TestPace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Put(store.Accounts, "sms-a", "", config.Account{Name: "sms-a", Provider: "devinbox", Channel: message.SMS, PerSecond: 2})
	w.Put(store.Accounts, "sms-b", "", config.Account{Name: "sms-b", Provider: "devinbox", Channel: message.SMS, Off: true})
	w.Config.Changed(store.Accounts)
	r := w.create(hello(w.upload(list(400))))
	w.work(5 * time.Minute) // nobody has said so yet
	w.send(r.ID)
	look := func(when string) {
		for range 6 {
			w.work(2 * time.Second)
			w.deliver(r.ID, nil)
		}
		if r = w.run(r.ID); r.PerSecond < 1 || r.Left > 10*time.Minute {
			t.Errorf("%s: %.3f a second, %s left (%s, %v, %v)", when, r.PerSecond, r.Left, r.State, r.Statuses, r.Counts)
		}
	}
	look("sent")
	if _, err := w.camp.PauseRun(t.Context(), shop, r.ID, "lunch"); err != nil {
		t.Fatal(err)
	}
	w.work(5 * time.Minute)
	look("paused")
	if _, err := w.camp.ResumeRun(t.Context(), shop, r.ID, ""); err != nil {
		t.Fatal(err)
	}
	look("resumed")
}

func (w *world) queued(run string) (n int) {
	for _, m := range w.messages(run) {
		if m.Status == message.Queued {
			n++
		}
	}
	return n
}

// Pause, resume and cancel are in force at once; what is not with a provider is taken back.
func TestSteer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Put(store.Accounts, "sms-a", "", config.Account{Name: "sms-a", Provider: "devinbox", Channel: message.SMS, PerSecond: 10})
	w.Put(store.Accounts, "sms-b", "", config.Account{Name: "sms-b", Provider: "devinbox", Channel: message.SMS, Off: true})
	w.Config.Changed(store.Accounts)
	o := hello(w.upload(list(300)))
	o.Send = true
	r := w.create(o)
	w.work(3 * time.Second)
	if _, err := w.camp.PauseRun(t.Context(), shop, r.ID, "the text is wrong"); err != nil {
		t.Fatal(err)
	}
	w.work(2 * time.Second)
	made := len(w.messages(r.ID))
	w.deliver(r.ID, nil)
	w.work(time.Minute)
	if r = w.run(r.ID); r.State != "paused" || len(w.messages(r.ID)) != made || r.Steps[0].Why != "the text is wrong" {
		t.Error(r.State, made, len(w.messages(r.ID)))
	}
	if _, err := w.camp.ResumeRun(t.Context(), shop, r.ID, ""); err != nil {
		t.Fatal(err)
	}
	w.work(10 * time.Second)
	if n := len(w.messages(r.ID)); n <= made || n == 300 {
		t.Fatal(n, "after", made)
	}
	made = len(w.messages(r.ID))
	if _, err := w.camp.CancelRun(t.Context(), shop, r.ID, "again"); err != nil {
		t.Fatal(err)
	}
	w.work(2 * time.Second)
	if n := w.queued(r.ID); n != 0 {
		t.Error(n, "not taken back")
	}
	w.work(2 * time.Minute) // a page that was begun before may go on for half a minute, and the list lack it for one
	r = w.run(r.ID)
	if r.State != "stopped" || w.queued(r.ID) != 0 || len(w.messages(r.ID)) != made || r.Counts["cancelled"] == 0 || r.Statuses[message.Cancelled] != r.Counts["cancelled"] {
		t.Error(r.State, w.queued(r.ID), len(w.messages(r.ID)), made, r.Counts, r.Statuses)
	}
	for name, do := range map[string]func() (campaign.Run, error){
		"resume": func() (campaign.Run, error) { return w.camp.ResumeRun(t.Context(), shop, r.ID, "") },
		"pause":  func() (campaign.Run, error) { return w.camp.PauseRun(t.Context(), shop, r.ID, "") },
		"send":   func() (campaign.Run, error) { return w.camp.SendRun(t.Context(), shop, r.ID, "") },
	} {
		if _, err := do(); problem.From(err).Code != problem.NotAllowedNow {
			t.Error(name, err)
		}
	}
}

// A fault of the whole run pauses it before its page, and costs no row.
func TestStuck(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.create(hello(w.upload(list(5))))
	w.work(3 * time.Second)
	off := func(off bool) {
		for _, name := range []string{"sms-a", "sms-b"} {
			w.Put(store.Accounts, name, "", config.Account{Name: name, Provider: "devinbox", Channel: message.SMS, Off: off})
		}
		w.Config.Changed(store.Accounts)
	}
	off(true)
	w.send(r.ID)
	w.work(3 * time.Second)
	if r = w.run(r.ID); r.State != "paused" || !strings.Contains(r.Fault, "no account that is switched on") {
		t.Fatal(r.State, r.Fault)
	}
	off(false)
	if _, err := w.camp.ResumeRun(t.Context(), shop, r.ID, ""); err != nil {
		t.Fatal(err)
	}
	w.work(3 * time.Second)
	if r = w.run(r.ID); r.Counts["made"] != 5 || r.Counts["refused"] != 0 {
		t.Error(r.Counts, r.State, r.Fault)
	}
}

// What cannot be read fails the run, says why in words, and tells the owner.
func TestAudiencesThatFail(t *testing.T) {
	t.Parallel()
	for want, file := range map[string]string{
		"the audience is empty": "phone,name\n", "Excel workbook": "PK\x03\x04", "in GBK": "\xca\xd6\xbb\xfa\xba\xc5,name\n1,2\n",
		"name the column with the recipients' addresses": "a,b\n1,2\n", "no row of the audience can be sent": "phone,name\nnobody,X\n",
	} {
		w := newWorld(t)
		o := hello(w.upload(file))
		o.Send = true
		r := w.create(o)
		w.work(3 * time.Second)
		if r = w.run(r.ID); r.State != "failed" || !strings.Contains(r.Fault, want) || !strings.Contains(w.log.String(), `"owner":"Wang"`) {
			t.Errorf("%s: %s %s, the log: %s", want, r.State, r.Fault, &w.log)
		}
	}
}

// Orders that cannot work are refused before anything is kept.
func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := w.upload(list(1))
	for name, c := range map[string]struct {
		change  func(o *campaign.Campaign)
		pointer string
		code    problem.Code
	}{
		"another tenant":    {func(o *campaign.Campaign) { o.Tenant = "bank" }, "/tenant", problem.UnknownTenant},
		"no template":       {func(o *campaign.Campaign) { o.Template = "" }, "/template", problem.Required},
		"unknown template":  {func(o *campaign.Campaign) { o.Template = "x" }, "/template", problem.UnknownTemplate},
		"not published":     {func(o *campaign.Campaign) { o.Template = "draft" }, "/template", problem.NotPublished},
		"another version":   {func(o *campaign.Campaign) { o.Version = 7 }, "/version", problem.NotPublished},
		"a code":            {func(o *campaign.Campaign) { o.Template = "login" }, "/template", problem.BadValue},
		"nobody":            {func(o *campaign.Campaign) { o.Audience = campaign.AudienceDraft{} }, "/audience", problem.Required},
		"two audiences":     {func(o *campaign.Campaign) { o.Audience.Path = "x.csv" }, "/audience", problem.Required},
		"too long":          {func(o *campaign.Campaign) { o.TTLSeconds = int(message.MaxTTL.Seconds()) + 1 }, "/ttl_seconds", problem.BadValue},
		"no upload":         {func(o *campaign.Campaign) { o.Audience.Upload = "aud_00000000000000000000000000" }, "/audience/upload", problem.BadValue},
		"bad upload":        {func(o *campaign.Campaign) { o.Audience.Upload = "../x" }, "/audience/upload", problem.BadValue},
		"a path outside":    {func(o *campaign.Campaign) { o.Audience = campaign.AudienceDraft{Path: "../bank/x.csv"} }, "/audience/path", problem.BadValue},
		"a path for a date": {func(o *campaign.Campaign) { o.Audience = campaign.AudienceDraft{Path: "{run_date}.csv"} }, "/audience/path", problem.BadValue},
		"a file's format":   {func(o *campaign.Campaign) { o.Audience.Format = "xlsx" }, "/audience/format", problem.BadValue},
		"no URL":            {func(o *campaign.Campaign) { o.Audience = campaign.AudienceDraft{URL: "ftp://x"} }, "/audience/url", problem.BadValue},
		"a bad row": {func(o *campaign.Campaign) {
			o.Audience = campaign.AudienceDraft{Rows: []audience.Recipient{{To: "x", Vars: map[string]any{"name": "X"}}}}
		}, "/audience/rows/0/to", problem.BadAddress},
		"a row with no name": {func(o *campaign.Campaign) {
			o.Audience = campaign.AudienceDraft{Rows: []audience.Recipient{{To: "+8613800138000"}}}
		}, "/audience/rows/0/vars/name", problem.MissingVariable},
		"a long title":  {func(o *campaign.Campaign) { o.Title = strings.Repeat("x", 101) }, "/title", problem.TooLong},
		"a long reason": {func(o *campaign.Campaign) { o.Reason = strings.Repeat("x", 201) }, "/reason", problem.TooLong},
		"too fast":      {func(o *campaign.Campaign) { o.PerSecond = -1 }, "/per_second", problem.BadValue},
	} {
		o := hello(good)
		c.change(&o)
		_, err := w.camp.Create(t.Context(), shop, o, "")
		if p := problem.From(err); len(p.Fields) == 0 || p.Fields[0].Pointer != c.pointer || p.Fields[0].Code != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if found, err := w.Store.Jobs(t.Context(), system, "shop", campaign.KindRun, "", 10, ""); len(found.Jobs) > 0 || err != nil {
		t.Error(found, err)
	}
	// Asked for twice with one key it is one campaign.
	a, err := w.camp.Create(t.Context(), shop, hello(good), "k")
	b, err2 := w.camp.Create(t.Context(), shop, hello(good), "k")
	if err != nil || err2 != nil || a.ID != b.ID {
		t.Error(a.ID, b.ID, err, err2)
	}
}

// Over the tenant's bound a second person sends it.
func TestApproval(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Put(store.Tenants, "shop", "shop", tenant.Tenant{Name: "shop", Region: "CN", Locale: "en", Owner: tenant.Owner{Name: "Wang"}, ApproveOver: 3})
	w.Config.Changed(store.Tenants)
	o := hello(w.upload(list(4)))
	o.Send = true
	if _, err := w.camp.Create(t.Context(), shop, o, ""); problem.From(err).Fields == nil {
		t.Error("sent without anybody's word:", err)
	}
	o.Send = false
	r := w.create(o)
	w.work(3 * time.Second)
	if _, err := w.camp.SendRun(t.Context(), shop, r.ID, ""); problem.From(err).Code != problem.NotAllowedNow {
		t.Error("its author sent it:", err)
	}
	if _, err := w.camp.SendRun(t.Context(), tenant.Of(tenant.Key{Tenant: "shop", ID: "other", Live: true, Scopes: []tenant.Scope{tenant.Send}}), r.ID, "looks right"); err != nil {
		t.Fatal(err)
	}
	w.work(3 * time.Second)
	if r = w.run(r.ID); r.Counts["made"] != 4 {
		t.Error(r.Counts)
	}
	// A schedule is no way around it; one that comes again and again is nobody's to wait for.
	s := daily()
	s.When = campaign.When{At: w.Time().Add(time.Hour)}
	v := w.schedule(s, campaign.AudienceDraft{Upload: w.upload(list(5))})
	w.until(v.Next[0])
	w.fire(1, v.Next[0])
	w.work(3 * time.Second)
	once := w.runs("bills")[0]
	if once.State != "waiting" || once.Counts["made"] != 0 {
		t.Error("a schedule sent it:", once.State, once.Counts)
	}
	if _, err := w.camp.SendRun(t.Context(), shop, once.ID, ""); problem.From(err).Code != problem.NotAllowedNow {
		t.Error("its author sent it:", err)
	}
	if _, err := w.camp.SendRun(t.Context(), tenant.Of(tenant.Key{Tenant: "shop", ID: "other", Live: true, Scopes: []tenant.Scope{tenant.Send}}), once.ID, "looks right"); err != nil {
		t.Fatal(err)
	}
	w.work(3 * time.Second)
	if once = w.run(once.ID); once.Counts["made"]+once.Counts["duplicate"] != 5 {
		t.Error(once.Counts, once.State)
	}
	small := w.create(hello(w.upload(list(3))))
	w.work(3 * time.Second)
	w.send(small.ID)
}

// Another tenant's run is not there, and each verb needs its scope.
func TestRunAccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.create(hello(w.upload(list(1))))
	verbs := map[string]func(p tenant.Principal) error{
		"read":     func(p tenant.Principal) error { _, err := w.camp.Run(t.Context(), p, r.ID); return err },
		"failures": func(p tenant.Principal) error { _, _, err := w.failed(p, r.ID, 10, ""); return err },
		"bad":      func(p tenant.Principal) error { _, _, _, err := w.camp.BadRows(t.Context(), p, r.ID, ""); return err },
		"pause":    func(p tenant.Principal) error { _, err := w.camp.PauseRun(t.Context(), p, r.ID, ""); return err },
		"resume":   func(p tenant.Principal) error { _, err := w.camp.ResumeRun(t.Context(), p, r.ID, ""); return err },
		"send":     func(p tenant.Principal) error { _, err := w.camp.SendRun(t.Context(), p, r.ID, ""); return err },
		"cancel":   func(p tenant.Principal) error { _, err := w.camp.CancelRun(t.Context(), p, r.ID, ""); return err },
		"resend": func(p tenant.Principal) error {
			_, err := w.camp.ResendFailures(t.Context(), p, r.ID, "", "")
			return err
		},
	}
	other := intaketest.Principal("bank", true, tenant.Send, tenant.Read)
	for name, do := range verbs {
		if err := do(other); problem.From(err).Code != problem.NotFound {
			t.Errorf("%s by another tenant: %v", name, err)
		}
		if err := do(intaketest.Principal("shop", true)); problem.From(err).Code != problem.Forbidden {
			t.Errorf("%s without a scope: %v", name, err)
		}
	}
}

// A campaign that waits for a word is cancelled at once.
func TestStopBeforeItBegins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.create(hello(w.upload(list(3))))
	w.work(3 * time.Second)
	if _, err := w.camp.CancelRun(t.Context(), shop, r.ID, "not now"); err != nil {
		t.Fatal(err)
	}
	w.work(2 * time.Second)
	if r = w.run(r.ID); r.State != "stopped" || len(w.messages(r.ID)) != 0 {
		t.Error(r.State, r.Counts)
	}
}

// A page that is being made when its run is stopped goes on: what it makes is taken back too.
func TestStopDuringPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := hello(w.upload(list(20)))
	o.Send = true
	r := w.create(o)
	stopped := false
	w.fault = func(call string) (f storetest.Fault) {
		if call == "Write" && !stopped && strings.Contains(string(w.job(r.ID).Cursor), `"expanding"`) {
			stopped = true
			f.Hold = func(context.Context) {
				if _, err := w.camp.CancelRun(t.Context(), shop, r.ID, "the text is wrong"); err != nil {
					t.Error(err)
				}
				w.step() // another process does the stop meanwhile
			}
		}
		return f
	}
	w.work(2 * time.Second)
	made := len(w.messages(r.ID))
	w.work(time.Minute)
	if w.queued(r.ID) != 0 {
		t.Error(w.queued(r.ID), "not taken back soon")
	}
	w.work(time.Minute)
	if r = w.run(r.ID); made == 0 || r.State != "stopped" || w.queued(r.ID) != 0 || len(w.messages(r.ID)) != made {
		t.Errorf("%s, %d queued, %d of %d", r.State, w.queued(r.ID), len(w.messages(r.ID)), made)
	}
}

// A list that does not show yet what was made is read again: what was counted is taken back.
func TestStopWhileTheIndexLags(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := hello(w.upload(list(1)))
	o.Send = true
	r := w.create(o)
	w.work(3 * time.Second)
	if n := w.queued(r.ID); n != 1 {
		t.Fatalf("%d are queued", n)
	}
	if _, err := w.camp.CancelRun(t.Context(), shop, r.ID, "the text is wrong"); err != nil {
		t.Fatal(err)
	}
	w.written.lags = 1
	w.work(time.Minute)
	if r = w.run(r.ID); r.State != "stopped" || w.queued(r.ID) != 0 || w.written.lags != 0 {
		t.Errorf("%s, %d queued", r.State, w.queued(r.ID))
	}
}

// Nor is a run over as long as a list does not show all that it made.
func TestEndWhileTheIndexLags(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := hello(w.upload(list(1)))
	o.Send = true
	w.written.lags = 1
	r := w.create(o)
	w.work(3 * time.Second)
	if r = w.run(r.ID); w.written.lags != 0 || r.State != "sending" {
		t.Errorf("%s, with %d queued", r.State, w.queued(r.ID))
	}
	w.deliver(r.ID, func(*store.Record) message.Outcome { return message.Permanent })
	w.work(time.Minute)
	if r = w.run(r.ID); r.State != "done" || r.Statuses[message.Failed] != 1 {
		t.Error(r.State, r.Statuses)
	}
}

// Who sees every tenant's messages, and sends for its own, orders nothing in another's name and learns none of its
// secrets.
func TestSupportSteersNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	support := intaketest.Principal("bank", true, tenant.Send, tenant.Read, tenant.Support)
	s := daily()
	w.schedule(s, rows())
	o := hello(w.upload(list(1)))
	o.Send = true
	r := w.create(o)
	w.work(3 * time.Second)
	w.deliver(r.ID, func(*store.Record) message.Outcome { return message.Permanent })
	w.work(time.Minute)
	if got, err := w.camp.Run(t.Context(), support, r.ID); err != nil || got.State != "done" {
		t.Fatal(got.State, err)
	}
	for what, err := range map[string]error{
		"a campaign": second(w.camp.Create(t.Context(), support, o, "")),
		"a run":      second(w.camp.RunSchedule(t.Context(), support, "shop", s.Name, "", "")),
		"a resend":   second(w.camp.ResendFailures(t.Context(), support, r.ID, "", "")),
		"an upload":  second(w.camp.Upload(t.Context(), support, "shop", 10)),
		"a secret":   second(w.camp.SourceSecret(t.Context(), support, "shop", 1)),
		"a schedule": second(w.camp.PutSchedule(t.Context(), support, s, rows(), campaign.Change{Version: 1})),
		"a pause":    second(w.camp.PauseSchedule(t.Context(), support, "shop", s.Name, true, "")),
		"an end":     w.camp.DeleteSchedule(t.Context(), support, "shop", s.Name, campaign.Change{}),
		"a stop":     second(w.camp.CancelRun(t.Context(), support, r.ID, "")),
	} {
		if pr := problem.From(err); err == nil || pr.Status() >= 500 {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// Who uploads a list by hand is in the audit; what the tenant's own system uploads is its traffic.
func TestUploadIsADeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upload(list(1))
	person := tenant.Person(tenant.User{Name: "li", Role: tenant.RoleDeveloper, Tenants: []string{"shop"}})
	u, err := w.camp.Upload(t.Context(), person, "shop", 1234)
	if err != nil {
		t.Fatal(err)
	}
	lines, _, err := w.Store.Audit(t.Context(), system, store.Day(w.Time()), "", 100)
	if err != nil {
		t.Fatal(err)
	}
	lines = slices.DeleteFunc(lines, func(a store.Audited) bool { return a.Deed == nil })
	if len(lines) != 1 {
		t.Fatalf("%+v", lines)
	}
	want := store.Deed{At: w.Time(), By: person.Name, What: "uploaded", Kind: "audience", Object: u.ID, Tenant: "shop", Changes: []store.Change{{Path: "/bytes", After: "1234"}}}
	if d := cmp.Diff(want, *lines[0].Deed); d != "" {
		t.Error(d)
	}
}

// A run that goes on when its audience is kept no more, as after a month's pause, fails, and says why.
func TestAudienceIsGone(t *testing.T) {
	t.Parallel()
	for _, ask := range []bool{true, false} {
		w := newWorld(t)
		o := hello(w.upload(list(300)))
		o.Send = !ask
		if !ask {
			o.PerSecond = 1
		}
		r := w.create(o)
		w.work(2 * time.Second)
		if r = w.run(r.ID); ask && r.State != "waiting" || !ask && r.State != "sending" {
			t.Fatal(r.State)
		}
		for _, prefix := range []string{"uploads/", "runs/"} {
			keys, err := w.blobs.List(t.Context(), prefix, "")
			if err == nil {
				err = w.blobs.Delete(t.Context(), keys...)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if ask {
			w.send(r.ID)
		}
		w.work(10 * time.Minute)
		if r = w.run(r.ID); r.State != "failed" || !strings.Contains(r.Fault, "no longer kept") {
			t.Error(ask, r.State, r.Fault, r.Tries)
		}
	}
}

// A made-up cursor is the caller's fault, not ours.
func TestMadeUpCursor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := hello(w.upload(list(1)))
	o.Send = true
	r := w.create(o)
	for _, after := range []string{"nonsense", "bm9uZQ"} {
		_, _, err := w.camp.Runs(t.Context(), shop, "shop", "", 10, after)
		_, _, err2 := w.failed(shop, r.ID, 10, after)
		for _, err := range []error{err, err2} {
			if p := problem.From(err); err == nil || p.Status() >= 500 || len(p.Fields) != 1 || p.Fields[0].Pointer != "query:after" {
				t.Errorf("%q: %v", after, err)
			}
		}
	}
}

// A row that is not in UTF-8 is a wrong row like any other: the run does not stop at it.
func TestRowNotUTF8(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.create(hello(w.upload("phone,name\n+8613800138001,\xc0\xee\xc0\xd7\n+8613800138002,Berta\n")))
	w.work(10 * time.Second)
	if r = w.run(r.ID); r.State != "waiting" || r.Counts["bad"] != 1 {
		t.Errorf("%s %v", r.State, r.Counts)
	}
}
