package stats_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/stats"
	"github.com/opennotify/notify/pkg/store/storetest"
	"github.com/opennotify/notify/pkg/telemetry"
)

// happened is one count, at the second for which it counts.
type happened struct {
	telemetry.Labels
	name string
	n    int64
	at   time.Time
}

// model is the figures by another way: everything that happened, one by one.
type model struct {
	kept    []happened
	pending [2][]happened
}

func (m *model) flush(proc int, now time.Time, fails bool) {
	for i, h := range m.pending[proc] {
		if now.Sub(h.at.Truncate(time.Minute)) >= 3*time.Minute {
			m.pending[proc][i].at = now
		}
	}
	if !fails {
		m.kept = append(m.kept, m.pending[proc]...)
		m.pending[proc] = nil
	}
}

func value(l telemetry.Labels, by string) string {
	return map[string]string{"tenant": l.Tenant, "channel": l.Channel, "account": l.Account, "template": l.Template}[by]
}

// pointOf is the beginning of the point that an instant is counted in: a day of a zone is made of hours, each of the day
// that its middle is in.
func pointOf(q stats.Query, at time.Time) message.Time {
	if q.Zone == "" {
		return message.At(at.Truncate(steps[q.Step]))
	}
	zone, err := time.LoadLocation(q.Zone)
	if err != nil {
		panic(err)
	}
	year, month, day := at.Truncate(time.Hour).Add(30 * time.Minute).In(zone).Date()
	return message.At(time.Date(year, month, day, 0, 0, 0, 0, zone))
}

var steps = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}

// group is what is expected of a group.
func (m *model) group(q stats.Query, a *stats.Answer, in func(telemetry.Labels) bool, narrow int) stats.Group {
	g := stats.Group{Counts: map[string]int64{}}
	points := map[message.Time]*stats.Point{}
	seconds := map[string]int64{}
	for _, h := range m.kept {
		at := pointOf(q, h.at)
		if !in(h.Labels) || at < a.From || message.At(h.at) >= a.To {
			continue
		}
		if points[at] == nil {
			points[at] = &stats.Point{At: at, Counts: map[string]int64{}}
		}
		points[at].Counts[h.name] += h.n
		g.Counts[h.name] += h.n
		if h.name == "accepted" || h.name == "sent" || h.name == "throttled" {
			seconds[fmt.Sprintf("%s %d", h.name, message.At(h.at.Truncate(time.Second)))] += h.n
		}
	}
	for _, at := range slices.Sorted(maps.Keys(points)) {
		p := points[at]
		for _, key := range slices.Sorted(maps.Keys(seconds)) {
			var name string
			var second message.Time
			fmt.Sscan(key, &name, &second)
			if narrow > 1 || q.Step != "minute" || second.Sub(at) < 0 || second.Sub(at) >= time.Minute {
				continue
			}
			for _, to := range []*map[string]stats.Peak{&p.Peaks, &g.Peaks} {
				if *to == nil {
					*to = map[string]stats.Peak{}
				}
				if n := seconds[key]; n > (*to)[name].N {
					(*to)[name] = stats.Peak{At: second, N: n}
				}
			}
		}
		g.Points = append(g.Points, *p)
	}
	return g
}

var (
	tenants   = []string{"shop", "bank", ""}
	channels  = []string{"sms", "email", ""}
	accounts  = []string{"", "a", "b"}
	templates = []string{"shop/hello", "bank/code", "free", ""}
	names     = []string{"accepted", "sent", "throttled", "failed", "delivered", "tracked"}
)

