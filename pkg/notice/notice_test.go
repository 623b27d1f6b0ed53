package notice_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/intake/intaketest"
	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/notice"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/telemetry"
	"github.com/opennotify/notify/pkg/tenant"
	wirenotice "github.com/opennotify/notify/pkg/wire/notice"
)

// world is notices over the intake's world: real records, real messages.
type world struct {
	*intaketest.World
	notices *notice.Notices
	holders []string
	ratios  map[string]float64
	down    error
}

func (w *world) Get(context.Context, string) (provider.Descriptor, bool, error) {
	return provider.Descriptor{}, true, nil
}
func (*world) Count(string, int64, telemetry.Labels) {}
func (w *world) Observe(name string, value float64, unit telemetry.Unit, l telemetry.Labels) {
	if name == "limit_used_ratio" && unit == telemetry.Ratio {
		w.ratios[l.Tenant+l.Account] = max(w.ratios[l.Tenant+l.Account], value)
	}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{World: intaketest.New(t), ratios: map[string]float64{}}
	send := wirenotice.Send(w.Intake)
	var err error
	w.notices, err = notice.New(notice.Ports{Store: w.Store, Config: w.Config, Providers: w, Metrics: w, Now: w.Now, Log: slog.New(slog.NewTextHandler(w.Log, nil)),
		Holders: func(context.Context, string, message.Time) ([]string, error) { return w.holders, nil },
		Send: func(ctx context.Context, o notice.Order) error {
			return errors.Join(w.down, send(ctx, o))
		}})
	if err != nil {
		t.Fatal(err)
	}
	w.Put(store.Accounts, "sms-a", "", config.Account{Name: "sms-a", Provider: "x", Channel: message.SMS, PerSecond: 100})
	for name, owner := range map[string]tenant.Owner{"shop": {Name: "Wang", Email: "wang@example.com"}, "bank": {Name: "Li", Phone: "+8613900139000"}, "ops": {Name: "Zhao", Email: "zhao@example.com"}, "late": {Name: "Qian", Email: "qian@example.com"}} {
		w.Put(store.Tenants, name, name, tenant.Tenant{Name: name, Owner: owner, FreeContent: name == "ops", Region: "CN", Locale: "en"})
	}
	w.Put(store.Settings, config.SettingsName, "", config.Settings{Notices: config.Notices{Tenant: "ops", To: []config.NoticeTo{{Channel: message.Email, To: "oncall@example.com"}, {Channel: message.Feishu, To: "oncall"}}}})
	return w
}

// use counts calls over an account, or messages of a tenant's day.
func (w *world) use(of store.Subject, l limit.Limits, n int) {
	w.Helper()
	if _, err := w.Store.Meter(w.Context(), of, l.Windows(w.Time()), n, false); err != nil {
		w.Fatal(err)
	}
}

func (w *world) pass() {
	w.Helper()
	if err := w.notices.Pass(w.Context()); err != nil {
		w.Fatal(err)
	}
}

// said are the texts that an address was sent.
func (w *world) said(mail string) []string {
	w.Helper()
	var out []string
	for _, r := range w.Records(message.Mail, mail) {
		c, err := w.Store.Content(w.Context(), r)
		if err != nil || r.Tenant != "ops" || r.Class != message.Transactional {
			w.Fatalf("%+v %v", r, err)
		}
		out = append(out, c.Subject+"\n"+c.Text)
	}
	return out
}

