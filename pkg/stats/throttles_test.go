package stats_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/stats"
	"github.com/opennotify/notify/pkg/telemetry"
)

// The ledger has the seconds in which an account's messages were put off, and who called over it in them,
// whichever process did; before it is folded and after.
func TestThrottles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	count := func(proc int, name string, n int64, tenant, template, account string) {
		w.procs[proc].Count(name, n, telemetry.Labels{Tenant: tenant, Channel: "sms", Account: account, Template: tenant + "/" + template})
	}
	second := func(put int64) message.Time {
		w.clock = w.clock.Add(time.Second)
		count(0, telemetry.Called, 60, "shop", "promo", "a")
		count(1, telemetry.Called, 30, "shop", "code", "a")
		count(1, telemetry.Called, 40, "bank", "bill", "a")
		count(1, telemetry.Called, 9, "bank", "bill", "b")
		if put > 0 {
			count(0, telemetry.Throttled, put, "bank", "bill", "a")
		}
		return message.At(w.clock)
	}
	second(0)
	first := second(7)
	second(0)
	w.clock = w.clock.Add(time.Minute)
	last := second(2)
	count(1, telemetry.Throttled, 1, "shop", "promo", "b")
	count(1, telemetry.PushedBack, 1, "shop", "promo", "b")
	for _, p := range w.procs {
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	tenants := []stats.Holder{{Name: "shop", N: 90}, {Name: "bank", N: 40}}
	templates := []stats.Holder{{Name: "shop/promo", N: 60}, {Name: "bank/bill", N: 40}, {Name: "shop/code", N: 30}}
	a := func(at message.Time, put int64) stats.Throttle {
		return stats.Throttle{Account: "a", At: at, Called: 130, PutOff: put, Tenants: tenants, Templates: templates, Waiting: []stats.Holder{{Name: "bank", N: put}}}
	}
	b := stats.Throttle{Account: "b", At: last, Called: 9, PutOff: 1, Refused: 1, Tenants: []stats.Holder{{Name: "bank", N: 9}},
		Templates: []stats.Holder{{Name: "bank/bill", N: 9}}, Waiting: []stats.Holder{{Name: "shop", N: 1}}}
	for _, when := range []string{"not folded", "folded", "folded again"} {
		q := stats.ThrottleQuery{From: start}
		got, err := w.stats.Throttles(t.Context(), operator, q)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]stats.Throttle{b, a(last, 2), a(first, 7)}, got.Items); diff != "" {
			t.Errorf("%s (-want +got): %s", when, diff)
		}
		if got.Seconds != 3 || got.PutOff != 10 || got.Refused != 1 || got.Tenants[0] != (stats.Holder{Name: "shop", N: 180}) || got.Waiting[0] != (stats.Holder{Name: "bank", N: 9}) {
			t.Errorf("%s: %+v", when, got)
		}
		q.Account, q.Limit = "a", 1
		if got, err = w.stats.Throttles(t.Context(), operator, q); err != nil || len(got.Items) != 1 || got.Seconds != 2 || got.Items[0].At != last {
			t.Errorf("%s: of one account %+v %v", when, got, err)
		}
		q = stats.ThrottleQuery{From: start, To: start.Add(20 * time.Second)}
		if got, err = w.stats.Throttles(t.Context(), operator, q); err != nil || len(got.Items) != 1 || got.Items[0].At != first {
			t.Errorf("%s: of one minute %+v %v", when, got, err)
		}
		w.clock = w.clock.Add(6 * time.Minute)
		if err := w.stats.Fold(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// Many tenants held a second: the five largest are told. What cannot be told is refused by name, and others'
// names are for operators only.
func TestThrottlesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 20 {
		w.procs[0].Count(telemetry.Called, int64(i+1), telemetry.Labels{Tenant: fmt.Sprintf("t%02d", i), Account: "a", Template: "free"})
	}
	w.procs[0].Count(telemetry.Throttled, 1, telemetry.Labels{Tenant: "t00", Account: "a"})
	if err := w.procs[0].Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	l, err := w.stats.Throttles(t.Context(), operator, stats.ThrottleQuery{})
	if err != nil || len(l.Items) != 1 || len(l.Items[0].Tenants) != 5 || l.Items[0].Tenants[0].Name != "t19" || l.Items[0].Called != 210 {
		t.Errorf("%+v %v", l, err)
	}
	if _, err := w.stats.Throttles(t.Context(), reader, stats.ThrottleQuery{}); problem.From(err).Code != problem.Forbidden {
		t.Error(err)
	}
	for _, tc := range []struct {
		q    stats.ThrottleQuery
		want string
	}{
		{stats.ThrottleQuery{Limit: 501}, "query:limit bad_value"},
		{stats.ThrottleQuery{Account: "A#"}, "query:account bad_value"},
		{stats.ThrottleQuery{From: start.Add(-7 * time.Hour)}, "query:from bad_time"},
		{stats.ThrottleQuery{From: start.Add(time.Hour)}, "query:from bad_time"},
		{stats.ThrottleQuery{From: start.Add(-31 * 24 * time.Hour), To: start.Add(-31*24*time.Hour + time.Hour)}, "query:from bad_time"},
	} {
		if _, err := w.stats.Throttles(t.Context(), operator, tc.q); pointers(err) != tc.want {
			t.Errorf("%+v: %v", tc.q, err)
		}
	}
}
