package stats_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/alarm"
	"github.com/opennotify/notify/pkg/stats"
	"github.com/opennotify/notify/pkg/telemetry"
)

// What is counted makes an alarm and ends it, by channel; callbacks make none, and tenants are not told.
func TestAlarms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := func(what, want string) { t.Helper(); w.wantAlarms(t, what, want) }
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
	want("three bad minutes", "email failure-rate 5.66;push account-fault 1;sms failure-rate 10;")
	if err := w.stats.Fold(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.clock = w.clock.Add(2 * time.Minute)
	want("a while later", "email failure-rate 5.66;push account-fault 1;sms failure-rate 10;")
	w.clock = w.clock.Add(5 * time.Minute)
	want("it is over", "")
	if _, err := w.stats.Alarms(t.Context(), reader); err == nil {
		t.Error("a tenant's key is told of alarms")
	}
}

// wantAlarms compares the open alarms.
func (w *world) wantAlarms(t *testing.T, what, want string) {
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
		got += fmt.Sprintf("%s %s %.4g;", a.Channel, a.Name, a.At)
	}
	if got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// What is measured makes an alarm too, by channel, lane and for the whole, and stands in a minute until it is measured
// again; a tenant's budget and distributions make none.
func TestGauges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	read := func(name string, v float64, l telemetry.Labels) { w.gauges.Observe(name, v, telemetry.Ratio, l) }
	minute := func(do func()) {
		w.clock = w.clock.Add(time.Minute)
		do()
	}
	full := func() {
		read(telemetry.LimitUsed, 0.85, telemetry.Labels{Channel: "sms", Account: "a"})
		read(telemetry.LimitUsed, 0.2, telemetry.Labels{Channel: "sms", Account: "b"})
		read(telemetry.LimitUsed, 0.1, telemetry.Labels{Channel: "sms", Account: "a"}) // later in the minute
		read(telemetry.LimitUsed, 1, telemetry.Labels{Tenant: "shop"})
		w.gauges.Observe(telemetry.AcceptToSent, 1e6, telemetry.Milliseconds, telemetry.Labels{Channel: "sms", Lane: "urgent"})
	}
	minute(full)
	minute(full)
	w.wantAlarms(t, "two minutes", "")
	minute(full)
	w.wantAlarms(t, "three", "sms limit-used 0.85;")
	for range 4 {
		minute(func() { read(telemetry.LimitUsed, 0.1, telemetry.Labels{Channel: "sms", Account: "a"}) })
	}
	w.wantAlarms(t, "it is over", "")

	late := func() {
		w.gauges.Observe(telemetry.QueueAge, 61, telemetry.Seconds, telemetry.Labels{Channel: "push", Lane: "urgent"})
		w.gauges.Observe(telemetry.QueueAge, 200, telemetry.Seconds, telemetry.Labels{Lane: "control"})
		w.gauges.Observe(telemetry.DeadLetters, 2, telemetry.Count, telemetry.Labels{Channel: "email"})
		w.gauges.Observe(telemetry.DeadAge, 8*86400, telemetry.Seconds, telemetry.Labels{Channel: "email"})
	}
	minute(late)
	w.wantAlarms(t, "one is dead", "email dead-letters 2;email dead-letters-old 6.912e+05;")
	minute(late)
	minute(late)
	want := " control-late 200;email dead-letters 2;email dead-letters-old 6.912e+05;push urgent-late 61;"
	w.wantAlarms(t, "late", want)
	minute(func() {})
	w.wantAlarms(t, "a new minute", want+"push urgent-slow 61;")
	minute(func() {})
	w.wantAlarms(t, "nothing is dead any more", " control-late 200;email dead-letters-old 6.912e+05;")
}

// A channel that sends is expected to go on in business hours; one that has not for a week is not. Canaries are expected
// where there are any, by somebody who has looked for long enough.
func TestSilent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stats.Watch = alarm.Options{Silent: time.Hour, From: 1, To: 10, Canary: true}
	monday := time.Date(2026, 1, 12, 3, 0, 0, 0, time.UTC)
	count := func(at time.Time, name, channel string) {
		t.Helper()
		for ; w.clock.Before(at); w.clock = w.clock.Add(time.Hour) {
			if err := errors.Join(w.procs[0].Flush(t.Context()), w.stats.Fold(t.Context())); err != nil {
				t.Fatal(err)
			}
		}
		w.clock = at
		w.procs[0].Count(name, 1, telemetry.Labels{Tenant: "shop", Channel: channel})
	}
	count(monday.Add(-8*24*time.Hour), "sent", "push")
	count(monday.Add(-3*24*time.Hour), "sent", "sms")
	count(monday.Add(-3*24*time.Hour), "failed", "email")
	count(monday.Add(-3*24*time.Hour), "sent", "callback")
	count(monday, "accepted", "sms")
	w.wantAlarms(t, "nothing was sent", " canary-missing 0;sms silent 0;")
	w.procs[0].Count(telemetry.CanarySent, 1, telemetry.Labels{})
	count(monday, "sent", "sms")
	w.wantAlarms(t, "something was", "")
	w.clock = monday.Add(59 * time.Minute)
	w.wantAlarms(t, "a while ago", " canary-missing 0;")
	w.clock = monday.Add(60 * time.Minute)
	w.wantAlarms(t, "an hour ago", " canary-missing 0;sms silent 0;")
	w.clock = monday.Add(9 * time.Hour)
	w.wantAlarms(t, "in the evening", " canary-missing 0;")
	w.clock = monday.Add(24 * time.Hour)
	w.stats.Gauges = stats.NewGauges(func() time.Time { return w.clock })
	w.wantAlarms(t, "it has just started", "")
}