// At 80 % of an account's limit the operators are told who holds it, and so are the owners of the three that
// hold most; once an hour, whoever looks how often.
func TestAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.holders = []string{"shop", "bank", "gone", "late"}
	l := limit.Limits{PerSecond: 100, Urgent: 0.2}
	w.use(store.AccountLimits("sms-a"), l, 79)
	w.pass()
	if n := len(w.said("oncall@example.com")); n != 0 || w.ratios["sms-a"] != 0.79 {
		t.Fatalf("%d notices at %v", n, w.ratios)
	}
	w.use(store.AccountLimits("sms-a"), l, 1)
	w.Advance(20 * time.Second)
	for range 3 {
		w.pass()
		w.Advance(5 * time.Second)
	}
	said := w.said("oncall@example.com")
	if len(said) != 1 || len(w.said("wang@example.com")) != 1 || len(w.said("qian@example.com")) != 0 {
		t.Fatalf("%q", said)
	}
	for _, words := range []string{"notify: Account sms-a has used 80 % of its limit: 80/100.", "账号 sms-a 的每秒上限已用 80 %（80/100）", "shop（负责人 Wang）", "bank (owner Li)", "Not told (no contact that can be written to): bank"} {
		if !strings.Contains(said[0], words) {
			t.Errorf("%q does not say %q", said[0], words)
		}
	}
	w.Advance(time.Hour)
	w.pass() // it is over
	w.use(store.AccountLimits("sms-a"), l, 80)
	w.pass()
	if n := len(w.said("oncall@example.com")); n != 2 {
		t.Errorf("%d notices in the next hour", n)
	}
}

// At 80 % of a tenant's budget its owner and the operators are told.
func TestTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := tenant.Tenant{Name: "shop", Owner: tenant.Owner{Name: "Wang", Email: "wang@example.com"}, PerDay: 10, PerMonth: 100, Currency: "CNY"}
	w.Put(store.Tenants, "shop", "shop", shop)
	w.use(store.TenantLimits("shop", limit.Day), config.BudgetOf(shop, limit.Day), 7)
	w.use(store.TenantLimits("shop", limit.Month), config.BudgetOf(shop, limit.Month), 85_500_000)
	w.pass()
	for _, to := range []string{"wang@example.com", "oncall@example.com"} {
		const title = "Tenant shop (owner Wang) has used 85 % of its limit: 85.50/100.00 CNY."
		if said := w.said(to); len(said) != 1 || !strings.HasPrefix(said[0], "notify: "+title+"\n") || !strings.Contains(said[0], title+" Per month's budget.") {
			t.Errorf("%s: %q", to, said)
		}
	}
	if got := fmt.Sprintf("%.3f", w.ratios["shop"]); got != "0.855" {
		t.Error(w.ratios)
	}
}

// A notice that uses up its own tenant's limit makes no more of them, and nobody is told where nobody said whom.
func TestNoLoop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Put(store.Tenants, "ops", "ops", tenant.Tenant{Name: "ops", Owner: tenant.Owner{Name: "Zhao", Email: "zhao@example.com"}, FreeContent: true, PerDay: 5})
	w.use(store.TenantLimits("ops", limit.Day), limit.Limits{PerDay: 5, Urgent: 0.2}, 4)
	for range 10 {
		_ = w.notices.Pass(w.Context()) // its own limit refuses it
		w.Advance(20 * time.Second)
	}
	if n := len(w.said("oncall@example.com")) + len(w.said("zhao@example.com")); n > 3 {
		t.Errorf("%d notices of a limit that they use up", n)
	}
	w = newWorld(t)
	w.Put(store.Settings, config.SettingsName, "", config.Settings{})
	w.use(store.AccountLimits("sms-a"), limit.Limits{PerSecond: 100, Urgent: 0.2}, 99)
	w.pass()
	if n := len(w.said("oncall@example.com")); n != 0 || !strings.Contains(w.Log.String(), "a limit is nearly used up") {
		t.Errorf("%d notices", n)
	}
}

// What cannot be sent is tried again with the next pass.
func TestFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.use(store.AccountLimits("sms-a"), limit.Limits{PerSecond: 100, Urgent: 0.2}, 90)
	w.down = errors.New("down")
	if err := w.notices.Pass(t.Context()); err == nil {
		t.Error("nothing is wrong")
	}
	w.down = nil
	w.pass()
	if said := w.said("oncall@example.com"); len(said) == 0 || slices.ContainsFunc(said, func(s string) bool { return !strings.Contains(s, "80/100") }) {
		t.Errorf("%q", said)
	}
	if _, err := notice.New(notice.Ports{}); err == nil {
		t.Error("no ports, no error")
	}
}
