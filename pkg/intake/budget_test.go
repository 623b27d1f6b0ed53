package intake_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/storetest"
	"github.com/opennotify/notify/pkg/tenant"
)

// limited is the shop with budgets.
func limited(w *intaketest.World, perSecond, perDay int) {
	w.Put(store.Tenants, "shop", "shop", tenant.Tenant{Name: "shop", Owner: tenant.Owner{Name: "Wang"}, Region: "CN", Locale: "en", PerSecond: perSecond, PerDay: perDay})
}

// others is how much of a limit is not kept for codes.
func others(most int) int {
	for _, w := range (limit.Limits{PerDay: most, Urgent: config.UrgentPercent / 100.}).Windows(message.At(intaketest.Start)) {
		most = w.Most - w.Kept
	}
	return most
}

// number is the nth of a range of phones.
func number(n int) string { return fmt.Sprintf("+86138001%05d", n) }

// wants is the refusal of a limit, with the time to wait.
func wants(t testing.TB, err error, code problem.Code, wait time.Duration, words ...string) {
	t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) || p.Code != code || p.RetryAfter != wait {
		t.Errorf("%v, want %s and %s", err, code, wait)
		return
	}
	for _, word := range words {
		if !strings.Contains(p.Detail, word) {
			t.Errorf("%q does not say %q", p.Detail, word)
		}
	}
}

// code asks for a one-time code.
func code(to string, change ...func(*intake.Request)) *intake.Request {
	none := 0
	r := &intake.Request{To: intake.To{One: to}, Channel: message.SMS, Template: "login", Vars: map[string]any{"code": "123456"}, DedupSeconds: &none}
	for _, f := range change {
		f(r)
	}
	return r
}

// A tenant's messages of a second and of a day are refused when they are used up, by name and with the time
// to wait; codes have a fifth to themselves; what was accepted is answered as ever.
func TestBudget(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	limited(w, 5, 20)
	ask := func(r *intake.Request) error {
		_, err := w.Intake.Send(t.Context(), intaketest.Shop, r)
		return err
	}
	for i := range 4 {
		if err := ask(hello(number(i), keyed(fmt.Sprint(i)))); err != nil {
			t.Fatal(err)
		}
	}
	wants(t, ask(hello(number(9))), problem.RateLimited, 600*time.Millisecond, "tenant shop", "5 messages a second", "1 of them kept for codes")
	if err := ask(hello(number(3), keyed("3"))); err != nil {
		t.Error("a request that was accepted:", err)
	}
	if err := ask(code(number(10))); err != nil {
		t.Error("a code:", err)
	}
	wants(t, ask(code(number(11))), problem.RateLimited, 600*time.Millisecond)
	refused(t, ask(hello("", func(r *intake.Request) {
		r.To = intake.To{List: []string{number(0), number(1), number(2), number(3), number(4)}}
	})), "/to", problem.TooMany)
	for sent := 4; sent < 16; {
		w.Advance(time.Second)
		list := []string{number(20 + sent), number(21 + sent), number(22 + sent), number(23 + sent)}
		if err := ask(hello("", func(r *intake.Request) { r.To = intake.To{List: list} })); err != nil {
			t.Fatal(sent, err)
		}
		sent += len(list)
	}
	w.Advance(time.Second)
	midnight := time.Date(2026, 7, 2, 0, 0, 0, 0, time.UTC).Sub(w.Now())
	wants(t, ask(hello(number(99))), problem.DailyLimit, midnight, "20 messages a day", "4 of them kept for codes")
	_, err := w.Intake.Batch(t.Context(), intaketest.Shop, "", nil, []*intake.Request{hello(number(99))})
	wants(t, err, problem.DailyLimit, midnight)
	if err := ask(code(number(12))); err != nil {
		t.Error("a code:", err)
	}
	if a := send(t, w.Intake, intaketest.ShopTest, hello(number(99))); a.Verdicts[0].Record.Status != message.Simulated {
		t.Error("a test key sends nothing, and was counted")
	}
	w.Advance(midnight)
	if err := ask(hello(number(99))); err != nil {
		t.Error("the next day:", err)
	}
	limited(w, 0, 0)
	for i := range 30 {
		if err := ask(hello(number(200 + i))); err != nil {
			t.Fatal("without a budget:", err)
		}
	}
}

