package campaign_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
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
	"github.com/opennotify/notify/pkg/provider/webhook"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
	"github.com/opennotify/notify/pkg/wire/control"
)

// rows is an audience of two.
func rows() campaign.AudienceDraft {
	return campaign.AudienceDraft{Rows: []audience.Recipient{{To: "+8613800138001", Vars: map[string]any{"name": "A"}}, {To: "+8613800138002", Vars: map[string]any{"name": "B"}}}}
}

// daily is due at nine in Shanghai: the world begins at 20:00 there.
func daily() campaign.Schedule {
	return campaign.Schedule{Tenant: "shop", Name: "bills", When: campaign.When{Cron: "0 9 * * ? *", Zone: "Asia/Shanghai"}, Content: campaign.Content{Template: "hello", Channel: message.SMS}}
}

func (w *world) schedule(s campaign.Schedule, d campaign.AudienceDraft) campaign.Versioned {
	w.t.Helper()
	v, err := w.camp.PutSchedule(w.t.Context(), shop, s, d, campaign.Change{Reason: "new"})
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// fire does what a timer does at an instant, n times.
func (w *world) fire(n int, due time.Time) {
	for range n {
		w.put(fmt.Sprintf(`{"kind":"run","tenant":"shop","schedule":"bills","due":%q}`, due.UTC().Format(time.RFC3339)))
	}
}

func (w *world) runs(schedule string) []campaign.Run {
	w.t.Helper()
	list, _, err := w.camp.Runs(w.t.Context(), shop, "shop", schedule, 100, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// until moves the clock.
func (w *world) until(at time.Time) {
	w.Advance(at.Sub(w.Now()))
}

// A schedule that fires three times, or late, or not at all, has one run, and everybody one message.
func TestFires(t *testing.T) {
	t.Parallel()
	for fires := range 4 {
		w := newWorld(t)
		v := w.schedule(daily(), rows())
		if len(v.Next) != 5 || v.Next[0] != time.Date(2026, 7, 2, 1, 0, 0, 0, time.UTC) || len(w.timer.kept) != 1 {
			t.Fatal(v.Next, w.timer.kept)
		}
		due := v.Next[0]
		w.until(due.Add(5 * time.Second))
		w.fire(fires, due)
		w.work(3 * time.Minute)
		w.fire(fires, due) // late
		w.work(10 * time.Second)
		list := w.runs("bills")
		if len(list) != 1 || list[0].Spec.Due.Std() != due || list[0].Counts["made"] != 2 || (list[0].Late != "") != (fires == 0) || list[0].Date != "2026-07-02" {
			t.Errorf("fired %d times: %+v", fires, list)
		}
		// The next day is another run, whose content the window of the day before does not keep.
		w.until(v.Next[1].Add(-time.Second))
		w.fire(1, v.Next[1])
		w.work(10 * time.Second)
		if list = w.runs("bills"); len(list) != 2 || list[0].Counts["made"] != 2 {
			t.Errorf("the next day: %+v", list)
		}
	}
}

// What was published a moment before is known to who begins a run, though he read the templates before that.
func TestFiresWhatWasJustPublished(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.backend
	other.Config = config.New(w.Store, w.Now, slog.New(slog.DiscardHandler))
	if head, ok, err := other.Config.Template(t.Context(), "shop", "draft"); err != nil || !ok || head.Published > 0 {
		t.Fatal(head, err)
	}
	w.Put(store.Templates, "shop/draft", "shop", config.Template{Name: "draft", Tenant: "shop", Class: message.Transactional, Latest: 1, Published: 1})
	s := daily()
	s.Template, s.When = "draft", campaign.When{At: message.At(w.Now().Add(10 * time.Second))}
	due := w.schedule(s, rows()).Next[0]
	var err error
	if w.control, err = control.New(&other); err != nil {
		t.Fatal(err)
	}
	w.until(due)
	w.fire(1, due)
	w.work(5 * time.Second)
	if list := w.runs("bills"); len(list) != 1 || list[0].Fault != "" || list[0].Counts["made"] != 2 {
		t.Errorf("%+v", list)
	}
}

// What fires for no instant of the schedule, for one that is not there, or without a time, starts nothing, or
// what is due.
func TestFiresOddly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.schedule(daily(), rows())
	w.fire(1, w.Now())
	w.put(`{"kind":"run","tenant":"shop","schedule":"gone","due":"2026-07-02T01:00:00Z"}`)
	w.put(`{"kind":"run","tenant":"shop","x":1}`)
	w.work(5 * time.Second)
	if n := len(w.runs("bills")); n != 0 || len(w.items) != 0 {
		t.Error(n, "runs", w.items)
	}
	w.until(v.Next[0].Add(2 * time.Second))
	w.put(`{"kind":"run","tenant":"shop","schedule":"bills","due":"<aws.scheduler.scheduled-time>"}`) // as an emulator sends it
	w.work(5 * time.Second)
	if list := w.runs("bills"); len(list) != 1 || list[0].Spec.Due.Std() != v.Next[0] {
		t.Errorf("%+v", list)
	}
	w.until(v.Next[1].Add(3 * time.Hour))
	w.fire(1, v.Next[1])
	w.work(5 * time.Second)
	if list := w.runs("bills"); len(list) != 2 || list[0].State != "failed" || !strings.Contains(list[0].Fault, "missed") {
		t.Errorf("later than it may be: %+v", list)
	}
}

// A cancellation that was answered wins against whatever fires at the same time or later; what fired before
// is stopped.
func TestCancelRaces(t *testing.T) {
	t.Parallel()
	cancel := func(w *world) {
		if err := w.camp.DeleteSchedule(w.t.Context(), shop, "shop", "bills", campaign.Change{Reason: "wrong list"}); err != nil {
			w.t.Error(err)
		}
	}
	for name, play := range map[string]func(w *world, due time.Time){
		"before it fires":        func(w *world, due time.Time) { cancel(w); w.fire(2, due) },
		"between run and page":   func(w *world, due time.Time) { w.fire(1, due); w.step(); cancel(w) },
		"paused before the page": func(w *world, due time.Time) { w.fire(1, due); w.step(); w.pause(true) },
		"changed meanwhile": func(w *world, due time.Time) {
			w.fire(1, due)
			w.step()
			s := daily()
			s.Cron = "0 10 * * ? *"
			if _, err := w.camp.PutSchedule(w.t.Context(), shop, s, rows(), campaign.Change{Version: 1}); err != nil {
				w.t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			v := w.schedule(daily(), rows())
			w.until(v.Next[0].Add(time.Second))
			play(w, v.Next[0])
			w.work(5 * time.Minute)
			w.fire(1, v.Next[0])
			w.work(5 * time.Second)
			for _, r := range w.runs("bills") {
				if len(w.messages(r.ID)) > 0 || r.State != "stopped" && r.Spec.Due.Std() == v.Next[0] {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

func (w *world) pause(paused bool) {
	w.t.Helper()
	if _, err := w.camp.PauseSchedule(w.t.Context(), shop, "shop", "bills", paused, "holiday"); err != nil {
		w.t.Fatal(err)
	}
}

// Timers become what the documents say, whatever failed on the way; a run that was missed for too long is
// recorded and not made up for.
func TestReconcile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.timer.err = errors.New("throttled")
	v := w.schedule(daily(), rows()) // the document counts
	if len(w.timer.kept) != 0 {
		t.Fatal(w.timer.kept)
	}
	w.timer.err = nil
	settle := func() []string {
		t.Helper()
		if err := w.camp.Reconcile(t.Context(), 24*time.Hour); err != nil {
			t.Fatal(err)
		}
		names, _ := w.timer.List(t.Context(), "")
		return names
	}
	if got := settle(); !slices.Equal(got, []string{"shop.bills.1"}) {
		t.Fatal(got)
	}
	w.timer.kept["shop.bills.0"] = w.timer.kept["shop.bills.1"]
	w.timer.kept["shop.gone.7"] = w.timer.kept["shop.bills.1"]
	if got := settle(); !slices.Equal(got, []string{"shop.bills.1"}) {
		t.Error(got)
	}
	w.pause(true)
	if got := settle(); len(got) != 0 {
		t.Error(got)
	}
	w.pause(false)
	if got := settle(); !slices.Equal(got, []string{"shop.bills.3"}) {
		t.Error(got)
	}
	w.until(v.Next[0].Add(3 * time.Hour))
	settle()
	settle()
	if list := w.runs("bills"); len(list) != 1 || list[0].State != "failed" || !strings.Contains(list[0].Fault, "missed") || !strings.Contains(w.log.String(), "missed") {
		t.Errorf("%+v", list)
	}
	once := campaign.Schedule{Tenant: "shop", Name: "once", When: campaign.When{At: w.Time().Add(time.Hour)}, Content: campaign.Content{Template: "hello", Channel: message.SMS}}
	w.schedule(once, rows())
	w.Advance(time.Hour + 2*time.Minute)
	delete(w.timer.kept, "shop.once.1") // it fired, and went
	if got := settle(); slices.Contains(got, "shop.once.1") {
		t.Error("a timer for a time that is over:", got)
	}
	if list := w.runs("once"); len(list) != 1 || list[0].Late == "" {
		t.Errorf("nothing made up for it: %+v", list)
	}
}

// Each day's file is another: {run_date} is the day where the schedule is. One that is not there fails the run.
func TestPathSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"sms-a", "sms-b"} { // so that few of many are made
		w.Put(store.Accounts, name, "", config.Account{Name: name, Provider: "devinbox", Channel: message.SMS, PerSecond: 5})
	}
	w.Config.Changed(store.Accounts)
	v := w.schedule(daily(), campaign.AudienceDraft{Path: "bills/{run_date}.csv"})
	var big strings.Builder
	big.WriteString("\ufeffphone,name\r\n")
	for i := range 5_100 { // more than one page reads
		fmt.Fprintf(&big, "+86137%08d,N\r\n", i)
	}
	if testing.Short() {
		big.Reset()
		big.WriteString(list(30))
	}
	if err := w.blobs.Put(t.Context(), "sources/shop/bills/2026-07-02.csv", []byte(big.String())); err != nil {
		t.Fatal(err)
	}
	w.until(v.Next[0])
	w.fire(1, v.Next[0])
	w.work(30 * time.Second)
	r := w.runs("bills")[0]
	if want := int64(strings.Count(big.String(), "\n") - 1); r.Counts["rows"] != want || r.Counts["made"] == 0 || r.Counts["repeats"] != 0 || r.Counts["refused"] != 0 {
		t.Error(r.Counts, r.State, r.Fault)
	}
	w.until(v.Next[1])
	w.fire(1, v.Next[1])
	w.work(5 * time.Second)
	if r = w.runs("bills")[0]; r.State != "failed" || !strings.Contains(r.Fault, "there is no file bills/2026-07-03.csv") {
		t.Error(r.State, r.Fault)
	}
}

// A tenant's own system is asked page by page, signed, and its rows are kept as they were given.
func TestPullSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret, err := w.camp.SourceSecret(t.Context(), shop, "shop", 2)
	if err != nil {
		t.Fatal(err)
	}
	status, asked, ids := http.StatusOK, []string{}, map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := webhook.Verify([]message.Secret{secret}, r.Header, body, w.Now()); err != nil {
			t.Error(err)
		}
		asked = append(asked, string(body))
		ids[r.Header.Get(webhook.HeaderID)] = true
		if status != http.StatusOK {
			rw.WriteHeader(status)
			return
		}
		var q struct{ Cursor string }
		_ = json.Unmarshal(body, &q)
		switch q.Cursor {
		case "":
			io.WriteString(rw, `{"rows":[{"to":"+8613800138001","vars":{"name":"A"}},
				{"to":"+8613800138002",
				"vars":{"name":"B"}},{"to":"x"}],"next":"2"}`)
		default:
			io.WriteString(rw, `{"rows":[{"to":"+8613800138001","vars":{"name":"again"}}]}`)
		}
	}))
	t.Cleanup(server.Close)
	v := w.schedule(daily(), campaign.AudienceDraft{URL: server.URL + "/bills", Generation: 2})
	w.until(v.Next[0])
	w.fire(1, v.Next[0])
	w.work(5 * time.Second)
	r := w.runs("bills")[0]
	if got := counts(r, "rows", "bad", "repeats", "made", "repeated", "refused"); got != "rows 4, bad 1, repeats 1, made 2, repeated 1, refused 1" {
		t.Error(got, r.State, r.Fault)
	}
	want := fmt.Sprintf(`{"type":"audience.rows","tenant":"shop","schedule":"bills","run":%q,"run_date":"2026-07-02","cursor":"2"}`, r.ID)
	if len(asked) != 2 || len(ids) != 2 {
		t.Error(asked, ids)
	}
	if diff := cmp.Diff(want, asked[1]); diff != "" {
		t.Error("(-want +got):", diff)
	}
	status = http.StatusNotFound
	w.until(v.Next[1])
	w.fire(1, v.Next[1])
	w.work(5 * time.Second)
	if r = w.runs("bills")[0]; r.State != "failed" || !strings.Contains(r.Fault, "answered 404") {
		t.Error(r.State, r.Fault)
	}
	status = http.StatusBadGateway
	w.until(v.Next[2])
	w.fire(1, v.Next[2])
	w.work(time.Minute)
	if r = w.runs("bills")[0]; r.Job.State != store.JobRunning || r.Tries == 0 {
		t.Error(r.State, r.Fault)
	}
	status = http.StatusOK
	w.work(2 * time.Minute)
	if r = w.runs("bills")[0]; r.Counts["made"] != 2 {
		t.Error(r.State, r.Fault, r.Counts)
	}
}

// An address of a tenant's system that cannot be reached is in no log: it may hold a token.
func TestPullSourceUnreached(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	v := w.schedule(daily(), campaign.AudienceDraft{URL: server.URL + "/bills?token=t0ken-canary", Generation: 1})
	w.until(v.Next[0])
	w.fire(1, v.Next[0])
	w.work(time.Minute)
	if r := w.runs("bills")[0]; r.Tries == 0 {
		t.Error(r.State, r.Fault)
	}
	if log := w.log.String(); !strings.Contains(log, "the tenant's system") || strings.Contains(log, "t0ken-canary") {
		t.Error(log)
	}
}

const reportEntry = `{"kind":"send","schedule":"report","due":"2026-07-02T09:00:00Z","tenant":"shop","template":"hello","channel":"sms","locale":"en","vars":{"name":"X"},"to":["+8613800138001","+8613800138002"],"reference":"r"}`

// Schedules that somebody made with AWS tools: known at their first firing, with their owner; twice is once.
func TestExternal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(reportEntry)
	w.put(reportEntry)
	w.put(strings.Replace(reportEntry, "2026-07-02T09:00:00Z", "<aws.scheduler.scheduled-time>", 1)) // unfilled: a run of its own
	w.work(5 * time.Second)
	list := w.runs("report")
	if len(list) != 2 || list[0].Owner != "Wang" || !list[0].External || list[0].Counts["made"]+list[1].Counts["made"] != 2 || list[0].Counts["duplicate"]+list[1].Counts["duplicate"] != 2 {
		t.Errorf("%+v", list)
	}
	all, err := w.camp.Schedules(t.Context(), shop, "", 5)
	if err != nil || len(all) != 1 || !all[0].External || all[0].Name != "report" || all[0].Owner != "Wang" || len(all[0].Next) != 0 {
		t.Errorf("%+v %v", all, err)
	}
	if m := w.messages(list[1].ID); len(m)+len(w.messages(list[0].ID)) != 2 {
		t.Error(m)
	}
	if _, err := w.camp.PauseSchedule(t.Context(), shop, "shop", "report", true, ""); problem.From(err).Code != problem.NotAllowedNow {
		t.Error(err)
	}
	s := daily()
	s.Name = "report"
	if _, err := w.camp.PutSchedule(t.Context(), shop, s, rows(), campaign.Change{}); problem.From(err).Code != problem.Conflict {
		t.Error(err)
	}
	if strings.Contains(w.log.String(), "138001380") {
		t.Error("a recipient is in the log:", &w.log)
	}
}

