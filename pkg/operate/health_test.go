package operate_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/breaker"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
)

// The workers' knowledge of accounts is shown: the breaker, and the fullest second of the last minute.
func TestHealth(t *testing.T) {
	t.Parallel()
	w := setup(t)
	st := w.docs.Store
	now := message.At(clock)
	mails := config.Account{Name: "mails", Provider: "smtp", Channel: message.Email, PerSecond: 10, PerDay: 100}
	count := func(at message.Time, n int, urgent bool) {
		_, err := st.Meter(t.Context(), store.AccountLimits("mails"), mails.Limits(provider.Limits{}).Windows(at), n, urgent)
		ok(t, err)
	}
	count(now.Add(-2*time.Minute), 9, false)
	count(now.Add(-40*time.Second), 5, false)
	count(now.Add(-40*time.Second), 1, true)
	count(now, 2, false)
	_, _, err := st.Observe(t.Context(), now.Add(-20*time.Second), "mails", breaker.Seen{Bad: 30})
	ok(t, err)
	got, err := w.Health(t.Context(), admin, []config.Account{mails, {Name: "hooks", Provider: "webhook", Channel: message.Webhook}})
	ok(t, err)
	want := map[string]operate.Health{"hooks": {State: breaker.Closed}, "mails": {State: breaker.Probing, Since: now.Add(-20 * time.Second), Until: now.Add(-5 * time.Second), Share: 0.05,
		Used: []operate.Usage{{Window: limit.Second, Limit: 10, Used: 6}, {Window: limit.Day, Limit: 100, Used: 17}}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