// What marketing costs is no reason to refuse it: explain tells that it would wait.
func TestBudgetOfMoney(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	w.Put(store.Tenants, "shop", "shop", tenant.Tenant{Name: "shop", Owner: tenant.Owner{Name: "Wang"}, Region: "CN", Locale: "en", PerMonth: 0.04, Currency: "CNY"})
	for _, row := range []struct {
		template string
		held     bool
	}{{"promo", true}, {"hello", false}} {
		e, err := w.Intake.Explain(t.Context(), intaketest.Shop, hello(anna, func(r *intake.Request) { r.Template = row.template }))
		if err != nil || (e[0].Held != nil) != row.held || row.held && (e[0].Held.Why != "budget" || e[0].Held.Until != message.At(time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC))) {
			t.Errorf("%s: %+v %v", row.template, e[0].Held, err)
		}
		if a := send(t, w.Intake, intaketest.Shop, hello(anna, func(r *intake.Request) { r.Template = row.template })); !a.Verdicts[0].New {
			t.Error(row.template, "is not accepted")
		}
	}
}

// What is a duplicate uses up nothing of the day.
func TestBudgetOfDuplicates(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	limited(w, 0, 5)
	for range 20 {
		send(t, w.Intake, intaketest.Shop, hello(anna))
		send(t, w.Intake, intaketest.Shop, hello("", keyed("list"), func(r *intake.Request) { r.To = intake.To{List: []string{number(1), number(2)}} }))
	}
	send(t, w.Intake, intaketest.Shop, hello(berta))
	if _, err := w.Intake.Send(t.Context(), intaketest.Shop, hello(number(5))); err == nil {
		t.Error("four were sent, one place is kept for codes, and one more goes")
	}
}

// Of many processes, over two connections to the records, as many messages of a day and a second are accepted as
// the tenant may send, and no fewer when enough were asked for one by one.
func TestBudgetRaces(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	processes := make([]*intake.Intake, 3)
	for i := range processes {
		processes[i] = w.Over(w.Open(w.DB), w.Queue)
	}
	rapid.Check(t, func(rt *rapid.T) {
		w.Advance(w.Now().Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(w.Now())) // a new day
		perDay := rapid.IntRange(1, 12).Draw(rt, "per day")
		perSecond := rapid.SampledFrom([]int{0, 2, 5}).Draw(rt, "per second")
		size := rapid.IntRange(1, 3).Draw(rt, "size")
		limited(w, perSecond, perDay)
		var mu sync.Mutex
		accepted := 0
		for second := range 2 {
			before := accepted
			var all sync.WaitGroup
			for p, in := range processes {
				for i := range 3 {
					all.Go(func() {
						var list []string
						for k := range size {
							list = append(list, number(1000*second+100*p+10*i+k))
						}
						a, err := in.Send(t.Context(), intaketest.Shop, hello("", func(r *intake.Request) { r.To = intake.To{List: list} }))
						if err == nil {
							mu.Lock()
							defer mu.Unlock()
							accepted += len(a.Verdicts)
						}
					})
				}
			}
			all.Wait()
			if most := others(perSecond); perSecond > 0 && accepted-before > most {
				rt.Fatalf("%d in a second, of %d", accepted-before, most)
			}
			w.Advance(time.Second)
		}
		most := others(perDay)
		if accepted > most || perSecond == 0 && size == 1 && accepted != most {
			rt.Fatalf("%d in a day, of %d", accepted, most)
		}
	})
}