// Whatever is counted, flushed, lost on the way to the store, folded and asked for, in any order: figures are
// what happened.
func TestFiguresAreWhatHappened(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w, m := newWorld(t), &model{}
		draw := func(list []string, what string) string { return rapid.SampledFrom(list).Draw(rt, what) }
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0, 1, 2, 3:
				proc := rapid.IntRange(0, 1).Draw(rt, "process")
				h := happened{telemetry.Labels{Tenant: draw(tenants, "tenant"), Channel: draw(channels, "channel"), Account: draw(accounts, "account"),
					Template: draw(templates, "template"), Lane: draw(channels, "lane")}, draw(names, "name"), int64(rapid.IntRange(1, 9).Draw(rt, "n")), w.clock}
				w.procs[proc].Count(h.name, h.n, h.Labels)
				m.pending[proc] = append(m.pending[proc], h)
			case 4:
				w.clock = w.clock.Add(time.Duration(rapid.IntRange(0, 5000).Draw(rt, "ms")) * time.Millisecond)
			case 5:
				w.clock = w.clock.Add(time.Duration(rapid.IntRange(1, 300).Draw(rt, "minutes")) * time.Minute)
			case 6, 7:
				proc, fails := rapid.IntRange(0, 1).Draw(rt, "process"), rapid.IntRange(0, 3).Draw(rt, "fails") == 0
				w.fault = func(string) storetest.Fault {
					if fails {
						return storetest.Fault{Before: errors.New("down")}
					}
					return storetest.Fault{}
				}
				if err := w.procs[proc].Flush(rt.Context()); err != nil && !fails {
					rt.Fatal(err)
				}
				w.fault = nil
				m.flush(proc, w.clock, fails)
			default:
				if err := w.stats.Fold(rt.Context()); err != nil {
					rt.Fatal(err)
				}
			}
		}
		for range 3 {
			step, zone := draw([]string{"minute", "hour", "day", "day"}, "step"), ""
			if step == "day" {
				zone = draw([]string{"", "Asia/Shanghai", "Asia/Kolkata", "America/St_Johns"}, "zone")
			}
			m.compare(rt, w, stats.Query{Step: step, Zone: zone, By: draw(append(stats.By(), ""), "by"),
				From: w.clock.Add(-time.Duration(rapid.IntRange(0, 12*60-2).Draw(rt, "back")) * time.Minute), Top: 100,
				Tenant: draw(tenants, "tenant"), Channel: draw([]string{"", "", "sms"}, "channel"), Account: draw([]string{"", "", "a"}, "account")})
		}
	})
}

func (m *model) compare(t *rapid.T, w *world, q stats.Query) {
	a, err := w.stats.Read(t.Context(), operator, q)
	if err != nil {
		t.Fatal(err)
	}
	narrow := 0
	for _, v := range []string{q.Channel, q.Account} {
		if v != "" {
			narrow++
		}
	}
	in := func(l telemetry.Labels) bool {
		return (q.Tenant == "" || l.Tenant == q.Tenant) && (q.Channel == "" || l.Channel == q.Channel) && (q.Account == "" || l.Account == q.Account)
	}
	same := func(what string, got, want stats.Group) {
		t.Helper()
		if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(stats.Group{}, "Name", "Failure", "Delivery")); diff != "" {
			t.Fatalf("%+v: %s (-want +got):\n%s", q, what, diff)
		}
	}
	total := m.group(q, a, in, narrow)
	same("total", a.Total, total)
	if q.By == "" {
		return
	}
	if q.By == stats.ByStatus {
		for _, g := range a.Groups {
			if g.Counts[g.Name] != total.Counts[g.Name] || len(g.Counts) != 1 {
				t.Fatalf("%s: %v of %v", g.Name, g.Counts, total.Counts)
			}
		}
		return
	}
	known := map[string]bool{}
	for _, h := range m.kept {
		if at := message.At(h.at); in(h.Labels) && pointOf(q, h.at) >= a.From && at < a.To && value(h.Labels, q.By) != "" {
			known[value(h.Labels, q.By)] = true
		}
	}
	if len(a.Groups) != len(known) {
		t.Fatalf("%+v: %d groups, want %v", q, len(a.Groups), known)
	}
	for _, g := range a.Groups {
		n := narrow
		if !(q.By == "tenant" && q.Tenant != "") && !(q.By == "channel" && q.Channel != "") && !(q.By == "account" && q.Account != "") {
			n++
		}
		same(g.Name, g, m.group(q, a, func(l telemetry.Labels) bool { return in(l) && value(l, q.By) == g.Name }, n))
	}
	other := *a.Other
	other.Peaks = nil
	same("other", other, m.group(q, a, func(l telemetry.Labels) bool { return in(l) && value(l, q.By) == "" }, 9))
}