// What can never work is dropped, with its reason in the log and no address; what may comes again.
func TestExternalRefused(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"kind":"send"`: "unknown kind",
		strings.Replace(reportEntry, `"to"`, `"recipients"`, 1):         "cannot be read",
		strings.Replace(reportEntry, `"report"`, `""`, 1):               "name the schedule",
		strings.Replace(reportEntry, `"shop"`, `"nobody"`, 1):           "unknown_tenant",
		strings.Replace(reportEntry, `"hello"`, `"nothing"`, 1):         "unknown_template",
		strings.Replace(reportEntry, `"hello"`, `"draft"`, 1):           "template_not_published",
		reportEntry[:strings.Index(reportEntry, `"to":[`)] + `"to":[]}`: "1 to 100 addresses",
	} {
		w := newWorld(t)
		w.put(body)
		w.work(time.Second)
		if again := want == "unknown kind"; (len(w.items) > 0) != again || !strings.Contains(w.log.String(), want) || strings.Contains(w.log.String(), "138001380") {
			t.Errorf("%s: %d entries, the log: %s", body, len(w.items), &w.log)
		}
	}
}

func TestPutRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		change  func(s *campaign.Schedule)
		pointer string
	}{
		"no time":         {func(s *campaign.Schedule) { s.When = campaign.When{} }, "/at"},
		"two times":       {func(s *campaign.Schedule) { s.Every = 5 }, "/cron"},
		"the past":        {func(s *campaign.Schedule) { s.When = campaign.When{At: w.Time() - 1} }, "/at"},
		"no cron":         {func(s *campaign.Schedule) { s.Cron = "at nine" }, "/cron"},
		"no zone":         {func(s *campaign.Schedule) { s.Zone = "Mars" }, "/zone"},
		"never":           {func(s *campaign.Schedule) { s.Cron = "0 0 30 2 ? *" }, "/end"},
		"never until":     {func(s *campaign.Schedule) { s.End = w.Time().Add(time.Hour) }, "/end"},
		"a bad name":      {func(s *campaign.Schedule) { s.Name = "Bills!" }, "/name"},
		"another tenant":  {func(s *campaign.Schedule) { s.Tenant = "bank" }, "/tenant"},
		"no template":     {func(s *campaign.Schedule) { s.Template = "x" }, "/template"},
		"no such channel": {func(s *campaign.Schedule) { s.Channel = "smss" }, "/channel"},
		"no such vars":    {func(s *campaign.Schedule) { s.Vars = map[string]any{"nmae": "x"} }, "/vars/nmae"},
		"a bad value":     {func(s *campaign.Schedule) { s.Vars = map[string]any{"name": 7} }, "/vars/name"},
		"very late":       {func(s *campaign.Schedule) { s.LateMinutes = 9999 }, "/late_minutes"},
	} {
		s := daily()
		c.change(&s)
		for _, d := range []campaign.AudienceDraft{rows(), {Path: "bills/{run_date}.csv"}} {
			_, err := w.camp.PutSchedule(t.Context(), shop, s, d, campaign.Change{})
			if p := problem.From(err); len(p.Fields) == 0 || p.Fields[0].Pointer != c.pointer {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if len(w.timer.kept) > 0 {
		t.Error(w.timer.kept)
	}
	v := w.schedule(daily(), rows())
	if _, err := w.camp.PutSchedule(t.Context(), shop, daily(), rows(), campaign.Change{}); problem.From(err).Code != problem.Conflict {
		t.Error(err)
	}
	s := daily()
	s.Cron = "30 9 * * ? *"
	if v2, err := w.camp.PutSchedule(t.Context(), shop, s, rows(), campaign.Change{Version: v.Version, Reason: "later"}); err != nil || v2.Version != 2 || len(w.timer.kept) != 1 {
		t.Error(v2, err, w.timer.kept)
	}
	if h, err := w.camp.ScheduleHistory(t.Context(), shop, "shop", "bills"); err != nil || len(h) != 2 || h[0].Reason != "later" || len(h[1].Next) != 0 {
		t.Error(h, err)
	}
}

// Run now, once at a time; a preview before anything is saved; others' schedules are not there.
func TestVerbs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.schedule(daily(), rows())
	r, err := w.camp.RunSchedule(t.Context(), shop, "shop", "bills", "", "a try")
	if err != nil || !r.Manual || r.Author != shop.Name {
		t.Fatal(r, err)
	}
	w.Advance(time.Second)
	if _, err := w.camp.RunSchedule(t.Context(), shop, "shop", "bills", "", ""); problem.From(err).Code != problem.NotAllowedNow {
		t.Error("twice at once:", err)
	}
	w.work(3 * time.Second)
	if got := w.run(r.ID); got.Counts["made"] != 2 {
		t.Error(got)
	}
	next, err := w.camp.Preview(t.Context(), shop, campaign.When{Cron: "30 2 * * ? *", Zone: "America/New_York", Start: message.At(time.Date(2027, 3, 13, 0, 0, 0, 0, time.UTC))})
	if err != nil || len(next) != 5 || next[1].Sub(next[0]) == 24*time.Hour {
		t.Error("the day that the clock is put forward:", next, err)
	}
	other := intaketest.Principal("bank", true, tenant.Send, tenant.Read)
	if _, err := w.camp.Schedule(t.Context(), other, "shop", "bills"); problem.From(err).Code != problem.NotFound {
		t.Error(err)
	}
	if list, err := w.camp.Schedules(t.Context(), other, "", 5); len(list) != 0 || err != nil {
		t.Error(list, err)
	}
	if err := w.camp.DeleteSchedule(t.Context(), other, "shop", "bills", campaign.Change{}); problem.From(err).Code != problem.NotFound {
		t.Error(err)
	}
	if _, _, err := w.camp.Runs(t.Context(), other, "shop", "bills", 10, ""); problem.From(err).Fields == nil {
		t.Error(err)
	}
}

// A schedule of a test key sends nothing.
func TestTestKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, err := w.camp.PutSchedule(t.Context(), intaketest.ShopTest, daily(), rows(), campaign.Change{})
	if err != nil {
		t.Fatal(err)
	}
	w.until(v.Next[0])
	w.fire(1, v.Next[0])
	w.work(5 * time.Second)
	for _, m := range w.messages(w.runs("bills")[0].ID) {
		if m.Status != message.Simulated {
			t.Error(m.Status)
		}
	}
}

// Who cancels a schedule may die before he stops its runs: they see it at their next page. Asked again, the cancellation
// stops them at once.
func TestCancelCutOff(t *testing.T) {
	t.Parallel()
	for again := range 3 {
		w := newWorld(t)
		w.Put(store.Accounts, "sms-a", "", config.Account{Name: "sms-a", Provider: "devinbox", Channel: message.SMS, PerSecond: 1})
		w.Put(store.Accounts, "sms-b", "", config.Account{Name: "sms-b", Provider: "devinbox", Channel: message.SMS, Off: true})
		w.Config.Changed(store.Accounts)
		audience := rows()
		for i := range 20 {
			audience.Rows = append(audience.Rows, rows().Rows[0])
			audience.Rows[i+2].To = fmt.Sprintf("+86138001390%02d", i)
		}
		v := w.schedule(daily(), audience)
		w.until(v.Next[0].Add(time.Second))
		w.fire(1, v.Next[0])
		w.work(3 * time.Second)
		r := w.runs("bills")[0]
		made := len(w.messages(r.ID))
		d, err := w.Store.Doc(t.Context(), store.Schedules, "shop/bills")
		if err != nil || made == 0 || made == len(audience.Rows) {
			t.Fatal(made, err)
		}
		d.Deleted = true
		if _, err := w.Store.PutDoc(t.Context(), system, w.Time(), d); err != nil {
			t.Fatal(err)
		}
		switch again {
		case 1:
			if err := w.camp.DeleteSchedule(t.Context(), shop, "shop", "bills", campaign.Change{Version: v.Version}); err != nil {
				t.Error(err)
			}
			if r := w.run(r.ID); r.State != "stopping" {
				t.Error(r.State)
			}
		case 2: // made anew, under the same name
			w.schedule(daily(), rows())
		}
		w.work(2 * time.Minute)
		if r = w.run(r.ID); r.State != "stopped" || w.queued(r.ID) != 0 || len(w.messages(r.ID)) != made || r.Steps[0].Why != "its schedule was cancelled" {
			t.Errorf("again %d: %s, %d queued, %d made, %d before: %+v", again, r.State, w.queued(r.ID), len(w.messages(r.ID)), made, r.Steps)
		}
	}
}

// While a new version of notify takes over from an old one, which knows no Since, neither a run that the old one began
// nor a schedule that it changed looks cancelled.
func TestOldVersionBeside(t *testing.T) {
	t.Parallel()
	without := func(text []byte) []byte { return sinceMember.ReplaceAll(text, nil) }
	for name, old := range map[string]func(w *world){
		"the run": func(w *world) {
			j := w.job(w.runs("bills")[0].ID)
			j.Spec = without(j.Spec)
			if _, err := w.Store.SaveJob(t.Context(), system, w.Time(), j); err != nil {
				t.Error(err)
			}
		},
		"the schedule": func(w *world) {
			d, err := w.Store.Doc(t.Context(), store.Schedules, "shop/bills")
			if err != nil {
				t.Fatal(err)
			}
			d.Body = without(d.Body)
			if _, err := w.Store.PutDoc(t.Context(), system, w.Time(), d); err != nil {
				t.Error(err)
			}
		},
	} {
		w := newWorld(t)
		v := w.schedule(daily(), rows())
		w.until(v.Next[0].Add(time.Second))
		w.fire(1, v.Next[0])
		if w.step() != 1 {
			t.Fatal("it did not fire")
		}
		old(w)
		w.work(10 * time.Second)
		if r := w.runs("bills")[0]; r.State != "sending" || r.Counts["made"] != 2 {
			t.Errorf("%s is the old version's: %s, %v", name, r.State, r.Steps)
		}
	}
}

var sinceMember = regexp.MustCompile(`,"since":[0-9]+`)

// A run is made up for as late as its schedule allows, however long nothing ran.
func TestLateByHours(t *testing.T) {
	t.Parallel()
	for minutes, want := range map[int]string{24 * 60: "sending", 0: "failed"} {
		w := newWorld(t)
		s := daily()
		s.LateMinutes = minutes
		w.schedule(s, rows())
		w.Advance(13*time.Hour + 90*time.Minute) // half past ten
		if minutes > 0 {
			w.Advance(5 * time.Hour)
		}
		w.work(time.Minute)
		if runs := w.runs("bills"); len(runs) != 1 || runs[0].State != want {
			t.Errorf("late by at most %d minutes: %+v", minutes, runs)
		}
	}
}

// Who changes a schedule in the minute in which its timer is to fire takes that timer away: the run is made up for, as the
// schedule says now, if it is due then by both. What was paused, made anew or moved was not to begin.
func TestChangedWhileDue(t *testing.T) {
	t.Parallel()
	change := func(w *world, of func(*campaign.Schedule)) {
		t.Helper()
		v, err := w.camp.Schedule(t.Context(), shop, "shop", "bills")
		if err != nil {
			t.Fatal(err)
		}
		s := daily()
		of(&s)
		if _, err := w.camp.PutSchedule(t.Context(), shop, s, rows(), campaign.Change{Version: v.Version}); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		before, after time.Duration // when it is changed: so long before it is due, or after
		do            func(w *world)
		want          int
	}{
		"its title": {0, 20 * time.Second, func(w *world) { change(w, func(s *campaign.Schedule) { s.Title = "Bills" }) }, 1},
		"twice": {0, 20 * time.Second, func(w *world) {
			change(w, func(*campaign.Schedule) {})
			w.Advance(time.Second)
			change(w, func(*campaign.Schedule) {})
		}, 1},
		"after it had fired": {0, 80 * time.Second, func(w *world) { w.fire(1, w.Now().Truncate(time.Hour)); change(w, func(*campaign.Schedule) {}) }, 1},
		"its time":           {0, 20 * time.Second, func(w *world) { change(w, func(s *campaign.Schedule) { s.Cron = "30 9 * * ? *" }) }, 0},
		"moved to that time": {0, 20 * time.Second, func(w *world) { change(w, func(s *campaign.Schedule) { s.Cron = "0 9 * * ? *" }) }, 0},
		"paused and back":    {0, 20 * time.Second, func(w *world) { w.pause(true); w.Advance(time.Second); w.pause(false) }, 0},
		"back from a pause":  {time.Hour, 20 * time.Second, func(w *world) { w.pause(false) }, 0},
		"made anew": {0, 20 * time.Second, func(w *world) {
			if err := w.camp.DeleteSchedule(t.Context(), shop, "shop", "bills", campaign.Change{}); err != nil {
				t.Fatal(err)
			}
			w.schedule(daily(), rows())
		}, 0},
	} {
		w := newWorld(t)
		s := daily()
		if name == "moved to that time" {
			s.Cron = "0 10 * * ? *"
		}
		v := w.schedule(s, rows())
		due := v.Next[0].Truncate(24 * time.Hour).Add(time.Hour) // nine in Shanghai
		if c.before > 0 {
			w.until(due.Add(-c.before))
			w.pause(true)
		}
		w.until(due.Add(c.after))
		c.do(w)
		w.work(5 * time.Minute)
		if runs := w.runs("bills"); len(runs) != c.want {
			t.Errorf("%s: %d runs, want %d", name, len(runs), c.want)
		}
	}
}

// A list that was uploaded for a schedule is kept as long as the schedule, though uploads go after a month; who changes a
// schedule of before keeps the list that it has while there is one.
func TestUploadOfASchedule(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.schedule(daily(), campaign.AudienceDraft{Upload: w.upload(list(2))})
	upload := w.upload(list(3))
	old := daily()
	old.Name = "old"
	o := w.schedule(old, campaign.AudienceDraft{Upload: upload})
	d, err := w.Store.Doc(t.Context(), store.Schedules, "shop/old")
	if err != nil {
		t.Fatal(err)
	}
	d.Body = regexp.MustCompile(`"kept":"[^"]*"`).ReplaceAll(d.Body, []byte(`"kept":"uploads/shop/`+upload+`"`)) // as it was
	if _, err := w.Store.PutDoc(t.Context(), system, w.Time(), d); err != nil {
		t.Fatal(err)
	}
	change := func() error {
		o.Version++
		_, err := w.camp.PutSchedule(t.Context(), shop, old, campaign.AudienceDraft{Unchanged: true}, campaign.Change{Version: o.Version})
		return err
	}
	if err := change(); err != nil {
		t.Fatal(err)
	}
	keys, err := w.blobs.List(t.Context(), "uploads/", "")
	if err == nil {
		err = w.blobs.Delete(t.Context(), keys...)
	}
	if err != nil || len(keys) != 2 {
		t.Fatal(keys, err)
	}
	if err := change(); err != nil {
		t.Error("changed again:", err)
	}
	w.until(v.Next[0].Add(time.Second))
	w.work(5 * time.Minute)
	for name, made := range map[string]int64{"bills": 2, "old": 3} {
		if runs := w.runs(name); len(runs) != 1 || runs[0].Counts["made"]+runs[0].Counts["duplicate"] != made {
			t.Errorf("%s: %+v", name, runs)
		}
	}
	if _, err := w.camp.PutSchedule(t.Context(), shop, old, campaign.AudienceDraft{Upload: upload}, campaign.Change{Version: o.Version + 1}); problem.From(err).Fields == nil {
		t.Error("an upload that is gone:", err)
	}
}