// Rows of a run go as far as the tenant's day does; sent again, those that went cost nothing, so that the next day
// goes on where this one ended.
func TestBudgetOfRuns(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	limited(w, 1, 5)
	rows := make([]*intake.Request, 10)
	for i := range rows {
		rows[i] = hello(number(i), func(r *intake.Request) {
			r.Tenant, r.Version, r.Run = "shop", 1, &intake.Run{ID: "run", Began: w.Time(), Row: i + 1}
		})
	}
	count := func() (n int) {
		for i := range rows {
			n += len(w.Records(message.Phone, number(i)))
		}
		return n
	}
	days := 0
	for ; days < 5; days++ {
		out, err := w.Intake.Rows(t.Context(), tenant.System("test"), rows)
		if n := min(4*(days+1), 10); count() != n {
			t.Fatalf("%d messages after %d days, want %d", count(), days+1, n)
		}
		if err == nil {
			for i, v := range out {
				if v.Fate != intake.Made && v.Fate != intake.Duplicate && v.Fate != intake.Repeated {
					t.Errorf("row %d: %+v", i+1, v)
				}
			}
			break
		}
		wants(t, err, problem.DailyLimit, time.Date(2026, 7, 2+days, 0, 0, 0, 0, time.UTC).Sub(w.Now()))
		if _, err := w.Intake.Rows(t.Context(), tenant.System("test"), rows); err == nil {
			t.Fatal("the same day, again")
		}
		w.Advance(time.Date(2026, 7, 2+days, 0, 0, 0, 0, time.UTC).Sub(w.Now()))
	}
	if days != 2 {
		t.Errorf("it took %d days more", days)
	}
}

// A store that cannot count is no reason to refuse: whoever comes in the second after that is not told of a limit either.
func TestBudgetThatCannotBeCounted(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	limited(w, 5, 100)
	in := w.Over(w.Open(storetest.Faults(w.DB, func(call string) (f storetest.Fault) {
		if call == "Add" {
			f.Before = errors.New("throttled")
		}
		return f
	})), w.Queue)
	for i := range 3 {
		if _, err := in.Send(t.Context(), intaketest.Shop, hello(number(i))); err != nil {
			t.Error(i, err)
		}
	}
}

// A person is sent three codes in ten minutes, by the default of the settings; what is answered with a code that
// was there counts once.
func TestCodesPerRecipient(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	for i := range 3 {
		for range 3 { // again, as callers do
			send(t, w.Intake, intaketest.Shop, code(anna, keyed(fmt.Sprint("code", i))))
		}
	}
	ask := func(in *intake.Intake, p tenant.Principal, r *intake.Request) error {
		_, err := in.Send(t.Context(), p, r)
		return err
	}
	err := ask(w.Intake, intaketest.Shop, code(anna))
	wants(t, err, problem.RecipientLimit, 10*time.Minute, "3 codes in 10m0s", "codes.per_recipient")
	refused(t, err, "/to", problem.RecipientLimit)
	if strings.Contains(fmt.Sprint(err), anna[3:]) {
		t.Error("the number is in the refusal:", err)
	}
	if err := ask(w.Intake, intaketest.Shop, code(anna, keyed("code1"))); err != nil {
		t.Error("one that was accepted:", err)
	}
	if err := ask(w.Intake, intaketest.Shop, hello(anna)); err != nil {
		t.Error("what is no code:", err)
	}
	if err := ask(w.Intake, intaketest.ShopTest, code(anna)); err != nil {
		t.Error("a test key:", err)
	}
	err = ask(w.Intake, intaketest.Shop, code("", func(r *intake.Request) { r.To = intake.To{List: []string{berta, anna}} }))
	refused(t, err, "/to/1", problem.RecipientLimit)
	if n := len(w.Records(message.Phone, berta)); n != 0 {
		t.Errorf("%d messages of a request that was refused", n)
	}
	b, err := w.Intake.Batch(t.Context(), intaketest.Shop, "", nil, []*intake.Request{code(anna), code(berta)})
	if err != nil || b.Problems[0] == nil || b.Problems[0].Code != problem.RecipientLimit || b.Verdicts[1] == nil || !b.Verdicts[1].New {
		t.Errorf("a batch: %+v %v", b, err)
	}
	e, err := w.Intake.Explain(t.Context(), intaketest.Shop, code(anna))
	if err != nil || e[0].Refused == nil || e[0].Refused.Code != problem.RecipientLimit {
		t.Errorf("explain says %+v %v", e, err)
	}
	w.Advance(10 * time.Minute)
	if err := ask(w.Intake, intaketest.Shop, code(anna)); err != nil {
		t.Error("ten minutes later:", err)
	}
	w.Put(store.Settings, config.SettingsName, "", config.Settings{Codes: config.Codes{PerRecipient: &config.Cap{}}})
	for range 10 {
		if err := ask(w.Intake, intaketest.Shop, code(anna)); err != nil {
			t.Fatal("switched off:", err)
		}
	}
}

