package operate_test

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/breaker"
	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
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

// An account whose provider is asked shows when it was; of others nothing is read.
func TestPolled(t *testing.T) {
	t.Parallel()
	w := setup(t)
	st, now, sys := w.docs.Store, message.At(clock), tenant.System("receipt")
	cat, err := catalog.Load(fstest.MapFS{"asker/provider.yaml": {Data: []byte(`name: asker
title: {zh: 甲, en: Asker}
docs: https://asker.example/docs
channels: [sms]
receipts: true
polls: {of: account, every_seconds: 60, switch: poll}
fields: [{name: poll, label: {zh: 查, en: Poll}, type: boolean}]
`)}})
	ok(t, err)
	w.ports.Catalog = cat
	use, err := operate.New(w.ports)
	ok(t, err)
	account := func(name, poll string) config.Account {
		return config.Account{Name: name, Provider: "asker", Channel: message.SMS, Config: map[string]string{"poll": poll}}
	}
	asked := now.Add(-90 * time.Second)
	pace, mine, err := st.TakePace(t.Context(), sys, asked, "asked", time.Minute)
	ok(t, err)
	pace.Failures, pace.Next = 2, now.Add(time.Minute)
	if kept, err := st.PutPace(t.Context(), sys, asked, pace); !mine || !kept || err != nil {
		t.Fatal(mine, kept, err)
	}
	got, err := use.Health(t.Context(), admin, []config.Account{account("asked", "true"), account("new", "true"), account("told", "false")})
	ok(t, err)
	want := map[string]operate.Health{"asked": {State: breaker.Closed, Polled: &operate.Polled{Last: asked, Next: now.Add(time.Minute), Failures: 2}},
		"new": {State: breaker.Closed, Polled: &operate.Polled{}}, "told": {State: breaker.Closed}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