// What cannot be told is refused by name.
func TestBadQueries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tc := range []struct {
		q    stats.Query
		want string
	}{
		{stats.Query{Step: "week"}, "query:step bad_value"},
		{stats.Query{By: "class"}, "query:by bad_value"},
		{stats.Query{Top: 101}, "query:top bad_value"},
		{stats.Query{Tenant: "Shop"}, "query:tenant bad_value"},
		{stats.Query{Channel: "sms#"}, "query:channel bad_value"},
		{stats.Query{Template: "hello"}, "query:template bad_value"},
		{stats.Query{From: start.Add(time.Minute)}, "query:from bad_time"},
		{stats.Query{From: start.Add(-time.Hour), To: start.Add(-2 * time.Hour)}, "query:from bad_time"},
		{stats.Query{From: start.Add(-49 * time.Hour), To: start.Add(-48 * time.Hour)}, "query:from bad_time"},
		{stats.Query{From: start.Add(-13 * time.Hour)}, "query:from bad_time"},
		{stats.Query{From: start.AddDate(0, 0, -32), Step: "hour"}, "query:from bad_time"},
		{stats.Query{From: start.AddDate(-2, 0, 0), Step: "day"}, "query:from bad_time"},
		{stats.Query{From: start.AddDate(0, 0, -400), Step: "day"}, ""},
		{stats.Query{Zone: "Asia/Shanghai"}, "query:zone bad_value"},
		{stats.Query{Zone: "Asia/Shanghai", Step: "hour"}, "query:zone bad_value"},
		{stats.Query{Zone: "Mars", Step: "day"}, "query:zone bad_value"},
		{stats.Query{Zone: "Local", Step: "day"}, "query:zone bad_value"},
		{stats.Query{Zone: "Asia/Shanghai", Step: "day"}, ""},
		{stats.Query{From: start.AddDate(0, 0, -58), Zone: "Asia/Shanghai", Step: "day"}, ""},
		{stats.Query{From: start.AddDate(0, 0, -62), Zone: "Asia/Shanghai", Step: "day"}, "query:from bad_time"},
		{stats.Query{From: start.Add(-12 * time.Hour), To: start.Add(12 * time.Hour)}, ""},
	} {
		_, err := w.stats.Read(t.Context(), operator, tc.q)
		if got := pointers(err); got != tc.want {
			t.Errorf("%+v: %q, want %q", tc.q, got, tc.want)
		}
	}
}

// Thirty days of a zone end with today there, and begin at its midnight, also across a change of its clock.
func TestDaysOfAZone(t *testing.T) {
	t.Parallel()
	for zone, offset := range map[string]string{"Asia/Shanghai": "+08:00", "America/Los_Angeles": "-07:00", "Asia/Kolkata": "+05:30"} {
		w := newWorld(t)
		w.clock = time.Date(2026, 3, 20, 20, 30, 0, 0, time.UTC)
		a, err := w.stats.Read(t.Context(), operator, stats.Query{Step: "day", Zone: zone})
		if err != nil {
			t.Fatal(err)
		}
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		from, today := a.From.Std().In(loc), w.clock.In(loc)
		if from.Format("15:04:05") != "00:00:00" || from.AddDate(0, 0, 29).Format(time.DateOnly) != today.Format(time.DateOnly) || today.Format("-07:00") != offset || a.Step != "day" {
			t.Errorf("%s: %s from %s", zone, a.Step, from)
		}
	}
}

// A tenant's key is told of its own.
func TestFiguresAreOnesOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, name := range []string{"shop", "bank"} {
		w.procs[0].Count("sent", int64(i+1), telemetry.Labels{Tenant: name, Channel: "sms", Template: name + "/hello"})
	}
	if err := w.procs[0].Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, fold := range []bool{false, true} {
		if fold {
			w.clock = w.clock.Add(10 * time.Minute)
			if err := w.stats.Fold(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for _, q := range []stats.Query{{}, {Tenant: "shop"}, {By: "tenant"}, {Template: "hello"}, {Step: "hour", By: "template"}} {
			a, err := w.stats.Read(t.Context(), reader, q)
			if err != nil || a.Total.Counts["sent"] != 1 || len(a.Groups) > 1 {
				t.Errorf("%+v: %+v, %v", q, a, err)
			}
		}
		if _, err := w.stats.Read(t.Context(), reader, stats.Query{Tenant: "bank"}); pointers(err) != "query:tenant unknown_tenant" {
			t.Error(err)
		}
	}
}

// Rates say what they are of, and when that is too little.
func TestRates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := telemetry.Labels{Tenant: "shop"}
	for name, n := range map[string]int64{"sent": 90, "failed": 6, "dead": 4, "tracked": 40, "delivered": 39, "undelivered": 1} {
		w.procs[0].Count(name, n, l)
	}
	if err := w.procs[0].Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, err := w.stats.Read(t.Context(), operator, stats.Query{})
	if err != nil {
		t.Fatal(err)
	}
	if want := (stats.Rate{Value: 0.1, Of: 100}); a.Total.Failure != want {
		t.Errorf("failure %+v", a.Total.Failure)
	}
	if want := (stats.Rate{Value: 0.975, Of: 40, TooFew: true}); a.Total.Delivery != want {
		t.Errorf("delivery %+v", a.Total.Delivery)
	}
}

// pointers are what an error names.
func pointers(err error) string {
	var p *problem.Error
	if err == nil {
		return ""
	}
	if !errors.As(err, &p) {
		return err.Error()
	}
	var out []string
	for _, f := range p.Fields {
		out = append(out, f.Pointer+" "+string(f.Code))
	}
	return strings.Join(out, ", ")
}