// A duplicate of a code is answered with it, whatever the cap says.
func TestCodesThatAreDuplicates(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	window := 3600
	same := func(n string) *intake.Request {
		return code(anna, func(r *intake.Request) { r.Vars["code"], r.DedupSeconds = n, &window })
	}
	first := send(t, w.Intake, intaketest.Shop, same("1111")).Verdicts[0].Record.ID
	for i := range 9 {
		if v := send(t, w.Intake, intaketest.Shop, same(fmt.Sprint(2000+i))).Verdicts[0]; !v.Duplicate || v.Record.ID != first {
			t.Fatalf("%+v", v)
		}
	}
	for range 2 {
		send(t, w.Intake, intaketest.Shop, code(anna))
	}
	if v := send(t, w.Intake, intaketest.Shop, same("4444")).Verdicts[0]; !v.Duplicate || v.Record.ID != first {
		t.Errorf("at the cap: %+v", v)
	}
}

// Numbers are held together by their range and their prefix, the longest that is named.
func TestCodesPerRange(t *testing.T) {
	t.Parallel()
	w := intaketest.New(t)
	w.Put(store.Settings, config.SettingsName, "", config.Settings{Codes: config.Codes{PerRange: &config.Cap{Messages: 4, Seconds: 600},
		Prefixes: []config.PrefixCap{{Prefix: "+86", Cap: config.Cap{Messages: 1000, Seconds: 600}}, {Prefix: "+86170", Cap: config.Cap{Messages: 2, Seconds: 3600}}, {Prefix: "+861701", Cap: config.Cap{Seconds: 60}}}}})
	ask := func(to string) error {
		_, err := w.Intake.Send(t.Context(), intaketest.Shop, code(to))
		return err
	}
	for i := range 4 {
		if err := ask(number(i)); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 { // a refusal leaves nothing behind
		if err := ask(number(5)); !strings.Contains(fmt.Sprint(err), "codes.per_range") {
			t.Fatal(err)
		}
	}
	if err := ask("+8613900139000"); err != nil {
		t.Error("another range:", err)
	}
	if _, err := w.Intake.Send(t.Context(), intaketest.Bank, hello(number(6), func(r *intake.Request) { r.Template = "notice" })); err != nil {
		t.Error(err)
	}
	for _, to := range []string{"+8617000000001", "+8617022220002"} {
		if err := ask(to); err != nil {
			t.Error(err)
		}
	}
	if err := ask("+8617033330003"); !strings.Contains(fmt.Sprint(err), "codes.prefixes +86170") {
		t.Error(err)
	}
	if err := ask("+8617011110002"); !strings.Contains(fmt.Sprint(err), "0 codes") { // none at all
		t.Error(err)
	}
	w.Advance(time.Hour)
	if err := ask(number(5)); err != nil {
		t.Error("later:", err)
	}
}
