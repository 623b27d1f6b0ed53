package stats_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/telemetry"
)

// What is counted makes an alarm and ends it, by channel; callbacks make none, and tenants are not told.
func TestAlarms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := func(what string, want string) {
		t.Helper()
		for _, c := range w.procs {
			if err := c.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		open, err := w.stats.Alarms(t.Context(), operator)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, a := range open {
			got += fmt.Sprintf("%s %s %.0f;", a.Channel, a.Name, a.At)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	count := func(name string, n int64, channel string) {
		w.procs[0].Count(name, n, telemetry.Labels{Tenant: "shop", Channel: channel, Account: "a", Template: telemetry.Free})
	}
	want("nothing yet", "")
	for i := range 3 {
		count("sent", 90, "sms")
		count("failed", 6, "sms")
		count("dead", 4, "sms")
		count("failed", 100, "callback")
		count("sent", 100, "email")
		count("failed", 5, "email")
		w.procs[1].Count("failed", 1, telemetry.Labels{Tenant: "bank", Channel: "email", Account: "b", Template: telemetry.Free})
		if i < 2 {
			want("too early to tell", "")
		}
		w.clock = w.clock.Add(time.Minute)
	}
	w.clock = w.clock.Add(-time.Minute)
	count("sent", 0, "sms")
	count(telemetry.AccountFault, 1, "push")
	want("three bad minutes", "email failure-rate 6;push account-fault 1;sms failure-rate 10;")
	if err := w.stats.Fold(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.clock = w.clock.Add(2 * time.Minute)
	want("a while later", "email failure-rate 6;push account-fault 1;sms failure-rate 10;")
	w.clock = w.clock.Add(5 * time.Minute)
	want("it is over", "")
	if _, err := w.stats.Alarms(t.Context(), reader); err == nil {
		t.Error("a tenant's key is told of alarms")
	}
}
